//! Winograd's method on a whole picture at once, where the weights are many and the pixels few: each
//! weight is read once, by one thread.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::block::{transform_input, transform_output};
use super::{OUT, POINTS, Winograd, multiply};
use crate::nets::cpu::epilogue::Modulation;
use crate::nets::cpu::map::Map;
use crate::nets::cpu::spare::Lent;
use crate::nets::cpu::{Stop, dispatch};

impl Winograd {
    /// All blocks of a result so many pixels wide, in three passes: each point's weights are read
    /// once.
    pub(super) fn run_whole(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        out: &mut Map,
        [blocks, width]: [usize; 2],
        stop: Stop<'_>,
    ) {
        let (row, channels_in) = (width.div_ceil(OUT), self.inputs.iter().sum::<usize>());
        // `[block, POINTS, Σ inputs]`
        let mut inputs = Lent::new(blocks * POINTS * channels_in);
        inputs.par_chunks_mut(POINTS * channels_in).enumerate().for_each(|(block, to)| {
            let origin = self.origin((block % row * OUT, block / row * OUT));
            dispatch(Transform { conv: self, maps, origin, to });
        });
        // `[POINTS, block, padded_out]`
        let mut outputs = Lent::new(POINTS * blocks * self.padded_out);
        outputs.par_chunks_mut(blocks * self.padded_out).enumerate().for_each(|(point, to)| {
            if !stop() {
                let inputs = &inputs[point * channels_in..];
                dispatch(Multiply { conv: self, point, inputs, step: POINTS, to });
            }
        });
        let strip = (OUT * width * self.padded_out).max(1);
        out.values_mut().par_chunks_mut(strip).enumerate().for_each(|(strip, out)| {
            let (outputs, first) = (&outputs, strip * row);
            dispatch(Finish { conv: self, modulation, outputs, blocks, first, width, out });
        });
    }
}

/// The input transform of one block, `[POINTS, Σ inputs]`.
struct Transform<'a> {
    conv: &'a Winograd,
    maps: &'a [&'a Map],
    origin: [isize; 2],
    to: &'a mut [f32],
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels_in = self.to.len() / POINTS;
        let mut before = 0;
        for map in self.maps {
            let place = (before, channels_in);
            transform_input(simd, map, self.conv.edge, self.origin, self.to, place);
            before += map.padded();
        }
    }
}

/// The products of one point for all blocks.
struct Multiply<'a> {
    conv: &'a Winograd,
    point: usize,
    inputs: &'a [f32],
    /// Rows of inputs between those of neighbouring blocks.
    step: usize,
    to: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { conv, point, inputs, step, to } = self;
        let channels_in: usize = conv.inputs.iter().sum();
        let weights = conv.of_point(point, channels_in);
        multiply(simd, (inputs, step * channels_in), weights, to, [channels_in, conv.padded_out]);
    }
}

/// Four rows of the result, from the products of all blocks.
struct Finish<'a> {
    conv: &'a Winograd,
    modulation: Option<Modulation<'a>>,
    outputs: &'a [f32],
    blocks: usize,
    /// Number of the strip's first block.
    first: usize,
    width: usize,
    out: &'a mut [f32],
}

impl WithSimd for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { conv, modulation, outputs, blocks, first, width, out } = self;
        let row = width.div_ceil(OUT);
        for block in 0..row {
            let at = [block * OUT, first / row * OUT];
            let group = (first + block, blocks);
            transform_output(simd, conv, modulation, outputs, group, at, width, out);
        }
    }
}
