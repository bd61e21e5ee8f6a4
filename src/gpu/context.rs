//! The opened graphics device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{AdapterFacts, AdapterKind, GpuError};

/// Errors kept for the log panel; one fault repeats every frame, and the first ones tell most.
const MAX_RECORDED_ERRORS: usize = 64;

/// An adapter, its device and its queue. Cheap to clone; all clones are one device.
#[derive(Clone, Debug)]
pub struct GpuContext {
    adapter: wgpu::Adapter,
    device: wgpu::Device,
    queue: wgpu::Queue,
    facts: AdapterFacts,
    limits: wgpu::Limits,
    faults: Arc<Mutex<Faults>>,
}

/// What the device reported outside of error scopes.
#[derive(Debug, Default)]
struct Faults {
    errors: Vec<String>,
    lost: Option<String>,
}

impl Faults {
    fn lose(faults: &Mutex<Self>, reason: String) {
        let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.lost.is_none() {
            tracing::error!(%reason, "the graphics device is lost");
            faults.lost = Some(reason);
        }
    }
}

impl GpuContext {
    /// Opens `adapter` with all limits it has and no extra features.
    pub fn open(adapter: wgpu::Adapter) -> Result<Self, GpuError> {
        let (device, queue) =
            pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
                label: Some("ganvas"),
                required_limits: adapter.limits(),
                ..Default::default()
            }))?;
        let context = Self::from_handles(adapter, device, queue);
        context.watch_loss();
        Ok(context)
    }

    /// Hears of the device's loss from the driver. Not for a device that the network framework
    /// opened: its own callback must stay, and the loss shows in polls and in the window's
    /// surface; see [`GpuContext::report_loss`].
    pub fn watch_loss(&self) {
        let faults = Arc::clone(&self.faults);
        self.device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                Faults::lose(&faults, message);
            }
        });
    }

    /// Takes note that the device is gone: from now on nothing is tried on it.
    pub fn report_loss(&self, reason: impl Into<String>) {
        Faults::lose(&self.faults, reason.into());
    }

    /// Adopts handles that the window or the network framework opened. Replaces the device's
    /// uncaptured-error callback (which would panic) by one that records; leaves the device-lost
    /// callback to whoever opened the device.
    pub fn from_handles(adapter: wgpu::Adapter, device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let faults = Arc::new(Mutex::new(Faults::default()));
        let recorder = Arc::clone(&faults);
        device.on_uncaptured_error(Arc::new(move |err: wgpu::Error| {
            let message = GpuError::from_wgpu(&err).to_string();
            let mut faults = recorder.lock().unwrap_or_else(PoisonError::into_inner);
            if faults.errors.len() < MAX_RECORDED_ERRORS && !faults.errors.contains(&message) {
                tracing::error!(%message, "graphics error outside a scope");
                faults.errors.push(message);
            }
        }));
        let facts = facts(&adapter);
        let limits = device.limits();
        Self { adapter, device, queue, facts, limits, faults }
    }

    pub const fn adapter(&self) -> &wgpu::Adapter {
        &self.adapter
    }

    pub const fn device(&self) -> &wgpu::Device {
        &self.device
    }

    pub const fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    pub const fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    /// What the device was opened with; may be less than the adapter could do.
    pub const fn limits(&self) -> &wgpu::Limits {
        &self.limits
    }

    /// Takes the distinct errors reported outside of scopes since the last call.
    pub fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner).errors)
    }

    /// [`GpuError::Lost`] once the device is gone, as far as this context was told.
    pub fn check_alive(&self) -> Result<(), GpuError> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.lost.as_ref().map_or(Ok(()), |message| Err(GpuError::Lost(message.clone())))
    }

    /// Asks the device itself whether it is gone, without waiting: a lost device refuses to map
    /// at once, whoever its callback belongs to.
    pub fn probe(&self) -> Result<(), GpuError> {
        self.check_alive()?;
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("probe"),
            size: 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        // Later, and when the buffer goes, an error means nothing.
        let refused = Arc::new(AtomicBool::new(false));
        let answer = Arc::clone(&refused);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        buffer.map_async(wgpu::MapMode::Read, .., move |mapped| {
            answer.store(mapped.is_err(), Ordering::Relaxed);
        });
        drop(pollster::block_on(validation.pop()));
        if refused.load(Ordering::Relaxed) {
            self.report_loss("it takes no more commands");
        }
        self.check_alive()
    }

    /// Runs `work` inside error scopes: a refused command or exhausted memory becomes an error
    /// here instead of reaching the uncaptured-error callback.
    pub fn scoped<T>(&self, work: impl FnOnce() -> Result<T, GpuError>) -> Result<T, GpuError> {
        self.check_alive()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = work();
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        match memory.or(validation) {
            Some(err) => Err(GpuError::from_wgpu(&err)),
            None => result,
        }
    }

    /// Runs the callbacks of what has finished. Never blocks: a waiting poll beside another
    /// thread's submission trips an assertion of wgpu-core 30.
    pub(super) fn poll(&self) -> Result<(), GpuError> {
        // wgpu 30 panics here where the driver has lost the device.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(wgpu::PollType::Poll))) {
            Ok(Ok(_)) => {}
            Ok(Err(err)) => self.report_loss(err.to_string()),
            Err(_) => self.report_loss("the driver stopped answering"),
        }
        self.check_alive()
    }
}

/// Whether a window's surface refuses to work with its device, as it does once the device is
/// lost. Other states pass by themselves.
pub const fn is_surface_refused(status: &wgpu::CurrentSurfaceTexture) -> bool {
    matches!(status, wgpu::CurrentSurfaceTexture::Validation)
}

/// An instance over every interface of this platform, without a window. `WGPU_BACKEND` narrows it.
pub fn create_instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends =
        wgpu::Backends::from_env().unwrap_or(wgpu::Backends::PRIMARY | wgpu::Backends::GL);
    wgpu::Instance::new(descriptor)
}

/// Every adapter of the machine with what the device policy needs to know of it, in the order
/// that `gpu:N` counts.
pub fn adapters(instance: &wgpu::Instance) -> Vec<(wgpu::Adapter, AdapterFacts)> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
        .into_iter()
        .map(|adapter| {
            let facts = facts(&adapter);
            (adapter, facts)
        })
        .collect()
}

pub(super) fn facts(adapter: &wgpu::Adapter) -> AdapterFacts {
    let info = adapter.get_info();
    let computes =
        adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
            && adapter.limits().max_storage_buffers_per_shader_stage >= 6;
    AdapterFacts {
        name: info.name,
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
            wgpu::DeviceType::Other => AdapterKind::Unknown,
        },
        backend: info.backend,
        computes,
    }
}
