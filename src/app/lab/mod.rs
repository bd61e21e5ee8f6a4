//! The lab: a generator is trained and watched at it.
//!
//! The run lives on a thread of its own; the window sends it orders and draws what it tells.

mod runner;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

pub use runner::{Event, Order};

use super::jobs::Wake;
use super::latent::Frame;
use crate::cli::report::sentence;
use crate::infer::Device;
use crate::infer::examine::Examination;
use crate::train::{
    Ada, Alarm, Arch, Config, Loss, PathPenalty, Penalty, Preset, Projection, Report, Toy,
};
use crate::zoo::Library;

/// Channels of the finest layers and most of any, of networks that learn on a processor.
const NARROW: (usize, usize) = (32, 64);
/// Thousand pictures between two measurements, unless others are asked for.
const MEASURED_KIMG: u64 = 20;
/// How long a closing window waits for a run to write its state.
const LAST_WORDS: Duration = Duration::from_secs(20);
/// Reports that are kept for the curves; every second is dropped when there are more.
const MAX_REPORTS: usize = 2000;
/// Sheets of pictures that are kept; every second is dropped when there are more.
const MAX_SHEETS: usize = 120;
/// Messages that may wait for the window; the run waits when there are more.
const MESSAGE_SLOTS: usize = 64;

/// What is learnt from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Folder(Option<PathBuf>),
    Toy(Toy),
}

/// What a run is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct LabSettings {
    pub source: Source,
    pub config: Config,
    /// Id of the generator that learns on, whose networks then count; `None` begins from nothing.
    pub base: Option<String>,
    /// Ends after so many thousand pictures in all; 0 goes on until it is stopped.
    pub goal_kimg: u64,
    /// Thousand pictures between two measurements; 0 for none.
    pub measured_kimg: u64,
    /// Whether a state that lies there is left alone and the run begins anew.
    pub anew: bool,
}

impl LabSettings {
    /// Settings of a preset.
    pub fn of(preset: Preset) -> Self {
        let source = match preset {
            Preset::Playground => Source::Toy(Toy::default()),
            _ => Source::Folder(None),
        };
        let config = Config::preset(preset, 32);
        let mut settings = Self {
            source,
            config,
            base: None,
            goal_kimg: 0,
            measured_kimg: MEASURED_KIMG,
            anew: false,
        };
        if preset == Preset::Scratch {
            settings.choose(Arch::StyleGan2, 32, true);
        }
        settings
    }

    /// Other networks, with what is usual for them: as wide as published, or narrow enough to
    /// learn on a processor.
    pub fn choose(&mut self, arch: Arch, side: usize, is_narrow: bool) {
        let Config { seed, framing, .. } = self.config;
        let config = Config { seed, framing, ..Config::new(arch, side) };
        self.config = if is_narrow && arch != Arch::Points {
            Config { channel_base: NARROW.0 * side, channel_max: NARROW.1, ..config }
        } else {
            config
        };
    }

    pub const fn is_narrow(&self) -> bool {
        self.config.channel_base == NARROW.0 * self.config.side
    }

    /// Of R1, 0 where there is none.
    pub const fn gamma(&self) -> f64 {
        match self.config.penalty {
            Penalty::R1 { gamma, .. } => gamma,
            _ => 0.0,
        }
    }

    pub fn set_gamma(&mut self, gamma: f64) {
        self.config.penalty =
            if gamma > 0.0 { Penalty::R1 { gamma, every: 16 } } else { Penalty::None };
    }

    /// Of path-length regularisation, 0 where there is none.
    pub fn path_weight(&self) -> f64 {
        self.config.path_penalty.map_or(0.0, |penalty| penalty.weight)
    }

    pub fn set_path_weight(&mut self, weight: f64) {
        self.config.path_penalty = (weight > 0.0).then(|| PathPenalty::of(weight));
    }

    pub fn set_loss(&mut self, loss: Loss) {
        self.config.loss = loss;
        // A critic without bounds runs away.
        if loss == Loss::Wasserstein {
            self.config.penalty = Penalty::Between { lambda: 10.0 };
            self.config.judge_steps = 2;
        } else if matches!(self.config.penalty, Penalty::Between { .. }) {
            let usual = Config::new(self.config.arch, self.config.side);
            (self.config.penalty, self.config.judge_steps) = (usual.penalty, usual.judge_steps);
        }
    }

