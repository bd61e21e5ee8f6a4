//! Convolutions of each channel by itself, on the processor.
//!
//! A row is made vector by vector of channels. Where the kernel is small, its weights and the sums
//! that are under way stay in registers, and each number of the picture is read once: a column adds
//! to all results that read it.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Stop;
use super::epilogue::Epilogue;
use super::map::{LANES, Map};
use super::spatial;
use crate::nets::graph::{Conv, Edge};

/// Each channel by itself.
#[derive(Clone, Debug)]
pub struct Depthwise {
    /// Its edge is zero.
    conv: Conv,
    /// Done before where that is another edge.
    edge: Option<Edge>,
    /// `[block of LANES channels, kernel place, LANES]`.
    weights: Vec<f32>,
    epilogue: Epilogue,
}

impl Depthwise {
    pub fn fit(conv: &Conv) -> bool {
        let Conv { groups, channels_in, channels_out, transposed, .. } = *conv;
        groups > 1 && groups == channels_in && channels_in == channels_out && !transposed
    }

    /// `weight` as in the checkpoint.
    pub fn new(conv: &Conv, weight: &[f32], epilogue: Epilogue) -> Self {
        let area = conv.kernel[0] * conv.kernel[1];
        let mut weights = vec![0.0; area * conv.channels_in.next_multiple_of(LANES)];
        for (at, weight) in weight.iter().enumerate() {
            let (channel, place) = (at / area, at % area);
            weights[(channel / LANES * area + place) * LANES + channel % LANES] = *weight;
        }
        let edge = (conv.edge != Edge::Zero && conv.pad != [0; 4]).then_some(conv.edge);
        Self { conv: conv.clone().edge(Edge::Zero), edge, weights, epilogue }
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    pub const fn channels(&self) -> usize {
        self.conv.channels_in
    }

    pub const fn padded(&self) -> usize {
        self.conv.channels_in.next_multiple_of(LANES)
    }

    pub const fn stride(&self) -> usize {
        self.conv.stride
    }

    pub const fn has_zero_edge(&self) -> bool {
        self.edge.is_none()
    }

    /// The sides of the result.
    pub fn output(&self, side: [usize; 2]) -> [usize; 2] {
        self.conv.output(side)
    }

    /// The rows of a picture of `height` that rows of the results read.
    pub fn reads(&self, rows: Range<usize>, height: usize) -> Range<usize> {
        let Conv { stride, dilation, pad, kernel, .. } = &self.conv;
        let reach = (kernel[0] - 1) * dilation + 1;
        let end = ((rows.end.max(1) - 1) * stride + reach).saturating_sub(pad[0]).min(height);
        (rows.start * stride).saturating_sub(pad[0]).min(end)..end
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
        if let Some(edge) = self.edge {
            let inner = Self { conv: self.conv.clone().pad([0; 4]), edge: None, ..self.clone() };
            return inner.run(&[&spatial::pad(map, self.conv.pad, edge)], stop);
        }
        let [height, width] = self.conv.output([map.height, map.width]);
        Map::written(height, width, map.channels, |y, row| {
            if !stop() {
                let lines = self.lines(y, map.height, |y| map.row(y));
                super::dispatch(Row { kernel: self, lines, row });
            }
        })
    }

    /// What row `y` of the results reads of a picture of `height` rows: nothing is what lies
    /// outside.
    pub(super) fn lines<'a>(
        &self,
        y: usize,
        height: usize,
        row: impl Fn(usize) -> &'a [f32],
    ) -> Vec<&'a [f32]> {
        let Conv { stride, dilation, pad, kernel, .. } = &self.conv;
        let line = |ky: usize| match (y * stride + ky * dilation).checked_sub(pad[0]) {
            Some(y) if y < height => row(y),
            _ => &[],
        };
        (0..kernel[0]).map(line).collect()
    }
}

/// One row of results.
struct Row<'a> {
    kernel: &'a Depthwise,
    /// One for each row of the kernel.
    lines: Vec<&'a [f32]>,
    row: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { kernel, lines, row } = self;
        kernel.row(simd, &lines, row);
    }
}

