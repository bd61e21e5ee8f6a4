//! `ganvas latent`: pictures of codes, codes edited along directions, points that are dragged.

mod drag;

use std::path::PathBuf;
use std::sync::Arc;

use super::codes::{self, Settings, Target};
use super::report::{self, Failure};
use super::{generate, networks};
use crate::device::DeviceChoice;
use crate::infer::protocol::{Drawing, Origin, Render, Task};
use crate::latent::Noise;
use crate::zoo::Library;

/// Draws, edits and drags latent codes
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Render(RenderArgs),
    Edit(EditArgs),
    Drag(drag::Args),
}

/// Draws the picture of a code
#[derive(clap::Args)]
struct RenderArgs {
    /// The code file
    code: PathBuf,
    /// The picture to write; the extension chooses the format
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The code's generator: an installed one or a checkpoint file [default: the installed one
    /// that the code names]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// Fine structure that the network adds to each layer [default: the code's]
    #[arg(long, value_enum)]
    noise: Option<NoiseArg>,
    /// Leave out the label that says that a network has drawn the picture
    #[arg(long)]
    no_label: bool,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum NoiseArg {
    Const,
    None,
}

/// Moves a code along directions
#[derive(clap::Args)]
struct EditArgs {
    /// The code file
    code: PathBuf,
    /// Directions and how far to go, in standard deviations
    #[arg(long, value_name = "NAME=STRENGTH[,…]")]
    set: Settings,
    /// The code file to write
    #[arg(short, long, value_name = "OUT.safetensors")]
    output: PathBuf,
    /// The code's generator [default: the installed one that the code names]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// A file of directions [default: those that came with the generator]
    #[arg(long, value_name = "FILE")]
    directions: Option<PathBuf>,
    /// Keep each direction from doing what the others stand for
    #[arg(long)]
    independent: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Render(args) => render(args),
        Action::Edit(args) => edit(args),
        Action::Drag(args) => drag::run(args),
    }
}

fn render(args: &RenderArgs) -> Result<(), Failure> {
    generate::check_picture(&args.output)?;
    let mut code = codes::read(&args.code)?;
    let store = networks::store(args.device)?;
    let target = Target::of_code(store.library(), args.model.as_deref(), (&args.code, &code))?;
    code = match args.noise {
        Some(NoiseArg::Const) => code.with_noise(Noise::Const),
        Some(NoiseArg::None) => code.with_noise(Noise::None),
        None => code,
    };
    let from = Origin::Code(Arc::new(code));
    let drawing = Drawing::plain(from);
    let task = Task::Render(Render { model: target.model, drawings: vec![drawing] });
    let output = networks::run(store, task, "Drawing")?;
    let drawn = output.drawn.first().ok_or_else(|| Failure::failed("nothing was drawn"))?;
    generate::save(&drawn.picture, &args.output, !args.no_label)?;
    report::print(args.output.display())
}

fn edit(args: &EditArgs) -> Result<(), Failure> {
    codes::check_target(&args.output)?;
    let code = codes::read(&args.code)?;
    let target = Target::of_code(&Library::discover(), args.model.as_deref(), (&args.code, &code))?;
    let set = target.directions(args.directions.as_deref())?;
    let stack = args.set.stack(&set, args.independent)?;
    let edited = stack.apply(&code, None).map_err(Failure::input)?;
    codes::write_code(&args.output, &edited, &target.model)?;
    report::print(args.output.display())
}
