//! A sample of a stream in bounded memory.

use super::{MetricsError, check_finite};
use crate::latent::random::SplitMix64;

/// At most so many vectors of a stream, each as likely as any other (Vitter 1985, algorithm R);
/// all of them, in order, while there are no more.
#[derive(Clone, Debug)]
pub struct Reservoir {
    dim: usize,
    capacity: usize,
    seen: usize,
    vectors: Vec<f32>,
    random: SplitMix64,
}

impl Reservoir {
    /// Vectors that metrics keep of each side: 32 MiB of the 2048 numbers of Inception-v3.
    pub const CAPACITY: usize = 4096;

    pub const fn new(dim: usize, capacity: usize, seed: u64) -> Self {
        let random = SplitMix64::new(seed);
        Self { dim, capacity, seen: 0, vectors: Vec::new(), random }
    }

    /// Numbers of a vector.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// Vectors that are kept.
    pub fn len(&self) -> usize {
        self.vectors.len() / self.dim.max(1)
    }

    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Vectors that came by.
    pub const fn seen(&self) -> usize {
        self.seen
    }

    /// A vector that was kept.
    ///
    /// # Panics
    /// Beyond [`Reservoir::len`].
    pub fn vector(&self, at: usize) -> &[f32] {
        &self.vectors[at * self.dim..][..self.dim]
    }

    /// All that are kept, one after the other.
    pub fn vectors(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.vectors.chunks_exact(self.dim.max(1))
    }

    /// Shows it one vector.
    ///
    /// # Errors
    /// Where it has another length or is not finite.
    pub fn push(&mut self, vector: &[f32]) -> Result<(), MetricsError> {
        if vector.len() != self.dim {
            return Err(MetricsError::Dimensions(self.dim, vector.len()));
        }
        check_finite(vector)?;
        self.seen += 1;
        if self.len() < self.capacity {
            self.vectors.extend_from_slice(vector);
            return Ok(());
        }
        let place = self.random.below(self.seen);
        if place < self.capacity {
            self.vectors[place * self.dim..][..self.dim].copy_from_slice(vector);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_a_stream_is_as_likely_kept() {
        let mut hits = [0u32; 40];
        for seed in 0..2000 {
            let mut reservoir = Reservoir::new(1, 10, seed);
            for value in 0..40 {
                reservoir.push(&[value as f32]).unwrap();
            }
            assert_eq!((reservoir.len(), reservoir.seen()), (10, 40));
            reservoir.vectors().for_each(|vector| hits[vector[0] as usize] += 1);
        }
        // A quarter of 2000; six deviations of a binomial.
        assert!(hits.iter().all(|hits| hits.abs_diff(500) < 117), "{hits:?}");
        let mut all = Reservoir::new(2, 3, 0);
        assert!(
            all.is_empty() && all.push(&[0.0; 3]).is_err() && all.push(&[f32::NAN; 2]).is_err()
        );
        all.push(&[1.0, 2.0]).unwrap();
        assert_eq!(all.vector(0), [1.0, 2.0]);
    }
}
