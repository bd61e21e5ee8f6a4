//! What the subcommands that run networks share: device, models, and a job with its bar.

use std::sync::Arc;
use std::time::Duration;

pub(super) use super::library::model_ref;
use super::report::{self, Failure, Progress};
use crate::device::DeviceChoice;
#[cfg(feature = "app")]
use crate::gpu::PatchMatcher;
use crate::infer::Device;
#[cfg(feature = "app")]
use crate::infer::interop::NetworkDevice;
use crate::infer::models::ModelStore;
use crate::infer::protocol::{Event, Lane, ModelRef, Output, Task};
use crate::infer::service::Service;
use crate::zoo::Library;

/// How often a waiting bar looks for news.
const PERIOD: Duration = Duration::from_millis(200);

/// The networks of this program where the device policy puts them; patches are matched there, too.
#[cfg(feature = "app")]
pub(super) fn store(choice: DeviceChoice) -> Result<ModelStore, Failure> {
    let NetworkDevice { device, shared, .. } = open(choice)?;
    let store = ModelStore::new(Library::discover(), device);
    Ok(match shared {
        Some(shared) => store.matching_on(PatchMatcher::new(&shared.context)),
        None => store,
    })
}

/// Where the device policy puts networks.
#[cfg(feature = "app")]
pub(super) fn device(choice: DeviceChoice) -> Result<Device, Failure> {
    Ok(open(choice)?.device)
}

#[cfg(feature = "app")]
fn open(choice: DeviceChoice) -> Result<NetworkDevice, Failure> {
    // Nothing need be known of adapters that will not be used.
    if choice == DeviceChoice::Cpu {
        return Ok(NetworkDevice::cpu());
    }
    let survey = super::devices::survey(choice)?;
    let opened = NetworkDevice::open(survey.plan(), survey.facts());
    if let Some(reason) = &opened.fallback {
        report::note(format!("networks run on the processor: {reason}"));
    }
    Ok(opened)
}

/// The networks of this program, on the processor.
#[cfg(not(feature = "app"))]
pub(super) fn store(choice: DeviceChoice) -> Result<ModelStore, Failure> {
    Ok(ModelStore::new(Library::discover(), device(choice)?))
}

/// The processor: this build has no other place for networks.
#[cfg(not(feature = "app"))]
pub(super) fn device(choice: DeviceChoice) -> Result<Device, Failure> {
    super::devices::no_adapter_asked(choice)?;
    Ok(Device::flex())
}

/// Says what the user must hear of about an installed model.
pub(super) fn warn(library: &Library, model: &ModelRef) {
    if let ModelRef::Id(id) = model
        && let Ok(installed) = library.find(id)
        && let Some(warning) = installed.manifest.warning
    {
        report::note(format!("{id}: {warning}"));
    }
}

/// Runs one task on the inference thread, with a bar on a terminal.
pub(super) fn run(store: ModelStore, task: Task, label: &str) -> Result<Output, Failure> {
    Worker::start(store)?.run(task, label)
}

/// How a task ended that did not fail.
pub(super) enum Ended {
    Done(Box<Output>),
    /// The picture does not have what the task needs: one sentence.
    Refused(String),
}

impl Ended {
    /// What was done; a picture that was refused is bad input.
    pub(super) fn done(self) -> Result<Output, Failure> {
        match self {
            Self::Done(output) => Ok(*output),
            Self::Refused(reason) => Err(Failure::input(reason)),
        }
    }
}

/// The inference thread, for several tasks one after the other.
pub(super) struct Worker(Service);

impl Worker {
    pub(super) fn start(store: ModelStore) -> Result<Self, Failure> {
        let service = Service::spawn(move || store, Arc::new(|| {}));
        service.map(Self).map_err(Failure::failed)
    }

    /// Runs a task to its end, with a bar on a terminal.
    pub(super) fn run(&mut self, task: Task, label: &str) -> Result<Output, Failure> {
        self.run_part(task, &mut Progress::new(label), [0, 1])?.done()
    }

    /// [`Worker::run`] of number `at` of `count` tasks that share a bar.
    pub(super) fn run_part(
        &mut self,
        task: Task,
        bar: &mut Progress,
        [at, count]: [u64; 2],
    ) -> Result<Ended, Failure> {
        self.0.submit(Lane::Commit, None, task).map_err(Failure::failed)?;
        loop {
            match self.0.wait_event(PERIOD).map_err(Failure::failed)? {
                Some(Event::Progress { done, total, .. }) => {
                    let total = u64::from(total);
                    bar.set(at * total + u64::from(done), count * total);
                }
                Some(Event::Notice { text, .. }) => report::note(text),
                Some(Event::Finished { output, .. }) => return Ok(Ended::Done(output)),
                Some(Event::Failed { error, .. }) => return Err(Failure::failed(error)),
                Some(Event::Refused { reason, .. }) => return Ok(Ended::Refused(reason)),
                Some(Event::Cancelled { .. }) => return Err(Failure::failed("cancelled")),
                Some(Event::Picture { .. } | Event::Dragged { .. }) | None => {}
            }
        }
    }
}
