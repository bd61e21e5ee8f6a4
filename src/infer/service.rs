//! The handle that the program holds: submits requests, collects events, owns the thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::plan::Speed;
use super::protocol::{Basis, CancelFlag, Event, JobId, Lane, Request, Task};
use super::worker::{Models, Step, Worker};

/// Called after each event, from the inference thread; wakes the window.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Requests that may wait unseen by the worker.
const REQUEST_SLOTS: usize = 16;
/// Events that may wait for the program.
const EVENT_SLOTS: usize = 256;
/// How long the idle thread sleeps while the program collects no events.
const BLOCKED_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Why a request was not taken. The task comes back in the error, so nothing is lost.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("the inference queue is full; wait for a job to finish")]
    Full(Box<Task>),
    #[error("the inference thread has ended")]
    Gone(Box<Task>),
}

#[derive(Debug, thiserror::Error)]
#[error("cannot start the inference thread: {0}")]
pub struct SpawnError(#[from] std::io::Error);

/// A submitted request.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub cancel: CancelFlag,
}

/// What the worker has measured, read by the pre-flight line without waiting.
#[derive(Debug, Default)]
pub struct SharedSpeed(AtomicU64);

impl SharedSpeed {
    pub fn get(&self) -> Option<Speed> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            bits => Some(Speed { flops_per_second: f64::from_bits(bits) }),
        }
    }

    pub fn set(&self, speed: Speed) {
        self.0.store(speed.flops_per_second.to_bits(), Ordering::Relaxed);
    }
}

/// The inference service. Dropping it cancels what runs and lets the thread end by itself.
pub struct Service {
    requests: Sender<Request>,
    events: Receiver<Event>,
    next_job: u64,
    /// Jobs without a final event so far.
    open: Vec<(Job, Lane)>,
    speed: Arc<SharedSpeed>,
}

impl Service {
    /// Starts the thread `inference`. `models` is built on that thread, for devices take seconds
    /// to open.
    pub fn spawn<M: Models + 'static>(
        models: impl FnOnce() -> M + Send + 'static,
        wake: Wake,
    ) -> Result<Self, SpawnError> {
        let (service, requests, events) = Self::unattached();
        let speed = Arc::clone(&service.speed);
        std::thread::Builder::new()
            .name("inference".into())
            .spawn(move || run(&mut Worker::new(models(), requests, events, wake, speed)))?;
        Ok(service)
    }

    /// A service and the worker that serves it, to be stepped by the caller.
    pub fn stepped<M: Models>(models: M, wake: Wake) -> (Self, Worker<M>) {
        let (service, requests, events) = Self::unattached();
        let speed = Arc::clone(&service.speed);
        (service, Worker::new(models, requests, events, wake, speed))
    }

    fn unattached() -> (Self, Receiver<Request>, Sender<Event>) {
        let (requests, request_receiver) = bounded(REQUEST_SLOTS);
        let (event_sender, events) = bounded(EVENT_SLOTS);
        let speed = Arc::default();
        let service = Self { requests, events, next_job: 1, open: Vec::new(), speed };
        (service, request_receiver, event_sender)
    }

    /// Hands a task to the thread; never waits. A preview cancels the previews before it.
    pub fn submit(
        &mut self,
        lane: Lane,
        basis: Option<Basis>,
        task: Task,
    ) -> Result<Job, SubmitError> {
        let job = Job { id: JobId(self.next_job), cancel: CancelFlag::default() };
        let request = Request { job: job.id, lane, basis, task, cancel: job.cancel.clone() };
        self.requests.try_send(request).map_err(|err| match err {
            TrySendError::Full(request) => SubmitError::Full(Box::new(request.task)),
            TrySendError::Disconnected(request) => SubmitError::Gone(Box::new(request.task)),
        })?;
        self.next_job += 1;
        if lane == Lane::Preview {
            let older = self.open.iter().filter(|(_, lane)| *lane == Lane::Preview);
            older.for_each(|(job, _)| job.cancel.set());
        }
        self.open.push((job.clone(), lane));
        Ok(job)
    }

    /// The next event, if one is there.
    pub fn try_event(&mut self) -> Option<Event> {
        let event = self.events.try_recv().ok()?;
        self.close(&event);
        Some(event)
    }

    /// The next event within `timeout`, for callers without a window. `Err` once the thread has
    /// ended and every event was taken.
    pub fn wait_event(&mut self, timeout: std::time::Duration) -> Result<Option<Event>, Gone> {
        match self.events.recv_timeout(timeout) {
            Ok(event) => {
                self.close(&event);
                Ok(Some(event))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Gone),
        }
    }

    fn close(&mut self, event: &Event) {
        if event.is_final() {
            self.open.retain(|(job, _)| job.id != event.job());
        }
    }

    pub fn cancel(&self, id: JobId) {
        self.open.iter().filter(|(job, _)| job.id == id).for_each(|(job, _)| job.cancel.set());
    }

    /// Jobs whose final event was not collected yet.
    pub const fn open_jobs(&self) -> usize {
        self.open.len()
    }

    /// The measured speed of the device, once the worker knows it.
    pub fn speed(&self) -> Option<Speed> {
        self.speed.get()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.open.iter().for_each(|(job, _)| job.cancel.set());
    }
}

/// The inference thread has ended.
#[derive(Debug, thiserror::Error)]
#[error("the inference thread has ended")]
pub struct Gone;

fn run<M: Models>(worker: &mut Worker<M>) {
    worker.measure();
    loop {
        match worker.step() {
            Step::Worked => {}
            Step::Idle => worker.wait(),
            Step::Blocked => std::thread::sleep(BLOCKED_PAUSE),
            Step::Closed => return,
        }
    }
}
