//! Metrics of whole folders, and of what generators draw.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::codes::Target;
use super::super::report::{self, Failure, Progress};
use super::networks::{Networks, choose};
use super::{Args, Metric, Title, pictures, show};
use crate::color::WorkingProfile;
use crate::infer::features::{FeatureNetwork, Seen, Skipped, look_at_all};
use crate::infer::protocol::ModelRef;
use crate::infer::render::sample;
use crate::io::Format;
use crate::latent::Moments;
use crate::metrics::{
    InceptionScore, MetricsError, NEIGHBOURS, Reservoir, Subsets, frechet_distance,
    kernel_distance, precision_recall,
};
use crate::zoo::Library;

/// Pictures that a generator draws where no number is given.
const DRAWN: u64 = 1000;

pub(super) fn run(args: &Args, b: &Path) -> Result<(), Failure> {
    // Sides first: they are wrong sooner than networks are loaded.
    let library = Library::discover();
    let mut sides = vec![Side::named(&args.a, args, &library)?];
    if args.metric.compares() {
        sides.push(Side::named(b, args, &library)?);
    }
    let mut networks = Networks::open(args.device)?;
    let model = choose(networks.library(), args.model.as_deref(), args.metric)?;
    let network = networks.features(&model)?;
    let title = Title::of(args.metric, &network);
    let mut eyes = Eyes { network, networks: &mut networks };
    let values = match args.metric {
        Metric::Is => inception_score(&mut sides, &mut eyes),
        Metric::Fid => frechet(&mut sides, &mut eyes),
        Metric::Kid => kernel(&mut sides, &mut eyes, args.seed),
        _ => spheres(&mut sides, &mut eyes, args.seed),
    }?;
    let mut more = vec![("model", json!(model.to_string()))];
    more.extend(["a", "b"].into_iter().zip(sides.iter().map(Side::json)));
    show(args, &title, &values, &more)
}

/// What looks at pictures, and where generators come from.
struct Eyes<'a> {
    network: FeatureNetwork,
    networks: &'a mut Networks,
}

type Values = Result<Vec<(&'static str, f64)>, Failure>;

fn inception_score(sides: &mut [Side], eyes: &mut Eyes<'_>) -> Values {
    let mut score = InceptionScore::new(InceptionScore::SPLITS, sides[0].count());
    sides[0].look(eyes, &mut |seen| score.push(seen.logits()))?;
    let score = score.score().map_err(|error| sides[0].refuse(&error))?;
    Ok(vec![("value", score.mean), ("deviation", score.deviation)])
}

fn frechet(sides: &mut [Side], eyes: &mut Eyes<'_>) -> Values {
    let mut all = Vec::new();
    for side in sides.iter_mut() {
        let mut moments = None;
        side.look(eyes, &mut |seen| {
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

fn kernel(sides: &mut [Side], eyes: &mut Eyes<'_>, seed: u64) -> Values {
    let kept = reservoirs(sides, eyes, Reservoir::CAPACITY, seed)?;
    let subsets = Subsets { seed, ..Subsets::default() };
    let estimate = kernel_distance(&kept[0], &kept[1], subsets).map_err(Failure::failed)?;
    Ok(vec![("value", estimate.mean), ("deviation", estimate.deviation)])
}

fn spheres(sides: &mut [Side], eyes: &mut Eyes<'_>, seed: u64) -> Values {
    let kept = reservoirs(sides, eyes, usize::MAX, seed)?;
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
    eyes: &mut Eyes<'_>,
    capacity: usize,
    seed: u64,
) -> Result<Vec<Reservoir>, Failure> {
    let mut all = Vec::new();
    for (number, side) in (0..).zip(sides.iter_mut()) {
        let mut kept = None;
        side.look(eyes, &mut |seen| {
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

/// The pictures of one side.
struct Side {
    path: PathBuf,
    from: Pictures,
    skipped: Skipped,
}

/// Where they come from.
enum Pictures {
    Files(Vec<PathBuf>),
    /// A generator that draws so many seeds from the first on.
    Drawn {
        model: ModelRef,
        first: u64,
        count: u64,
        psi: f32,
    },
}

impl Side {
    /// What `path` means: pictures, else a generator.
    fn named(path: &Path, args: &Args, library: &Library) -> Result<Self, Failure> {
        let name = path.to_string_lossy();
        let is_installed = !path.exists() && library.find(&name).is_ok();
        let is_weights = path.is_file() && Format::from_path(path).is_none();
        let from = if is_installed || is_weights {
            let target = Target::named(library, &name)?;
            let count = args.count.unwrap_or(DRAWN);
            Pictures::Drawn { model: target.model, first: args.seed, count, psi: args.psi }
        } else {
            Pictures::Files(pictures::list(path, args.count)?)
        };
        Ok(Self { path: path.to_path_buf(), from, skipped: Skipped::default() })
    }

    /// Pictures, those that cannot be read too.
    fn count(&self) -> usize {
        match &self.from {
            Pictures::Files(files) => files.len(),
            Pictures::Drawn { count, .. } => *count as usize,
        }
    }

    /// Shows every picture to the network and what it says to `each`.
    fn look(
        &mut self,
        eyes: &mut Eyes<'_>,
        each: &mut dyn FnMut(&Seen) -> Result<(), MetricsError>,
    ) -> Result<(), Failure> {
        let total = self.count() as u64;
        let mut bar = Progress::new(format!("Looking at {}", self.path.display()));
        let network = &eyes.network;
        match &self.from {
            Pictures::Files(files) => {
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
                self.skipped = skipped.map_err(Failure::failed)?;
            }
            Pictures::Drawn { model, first, count, psi } => {
                let generator = eyes.networks.generator(model)?;
                for place in 0..*count {
                    let seed = first.wrapping_add(place);
                    let drawn = sample(generator, seed, *psi, &|| false);
                    let drawn = drawn.map_err(Failure::failed)?;
                    let read = network.reader().read(&drawn, &WorkingProfile::srgb());
                    let seen = network.see(read.map_err(Failure::failed)?, &|| false);
                    each(&seen.map_err(Failure::failed)?).map_err(Failure::failed)?;
                    bar.set(place + 1, total);
                }
            }
        }
        drop(bar);
        pictures::note_skipped(&self.skipped);
        Ok(())
    }

    fn refuse(&self, error: &MetricsError) -> Failure {
        Failure::input(format!("{}: {error}", self.path.display()))
    }

    fn json(&self) -> Json {
        let mut said = json!({
            "path": self.path.to_string_lossy(),
            "pictures": self.count() - self.skipped.count,
            "skipped": self.skipped.count,
        });
        if let Pictures::Drawn { model, first, psi, .. } = &self.from {
            said["generator"] = json!(model.to_string());
            (said["first_seed"], said["psi"]) = (json!(first), json!(psi));
        }
        said
    }
}
