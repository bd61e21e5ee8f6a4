//! The path length of a generator.

use serde_json::json;

use super::super::library::model_ref;
use super::super::report::{Failure, Progress};
use super::networks::{Networks, choose};
use super::{Args, Title, show};
use crate::infer::paths::SeenGenerator;
use crate::metrics::{PathLength, PathSpace, Sampling};

/// Paths where no number is given; published figures take 100,000.
const PATHS: u64 = 1000;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum SpaceArg {
    Z,
    W,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum SamplingArg {
    Full,
    End,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut networks = Networks::open(args.device)?;
    let generator = model_ref(networks.library(), &args.a.to_string_lossy())?;
    let model = choose(networks.library(), args.model.as_deref(), args.metric)?;
    let network = networks.features(&model)?;
    let title = Title::of(args.metric, &network);
    let length = PathLength {
        space: match args.space {
            SpaceArg::Z => PathSpace::Z,
            SpaceArg::W => PathSpace::W,
        },
        sampling: match args.sampling {
            SamplingArg::Full => Sampling::Full,
            SamplingArg::End => Sampling::End,
        },
        paths: args.count.unwrap_or(PATHS),
        seed: args.seed,
    };
    let mut walked = SeenGenerator {
        generator: networks.generator(&generator)?,
        network: &network,
        stop: &|| false,
    };
    let mut bar = Progress::new("Walking");
    let measured = length.measure(&mut walked, &mut |done| bar.set(done, length.paths));
    drop(bar);
    let estimate = measured.map_err(Failure::failed)?;
    let values = [("value", estimate.mean), ("deviation", estimate.deviation)];
    let more = [
        ("generator", json!(generator.to_string())),
        ("model", json!(model.to_string())),
        ("paths", json!(length.paths)),
        ("space", json!(format!("{:?}", args.space).to_lowercase())),
        ("sampling", json!(format!("{:?}", args.sampling).to_lowercase())),
        ("epsilon", json!(1e-4)),
    ];
    show(args, &title, &values, &more)
}
