//! `ganvas light`: light a dark picture.

use super::filter;
use super::report::Failure;
use crate::infer::protocol::Effect;

/// Lights a dark picture with a network
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: filter::Args,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    filter::run(&args.common, Effect::Light, "Lighting")
}
