//! Runs requests one at a time. Knows lanes, cancelling and failures; knows no thread and no
//! tensors: networks come through [`Models`].

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::drag::{self, Dragged};
use super::encoder::Encoder;
use super::generator::Generator;
use super::identity::Identity;
use super::perceptual::Perceptual;
use super::plan::Speed;
use super::protocol::{
    CancelFlag, Effect, Event, Filter, JobId, Lane, ModelRef, Output, Request, Stage, Task,
};
use super::service::{SharedSpeed, Wake};
use super::{analyse, discover, faces, filter, invert, remove, render, select, upscale};
use crate::inpaint::Matcher;
use crate::nets::Planes;
use crate::nets::cpu::Stop;
use crate::nets::gatys::Gatys;
use crate::pixels::PixelBuf;
use crate::zoo::{Capability, Purpose};

/// Why a network did not answer.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("the device is out of memory")]
    OutOfMemory,
    #[error("stopped")]
    Stopped,
    #[error("{0}")]
    Failed(String),
}

/// A network that is ready to run.
pub trait Network {
    fn capability(&self) -> &Capability;

    /// The architecture's name.
    fn architecture(&self) -> &str;

    /// Channels of each picture or vector that the network is given.
    fn input_channels(&self) -> Vec<usize>;

    /// Runs on one picture or vector an input, numbers as [`Capability::range`] says, until
    /// `stop` answers true.
    fn run(&mut self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError>;
}

/// Where networks come from. Loads on first use and keeps recent ones.
pub trait Models: Send {
    fn network(&mut self, model: &ModelRef) -> Result<&mut dyn Network, String>;

    /// The network of `model` as one that draws from codes. A sentence where it is none.
    fn generator(&mut self, model: &ModelRef) -> Result<&mut dyn Generator, String> {
        Err(format!("{model} {}", Purpose::Generate.negated()))
    }

    /// SHA-256 of the weights file of `model`, 64 hexadecimal digits: codes belong to it.
    fn hash(&mut self, model: &ModelRef) -> Result<String, String> {
        Err(format!("{model} is no file"))
    }

    /// The network of `model` as one that compares pictures and says how to change them; on the
    /// processor. A sentence where it is none.
    fn painter(&mut self, model: &ModelRef) -> Result<Gatys, String> {
        Err(format!("{model} compares no pictures"))
    }

    /// What matches patches, where that is not this processor.
    fn matcher(&self) -> Option<&dyn Matcher> {
        None
    }

    /// The network of `model` as one that says how different pictures look and how to change them;
    /// on the processor. A sentence where it is none.
    fn perceptual(&mut self, model: &ModelRef) -> Result<Perceptual, String> {
        Err(format!("{model} compares no pictures"))
    }

    /// The network of `model` as one that reads the codes of faces; on the processor. A sentence
    /// where it is none.
    fn encoder(&mut self, model: &ModelRef) -> Result<Encoder, String> {
        Err(format!("{model} {}", Purpose::Encode.negated()))
    }

    /// The network of `model` as one that describes faces; on the processor. A sentence where it
    /// is none.
    fn identity(&mut self, model: &ModelRef) -> Result<Identity, String> {
        Err(format!("{model} {}", Purpose::Identity.negated()))
    }

    /// After the device ran out of memory with the smallest tile: moves to a device with more.
    /// `false` when there is none.
    fn fall_back(&mut self) -> bool;

    /// Drops a network whose state is in doubt.
    fn forget(&mut self, model: &ModelRef);

    /// Measures the device, for estimates. `None` where that fails.
    fn measure(&mut self) -> Option<Speed>;
}

/// What the network of `model` can do, which must be for `purpose` and colour pictures.
///
/// # Errors
/// A sentence without a full stop.
pub fn capability_for(
    models: &mut dyn Models,
    model: &ModelRef,
    purpose: Purpose,
) -> Result<Capability, String> {
    let network = network_for(models, model, purpose).map_err(|end| end.to_string())?;
    Ok(*network.capability())
}

/// The network of `model`, which must be for `purpose` and colour pictures, whose channels may go
/// through one by one, or for giving colours to them.
pub(super) fn network_for<'a>(
    models: &'a mut dyn Models,
    model: &ModelRef,
    purpose: Purpose,
) -> Result<&'a mut dyn Network, End> {
    let network = models.network(model).map_err(End::Failed)?;
    let capability = network.capability();
    if capability.purpose != purpose {
        let (architecture, lacks) = (network.architecture(), purpose.negated());
        return Err(End::Failed(format!("{model} is a {architecture} and {lacks}")));
    }
    let is_fit = [0, 3].contains(&capability.channels_in) || capability.is_grey();
    if !is_fit && purpose != Purpose::Colorize {
        return Err(End::Failed(format!("{model} is not for colour pictures")));
    }
    Ok(network)
}

