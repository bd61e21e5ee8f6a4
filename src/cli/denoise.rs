//! `ganvas denoise`: take noise out of a picture.

use super::filter;
use super::report::Failure;
use crate::infer::protocol::Effect;

/// Takes noise out of a picture with a network
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: filter::Args,
    /// Standard deviation of the noise in levels of 255, 0 to 75, or auto
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = parse_sigma)]
    sigma: Sigma,
}

/// `None` estimates it.
#[derive(Clone, Copy)]
struct Sigma(Option<f32>);

fn parse_sigma(text: &str) -> Result<Sigma, String> {
    if text == "auto" {
        return Ok(Sigma(None));
    }
    match text.parse() {
        Ok(sigma) if (0.0..=75.0).contains(&sigma) => Ok(Sigma(Some(sigma))),
        _ => Err("must be 0 to 75, or auto".into()),
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    filter::run(&args.common, Effect::Denoise { sigma: args.sigma.0 }, "Denoising")
}
