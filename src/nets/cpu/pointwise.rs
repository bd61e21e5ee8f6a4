//! Convolutions of 1×1 and fully connected layers on the processor: products of matrices, whatever
//! the shape of the picture.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Stop;
use super::epilogue::{Epilogue, Modulation};
use super::map::{LANES, Map};
use crate::nets::graph::Conv;

/// Pixels in one register tile: with two vectors each, 12 sums, 2 weights and 1 input fill 15 of
/// the 16 vector registers of AVX2.
const TILE: usize = 6;
/// The same with one vector each.
const SINGLES: usize = 12;
/// Results that lie together in the weights: two vectors.
const BLOCK: usize = 2 * LANES;
/// Most pixels of one task: their inputs stay in a second-level cache while the blocks pass.
const MAX_PIXELS: usize = 16 * TILE;
/// Tasks that a picture is divided into at least, where it has enough pixels.
const TASKS: usize = 8;
/// Blocks of one task where there is a single pixel.
const BLOCKS: usize = 4;
/// Fewer products are not shared out: waking another thread takes longer.
const SHORT: usize = 1 << 17;

/// A convolution of 1×1 and stride 1.
#[derive(Clone, Debug)]
pub struct Pointwise {
    /// Channels of the maps that are read as one.
    parts: Vec<usize>,
    channels_out: usize,
    /// `[block, Σ parts, BLOCK]`.
    weights: Vec<f32>,
    epilogue: Epilogue,
}

impl Pointwise {
    pub fn fit(conv: &Conv) -> bool {
        (conv.kernel, conv.stride, conv.pad, conv.output_pad) == ([1; 2], 1, [0; 4], 0)
    }

