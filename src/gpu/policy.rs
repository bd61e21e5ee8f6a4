//! Which work runs on which device: one pure function over facts about the adapters.
//!
//! Measured on eframe 0.37, burn 0.22 and wgpu 30: on a real GPU one device serves the window,
//! the shaders and the networks, provided burn creates it with every feature its compilers want.
//! A software adapter serves the window and the shaders well enough, but network kernels on it
//! take minutes, so networks run on the Flex CPU backend there.

use crate::device::DeviceChoice;

/// What the operating system says an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterKind {
    Discrete,
    Integrated,
    /// A GPU passed into a virtual machine.
    Virtual,
    /// A rasteriser on the CPU, such as lavapipe, llvmpipe or WARP.
    Software,
    /// The driver does not say, as OpenGL drivers do.
    Unknown,
}

/// What the policy knows about one adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterFacts {
    pub name: String,
    /// Driver name and version, for the reader.
    pub driver: String,
    pub kind: AdapterKind,
    pub backend: wgpu::Backend,
    /// Whether the adapter runs compute shaders with storage buffers.
    pub computes: bool,
}

impl AdapterFacts {
    /// A real GPU: unknown kinds count unless their name gives a rasteriser away.
    pub fn is_hardware(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let rasteriser = ["llvmpipe", "softpipe", "swiftshader", "lavapipe", "basic render"];
        self.kind != AdapterKind::Software && !rasteriser.iter().any(|word| name.contains(word))
    }

    /// Smaller is better: fast adapters first, modern interfaces before OpenGL.
    pub(super) fn rank(&self) -> (u8, u8) {
        let kind = match (self.is_hardware(), self.kind) {
            (false, _) => 9,
            (true, AdapterKind::Discrete) => 0,
            (true, AdapterKind::Integrated) => 1,
            (true, AdapterKind::Virtual) => 2,
            (true, _) => 3,
        };
        (kind, u8::from(self.backend == wgpu::Backend::Gl))
    }
}

/// The decision. Indices are places in the list of adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DevicePlan {
    /// One device for the window, the shaders and the networks.
    Shared(usize),
    /// Window and shaders on the adapter, networks on the CPU.
    Split(usize),
    /// No adapter: operations and networks on the CPU, no window.
    Cpu,
}

impl DevicePlan {
    /// The adapter for window and shaders.
    pub const fn adapter(self) -> Option<usize> {
        match self {
            Self::Shared(index) | Self::Split(index) => Some(index),
            Self::Cpu => None,
        }
    }

    /// Whether networks run on the adapter.
    pub const fn networks_on_adapter(self) -> bool {
        matches!(self, Self::Shared(_))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("there is no graphics adapter {wanted}; this machine has {count}")]
    NoSuchAdapter { wanted: usize, count: usize },
    #[error("graphics adapter {index} ({name}) runs no compute shaders")]
    NoCompute { index: usize, name: String },
}

/// Decides for `adapters`, which are all adapters of the machine in the order shown to the user.
///
/// `Cpu` keeps networks and operations off the adapter; a window still needs one, so the plan
/// names it and [`runs_operations`] says no.
pub fn plan_devices(
    adapters: &[AdapterFacts],
    choice: DeviceChoice,
) -> Result<DevicePlan, PolicyError> {
    let best = adapters
        .iter()
        .enumerate()
        .filter(|(_, adapter)| adapter.computes)
        .min_by_key(|(index, adapter)| (adapter.rank(), *index))
        .map(|(index, _)| index);
    let chosen = match choice {
        DeviceChoice::Auto => best,
        DeviceChoice::Cpu => return Ok(best.map_or(DevicePlan::Cpu, DevicePlan::Split)),
        DeviceChoice::Gpu(index) => {
            let count = adapters.len();
            let adapter =
                adapters.get(index).ok_or(PolicyError::NoSuchAdapter { wanted: index, count })?;
            if !adapter.computes {
                return Err(PolicyError::NoCompute { index, name: adapter.name.clone() });
            }
            Some(index)
        }
    };
    Ok(match chosen {
        None => DevicePlan::Cpu,
        Some(index) if adapters[index].is_hardware() => DevicePlan::Shared(index),
        Some(index) => DevicePlan::Split(index),
    })
}

/// Whether full-size operations run as shaders. On a rasteriser the CPU code is the same work
/// without the copies to and from the adapter, and is faster for every operation.
pub fn runs_operations(adapter: &AdapterFacts, choice: DeviceChoice) -> bool {
    choice != DeviceChoice::Cpu && adapter.computes && adapter.is_hardware()
}