impl Task {
    /// Whether the result has to be grey: networks that know colour see grey as a colour like
    /// others and give a tint to it, which nobody wants who mends a grey picture.
    fn keeps_gray(&self) -> bool {
        match self {
            Self::Filter(Filter { image, effect, .. }) => {
                let mends = matches!(
                    effect,
                    Effect::Denoise { .. } | Effect::Light | Effect::RestoreFace { .. }
                );
                mends && image.is_gray()
            }
            Self::Remove(task) => task.image.is_gray(),
            Self::Upscale(task) => task.image.is_gray(),
            _ => false,
        }
    }
}

/// Why a job ended without a result.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("cancelled")]
    Cancelled,
    #[error("{}", NetworkError::OutOfMemory)]
    OutOfMemory,
    #[error("{0}")]
    Failed(String),
    /// The picture does not have what the task needs.
    #[error("{0}")]
    Refused(String),
}

impl From<NetworkError> for End {
    fn from(err: NetworkError) -> Self {
        match err {
            NetworkError::Stopped => Self::Cancelled,
            NetworkError::OutOfMemory => Self::OutOfMemory,
            NetworkError::Failed(reason) => Self::Failed(reason),
        }
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One request was run to its end.
    Worked,
    /// Nothing waits.
    Idle,
    /// The program has not collected its events; no job is started before it does.
    Blocked,
    /// Nothing waits and nobody can submit any more.
    Closed,
}

/// The worker behind a [`super::service::Service`].
pub struct Worker<M> {
    models: M,
    requests: Receiver<Request>,
    preview: Option<Request>,
    commits: VecDeque<Request>,
    outbox: Outbox,
    speed: Arc<SharedSpeed>,
}

impl<M: Models> Worker<M> {
    pub(super) fn new(
        models: M,
        requests: Receiver<Request>,
        events: Sender<Event>,
        wake: Wake,
        speed: Arc<SharedSpeed>,
    ) -> Self {
        let outbox = Outbox { events, wake, waiting: VecDeque::new() };
        Self { models, requests, preview: None, commits: VecDeque::new(), outbox, speed }
    }

    /// Measures the device and publishes the result.
    pub fn measure(&mut self) {
        let measured = catch_unwind(AssertUnwindSafe(|| self.models.measure()));
        if let Ok(Some(speed)) = measured {
            self.speed.set(speed);
            (self.outbox.wake)();
        }
    }

    /// Sleeps until a request comes or the service is gone.
    pub fn wait(&mut self) {
        if let Ok(request) = self.requests.recv() {
            self.accept(request);
        }
    }

    /// Delivers waiting events, then runs at most one request: the preview first, else the
    /// oldest commit.
    pub fn step(&mut self) -> Step {
        let closed = self.collect();
        if !self.outbox.flush() {
            return Step::Blocked;
        }
        let Some(request) = self.preview.take().or_else(|| self.commits.pop_front()) else {
            return if closed { Step::Closed } else { Step::Idle };
        };
        let event = self.run(&request);
        self.outbox.send(event);
        Step::Worked
    }

