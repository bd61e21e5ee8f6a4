//! Convolutions on the processor: which kernel runs which, and the direct one.
//!
//! Winograd's minimal filtering takes the 3×3 convolutions of stride 1 with enough channels, a
//! product of matrices the 1×1 ones, a channel-wise kernel the depthwise ones, one of its own those
//! that read or make few channels, another the transposed ones whose squares do not overlap, the
//! direct kernel the rest, transposed ones included: a result pixel of theirs is the sum over the
//! kernel places that fall on it, and pixels at `stride` distance share these places.

use pulp::{Simd, WithSimd};

use super::Stop;
use super::depthwise::Depthwise;
use super::epilogue::{Epilogue, Modulation};
use super::few::Few;
use super::map::{LANES, Map};
use super::pointwise::Pointwise;
use super::tiled::Tiled;
use super::winograd::{Phases, Winograd};
use crate::nets::graph::{Conv, Edge, Layout};

/// Result pixels in one register tile: with two vectors each, 12 sums, 2 weights and 1 input
/// fill 15 of the 16 vector registers of AVX2.
const TILE: usize = 6;
/// Fewest channels, in and out, with which the transforms of Winograd's method pay off.
pub(super) const WINOGRAD_CHANNELS: usize = 12;

/// A convolution that is ready to run.
#[derive(Clone, Debug)]
pub enum Kernel {
    Winograd(Winograd),
    Phases(Phases),
    Pointwise(Pointwise),
    Few(Few),
    Direct(Direct),
    Depthwise(Depthwise),
    Tiled(Tiled),
}

impl Kernel {
    /// `weight` as in the checkpoint; `parts` are the channels of the maps that are read as one.
    pub fn new(conv: &Conv, weight: &[f32], parts: &[usize], epilogue: Epilogue) -> Self {
        let (from, to) = (conv.channels_in, conv.channels_out);
        if conv.groups > 1 && conv.groups == from && from == to && !conv.transposed {
            return Self::Depthwise(Depthwise::new(conv, weight, epilogue));
        }
        let dense = dense_weight(conv, weight);
        if Phases::fit(conv) {
            return Self::Phases(Phases::new(conv, &dense, parts, epilogue));
        }
        if Tiled::fit(conv) {
            return Self::Tiled(Tiled::new(conv, &dense, parts, &epilogue));
        }
        if Pointwise::fit(conv) {
            return Self::Pointwise(Pointwise::new(&dense, to, parts, epilogue));
        }
        let is_plain =
            conv.kernel == [3, 3] && (conv.stride, conv.dilation, conv.transposed) == (1, 1, false);
        if is_plain && from.min(to) >= WINOGRAD_CHANNELS {
            return Self::Winograd(Winograd::new(
                &dense,
                to,
                parts,
                (conv.pad, conv.edge),
                epilogue,
            ));
        }
        if Few::fit(conv) {
            return Self::Few(Few::new(conv, &dense, parts, epilogue));
        }
        Self::Direct(Direct::new(conv, &dense, parts, epilogue))
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Winograd(kernel) => kernel.bytes(),
            Self::Phases(kernel) => kernel.bytes(),
            Self::Pointwise(kernel) => kernel.bytes(),
            Self::Few(kernel) => kernel.bytes(),
            Self::Direct(kernel) => kernel.weights.len() as u64 * 4,
            Self::Depthwise(kernel) => kernel.bytes(),
            Self::Tiled(kernel) => kernel.bytes(),
        }
    }

    /// Convolves the concatenation of `maps`, all of one size. What is left out when `stop`
    /// answers true is unspecified.
    pub fn run(&self, maps: &[&Map], stop: Stop<'_>) -> Map {
        self.run_modulated(maps, None, stop)
    }

    /// [`Kernel::run`] with `modulation` before the bias, where [`takes_modulation`].
    pub fn run_modulated(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        stop: Stop<'_>,
    ) -> Map {
        match self {
            Self::Winograd(kernel) => kernel.run(maps, modulation, stop),
            Self::Phases(kernel) => kernel.run(maps, modulation, stop),
            Self::Pointwise(kernel) => kernel.run(maps, modulation, stop),
            Self::Few(kernel) => kernel.run(maps, modulation, stop),
            Self::Direct(kernel) => {
                let side = maps.first().map_or([0; 2], |map| [map.height, map.width]);
                kernel.run(maps, modulation, kernel.conv.output(side), stop)
            }
            Self::Depthwise(kernel) => kernel.run(maps, stop),
            Self::Tiled(kernel) => kernel.run(maps, stop),
        }
    }

    /// [`Kernel::run`] to results of a size that several inputs of a strided one may have.
    pub fn run_to(&self, maps: &[&Map], side: [usize; 2], stop: Stop<'_>) -> Map {
        match self {
            Self::Direct(kernel) => kernel.run(maps, None, side, stop),
            Self::Tiled(kernel) => kernel.run_to(maps, side, stop),
            _ => self.run(maps, stop),
        }
    }
}

