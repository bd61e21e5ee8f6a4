//! The separable weighted sum behind resizing and blurring: every output sample is a short dot
//! product along x, then along y, of premultiplied values in single precision.

use std::ops::Range;

use rayon::prelude::*;

use super::simd::vectorized;
use super::{GpuPass, Uniform};
use crate::geom::Size;
use crate::pixels::Sample;

/// Floats kept in registers while a weighted sum runs over its taps.
const BLOCK: usize = 32;
/// Output rows computed together by one task; more rows recompute fewer shared inputs.
const BAND_ROWS: usize = 64;
/// Floats of horizontally filtered rows kept per task (512 KiB, within a second-level cache).
const TILE_FLOATS: usize = 128 * 1024;

/// What a window that reaches past the picture sees there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Nothing: the remaining weights are scaled up to a sum of 1.
    Drop,
    /// The outermost sample, repeated.
    Replicate,
}

/// The weights of one axis: output `i` is the sum of `count` inputs from `starts[i]` on.
#[derive(Clone, Debug)]
pub(super) struct Taps {
    pub(super) count: usize,
    pub(super) starts: Vec<u32>,
    pub(super) weights: Vec<f32>,
    /// Outputs that share one set of weights and whose windows advance by one input each.
    uniform: Range<usize>,
}

impl Taps {
    /// `window(i)` answers the first input of output `i` (it may lie outside) and its weights.
    pub(super) fn new(
        inputs: usize,
        outputs: usize,
        edge: Edge,
        window: impl Fn(usize) -> (i64, Vec<f64>),
    ) -> Self {
        let last = inputs as i64 - 1;
        let folded: Vec<(usize, Vec<f64>)> = (0..outputs)
            .map(|output| {
                let (first, weights) = window(output);
                let low = first.clamp(0, last);
                let high = (first + weights.len() as i64 - 1).clamp(low, last);
                let mut inside = vec![0.0; (high - low + 1) as usize];
                for (place, weight) in (first..).zip(weights) {
                    if edge == Edge::Replicate || (low..=high).contains(&place) {
                        inside[(place.clamp(low, high) - low) as usize] += weight;
                    }
                }
                let sum: f64 = inside.iter().sum();
                inside.iter_mut().for_each(|weight| *weight /= sum);
                (low as usize, inside)
            })
            .collect();
        let count = folded.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1);
        let mut taps = Self {
            count,
            starts: Vec::with_capacity(outputs),
            weights: vec![0.0; outputs * count],
            uniform: 0..0,
        };
        for ((low, inside), to) in folded.iter().zip(taps.weights.chunks_exact_mut(count)) {
            // Near the far edge the window is moved back so that `count` inputs always exist.
            let start = (*low).min(inputs - count);
            taps.starts.push(start as u32);
            to[low - start..].iter_mut().zip(inside).for_each(|(to, from)| *to = *from as f32);
        }
        taps
    }

    /// One odd kernel at every place, edges replicated.
    pub(super) fn fir(samples: usize, kernel: &[f64]) -> Self {
        let radius = kernel.len() / 2;
        let mut taps = Self::new(samples, samples, Edge::Replicate, |output| {
            (output as i64 - radius as i64, kernel.to_vec())
        });
        if samples > 2 * radius {
            taps.uniform = radius..samples - radius;
        }
        taps
    }

    pub(super) fn outputs(&self) -> usize {
        self.starts.len()
    }

    /// The table of the shader: for every output its first input, then its weights.
    fn gpu_pass(&self, entry: &'static str, straight: u32, output: Size) -> GpuPass {
        let rows = self.starts.iter().zip(self.weights.chunks_exact(self.count));
        let table = rows
            .flat_map(|(start, weights)| std::iter::once(*start as f32).chain(weights.to_vec()))
            .collect();
        let uniforms = vec![
            ("count", Uniform::U32(self.count as u32)),
            ("straight", Uniform::U32(straight)),
            ("amount", Uniform::F32(0.0)),
            ("threshold", Uniform::F32(0.0)),
        ];
        GpuPass { entry, uniforms, table, output }
    }

    /// The inputs which `outputs` need. Starts never fall.
    fn span(&self, outputs: Range<usize>) -> Range<usize> {
        let first = self.starts[outputs.start] as usize;
        first..self.starts[outputs.end - 1] as usize + self.count
    }

    #[inline(always)]
    fn at(&self, output: usize) -> (usize, &[f32]) {
        let weights = &self.weights[output * self.count..(output + 1) * self.count];
        (self.starts[output] as usize, weights)
    }

    /// Filters `row`, whose first pixel is input `origin`, to the pixels `outputs`.
    #[inline(always)]
    fn along_row<const C: usize>(
        &self,
        outputs: Range<usize>,
        origin: usize,
        row: &[f32],
        out: &mut [f32],
    ) {
        let clamp = |place: usize| place.clamp(outputs.start, outputs.end);
        let uniform = clamp(self.uniform.start)..clamp(self.uniform.end);
        let (before, rest) = out.split_at_mut((uniform.start - outputs.start) * C);
        let (within, after) = rest.split_at_mut(uniform.len() * C);
        if !within.is_empty() {
            let (start, weights) = self.at(uniform.start);
            weighted_sum(weights, &row[(start - origin) * C..], C, within);
        }
        for (first, part) in [(outputs.start, before), (uniform.end, after)] {
            let (pixels, _) = part.as_chunks_mut::<C>();
            for (output, pixel) in (first..).zip(pixels) {
                let (start, weights) = self.at(output);
                let (inputs, _) = row[(start - origin) * C..].as_chunks::<C>();
                let mut sum = [0.0; C];
                for (weight, input) in weights.iter().zip(inputs) {
                    for channel in 0..C {
                        sum[channel] += weight * input[channel];
                    }
                }
                *pixel = sum;
            }
        }
    }
}

