//! Inception Score (Salimans et al. 2016).

use super::{Estimate, MetricsError, check_finite};

/// Gathers the exponential of the mean Kullback-Leibler divergence between what a classifier says
/// of a picture and what it says of all, over consecutive splits. Keeps two sums a class and
/// split, however many pictures there are.
#[derive(Clone, Debug)]
pub struct InceptionScore {
    /// Pictures that are expected, for the bounds of the splits.
    total: usize,
    seen: usize,
    splits: Vec<Split>,
}

#[derive(Clone, Debug, Default)]
struct Split {
    count: usize,
    /// Of the probabilities of each class.
    sums: Vec<f64>,
    /// Of `Σ p ln p`.
    negentropy: f64,
}

impl InceptionScore {
    /// The published number of splits.
    pub const SPLITS: usize = 10;

    /// For `total` pictures in `splits` parts: picture `i` belongs to part `k` where
    /// `k·total/splits ≤ i < (k + 1)·total/splits` in whole numbers.
    pub fn new(splits: usize, total: usize) -> Self {
        Self { total, seen: 0, splits: vec![Split::default(); splits.max(1)] }
    }

    /// Adds what the classifier says of the next picture: a logit a class.
    ///
    /// # Errors
    /// Where they are not as many as before or not finite.
    pub fn push(&mut self, logits: &[f32]) -> Result<(), MetricsError> {
        check_finite(logits)?;
        let parts = self.splits.len();
        // The part whose bounds, rounded down, hold this place; what exceeds the total goes to
        // the last.
        let part = ((self.seen + 1) * parts).div_ceil(self.total.max(1)).clamp(1, parts) - 1;
        self.seen += 1;
        let split = &mut self.splits[part];
        if split.sums.is_empty() {
            split.sums = vec![0.0; logits.len()];
        }
        if split.sums.len() != logits.len() {
            return Err(MetricsError::Dimensions(split.sums.len(), logits.len()));
        }
        let top = logits.iter().fold(f32::NEG_INFINITY, |top, logit| top.max(*logit));
        let shifted = || logits.iter().map(|logit| f64::from(*logit) - f64::from(top));
        let total: f64 = shifted().map(f64::exp).sum();
        for (sum, logit) in split.sums.iter_mut().zip(shifted()) {
            let probability = logit.exp() / total;
            *sum += probability;
            split.negentropy += probability * (logit - total.ln());
        }
        split.count += 1;
        Ok(())
    }

    /// Mean and deviation over the splits that have pictures.
    ///
    /// # Errors
    /// Without pictures.
    pub fn score(&self) -> Result<Estimate, MetricsError> {
        let score = |split: &Split| {
            let count = split.count as f64;
            let means = split.sums.iter().map(|sum| sum / count).filter(|mean| *mean > 0.0);
            let of_all: f64 = means.map(|mean| mean * mean.ln()).sum();
            (split.negentropy / count - of_all).exp()
        };
        let scores: Vec<f64> =
            self.splits.iter().filter(|split| split.count > 0).map(score).collect();
        if scores.is_empty() {
            return Err(MetricsError::TooFew { have: 0, need: 1 });
        }
        Ok(Estimate::of(&scores))
    }
}
