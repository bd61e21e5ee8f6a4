//! `ganvas restore`: restore the faces of a picture.

use super::faces::{POINTS, finders};
use super::filter;
use super::report::Failure;
use crate::infer::protocol::Effect;
use crate::zoo::Library;

/// Restores blurred or damaged faces with a network such as GFP-GAN's
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: filter::Args,
    /// Take the picture for one face that is aligned as in FFHQ, and look for none
    #[arg(long)]
    whole: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let finders = match args.whole {
        true => None,
        false => Some(finders(&Library::discover(), &POINTS)?),
    };
    filter::run(&args.common, Effect::RestoreFace { finders }, "Restoring")
}
