//! What optimising a picture needs beside the kernels: Gram matrices, distances, and gradients
//! that run backwards through activations and poolings.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Stop;
use super::map::Map;
use crate::nets::graph::Sides;

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

/// The gradient before a pooling to the largest of `side` × `side` pixels every `stride`: that of
/// each window goes to the first pixel that is.
pub fn max_pool_backward(
    input: &Map,
    gradient: &Map,
    [side, stride]: [usize; 2],
    pad: Sides,
) -> Map {
    // The windows that hold a place, and the places that a window holds, along one axis.
    let windows = |at: usize, before: usize, count: usize| {
        let first = (at + before + 1).saturating_sub(side).div_ceil(stride);
        first..((at + before) / stride + 1).min(count)
    };
    let places = |window: usize, before: usize, len: usize| {
        let start = window * stride;
        start.saturating_sub(before)..(start + side).saturating_sub(before).min(len)
    };
    let padded = input.padded();
    Map::build(input.height, input.width, input.channels, |y, row| {
        for (x, to) in row.chunks_exact_mut(padded).enumerate() {
            let own = input.pixel(x, y);
            for window_y in windows(y, pad[0], gradient.height) {
                for window_x in windows(x, pad[2], gradient.width) {
                    let from = gradient.pixel(window_x, window_y);
                    let columns = places(window_x, pad[2], input.width);
                    let all = places(window_y, pad[0], input.height)
                        .flat_map(|y| columns.clone().map(move |x| (y, x)));
                    // Before it are smaller ones only, behind it none that is larger.
                    let others: Vec<(bool, &[f32])> = all
                        .filter(|place| *place != (y, x))
                        .map(|place| (place < (y, x), input.pixel(place.1, place.0)))
                        .collect();
                    for (channel, to) in to.iter_mut().enumerate() {
                        let beats = |(before, other): &(bool, &[f32])| {
                            let other = other[channel];
                            if *before { other < own[channel] } else { other <= own[channel] }
                        };
                        if others.iter().all(beats) {
                            *to += from[channel];
                        }
                    }
                }
            }
        }
    })
}
