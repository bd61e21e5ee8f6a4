//! One device for networks and shaders, opened by the tensor runtime. Forced onto a software
//! driver, which the policy would not do.

use std::path::Path;
use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::device::DeviceChoice;
use ganvas::geom::Size;
use ganvas::gpu::{DevicePlan, Executor, Survey};
use ganvas::infer::interop::NetworkDevice;
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::{Event, Lane, ModelRef, Task, Upscale};
use ganvas::infer::service::Service;
use ganvas::infer::worker::Step;
use ganvas::ops::{self, OpContext};
use ganvas::params::Params;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::Library;

fn picture(size: Size) -> PixelBuf {
    let mut picture = PixelBuf::new(size, 4, Depth::U8);
    for y in 0..size.height {
        for x in 0..size.width {
            let [r, g] = [x as f32 / size.width as f32, y as f32 / size.height as f32];
            picture.set_pixel_f32(x, y, [r, g, (r * g).sqrt(), 1.0]);
        }
    }
    picture
}

fn enlarge(device: NetworkDevice, model: &Path) -> PixelBuf {
    let store = ModelStore::new(Library::of(None, None), device.device);
    let (mut service, mut worker) = Service::stepped(store, Arc::new(|| {}));
    let task = Upscale {
        image: Arc::new(picture(Size::new(12, 9))),
        profile: WorkingProfile::srgb(),
        model: ModelRef::File(model.into()),
        scale: 2.0,
        tile: None,
    };
    service.submit(Lane::Commit, None, Task::Upscale(task)).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    match std::iter::from_fn(|| service.try_event()).last() {
        Some(Event::Finished { mut output, .. }) => output.images.remove(0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn shaders_and_networks_share_the_device_that_the_runtime_opened() {
    let survey = Survey::take(DeviceChoice::Auto).unwrap();
    let vulkan = |facts: &ganvas::gpu::AdapterFacts| facts.backend.to_str() == "vulkan";
    let Some(index) = survey.facts().iter().position(vulkan) else {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "no Vulkan adapter");
        eprintln!("SKIPPED: this machine has no Vulkan adapter; REQUIRE_GPU=1 forbids that");
        return;
    };
    let opened = NetworkDevice::open(DevicePlan::Shared(index), survey.facts());
    assert_eq!(opened.fallback, None);
    let context = opened.shared.clone().unwrap().context;
    assert_eq!(context.facts(), &survey.facts()[index]);

    // Our shaders on its device.
    let invert = ops::find("invert").unwrap();
    let op_context = OpContext::full_size(WorkingProfile::srgb());
    let source = picture(Size::new(70, 40));
    let shaded = Executor::new(&context)
        .apply(invert, &Params::default(), &op_context, &source, None)
        .unwrap();
    let cpu = ops::apply(invert, &Params::default(), &op_context, &source, None).unwrap();
    assert!(shaded == cpu);

    // A small network on it, against the processor.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints");
    let file = file.join("tiny-x2.safetensors");
    let started = std::time::Instant::now();
    let on_adapter = enlarge(opened, &file);
    eprintln!("the network took {:.1} s on the adapter", started.elapsed().as_secs_f32());
    let on_cpu = enlarge(NetworkDevice::cpu(), &file);
    assert_eq!(on_adapter.size(), Size::new(24, 18));
    let worst = (0..on_cpu.samples().len())
        .map(|at| on_cpu.samples().get(at).abs_diff(on_adapter.samples().get(at)))
        .max();
    assert!(worst <= Some(1), "{worst:?}");
    assert_eq!(context.take_errors(), Vec::<String>::new());
}