    pub const fn is_adaptive(&self) -> bool {
        matches!(self.config.ada, Ada::Adaptive { .. })
    }
}

/// How far the run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    #[default]
    Idle,
    /// Pictures that were read, of all.
    Reading(usize, usize),
    Running,
    Paused,
    /// Told to stop; the state is being written.
    Stopping,
}

/// How far the plane of points reaches from its middle.
pub const REACH: f32 = 1.25;

/// What was drawn at some point of the run.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub images: u64,
    /// Pictures in rows; absent for points.
    pub frame: Option<Frame>,
    /// Generated points, where the samples are points.
    pub points: Vec<[f32; 2]>,
    /// What a grid of latents becomes, row by row, where latents are in the plane.
    pub grid: Vec<[f32; 2]>,
    /// The judge's belief over the plane of points, `0..=1`, from the lower left.
    pub field: Vec<f32>,
    pub projection: Projection,
    pub diversity: f64,
    /// From real samples, on features of our own; points have none.
    pub distance: Option<f64>,
    pub alarm: Option<Alarm>,
}

/// What a run was measured by, after so many pictures.
#[derive(Clone, Debug)]
pub struct Measured {
    pub images: u64,
    pub found: Examination,
}

/// The lab's state.
pub struct Lab {
    pub is_open: bool,
    pub settings: LabSettings,
    pub phase: Phase,
    pub reports: Vec<Report>,
    pub sheets: Vec<Sheet>,
    pub measured: Vec<Measured>,
    /// The sheet to look at; the newest where `None`.
    pub at: Option<usize>,
    /// Files that were left out, in words.
    pub left_out: Option<String>,
    /// Why the run has ended.
    pub trouble: Option<String>,
    /// Where the run keeps its files.
    pub folder: Option<PathBuf>,
    /// Whether there is a generator to use, and one that was the best so far.
    pub has_weights: bool,
    pub has_best: bool,
    /// Where runs are kept; `None` keeps none.
    runs: Option<PathBuf>,
    device: Device,
    wake: Wake,
    orders: Option<Sender<Order>>,
    events: Option<Receiver<Event>>,
}

impl Lab {
    pub fn new(wake: &Wake) -> Self {
        Self {
            is_open: false,
            settings: LabSettings::of(Preset::Scratch),
            phase: Phase::default(),
            reports: Vec::new(),
            sheets: Vec::new(),
            measured: Vec::new(),
            at: None,
            left_out: None,
            trouble: None,
            folder: None,
            has_weights: false,
            has_best: false,
            runs: None,
            device: Device::flex(),
            wake: Arc::clone(wake),
            orders: None,
            events: None,
        }
    }

    /// Where networks compute, and where runs are kept.
    pub fn set_place(&mut self, device: Device, runs: Option<PathBuf>) {
        (self.device, self.runs) = (device, runs);
    }

    pub const fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    /// Begins, or goes on where a run with these settings was left.
    pub fn start(&mut self, library: Library) {
        if self.is_busy() {
            return;
        }
        if let Err(err) = self.settings.config.check() {
            self.trouble = Some(sentence(&err));
            return;
        }
        let folder = match &self.settings.source {
            Source::Folder(None) => {
                self.trouble = Some("Choose a folder of pictures".into());
                return;
            }
            Source::Folder(Some(path)) => {
                let config = &self.settings.config;
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let name = name.unwrap_or_else(|| "pictures".into());
                let arch = format!("{:?}", config.arch).to_lowercase();
                let own = match &self.settings.base {
                    Some(base) => format!("{name}-from-{base}"),
                    None => format!("{name}-{arch}-{}", config.side),
                };
                self.runs.as_ref().map(|runs| runs.join(own))
            }
            Source::Toy(_) => None,
        };
        let (orders, inbox) = bounded(MESSAGE_SLOTS);
        let (outbox, events) = bounded(MESSAGE_SLOTS);
        let work = runner::Work {
            settings: self.settings.clone(),
            library,
            folder: folder.clone(),
            device: self.device.clone(),
            orders: inbox,
            events: outbox,
            wake: Arc::clone(&self.wake),
        };
        match std::thread::Builder::new().name("training".into()).spawn(move || work.run()) {
            Ok(_) => {
                (self.orders, self.events) = (Some(orders), Some(events));
                (self.reports, self.sheets) = (Vec::new(), Vec::new());
                self.measured = Vec::new();
                (self.at, self.left_out, self.trouble) = (None, None, None);
                (self.folder, self.has_weights, self.has_best) = (folder, false, false);
                self.phase = Phase::Reading(0, 0);
            }
            Err(err) => self.trouble = Some(format!("No thread can be started: {err}")),
        }
    }

