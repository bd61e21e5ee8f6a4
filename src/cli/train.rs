//! `train`: a folder of pictures becomes a generator.

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::codes::Target;
use super::invert::TemplateArg;
use super::networks;
use super::report::{self, Failure, Progress};
use crate::device::DeviceChoice;
use crate::infer::Device;
use crate::infer::examine::{Examination, Examiner};
use crate::infer::framing::FaceFramer;
use crate::infer::models::ModelStore;
use crate::infer::worker::NetworkError;
use crate::nets::StyleGan2;
use crate::nets::cpu::Stop;
use crate::pixels::contact_sheet;
use crate::train::{
    Ada, Arch, Cache, Config, Dataset, Framer, Framing, Loss, PathPenalty, Penalty, Report,
    STATE_FILE, TrainError, Trainer, WEIGHTS_FILE, config_of, middle, tuning_base,
};
use crate::zoo::{Library, Parameters};

/// A file of this name in its folder ends a run.
const STOP_FILE: &str = "stop";
/// The pictures of a run as it learns from them.
const CACHE_FILE: &str = "pictures.cache";
/// Pictures of a sheet, and in a row of it.
const SHEET: (usize, u32) = (32, 8);
/// Real pictures between two lines of the log.
const LOG_EVERY: u64 = 1000;
/// Pictures of either side that a run is measured by.
pub const EXAMINED: u64 = 256;
/// Most refused files that are named.
const NAMED: usize = 5;

/// Trains a generator on a folder of pictures
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder of pictures, of any sizes; without --faces the largest square in the middle of
    /// each counts
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Learns the largest face of each picture, lying like this; pictures without are left out
    #[arg(long, value_enum, value_name = "TEMPLATE")]
    faces: Option<TemplateArg>,
    /// The networks
    #[arg(long, value_enum, default_value = "stylegan2")]
    arch: ArchArg,
    /// Side of the pictures in pixels, a power of two
    #[arg(long, value_name = "PX", default_value_t = 64)]
    side: usize,
    /// Folder for the generator, its state, the log and sheets of pictures
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Ends after so long; a file called 'stop' in the folder of the run ends it, too
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// Ends after so many real pictures in all
    #[arg(long, value_name = "N")]
    images: Option<u64>,
    /// A StyleGAN2 generator that learns on, for few pictures: an installed one, or a checkpoint
    /// file; its networks and size count
    #[arg(long, value_name = "ID|FILE", conflicts_with_all = ["arch", "side", "channel_base", "channel_max"])]
    from: Option<String>,
    /// Does not keep the pictures in the folder of the run as it learns from them, which spares
    /// its next start to read them
    #[arg(long)]
    no_cache: bool,
    /// Goes on where the state in the folder is
    #[arg(long)]
    resume: bool,
    /// Pictures of a step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Channels at a side are this over the side
    #[arg(long, value_name = "N")]
    channel_base: Option<usize>,
    #[arg(long, value_name = "N")]
    channel_max: Option<usize>,
    /// non-saturating, least-squares, hinge or wasserstein
    #[arg(long, value_name = "LOSS")]
    loss: Option<Loss>,
    /// Strength of R1; 0 leaves it out
    #[arg(long, value_name = "F")]
    gamma: Option<f64>,
    /// Strength of the penalty between real and generated pictures (WGAN-GP)
    #[arg(long, value_name = "F", conflicts_with = "gamma")]
    gradient_penalty: Option<f64>,
    /// Weight of path-length regularisation (StyleGAN2), published with 2; 0 leaves it out
    #[arg(long, value_name = "F")]
    path_weight: Option<f64>,
    /// The judge's weights over their largest singular values
    #[arg(long)]
    spectral_norm: bool,
    /// Augmentation: adaptive, off, or a fixed probability
    #[arg(long, value_name = "MODE")]
    ada: Option<String>,
    /// Cuts the judge's weights at it after each step (WGAN)
    #[arg(long, value_name = "F")]
    clip_weights: Option<f64>,
    /// Shortens gradients to this length, a network at a time
    #[arg(long, value_name = "F")]
    clip_gradient: Option<f64>,
    /// Steps of the judge for one of the generator
    #[arg(long, value_name = "N")]
    judge_steps: Option<u64>,
    /// Fine blocks of the judge that stay as they are
    #[arg(long, value_name = "N")]
    freeze_judge: Option<usize>,
    /// Does not mirror pictures
    #[arg(long)]
    no_mirror: bool,
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Seconds between two savings of the state
    #[arg(long, value_name = "N", default_value_t = 240)]
    save_seconds: u64,
    /// Real pictures between two sheets
    #[arg(long, value_name = "N", default_value_t = 5000)]
    sheet_every: u64,
    /// Real pictures between two measurements of FID, KID and, where a network for it is
    /// installed, LPIPS; the smallest FID is kept as best.safetensors; 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    metrics_every: u64,
    /// Pictures of either side that are measured by, at most
    #[arg(long, value_name = "N", default_value_t = EXAMINED, value_parser = clap::value_parser!(u64).range(2..=4096))]
    metrics_count: u64,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ArchArg {
    Dcgan,
    Stylegan2,
}

