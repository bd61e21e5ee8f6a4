//! The kernel distance of two sets of features: KID on those of Inception-v3 (Bińkowski et al.
//! 2018).

use rayon::prelude::*;

use super::{MetricsError, Reservoir, lanes};
use crate::latent::random::SplitMix64;

/// How the samples are drawn on which the distance is estimated; the default is the published
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subsets {
    pub count: usize,
    /// Vectors of each side in one; fewer where there are fewer.
    pub size: usize,
    pub seed: u64,
}

impl Default for Subsets {
    fn default() -> Self {
        Self { count: 100, size: 1000, seed: 0 }
    }
}

/// A mean over subsets and how far they scatter around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// Standard deviation over the subsets (divided by their number).
    pub deviation: f64,
}

impl Estimate {
    pub(super) fn of(values: &[f64]) -> Self {
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        Self { mean, deviation: variance.sqrt() }
    }
}

/// The squared maximum mean discrepancy with the kernel `(x·y / d + 1)³`, unbiased, hence
/// negative at times: the mean over random subsets.
///
/// # Errors
/// Where the vectors differ in length or there are fewer than two on a side.
pub fn kernel_distance(
    a: &Reservoir,
    b: &Reservoir,
    subsets: Subsets,
) -> Result<Estimate, MetricsError> {
    if a.dim() != b.dim() {
        return Err(MetricsError::Dimensions(a.dim(), b.dim()));
    }
    let size = subsets.size.min(a.len()).min(b.len());
    let mut random = SplitMix64::new(subsets.seed);
    // Every subset of all the vectors is the same one.
    let count = if size == a.len() && size == b.len() { 1 } else { subsets.count };
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let [a, b] = [a, b].map(|side| {
            let chosen = random.shuffled(side.len()).into_iter().take(size);
            chosen.map(|at| side.vector(at)).collect::<Vec<_>>()
        });
        values.push(discrepancy(&a, &b)?);
    }
    Ok(Estimate::of(&values))
}

/// The unbiased estimate on all of `a` and `b`, vectors of one length.
fn discrepancy(a: &[&[f32]], b: &[&[f32]]) -> Result<f64, MetricsError> {
    let (m, n) = (a.len(), b.len());
    if m.min(n) < 2 {
        return Err(MetricsError::TooFew { have: m.min(n), need: 2 });
    }
    let pairs = |count: usize| (count * (count - 1)) as f64;
    let within_a = kernel_sum(a, a) - a.iter().map(|x| kernel(x, x)).sum::<f64>();
    let within_b = kernel_sum(b, b) - b.iter().map(|x| kernel(x, x)).sum::<f64>();
    let across = kernel_sum(a, b) / (m * n) as f64;
    Ok(within_a / pairs(m) + within_b / pairs(n) - 2.0 * across)
}

fn kernel(a: &[f32], b: &[f32]) -> f64 {
    (lanes(a, b, |a, b| a * b) / a.len() as f64 + 1.0).powi(3)
}

fn kernel_sum(a: &[&[f32]], b: &[&[f32]]) -> f64 {
    // Sums of blocks first, so that the result does not depend on the number of threads.
    let blocks: Vec<f64> = a
        .par_chunks(8)
        .map(|block| b.iter().flat_map(|y| block.iter().map(|x| kernel(x, y))).sum())
        .collect();
    blocks.iter().sum()
}