    /// Sends an order to the run, if there is one.
    pub fn order(&mut self, order: Order) {
        let Some(orders) = &self.orders else { return };
        if orders.try_send(order).is_ok() {
            self.phase = match (order, &self.phase) {
                (Order::Pause, Phase::Running) => Phase::Paused,
                (Order::Resume, Phase::Paused) => Phase::Running,
                (Order::Stop, _) => Phase::Stopping,
                (_, phase) => phase.clone(),
            };
        }
    }

    /// Takes what the run has told since.
    pub fn update(&mut self) {
        let Some(events) = self.events.clone() else { return };
        loop {
            match events.try_recv() {
                Ok(event) => self.take(event),
                Err(crossbeam_channel::TryRecvError::Empty) => return,
                Err(crossbeam_channel::TryRecvError::Disconnected) => {
                    (self.orders, self.events, self.phase) = (None, None, Phase::Idle);
                    return;
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Reading(done, total) => {
                if matches!(self.phase, Phase::Reading(..)) {
                    self.phase = Phase::Reading(done, total);
                }
            }
            Event::Begins { left_out } => {
                self.left_out = left_out;
                if matches!(self.phase, Phase::Reading(..)) {
                    self.phase = Phase::Running;
                }
            }
            Event::Report(report) => {
                self.reports.push(report);
                thin(&mut self.reports, MAX_REPORTS);
            }
            Event::Sheet(sheet) => {
                self.sheets.push(*sheet);
                thin(&mut self.sheets, MAX_SHEETS);
                self.at = self.at.filter(|at| *at + 1 < self.sheets.len());
            }
            Event::Measured(measured) => {
                self.measured.push(*measured);
                thin(&mut self.measured, MAX_REPORTS);
            }
            Event::Saved => self.has_weights = true,
            Event::Best => self.has_best = true,
            Event::Failed(reason) => self.trouble = Some(reason),
        }
    }

    /// The sheet that is looked at.
    pub fn sheet(&self) -> Option<&Sheet> {
        match self.at {
            Some(at) => self.sheets.get(at),
            None => self.sheets.last(),
        }
    }

    /// Real pictures a second, lately.
    pub fn pace(&self) -> Option<f64> {
        let last = self.reports.last()?;
        let before = self.reports[self.reports.len().saturating_sub(20)];
        let seconds = last.seconds - before.seconds;
        (seconds > 0.0).then(|| (last.images - before.images) as f64 / seconds)
    }

    /// Seconds until the run has seen what it shall see, at its present pace.
    pub fn seconds_left(&self) -> Option<f64> {
        let goal = (self.settings.goal_kimg * 1000).checked_sub(self.reports.last()?.images)?;
        Some(goal as f64 / self.pace().filter(|pace| *pace > 0.0)?)
    }
}

impl Drop for Lab {
    /// A run ends with its window, once its state is written.
    fn drop(&mut self) {
        self.order(Order::Stop);
        let Some(events) = self.events.take() else { return };
        let until = Instant::now() + LAST_WORDS;
        // The channel closes when the run is over.
        while events.recv_deadline(until).is_ok() {}
    }
}

/// Drops every second where there are too many; the newest stays.
fn thin<T>(all: &mut Vec<T>, most: usize) {
    if all.len() > most {
        let parity = (all.len() - 1) % 2;
        let mut at = 0;
        all.retain(|_| {
            at += 1;
            (at - 1) % 2 == parity
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_newest_and_the_span() {
        for count in [11, 12] {
            let mut all: Vec<usize> = (0..count).collect();
            thin(&mut all, 10);
            assert!(all.len() <= 6 && all.last() == Some(&(count - 1)) && all[0] <= 1, "{all:?}");
            assert!(all.windows(2).all(|pair| pair[1] - pair[0] == 2));
        }
    }
}
