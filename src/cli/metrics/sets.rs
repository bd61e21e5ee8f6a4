//! Metrics of whole folders.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::report::{self, Failure, Progress};
use super::networks::{Networks, choose};
use super::{Args, Metric, Title, pictures, show};
use crate::infer::features::{FeatureNetwork, Seen, Skipped, look_at_all};
use crate::latent::Moments;
use crate::metrics::{
    InceptionScore, MetricsError, NEIGHBOURS, Reservoir, Subsets, frechet_distance,
    kernel_distance, precision_recall,
};

pub(super) fn run(args: &Args, b: &Path) -> Result<(), Failure> {
    // Folders first: they are wrong sooner than networks are loaded.
    let mut sides = vec![Side::list(&args.a, args.count)?];
    if args.metric.compares() {
        sides.push(Side::list(b, args.count)?);
    }
    let networks = Networks::open(args.device)?;
    let model = choose(networks.library(), args.model.as_deref(), args.metric)?;
    let network = networks.features(&model)?;
    let title = Title::of(args.metric, &network);
    let values = match args.metric {
        Metric::Is => inception_score(&mut sides, &network),
        Metric::Fid => frechet(&mut sides, &network),
        Metric::Kid => kernel(&mut sides, &network, args.seed),
        _ => spheres(&mut sides, &network, args.seed),
    }?;
    let mut more = vec![("model", json!(model.to_string()))];
    more.extend(["a", "b"].into_iter().zip(sides.iter().map(Side::json)));
    show(args, &title, &values, &more)
}

type Values = Result<Vec<(&'static str, f64)>, Failure>;

fn inception_score(sides: &mut [Side], network: &FeatureNetwork) -> Values {
    let mut score = InceptionScore::new(InceptionScore::SPLITS, sides[0].files.len());
    sides[0].look(network, &mut |seen| score.push(seen.logits()))?;
    let score = score.score().map_err(|error| sides[0].refuse(&error))?;
    Ok(vec![("value", score.mean), ("deviation", score.deviation)])
}

fn frechet(sides: &mut [Side], network: &FeatureNetwork) -> Values {
    let mut all = Vec::new();
    for side in sides.iter_mut() {
        let mut moments = None;
        side.look(network, &mut |seen| {
            let features = seen.features();
            let moments = moments.get_or_insert_with(|| Moments::new(features.len()));
            Ok(moments.push(features)?)
        })?;
        all.push(moments.unwrap_or_else(|| Moments::new(0)));
    }
    let needed = all[0].mean().len() + 1;
    let (few, side) = (all.iter().zip(sides.iter()))
        .map(|(moments, side)| (moments.count(), side))
        .min_by_key(|(count, _)| *count)
        .unwrap_or((0, &sides[0]));
    if few < 2 {
        return Err(side.refuse(&MetricsError::TooFew { have: few, need: 2 }));
    }
    if few < needed {
        report::note(format!(
            "{few} pictures are few for {} features: the distance comes out too large; kid does not",
            needed - 1
        ));
    }
    let distance = frechet_distance(&all[0], &all[1]).map_err(Failure::failed)?;
    Ok(vec![("value", distance)])
}

fn kernel(sides: &mut [Side], network: &FeatureNetwork, seed: u64) -> Values {
    let kept = reservoirs(sides, network, Reservoir::CAPACITY, seed)?;
    let subsets = Subsets { seed, ..Subsets::default() };
    let estimate = kernel_distance(&kept[0], &kept[1], subsets).map_err(Failure::failed)?;
    Ok(vec![("value", estimate.mean), ("deviation", estimate.deviation)])
}

fn spheres(sides: &mut [Side], network: &FeatureNetwork, seed: u64) -> Values {
    let kept = reservoirs(sides, network, usize::MAX, seed)?;
    for (kept, side) in kept.iter().zip(sides.iter()) {
        if kept.len() <= NEIGHBOURS {
            let (have, need) = (kept.len(), NEIGHBOURS + 1);
            return Err(side.refuse(&MetricsError::TooFew { have, need }));
        }
    }
    let found = precision_recall(&kept[0], &kept[1], NEIGHBOURS).map_err(Failure::failed)?;
    Ok(vec![("precision", found.precision), ("recall", found.recall)])
}

/// Features of each side, two at least.
fn reservoirs(
    sides: &mut [Side],
    network: &FeatureNetwork,
    capacity: usize,
    seed: u64,
) -> Result<Vec<Reservoir>, Failure> {
    let mut all = Vec::new();
    for (number, side) in (0..).zip(sides.iter_mut()) {
        let mut kept = None;
        side.look(network, &mut |seen| {
            let features = seen.features();
            let new = || Reservoir::new(features.len(), capacity, seed.wrapping_add(number));
            kept.get_or_insert_with(new).push(features)
        })?;
        let kept = kept.unwrap_or_else(|| Reservoir::new(0, 0, 0));
        if kept.len() < 2 {
            return Err(side.refuse(&MetricsError::TooFew { have: kept.len(), need: 2 }));
        }
        all.push(kept);
    }
    Ok(all)
}

/// A folder on one side.
struct Side {
    path: PathBuf,
    files: Vec<PathBuf>,
    skipped: Skipped,
}

impl Side {
    fn list(path: &Path, count: Option<u64>) -> Result<Self, Failure> {
        let files = pictures::list(path, count)?;
        Ok(Self { path: path.to_path_buf(), files, skipped: Skipped::default() })
    }

    /// Shows every picture to the network and what it says to `each`.
    fn look(
        &mut self,
        network: &FeatureNetwork,
        each: &mut dyn FnMut(&Seen) -> Result<(), MetricsError>,
    ) -> Result<(), Failure> {
        let total = self.files.len() as u64;
        let mut bar = Progress::new(format!("Looking at {}", self.path.display()));
        let files = &self.files;
        let skipped = look_at_all(
            network,
            files.len(),
            &|place| pictures::read_with_profile(&files[place]),
            &|| false,
            &mut |place, seen| {
                bar.set(place as u64 + 1, total);
                each(&seen)
            },
        );
        drop(bar);
        self.skipped = skipped.map_err(Failure::failed)?;
        pictures::note_skipped(&self.skipped);
        Ok(())
    }

    fn refuse(&self, error: &MetricsError) -> Failure {
        Failure::input(format!("{}: {error}", self.path.display()))
    }

    fn json(&self) -> Json {
        json!({
            "path": self.path.to_string_lossy(),
            "pictures": self.files.len() - self.skipped.count,
            "skipped": self.skipped.count,
        })
    }
}
