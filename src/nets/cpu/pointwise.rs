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

    /// On the concatenation of `maps`, all of one size. What is left out when `stop` answers true
    /// is unspecified.
    pub fn run(&self, maps: &[&Map], modulation: Option<Modulation<'_>>, stop: Stop<'_>) -> Map {
        let (height, width) = maps.first().map_or((0, 0), |map| (map.height, map.width));
        let mut out = Map::stale(height, width, self.channels_out);
        let (padded, pixels) = (out.padded(), height * width);
        let blocks = self.channels_out.div_ceil(BLOCK);
        let each = pixels.div_ceil(TASKS).next_multiple_of(TILE).min(MAX_PIXELS);
        let len = if pixels == 1 { BLOCKS * BLOCK } else { each * padded };
        let part = |(at, out): (usize, &mut [f32])| {
            if stop() {
                return;
            }
            let (first, stride, blocks) = match pixels {
                1 => (0, out.len(), at * BLOCKS..((at + 1) * BLOCKS).min(blocks)),
                _ => (at * each, padded, 0..blocks),
            };
            super::dispatch(Part { kernel: self, maps, modulation, first, stride, blocks, out });
        };
        if pixels * self.weights.len() < SHORT {
            out.values_mut().chunks_mut(len.max(1)).enumerate().for_each(part);
        } else {
            out.values_mut().par_chunks_mut(len.max(1)).enumerate().for_each(part);
        }
        out
    }
}

/// Some blocks of some pixels.
struct Part<'a> {
    kernel: &'a Pointwise,
    maps: &'a [&'a Map],
    modulation: Option<Modulation<'a>>,
    /// Number of the first pixel.
    first: usize,
    /// Numbers of a pixel in `out`.
    stride: usize,
    blocks: Range<usize>,
    out: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { kernel, maps, modulation, first, stride, blocks, out } = self;
        let count = out.len() / stride;
        let width = maps.first().map_or(1, |map| map.width.max(1));
        let from: usize = kernel.parts.iter().sum();
        let (in_block, in_pixel) = (BLOCK / S::F32_LANES, stride / S::F32_LANES);
        for (at, block) in blocks.clone().enumerate() {
            let weights = &kernel.weights[block * from * BLOCK..][..from * BLOCK];
            for pair in (0..in_block).step_by(2) {
                let own = at * in_block + pair;
                if own >= in_pixel {
                    break;
                }
                for tile in (0..count).step_by(TILE) {
                    let left = TILE.min(count - tile);
                    let sums: [[S::f32s; 2]; TILE] = if left == 1 {
                        [sums::<S, 1>(simd, kernel, maps, weights, pair, first + tile, 1)[0]; TILE]
                    } else {
                        sums::<S, TILE>(simd, kernel, maps, weights, pair, first + tile, left)
                    };
                    for (index, sums) in sums.into_iter().enumerate().take(left) {
                        let place = first + tile + index;
                        let local = modulation.map(|all| all.at(place % width, place / width));
                        let pixel = &mut out[(tile + index) * stride..][..stride];
                        let pixel = S::as_mut_simd_f32s(pixel).0;
                        let vector = block * in_block + pair;
                        pixel[own] = kernel.epilogue.apply(simd, vector, sums[0], local);
                        if own + 1 < in_pixel {
                            pixel[own + 1] =
                                kernel.epilogue.apply(simd, vector + 1, sums[1], local);
                        }
                    }
                }
            }
        }
    }
}

/// The sums of two vectors of a block for `N` pixels from `first` on, of which `left` are there.
#[inline(always)]
fn sums<S: Simd, const N: usize>(
    simd: S,
    kernel: &Pointwise,
    maps: &[&Map],
    weights: &[f32],
    pair: usize,
    first: usize,
    left: usize,
) -> [[S::f32s; 2]; N] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; N];
    let mut weights = S::as_simd_f32s(weights).0.chunks_exact(BLOCK / S::F32_LANES);
    // With vectors of one number there would be no second of the last pair.
    let second = (pair + 1).min(BLOCK / S::F32_LANES - 1);
    for (map, &channels) in maps.iter().zip(&kernel.parts) {
        // A short tile repeats its first pixel; the copies are dropped.
        let mut pixels: [&[f32]; N] = [&[]; N];
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let place = first + if index < left { index } else { 0 };
            *pixel = &map.pixel_at(place)[..channels];
        }
        // The range tells the compiler that no channel is beyond a pixel's end.
        for (channel, weights) in (0..channels).zip(weights.by_ref()) {
            let (a, b) = (weights[pair], weights[second]);
            for (sums, pixel) in sums.iter_mut().zip(pixels) {
                let value = simd.splat_f32s(pixel[channel]);
                sums[0] = simd.mul_add_e_f32s(value, a, sums[0]);
                sums[1] = simd.mul_add_e_f32s(value, b, sums[1]);
            }
        }
    }
    sums
}
