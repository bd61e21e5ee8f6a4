//! The device policy over made-up machines.

use ganvas::device::DeviceChoice;
use ganvas::gpu::{
    AdapterFacts, AdapterKind, DevicePlan, PolicyError, plan_devices, runs_operations,
};
use wgpu::Backend;

fn adapter(name: &str, kind: AdapterKind, backend: Backend) -> AdapterFacts {
    AdapterFacts { name: name.into(), driver: String::new(), kind, backend, computes: true }
}

fn lavapipe() -> AdapterFacts {
    adapter("llvmpipe (LLVM 19.1.7, 256 bits)", AdapterKind::Software, Backend::Vulkan)
}

#[test]
fn a_real_gpu_is_shared_and_the_fastest_one_wins() {
    let machine = [
        lavapipe(),
        adapter("Iris", AdapterKind::Integrated, Backend::Vulkan),
        adapter("GeForce", AdapterKind::Discrete, Backend::Gl),
        adapter("GeForce", AdapterKind::Discrete, Backend::Vulkan),
    ];
    assert_eq!(plan_devices(&machine, DeviceChoice::Auto), Ok(DevicePlan::Shared(3)));
    assert_eq!(plan_devices(&machine, DeviceChoice::Gpu(1)), Ok(DevicePlan::Shared(1)));
    assert_eq!(plan_devices(&machine, DeviceChoice::Gpu(0)), Ok(DevicePlan::Split(0)));
    assert!(runs_operations(&machine[3], DeviceChoice::Auto));
    assert!(!runs_operations(&machine[3], DeviceChoice::Cpu));
}

#[test]
fn a_rasteriser_serves_the_window_but_not_the_networks() {
    let plan = plan_devices(&[lavapipe()], DeviceChoice::Auto);
    assert_eq!(plan, Ok(DevicePlan::Split(0)));
    assert!(!runs_operations(&lavapipe(), DeviceChoice::Auto));

    // OpenGL drivers report no kind; the name gives them away.
    let gl = adapter("llvmpipe (LLVM 19.1.7)", AdapterKind::Unknown, Backend::Gl);
    assert_eq!(plan_devices(&[gl], DeviceChoice::Auto), Ok(DevicePlan::Split(0)));
    let unknown = adapter("V3D 7.1", AdapterKind::Unknown, Backend::Gl);
    assert_eq!(plan_devices(&[unknown], DeviceChoice::Auto), Ok(DevicePlan::Shared(0)));
}

#[test]
fn without_an_adapter_everything_runs_on_the_cpu() {
    assert_eq!(plan_devices(&[], DeviceChoice::Auto), Ok(DevicePlan::Cpu));
    let mut old = adapter("old", AdapterKind::Integrated, Backend::Gl);
    old.computes = false;
    assert_eq!(plan_devices(std::slice::from_ref(&old), DeviceChoice::Auto), Ok(DevicePlan::Cpu));
    assert!(!runs_operations(&old, DeviceChoice::Auto));
    assert!(matches!(
        plan_devices(&[old], DeviceChoice::Gpu(0)),
        Err(PolicyError::NoCompute { index: 0, .. })
    ));
    assert_eq!(
        plan_devices(&[], DeviceChoice::Gpu(2)),
        Err(PolicyError::NoSuchAdapter { wanted: 2, count: 0 })
    );
}

#[test]
fn asking_for_the_cpu_keeps_networks_off_a_real_gpu() {
    let machine = [adapter("GeForce", AdapterKind::Discrete, Backend::Vulkan)];
    let plan = plan_devices(&machine, DeviceChoice::Cpu).unwrap();
    assert_eq!(plan, DevicePlan::Split(0));
    assert!(!plan.networks_on_adapter());
    assert_eq!(plan.adapter(), Some(0));
}