/// Whether its kernel can modulate the results.
pub(super) fn takes_modulation(conv: &Conv) -> bool {
    conv.groups == 1 && !Tiled::fit(conv)
}

/// The weight as `[out, in, height, width]`: groups become blocks among zeros, transposed
/// weights and tables are turned.
pub(super) fn dense_weight(conv: &Conv, weight: &[f32]) -> Vec<f32> {
    let (from, to) = (conv.channels_in, conv.channels_out);
    let area = conv.kernel[0] * conv.kernel[1];
    let turned = match conv.layout {
        Layout::Kernel => conv.transposed,
        Layout::InOut => true,
        Layout::OutFirst | Layout::OutIn => false,
    };
    if conv.groups == 1 && !turned {
        return weight.to_vec();
    }
    let (group_in, group_out) = (from / conv.groups, to / conv.groups);
    let mut dense = vec![0.0; to * from * area];
    for group in 0..conv.groups {
        for o in 0..group_out {
            for i in 0..group_in {
                let (out, input) = (group * group_out + o, group * group_in + i);
                let at = if turned { input * group_out + o } else { out * group_in + i };
                let target = &mut dense[(out * from + input) * area..][..area];
                target.copy_from_slice(&weight[at * area..][..area]);
            }
        }
    }
    dense
}

/// Which input pixels one axis of the results reads.
#[derive(Debug)]
pub(super) struct Axis {
    /// Results at this distance read through the same kernel places.
    phases: usize,
    /// For each result: kernel place and input pixel, `None` for a zero.
    pub taps: Vec<Vec<(usize, Option<usize>)>>,
}

impl Axis {
    pub fn new(conv: &Conv, axis: usize, len: usize, out: usize) -> Self {
        let (side, before) = (conv.kernel[axis], conv.pad[2 * axis] as isize);
        let (stride, dilation) = (conv.stride as isize, conv.dilation as isize);
        let taps = |at: usize| -> Vec<(usize, Option<usize>)> {
            let at = at as isize;
            let places = 0..side;
            if conv.transposed {
                let from = |k: usize| at + before - k as isize * dilation;
                let falls = places.filter(|&k| from(k).rem_euclid(stride) == 0);
                falls.map(|k| (k, Edge::Zero.index(from(k).div_euclid(stride), len))).collect()
            } else {
                let from = |k: usize| at * stride - before + k as isize * dilation;
                places.map(|k| (k, conv.edge.index(from(k), len))).collect()
            }
        };
        let phases = if conv.transposed { conv.stride } else { 1 };
        Self { phases, taps: (0..out).map(taps).collect() }
    }
}

/// Any dense convolution.
#[derive(Clone, Debug)]
pub struct Direct {
    conv: Conv,
    /// Channels of the maps that are read as one.
    parts: Vec<usize>,
    /// `[kernel place, Σ parts, padded_out]`.
    weights: Vec<f32>,
    padded_out: usize,
    epilogue: Epilogue,
}

impl Direct {
    fn new(conv: &Conv, dense: &[f32], parts: &[usize], epilogue: Epilogue) -> Self {
        let (from, to) = (conv.channels_in, conv.channels_out);
        let area = conv.kernel[0] * conv.kernel[1];
        let padded_out = to.next_multiple_of(LANES);
        let mut weights = vec![0.0; area * from * padded_out];
        for place in 0..area {
            for input in 0..from {
                let row = &mut weights[(place * from + input) * padded_out..][..to];
                for (out, weight) in row.iter_mut().enumerate() {
                    *weight = dense[(out * from + input) * area + place];
                }
            }
        }
        Self { conv: conv.clone(), parts: parts.to_vec(), weights, padded_out, epilogue }
    }

