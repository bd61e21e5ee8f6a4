//! Lighting dark pictures with the shipped network: what a photographer expects of it, and grey
//! pictures through it and others.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::infer::Device;
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::{Effect, Event, Filter, Lane, ModelRef, Task, Upscale};
use ganvas::infer::service::Service;
use ganvas::infer::worker::Step;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::Library;

use crate::recorded::root;

fn run(task: Task) -> PixelBuf {
    let library = Library::of(Some(root().join("models")), None);
    let store = ModelStore::new(library, Device::flex());
    let (mut service, mut worker) = Service::stepped(store, Arc::new(|| {}));
    service.submit(Lane::Commit, None, task).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    match std::iter::from_fn(|| service.try_event()).last() {
        Some(Event::Finished { mut output, .. }) => output.images.remove(0),
        other => panic!("{other:?}"),
    }
}

fn filtered(image: PixelBuf, model: &str, effect: Effect) -> PixelBuf {
    run(Task::Filter(Filter {
        image: Arc::new(image),
        mask: None,
        profile: WorkingProfile::srgb(),
        model: ModelRef::Id(model.into()),
        effect,
        strength: 1.0,
        tile: None,
    }))
}

fn lit(image: PixelBuf) -> PixelBuf {
    filtered(image, "zero-dce-neuro", Effect::Light)
}

fn picture(size: [u32; 2], depth: Depth, color: impl Fn(u32, u32) -> [f32; 3]) -> PixelBuf {
    let mut picture = PixelBuf::new(Size::new(size[0], size[1]), 4, depth);
    for (x, y) in (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| (x, y))) {
        let [r, g, b] = color(x, y);
        picture.set_pixel_f32(x, y, [r, g, b, 1.0]);
    }
    picture
}

#[test]
fn an_even_picture_is_lit_evenly_and_has_no_frame() {
    let color = [0.12, 0.09, 0.06];
    let out = lit(picture([61, 47], Depth::U16, |_, _| color));
    let middle = out.pixel_f32(30, 23);
    assert!(middle[0] > 0.3 && middle[0] < 0.8, "{middle:?}");
    for (x, y) in [(0, 0), (60, 0), (0, 46), (60, 46), (30, 0), (1, 23), (58, 44)] {
        let edge = out.pixel_f32(x, y);
        let worst = (0..3).map(|k| (edge[k] - middle[k]).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-4, "{x} {y}: {edge:?} beside {middle:?}");
    }
    // The hue: the ratios of the channels.
    for channel in 1..3 {
        let (have, want) = (middle[channel] / middle[0], color[channel] / color[0]);
        assert!((have - want).abs() < 2e-3, "{channel}: {have} instead of {want}");
    }
}

#[test]
fn dark_details_stay_darker_than_what_is_around() {
    // A pupil: black in an iris that is dark, on a lighter ground.
    let out = lit(picture([96, 96], Depth::U8, |x, y| {
        let away = (f64::from(x) - 48.0).hypot(f64::from(y) - 48.0);
        [if away < 8.0 {
            0.02
        } else if away < 20.0 {
            0.1
        } else {
            0.2
        }; 3]
    }));
    let [pupil, iris, ground] = [48, 62, 74].map(|x| out.pixel_f32(x, 48)[1]);
    assert!(pupil < 0.6 * iris && iris < 0.8 * ground, "{pupil} {iris} {ground}");
    assert!(ground > 0.35, "{ground}");
}

#[test]
fn a_grey_picture_stays_grey_whatever_mends_it() {
    for depth in [Depth::U8, Depth::U16] {
        let grey = picture([40, 32], depth, |x, y| [((x * 5 + y * 3) % 97) as f32 / 300.0; 3]);
        let color =
            picture([40, 32], depth, |x, y| [((x * 5 + y * 3) % 97) as f32 / 300.0, 0.2, 0.1]);
        let denoise = || Effect::Denoise { sigma: Some(20.0) };
        let upscaled = |image: &PixelBuf| {
            run(Task::Upscale(Upscale {
                image: Arc::new(image.clone()),
                profile: WorkingProfile::srgb(),
                model: ModelRef::Id("realesr-animevideov3-x4".into()),
                scale: 2.0,
                tile: None,
            }))
        };
        for out in
            [lit(grey.clone()), filtered(grey.clone(), "ffdnet-color", denoise()), upscaled(&grey)]
        {
            assert!(out.is_gray() && out.depth() == depth, "{depth:?}");
            assert!(out != grey, "nothing happened");
        }
        for out in [
            lit(color.clone()),
            filtered(color.clone(), "ffdnet-color", denoise()),
            upscaled(&color),
        ] {
            assert!(!out.is_gray(), "{depth:?}");
        }
    }
    // What makes colours may.
    let grey = picture([32, 32], Depth::U8, |x, y| [((x + y) % 9) as f32 / 9.0; 3]);
    let styled = filtered(grey, "multistyle26", Effect::Style { weights: vec![(3, 1.0)] });
    assert!(!styled.is_gray());
}
