//! Improved precision and recall (Kynkäänniemi et al. 2019).

use rayon::prelude::*;

use super::{MetricsError, Reservoir, lanes};

/// The published number of neighbours.
pub const NEIGHBOURS: usize = 3;

/// How much of one set lies where the other is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecall {
    /// Share of the generated that lie among the real, `0..=1`: how good single pictures are.
    pub precision: f64,
    /// Share of the real that lie among the generated, `0..=1`: how much of the variety is met.
    pub recall: f64,
}

/// Precision and recall by hyperspheres around each vector that reach to its `neighbours`-th
/// nearest of the same set. Needs all vectors at once, and time with the square of their number.
///
/// # Errors
/// Where the vectors differ in length or a set has no more than `neighbours`.
pub fn precision_recall(
    real: &Reservoir,
    generated: &Reservoir,
    neighbours: usize,
) -> Result<PrecisionRecall, MetricsError> {
    if real.dim() != generated.dim() {
        return Err(MetricsError::Dimensions(real.dim(), generated.dim()));
    }
    Ok(PrecisionRecall {
        precision: share_within(&spheres(real, neighbours)?, generated),
        recall: share_within(&spheres(generated, neighbours)?, real),
    })
}

/// A centre and a squared radius.
type Sphere<'a> = (&'a [f32], f64);

fn spheres(set: &Reservoir, neighbours: usize) -> Result<Vec<Sphere<'_>>, MetricsError> {
    if set.len() <= neighbours {
        return Err(MetricsError::TooFew { have: set.len(), need: neighbours + 1 });
    }
    let vectors: Vec<&[f32]> = set.vectors().collect();
    let sphere = |(at, centre): (usize, &&'_ [f32])| {
        let others = vectors.iter().enumerate().filter(|(other, _)| *other != at);
        let mut distances: Vec<f64> =
            others.map(|(_, other)| distance_squared(centre, other)).collect();
        let nth = neighbours.max(1) - 1;
        *distances.select_nth_unstable_by(nth, f64::total_cmp).1
    };
    let radii: Vec<f64> = vectors.par_iter().enumerate().map(sphere).collect();
    Ok(vectors.into_iter().zip(radii).collect())
}

fn share_within(spheres: &[Sphere<'_>], set: &Reservoir) -> f64 {
    let vectors: Vec<&[f32]> = set.vectors().collect();
    let is_within = |vector: &&&[f32]| {
        spheres.iter().any(|(centre, radius)| distance_squared(centre, vector) <= *radius)
    };
    vectors.par_iter().filter(is_within).count() as f64 / vectors.len().max(1) as f64
}

fn distance_squared(a: &[f32], b: &[f32]) -> f64 {
    lanes(a, b, |a, b| (a - b) * (a - b))
}