    fn run(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        [out_height, out_width]: [usize; 2],
        stop: Stop<'_>,
    ) -> Map {
        let (height, width) = maps.first().map_or((0, 0), |map| (map.height, map.width));
        let rows = Axis::new(&self.conv, 0, height, out_height);
        let columns = Axis::new(&self.conv, 1, width, out_width);
        let zeros = vec![0.0; self.parts.iter().max().map_or(0, |c| c.next_multiple_of(LANES))];
        Map::build(out_height, out_width, self.conv.channels_out, |y, row| {
            if !stop() {
                let (taps, columns, zeros) = (&rows.taps[y], &columns, &zeros);
                let kernel = self;
                super::dispatch(Row { kernel, maps, modulation, y, taps, columns, zeros, row });
            }
        })
    }
}

/// One row of results.
struct Row<'a> {
    kernel: &'a Direct,
    maps: &'a [&'a Map],
    modulation: Option<Modulation<'a>>,
    y: usize,
    taps: &'a [(usize, Option<usize>)],
    columns: &'a Axis,
    /// A pixel outside.
    zeros: &'a [f32],
    row: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { kernel, maps, modulation, y, taps, columns, zeros, row } = self;
        let count = columns.taps.len();
        let phases = columns.phases;
        let vectors = kernel.padded_out / S::F32_LANES;
        for phase in 0..phases.min(count) {
            let mut first = phase;
            while first < count {
                // A short last tile repeats its first pixel and drops the copies.
                let mut tile = [first; TILE];
                for (index, place) in tile.iter_mut().enumerate() {
                    let at = first + index * phases;
                    *place = if at < count { at } else { first };
                }
                for vector in (0..vectors).step_by(2) {
                    let second = (vector + 1).min(vectors - 1);
                    let sums = sum_tile(simd, kernel, maps, taps, columns, zeros, tile, vector);
                    for (index, sums) in sums.into_iter().enumerate() {
                        let at = first + index * phases;
                        if at >= count {
                            break;
                        }
                        let own = modulation.map(|modulation| modulation.at(at, y));
                        let pixel = &mut row[at * kernel.padded_out..][..kernel.padded_out];
                        let pixel = S::as_mut_simd_f32s(pixel).0;
                        pixel[vector] = kernel.epilogue.apply(simd, vector, sums[0], own);
                        if second != vector {
                            pixel[second] = kernel.epilogue.apply(simd, second, sums[1], own);
                        }
                    }
                }
                first += TILE * phases;
            }
        }
    }
}

/// The sums of two vectors of channels for the pixels of a tile.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "an inlined part of one loop nest")]
fn sum_tile<S: Simd>(
    simd: S,
    kernel: &Direct,
    maps: &[&Map],
    taps: &[(usize, Option<usize>)],
    columns: &Axis,
    zeros: &[f32],
    tile: [usize; TILE],
    vector: usize,
) -> [[S::f32s; 2]; TILE] {
    let stride = kernel.padded_out / S::F32_LANES;
    let second = (vector + 1).min(stride - 1);
    let side = kernel.conv.kernel[1];
    let from = kernel.conv.channels_in;
    let mut sums = [[simd.splat_f32s(0.0); 2]; TILE];
    for &(ky, y) in taps {
        let Some(y) = y else { continue };
        for (place, &(kx, _)) in columns.taps[tile[0]].iter().enumerate() {
            let mut offset = (ky * side + kx) * from;
            for (map, &channels) in maps.iter().zip(&kernel.parts) {
                let mut pixels: [&[f32]; TILE] = [&[]; TILE];
                for (pixel, at) in pixels.iter_mut().zip(tile) {
                    *pixel = match columns.taps[at][place].1 {
                        Some(x) => &map.pixel(x, y)[..channels],
                        None => &zeros[..channels],
                    };
                }
                let weights = &kernel.weights[offset * kernel.padded_out..];
                let weights = &weights[..channels * kernel.padded_out];
                let weights = S::as_simd_f32s(weights).0;
                // The range tells the compiler that no channel is beyond a pixel's end.
                for (channel, weights) in (0..channels).zip(weights.chunks_exact(stride)) {
                    let (left, right) = (weights[vector], weights[second]);
                    for (sums, pixel) in sums.iter_mut().zip(pixels) {
                        let value = simd.splat_f32s(pixel[channel]);
                        sums[0] = simd.mul_add_e_f32s(value, left, sums[0]);
                        sums[1] = simd.mul_add_e_f32s(value, right, sums[1]);
                    }
                }
                offset += channels;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests;
