//! A 1×1 convolution, a depthwise one and another 1×1 one at once (Sandler et al. 2018, MobileNetV2),
//! or the last two of them, on the processor.
//!
//! What lies between is several times as large as what goes in and comes out. It is made for a few
//! rows at a time, so that it stays in a second-level cache.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Stop;
use super::depthwise::Depthwise;
use super::epilogue::Modulation;
use super::map::Map;
use super::pointwise::{Pixels, Pointwise};
use super::spare;

/// Numbers between the convolutions that stay in a second-level cache along with the rest.
const CACHED: usize = 1 << 17;

/// Convolutions that run strip by strip.
#[derive(Clone, Debug)]
pub struct Separable {
    expand: Option<Pointwise>,
    depthwise: Depthwise,
    project: Pointwise,
}

impl Separable {
    /// Nothing where the depthwise convolution reads pixels outside the picture that are not zero.
    pub fn new(
        expand: Option<Pointwise>,
        depthwise: Depthwise,
        project: Pointwise,
    ) -> Option<Self> {
        depthwise.has_zero_edge().then_some(Self { expand, depthwise, project })
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        let expand = self.expand.as_ref().map_or(0, Pointwise::bytes);
        expand + self.depthwise.bytes() + self.project.bytes()
    }

    /// On the concatenation of `maps`, all of one size. What is left out when `stop` answers true
    /// is unspecified.
    pub fn run(&self, maps: &[&Map], modulation: Option<Modulation<'_>>, stop: Stop<'_>) -> Map {
        let side = maps.first().map_or([0; 2], |map| [map.height, map.width]);
        let channels = self.depthwise.channels();
        // What fits is not made anew where strips meet.
        let fits = side[0] * side[1] * channels <= 2 * CACHED;
        let expanded = match &self.expand {
            Some(expand) if fits => Some(expand.run(maps, None, stop)),
            None if maps.len() > 1 => Some(super::elementwise::join(maps)),
            _ => None,
        };
        let expand = self.expand.as_ref().filter(|_| expanded.is_none());
        let one = expanded.as_ref().map(|map| [map]);
        let maps: &[&Map] = one.as_ref().map_or(maps, |one| one);
        let [height, width] = self.depthwise.output(side);
        let mut out = Map::stale(height, width, self.project.channels_out());
        let row = (width * out.padded()).max(1);
        let rows = self.rows(side[1], height, width);
        out.values_mut().par_chunks_mut(rows * row).enumerate().for_each(|(at, out)| {
            if !stop() {
                let rows = at * rows..at * rows + out.len() / row;
                let inputs = maps.iter().map(|map| map.values()).collect();
                let line = side[1] * self.depthwise.padded();
                let between = rows.len() * width * self.depthwise.padded();
                let read = expand.map_or(0..0, |_| self.depthwise.reads(rows.clone(), side[0]));
                spare::scratch([read.len() * line, between], |scratch| {
                    let kernel = self;
                    super::dispatch(Strip {
                        kernel,
                        expand,
                        inputs,
                        side,
                        rows,
                        width,
                        modulation,
                        scratch,
                        out,
                    });
                });
            }
        });
        out
    }

    /// Rows of a strip.
    fn rows(&self, width: usize, out_height: usize, out_width: usize) -> usize {
        let threads = rayon::current_num_threads();
        let padded = self.depthwise.padded();
        let cached = match self.expand {
            Some(_) => CACHED / (width * padded).max(1) / self.depthwise.stride(),
            None => CACHED / 2 / (out_width * padded).max(1),
        };
        // Weights are read for each strip.
        let strips = if self.project.bytes() < 1 << 16 { 2 * threads } else { threads };
        out_height.div_ceil(strips).min(cached).max(1)
    }
}

/// Some rows of results.
struct Strip<'a> {
    kernel: &'a Separable,
    /// Where that is not done yet.
    expand: Option<&'a Pointwise>,
    inputs: Vec<&'a [f32]>,
    /// Of the inputs.
    side: [usize; 2],
    rows: std::ops::Range<usize>,
    /// Of the results.
    width: usize,
    modulation: Option<Modulation<'a>>,
    /// What is expanded, and what lies before the last convolution.
    scratch: [&'a mut [f32]; 2],
    out: &'a mut [f32],
}

impl WithSimd for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { kernel, expand, inputs, side: [height, side], rows, width, .. } = self;
        let Self { modulation, scratch: [expanded, between], out, .. } = self;
        let Separable { depthwise, project, .. } = kernel;
        let padded = depthwise.padded();
        let line = side * padded;
        let mut first = 0;
        if let Some(expand) = expand {
            first = depthwise.reads(rows.clone(), height).start;
            let first = first * side;
            let pixels = Pixels { inputs: &inputs, first, modulation: None, stride: padded };
            expand.multiply(simd, pixels, expand.blocks(), expanded);
        }
        // The rows that are read, of which that one is the first.
        let picture: &[f32] = if expand.is_some() { expanded } else { inputs[0] };
        for (y, row) in rows.clone().zip(between.chunks_exact_mut((width * padded).max(1))) {
            let lines = depthwise.lines(y, height, |y| &picture[(y - first) * line..][..line]);
            depthwise.row(simd, &lines, row);
        }
        let place = rows.start * width;
        let pixels = Pixels {
            inputs: &[between],
            first: 0,
            modulation: modulation.map(|modulation| (modulation, width, place)),
            stride: project.padded_out(),
        };
        project.multiply(simd, pixels, project.blocks(), out);
    }
}

#[cfg(test)]
mod tests;
