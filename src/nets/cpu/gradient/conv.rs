//! Convolutions backwards: to what went in, and to their weights.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::nets::cpu::conv::{Kernel, dense_weight};
use crate::nets::cpu::epilogue::Epilogue;
use crate::nets::cpu::map::Map;
use crate::nets::cpu::{Stop, dispatch};
use crate::nets::graph::{Conv, Edge, Layout};

/// Channels of one map that share a pass over the other: with two vectors each, 12 sums in
/// registers.
const TILE: usize = 6;

/// Whether [`adjoint`] and [`weight_gradient`] know this kind.
pub fn is_supported(conv: &Conv) -> bool {
    (conv.edge == Edge::Zero || conv.pad == [0; 4]) && conv.groups == 1
}

/// The convolution from the gradient of the results to that of what went in.
pub fn adjoint(conv: &Conv, weight: &[f32]) -> Kernel {
    let (from, to) = (conv.channels_in, conv.channels_out);
    let dense = dense_weight(conv, weight);
    let mut back = conv.clone().no_bias().layout(Layout::Kernel).output_pad(0);
    (back.channels_in, back.channels_out, back.transposed) = (to, from, !conv.transposed);
    // Half a turn makes a transposed convolution of stride 1 a plain one, for which there are
    // faster kernels.
    let reach = conv.kernel.map(|side| (side - 1) * conv.dilation);
    let [top, bottom, left, right] = conv.pad;
    let fits = top.max(bottom) <= reach[0] && left.max(right) <= reach[1];
    let turns = conv.stride == 1 && !conv.transposed && fits;
    if turns {
        back.transposed = false;
        back.pad = [reach[0] - top, reach[0] - bottom, reach[1] - left, reach[1] - right];
    }
    let weight = if back.transposed { dense } else { exchanged(&dense, from, to, turns) };
    Kernel::new(&back, &weight, &[to], Epilogue::new(&vec![0.0; from]))
}

/// `[to, from, area]` as `[from, to, area]`, each kernel by half a turn where `turns`.
fn exchanged(weight: &[f32], from: usize, to: usize, turns: bool) -> Vec<f32> {
    let area = weight.len() / (from * to).max(1);
    let mut result = Vec::with_capacity(weight.len());
    for input in 0..from {
        for out in 0..to {
            let kernel = weight[(out * from + input) * area..][..area].iter();
            if turns {
                result.extend(kernel.rev());
            } else {
                result.extend(kernel);
            }
        }
    }
    result
}

/// The gradient of the weight, as it is stored, from what went in and the gradient of the results.
pub fn weight_gradient(conv: &Conv, input: &Map, gradient: &Map, stop: Stop<'_>) -> Vec<f32> {
    // The map whose pixels lie `stride` apart in the other's.
    let (coarse, fine) = if conv.transposed { (input, gradient) } else { (gradient, input) };
    let area = conv.kernel[0] * conv.kernel[1];
    let tiles = coarse.channels.div_ceil(TILE);
    let sums: Vec<Vec<f32>> = (0..area * tiles)
        .into_par_iter()
        .map(|task| {
            let mut sums = vec![0.0; TILE * fine.padded()];
            if !stop() {
                let (place, first) = (task / tiles, task % tiles * TILE);
                dispatch(Products { conv, coarse, fine, place, first, sums: &mut sums });
            }
            sums
        })
        .collect();
    let sum = |place: usize, coarse: usize, other: usize| {
        sums[place * tiles + coarse / TILE][coarse % TILE * fine.padded() + other]
    };
    // Which of the two comes first in the stored weight.
    let coarse_first = match conv.layout {
        Layout::Kernel => true,
        Layout::OutFirst | Layout::OutIn => !conv.transposed,
        Layout::InOut => conv.transposed,
    };
    let mut weight = Vec::with_capacity(area * coarse.channels * fine.channels);
    if coarse_first {
        for at in 0..coarse.channels * fine.channels {
            let (a, b) = (at / fine.channels, at % fine.channels);
            weight.extend((0..area).map(|place| sum(place, a, b)));
        }
    } else {
        for at in 0..coarse.channels * fine.channels {
            let (b, a) = (at / coarse.channels, at % coarse.channels);
            weight.extend((0..area).map(|place| sum(place, a, b)));
        }
    }
    weight
}

/// Sums over all pixels of the products of a few channels of one map with all of the other.
struct Products<'a> {
    conv: &'a Conv,
    coarse: &'a Map,
    fine: &'a Map,
    place: usize,
    /// Channel.
    first: usize,
    /// `[TILE, padded]`.
    sums: &'a mut [f32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { conv, coarse, fine, place, first, sums } = self;
        let (ky, kx) = (place / conv.kernel[1], place % conv.kernel[1]);
        let meets = |at: usize, k: usize, before: usize, len: usize| {
            (at * conv.stride + k * conv.dilation).checked_sub(before).filter(|at| *at < len)
        };
        // Padding channels repeat the last one and are never read.
        let channels: [usize; TILE] =
            std::array::from_fn(|index| (first + index).min(coarse.channels - 1));
        let vectors = fine.padded() / S::F32_LANES;
        let sums = S::as_mut_simd_f32s(sums).0;
        for left in (0..vectors).step_by(2) {
            let right = (left + 1).min(vectors - 1);
            let mut total = [[simd.splat_f32s(0.0); 2]; TILE];
            for y in 0..coarse.height {
                let Some(fine_y) = meets(y, ky, conv.pad[0], fine.height) else { continue };
                for x in 0..coarse.width {
                    let Some(fine_x) = meets(x, kx, conv.pad[2], fine.width) else { continue };
                    let values = S::as_simd_f32s(fine.pixel(fine_x, fine_y)).0;
                    let pixel = coarse.pixel(x, y);
                    let (a, b) = (values[left], values[right]);
                    for (total, channel) in total.iter_mut().zip(channels) {
                        let value = simd.splat_f32s(pixel[channel]);
                        total[0] = simd.mul_add_e_f32s(value, a, total[0]);
                        total[1] = simd.mul_add_e_f32s(value, b, total[1]);
                    }
                }
            }
            for (index, total) in total.into_iter().enumerate() {
                sums[index * vectors + left] = total[0];
                sums[index * vectors + right] = total[1];
            }
        }
    }
}
