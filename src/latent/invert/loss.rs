//! What a picture is judged by.

use crate::nets::Planes;

/// A number that says how far a picture is from what is wanted.
pub trait Term {
    /// The number for a picture `[3, side, side]`, nominally `-1..=1`, and its gradient.
    fn measure(&mut self, picture: &Planes) -> (f64, Planes);
}

/// Smallest side of a pyramid's level.
const MIN_SIDE: usize = 4;

/// Side of the window around a pixel in which a hole makes it count, for pictures of 64 pixels (Yeh
/// et al. 2017).
const WINDOW: usize = 7;
const WINDOW_OF: usize = 64;
/// What pixels far from every hole count, so that the whole stays what it is.
const FAR: f32 = 0.1;

/// How much the pixels around a hole say of what is in it: nothing inside, else by how much of their
/// surroundings is missing. `hole` is square, row by row.
pub fn near_hole(hole: &[bool]) -> Vec<f32> {
    let side = hole.len().isqrt();
    let reach = (WINDOW / 2 * side).div_ceil(WINDOW_OF).max(1);
    let around = |at: usize| at.saturating_sub(reach)..(at + reach + 1).min(side);
    let weight = |at: usize| {
        if hole[at] {
            return 0.0;
        }
        let (rows, columns) = (around(at / side), around(at % side));
        let count = (rows.len() * columns.len()) as f32;
        let missing =
            rows.map(|y| hole[y * side..][columns.clone()].iter().filter(|h| **h).count());
        (missing.sum::<usize>() as f32 / count).max(FAR)
    };
    (0..side * side).map(weight).collect()
}

/// The mean squared difference to a picture at its own size and at every half, so that a face
/// finds its place before its details. Pixels count by weight: what is hidden, 0.
pub struct Pyramid {
    target: Planes,
    /// One a pixel.
    weights: Vec<f32>,
}

impl Pyramid {
    /// `target` is `[3, side, side]`, `-1..=1`; `weights` are `0..=1`, one a pixel. `None` where
    /// they are not as many, or none is above 0.
    pub fn new(target: Planes, weights: Vec<f32>) -> Option<Self> {
        let fits = weights.len() == target.height * target.width
            && target.data.len() == target.channels * weights.len();
        (fits && weights.iter().any(|weight| *weight > 0.0)).then_some(Self { target, weights })
    }
}

impl Term for Pyramid {
    fn measure(&mut self, picture: &Planes) -> (f64, Planes) {
        let weights = self.weights.iter().cycle();
        let pairs = picture.data.iter().zip(&self.target.data).zip(weights);
        let difference = pairs.map(|((have, want), weight)| weight * (have - want)).collect();
        let difference = Planes { data: difference, ..*picture };
        let total: f64 = self.weights.iter().map(|weight| f64::from(*weight)).sum();
        let share = total / self.weights.len() as f64;
        let (loss, mut slope) = levels(&difference);
        let weights = self.weights.iter().cycle();
        for (slope, weight) in slope.data.iter_mut().zip(weights) {
            *slope *= weight / share as f32;
        }
        (loss / share, slope)
    }
}

/// The mean square of `difference` and of each halving, and the gradient of their sum.
fn levels(difference: &Planes) -> (f64, Planes) {
    let count = difference.data.len() as f64;
    let squares: f64 = difference.data.iter().map(|value| f64::from(*value).powi(2)).sum();
    let mut loss = squares / count;
    let scale = (2.0 / count) as f32;
    let mut slope =
        Planes { data: difference.data.iter().map(|value| value * scale).collect(), ..*difference };
    let (height, width) = (difference.height, difference.width);
    let halves = height.is_multiple_of(2) && width.is_multiple_of(2);
    if halves && height.min(width) / 2 >= MIN_SIDE {
        let place = |at: usize| {
            let (plane, at) = (at / (height * width), at % (height * width));
            (plane * height / 2 + at / width / 2) * (width / 2) + at % width / 2
        };
        let (height, width) = (height / 2, width / 2);
        let mut smaller = vec![0.0; difference.channels * height * width];
        for (at, value) in difference.data.iter().enumerate() {
            smaller[place(at)] += value / 4.0;
        }
        let smaller = Planes { channels: difference.channels, height, width, data: smaller };
        let (rest, below) = levels(&smaller);
        loss += rest;
        for (at, slope) in slope.data.iter_mut().enumerate() {
            *slope += below.data[place(at)] / 4.0;
        }
    }
    (loss, slope)
}