impl From<TrainError> for Failure {
    fn from(err: TrainError) -> Self {
        match err {
            TrainError::Diverged { .. } | TrainError::Stopped | TrainError::Write { .. } => {
                Self::failed(err)
            }
            err => Self::input(err.to_string()),
        }
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut base = args.from.as_deref().map(base).transpose()?;
    let config = config(args, base.as_ref().map(|(_, generator)| generator))?;
    config.check()?;
    fs::create_dir_all(&args.out)
        .map_err(|err| Failure::input(format!("'{}': {err}", args.out.display())))?;
    let device = networks::device(args.device)?;
    let mut trainer = start(args, config, base.as_mut().map(|(read, _)| read), &device)?;
    let mut log = Log::open(&args.out)?;
    log.line(&json!({
        "what": "start",
        "images": trainer.images(),
        "pictures": trainer.data.len(),
        "learnt": trainer.data.learnt(),
        "refused": trainer.data.refused.len(),
        "config": trainer.config,
    }))?;
    // A run that went wrong leaves the state that was saved before.
    let report = learn(args, &mut trainer, examiner(args, device)?, &mut log)?;
    trainer.save(&args.out)?;
    let _ = fs::remove_file(args.out.join(STOP_FILE));
    log.line(&json!({ "what": "end", "images": trainer.images() }))?;
    if let Some(report) = report {
        let speed = report.images as f64 / report.seconds.max(1e-9);
        report::note(format!("{} pictures seen, {speed:.1} a second", report.images));
    }
    report::print(args.out.join(WEIGHTS_FILE).display())
}

/// The generator that learns on.
fn base(name: &str) -> Result<(Parameters, StyleGan2), Failure> {
    Ok(tuning_base(&Target::named(&Library::discover(), name)?.weights)?)
}

/// The settings that the arguments ask for, or those of the run that goes on.
fn config(args: &Args, base: Option<&StyleGan2>) -> Result<Config, Failure> {
    if args.resume && args.out.join(STATE_FILE).exists() {
        return Ok(config_of(&args.out)?);
    }
    let arch = match args.arch {
        ArchArg::Dcgan => Arch::Dcgan,
        ArchArg::Stylegan2 => Arch::StyleGan2,
    };
    let mut config = match base {
        Some(generator) => Config::tuning(generator)?,
        None => Config::new(arch, args.side),
    };
    config.seed = args.seed;
    config.framing = args.faces.map_or(Framing::Middle, |arg| Framing::Face(arg.into()));
    config.mirror = !args.no_mirror;
    config.spectral_norm = args.spectral_norm;
    config.batch = args.batch.unwrap_or(config.batch);
    config.channel_base = args.channel_base.unwrap_or(config.channel_base);
    config.channel_max = args.channel_max.unwrap_or(config.channel_max);
    config.clip_weights = args.clip_weights;
    config.clip_gradient = args.clip_gradient;
    config.judge_steps = args.judge_steps.unwrap_or(config.judge_steps);
    config.freeze_judge = args.freeze_judge.unwrap_or(config.freeze_judge);
    config.loss = args.loss.unwrap_or(config.loss);
    match (args.gamma, args.gradient_penalty) {
        (Some(gamma), _) if gamma > 0.0 => config.penalty = Penalty::R1 { gamma, every: 16 },
        (Some(_), _) => config.penalty = Penalty::None,
        (None, Some(lambda)) => config.penalty = Penalty::Between { lambda },
        (None, None) => {}
    }
    config.path_penalty = match args.path_weight {
        Some(weight) => (weight != 0.0).then(|| PathPenalty::of(weight)),
        None => config.path_penalty,
    };
    if let Some(mode) = &args.ada {
        config.ada = match (mode.as_str(), mode.parse::<f64>()) {
            ("off", _) => Ada::Off,
            ("adaptive", _) => Ada::Adaptive { target: 0.6, kimg: 100.0 },
            (_, Ok(probability)) if (0.0..=1.0).contains(&probability) => {
                Ada::Fixed { probability }
            }
            _ => {
                let text = format!("--ada is adaptive, off or a probability, not '{mode}'");
                return Err(Failure::input(text));
            }
        };
    }
    Ok(config)
}

fn start(
    args: &Args,
    config: Config,
    base: Option<&mut Parameters>,
    device: &Device,
) -> Result<Trainer, Failure> {
    let bar = std::sync::Mutex::new(Progress::new("Reading pictures"));
    let watch = |done: usize, total: usize| {
        if let Ok(mut bar) = bar.lock() {
            bar.set(done as u64, total as u64);
        }
        true
    };
    let keep = (!args.no_cache).then_some(args.out.as_path());
    let data = pictures(&args.data, &config, &Library::discover(), keep, &watch)?;
    drop(bar);
    if let Some(reason) = &data.not_kept {
        report::note(format!("the pictures are not kept for the next time: {reason}"));
    }
    for refused in data.refused.iter().take(NAMED) {
        report::note(format!("left out '{}': {}", refused.path.display(), refused.reason));
    }
    if data.refused.len() > NAMED {
        report::note(format!("left out {} more files", data.refused.len() - NAMED));
    }
    let mut trainer = Trainer::new(config, data, device)?;
    if args.resume && args.out.join(STATE_FILE).exists() {
        trainer.restore(&args.out)?;
    } else if let Some(parameters) = base {
        trainer.begin_with(&mut **parameters)?;
    }
    Ok(trainer)
}

/// The pictures below a folder as a run wants them; faces are found by networks of `library`. They
/// are kept in the folder `keep` of the run, so that its next start need not read them again.
///
/// # Errors
/// As [`Dataset::open`], and where such a network is missing.
pub fn pictures(
    folder: &Path,
    config: &Config,
    library: &Library,
    keep: Option<&Path>,
    watch: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Dataset, TrainError> {
    let Config { side, framing, seed, .. } = *config;
    let path = keep.map(|keep| keep.join(CACHE_FILE));
    let how = json!({ "side": side, "framing": framing }).to_string();
    let cache = path.as_ref().map(|path| Cache { path, how: &how });
    let open = |framer: &Framer<'_>| Dataset::open(folder, side, framer, seed, cache, watch);
    match framing {
        Framing::Middle => open(&middle),
        Framing::Face(template) => {
            let faces = FaceFramer::new(library, template).map_err(TrainError::Setting)?;
            open(&|picture, profile, side| faces.frame(picture, profile, side))
        }
    }
}

/// Becomes true with Ctrl+C, or when the system asks the program to end. Asked again it ends at once,
/// with what was saved last.
fn asked_to_end() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first time, the flag is still unset when the exit looks at it.
        let listening = flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))
            .and_then(|_| flag::register(signal, Arc::clone(&asked)));
        if let Err(reason) = listening {
            tracing::warn!(%reason, signal, "the signal ends the run at once");
        }
    }
    asked
}

