//! Ways from code to code.

use super::random::Normal;
use super::{Code, LatentError};

/// `a + t (b - a)`; exactly `a` at 0 and `b` at 1.
pub fn lerp(a: &[f32], b: &[f32], t: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| if t == 1.0 { *b } else { a + t * (b - a) }).collect()
}

/// Along the great circle from `a` to `b` (Shoemake 1985), the length changing linearly; for
/// vectors on nearly one line it is [`lerp`]. Normal numbers stay as probable on the way.
pub fn slerp(a: &[f32], b: &[f32], t: f32) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let (length_a, length_b) = (dot(a, a).sqrt(), dot(b, b).sqrt());
    let cosine = dot(a, b) / (length_a * length_b);
    // Opposite vectors have no single way round; a zero vector has no direction.
    if !cosine.is_finite() || cosine.abs() > 1.0 - 1e-9 || t == 0.0 || t == 1.0 {
        return lerp(a, b, t);
    }
    let (angle, t) = (cosine.acos(), f64::from(t));
    let length = length_a + t * (length_b - length_a);
    let from = length / length_a * ((1.0 - t) * angle).sin() / angle.sin();
    let to = length / length_b * (t * angle).sin() / angle.sin();
    a.iter().zip(b).map(|(a, b)| (from * f64::from(*a) + to * f64::from(*b)) as f32).collect()
}

/// How a [`Path`] goes between its codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
    /// Straight from each to the next.
    Linear,
    /// Row by row along great circles about 0.
    Spherical,
    /// Through all codes without a corner (Catmull and Rom 1974, uniform).
    #[default]
    Smooth,
}

/// A way through codes of one network.
#[derive(Clone, Debug)]
pub struct Path<'a> {
    keys: &'a [Code],
    curve: Curve,
    closed: bool,
}

impl<'a> Path<'a> {
    /// A way through `keys` in order, back to the first where `closed`.
    ///
    /// # Errors
    /// Where there is no code or they do not belong to one network.
    pub fn new(keys: &'a [Code], curve: Curve, closed: bool) -> Result<Self, LatentError> {
        let first = keys.first().ok_or(LatentError::Unsolvable("a path needs a code"))?;
        if keys.iter().any(|key| !key.fits(first)) {
            return Err(LatentError::Unsolvable("the codes of a path belong to different models"));
        }
        Ok(Self { keys, curve, closed })
    }

    /// Number of legs.
    pub const fn legs(&self) -> usize {
        self.keys.len() - !self.closed as usize
    }

    /// The code at `t`, `0..=1` from end to end; every code is passed exactly, at equal distances
    /// of `t`. Beyond, a closed path goes round and an open one stays at its end.
    ///
    /// # Errors
    /// Where the numbers overflow.
    pub fn at(&self, t: f64) -> Result<Code, LatentError> {
        let t = if self.closed { t.rem_euclid(1.0) } else { t.clamp(0.0, 1.0) };
        let along = t * self.legs() as f64;
        let leg = (along.floor() as usize).min(self.legs().saturating_sub(1));
        let within = (along - leg as f64) as f32;
        let (a, b) = (self.key(leg as isize), self.key(leg as isize + 1));
        if within == 0.0 {
            return Ok(a.clone());
        }
        if within == 1.0 {
            return Ok(b.clone());
        }
        let w = match self.curve {
            Curve::Linear => lerp(a.w(), b.w(), within),
            Curve::Spherical => {
                let rows = a.each_row().zip(b.each_row());
                rows.flat_map(|(a, b)| slerp(a, b, within)).collect()
            }
            Curve::Smooth => {
                let (before, after) = (self.key(leg as isize - 1), self.key(leg as isize + 2));
                let keys = [before.w(), a.w(), b.w(), after.w()];
                (0..a.w().len()).map(|at| catmull_rom(keys.map(|key| key[at]), within)).collect()
            }
        };
        a.with_w(w)
    }

    /// `count` codes at equal distances: from the first to the last of an open path, once round a
    /// closed one without repeating the first.
    pub fn frames(&self, count: usize) -> impl Iterator<Item = Result<Code, LatentError>> {
        let steps = if self.closed { count } else { count.saturating_sub(1) }.max(1);
        (0..count).map(move |frame| self.at(frame as f64 / steps as f64))
    }

    /// The key at an index that may lie outside.
    fn key(&self, index: isize) -> &Code {
        let count = self.keys.len() as isize;
        let index = if self.closed { index.rem_euclid(count) } else { index.clamp(0, count - 1) };
        &self.keys[index as usize]
    }
}

/// The uniform Catmull-Rom spline from the second value to the third.
fn catmull_rom([before, a, b, after]: [f32; 4], t: f32) -> f32 {
    let slope_a = (b - before) / 2.0;
    let slope_b = (after - a) / 2.0;
    let rise = b - a;
    let cubic = slope_a + slope_b - 2.0 * rise;
    let square = 3.0 * rise - 2.0 * slope_a - slope_b;
    a + t * (slope_a + t * (square + t * cubic))
}

/// A smooth seeded way through the random numbers of a generator that returns to its start: each
/// number is a periodic Gaussian process, so that every place is as probable as a fresh draw.
#[derive(Clone, Debug)]
pub struct Walk {
    /// `[len][harmonics]`: the weights of cosine and sine.
    weights: Vec<Vec<(f64, f64)>>,
}

impl Walk {
    /// A walk for `len` numbers. `turns` (at least 1) is how often it changes its mind on the way
    /// round: one turn passes about two unrelated pictures.
    pub fn new(seed: u64, len: usize, turns: usize) -> Self {
        let turns = turns.clamp(1, 256);
        let mut normal = Normal::new(seed);
        let mut next = || normal.next().unwrap_or_default();
        let weights = (0..len).map(|_| (0..turns).map(|_| (next(), next())).collect()).collect();
        Self { weights }
    }

    /// The numbers at `t`, which repeat with period 1. The same everywhere but for the last bits,
    /// which are the platform's sine's.
    pub fn at(&self, t: f64) -> Vec<f32> {
        let place = |weights: &Vec<(f64, f64)>| {
            let turns = weights.iter().zip(1u32..).map(|((cosine, sine), turn)| {
                let angle = std::f64::consts::TAU * (t * f64::from(turn)).rem_euclid(1.0);
                cosine * angle.cos() + sine * angle.sin()
            });
            (turns.sum::<f64>() / (weights.len() as f64).sqrt()) as f32
        };
        self.weights.iter().map(place).collect()
    }
}
