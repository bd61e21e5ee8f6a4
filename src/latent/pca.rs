//! How the codes of a generator spread: principal components of W (Härkönen et al. 2020,
//! GANSpace), from samples in a stream.

use rayon::prelude::*;

use super::linalg::{dot, symmetric_eigen};
use super::{LatentError, check};

/// Mean and covariance of vectors, gathered batch by batch in `f64` (Chan, Golub and LeVeque
/// 1983), so that samples need not be kept.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    mean: Vec<f64>,
    /// Sum of the products of deviations, `[dim, dim]`.
    products: Vec<f64>,
}

impl Moments {
    pub fn new(dim: usize) -> Self {
        Self { count: 0, mean: vec![0.0; dim], products: vec![0.0; dim * dim] }
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    /// Adds `samples`, vectors one after the other.
    ///
    /// # Errors
    /// Where they are not whole vectors or not finite.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), LatentError> {
        let dim = self.mean.len();
        let added = samples.len() / dim.max(1);
        check("a batch of samples", samples, added * dim)?;
        if added == 0 {
            return Ok(());
        }
        let mut mean = vec![0.0; dim];
        for sample in samples.chunks_exact(dim) {
            mean.iter_mut().zip(sample).for_each(|(mean, value)| *mean += f64::from(*value));
        }
        mean.iter_mut().for_each(|mean| *mean /= added as f64);
        let centred: Vec<f64> = samples
            .chunks_exact(dim)
            .flat_map(|sample| {
                sample.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean)
            })
            .collect();
        let shift: Vec<f64> = mean.iter().zip(&self.mean).map(|(new, old)| new - old).collect();
        let total = self.count + added;
        let weight = self.count as f64 * added as f64 / total as f64;
        self.products.par_chunks_exact_mut(dim).enumerate().for_each(|(i, row)| {
            for sample in centred.chunks_exact(dim) {
                row.iter_mut().zip(sample).for_each(|(sum, value)| *sum += sample[i] * value);
            }
            row.iter_mut().zip(&shift).for_each(|(sum, s)| *sum += weight * shift[i] * s);
        });
        for (mean, shift) in self.mean.iter_mut().zip(&shift) {
            *mean += shift * added as f64 / total as f64;
        }
        self.count = total;
        Ok(())
    }

    /// The mean of all samples; zeros without any.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The unbiased covariance, `[dim, dim]`.
    ///
    /// # Errors
    /// With fewer than two samples.
    pub fn covariance(&self) -> Result<Vec<f64>, LatentError> {
        if self.count < 2 {
            return Err(LatentError::Unsolvable("two samples at least show how numbers vary"));
        }
        let norm = 1.0 / (self.count - 1) as f64;
        Ok(self.products.iter().map(|value| value * norm).collect())
    }

    /// The `count` components along which the samples vary most; all where there are fewer.
    ///
    /// # Errors
    /// With fewer than two samples.
    pub fn pca(&self, count: usize) -> Result<Pca, LatentError> {
        let dim = self.mean.len();
        let eigen = symmetric_eigen(&self.covariance()?, dim)?;
        let count = count.min(dim);
        let narrow = |values: &[f64]| -> Vec<f32> { values.iter().map(|v| *v as f32).collect() };
        let sigma: Vec<f64> = eigen.values[..count].iter().map(|v| v.max(0.0).sqrt()).collect();
        Pca::new(narrow(&self.mean), narrow(&eigen.vectors[..count * dim]), narrow(&sigma))
    }
}

/// Principal components of W.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    mean: Vec<f32>,
    components: Vec<f32>,
    sigma: Vec<f32>,
}

impl Pca {
    /// From the mean `[dim]`, unit vectors `[count, dim]` one after the other and the standard
    /// deviation along each.
    ///
    /// # Errors
    /// Where they do not fit each other or are not finite.
    pub fn new(mean: Vec<f32>, components: Vec<f32>, sigma: Vec<f32>) -> Result<Self, LatentError> {
        check("the mean of W", &mean, mean.len())?;
        check("the components of W", &components, mean.len() * sigma.len())?;
        check("the deviations of W", &sigma, sigma.len())?;
        Ok(Self { mean, components, sigma })
    }

    pub const fn dim(&self) -> usize {
        self.mean.len()
    }

    /// The mean code, one row.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Unit vectors, that of the largest deviation first.
    pub fn components(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.components.chunks_exact(self.mean.len().max(1))
    }

    /// Mean, components and deviations, for a file.
    pub(super) fn parts(&self) -> [&[f32]; 3] {
        [&self.mean, &self.components, &self.sigma]
    }

    /// Standard deviation along each component.
    pub fn sigma(&self) -> &[f32] {
        &self.sigma
    }

    /// The standard deviation of W along `vector`, whatever its length; what the components leave
    /// out counts as none. 0 for a vector without direction.
    pub fn sigma_along(&self, vector: &[f32]) -> f32 {
        let wide: Vec<f64> = vector.iter().map(|value| f64::from(*value)).collect();
        let length = dot(&wide, &wide).sqrt();
        let variance = self.components().zip(&self.sigma).map(|(component, sigma)| {
            let along: f64 = component.iter().zip(&wide).map(|(c, v)| f64::from(*c) * v).sum();
            (along / length * f64::from(*sigma)).powi(2)
        });
        let sigma = variance.sum::<f64>().sqrt();
        if sigma.is_finite() { sigma as f32 } else { 0.0 }
    }
}
