//! The command line: one file a subcommand, and this dispatcher.
//!
//! Exit codes: 0 done, 2 bad input, 1 failed. Errors are one sentence on stderr; results go to
//! stdout, as JSON with `--json`.

mod bench;
#[cfg(feature = "infer")]
mod codes;
#[cfg(feature = "infer")]
mod colourise;
#[cfg(feature = "infer")]
mod denoise;
mod devices;
#[cfg(feature = "infer")]
mod directions;
#[cfg(feature = "gpu")]
mod doctor;
mod edit;
#[cfg(feature = "infer")]
mod expand;
#[cfg(feature = "infer")]
mod faces;
#[cfg(feature = "infer")]
mod filter;
#[cfg(feature = "infer")]
mod generate;
mod info;
mod input;
#[cfg(feature = "infer")]
mod invert;
#[cfg(feature = "infer")]
mod latent;
mod library;
#[cfg(feature = "infer")]
mod light;
mod metrics;
mod models;
mod moving;
#[cfg(feature = "infer")]
mod networks;
mod ops;
mod pattern;
#[cfg(feature = "infer")]
mod picture;
#[cfg(feature = "infer")]
mod portrait;
#[cfg(feature = "infer")]
mod remove;
pub mod report;
#[cfg(feature = "infer")]
mod restore;
#[cfg(feature = "infer")]
mod segment;
#[cfg(feature = "infer")]
mod stylize;
#[cfg(feature = "infer")]
pub mod train;
#[cfg(feature = "infer")]
mod translate;
#[cfg(feature = "infer")]
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
    #[cfg(feature = "infer")]
    Colourise(colourise::Args),
    #[cfg(feature = "infer")]
    Denoise(denoise::Args),
    #[cfg(feature = "infer")]
    Directions(directions::Args),
    #[cfg(feature = "gpu")]
    Doctor(doctor::Args),
    Edit(edit::Args),
    #[cfg(feature = "infer")]
    Expand(expand::Args),
    #[cfg(feature = "infer")]
    Faces(faces::Args),
    #[cfg(feature = "infer")]
    Generate(generate::Args),
    Info(info::Args),
    #[cfg(feature = "infer")]
    Invert(invert::Args),
    #[cfg(feature = "infer")]
    Latent(latent::Args),
    #[cfg(feature = "infer")]
    Light(light::Args),
    Metrics(metrics::Args),
    Models(models::Args),
    Ops(ops::Args),
    Pattern(pattern::Args),
    #[cfg(feature = "infer")]
    Portrait(portrait::Args),
    #[cfg(feature = "infer")]
    Remove(remove::Args),
    #[cfg(feature = "infer")]
    Restore(restore::Args),
    #[cfg(feature = "infer")]
    Segment(segment::Args),
    #[cfg(feature = "infer")]
    Stylize(stylize::Args),
    #[cfg(feature = "infer")]
    Train(train::Args),
    #[cfg(feature = "infer")]
    Translate(translate::Args),
    #[cfg(feature = "infer")]
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
        #[cfg(feature = "infer")]
        Some(Command::Colourise(args)) => colourise::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Denoise(args)) => denoise::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Directions(args)) => directions::run(&args),
        #[cfg(feature = "gpu")]
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Edit(args)) => edit::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Expand(args)) => expand::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Faces(args)) => faces::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Generate(args)) => generate::run(&args),
        Some(Command::Info(args)) => info::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Invert(args)) => invert::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Latent(args)) => latent::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Light(args)) => light::run(&args),
        Some(Command::Metrics(args)) => metrics::run(&args),
        Some(Command::Models(args)) => models::run(&args),
        Some(Command::Ops(args)) => ops::run(&args),
        Some(Command::Pattern(args)) => pattern::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Portrait(args)) => portrait::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Remove(args)) => remove::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Restore(args)) => restore::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Segment(args)) => segment::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Stylize(args)) => stylize::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Train(args)) => train::run(&args),
        #[cfg(feature = "infer")]
        Some(Command::Translate(args)) => translate::run(&args),
        #[cfg(feature = "infer")]
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
