//! The thread of a run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

use super::{Frame, LabSettings, Measured, REACH, Sheet, Source};
use crate::app::jobs::Wake;
use crate::cli::report::sentence;
use crate::cli::train::{EXAMINED, examine, pictures};
use crate::infer::Device;
use crate::infer::examine::Examiner;
use crate::infer::models::ModelStore;
use crate::nets::StyleGan2;
use crate::pixels::contact_sheet;
use crate::train::{Config, Dataset, Report, STATE_FILE, TrainError, Trainer, tuning_base};
use crate::zoo::{Library, Parameters};

/// Messages that may wait for a window before it is shown no more; below what its channel holds.
const MOST_WAITING: usize = 32;
/// Between two reports.
const REPORT_EVERY: Duration = Duration::from_millis(250);
/// Between two savings of the state.
const SAVE_EVERY: Duration = Duration::from_secs(240);
/// Pictures of a sheet, and in a row of it.
const SHEET: (usize, u32) = (32, 8);
/// Points of a sheet, and in a row of the grid of latents.
const POINTS: (usize, usize) = (400, 17);
/// Places of the judge's field either way.
const FIELD: usize = 28;
/// Samples of either kind in the plane of the judge's features.
const PROJECTED: usize = 64;
/// Share of the time that sheets may take.
const SHEET_SHARE: f64 = 0.1;
/// Longest and shortest time between two sheets.
const SHEET_EVERY: [f64; 2] = [1.0, 60.0];

/// What a run is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Pause,
    Resume,
    /// One step, then paused again.
    Step,
    Stop,
}

/// What a run tells.
pub enum Event {
    Reading(usize, usize),
    Begins {
        /// What was left out, in words.
        left_out: Option<String>,
    },
    Report(Report),
    Sheet(Box<Sheet>),
    Measured(Box<Measured>),
    /// The generator was kept as the best so far.
    Best,
    /// There is a generator in the run's folder.
    Saved,
    Failed(String),
}

/// A run about to begin.
pub struct Work {
    pub settings: LabSettings,
    /// Where generators that learn on are found.
    pub library: Library,
    /// Where its files are kept; `None` keeps none.
    pub folder: Option<PathBuf>,
    pub device: Device,
    pub orders: Receiver<Order>,
    pub events: Sender<Event>,
    pub wake: Wake,
}

impl Work {
    /// Runs to the end; a panic is a failed run and nothing more.
    pub fn run(self) {
        let result = catch_unwind(AssertUnwindSafe(|| self.learn()));
        match result {
            Ok(Ok(()) | Err(TrainError::Stopped)) => {}
            Ok(Err(err)) => self.send(Event::Failed(sentence(&err))),
            Err(_) => self.send(Event::Failed("The networks have failed; see the log".into())),
        }
        // The window learns by the closed channel that it is over.
        let Self { events, wake, .. } = self;
        drop(events);
        wake();
    }

    fn send(&self, event: Event) {
        // The window may be gone; the run ends when it is told to, by the closed channel.
        let _ = self.events.send(event);
        (self.wake)();
    }

    /// Sends what is only to be looked at, unless the window has much to read already: a run does
    /// not wait for a window that is out of sight.
    fn show(&self, event: Event) {
        if self.events.len() < MOST_WAITING {
            self.send(event);
        }
    }

