//! `ganvas colourise`: give colours to a grey picture.

use super::filter;
use super::report::Failure;
use crate::infer::protocol::Effect;

/// Gives colours to a picture with a network such as Zhang's; its lightness stays
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: filter::Args,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    filter::run(&args.common, Effect::Colorize, "Colourising")
}
