//! Fractal value noise: random numbers on grids, each twice as fine, joined smoothly.

use crate::latent::random::SplitMix64;

/// Layers of detail, at most.
const LAYERS: usize = 10;

/// A cloud for every place of the plane.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Cell side in pixels and weight of each layer; weights add up to 1.
    layers: Vec<(f64, f64)>,
    seed: u64,
}

impl Cloud {
    /// `scale_px` is the side of the largest cells; each further layer counts `roughness` times
    /// the one before.
    pub fn new(scale_px: f64, roughness: f64, seed: u64) -> Self {
        let sides = (0..LAYERS).map(|layer| scale_px / f64::from(1u32 << layer));
        // Finer than a pixel is noise that nobody sees.
        let sides = sides.enumerate().filter(|(layer, side)| *layer == 0 || *side >= 1.0);
        let mut layers: Vec<(f64, f64)> =
            sides.map(|(layer, side)| (side.max(1.0), roughness.powi(layer as i32))).collect();
        let total: f64 = layers.iter().map(|(_, weight)| weight).sum();
        layers.iter_mut().for_each(|(_, weight)| *weight /= total);
        Self { layers, seed }
    }

    /// `0..=1`.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        let layer = |(index, (side, weight)): (usize, &(f64, f64))| {
            weight * value(x / side, y / side, self.seed.wrapping_add(index as u64 * 0x51))
        };
        self.layers.iter().enumerate().map(layer).sum()
    }
}

/// Between the numbers at the four corners of a cell, without a crease.
fn value(x: f64, y: f64, seed: u64) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    let smooth = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (u, v) = (smooth(x - column), smooth(y - row));
    let corner = |dx: i64, dy: i64| hash(column as i64 + dx, row as i64 + dy, seed);
    let lerp = |a: f64, b: f64, t: f64| a + (b - a) * t;
    let top = lerp(corner(0, 0), corner(1, 0), u);
    lerp(top, lerp(corner(0, 1), corner(1, 1), u), v)
}

/// A number of `0..1` for a place of a grid, by SplitMix64's finaliser (Steele, Lea, Flood 2014).
pub fn hash(x: i64, y: i64, seed: u64) -> f64 {
    let mixed = (x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ seed.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (SplitMix64::new(mixed).bits() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_has_no_steps_and_stays_in_range() {
        let cloud = Cloud::new(64.0, 0.0, 3);
        let mut before = cloud.at(0.0, 7.0);
        for step in 1..4000 {
            let value = cloud.at(f64::from(step) * 0.1, 7.0);
            assert!((0.0..=1.0).contains(&value));
            assert!((value - before).abs() < 0.01, "a step at {step}");
            before = value;
        }
    }

    #[test]
    fn hashed_numbers_are_spread_evenly() {
        let numbers: Vec<f64> = (0..100_000).map(|i| hash(i % 317, i / 317, 9)).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let tenth = numbers.iter().filter(|n| **n < 0.1).count() as f64 / 1e5;
        assert!((mean - 0.5).abs() < 0.005 && (tenth - 0.1).abs() < 0.005, "{mean} {tenth}");
    }
}
