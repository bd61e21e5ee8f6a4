//! The real networks behind the real service.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::{Drawing, Event, Lane, ModelRef, Origin, Render, Task, Upscale};
use ganvas::infer::service::Service;
use ganvas::infer::worker::{Models, Step};
use ganvas::latent::Noise;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::Library;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn store() -> ModelStore {
    ModelStore::new(Library::of(Some(root().join("models")), None), Device::flex())
}

fn run(task: Task) -> Result<Vec<PixelBuf>, String> {
    let (mut service, mut worker) = Service::stepped(store(), Arc::new(|| {}));
    service.submit(Lane::Commit, None, task).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    let last = std::iter::from_fn(|| service.try_event()).last();
    match last {
        Some(Event::Finished { output, .. }) => Ok(output
            .images
            .into_iter()
            .chain(output.drawn.into_iter().map(|d| d.picture))
            .collect()),
        Some(Event::Failed { error, .. }) => Err(error),
        other => panic!("{other:?}"),
    }
}

fn upscale(model: ModelRef, size: Size, scale: f32) -> Result<PixelBuf, String> {
    let mut image = PixelBuf::new(size, 4, Depth::U8);
    for y in 0..size.height {
        for x in 0..size.width {
            let value = if x < size.width / 2 { 0.2 } else { 0.8 };
            image.set_pixel_f32(x, y, [value, value, value, 1.0]);
        }
    }
    let profile = WorkingProfile::srgb();
    let task = Upscale { image: Arc::new(image), profile, model, scale, tile: None };
    run(Task::Upscale(task)).map(|mut images| images.remove(0))
}

fn id(id: &str) -> ModelRef {
    ModelRef::Id(id.into())
}

fn tiny(name: &str) -> PathBuf {
    root().join("tests/fixtures/checkpoints").join(name)
}

#[test]
fn a_small_picture_is_enlarged_to_something_like_it() {
    let size = Size::new(32, 24);
    let out = upscale(id("realesr-animevideov3-x4"), size, 4.0).unwrap();
    assert_eq!(out.size(), Size::new(128, 96));
    // The middle of each flat half keeps its colour.
    for (x, want) in [(32, 0.2), (96, 0.8)] {
        let [r, g, b, a] = out.pixel_f32(x, 48);
        assert!([r, g, b].iter().all(|v| (v - want).abs() < 0.06) && a == 1.0, "{r} {g} {b}");
    }
    let half = upscale(id("realesr-animevideov3-x4"), size, 2.0).unwrap();
    assert_eq!(half.size(), Size::new(64, 48));
}

#[test]
fn odd_sizes_go_through_a_network_that_unshuffles() {
    for (file, scale) in [("tiny-x2.safetensors", 2), ("tiny-x1-bf16.safetensors", 1)] {
        let size = Size::new(13, 7);
        let out = upscale(ModelRef::File(tiny(file)), size, scale as f32).unwrap();
        assert_eq!(out.size(), Size::new(13 * scale, 7 * scale));
    }
}

fn drawing(model: ModelRef, seeds: RangeInclusive<u64>) -> Task {
    let of_seed = |seed| Drawing::plain(Origin::Seed { seed, class: None, noise: Noise::Const });
    Task::Render(Render { model, drawings: seeds.map(of_seed).collect() })
}

#[test]
fn faces_come_from_seeds() {
    let task = |seeds| drawing(id("dcgan-digiface-64"), seeds);
    let faces = run(task(1..=3)).unwrap();
    assert_eq!(faces.len(), 3);
    assert!(faces.iter().all(|face| face.size() == Size::new(64, 64)));
    assert_eq!(run(task(2..=2)).unwrap()[0], faces[1]);
    assert_ne!(faces[0], faces[1]);
}

#[test]
fn a_model_of_the_wrong_kind_says_so() {
    let error = upscale(id("dcgan-digiface-64"), Size::new(4, 4), 4.0).unwrap_err();
    assert!(error.contains("DCGAN generator") && error.contains("enlarges no pictures"), "{error}");
    let model = id("realesr-animevideov3-x4");
    let error = run(drawing(model, 1..=1)).unwrap_err();
    assert!(error.contains("draws no pictures"), "{error}");
    let error = upscale(id("nothing"), Size::new(4, 4), 4.0).unwrap_err();
    assert!(error.contains("no model 'nothing'") && error.contains("realesrgan"), "{error}");
    let damaged = ModelRef::File(tiny("names-and-shapes.json"));
    assert!(upscale(damaged, Size::new(4, 4), 4.0).unwrap_err().contains("not a checkpoint"));
}

#[test]
fn the_device_is_measured() {
    let speed = store().measure().unwrap().flops_per_second;
    assert!((1e8..1e15).contains(&speed), "{speed}");
}
