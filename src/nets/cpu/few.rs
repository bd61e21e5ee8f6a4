//! Convolutions that read or make few channels, on the processor.
//!
//! Pixels of few channels are mostly padding, and what is done for each of them costs more than
//! its products. So the picture is copied once, with its edge and without padding. Where it is
//! *read* by few channels, all that a result reads of one row lies in one run of numbers. Where few
//! channels are *made*, neighbouring pixels, not channels, fill the vectors.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Stop;
use super::epilogue::{Epilogue, Modulation};
use super::map::{LANES, Map};
use super::spare::Lent;
use crate::nets::graph::{Conv, Edge};

/// Most channels that count as few, read and made.
const MOST_READ: usize = 16;
const MOST_MADE: usize = 4;
/// Results in one register tile: with one vector each, or two.
const SINGLES: usize = 12;
const PAIRS: usize = 6;
/// Vectors of neighbouring pixels in one register tile, for each channel made.
const ACROSS: usize = 3;

/// A dense convolution of few channels.
#[derive(Clone, Debug)]
pub struct Few {
    conv: Conv,
    /// Channels of the maps that are read as one.
    parts: Vec<usize>,
    /// `[kernel row, kernel column, Σ parts, padded_out]`, or, where few are made,
    /// `[kernel row, Σ parts, kernel column, out]`.
    weights: Vec<f32>,
    padded_out: usize,
    epilogue: Epilogue,
}

/// Whether neighbouring pixels fill the vectors.
const fn makes_few(conv: &Conv) -> bool {
    conv.channels_out <= MOST_MADE && conv.stride == 1
}

impl Few {
    pub fn fit(conv: &Conv) -> bool {
        let is_plain = !conv.transposed && conv.dilation == 1 && conv.kernel != [1, 1];
        is_plain && (makes_few(conv) || conv.channels_in <= MOST_READ)
    }

    /// `dense` is `[out, Σ parts, height, width]`.
    pub fn new(conv: &Conv, dense: &[f32], parts: &[usize], epilogue: Epilogue) -> Self {
        let (from, to) = (conv.channels_in, conv.channels_out);
        let [rows, columns] = conv.kernel;
        let makes_few = makes_few(conv);
        let padded_out = to.next_multiple_of(LANES);
        let width = if makes_few { to } else { padded_out };
        let mut weights = vec![0.0; rows * columns * from * width];
        for (at, weight) in dense.iter().enumerate() {
            let (column, row) = (at % columns, at / columns % rows);
            let (input, out) = (at / (columns * rows) % from, at / (columns * rows * from));
            let place = match makes_few {
                true => (row * from + input) * columns + column,
                false => (row * columns + column) * from + input,
            };
            weights[place * width + out] = *weight;
        }
        Self { conv: conv.clone(), parts: parts.to_vec(), weights, padded_out, epilogue }
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    /// On the concatenation of `maps`, all of one size. What is left out when `stop` answers true
    /// is unspecified.
    pub fn run(&self, maps: &[&Map], modulation: Option<Modulation<'_>>, stop: Stop<'_>) -> Map {
        let side = maps.first().map_or([0; 2], |map| [map.height, map.width]);
        let [height, width] = self.conv.output(side);
        let copy = Copy::new(self, maps, side, [height, width]);
        Map::written(height, width, self.conv.channels_out, |y, row| {
            if !stop() {
                let kernel = self;
                super::dispatch(Row { kernel, copy: &copy, modulation, y, width, row });
            }
        })
    }
}

/// A picture with its edge and without padding.
struct Copy {
    /// `[row, pixel, channel]`, or `[row, channel, pixel]` where few channels are made.
    data: Lent,
    /// Numbers of a row.
    row: usize,
    /// Pixels of a row.
    pixels: usize,
}

impl Copy {
    fn new(kernel: &Few, maps: &[&Map], side: [usize; 2], out: [usize; 2]) -> Self {
        let Few { conv, parts, .. } = kernel;
        let makes_few = makes_few(conv);
        let reach = |axis: usize| (out[axis].max(1) - 1) * conv.stride + conv.kernel[axis];
        // The last tile may reach beyond the last result.
        let more = if makes_few { ACROSS * LANES } else { SINGLES * conv.stride };
        let (rows, pixels, from) = (reach(0), reach(1) + more, conv.channels_in);
        let columns: Vec<Option<usize>> = (0..reach(1))
            .map(|x| conv.edge.index(x as isize - conv.pad[2] as isize, side[1]))
            .collect();
        let row = pixels * from;
        let mut data = Lent::new(rows * row);
        data.par_chunks_mut(row.max(1)).enumerate().for_each(|(y, to)| {
            to.fill(0.0);
            let y = y as isize - conv.pad[0] as isize;
            let Some(y) = conv.edge.index(y, side[0]) else { return };
            // Three channels, of pictures that is, without asking of each pixel what it is.
            if let ([map], 3, false) = (maps, from, makes_few) {
                let inside = columns.iter().take_while(|x| x.is_none()).count();
                let pixels = map.row(y).chunks_exact(map.padded());
                let to = to.as_chunks_mut::<3>().0[inside..columns.len()].iter_mut();
                if conv.edge == Edge::Zero {
                    to.zip(pixels).for_each(|(to, pixel)| *to = [pixel[0], pixel[1], pixel[2]]);
                    return;
                }
            }
            let mut first = 0;
            for (map, &channels) in maps.iter().zip(parts) {
                for (at, x) in columns.iter().enumerate() {
                    let Some(x) = *x else { continue };
                    let pixel = &map.pixel(x, y)[..channels];
                    if makes_few {
                        for (channel, value) in pixel.iter().enumerate() {
                            to[(first + channel) * pixels + at] = *value;
                        }
                        continue;
                    }
                    let to = &mut to[at * from + first..][..channels];
                    to.copy_from_slice(pixel);
                }
                first += channels;
            }
        });
        Self { data, row, pixels }
    }

    fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.row..][..self.row]
    }
}

/// One row of results.
struct Row<'a> {
    kernel: &'a Few,
    copy: &'a Copy,
    modulation: Option<Modulation<'a>>,
    y: usize,
    width: usize,
    row: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if makes_few(&self.kernel.conv) {
            match self.kernel.conv.channels_out {
                1 => self.across::<S, 1>(simd),
                2 => self.across::<S, 2>(simd),
                3 => self.across::<S, 3>(simd),
                _ => self.across::<S, 4>(simd),
            }
            return self.finish(simd);
        }
        let vectors = self.kernel.padded_out / S::F32_LANES;
        for vector in (0..vectors / 2 * 2).step_by(2) {
            self.tiles::<S, PAIRS, 2>(simd, vector);
        }
        if vectors % 2 == 1 {
            self.tiles::<S, SINGLES, 1>(simd, vectors - 1);
        }
    }
}

impl Row<'_> {
    /// `VECTORS` vectors of channels, for `PIXELS` results at a time. Where the compiler knows how
    /// far they lie apart, one register holds the place of all of them.
    #[inline(always)]
    fn tiles<S: Simd, const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        vector: usize,
    ) {
        match self.kernel.conv.stride * self.kernel.conv.channels_in {
            3 => self.windows::<S, PIXELS, VECTORS, 3>(simd, vector),
            6 => self.windows::<S, PIXELS, VECTORS, 6>(simd, vector),
            8 => self.windows::<S, PIXELS, VECTORS, 8>(simd, vector),
            16 => self.windows::<S, PIXELS, VECTORS, 16>(simd, vector),
            32 => self.windows::<S, PIXELS, VECTORS, 32>(simd, vector),
            _ => self.windows::<S, PIXELS, VECTORS, 0>(simd, vector),
        }
    }

    /// [`Row::tiles`] with `STEP` numbers from what one result reads to what the next one reads; 0
    /// where that is known at run time only.
    #[inline(always)]
    fn windows<S: Simd, const PIXELS: usize, const VECTORS: usize, const STEP: usize>(
        &mut self,
        simd: S,
        vector: usize,
    ) {
        let Few { conv, weights, padded_out, epilogue, .. } = self.kernel;
        let step = if STEP == 0 { conv.stride * conv.channels_in } else { STEP };
        let (len, span) = (conv.kernel[1] * conv.channels_in, (PIXELS - 1) * step + 1);
        let vectors = padded_out / S::F32_LANES;
        let weights = S::as_simd_f32s(weights).0;
        let mut ready = [epilogue.of(simd, vector); VECTORS];
        for (v, ready) in ready.iter_mut().enumerate() {
            *ready = epilogue.of(simd, vector + v);
        }
        for first in (0..self.width).step_by(PIXELS) {
            let mut sums = [[simd.splat_f32s(0.0); VECTORS]; PIXELS];
            for ky in 0..conv.kernel[0] {
                let line = self.copy.row(self.y * conv.stride + ky);
                let line = &line[first * step..][..len + span - 1];
                let weights = &weights[ky * len * vectors..][..len * vectors];
                for (window, weights) in line.windows(span).zip(weights.chunks_exact(vectors)) {
                    let weights = &weights[vector..][..VECTORS];
                    for at in 0..PIXELS {
                        let value = simd.splat_f32s(window[at * step]);
                        for v in 0..VECTORS {
                            sums[at][v] = simd.mul_add_e_f32s(value, weights[v], sums[at][v]);
                        }
                    }
                }
            }
            let count = PIXELS.min(self.width - first);
            for (at, sums) in sums.into_iter().enumerate().take(count) {
                // A closure might become a call.
                let own = match self.modulation {
                    Some(modulation) => Some(modulation.at(first + at, self.y)),
                    None => None,
                };
                let pixel = &mut self.row[(first + at) * padded_out..][..*padded_out];
                let pixel = S::as_mut_simd_f32s(pixel).0;
                let pixel = &mut pixel[vector..][..VECTORS];
                for ((to, ready), sum) in pixel.iter_mut().zip(&ready).zip(sums) {
                    *to = ready.apply(simd, sum, own);
                }
            }
        }
    }

    /// The sums of `MADE` channels, for vectors of neighbouring pixels.
    #[inline(always)]
    fn across<S: Simd, const MADE: usize>(&mut self, simd: S) {
        let Few { conv, weights, padded_out, .. } = self.kernel;
        let (from, columns) = (conv.channels_in, conv.kernel[1]);
        let (weights, _) = weights.as_chunks::<MADE>();
        // What pads the channels.
        self.row.fill(0.0);
        let tile = ACROSS * S::F32_LANES;
        for first in (0..self.width).step_by(tile) {
            let mut sums = [[simd.splat_f32s(0.0); ACROSS]; MADE];
            for ky in 0..conv.kernel[0] {
                let line = self.copy.row(self.y + ky);
                let weights = &weights[ky * from * columns..][..from * columns];
                for (plane, weights) in
                    line.chunks_exact(self.copy.pixels).zip(weights.chunks_exact(columns))
                {
                    for (kx, weights) in weights.iter().enumerate() {
                        let run = &S::as_simd_f32s(&plane[first + kx..][..tile]).0[..ACROSS];
                        for made in 0..MADE {
                            let weight = simd.splat_f32s(weights[made]);
                            for at in 0..ACROSS {
                                let sum = &mut sums[made][at];
                                *sum = simd.mul_add_e_f32s(run[at], weight, *sum);
                            }
                        }
                    }
                }
            }
            let count = tile.min(self.width - first);
            for (channel, sums) in sums.iter().enumerate() {
                let numbers = bytemuck::cast_slice::<S::f32s, f32>(sums);
                for (at, number) in numbers.iter().enumerate().take(count) {
                    self.row[(first + at) * padded_out + channel] = *number;
                }
            }
        }
    }

    /// Makes results of the sums in the row.
    #[inline(always)]
    fn finish<S: Simd>(self, simd: S) {
        let Self { kernel, modulation, y, row, .. } = self;
        for (x, pixel) in row.chunks_exact_mut(kernel.padded_out).enumerate() {
            let own = modulation.map(|modulation| modulation.at(x, y));
            for (vector, value) in S::as_mut_simd_f32s(pixel).0.iter_mut().enumerate() {
                *value = kernel.epilogue.apply(simd, vector, *value, own);
            }
        }
    }
}
