//! `ganvas generate`: pictures from seeds.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::moving::parse_fps;
use super::networks::{self, Worker};
use super::report::{self, Failure, Progress};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::document::Metadata;
use crate::infer::models::ModelStore;
use crate::infer::protocol::{Drawing, Mixed, ModelRef, Origin, Render, Task};
use crate::infer::render::MAX_DRAWINGS;
use crate::infer::worker::{Models, capability_for};
use crate::io::animation::{About, Frame};
use crate::io::film::Film;
use crate::io::{self, DigitalSource, Format, SaveOptions};
use crate::latent::{Code, EditStack, LatentError, Noise, Rows, Truncation, Walk};
use crate::pixels::{PixelBuf, contact_sheet};
use crate::zoo::{IMAGENET_CLASSES, Purpose, find_class};

/// The most pictures of one command.
const MAX_PICTURES: u64 = MAX_DRAWINGS as u64;

/// Draws pictures from seeds with a generator
#[derive(clap::Args)]
pub(super) struct Args {
    /// An installed generator, or a checkpoint file
    #[arg(long, value_name = "ID")]
    model: String,
    /// One seed, or a range of them: the same seed gives the same picture everywhere
    #[arg(long, value_name = "A[-B]", required_unless_present = "mix")]
    seed: Option<Seeds>,
    /// The picture of seed A with rows of seed B's code, such as 0-3 or 8-: coarse rows are shape,
    /// fine ones colour [default rows: the finer half]
    #[arg(long, value_name = "A,B[:ROWS]", conflicts_with_all = ["seed", "walk", "grid"])]
    mix: Option<MixArg>,
    /// So many pictures of a smooth way through codes that returns to its start; the seed chooses
    /// the way
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=MAX_PICTURES))]
    walk: Option<u64>,
    /// A picture to write; for several a folder, an animation (.gif, .apng) or numbered names such
    /// as walk_####.png [default: beside, named after the seeds]
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Pictures a second of an animation
    #[arg(long, value_name = "N", default_value_t = PICTURES_A_TURN as f32, value_parser = parse_fps)]
    fps: f32,
    /// All pictures in one, in rows
    #[arg(long, value_name = "COLSxROWS")]
    grid: Option<Grid>,
    /// Truncation from 0, the average picture, to 1, full variety
    #[arg(long, value_name = "F", default_value_t = 1.0)]
    psi: f32,
    /// What to draw, for networks that know several classes: its number, or its name where the
    /// classes are those of ImageNet [default: the seed chooses]
    #[arg(long, value_name = "N|NAME")]
    class: Option<Class>,
    /// Fine structure that the network adds to each layer: as it learnt with, none, or of the seed
    #[arg(long, value_enum, default_value = "const")]
    noise: NoiseArg,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Leave out the label that says that a network has drawn the picture
    #[arg(long)]
    no_label: bool,
    /// Machine-readable summary
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum NoiseArg {
    Const,
    None,
    Random,
}

/// `A` or `A-B`.
#[derive(Clone, Copy, Debug)]
struct Seeds {
    first: u64,
    last: Option<u64>,
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || format!("'{text}' is no seed; write 7 or 1-16");
        let number = |text: &str| text.parse::<u64>().map_err(|_| bad());
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (number(first)?, Some(number(last)?)),
            None => (number(text)?, None),
        };
        if last.is_some_and(|last| last < first || last - first >= MAX_PICTURES) {
            return Err(format!("'{text}' must run upwards over at most {MAX_PICTURES} seeds"));
        }
        Ok(Self { first, last })
    }
}

/// `A,B[:ROWS]`.
#[derive(Clone, Copy, Debug)]
struct MixArg {
    base: u64,
    style: u64,
    rows: Option<Rows>,
}

impl FromStr for MixArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seeds, rows) = match text.split_once(':') {
            Some((seeds, rows)) => (seeds, Some(rows.parse::<Rows>().map_err(|e| e.to_string())?)),
            None => (text, None),
        };
        let seeds = seeds.split_once(',').and_then(|(base, style)| {
            Some((base.trim().parse().ok()?, style.trim().parse().ok()?))
        });
        let bad = || format!("'{text}' is no mix; write 3,7 or 3,7:4-7");
        let (base, style) = seeds.ok_or_else(bad)?;
        Ok(Self { base, style, rows })
    }
}

