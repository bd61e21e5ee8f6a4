//! 3×3 convolutions on the processor, by Winograd's minimal filtering.
//!
//! F(4×4, 3×3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015):
//! 16 results from 36 products instead of 144. Channels lie innermost, so that every stage works
//! on whole vectors; a concatenation of maps is a list of them and copies nothing.

#[macro_use]
mod block;
mod whole;

use block::{transform_input, transform_output};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::epilogue::{Epilogue, Modulation};
use super::map::{LANES, Map};
use super::spare::Lent;
use crate::nets::graph::{Conv, Edge, Sides};

/// Side of the block of results that one transform yields.
const OUT: usize = 4;
/// Side of the block that it needs.
const IN: usize = 6;
/// Products for one block and channel.
const POINTS: usize = IN * IN;
/// Blocks that share one pass over the weights: their transforms fill most of a 1 MiB L2 cache.
const GROUP: usize = 24;
/// Blocks in one register tile: with two vectors each, 12 sums, 2 weights and 1 input fill 15 of
/// the 16 vector registers of AVX2.
const TILE: usize = 6;
/// Results that lie together in the weights: two vectors.
const PAIR: usize = 2 * LANES;
/// Weights of one point from which on they are read once for the whole picture, and not for each
/// strip of it: about what a second-level cache holds.
const LARGE: usize = 1 << 16;
/// Most numbers that the transforms of a whole picture may take: 128 MiB.
const MAX_WHOLE: usize = 1 << 25;

/// A 3×3 convolution of stride 1.
#[derive(Clone, Debug)]
pub struct Winograd {
    /// Padded sizes of the maps that are read as one.
    inputs: Vec<usize>,
    padded_out: usize,
    /// Of the result, which takes several channels of the products to pixels side by side where
    /// `phases` is more than one.
    channels_out: usize,
    phases: usize,
    /// `[POINTS, pair, Σ inputs, PAIR]`.
    weights: Vec<f32>,
    epilogue: Epilogue,
    /// Pixels around the picture, and what they are.
    pad: Sides,
    edge: Edge,
}

/// Transforms of a 3×3 kernel, one axis: 3 numbers to 6.
fn transform_kernel([a, b, c]: [f32; 3]) -> [f32; IN] {
    [
        a / 4.0,
        -(a + b + c) / 6.0,
        -(a - b + c) / 6.0,
        a / 24.0 + b / 12.0 + c / 6.0,
        a / 24.0 - b / 12.0 + c / 6.0,
        c,
    ]
}

impl Winograd {
    /// `weight` is `[channels_out, Σ inputs, 3, 3]`, `inputs` the channels of the maps that are
    /// read as one.
    pub fn new(
        weight: &[f32],
        channels_out: usize,
        inputs: &[usize],
        (pad, edge): (Sides, Edge),
        epilogue: Epilogue,
    ) -> Self {
        let channels_in: usize = inputs.iter().sum();
        let padded_out = channels_out.next_multiple_of(LANES);
        let padded: Vec<usize> = inputs.iter().map(|c| c.next_multiple_of(LANES)).collect();
        let padded_in: usize = padded.iter().sum();
        let pairs = padded_out.div_ceil(PAIR);
        let mut weights = vec![0.0; POINTS * pairs * padded_in * PAIR];
        let (mut from, mut to) = (0, 0);
        for (&channels, &room) in inputs.iter().zip(&padded) {
            for channel in 0..channels {
                for out in 0..channels_out {
                    let kernel = &weight[(out * channels_in + from + channel) * 9..][..9];
                    let rows = [0, 1, 2].map(|y| {
                        transform_kernel([kernel[3 * y], kernel[3 * y + 1], kernel[3 * y + 2]])
                    });
                    let columns = rows[0].iter().zip(&rows[1]).zip(&rows[2]);
                    for (x, ((top, middle), bottom)) in columns.enumerate() {
                        let column = transform_kernel([*top, *middle, *bottom]);
                        for (y, value) in column.into_iter().enumerate() {
                            let point = y * IN + x;
                            let row = (point * pairs + out / PAIR) * padded_in + to + channel;
                            weights[row * PAIR + out % PAIR] = value;
                        }
                    }
                }
            }
            from += channels;
            to += room;
        }
        Self { inputs: padded, padded_out, channels_out, phases: 1, weights, epilogue, pad, edge }
    }