    /// `dense` is `[out, Σ parts]`.
    pub fn new(dense: &[f32], channels_out: usize, parts: &[usize], epilogue: Epilogue) -> Self {
        let from: usize = parts.iter().sum();
        let mut weights = vec![0.0; channels_out.div_ceil(BLOCK) * from * BLOCK];
        for (out, row) in dense.chunks_exact(from.max(1)).enumerate() {
            let own = &mut weights[out / BLOCK * from * BLOCK..];
            for (input, weight) in row.iter().enumerate() {
                own[input * BLOCK + out % BLOCK] = *weight;
            }
        }
        Self { parts: parts.to_vec(), channels_out, weights, epilogue }
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    pub const fn channels_out(&self) -> usize {
        self.channels_out
    }

    /// Numbers of a pixel of the results.
    pub const fn padded_out(&self) -> usize {
        self.channels_out.next_multiple_of(LANES)
    }

    /// All blocks of the results.
    pub const fn blocks(&self) -> Range<usize> {
        0..self.channels_out.div_ceil(BLOCK)
    }

    /// On the concatenation of `maps`, all of one size. What is left out when `stop` answers true
    /// is unspecified.
    pub fn run(&self, maps: &[&Map], modulation: Option<Modulation<'_>>, stop: Stop<'_>) -> Map {
        let (height, width) = maps.first().map_or((0, 0), |map| (map.height, map.width));
        let inputs: Vec<&[f32]> = maps.iter().map(|map| map.values()).collect();
        let mut out = Map::stale(height, width, self.channels_out);
        let (padded, pixels) = (out.padded(), height * width);
        let blocks = self.blocks().end;
        let each = pixels.div_ceil(TASKS).next_multiple_of(TILE).min(MAX_PIXELS);
        let len = if pixels == 1 { BLOCKS * BLOCK } else { each * padded };
        let part = |(at, out): (usize, &mut [f32])| {
            if stop() {
                return;
            }
            let (first, blocks) = match pixels {
                1 => (0, at * BLOCKS..((at + 1) * BLOCKS).min(blocks)),
                _ => (at * each, self.blocks()),
            };
            let stride = if pixels == 1 { out.len() } else { padded };
            let modulation = modulation.map(|modulation| (modulation, width, first));
            let pixels = Pixels { inputs: &inputs, first, modulation, stride };
            super::dispatch(Part { kernel: self, pixels, blocks, out });
        };
        if pixels * self.weights.len() < SHORT {
            out.values_mut().chunks_mut(len.max(1)).enumerate().for_each(part);
        } else {
            out.values_mut().par_chunks_mut(len.max(1)).enumerate().for_each(part);
        }
        out
    }

    /// Some blocks of the results for as many pixels as `out` has room for.
    #[inline(always)]
    pub(super) fn multiply<S: Simd>(
        &self,
        simd: S,
        pixels: Pixels<'_>,
        blocks: Range<usize>,
        out: &mut [f32],
    ) {
        let from: usize = self.parts.iter().sum();
        let (in_block, in_pixel) = (BLOCK / S::F32_LANES, pixels.stride / S::F32_LANES);
        for (at, block) in blocks.enumerate() {
            let weights = &self.weights[block * from * BLOCK..][..from * BLOCK];
            let vectors = in_block.min(in_pixel - at * in_block);
            for pair in (0..vectors / 2 * 2).step_by(2) {
                let places = [pair, at * in_block + pair, block * in_block + pair];
                self.tiles::<S, TILE, 2>(simd, &pixels, weights, places, out);
            }
            if vectors % 2 == 1 {
                let last = vectors - 1;
                let places = [last, at * in_block + last, block * in_block + last];
                self.tiles::<S, SINGLES, 1>(simd, &pixels, weights, places, out);
            }
        }
    }

    /// `V` vectors of the results, for `N` pixels at a time. Their places are those in the block of
    /// `weights`, in a pixel of `out` and in one of all results.
    #[inline(always)]
    fn tiles<S: Simd, const N: usize, const V: usize>(
        &self,
        simd: S,
        pixels: &Pixels<'_>,
        weights: &[f32],
        [in_block, own, vector]: [usize; 3],
        out: &mut [f32],
    ) {
        let Pixels { first, modulation, stride, .. } = *pixels;
        let count = out.len() / stride;
        let mut ready = [self.epilogue.of(simd, vector); V];
        for (v, ready) in ready.iter_mut().enumerate() {
            *ready = self.epilogue.of(simd, vector + v);
        }
        for tile in (0..count).step_by(N) {
            let left = N.min(count - tile);
            let at = (in_block, first + tile, left);
            let sums: [[S::f32s; V]; N] = match left {
                1 => [self.sums::<S, 1, V>(simd, pixels, weights, at)[0]; N],
                _ => self.sums::<S, N, V>(simd, pixels, weights, at),
            };
            for (index, sums) in sums.into_iter().enumerate().take(left) {
                // A closure might become a call.
                let local = match modulation {
                    Some((all, width, first)) => {
                        let place = first + tile + index;
                        Some(all.at(place % width, place / width))
                    }
                    None => None,
                };
                let pixel = &mut out[(tile + index) * stride..][..stride];
                let pixel = &mut S::as_mut_simd_f32s(pixel).0[own..][..V];
                for ((to, ready), sum) in pixel.iter_mut().zip(&ready).zip(sums) {
                    *to = ready.apply(simd, sum, local);
                }
            }
        }
    }

    /// The sums of `V` vectors of a block for `N` pixels from `first` on, of which `left` are
    /// there.
    #[inline(always)]
    fn sums<S: Simd, const N: usize, const V: usize>(
        &self,
        simd: S,
        pixels: &Pixels<'_>,
        weights: &[f32],
        (vector, first, left): (usize, usize, usize),
    ) -> [[S::f32s; V]; N] {
        let mut sums = [[simd.splat_f32s(0.0); V]; N];
        let mut weights = S::as_simd_f32s(weights).0.chunks_exact(BLOCK / S::F32_LANES);
        for (input, &channels) in pixels.inputs.iter().zip(&self.parts) {
            // A short tile repeats its first pixel; the copies are dropped.
            let padded = channels.next_multiple_of(LANES);
            let mut values: [&[f32]; N] = [&[]; N];
            for (index, values) in values.iter_mut().enumerate() {
                let place = first + if index < left { index } else { 0 };
                *values = &input[place * padded..][..channels];
            }
            // The range tells the compiler that no channel is beyond a pixel's end.
            for (channel, weights) in (0..channels).zip(weights.by_ref()) {
                let weights = &weights[vector..][..V];
                for (sums, values) in sums.iter_mut().zip(values) {
                    let value = simd.splat_f32s(values[channel]);
                    for v in 0..V {
                        sums[v] = simd.mul_add_e_f32s(value, weights[v], sums[v]);
                    }
                }
            }
        }
        sums
    }
}

/// Which pixels are read.
#[derive(Clone, Copy)]
pub struct Pixels<'a> {
    /// Those of the maps that are read as one.
    pub inputs: &'a [&'a [f32]],
    /// Number of the first.
    pub first: usize,
    /// With the width of the results and the number of the first result.
    pub modulation: Option<(Modulation<'a>, usize, usize)>,
    /// Numbers of a pixel of the results.
    pub stride: usize,
}

/// Some blocks of some pixels.
struct Part<'a> {
    kernel: &'a Pointwise,
    pixels: Pixels<'a>,
    blocks: Range<usize>,
    out: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.kernel.multiply(simd, self.pixels, self.blocks, self.out);
    }
}