/// A number, or a name of ImageNet.
#[derive(Clone, Copy, Debug)]
struct Class {
    number: u32,
    is_named: bool,
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse() {
            return Ok(Self { number, is_named: false });
        }
        let number = find_class(text).map_err(|err| err.to_string())?;
        Ok(Self { number: number as u32, is_named: true })
    }
}

/// `COLSxROWS`.
#[derive(Clone, Copy, Debug)]
struct Grid {
    columns: u32,
    rows: u32,
}

impl FromStr for Grid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sides = text.split_once('x').and_then(|(columns, rows)| {
            Some((columns.parse::<u32>().ok()?, rows.parse::<u32>().ok()?))
        });
        match sides {
            Some((columns @ 1.., rows @ 1..))
                if u64::from(columns) * u64::from(rows) <= MAX_PICTURES =>
            {
                Ok(Self { columns, rows })
            }
            _ => Err(format!("'{text}' is no grid such as 4x3 of at most {MAX_PICTURES} pictures")),
        }
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !(0.0..=1.0).contains(&args.psi) {
        return Err(Failure::input(format!("--psi must be 0 to 1, not {}", args.psi)));
    }
    let wanted = wanted(args)?;
    let names = wanted.names();
    let film = match &args.output {
        Some(output) if args.grid.is_none() && names.len() > 1 => Film::of(output, false)?,
        _ => None,
    };
    let targets = if film.is_some() { Vec::new() } else { targets(args, &names)? };
    let mut store = networks::store(args.device)?;
    let model = networks::model_ref(store.library(), &args.model)?;
    capability_for(&mut store, &model, Purpose::Generate).map_err(Failure::input)?;
    networks::warn(store.library(), &model);
    if args.class.is_some_and(|class| class.is_named) {
        let classes = store.generator(&model).map_err(Failure::input)?.space().classes;
        if classes != IMAGENET_CLASSES {
            let sentence = format!("{model} has {classes} classes, and none of them has a name");
            return Err(Failure::input(sentence));
        }
    }
    let drawings = match wanted {
        Wanted::Seeds(seeds) => seeds
            .map(|seed| Ok(Drawing { stack: args.truncation(), ..args.of_seed(seed)? }))
            .collect::<Result<_, Failure>>()?,
        Wanted::Mix(mix) => vec![mixed(args, mix, &mut store, &model)?],
        Wanted::Walk { seed, frames } => walked(args, seed, frames, &mut store, &model)?,
    };
    if let Some(target) = film {
        return animate(args, &target, store, &model, drawings);
    }
    let output = networks::run(store, Task::Render(Render { model, drawings }), "Drawing")?;
    let pictures: Vec<PixelBuf> = output.drawn.into_iter().map(|drawn| drawn.picture).collect();
    let pictures = match args.grid {
        Some(grid) => {
            let sheet = contact_sheet(&pictures, grid.columns);
            vec![sheet.ok_or_else(|| Failure::input("the grid would be too large a picture"))?]
        }
        None => pictures,
    };
    for (picture, target) in pictures.iter().zip(&targets) {
        save(picture, target, !args.no_label)?;
    }
    if args.json {
        let files: Vec<_> = targets.iter().map(|target| target.to_string_lossy()).collect();
        return report::print_json(&json!({
            "model": output.model,
            "files": files,
            "seconds": output.seconds,
        }));
    }
    targets.iter().try_for_each(|target| report::print(target.display()))
}