impl Depthwise {
    /// One row of results.
    #[inline(always)]
    pub(super) fn row<S: Simd>(&self, simd: S, lines: &[&[f32]], row: &mut [f32]) {
        let Conv { stride, dilation, kernel, .. } = &self.conv;
        let vectors = self.padded() / S::F32_LANES;
        for vector in 0..vectors {
            let at = (vector, vectors);
            match (kernel, stride, dilation) {
                ([3, 3], 1, 1) => self.sweep::<S, 3, 1, 3>(simd, lines, at, row),
                ([3, 3], 2, 1) => self.sweep::<S, 3, 2, 2>(simd, lines, at, row),
                ([5, 5], 1, 1) => self.sweep::<S, 5, 1, 5>(simd, lines, at, row),
                ([5, 5], 2, 1) => self.sweep::<S, 5, 2, 3>(simd, lines, at, row),
                _ => self.any(simd, lines, at, row),
            }
        }
    }

    /// The weights of a vector of channels are `place * step` from the first.
    #[inline(always)]
    fn weights<S: Simd>(&self, vector: usize) -> (&[S::f32s], usize) {
        let step = LANES / S::F32_LANES;
        let len = self.conv.kernel[0] * self.conv.kernel[1] * LANES;
        let block = &self.weights[vector / step * len..][..len];
        (&S::as_simd_f32s(block).0[vector % step..], step)
    }

    /// Vector `vector` of `vectors` for a row of results, with a kernel of `SIDE` pixels of which
    /// `ACTIVE` results read a column at once.
    #[inline(always)]
    fn sweep<S: Simd, const SIDE: usize, const STRIDE: usize, const ACTIVE: usize>(
        &self,
        simd: S,
        lines: &[&[f32]],
        (vector, vectors): (usize, usize),
        row: &mut [f32],
    ) {
        let (from, step) = self.weights::<S>(vector);
        let mut weights = [[simd.splat_f32s(0.0); SIDE]; SIDE];
        let mut rows: [&[S::f32s]; SIDE] = [&[]; SIDE];
        for ky in 0..SIDE {
            rows[ky] = S::as_simd_f32s(lines[ky]).0;
            for kx in 0..SIDE {
                weights[ky][kx] = from[(ky * SIDE + kx) * step];
            }
        }
        let ready = self.epilogue.of(simd, vector);
        let row = S::as_mut_simd_f32s(row).0;
        let count = row.len() / vectors;
        // The last is that of the result whose last columns are read.
        let mut sums = [simd.splat_f32s(0.0); ACTIVE];
        for at in 0..count + ACTIVE - 1 {
            for offset in 0..STRIDE {
                // Left of the picture this wraps, so that it is beyond its end as well.
                let column = (at * STRIDE + offset).wrapping_sub(self.conv.pad[2]);
                let place = column.wrapping_mul(vectors).wrapping_add(vector);
                for ky in 0..SIDE {
                    let Some(value) = rows[ky].get(place) else { continue };
                    for (active, sum) in sums.iter_mut().enumerate() {
                        let kx = offset + active * STRIDE;
                        if kx < SIDE {
                            *sum = simd.mul_add_e_f32s(*value, weights[ky][kx], *sum);
                        }
                    }
                }
            }
            if at + 1 >= ACTIVE {
                row[(at + 1 - ACTIVE) * vectors + vector] =
                    ready.apply(simd, sums[ACTIVE - 1], None);
            }
            for active in (1..ACTIVE).rev() {
                sums[active] = sums[active - 1];
            }
            sums[0] = simd.splat_f32s(0.0);
        }
    }

    /// [`Depthwise::sweep`] with any kernel.
    #[inline(always)]
    fn any<S: Simd>(
        &self,
        simd: S,
        lines: &[&[f32]],
        (vector, vectors): (usize, usize),
        row: &mut [f32],
    ) {
        let Conv { stride, dilation, pad, kernel, .. } = &self.conv;
        let (weights, step) = self.weights::<S>(vector);
        let ready = self.epilogue.of(simd, vector);
        let row = S::as_mut_simd_f32s(row).0;
        for (x, to) in row.iter_mut().skip(vector).step_by(vectors).enumerate() {
            let mut sum = simd.splat_f32s(0.0);
            for (ky, line) in lines.iter().enumerate() {
                let line = S::as_simd_f32s(line).0;
                for kx in 0..kernel[1] {
                    let column = (x * stride + kx * dilation).wrapping_sub(pad[2]);
                    let place = column.wrapping_mul(vectors).wrapping_add(vector);
                    if let Some(value) = line.get(place) {
                        let weight = weights[(ky * kernel[1] + kx) * step];
                        sum = simd.mul_add_e_f32s(*value, weight, sum);
                    }
                }
            }
            *to = ready.apply(simd, sum, None);
        }
    }
}
