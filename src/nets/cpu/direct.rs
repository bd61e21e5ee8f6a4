//! Any dense convolution on the processor, transposed ones included: a product of matrices whose
//! rows are gathered where they are needed.
//!
//! A result of a transposed convolution is the sum over the kernel places that fall on it, and
//! results at `stride` distance share these places: they are one phase.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Stop;
use super::epilogue::{Epilogue, Modulation, Ready};
use super::map::{LANES, Map};
use super::spare::Lent;
use crate::nets::graph::{Conv, Edge};

/// Results that lie together in the weights: two vectors.
const BLOCK: usize = 2 * LANES;
/// Results in one register tile, with two vectors each and with one: 12 sums, 2 weights and 1 input
/// fill 15 of the 16 vector registers of AVX2.
const PAIRS: usize = 6;
const SINGLES: usize = 12;
/// Strips of rows for each thread, where weights are fewer than results.
const STRIPS: usize = 4;

/// Which input pixels one axis of the results reads.
#[derive(Debug)]
struct Axis {
    /// Results at this distance read through the same kernel places.
    phases: usize,
    /// For each result: kernel place and input pixel, `None` for a zero.
    taps: Vec<Vec<(usize, Option<usize>)>>,
}

impl Axis {
    fn new(conv: &Conv, axis: usize, len: usize, out: usize) -> Self {
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

/// A dense convolution.
#[derive(Clone, Debug)]
pub struct Direct {
    conv: Conv,
    /// Channels of the maps that are read as one.
    parts: Vec<usize>,
    /// `[block, kernel place, Σ parts, BLOCK]`.
    weights: Vec<f32>,
    epilogue: Epilogue,
}

impl Direct {
    /// `dense` is `[out, Σ parts, height, width]`.
    pub fn new(conv: &Conv, dense: &[f32], parts: &[usize], epilogue: Epilogue) -> Self {
        let (from, area) = (conv.channels_in, conv.kernel[0] * conv.kernel[1]);
        let mut weights = vec![0.0; conv.channels_out.div_ceil(BLOCK) * area * from * BLOCK];
        for (at, weight) in dense.iter().enumerate() {
            let (place, input, out) = (at % area, at / area % from, at / (area * from));
            let row = (out / BLOCK * area + place) * from + input;
            weights[row * BLOCK + out % BLOCK] = *weight;
        }
        Self { conv: conv.clone(), parts: parts.to_vec(), weights, epilogue }
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    /// The sides of the result.
    pub fn output(&self, side: [usize; 2]) -> [usize; 2] {
        self.conv.output(side)
    }

    /// On the concatenation of `maps`, all of one size, to results of a size that several inputs of
    /// a strided one may have. What is left out when `stop` answers true is unspecified.
    pub fn run(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        [out_height, out_width]: [usize; 2],
        stop: Stop<'_>,
    ) -> Map {
        let (height, width) = maps.first().map_or((0, 0), |map| (map.height, map.width));
        let rows = Axis::new(&self.conv, 0, height, out_height);
        let columns = Axis::new(&self.conv, 1, width, out_width);
        let zeros = vec![0.0; self.parts.iter().max().copied().unwrap_or(0)];
        let mut out = Map::stale(out_height, out_width, self.conv.channels_out);
        let stride = out.padded();
        let blocks = 0..self.conv.channels_out.div_ceil(BLOCK);
        let part = |rows_of: Range<usize>, blocks: Range<usize>, stride: usize, out: &mut [f32]| {
            if !stop() {
                let (kernel, rows, columns, zeros) = (self, &rows, &columns, &zeros);
                super::dispatch(Part {
                    kernel,
                    maps,
                    modulation,
                    rows,
                    columns,
                    zeros,
                    rows_of,
                    blocks,
                    stride,
                    out,
                });
            }
        };
        if self.weights.len() <= out.values().len() {
            let strips = STRIPS * rayon::current_num_threads();
            // Whole phases in each.
            let each = out_height.div_ceil(strips).next_multiple_of(rows.phases);
            let len = (each * out_width * stride).max(1);
            out.values_mut().par_chunks_mut(len).enumerate().for_each(|(at, out)| {
                let first = at * each;
                part(first..(first + each).min(out_height), blocks.clone(), stride, out);
            });
            return out;
        }
        // Each weight is read once, by one thread.
        let mut apart = Lent::new(blocks.len() * out_height * out_width * BLOCK);
        let len = (out_height * out_width * BLOCK).max(1);
        apart.par_chunks_mut(len).enumerate().for_each(|(block, out)| {
            part(0..out_height, block..block + 1, BLOCK, out);
        });
        for (block, results) in apart.chunks_exact(len).enumerate() {
            let width = BLOCK.min(stride - block * BLOCK);
            let pixels = out.values_mut().chunks_exact_mut(stride);
            for (to, from) in pixels.zip(results.chunks_exact(BLOCK)) {
                to[block * BLOCK..][..width].copy_from_slice(&from[..width]);
            }
        }
        out
    }
}

/// Some blocks of some rows of results.
struct Part<'a> {
    kernel: &'a Direct,
    maps: &'a [&'a Map],
    modulation: Option<Modulation<'a>>,
    rows: &'a Axis,
    columns: &'a Axis,
    /// A pixel outside.
    zeros: &'a [f32],
    rows_of: Range<usize>,
    blocks: Range<usize>,
    /// Numbers of a pixel in `out`, which begins with the first of the blocks.
    stride: usize,
    out: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let in_block = BLOCK / S::F32_LANES;
        for block in self.blocks.clone() {
            let all = self.kernel.conv.channels_out.next_multiple_of(LANES) / S::F32_LANES;
            let vectors = in_block.min(all - block * in_block);
            for pair in (0..vectors / 2 * 2).step_by(2) {
                self.phases::<S, PAIRS, 2>(simd, block, pair);
            }
            if vectors % 2 == 1 {
                self.phases::<S, SINGLES, 1>(simd, block, vectors - 1);
            }
        }
    }
}

