//! `ganvas generate`: pictures from seeds.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::json;

use super::networks;
use super::report::{self, Failure};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::document::Metadata;
use crate::infer::generate::{MAX_PICTURES, contact_sheet};
use crate::infer::protocol::{Generate, Task};
use crate::infer::worker::capability_for;
use crate::io::{self, SaveOptions};
use crate::latent::Noise;
use crate::pixels::PixelBuf;
use crate::zoo::Purpose;

/// Draws pictures from seeds with a generator
#[derive(clap::Args)]
pub(super) struct Args {
    /// An installed generator, or a checkpoint file
    #[arg(long, value_name = "ID")]
    model: String,
    /// One seed, or a range of them: the same seed gives the same picture everywhere
    #[arg(long, value_name = "A[-B]")]
    seed: Seeds,
    /// A picture to write, or a folder for several [default: beside, named after the seeds]
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// All pictures in one, in rows
    #[arg(long, value_name = "COLSxROWS")]
    grid: Option<Grid>,
    /// Truncation from 0, the average picture, to 1, full variety
    #[arg(long, value_name = "F", default_value_t = 1.0)]
    psi: f32,
    /// What to draw, for networks that know several classes: its number [default: the seed
    /// chooses]
    #[arg(long, value_name = "N")]
    class: Option<usize>,
    /// Fine structure that the network adds to each layer: as it learnt with, none, or of the seed
    #[arg(long, value_enum, default_value = "const")]
    noise: NoiseArg,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
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
#[derive(Clone, Debug)]
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
    let seeds = seeds(args)?;
    let single = args.grid.is_some() || seeds.start() == seeds.end();
    let targets = targets(args, &seeds, single)?;
    let mut store = networks::store(args.device)?;
    let model = networks::model_ref(store.library(), &args.model)?;
    capability_for(&mut store, &model, Purpose::Generate).map_err(Failure::input)?;
    networks::warn(store.library(), &model);

    let task = Task::Generate(Generate {
        model,
        seeds: seeds.clone(),
        psi: args.psi,
        class: args.class,
        noise: match args.noise {
            NoiseArg::Const => Noise::Const,
            NoiseArg::None => Noise::None,
            NoiseArg::Random => Noise::Random(0),
        },
    });
    let output = networks::run(store, task, "Drawing")?;
    let pictures = match args.grid {
        Some(grid) => {
            let sheet = contact_sheet(&output.images, grid.columns);
            vec![sheet.ok_or_else(|| Failure::input("the grid would be too large a picture"))?]
        }
        None => output.images,
    };
    for (picture, target) in pictures.iter().zip(&targets) {
        save(picture, target)?;
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

/// The seeds that were asked for; a grid without a range is filled.
fn seeds(args: &Args) -> Result<RangeInclusive<u64>, Failure> {
    let Seeds { first, last } = args.seed;
    let cells = args.grid.map_or(1, |grid| u64::from(grid.columns) * u64::from(grid.rows));
    let last = match last {
        Some(last) => last,
        None => first
            .checked_add(cells - 1)
            .ok_or_else(|| Failure::input(format!("there are no {cells} seeds from {first} on")))?,
    };
    if args.grid.is_some() && last - first >= cells {
        let count = last - first + 1;
        return Err(Failure::input(format!("{count} seeds do not fit a grid of {cells}")));
    }
    Ok(first..=last)
}

/// Where each picture goes, checked before any work.
fn targets(
    args: &Args,
    seeds: &RangeInclusive<u64>,
    single: bool,
) -> Result<Vec<PathBuf>, Failure> {
    let stem = Path::new(&args.model).file_stem().map_or("picture".into(), |s| s.to_string_lossy());
    let named = |seed: &u64| format!("{stem}-{seed}.png");
    let targets = match (&args.output, single) {
        (Some(path), true) if !path.is_dir() => vec![path.clone()],
        (Some(folder), true) => vec![folder.join(named(seeds.start()))],
        (None, true) => vec![PathBuf::from(named(seeds.start()))],
        (folder, false) => {
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from("."));
            if !folder.is_dir() {
                let folder = folder.display();
                return Err(Failure::input(format!(
                    "'{folder}' is no folder for several pictures"
                )));
            }
            seeds.clone().map(|seed| folder.join(named(&seed))).collect()
        }
    };
    for target in &targets {
        io::check_target(target).map_err(|error| Failure::input(report::sentence(&error)))?;
    }
    Ok(targets)
}

fn save(picture: &PixelBuf, target: &Path) -> Result<(), Failure> {
    let bad = |error: io::SaveError| Failure::input(report::sentence(&error));
    let options = SaveOptions::new(io::check_target(target).map_err(bad)?);
    let profile = WorkingProfile::srgb();
    io::save(target, picture, &profile, &Metadata::default(), &options).map_err(bad)?;
    Ok(())
}
