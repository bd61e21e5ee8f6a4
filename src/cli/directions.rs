//! `ganvas directions`: find, list and take over directions of generators.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::codes::{self, Target};
use super::faces;
use super::networks;
use super::report::{self, Failure};
use crate::device::DeviceChoice;
use crate::infer::protocol::{Discover, Method, ModelRef, Task};
use crate::latent::{Direction, DirectionSet, Unit};
use crate::zoo::Library;

/// Finds, lists and imports directions in which a generator's pictures change
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Find(FindArgs),
    List(ListArgs),
    Import(ImportArgs),
}

/// Finds directions
#[derive(clap::Args)]
struct FindArgs {
    /// An installed generator, or a checkpoint file
    #[arg(long, value_name = "ID")]
    model: String,
    /// sefa looks at the weights alone, pca at how many codes spread, faces learns named ones from
    /// what face networks see in drawn pictures
    #[arg(long, value_enum)]
    method: MethodArg,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: usize,
    /// The file to write
    #[arg(short, long, value_name = "FILE.safetensors")]
    output: PathBuf,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum MethodArg {
    Sefa,
    Pca,
    Faces,
}

/// Lists the directions in a file, or those that came with a generator
#[derive(clap::Args)]
struct ListArgs {
    /// A file of directions, ours or another's [default: the model's own]
    file: Option<PathBuf>,
    /// The generator that they are for
    #[arg(long, value_name = "ID")]
    model: String,
    /// Machine-readable output
    #[arg(long)]
    json: bool,
}

/// Writes the directions in a .safetensors, .pt or .npy file of others as a file of ours, in
/// standard deviations
#[derive(clap::Args)]
struct ImportArgs {
    /// The file to read
    file: PathBuf,
    /// The generator that they are for
    #[arg(long, value_name = "ID")]
    model: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE.safetensors")]
    output: PathBuf,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Find(args) => find(args),
        Action::List(args) => list(args),
        Action::Import(args) => import(args),
    }
}

fn find(args: &FindArgs) -> Result<(), Failure> {
    codes::check_target(&args.output)?;
    let store = networks::store(args.device)?;
    let target = Target::named(store.library(), &args.model)?;
    let method = match args.method {
        MethodArg::Sefa => Method::Sefa,
        MethodArg::Pca => Method::Pca,
        MethodArg::Faces => Method::Faces,
    };
    let finders = match method {
        Method::Faces => faces::finders(store.library(), &faces::AGE_AND_POINTS)?,
        _ => Vec::new(),
    };
    let (model, count) = (target.model, args.count);
    let task = Task::Discover(Discover { model, method, count, finders });
    let found = networks::run(store, task, "Looking for directions")?.directions;
    let set = found.ok_or_else(|| Failure::failed("no directions were found"))?;
    finish(&set, &args.output)
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let target = Target::named(&Library::discover(), &args.model)?;
    let set = target.directions(args.file.as_deref())?;
    let all = set.directions();
    if args.json {
        return report::print_json(&all.iter().map(facts).collect::<Vec<_>>());
    }
    all.iter().try_for_each(|direction| {
        let Direction { rows, unit, provenance, .. } = direction;
        let unit = if *unit == Unit::Sigma { "sigma" } else { "as it came" };
        let (name, method) = (direction.name(), &provenance.method);
        report::print(format!("{name}: {method}, rows {rows}, {unit}"))
    })
}

fn facts(direction: &Direction) -> Value {
    json!({
        "name": direction.name(),
        "method": direction.provenance.method,
        "details": direction.provenance.details,
        "rows": direction.rows.to_string(),
        "sigma": direction.unit == Unit::Sigma,
        "range": direction.range,
    })
}

fn import(args: &ImportArgs) -> Result<(), Failure> {
    codes::check_target(&args.output)?;
    let store = networks::store(args.device)?;
    let target = Target::named(store.library(), &args.model)?;
    let set = target.directions(Some(&args.file))?;
    let set = if set.directions().iter().all(|direction| direction.unit == Unit::Sigma) {
        set
    } else {
        measured(&set, target.model, store)?
    };
    finish(&set, &args.output)
}

/// The directions in standard deviations of the generator's codes.
fn measured(
    set: &DirectionSet,
    model: ModelRef,
    store: crate::infer::models::ModelStore,
) -> Result<DirectionSet, Failure> {
    let task =
        Task::Discover(Discover { model, method: Method::Pca, count: 1, finders: Vec::new() });
    let found = networks::run(store, task, "Measuring how codes spread")?.directions;
    let spread = found.as_ref().and_then(DirectionSet::pca).cloned();
    let spread = spread.ok_or_else(|| Failure::failed("the codes' spread was not measured"))?;
    let mut measured = DirectionSet::new(set.dim());
    for direction in set.directions() {
        let mut direction = direction.clone();
        if direction.unit == Unit::Vector {
            direction = direction.in_sigma(&spread).map_err(Failure::input)?;
        }
        measured.add(direction).map_err(Failure::input)?;
    }
    measured.set_pca(spread).map_err(Failure::input)?;
    Ok(measured)
}

fn finish(set: &DirectionSet, output: &Path) -> Result<(), Failure> {
    codes::write(output, &set.to_file().map_err(Failure::failed)?)?;
    let (file, count) = (output.display(), set.directions().len());
    report::print(format!("{file}: {count} directions"))
}
