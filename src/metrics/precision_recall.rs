//! Improved precision and recall (Kynkäänniemi et al. 2019).

use std::sync::atomic::{AtomicBool, Ordering};

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

/// Vectors of either side whose distances are looked at together: both lie in a cache then.
const TILE: usize = 64;

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
    let (of_real, of_generated) = (radii(real, neighbours)?, radii(generated, neighbours)?);
    let flags = |set: &Reservoir| (0..set.len()).map(|_| AtomicBool::new(false)).collect();
    let (is_generated, is_real): (Vec<AtomicBool>, Vec<AtomicBool>) =
        (flags(real), flags(generated));
    let tiles: Vec<(usize, usize)> = (0..real.len())
        .step_by(TILE)
        .flat_map(|row| (0..generated.len()).step_by(TILE).map(move |column| (row, column)))
        .collect();
    tiles.into_par_iter().for_each(|(row, column)| {
        for (j, drawn) in tile(generated, column) {
            for (i, true_one) in tile(real, row) {
                // Flags are only ever raised, so that the order does not matter.
                if is_generated[i].load(Ordering::Relaxed) && is_real[j].load(Ordering::Relaxed) {
                    continue;
                }
                let distance = distance_squared(true_one, drawn);
                if distance <= of_generated[j] {
                    is_generated[i].store(true, Ordering::Relaxed);
                }
                if distance <= of_real[i] {
                    is_real[j].store(true, Ordering::Relaxed);
                }
            }
        }
    });
    let share = |flags: Vec<AtomicBool>| {
        let count = flags.len().max(1) as f64;
        flags.into_iter().filter(|flag| flag.load(Ordering::Relaxed)).count() as f64 / count
    };
    Ok(PrecisionRecall { precision: share(is_real), recall: share(is_generated) })
}

/// The vectors of a tile, with their places.
fn tile(set: &Reservoir, from: usize) -> impl Iterator<Item = (usize, &[f32])> {
    (from..(from + TILE).min(set.len())).map(|at| (at, set.vector(at)))
}

/// The squared distance of each vector to its `neighbours`-th nearest other one.
fn radii(set: &Reservoir, neighbours: usize) -> Result<Vec<f64>, MetricsError> {
    if set.len() <= neighbours {
        return Err(MetricsError::TooFew { have: set.len(), need: neighbours + 1 });
    }
    let kept = neighbours.max(1);
    let none = || Nearest { kept, squares: vec![f64::INFINITY; set.len() * kept] };
    // Each pair once: it is as far either way.
    let tiles: Vec<(usize, usize)> = (0..set.len())
        .step_by(TILE)
        .flat_map(|row| (row..set.len()).step_by(TILE).map(move |column| (row, column)))
        .collect();
    let look = |mut nearest: Nearest, (row, column): (usize, usize)| {
        for (j, b) in tile(set, column) {
            for (i, a) in tile(set, row).take_while(|(i, _)| *i < j) {
                let square = distance_squared(a, b);
                nearest.see(i, square);
                nearest.see(j, square);
            }
        }
        nearest
    };
    let nearest = tiles.into_par_iter().fold(none, look).reduce(none, Nearest::merged);
    Ok(nearest.squares.chunks_exact(kept).map(|squares| squares[kept - 1]).collect())
}

/// The smallest squared distances of each vector, in order.
struct Nearest {
    kept: usize,
    squares: Vec<f64>,
}

impl Nearest {
    fn see(&mut self, at: usize, square: f64) {
        let own = &mut self.squares[at * self.kept..(at + 1) * self.kept];
        let place = own.iter().position(|other| square < *other);
        if let Some(place) = place {
            own[place..].rotate_right(1);
            own[place] = square;
        }
    }

    fn merged(mut self, other: Self) -> Self {
        for (at, squares) in other.squares.chunks_exact(self.kept).enumerate() {
            squares.iter().for_each(|square| self.see(at, *square));
        }
        self
    }
}

fn distance_squared(a: &[f32], b: &[f32]) -> f64 {
    lanes(a, b, |a, b| (a - b) * (a - b))
}
