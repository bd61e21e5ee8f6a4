//! Metrics of pairs of pictures.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::json;

use super::super::report::{self, Failure, Progress};
use super::networks::{Networks, choose};
use super::{Args, Metric, Title, pictures, show};
use crate::color::WorkingProfile;
use crate::geom::{IRect, Size};
use crate::infer::features::{FeatureNetwork, Skipped};
use crate::metrics::{self, MetricsError};
use crate::pixels::{Depth, PixelBuf};

/// Pairs that are read at once.
const AT_ONCE: usize = 4;
/// Pixels at the rim where windows of structural similarity do not fit, as the published mean has
/// it.
const RIM: i32 = 5;

pub(super) fn run(args: &Args, b: &Path) -> Result<(), Failure> {
    let pairs = pairs(&args.a, b, args.count)?;
    let network = if args.metric == Metric::Lpips { Some(open(args)?) } else { None };
    let title = match &network {
        Some((network, _)) => Title::of(args.metric, network),
        None => Title::plain(args.metric),
    };
    let (mut values, mut skipped) = (Vec::new(), Skipped::default());
    let mut bar = Progress::new("Comparing");
    for (number, batch) in pairs.chunks(AT_ONCE).enumerate() {
        let read = |(a, b): &(PathBuf, PathBuf)| Ok([pictures::read(a)?, pictures::read(b)?]);
        let read: Vec<Result<_, String>> = batch.par_iter().map(read).collect();
        for (place, (pictures, (a, b))) in read.into_iter().zip(batch).enumerate() {
            let network = network.as_ref().map(|(network, _)| network);
            let compared = pictures.and_then(|[left, right]| {
                compare(args.metric, &left, &right, network)
                    .map_err(|cause| format!("{} and {}: {cause}", a.display(), b.display()))
            });
            match compared {
                Ok(value) => values.push(value),
                // The only pair there is must be good.
                Err(reason) if pairs.len() == 1 => return Err(Failure::input(reason)),
                Err(reason) => skipped.add(number * AT_ONCE + place, reason),
            }
        }
        bar.set((number * AT_ONCE + batch.len()) as u64, pairs.len() as u64);
    }
    drop(bar);
    pictures::note_skipped(&skipped);
    if values.is_empty() {
        let sentence = format!("no picture of {} could be compared", args.a.display());
        return Err(Failure::input(sentence));
    }
    // What is equal has no ratio to its noise, and no mean with others.
    let (other, equal): (Vec<f64>, Vec<f64>) =
        values.iter().partition(|value| value.is_finite() || args.metric != Metric::Psnr);
    let mean = match other.len() {
        0 => f64::INFINITY,
        count => other.iter().sum::<f64>() / count as f64,
    };
    let mut more = vec![("pairs", json!(values.len())), ("skipped", json!(skipped.count))];
    if args.metric == Metric::Psnr {
        more.push(("identical", json!(equal.len())));
        if !other.is_empty() && !equal.is_empty() {
            let (equal, all) = (equal.len(), values.len());
            report::note(format!("{equal} of {all} pairs are identical and not in the mean"));
        }
    }
    if let Some((_, model)) = &network {
        more.push(("model", json!(model)));
    }
    show(args, &title, &[("value", mean)], &more)
}

fn open(args: &Args) -> Result<(FeatureNetwork, String), Failure> {
    let networks = Networks::open(args.device)?;
    let model = choose(networks.library(), args.model.as_deref(), args.metric)?;
    Ok((networks.features(&model)?, model.to_string()))
}

/// Two pictures, or those of two folders that have the same name.
fn pairs(a: &Path, b: &Path, count: Option<u64>) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
    if a.is_dir() != b.is_dir() && a.exists() && b.exists() {
        let (a, b) = (a.display(), b.display());
        return Err(Failure::input(format!("{a} and {b} are not both pictures or both folders")));
    }
    let (left, right) = (pictures::list(a, None)?, pictures::list(b, None)?);
    if !a.is_dir() {
        return Ok(left.into_iter().zip(right).collect());
    }
    let same = |file: PathBuf| {
        let other = right.iter().find(|other| other.file_name() == file.file_name())?;
        Some((file, other.clone()))
    };
    let mut pairs: Vec<_> = left.into_iter().filter_map(same).collect();
    pairs.truncate(count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
    if pairs.is_empty() {
        let (a, b) = (a.display(), b.display());
        return Err(Failure::input(format!("{a} and {b} have no picture of the same name")));
    }
    Ok(pairs)
}

fn compare(
    metric: Metric,
    a: &PixelBuf,
    b: &PixelBuf,
    network: Option<&FeatureNetwork>,
) -> Result<f64, String> {
    let size = a.size();
    if b.size() != size {
        return Err(MetricsError::Sizes(size, b.size()).to_string());
    }
    match (metric, network) {
        (Metric::MsSsim, _) => metrics::ms_ssim(a, b).map_err(|error| error.to_string()),
        (Metric::Ssim, _) => {
            let inner = size.rect().grow(-RIM);
            if inner.is_empty() {
                let need = 2 * RIM as u32 + 1;
                return Err(MetricsError::TooSmall { size, need }.to_string());
            }
            Ok(metrics::ssim(a, b, &mask(size, inner)))
        }
        (Metric::Lpips, Some(network)) => {
            let reader = network.reader();
            let see = |picture| {
                let planes = reader.read(picture, &WorkingProfile::srgb())?;
                network.see(planes, &|| false).map_err(|error| error.to_string())
            };
            network.distance(&see(a)?, &see(b)?).map_err(|error| error.to_string())
        }
        _ => Ok(metrics::psnr_db(a, b, &mask(size, size.rect()))),
    }
}

/// White in `rect`, black around.
fn mask(size: Size, rect: IRect) -> PixelBuf {
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    mask.blit(&PixelBuf::filled(rect.size(), 1, Depth::U8, [255; 4]), (rect.x0, rect.y0));
    mask
}