    /// Takes what has been submitted; `true` when nothing more can come.
    fn collect(&mut self) -> bool {
        loop {
            match self.requests.try_recv() {
                Ok(request) => self.accept(request),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    fn accept(&mut self, request: Request) {
        match request.lane {
            Lane::Commit => self.commits.push_back(request),
            Lane::Preview => {
                if let Some(older) = self.preview.replace(request) {
                    self.outbox.send(Event::Cancelled { job: older.job });
                }
            }
        }
    }

    fn run(&mut self, request: &Request) -> Event {
        let job = request.job;
        let started = Instant::now();
        let mut context = Context { request, outbox: &mut self.outbox, started };
        let models = &mut self.models;
        let result = catch_unwind(AssertUnwindSafe(|| {
            context.check()?;
            let mut made = Output::default();
            let context = &mut context;
            match &request.task {
                Task::Analyse(task) => made.analysed = Some(analyse::run(task, models, context)?),
                Task::Discover(task) => {
                    made.directions = Some(discover::run(task, models, context)?);
                }
                Task::Drag(task) => made.dragged = Some(drag::run(task, models, context)?),
                Task::Expand(task) => made.images.push(remove::expand(task, models, context)?),
                Task::Faces(task) => made.faces = faces::run(task, models, context)?,
                Task::Filter(task) => made.images.push(filter::run(task, models, context)?),
                Task::Invert(task) => made.inverted = Some(invert::run(task, models, context)?),
                Task::Remove(task) => made.images.push(remove::run(task, models, context)?),
                Task::Render(task) => made.drawn = render::run(task, models, context)?,
                Task::Select(task) => made.images.push(select::run(task, models, context)?),
                Task::Upscale(task) => made.images.push(upscale::run(task, models, context)?),
            }
            if request.task.keeps_gray() {
                made.images.iter_mut().for_each(PixelBuf::make_gray);
            }
            Ok(made)
        }));
        let model = request.task.model();
        let name = model.map_or_else(|| "patches".to_owned(), ToString::to_string);
        match result {
            Ok(Ok(made)) => {
                let seconds = started.elapsed().as_secs_f32();
                let output = Box::new(Output { model: name, seconds, ..made });
                Event::Finished { job, basis: request.basis, output }
            }
            Ok(Err(End::Cancelled)) => Event::Cancelled { job },
            Ok(Err(End::OutOfMemory)) => {
                Event::Failed { job, error: format!("{name}: {}", NetworkError::OutOfMemory) }
            }
            Ok(Err(End::Failed(error))) => Event::Failed { job, error },
            Ok(Err(End::Refused(reason))) => Event::Refused { job, reason },
            Err(panic) => {
                if let Some(model) = model {
                    self.models.forget(model);
                }
                let error = format!("{name} broke off: {}", panic_text(&*panic));
                Event::Failed { job, error }
            }
        }
    }
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the network panicked")
}

/// What a running job may say and ask.
pub(super) struct Context<'a> {
    request: &'a Request,
    outbox: &'a mut Outbox,
    started: Instant,
}

impl Context<'_> {
    const fn job(&self) -> JobId {
        self.request.job
    }

    /// Ends the job when it was cancelled.
    pub(super) fn check(&self) -> Result<(), End> {
        if self.request.cancel.is_set() { Err(End::Cancelled) } else { Ok(()) }
    }

    /// The request's own flag, for what runs longer.
    pub(super) fn cancel(&self) -> CancelFlag {
        self.request.cancel.clone()
    }

    /// `fraction` of the job's work, `0.0..=1.0`, is behind it.
    pub(super) fn progress(&mut self, stage: Stage, done: u32, total: u32, fraction: f64) {
        let elapsed = self.started.elapsed().as_secs_f64();
        let eta_seconds =
            (fraction > 0.0).then(|| (elapsed * (1.0 - fraction) / fraction).max(0.0) as f32);
        let job = self.job();
        self.outbox.send_if_room(Event::Progress { job, stage, done, total, eta_seconds });
    }

    /// Shows what the job has so far.
    pub(super) fn picture(&mut self, picture: Arc<PixelBuf>) {
        let job = self.job();
        self.outbox.send_if_room(Event::Picture { job, picture });
    }

    /// Shows a step of a drag.
    pub(super) fn dragged(&mut self, step: Arc<Dragged>) {
        let job = self.job();
        self.outbox.send_if_room(Event::Dragged { job, step });
    }

    pub(super) fn notice(&mut self, text: String) {
        let job = self.job();
        self.outbox.send(Event::Notice { job, text });
    }
}

/// Events on their way. Progress is dropped when the program does not keep up; everything else
/// waits here.
struct Outbox {
    events: Sender<Event>,
    wake: Wake,
    waiting: VecDeque<Event>,
}

impl Outbox {
    fn send(&mut self, event: Event) {
        self.waiting.push_back(event);
        self.flush();
    }

    fn send_if_room(&mut self, event: Event) {
        if self.flush() && self.events.try_send(event).is_ok() {
            (self.wake)();
        }
    }

    /// Whether everything has been delivered, or nobody is left to read it.
    fn flush(&mut self) -> bool {
        while let Some(event) = self.waiting.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => (self.wake)(),
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return false;
                }
                Err(TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
        true
    }
}