    /// Memory of the transformed weights.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    /// Convolves the concatenation of `maps`, all of one size. What is left out when `stop`
    /// answers true is unspecified.
    pub fn run(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        stop: super::Stop<'_>,
    ) -> Map {
        let [height, width] = self.side(maps);
        let mut out = Map::stale(height * self.phases, width * self.phases, self.channels_out);
        let strip = (OUT * width * self.padded_out).max(1);
        let channels_in: usize = self.inputs.iter().sum();
        let blocks = height.div_ceil(OUT) * width.div_ceil(OUT);
        let whole = POINTS * blocks * (channels_in + self.padded_out);
        if channels_in * self.padded_out >= LARGE && whole <= MAX_WHOLE {
            self.run_whole(maps, modulation, &mut out, [blocks, width], stop);
            return out;
        }
        let scratch = || Scratch {
            inputs: Lent::new(POINTS * GROUP * channels_in),
            outputs: Lent::new(POINTS * GROUP * self.padded_out),
        };
        out.values_mut().par_chunks_mut(strip).enumerate().for_each_init(
            scratch,
            |scratch, (row, out)| {
                if !stop() {
                    let (conv, y) = (self, row * OUT);
                    super::dispatch(Strip { conv, maps, modulation, y, width, out, scratch });
                }
            },
        );
        out
    }

    /// Sides of the result, before `phases`.
    fn side(&self, maps: &[&Map]) -> [usize; 2] {
        let [top, bottom, left, right] = self.pad;
        let side = |len: usize, pad: usize| (len + pad).saturating_sub(2);
        maps.first()
            .map_or([0; 2], |map| [side(map.height, top + bottom), side(map.width, left + right)])
    }

    /// Where in the picture the block begins whose results begin at `(x, y)`.
    const fn origin(&self, (x, y): (usize, usize)) -> [isize; 2] {
        [x as isize - self.pad[2] as isize, y as isize - self.pad[0] as isize]
    }

    /// The weights of one point.
    fn of_point(&self, point: usize, channels_in: usize) -> &[f32] {
        let len = self.padded_out.div_ceil(PAIR) * channels_in * PAIR;
        &self.weights[point * len..][..len]
    }
}

/// A transposed 6×6 convolution of stride 2 that doubles the sides: four 3×3 convolutions, one for
/// each of the places that a pixel becomes. That is what doubling by a 3×3 kernel and smoothing by a
/// 4×4 filter come to.
#[derive(Clone, Debug)]
pub struct Phases(Winograd);

impl Phases {
    pub fn fit(conv: &Conv) -> bool {
        conv.transposed
            && (conv.kernel, conv.stride, conv.dilation) == ([6; 2], 2, 1)
            && (conv.pad, conv.output_pad) == ([2; 4], 0)
    }

    /// `dense` is `[out, in, 6, 6]`.
    pub fn new(conv: &Conv, dense: &[f32], parts: &[usize], epilogue: Epilogue) -> Self {
        let (from, to) = (conv.channels_in, conv.channels_out);
        let padded = to.next_multiple_of(LANES);
        let mut weight = vec![0.0; 4 * padded * from * 9];
        for phase in 0..4 {
            for out in 0..to {
                for input in 0..from {
                    let kernel = &dense[(out * from + input) * 36..][..36];
                    let own = &mut weight[((phase * padded + out) * from + input) * 9..][..9];
                    for (at, to) in own.iter_mut().enumerate() {
                        // Every second tap falls on this place, the last of them on the pixel
                        // before.
                        let (y, x) = (phase / 2 + 4 - at / 3 * 2, phase % 2 + 4 - at % 3 * 2);
                        *to = kernel[y * 6 + x];
                    }
                }
            }
        }
        let four = Winograd::new(&weight, 4 * padded, parts, ([1; 4], Edge::Zero), epilogue);
        Self(Winograd { phases: 2, channels_out: to, ..four })
    }

