//! Convolutions of each channel by itself, on the processor.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Stop;
use super::conv::Axis;
use super::epilogue::Epilogue;
use super::map::{LANES, Map};
use crate::nets::graph::Conv;

/// Results side by side that share a weight in a register.
const TILE: usize = 4;

/// Each channel by itself.
#[derive(Clone, Debug)]
pub struct Depthwise {
    conv: Conv,
    /// `[kernel place, padded channels]`.
    weights: Vec<f32>,
    epilogue: Epilogue,
}

impl Depthwise {
    /// `weight` as in the checkpoint.
    pub fn new(conv: &Conv, weight: &[f32], epilogue: Epilogue) -> Self {
        let area = conv.kernel[0] * conv.kernel[1];
        let padded = conv.channels_in.next_multiple_of(LANES);
        let mut weights = vec![0.0; area * padded];
        for (place, row) in weights.chunks_exact_mut(padded).enumerate() {
            for (channel, to) in row.iter_mut().take(conv.channels_in).enumerate() {
                *to = weight[channel * area + place];
            }
        }
        Self { conv: conv.clone(), weights, epilogue }
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    /// On the concatenation of `maps`, all of one size. What is left out when `stop` answers true
    /// is unspecified.
    pub fn run(&self, maps: &[&Map], stop: Stop<'_>) -> Map {
        let joined;
        let map = match maps {
            [map] => *map,
            maps => {
                joined = super::elementwise::join(maps);
                &joined
            }
        };
        let [height, width] = self.conv.output([map.height, map.width]);
        let rows = Axis::new(&self.conv, 0, map.height, height);
        let columns = Axis::new(&self.conv, 1, map.width, width);
        let inside = self.inside(map.width, width);
        Map::build(height, width, map.channels, |y, row| {
            if !stop() {
                let (taps, columns, inside) = (&rows.taps[y], &columns, inside.clone());
                super::dispatch(Row { kernel: self, map, taps, columns, inside, row });
            }
        })
    }

    /// The results of a row of `out` that read nothing beyond its `width` pixels.
    fn inside(&self, width: usize, out: usize) -> Range<usize> {
        let Conv { stride, dilation, pad, kernel, .. } = &self.conv;
        let first = pad[2].div_ceil(*stride).min(out);
        let reach = (kernel[1] - 1) * dilation + 1;
        let end = (width + pad[2]).checked_sub(reach).map_or(0, |last| last / stride + 1);
        first..end.clamp(first, out)
    }
}

struct Row<'a> {
    kernel: &'a Depthwise,
    map: &'a Map,
    taps: &'a [(usize, Option<usize>)],
    columns: &'a Axis,
    inside: Range<usize>,
    row: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let count = self.columns.taps.len();
        let whole = self.inside.len() / TILE * TILE;
        let (first, end) = (self.inside.start, self.inside.start + whole);
        let Conv { stride, dilation, kernel, .. } = &self.kernel.conv;
        for x in (first..end).step_by(TILE) {
            match (kernel[1], *stride, *dilation) {
                (3, 1, 1) => self.tile_of::<S, 3, 1>(simd, x),
                (3, 2, 1) => self.tile_of::<S, 3, 2>(simd, x),
                (5, 1, 1) => self.tile_of::<S, 5, 1>(simd, x),
                (5, 2, 1) => self.tile_of::<S, 5, 2>(simd, x),
                _ => self.tile(simd, x),
            }
        }
        for x in (0..first).chain(end..count) {
            self.result(simd, x);
        }
    }
}

impl Row<'_> {
    /// [`TILE`] results from `x` on that read nothing beyond the picture's sides.
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, x: usize) {
        let Conv { stride, dilation, pad, kernel: [_, side], .. } = &self.kernel.conv;
        let padded = self.map.padded();
        let vectors = padded / S::F32_LANES;
        let weights = S::as_simd_f32s(&self.kernel.weights).0;
        let to = S::as_mut_simd_f32s(&mut self.row[x * padded..][..TILE * padded]).0;
        for vector in 0..vectors {
            let mut sums = [simd.splat_f32s(0.0); TILE];
            for &(ky, y) in self.taps {
                let Some(y) = y else { continue };
                let line = S::as_simd_f32s(self.map.row(y)).0;
                for kx in 0..*side {
                    let weight = weights[(ky * side + kx) * vectors + vector];
                    let from = (x * stride + kx * dilation - pad[2]) * vectors + vector;
                    for at in 0..TILE {
                        let value = line[from + at * stride * vectors];
                        sums[at] = simd.mul_add_e_f32s(value, weight, sums[at]);
                    }
                }
            }
            for at in 0..TILE {
                to[at * vectors + vector] =
                    self.kernel.epilogue.apply(simd, vector, sums[at], None);
            }
        }
    }

    /// [`Row::tile`] with a kernel `SIDE` pixels wide: what neighbours read in common is read once.
    #[inline(always)]
    fn tile_of<S: Simd, const SIDE: usize, const STRIDE: usize>(&mut self, simd: S, x: usize) {
        let padded = self.map.padded();
        let vectors = padded / S::F32_LANES;
        let weights = S::as_simd_f32s(&self.kernel.weights).0;
        let to = S::as_mut_simd_f32s(&mut self.row[x * padded..][..TILE * padded]).0;
        let first = (x * STRIDE - self.kernel.conv.pad[2]) * vectors;
        for vector in 0..vectors {
            let mut sums = [simd.splat_f32s(0.0); TILE];
            for &(ky, y) in self.taps {
                let Some(y) = y else { continue };
                let line = &S::as_simd_f32s(self.map.row(y)).0[first + vector..];
                let weights = &weights[ky * SIDE * vectors + vector..];
                for place in 0..(TILE - 1) * STRIDE + SIDE {
                    let value = line[place * vectors];
                    for at in 0..TILE {
                        if place >= at * STRIDE && place < at * STRIDE + SIDE {
                            let weight = weights[(place - at * STRIDE) * vectors];
                            sums[at] = simd.mul_add_e_f32s(value, weight, sums[at]);
                        }
                    }
                }
            }
            for at in 0..TILE {
                to[at * vectors + vector] =
                    self.kernel.epilogue.apply(simd, vector, sums[at], None);
            }
        }
    }

    /// Any result.
    #[inline(always)]
    fn result<S: Simd>(&mut self, simd: S, x: usize) {
        let padded = self.map.padded();
        let side = self.kernel.conv.kernel[1];
        let weights = S::as_simd_f32s(&self.kernel.weights).0;
        let vectors = padded / S::F32_LANES;
        let to = S::as_mut_simd_f32s(&mut self.row[x * padded..][..padded]).0;
        for (vector, to) in to.iter_mut().enumerate() {
            let mut sum = simd.splat_f32s(0.0);
            for &(ky, y) in self.taps {
                for &(kx, x) in &self.columns.taps[x] {
                    let Some((x, y)) = x.zip(y) else { continue };
                    let value = S::as_simd_f32s(self.map.pixel(x, y)).0[vector];
                    let weight = weights[(ky * side + kx) * vectors + vector];
                    sum = simd.mul_add_e_f32s(value, weight, sum);
                }
            }
            *to = self.kernel.epilogue.apply(simd, vector, sum, None);
        }
    }
}
