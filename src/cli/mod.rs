//! The command line: one file a subcommand, and this dispatcher.
//!
//! Exit codes: 0 done, 2 bad input, 1 failed. Errors are one sentence on stderr; results go to
//! stdout, as JSON with `--json`.

mod bench;
mod codes;
mod colourise;
mod denoise;
mod devices;
mod directions;
#[cfg(feature = "gpu")]
mod doctor;
mod edit;
mod expand;
mod faces;
mod filter;
mod generate;
mod info;
mod input;
mod invert;
mod latent;
mod library;
mod light;
mod masks;
mod metrics;
mod models;
mod moving;
mod networks;
mod ops;
mod pattern;
mod picture;
mod portrait;
mod remove;
pub mod report;
mod restore;
mod segment;
mod stylize;
#[cfg(feature = "infer")]
pub mod train;
mod translate;
mod upscale;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::device::DeviceChoice;
use report::Failure;

/// A native image editor whose retouching tools are GANs.
///
/// Without a subcommand the editor opens, with the files given.
#[derive(Parser)]
#[command(name = "ganvas", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Pictures to open in the editor
    files: Vec<PathBuf>,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Args),
    Colourise(colourise::Args),
    Denoise(denoise::Args),
    Directions(directions::Args),
    #[cfg(feature = "gpu")]
    Doctor(doctor::Args),
    Edit(edit::Args),
    Expand(expand::Args),
    Faces(faces::Args),
    Generate(generate::Args),
    Info(info::Args),
    Invert(invert::Args),
    Latent(latent::Args),
    Light(light::Args),
    Metrics(metrics::Args),
    Models(models::Args),
    Ops(ops::Args),
    Pattern(pattern::Args),
    Portrait(portrait::Args),
    Remove(remove::Args),
    Restore(restore::Args),
    Segment(segment::Args),
    Stylize(stylize::Args),
    #[cfg(feature = "infer")]
    Train(train::Args),
    Translate(translate::Args),
    Upscale(upscale::Args),
}

/// Parses the arguments and runs what they ask for.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are "errors" of this parser, too: it knows which exit code each has.
        Err(error) => error.exit(),
    };
    // The editor keeps a log file beside and sets its own.
    if cli.command.is_some() || cfg!(not(feature = "app")) {
        report::init_log();
    }
    report::exit_code(std::panic::catch_unwind(|| run(cli)))
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => open_editor(cli.files, cli.device),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Colourise(args)) => colourise::run(&args),
        Some(Command::Denoise(args)) => denoise::run(&args),
        Some(Command::Directions(args)) => directions::run(&args),
        #[cfg(feature = "gpu")]
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Edit(args)) => edit::run(&args),
        Some(Command::Expand(args)) => expand::run(&args),
        Some(Command::Faces(args)) => faces::run(&args),
        Some(Command::Generate(args)) => generate::run(&args),
        Some(Command::Info(args)) => info::run(&args),
        Some(Command::Invert(args)) => invert::run(&args),
        Some(Command::Latent(args)) => latent::run(&args),
        Some(Command::Light(args)) => light::run(&args),
        Some(Command::Metrics(args)) => metrics::run(&args),
        Some(Command::Models(args)) => models::run(&args),
        Some(Command::Ops(args)) => ops::run(&args),
        Some(Command::Pattern(args)) => pattern::run(&args),
        Some(Command::Portrait(args)) => portrait::run(&args),
        Some(Command::Remove(args)) => remove::run(&args),
        Some(Command::Restore(args)) => restore::run(&args),
        Some(Command::Segment(args)) => segment::run(&args),
        Some(Command::Stylize(args)) => stylize::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Translate(args)) => translate::run(&args),
        Some(Command::Upscale(args)) => upscale::run(&args),
    }
}

#[cfg(feature = "app")]
fn open_editor(files: Vec<PathBuf>, device: DeviceChoice) -> Result<(), Failure> {
    crate::app::run(files, device).map_err(|err| Failure::failed(report::sentence(&err)))
}

#[cfg(not(feature = "app"))]
fn open_editor(_files: Vec<PathBuf>, _device: DeviceChoice) -> Result<(), Failure> {
    Err(Failure::failed("this build has no window; see 'ganvas --help' for the commands it has"))
}
