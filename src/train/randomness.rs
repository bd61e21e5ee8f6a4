//! Random numbers that follow from the seed of a run and the place where they are used.

use crate::latent::random::{Normal, SplitMix64};

/// What random numbers are for; streams of different purposes have nothing in common.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    Start,
    Latents,
    Noise,
    Mixing,
    Augmentation,
    Order,
    Mirror,
    Between,
    Paths,
}

/// The random numbers of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Randomness(pub u64);

impl Randomness {
    /// A seed for one use.
    fn seed(self, purpose: Purpose, at: u64) -> u64 {
        let of_purpose = SplitMix64::new(self.0 ^ ((purpose as u64 + 1) << 56)).bits();
        SplitMix64::new(of_purpose ^ at).bits()
    }

    /// Standard normal numbers, without end.
    pub fn normal(self, purpose: Purpose, at: u64) -> Normal {
        Normal::new(self.seed(purpose, at))
    }

    /// Uniform numbers.
    pub fn uniform(self, purpose: Purpose, at: u64) -> Uniform {
        Uniform(SplitMix64::new(self.seed(purpose, at)))
    }
}

/// Uniform random numbers, without end.
#[derive(Clone, Debug)]
pub struct Uniform(SplitMix64);

impl Uniform {
    /// In `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.0.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// In `0..below`, which must not be 0.
    pub const fn below(&mut self, below: usize) -> usize {
        self.0.below(below)
    }

    /// `0..count` in random order.
    pub fn shuffled(&mut self, count: usize) -> Vec<usize> {
        self.0.shuffled(count)
    }
}