/// The passes of `shaders/shared/separable.wgsl` that filter a picture of `input` pixels through
/// `stages` of (along x, along y) weights, from straight alpha to straight alpha.
pub(super) fn gpu_passes(stages: &[[Taps; 2]], input: Size) -> Vec<GpuPass> {
    const FROM_STRAIGHT: u32 = 1;
    const TO_STRAIGHT: u32 = 2;
    let mut passes = Vec::new();
    let mut size = input;
    for (index, [h, v]) in stages.iter().enumerate() {
        let first = if index == 0 { FROM_STRAIGHT } else { 0 };
        let last = if index + 1 == stages.len() { TO_STRAIGHT } else { 0 };
        size.width = h.outputs() as u32;
        passes.push(h.gpu_pass("along_rows", first, size));
        size.height = v.outputs() as u32;
        passes.push(v.gpu_pass("along_columns", last, size));
    }
    passes
}

/// `out[i]` becomes the sum of `weights[t] * data[t * stride + i]`.
#[inline(always)]
fn weighted_sum(weights: &[f32], data: &[f32], stride: usize, out: &mut [f32]) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (block, out) in blocks.iter_mut().enumerate() {
        let mut sum = [0.0; BLOCK];
        for (tap, weight) in weights.iter().enumerate() {
            let from = &data[tap * stride + block * BLOCK..][..BLOCK];
            for lane in 0..BLOCK {
                sum[lane] += weight * from[lane];
            }
        }
        *out = sum;
    }
    rest.fill(0.0);
    for (tap, weight) in weights.iter().enumerate() {
        let from = &data[tap * stride + done..][..rest.len()];
        for (out, from) in rest.iter_mut().zip(from) {
            *out += weight * from;
        }
    }
}

/// Filters along x by `h`, along y by `v`, into `out` (`h.outputs() × v.outputs()` pixels of `C`
/// samples). `load(y, columns, row)` fills `row` with premultiplied input; `finish(x, y, row,
/// out)` turns filtered pixels from column `x` of row `y` into output samples.
pub(super) fn separable<const C: usize, T: Send>(
    h: &Taps,
    v: &Taps,
    out: &mut [T],
    load: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
    finish: impl Fn(usize, usize, &[f32], &mut [T]) + Sync,
) {
    let (width, height) = (h.outputs(), v.outputs());
    // Enough bands to keep every thread busy, but not so low that they only share inputs.
    let band_rows = height.div_ceil(4 * rayon::current_num_threads()).clamp(16, BAND_ROWS);
    out.par_chunks_mut(band_rows * width * C).enumerate().for_each(|(band, out)| {
        let y0 = band * band_rows;
        let rows = out.len() / (width * C);
        let inputs = v.span(y0..y0 + rows);
        let tile_width = (TILE_FLOATS / (inputs.len() * C)).clamp(16, width.max(16));
        let mut tile = vec![0.0; inputs.len() * tile_width * C];
        let mut row_out = vec![0.0; tile_width * C];
        let mut row_in = Vec::new();
        for x0 in (0..width).step_by(tile_width) {
            let columns = x0..(x0 + tile_width).min(width);
            let len = columns.len() * C;
            let needed = h.span(columns.clone());
            row_in.resize(needed.len() * C, 0.0);
            vectorized(|| {
                for (y, to) in inputs.clone().zip(tile.chunks_exact_mut(len)) {
                    load(y, needed.clone(), &mut row_in);
                    h.along_row::<C>(columns.clone(), needed.start, &row_in, to);
                }
                for y in 0..rows {
                    let (start, weights) = v.at(y0 + y);
                    let from = &tile[(start - inputs.start) * len..];
                    weighted_sum(weights, from, len, &mut row_out[..len]);
                    let to = (y * width + x0) * C;
                    finish(x0, y0 + y, &row_out[..len], &mut out[to..to + len]);
                }
            });
        }
    });
}

/// Straight samples to premultiplied values in `0..=1`; one channel is taken as it is.
#[inline(always)]
pub(super) fn load_premultiplied<S: Sample, const C: usize>(from: &[S], to: &mut [f32]) {
    let (pixels, _) = from.as_chunks::<C>();
    let (out, _) = to.as_chunks_mut::<C>();
    for (pixel, out) in pixels.iter().zip(out) {
        *out = premultiplied(pixel);
    }
}

/// One pixel, premultiplied when it has four channels.
#[inline(always)]
pub(super) fn premultiplied<S: Sample, const C: usize>(pixel: &[S; C]) -> [f32; C] {
    let mut value = pixel.map(Sample::to_f32);
    if C == 4 {
        let alpha = value[3];
        value[..3].iter_mut().for_each(|colour| *colour *= alpha);
    }
    value
}

/// The reverse of [`load_premultiplied`], clamped and quantised.
#[inline(always)]
pub(super) fn store_straight<S: Sample, const C: usize>(from: &[f32], to: &mut [S]) {
    let (pixels, _) = from.as_chunks::<C>();
    let (out, _) = to.as_chunks_mut::<C>();
    for (pixel, out) in pixels.iter().zip(out) {
        *out = straight(*pixel).map(S::from_f32);
    }
}

/// One pixel with its colour divided by its alpha; transparent becomes transparent black.
#[inline(always)]
pub(super) fn straight<const C: usize>(mut value: [f32; C]) -> [f32; C] {
    if C == 4 {
        let alpha = value[3];
        let scale = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
        value[..3].iter_mut().for_each(|colour| *colour *= scale);
    }
    value
}
