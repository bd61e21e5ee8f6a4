//! Points in the plane whose distribution a generator of points can learn in a minute, and can be
//! watched at it (GAN Lab, Kahng et al. 2018).

use serde::{Deserialize, Serialize};

use super::data::Dataset;
use crate::latent::random::{Normal, SplitMix64};

/// Points of a set.
const COUNT: usize = 4096;
/// Deviation about the shape.
const BLUR: f64 = 0.03;

/// A distribution of points within `-1..=1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Toy {
    #[default]
    Ring,
    /// Eight heaps on a circle: the classic of mode collapse.
    Heaps,
    Spiral,
    /// Two half circles that reach into each other.
    Moons,
}

impl Toy {
    pub const ALL: [Self; 4] = [Self::Ring, Self::Heaps, Self::Spiral, Self::Moons];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "Ring",
            Self::Heaps => "Eight heaps",
            Self::Spiral => "Spiral",
            Self::Moons => "Two moons",
        }
    }

    /// Points of it, the same for the same seed.
    pub fn dataset(self, seed: u64) -> Dataset {
        use std::f64::consts::{PI, TAU};
        let (mut random, mut normal) = (SplitMix64::new(seed), Normal::new(seed));
        let mut unit = || (random.bits() >> 11) as f64 / (1u64 << 53) as f64;
        let mut blur = || normal.next().unwrap_or(0.0) * BLUR;
        let mut numbers = Vec::with_capacity(2 * COUNT);
        for _ in 0..COUNT {
            let at = unit();
            let (x, y) = match self {
                Self::Ring => ((at * TAU).cos() * 0.8, (at * TAU).sin() * 0.8),
                Self::Heaps => {
                    let angle = (at * 8.0).floor() / 8.0 * TAU;
                    (angle.cos() * 0.8, angle.sin() * 0.8)
                }
                Self::Spiral => {
                    let (angle, radius) = (at.sqrt() * 1.5 * TAU, at.sqrt() * 0.9);
                    (angle.cos() * radius, angle.sin() * radius)
                }
                Self::Moons => {
                    let angle = (at * 2.0).fract() * PI;
                    if at < 0.5 {
                        (angle.cos() * 0.6 - 0.3, angle.sin() * 0.6 - 0.2)
                    } else {
                        (0.3 - angle.cos() * 0.6, 0.2 - angle.sin() * 0.6)
                    }
                }
            };
            numbers.extend([(x + blur()) as f32, (y + blur()) as f32]);
        }
        Dataset::of_numbers([2, 1, 1], numbers)
    }
}
