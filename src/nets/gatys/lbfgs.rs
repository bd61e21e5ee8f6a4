//! The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal 1980): the
//! curvature of the last few steps tells where to go next.

use std::collections::VecDeque;

use rayon::prelude::*;

/// Steps that are remembered.
const MEMORY: usize = 10;
/// Numbers that are summed at once.
const CHUNK: usize = 4096;

/// What the last steps taught.
#[derive(Default)]
pub(super) struct Lbfgs {
    /// Change of the place, change of the gradient, one over their product.
    steps: VecDeque<(Vec<f32>, Vec<f32>, f64)>,
}

/// The sum of products, the same whatever the number of threads.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let part = |(a, b): (&[f32], &[f32])| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let parts: Vec<f64> = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(part).collect();
    parts.iter().sum()
}

fn add_scaled(to: &mut [f32], factor: f64, more: &[f32]) {
    to.iter_mut().zip(more).for_each(|(to, more)| *to += factor as f32 * more);
}

impl Lbfgs {
    /// Whether no step is remembered, so that the direction is the gradient's.
    pub fn is_fresh(&self) -> bool {
        self.steps.is_empty()
    }

    /// Where to go from a place with this gradient: the two-loop recursion.
    pub fn direction(&self, gradient: &[f32]) -> Vec<f32> {
        let mut along: Vec<f32> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.steps.len());
        for (moved, turned, inverse) in self.steps.iter().rev() {
            let share = inverse * dot(moved, &along);
            add_scaled(&mut along, -share, turned);
            shares.push(share);
        }
        if let Some((_, turned, inverse)) = self.steps.back() {
            let scale = 1.0 / (inverse * dot(turned, turned));
            along.iter_mut().for_each(|value| *value *= scale as f32);
        }
        for ((moved, turned, inverse), share) in self.steps.iter().zip(shares.into_iter().rev()) {
            let back = inverse * dot(turned, &along);
            add_scaled(&mut along, share - back, moved);
        }
        along
    }

    /// Remembers a step from one place and gradient to the next.
    pub fn learn(&mut self, from: &[f32], to: &[f32], before: &[f32], after: &[f32]) {
        let change =
            |a: &[f32], b: &[f32]| -> Vec<f32> { b.iter().zip(a).map(|(b, a)| b - a).collect() };
        let (moved, turned) = (change(from, to), change(before, after));
        let product = dot(&moved, &turned);
        // Only a valley has a bottom to aim at.
        if product > 1e-10 * dot(&turned, &turned) {
            if self.steps.len() == MEMORY {
                self.steps.pop_front();
            }
            self.steps.push_back((moved, turned, 1.0 / product));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_is_left_at_its_bottom() {
        // Half of Σ k (x - 1)², gradient k (x - 1).
        let gradient = |x: &[f32]| -> Vec<f32> {
            x.iter().enumerate().map(|(k, x)| (k + 1) as f32 * (x - 1.0)).collect()
        };
        let (mut search, mut x) = (Lbfgs::default(), vec![0.0f32; 12]);
        for _ in 0..40 {
            let before = gradient(&x);
            let length = if search.is_fresh() { 0.05 } else { 1.0 };
            let mut next = x.clone();
            add_scaled(&mut next, length, &search.direction(&before));
            search.learn(&x, &next, &before, &gradient(&next));
            x = next;
        }
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-4), "{x:?}");
    }
}
