//! Directions from labelled codes: what has to change in a code so that its picture changes.
//!
//! Labels come from networks that look at the pictures, or from a person's thumbs (up is 1, down
//! is -1).

use rayon::prelude::*;

use super::linalg::{dot, solve_positive};
use super::random::SplitMix64;
use super::{LatentError, check};

/// Passes over the samples that the support vector machine makes at most.
const MAX_PASSES: usize = 200;

/// A plane in W: `normal · w + bias` grows with the label.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary {
    /// Of length 1.
    pub normal: Vec<f32>,
    pub bias: f32,
}

/// Codes `[count, dim]`, one after the other, and a label each.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    codes: &'a [f32],
    labels: &'a [f32],
}

impl<'a> Labelled<'a> {
    /// # Errors
    /// Where codes are not whole or not as many as labels, numbers are not finite, or all labels
    /// are equal.
    pub fn new(codes: &'a [f32], labels: &'a [f32]) -> Result<Self, LatentError> {
        let dim = codes.len() / labels.len().max(1);
        check("the labelled codes", codes, dim * labels.len())?;
        check("the labels", labels, labels.len())?;
        if dim == 0 || labels.iter().all(|label| *label == labels[0]) {
            return Err(LatentError::Unsolvable("the labels must differ to show a direction"));
        }
        Ok(Self { codes, labels })
    }

    const fn dim(&self) -> usize {
        self.codes.len() / self.labels.len()
    }

    fn code(&self, index: usize) -> &'a [f32] {
        &self.codes[index * self.dim()..][..self.dim()]
    }

    /// Indices to learn from and to check with: `share` (`0..1`) of them, seeded.
    pub fn split(&self, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
        let mut order = SplitMix64::new(seed).shuffled(self.labels.len());
        let held = (self.labels.len() as f64 * share.clamp(0.0, 1.0)).round() as usize;
        let learn = order.split_off(held.min(order.len()));
        (learn, order)
    }

    /// The linear regression of the labels of `indices` on their codes. `ridge` (above 0, about
    /// 0.02) holds it back, in units of the codes' mean variance (Hoerl and Kennard 1970).
    ///
    /// # Errors
    /// Where nothing can be learnt from them.
    pub fn ridge(&self, indices: &[usize], ridge: f64) -> Result<Boundary, LatentError> {
        let dim = self.dim();
        let count = indices.len() as f64;
        let mut mean = vec![0.0; dim];
        for &index in indices {
            mean.iter_mut().zip(self.code(index)).for_each(|(m, v)| *m += f64::from(*v) / count);
        }
        let centred: Vec<f64> = indices
            .iter()
            .flat_map(|&index| self.code(index).iter().zip(&mean).map(|(v, m)| f64::from(*v) - m))
            .collect();
        let label_mean =
            indices.iter().map(|&index| f64::from(self.labels[index])).sum::<f64>() / count;
        let mut covariance = vec![0.0; dim * dim];
        covariance.par_chunks_exact_mut(dim).enumerate().for_each(|(i, row)| {
            for code in centred.chunks_exact(dim) {
                row.iter_mut().zip(code).for_each(|(sum, v)| *sum += code[i] * v / count);
            }
        });
        let mut along = vec![0.0; dim];
        for (code, &index) in centred.chunks_exact(dim).zip(indices) {
            let label = (f64::from(self.labels[index]) - label_mean) / count;
            along.iter_mut().zip(code).for_each(|(sum, v)| *sum += label * v);
        }
        let trace: f64 = (0..dim).map(|i| covariance[i * dim + i]).sum();
        (0..dim).for_each(|i| covariance[i * dim + i] += ridge * trace / dim as f64);
        let weights = solve_positive(&covariance, dim, &along, 1)?;
        let bias = label_mean - dot(&weights, &mean);
        Boundary::of(&weights, bias)
    }

    /// The plane that parts the codes of `indices` with labels above 0 from the others with the
    /// widest margin: a linear support vector machine by dual coordinate descent (Hsieh et al.
    /// 2008, hinge loss), samples in a seeded order. `cost` (about 1) is what a sample on the wrong
    /// side costs; it is shared out so that both sides weigh alike.
    ///
    /// # Errors
    /// Where all are on one side.
    pub fn support_vectors(
        &self,
        indices: &[usize],
        cost: f64,
        seed: u64,
    ) -> Result<Boundary, LatentError> {
        let dim = self.dim();
        let up = indices.iter().filter(|&&index| self.labels[index] > 0.0).count();
        let down = indices.len() - up;
        if up == 0 || down == 0 {
            return Err(LatentError::Unsolvable("both sides need a labelled code"));
        }
        // A last 1 in each code makes the bias a weight like the others.
        let widened = |index: usize| -> Vec<f64> {
            self.code(index).iter().map(|v| f64::from(*v)).chain([1.0]).collect()
        };
        let codes: Vec<Vec<f64>> = indices.iter().map(|&index| widened(index)).collect();
        let squares: Vec<f64> = codes.iter().map(|code| dot(code, code)).collect();
        let side = |at: usize| if self.labels[indices[at]] > 0.0 { 1.0 } else { -1.0 };
        let most = |at: usize| {
            let own = if side(at) > 0.0 { up } else { down };
            cost * indices.len() as f64 / (2 * own) as f64
        };
        let mut alphas = vec![0.0; codes.len()];
        let mut weights = vec![0.0; dim + 1];
        let mut random = SplitMix64::new(seed);
        for _ in 0..MAX_PASSES {
            let mut worst: f64 = 0.0;
            for at in random.shuffled(codes.len()) {
                let slope = side(at) * dot(&weights, &codes[at]) - 1.0;
                let old: f64 = alphas[at];
                let new = (old - slope / squares[at]).clamp(0.0, most(at));
                let step = side(at) * (new - old);
                if step != 0.0 {
                    weights.iter_mut().zip(&codes[at]).for_each(|(w, v)| *w += step * v);
                }
                alphas[at] = new;
                worst = worst.max(step.abs() * squares[at]);
            }
            if worst < 1e-4 {
                break;
            }
        }
        Boundary::of(&weights[..dim], weights[dim])
    }

    /// Share of `indices` whose label's sign the plane knows; `NaN` for none.
    pub fn accuracy(&self, boundary: &Boundary, indices: &[usize]) -> f64 {
        let right = |&&index: &&usize| {
            (boundary.distance(self.code(index)) > 0.0) == (self.labels[index] > 0.0)
        };
        indices.iter().filter(right).count() as f64 / indices.len() as f64
    }
}

impl Boundary {
    fn of(weights: &[f64], bias: f64) -> Result<Self, LatentError> {
        let length = dot(weights, weights).sqrt();
        if !(length > 0.0 && (bias / length).is_finite()) {
            return Err(LatentError::Unsolvable("the labels do not depend on the codes"));
        }
        let normal = weights.iter().map(|weight| (weight / length) as f32).collect();
        Ok(Self { normal, bias: (bias / length) as f32 })
    }

    /// Distance of a code's row from the plane, positive on the side of larger labels.
    pub fn distance(&self, row: &[f32]) -> f32 {
        let along: f64 =
            self.normal.iter().zip(row).map(|(n, v)| f64::from(*n) * f64::from(*v)).sum();
        along as f32 + self.bias
    }
}
