//! `ganvas translate`: turn a picture of one kind into another.

use super::filter;
use super::report::Failure;
use crate::infer::protocol::Effect;

/// Turns a picture of one kind into another with a network such as CycleGAN's
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: filter::Args,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    filter::run(&args.common, Effect::Translate, "Translating")
}