/// Steps until it is enough.
fn learn(
    args: &Args,
    trainer: &mut Trainer,
    mut examiner: Option<Examiner>,
    log: &mut Log,
) -> Result<Option<Report>, Failure> {
    let mut bar = Progress::new("Training");
    let (began, first) = (Instant::now(), trainer.images());
    let limit = args.minutes.map(|minutes| Duration::from_secs_f64((minutes * 60.0).max(0.0)));
    let mut saved = Instant::now();
    let mut last = None;
    let (stop_file, asked) = (args.out.join(STOP_FILE), asked_to_end());
    let stop = || {
        let is_late = limit.is_some_and(|limit| began.elapsed() >= limit);
        is_late || asked.load(Ordering::Relaxed) || stop_file.exists()
    };
    loop {
        let images = trainer.images();
        if args.images.is_some_and(|most| images >= most) {
            return Ok(last);
        }
        let report = match trainer.step_until(&stop) {
            Err(TrainError::Stopped) => return Ok(last),
            report => report?,
        };
        last = Some(report);
        match (args.images, limit) {
            (Some(most), _) => bar.set(report.images - first, most.saturating_sub(first)),
            (None, Some(limit)) => bar.set(began.elapsed().as_secs(), limit.as_secs()),
            (None, None) => bar.set(report.images - first, 0),
        }
        let passes = |every: u64| images / every.max(1) != report.images / every.max(1);
        if passes(LOG_EVERY) || images == 0 {
            let mut line = json!(report);
            line["what"] = "train".into();
            log.line(&line)?;
        }
        if passes(args.sheet_every) || images == 0 {
            sheet(args, trainer, &report, log)?;
        }
        if args.metrics_every > 0 && passes(args.metrics_every) {
            measure(args, trainer, &mut examiner, &stop, log)?;
        }
        if saved.elapsed().as_secs() >= args.save_seconds {
            trainer.save(&args.out)?;
            saved = Instant::now();
        }
    }
}