    fn learn(&self) -> Result<(), TrainError> {
        let mut config = self.settings.config.clone();
        let base = self.settings.base.as_ref().map(|id| self.base(id)).transpose()?;
        if let Some((_, generator)) = &base {
            let Config { seed, batch, framing, .. } = config;
            config = Config { seed, batch, framing, ..Config::tuning(generator)? };
        }
        if let Some(folder) = &self.folder {
            let failed = |err: std::io::Error| TrainError::Write {
                path: format!("'{}'", folder.display()),
                reason: err.to_string(),
            };
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let data = self.data(&config)?;
        let refused = &data.refused;
        let left_out = refused.first().map(|first| {
            let name = first.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let more = match refused.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("Left out: {name} ({}){more}", first.reason)
        });
        let not_kept = |reason: &String| format!("The pictures are not kept for later: {reason}");
        let left_out = left_out.or_else(|| data.not_kept.as_ref().map(not_kept));
        let mut trainer = Trainer::new(config, data, &self.device)?;
        if let Some((mut parameters, _)) = base {
            trainer.begin_with(&mut *parameters)?;
        }
        if let Some(folder) = &self.folder
            && !self.settings.anew
            && folder.join(STATE_FILE).exists()
        {
            trainer.restore(folder)?;
        }
        self.send(Event::Begins { left_out });
        // A run that went wrong leaves the state that was saved before.
        self.steps(&mut trainer)?;
        self.save(&trainer)
    }

    fn data(&self, config: &Config) -> Result<Dataset, TrainError> {
        match &self.settings.source {
            Source::Toy(toy) => Ok(toy.dataset(config.seed)),
            Source::Folder(path) => {
                let path = path.clone().unwrap_or_default();
                let is_stopped = AtomicBool::new(false);
                let watch = |done: usize, total: usize| {
                    if done.is_multiple_of(100) {
                        self.show(Event::Reading(done, total));
                    }
                    match self.orders.try_recv() {
                        Ok(Order::Stop) | Err(TryRecvError::Disconnected) => {
                            is_stopped.store(true, Ordering::Relaxed);
                        }
                        _ => {}
                    }
                    !is_stopped.load(Ordering::Relaxed)
                };
                pictures(&path, config, &self.library, self.folder.as_deref(), &watch)
            }
        }
    }

    /// The parameters and the shape of a generator that learns on.
    fn base(&self, id: &str) -> Result<(Parameters, StyleGan2), TrainError> {
        let installed = self.library.find(id);
        let installed = installed.map_err(|err| TrainError::Setting(sentence(&err)))?;
        tuning_base(&installed.weights)
    }

    /// What measures the run: nothing where no network for it is installed, and of points.
    fn examiner(&self) -> Result<Option<Examiner>, TrainError> {
        if self.settings.measured_kimg == 0 || matches!(self.settings.source, Source::Toy(_)) {
            return Ok(None);
        }
        let store = ModelStore::new(self.library.clone(), self.device.clone());
        Examiner::of(&store).map_err(TrainError::Setting)
    }

    fn save(&self, trainer: &Trainer) -> Result<(), TrainError> {
        if let Some(folder) = &self.folder {
            trainer.save(folder)?;
            self.send(Event::Saved);
        }
        Ok(())
    }

    /// Steps until told to stop.
    fn steps(&self, trainer: &mut Trainer) -> Result<(), TrainError> {
        let (mut reported, mut saved) = (Instant::now(), Instant::now());
        let mut next_sheet = Instant::now();
        let mut is_paused = false;
        let mut last: Option<Report> = None;
        let mut examiner = self.examiner()?;
        let (every, mut is_due) = (self.settings.measured_kimg * 1000, false);
        loop {
            let order = if is_paused {
                match self.orders.recv_timeout(SAVE_EVERY) {
                    Ok(order) => Some(order),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            } else {
                match self.orders.try_recv() {
                    Ok(order) => Some(order),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            };
            let mut is_single = false;
            match order {
                Some(Order::Stop) => return Ok(()),
                Some(Order::Pause) => is_paused = true,
                Some(Order::Resume) => is_paused = false,
                Some(Order::Step) => is_single = true,
                None => {}
            }
            if is_paused && !is_single {
                continue;
            }
            // An order comes before the rest of a step, which then has not been.
            let report = match trainer.step_until(&|| !self.orders.is_empty()) {
                Err(TrainError::Stopped) => continue,
                report => report?,
            };
            if is_single || last.is_none() || reported.elapsed() >= REPORT_EVERY {
                self.show(Event::Report(report));
                reported = Instant::now();
            }
            let before = last.map_or(report.images, |last| last.images);
            last = Some(report);
            let goal = self.settings.goal_kimg * 1000;
            let is_over = goal > 0 && report.images >= goal;
            if is_single || is_over || Instant::now() >= next_sheet {
                let began = Instant::now();
                let sheet = sheet(trainer, &report);
                if let (Some(folder), Some(distance)) = (&self.folder, sheet.distance)
                    && trainer.keep_nearest(folder, distance)?
                {
                    self.send(Event::Best);
                }
                self.show(Event::Sheet(Box::new(sheet)));
                let [least, most] = SHEET_EVERY;
                let wait = (began.elapsed().as_secs_f64() / SHEET_SHARE).clamp(least, most);
                next_sheet = Instant::now() + Duration::from_secs_f64(wait);
            }
            is_due |= every > 0 && before / every != report.images / every;
            if let Some(by) = examiner.as_mut().filter(|_| is_due) {
                // An order comes first; then this is still due.
                let stop = || !self.orders.is_empty();
                match examine(trainer, by, EXAMINED as usize, &stop) {
                    Ok(found) => {
                        if let Some(folder) = &self.folder
                            && trainer.keep_best(folder, found.fid, &found.metric)?
                        {
                            self.send(Event::Best);
                        }
                        let measured = Measured { images: report.images, found };
                        self.send(Event::Measured(Box::new(measured)));
                        is_due = false;
                    }
                    Err(TrainError::Stopped) => {}
                    Err(err) => {
                        self.send(Event::Failed(sentence(&err)));
                        examiner = None;
                    }
                }
            }
            if saved.elapsed() >= SAVE_EVERY {
                self.save(trainer)?;
                saved = Instant::now();
            }
            if is_over {
                self.send(Event::Report(report));
                return Ok(());
            }
        }
    }
}

fn sheet(trainer: &mut Trainer, report: &Report) -> Sheet {
    let are_points = trainer.data.sample_len() == 2;
    let pairs = |numbers: Vec<f32>| -> Vec<[f32; 2]> {
        numbers.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
    };
    let shot = trainer.snapshot(if are_points { POINTS.0 } else { SHEET.0 }, Some(report));
    let (points, grid) = if are_points {
        (pairs(shot.samples), pairs(trainer.grid(POINTS.1)))
    } else {
        (Vec::new(), Vec::new())
    };
    let field = trainer.field(FIELD, REACH);
    let count = if are_points { POINTS.0 } else { PROJECTED };
    Sheet {
        images: shot.images,
        frame: contact_sheet(&shot.pictures, SHEET.1).map(|sheet| Frame::of(&sheet)),
        points,
        grid,
        field,
        projection: trainer.projection(count),
        diversity: shot.diversity,
        distance: shot.distance,
        alarm: shot.alarm,
    }
}