/// Draws pictures one after the other into an animation or numbered files.
fn animate(
    args: &Args,
    target: &Film,
    store: ModelStore,
    model: &ModelRef,
    drawings: Vec<Drawing>,
) -> Result<(), Failure> {
    let count = drawings.len();
    let (mut worker, mut bar) = (Worker::start(store)?, Progress::new("Drawing"));
    let mut seconds = 0.0;
    let frames = drawings.into_iter().enumerate().map(|(at, drawing)| {
        let task = Task::Render(Render { model: model.clone(), drawings: vec![drawing] });
        let output = worker.run_part(task, &mut bar, [at as u64, count as u64])?.done()?;
        seconds += output.seconds;
        let drawn = output.drawn.into_iter().next();
        let drawn = drawn.ok_or_else(|| Failure::failed("the network made no picture"))?;
        Ok::<_, Failure>(Frame {
            pixels: drawn.picture,
            delay: Duration::from_secs_f32(1.0 / args.fps),
        })
    });
    let about = About::endless(count as u32, WorkingProfile::srgb());
    let mut options = SaveOptions::new(Format::Png);
    options.label = (!args.no_label).then_some(DigitalSource::TrainedAlgorithm);
    for notice in target.write(about, &options, frames)? {
        report::note(notice);
    }
    drop(bar);
    let path = args.output.as_deref().unwrap_or(Path::new("")).to_string_lossy();
    if args.json {
        let (model, files) = (model.to_string(), [&*path]);
        let summary =
            json!({ "model": model, "files": files, "frames": count, "seconds": seconds });
        return report::print_json(&summary);
    }
    report::print(format!("{path}: {count} pictures"))
}

/// What the arguments ask for.
enum Wanted {
    Seeds(RangeInclusive<u64>),
    Mix(MixArg),
    Walk { seed: u64, frames: u64 },
}

impl Wanted {
    /// What each picture's file is called after.
    fn names(&self) -> Vec<String> {
        match self {
            Self::Seeds(seeds) => seeds.clone().map(|seed| seed.to_string()).collect(),
            Self::Mix(MixArg { base, style, .. }) => vec![format!("{base}-with-{style}")],
            Self::Walk { frames, .. } => (0..*frames).map(|at| format!("walk-{at:04}")).collect(),
        }
    }
}

/// A grid without a range of seeds is filled.
fn wanted(args: &Args) -> Result<Wanted, Failure> {
    if let Some(mix) = args.mix {
        return Ok(Wanted::Mix(mix));
    }
    let Some(Seeds { first, last }) = args.seed else {
        return Err(Failure::input("say which picture: --seed, or --mix"));
    };
    let cells = args.grid.map_or(1, |grid| u64::from(grid.columns) * u64::from(grid.rows));
    let fits = |count: u64| {
        let sentence = format!("{count} pictures do not fit a grid of {cells}");
        if args.grid.is_some() && count > cells { Err(Failure::input(sentence)) } else { Ok(()) }
    };
    if let Some(frames) = args.walk {
        if last.is_some() {
            return Err(Failure::input("a walk has one seed, not a range"));
        }
        fits(frames)?;
        return Ok(Wanted::Walk { seed: first, frames });
    }
    let last = match last {
        Some(last) => last,
        None => first
            .checked_add(cells - 1)
            .ok_or_else(|| Failure::input(format!("there are no {cells} seeds from {first} on")))?,
    };
    fits(last - first + 1)?;
    Ok(Wanted::Seeds(first..=last))
}

/// The picture of a seed with rows of another's code.
fn mixed(
    args: &Args,
    MixArg { base, style, rows }: MixArg,
    store: &mut ModelStore,
    model: &ModelRef,
) -> Result<Drawing, Failure> {
    let all = store.generator(model).map_err(Failure::input)?.space().rows();
    let rows = rows.unwrap_or(Rows { start: all as u16 / 2, ..Rows::ALL });
    if rows.within(all).is_empty() {
        return Err(Failure::input(format!("{model} has the rows 0-{}, none of {rows}", all - 1)));
    }
    let mixes = vec![Mixed { from: args.of_seed(style)?.from, rows, amount: 1.0 }];
    Ok(Drawing { mixes, stack: args.truncation(), ..args.of_seed(base)? })
}

/// Pictures of one turn of a walk for so many pictures: a second of film.
const PICTURES_A_TURN: u64 = 24;