impl Part<'_> {
    /// `V` vectors from `vector` of a block on, for all results, `N` at a time.
    #[inline(always)]
    fn phases<S: Simd, const N: usize, const V: usize>(
        &mut self,
        simd: S,
        block: usize,
        vector: usize,
    ) {
        let [below, beside] = [self.rows.phases, self.columns.phases];
        let in_block = BLOCK / S::F32_LANES;
        let mut ready = [self.kernel.epilogue.of(simd, block * in_block + vector); V];
        for (v, ready) in ready.iter_mut().enumerate() {
            *ready = self.kernel.epilogue.of(simd, block * in_block + vector + v);
        }
        let own = (block - self.blocks.start) * in_block + vector;
        let (height, width) = (self.rows_of.len(), self.columns.taps.len());
        for phase in 0..below * beside {
            let (top, left) = (phase / beside, phase % beside);
            let across = width.saturating_sub(left).div_ceil(beside);
            let count = height.saturating_sub(top).div_ceil(below) * across;
            for first in (0..count).step_by(N) {
                // A short last tile repeats its first result and drops the copies.
                let mut tile = [[0; 2]; N];
                for (at, place) in tile.iter_mut().enumerate() {
                    let at = if first + at < count { first + at } else { first };
                    *place = [left + at % across * beside, top + at / across * below];
                }
                let sums = self.sums::<S, N, V>(simd, tile, block, vector);
                self.finish(simd, (tile, N.min(count - first)), sums, &ready, own);
            }
        }
    }

    /// The sums for the results of a tile, `[x, y]` from the first of these rows on.
    #[inline(always)]
    fn sums<S: Simd, const N: usize, const V: usize>(
        &self,
        simd: S,
        tile: [[usize; 2]; N],
        block: usize,
        vector: usize,
    ) -> [[S::f32s; V]; N] {
        let Direct { conv, parts, weights, .. } = self.kernel;
        let from = conv.channels_in;
        let area = conv.kernel[0] * conv.kernel[1];
        let weights = &weights[block * area * from * BLOCK..][..area * from * BLOCK];
        let mut sums = [[simd.splat_f32s(0.0); V]; N];
        let mut rows: [&[(usize, Option<usize>)]; N] = [&[]; N];
        let mut columns = rows;
        for ((row, column), [x, y]) in rows.iter_mut().zip(&mut columns).zip(tile) {
            *row = &self.rows.taps[self.rows_of.start + y];
            *column = &self.columns.taps[x];
        }
        for (at_row, &(ky, _)) in rows[0].iter().enumerate() {
            for (at_column, &(kx, _)) in columns[0].iter().enumerate() {
                let mut places = [None; N];
                let mut is_empty = true;
                for ((place, columns), rows) in places.iter_mut().zip(columns).zip(rows) {
                    *place = columns[at_column].1.zip(rows[at_row].1);
                    is_empty &= place.is_none();
                }
                if is_empty {
                    continue;
                }
                let first = (ky * conv.kernel[1] + kx) * from * BLOCK;
                let mut weights = S::as_simd_f32s(&weights[first..][..from * BLOCK]).0;
                for (map, &channels) in self.maps.iter().zip(parts) {
                    let mut pixels: [&[f32]; N] = [&[]; N];
                    for (pixel, place) in pixels.iter_mut().zip(places) {
                        *pixel = match place {
                            Some((x, y)) => &map.pixel(x, y)[..channels],
                            None => &self.zeros[..channels],
                        };
                    }
                    let step = BLOCK / S::F32_LANES;
                    let (own, others) = weights.split_at(channels * step);
                    weights = others;
                    // The range tells the compiler that no channel is beyond a pixel's end.
                    for (channel, weights) in (0..channels).zip(own.chunks_exact(step)) {
                        let weights = &weights[vector..][..V];
                        for (sums, pixel) in sums.iter_mut().zip(pixels) {
                            let value = simd.splat_f32s(pixel[channel]);
                            for v in 0..V {
                                sums[v] = simd.mul_add_e_f32s(value, weights[v], sums[v]);
                            }
                        }
                    }
                }
            }
        }
        sums
    }

    /// Makes results of the sums of the first `count` of a tile: vectors of a pixel from `own` on.
    #[inline(always)]
    fn finish<S: Simd, const N: usize, const V: usize>(
        &mut self,
        simd: S,
        (tile, count): ([[usize; 2]; N], usize),
        sums: [[S::f32s; V]; N],
        ready: &[Ready<S>; V],
        own: usize,
    ) {
        let width = self.columns.taps.len();
        for ([x, y], sums) in tile.into_iter().zip(sums).take(count) {
            // A closure might become a call.
            let local = match self.modulation {
                Some(modulation) => Some(modulation.at(x, self.rows_of.start + y)),
                None => None,
            };
            let pixel = &mut self.out[(y * width + x) * self.stride..][..self.stride];
            let pixel = &mut S::as_mut_simd_f32s(pixel).0[own..][..V];
            for ((to, ready), sum) in pixel.iter_mut().zip(ready).zip(sums) {
                *to = ready.apply(simd, sum, local);
            }
        }
    }
}
