//! Who runs operations: the adapter, and the CPU code behind it.

use ganvas::color::WorkingProfile;
use ganvas::device::DeviceChoice;
use ganvas::geom::Size;
use ganvas::gpu::{self, AdapterEngine, GpuContext, PolicyError, Survey};
use ganvas::ops::{self, Engine, OpContext};
use ganvas::params::Params;
use ganvas::pixels::{Depth, PixelBuf};

use crate::executor::{random_picture, worst};
use crate::{Random, gpu};

fn blurred(engine: &dyn Engine, picture: &PixelBuf) -> PixelBuf {
    let op = ops::find("gaussian_blur").unwrap();
    let params = Params::parse(op.spec().params, ["sigma=2"]).unwrap();
    let context = OpContext::full_size(WorkingProfile::srgb());
    engine.apply(op, &params, &context, picture, None).unwrap()
}

/// A device of its own, so that its loss harms no other test.
fn own_device() -> Option<GpuContext> {
    Some(GpuContext::open(gpu()?.adapter().clone()).unwrap())
}

#[test]
fn the_adapter_works_while_it_can_and_the_processor_after_that() {
    let Some(context) = own_device() else { return };
    let engine = AdapterEngine::new(&context);
    let picture = random_picture(&mut Random(3), Size::new(80, 50), 4, Depth::U8);
    let on_cpu = blurred(&ops::Processor, &picture);
    let on_adapter = blurred(&engine, &picture);
    assert!(worst(&on_cpu, &on_adapter) <= 1);
    assert_eq!(engine.take_trouble(), None);

    context.report_loss("on purpose");
    assert_eq!(blurred(&engine, &picture), on_cpu);
    let told = engine.take_trouble().unwrap();
    assert!(told.contains("lost") && told.contains("on purpose"), "{told}");
    assert_eq!(engine.take_trouble(), None, "told once");
}

#[test]
fn errors_of_the_operation_are_no_trouble_of_the_adapter() {
    let Some(context) = gpu() else { return };
    let engine = AdapterEngine::new(context);
    let op = ops::find("crop").unwrap();
    let words = ["x=50", "y=0", "width=50", "height=10"];
    let params = Params::parse(op.spec().params, words).unwrap();
    let op_context = OpContext::full_size(WorkingProfile::srgb());
    let picture = random_picture(&mut Random(4), Size::new(60, 20), 4, Depth::U8);
    assert!(engine.apply(op, &params, &op_context, &picture, None).is_err());
    // Masks are the CPU code's by design.
    let flip = ops::find("flip").unwrap();
    let params = Params::parse(flip.spec().params, ["axis=vertical"]).unwrap();
    let mask = random_picture(&mut Random(5), Size::new(60, 20), 1, Depth::U8);
    assert!(engine.apply(flip, &params, &op_context, &mask, None).is_ok());
    assert_eq!(engine.take_trouble(), None);
}

#[test]
fn the_policy_chooses_the_engine() {
    let Some(context) = own_device() else { return };
    // On a lost device only an engine that uses it has something to tell.
    context.report_loss("on purpose");
    let picture = random_picture(&mut Random(6), Size::new(30, 20), 4, Depth::U8);
    for choice in [DeviceChoice::Auto, DeviceChoice::Cpu] {
        let engine = gpu::engine(&context, choice);
        blurred(&*engine, &picture);
        let uses_it = gpu::runs_operations(context.facts(), choice);
        assert_eq!(engine.take_trouble().is_some(), uses_it, "{choice}");
    }
}

#[test]
fn the_survey_follows_the_policy_on_this_machine() {
    let Some(context) = gpu() else { return };
    let auto = Survey::take(DeviceChoice::Auto).unwrap();
    assert_eq!(gpu::plan_devices(auto.facts(), DeviceChoice::Auto), Ok(auto.plan()));
    assert!(auto.remark().is_none());
    let count = auto.facts().len();
    assert_eq!(
        Survey::take(DeviceChoice::Gpu(count)).unwrap_err(),
        PolicyError::NoSuchAdapter { wanted: count, count }
    );
    let index = auto.facts().iter().position(|facts| facts == context.facts()).unwrap();
    let asked = Survey::take(DeviceChoice::Gpu(index)).unwrap();
    assert_eq!(asked.chosen(), Some(context.facts()));
    assert_eq!(asked.remark().is_some(), !context.facts().is_hardware());
    assert_eq!(asked.open().unwrap().facts(), context.facts());
    // Without a window any adapter will do; the planned one is taken.
    let presenter = asked.presenter();
    assert_eq!(presenter(asked.adapters(), None).unwrap().get_info().name, context.facts().name);
    assert!(presenter(&[], None).is_err());
}

#[test]
fn a_device_says_itself_that_it_is_gone() {
    let Some(context) = own_device() else { return };
    for _ in 0..3 {
        context.probe().unwrap();
        gpu::finish(&context).unwrap();
    }
    context.device().destroy();
    assert!(context.probe().unwrap_err().is_device_lost());
    assert!(context.check_alive().unwrap_err().is_device_lost());
    assert_eq!(context.take_errors(), Vec::<String>::new());
}