/// The pictures of a walk.
fn walked(
    args: &Args,
    seed: u64,
    frames: u64,
    store: &mut ModelStore,
    model: &ModelRef,
) -> Result<Vec<Drawing>, Failure> {
    let hash = store.hash(model).map_err(Failure::input)?;
    let generator = store.generator(model).map_err(Failure::input)?;
    let space = generator.space().clone();
    let class_of_seed = (seed % space.classes.max(1) as u64) as usize;
    let class = args.class.map_or(class_of_seed, |class| class.number as usize);
    if space.classes > 0 && class >= space.classes {
        let sentence = format!("there are {} classes, none is {class}", space.classes);
        return Err(Failure::input(sentence));
    }
    let turns = frames.div_ceil(PICTURES_A_TURN) as usize;
    let walk = Walk::new(seed, space.z_dim, turns);
    let latents: Vec<Vec<f32>> = (0..frames).map(|at| walk.at(at as f64 / frames as f64)).collect();
    let rows = generator.map(&latents.concat(), &space.one_hot(class), &|| false);
    let rows = rows.map_err(Failure::failed)?;
    let drawing = |(z, row): (Vec<f32>, &[f32])| {
        let mut code = Code::in_w(row, space.rows(), &hash)?.with_z(z)?;
        code.noise = args.noise(seed);
        let from = Origin::Code(Arc::new(code));
        Ok(Drawing { stack: args.truncation(), ..Drawing::plain(from) })
    };
    let drawings = latents.into_iter().zip(rows.chunks_exact(space.w_dim)).map(drawing);
    drawings.collect::<Result<_, LatentError>>().map_err(Failure::failed)
}

impl Args {
    fn noise(&self, seed: u64) -> Noise {
        match self.noise {
            NoiseArg::Const => Noise::Const,
            NoiseArg::None => Noise::None,
            NoiseArg::Random => Noise::Random(seed),
        }
    }

    fn of_seed(&self, seed: u64) -> Result<Drawing, Failure> {
        let class = self.class.map(|class| class.number);
        Ok(Drawing::plain(Origin::Seed { seed, class, noise: self.noise(seed) }))
    }

    fn truncation(&self) -> EditStack {
        let truncation = Some(Truncation { psi: self.psi, cutoff: None });
        EditStack { truncation, ..EditStack::default() }
    }
}

/// Where each picture goes, checked before any work.
fn targets(args: &Args, names: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let stem = Path::new(&args.model).file_stem().map_or("picture".into(), |s| s.to_string_lossy());
    let named = |name: &String| format!("{stem}-{name}.png");
    let single = args.grid.is_some() || names.len() == 1;
    let targets = match (&args.output, single) {
        (Some(path), true) if !path.is_dir() => vec![path.clone()],
        (Some(folder), true) => vec![folder.join(named(&names[0]))],
        (None, true) => vec![PathBuf::from(named(&names[0]))],
        (folder, false) => {
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from("."));
            if !folder.is_dir() {
                let folder = folder.display();
                return Err(Failure::input(format!(
                    "'{folder}' is no folder for several pictures"
                )));
            }
            names.iter().map(|name| folder.join(named(name))).collect()
        }
    };
    targets.iter().try_for_each(|target| check_picture(target))?;
    Ok(targets)
}

/// Whether a picture can be written there, before any work.
pub(super) fn check_picture(target: &Path) -> Result<(), Failure> {
    io::check_target(target).map(|_| ()).map_err(|error| Failure::input(report::sentence(&error)))
}

/// Writes an sRGB picture without metadata.
pub(super) fn save(picture: &PixelBuf, target: &Path, label: bool) -> Result<(), Failure> {
    let bad = |error: io::SaveError| Failure::input(report::sentence(&error));
    let mut options = SaveOptions::new(io::check_target(target).map_err(bad)?);
    options.label = label.then_some(DigitalSource::TrainedAlgorithm);
    let profile = WorkingProfile::srgb();
    io::save(target, picture, &profile, &Metadata::default(), &options).map_err(bad)?;
    Ok(())
}