/// What measures the run.
fn examiner(args: &Args, device: Device) -> Result<Option<Examiner>, Failure> {
    if args.metrics_every == 0 {
        return Ok(None);
    }
    let store = ModelStore::new(Library::discover(), device);
    let examiner = Examiner::of(&store).map_err(Failure::input)?;
    if examiner.is_none() {
        report::note("no network that measures pictures is installed: no FID, no KID");
    }
    Ok(examiner)
}

/// Measures the run, and keeps the generator if it is the best so far. What cannot measure it is
/// let go of.
fn measure(
    args: &Args,
    trainer: &mut Trainer,
    examiner: &mut Option<Examiner>,
    stop: Stop<'_>,
    log: &mut Log,
) -> Result<(), Failure> {
    let Some(by) = examiner else { return Ok(()) };
    let began = Instant::now();
    let found = match examine(trainer, by, args.metrics_count as usize, stop) {
        Ok(found) => found,
        Err(TrainError::Stopped) => return Ok(()),
        Err(err) => {
            report::note(err);
            *examiner = None;
            return Ok(());
        }
    };
    let mut line = json!(found);
    line["what"] = "metrics".into();
    line["images"] = trainer.images().into();
    line["diversity"] = json!(found.diversity());
    line["seconds"] = json!(began.elapsed().as_secs_f64());
    log.line(&line)?;
    trainer.keep_best(&args.out, found.fid, &found.metric)?;
    Ok(())
}

/// Looks at `count` pictures of a run and as many real ones, until `stop` answers true.
///
/// # Errors
/// [`TrainError::Stopped`] then, and where a network fails.
pub fn examine(
    trainer: &mut Trainer,
    examiner: &mut Examiner,
    count: usize,
    stop: Stop<'_>,
) -> Result<Examination, TrainError> {
    let trainer = RefCell::new(trainer);
    let mut real = |numbers| trainer.borrow().real(numbers);
    let mut drawn = |numbers| trainer.borrow_mut().drawn(numbers);
    examiner.examine(count, &mut real, &mut drawn, stop).map_err(|err| match err {
        NetworkError::Stopped => TrainError::Stopped,
        err => TrainError::Setting(format!("the run cannot be measured: {err}")),
    })
}

/// Writes a sheet of pictures, and says what is wrong with them.
fn sheet(
    args: &Args,
    trainer: &mut Trainer,
    report: &Report,
    log: &mut Log,
) -> Result<(), Failure> {
    let shot = trainer.snapshot(SHEET.0, Some(report));
    log.line(&json!({
        "what": "sheet",
        "images": shot.images,
        "diversity": shot.diversity,
        "distance": shot.distance,
        "alarm": shot.alarm,
    }))?;
    if let Some(alarm) = shot.alarm {
        report::note(alarm.advice());
    }
    if let Some(distance) = shot.distance {
        trainer.keep_nearest(&args.out, distance)?;
    }
    let Some(sheet) = contact_sheet(&shot.pictures, SHEET.1) else { return Ok(()) };
    let path = args.out.join(format!("fakes-{:07}.png", shot.images));
    super::generate::save(&sheet, &path, true)
}

/// The log of a run: a JSON value a line.
struct Log(fs::File, PathBuf);

impl Log {
    fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("log.jsonl");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let bad = |err| Failure::input(format!("'{}': {err}", path.display()));
        Ok(Self(file.map_err(bad)?, path.clone()))
    }

    fn line(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        writeln!(self.0, "{value}")
            .map_err(|err| Failure::failed(format!("'{}': {err}", self.1.display())))
    }
}
