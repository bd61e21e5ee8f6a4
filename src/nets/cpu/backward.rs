//! What optimising a picture needs beside the kernels: Gram matrices, distances, and gradients
//! that run backwards through activations and poolings.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Stop;
use super::map::Map;

/// Pixels that share one pass over the sums: with the widest maps they fill half a first-level
/// cache.
const GROUP: usize = 8;
/// Parts of a picture that are summed by themselves: one order of adding, whatever the number
/// of threads.
const PARTS: usize = 16;

/// `Σ F_i F_j` over all pixels for channels `i`, `j`, row by row. What is left out when `stop`
/// answers true is unspecified.
pub fn gram(map: &Map, stop: Stop<'_>) -> Vec<f32> {
    let (channels, padded) = (map.channels, map.padded());
    let rows_each = map.height.div_ceil(PARTS).max(1);
    let starts: Vec<usize> = (0..map.height).step_by(rows_each).collect();
    let parts: Vec<Vec<f32>> = starts
        .into_par_iter()
        .map(|start| {
            let mut sums = vec![0.0; channels * padded];
            for y in start..(start + rows_each).min(map.height) {
                if stop() {
                    break;
                }
                for pixels in map.row(y).chunks(GROUP * padded) {
                    super::dispatch(Outer { pixels, padded, sums: &mut sums });
                }
            }
            sums
        })
        .collect();
    let sum = |at: usize| parts.iter().map(|part| f64::from(part[at])).sum::<f64>() as f32;
    (0..channels * channels).map(|at| sum(at / channels * padded + at % channels)).collect()
}

/// Adds the products of a few pixels.
struct Outer<'a> {
    pixels: &'a [f32],
    padded: usize,
    /// `[channels, padded]`.
    sums: &'a mut [f32],
}

impl WithSimd for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pixels, padded, sums } = self;
        for (channel, sums) in sums.chunks_exact_mut(padded).enumerate() {
            for (vector, sum) in S::as_mut_simd_f32s(sums).0.iter_mut().enumerate() {
                let mut total = *sum;
                for pixel in pixels.chunks_exact(padded) {
                    let value = simd.splat_f32s(pixel[channel]);
                    total = simd.mul_add_e_f32s(value, S::as_simd_f32s(pixel).0[vector], total);
                }
                *sum = total;
            }
        }
    }
}

/// `Σ (a - b)²` over everything.
pub fn squared_distance(a: &Map, b: &Map) -> f64 {
    let (channels, padded) = (a.channels, a.padded());
    let row = |y: usize| -> f64 {
        let pixels = a.row(y).chunks_exact(padded).zip(b.row(y).chunks_exact(padded));
        let pixel = |(a, b): (&[f32], &[f32])| -> f64 {
            let numbers = a.iter().zip(b).take(channels);
            numbers.map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        pixels.map(pixel).sum()
    };
    let rows: Vec<f64> = (0..a.height).into_par_iter().map(row).collect();
    rows.iter().sum()
}

/// Adds `more` times `factor`, number by number.
pub fn add_scaled(map: &mut Map, more: &Map, factor: f32) {
    map.change_rows(|y, row| {
        row.iter_mut().zip(more.row(y)).for_each(|(to, more)| *to += factor * more);
    });
}

/// Sets the gradient to zero where a ReLU yielded `result` 0.
pub fn relu_backward(gradient: &mut Map, result: &Map) {
    gradient.change_rows(|y, row| {
        for (gradient, result) in row.iter_mut().zip(result.row(y)) {
            if *result <= 0.0 {
                *gradient = 0.0;
            }
        }
    });
}

/// The gradient before a pooling to the largest of 2×2 pixels: it goes to the first that is.
pub fn max_pool_backward(input: &Map, gradient: &Map) -> Map {
    const PLACES: [(usize, usize); 4] = [(0, 0), (1, 0), (0, 1), (1, 1)];
    let padded = input.padded();
    Map::build(input.height, input.width, input.channels, |y, row| {
        // An odd last row or column was left out.
        if y / 2 >= gradient.height {
            return;
        }
        for (x, to) in row.chunks_exact_mut(padded).enumerate().take(2 * gradient.width) {
            let window = PLACES.map(|(dx, dy)| input.pixel(x / 2 * 2 + dx, y / 2 * 2 + dy));
            let own = y % 2 * 2 + x % 2;
            let from = gradient.pixel(x / 2, y / 2);
            for (channel, to) in to.iter_mut().enumerate() {
                let value = window[own][channel];
                let is_first = window[..own].iter().all(|other| other[channel] < value);
                if is_first && window[own..].iter().all(|other| other[channel] <= value) {
                    *to = from[channel];
                }
            }
        }
    })
}