    /// Memory of the transformed weights.
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// As [`Winograd::run`].
    pub fn run(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        stop: super::Stop<'_>,
    ) -> Map {
        self.0.run(maps, modulation, stop)
    }
}

struct Scratch {
    /// `[POINTS, GROUP, Σ inputs]`.
    inputs: Lent,
    /// `[POINTS, GROUP, padded_out]`.
    outputs: Lent,
}

/// Four rows of the result.
struct Strip<'a> {
    conv: &'a Winograd,
    maps: &'a [&'a Map],
    modulation: Option<Modulation<'a>>,
    y: usize,
    width: usize,
    out: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { conv, maps, modulation, y, width, out, scratch } = self;
        let blocks = width.div_ceil(OUT);
        let channels_in: usize = conv.inputs.iter().sum();
        for first in (0..blocks).step_by(GROUP) {
            let count = GROUP.min(blocks - first);
            for block in 0..count {
                let mut at = block * channels_in;
                for map in maps {
                    let origin = conv.origin(((first + block) * OUT, y));
                    let place = (at, GROUP * channels_in);
                    transform_input(simd, map, conv.edge, origin, &mut scratch.inputs, place);
                    at += map.padded();
                }
            }
            for point in 0..POINTS {
                let weights = conv.of_point(point, channels_in);
                let inputs = &scratch.inputs[point * GROUP * channels_in..][..count * channels_in];
                let outputs = &mut scratch.outputs[point * GROUP * conv.padded_out..]
                    [..count * conv.padded_out];
                let sizes = [channels_in, conv.padded_out];
                multiply(simd, (inputs, channels_in), weights, outputs, sizes);
            }
            for block in 0..count {
                let at = [(first + block) * OUT, y];
                let (outputs, group) = (&scratch.outputs, (block, GROUP));
                transform_output(simd, conv, modulation, outputs, group, at, width, out);
            }
        }
    }
}

/// `outputs[block][out] = Σ inputs[block][in] · weights[in][out]`; `step` numbers lie between the
/// inputs of neighbouring blocks.
#[inline(always)]
fn multiply<S: Simd>(
    simd: S,
    (inputs, step): (&[f32], usize),
    weights: &[f32],
    outputs: &mut [f32],
    [channels_in, channels_out]: [usize; 2],
) {
    let (row, in_pair) = (channels_out / S::F32_LANES, PAIR / S::F32_LANES);
    for (pair, weights) in weights.chunks_exact(channels_in * PAIR).enumerate() {
        let weights = S::as_simd_f32s(weights).0;
        for own in (0..in_pair).step_by(2) {
            let column = pair * in_pair + own;
            if column >= row {
                break;
            }
            let second = (column + 1).min(row - 1);
            for (tile, outputs) in outputs.chunks_mut(TILE * channels_out).enumerate() {
                let count = outputs.len() / channels_out;
                // A short last tile repeats its first block and drops the copies.
                let blocks = six!(at: {
                    let block = tile * TILE + if at < count { at } else { 0 };
                    &inputs[block * step..][..channels_in]
                });
                let mut sums = [[simd.splat_f32s(0.0); 2]; TILE];
                // The range tells the compiler that no channel is beyond a block's end.
                for (channel, weights) in (0..channels_in).zip(weights.chunks_exact(in_pair)) {
                    let (left, right) = (weights[own], weights[own + second - column]);
                    for (sums, block) in sums.iter_mut().zip(blocks) {
                        let value = simd.splat_f32s(block[channel]);
                        sums[0] = simd.mul_add_e_f32s(value, left, sums[0]);
                        sums[1] = simd.mul_add_e_f32s(value, right, sums[1]);
                    }
                }
                let outputs = S::as_mut_simd_f32s(outputs).0;
                for (block, sums) in sums.into_iter().enumerate().take(count) {
                    outputs[block * row + column] = sums[0];
                    outputs[block * row + second] = sums[1];
                }
            }
        }
    }
}
