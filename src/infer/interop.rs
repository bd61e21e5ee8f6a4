//! The device that networks run on, and its graphics handles where it is shared.
//!
//! On a real GPU burn opens the device, with every feature its shader compilers want, and the
//! window and our shaders adopt the handles; the other direction fails at the first kernel. See
//! `gpu::plan_devices` for who decides.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::wgpu::{WgpuBackend, WgpuSetup};
use burn::tensor::{Device, DeviceKind};

use crate::gpu::{AdapterFacts, AdapterKind, DevicePlan, GpuContext};

/// Kernels in one command: bounds how long a frame of the window waits behind a network.
const TASKS_MAX: usize = 16;

/// Where networks run.
pub struct NetworkDevice {
    pub device: Device,
    /// The handles that the window adopts; `None` when networks run on the CPU.
    pub shared: Option<SharedGpu>,
    /// Why the networks are on the CPU although the plan said otherwise.
    pub fallback: Option<String>,
}

/// The graphics handles of a device that burn opened. Errors outside of scopes are recorded by
/// the context instead of panicking; the device-lost callback stays burn's.
#[derive(Clone, Debug)]
pub struct SharedGpu {
    pub instance: wgpu::Instance,
    pub context: GpuContext,
}

impl NetworkDevice {
    /// The Flex CPU backend.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), shared: None, fallback: None }
    }

    /// Follows the plan over `adapters`, the list it was made for. A device that does not open
    /// is not fatal: networks then run on the CPU and [`NetworkDevice::fallback`] says why.
    pub fn open(plan: DevicePlan, adapters: &[AdapterFacts]) -> Self {
        let DevicePlan::Shared(index) = plan else { return Self::cpu() };
        match open_shared(adapters, index) {
            Ok((device, setup)) => {
                let WgpuSetup { instance, adapter, device: handle, queue, .. } = setup;
                let context = GpuContext::from_handles(adapter, handle, queue);
                let shared = SharedGpu { instance, context };
                Self { device, shared: Some(shared), fallback: None }
            }
            Err(reason) => {
                tracing::warn!(%reason, "networks run on the CPU");
                Self { fallback: Some(reason), ..Self::cpu() }
            }
        }
    }
}

fn open_shared(adapters: &[AdapterFacts], index: usize) -> Result<(Device, WgpuSetup), String> {
    let Some(chosen) = adapters.get(index) else {
        return Err(format!("there is no graphics adapter {index}"));
    };
    let mut options =
        Device::wgpu_options().device_kind(device_kind(adapters, index)).tasks_max(TASKS_MAX);
    if let Some(api) = graphics_api(chosen.backend) {
        options = options.graphics_api(api);
    }
    // The runtime's start still panics on some drivers; a panic here is the same answer as an
    // error, and nothing of ours is half-changed by it.
    match catch_unwind(AssertUnwindSafe(|| options.init_with_setup())) {
        // Adapters of no known kind are burn's to choose, and it may choose another.
        Ok(Ok((_, setup))) if setup.adapter.get_info().name != chosen.name => {
            Err(format!("the tensor runtime opened {} instead", setup.adapter.get_info().name))
        }
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(err)) => Err(err.to_string()),
        Err(_) => Err("the tensor runtime failed to start on it".into()),
    }
}

/// How burn selects this adapter: by its kind and its place among the adapters of that kind and
/// interface.
fn device_kind(adapters: &[AdapterFacts], index: usize) -> DeviceKind {
    let chosen = &adapters[index];
    let place = adapters[..index]
        .iter()
        .filter(|other| other.kind == chosen.kind && other.backend == chosen.backend)
        .count();
    match chosen.kind {
        AdapterKind::Discrete => DeviceKind::DiscreteGpu(place),
        AdapterKind::Integrated => DeviceKind::IntegratedGpu(place),
        AdapterKind::Virtual => DeviceKind::VirtualGpu(place),
        AdapterKind::Software => DeviceKind::Cpu,
        AdapterKind::Unknown => DeviceKind::DefaultDevice,
    }
}

/// Pins the interface so that burn opens the adapter that was chosen. Metal is left to burn's own
/// choice: pinned, it insists on a compiler that this build leaves out.
const fn graphics_api(backend: wgpu::Backend) -> Option<WgpuBackend> {
    match backend {
        wgpu::Backend::Vulkan => Some(WgpuBackend::Vulkan),
        wgpu::Backend::Dx12 => Some(WgpuBackend::Dx12),
        wgpu::Backend::Gl => Some(WgpuBackend::Gl),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(kind: AdapterKind, backend: wgpu::Backend) -> AdapterFacts {
        let (name, driver) = (String::new(), String::new());
        AdapterFacts { name, driver, kind, backend, computes: true }
    }

    #[test]
    fn adapters_are_counted_by_kind_and_interface() {
        use wgpu::Backend::{Gl, Vulkan};
        let machine = [
            adapter(AdapterKind::Integrated, Vulkan),
            adapter(AdapterKind::Discrete, Vulkan),
            adapter(AdapterKind::Discrete, Gl),
            adapter(AdapterKind::Discrete, Vulkan),
        ];
        assert_eq!(device_kind(&machine, 0), DeviceKind::IntegratedGpu(0));
        assert_eq!(device_kind(&machine, 2), DeviceKind::DiscreteGpu(0));
        assert_eq!(device_kind(&machine, 3), DeviceKind::DiscreteGpu(1));
    }

    #[test]
    fn without_a_real_gpu_networks_run_on_the_cpu() {
        for plan in [DevicePlan::Cpu, DevicePlan::Split(0)] {
            let opened = NetworkDevice::open(plan, &[]);
            assert!(opened.shared.is_none() && opened.fallback.is_none());
            assert_eq!(opened.device, Device::flex());
        }
    }

    #[test]
    fn a_device_that_does_not_open_falls_back_and_says_why() {
        let opened = NetworkDevice::open(DevicePlan::Shared(3), &[]);
        assert_eq!(opened.device, Device::flex());
        assert!(opened.fallback.is_some_and(|reason| reason.contains('3')));
    }
}
