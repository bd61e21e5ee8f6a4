//! Transposed convolutions whose stride is their side: each pixel becomes a square, and squares do
//! not overlap. A product of matrices makes all pixels of a square, which are then laid out.

use super::Stop;
use super::epilogue::Epilogue;
use super::map::Map;
use super::pointwise::Pointwise;
use super::spatial;
use crate::nets::graph::{Conv, Edge};

/// A transposed convolution without overlap.
#[derive(Clone, Debug)]
pub struct Tiled {
    stride: usize,
    /// Makes `[row, column, channels_out]` of a square as channels.
    squares: Pointwise,
}

impl Tiled {
    pub fn fit(conv: &Conv) -> bool {
        let is_square = conv.kernel == [conv.stride; 2] && conv.stride > 1;
        conv.transposed && is_square && (conv.pad, conv.output_pad, conv.dilation) == ([0; 4], 0, 1)
    }

    /// `dense` is `[out, Σ parts, row, column]`.
    pub fn new(conv: &Conv, dense: &[f32], parts: &[usize], epilogue: &Epilogue) -> Self {
        let (from, to, area) = (conv.channels_in, conv.channels_out, conv.stride * conv.stride);
        let mut weights = vec![0.0; dense.len()];
        for (at, weight) in dense.iter().enumerate() {
            let (place, input, out) = (at % area, at / area % from, at / (area * from));
            weights[(place * to + out) * from + input] = *weight;
        }
        let epilogue = epilogue.repeated(to, area);
        let squares = Pointwise::new(&weights, area * to, parts, epilogue);
        Self { stride: conv.stride, squares }
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        self.squares.bytes()
    }

    /// On the concatenation of `maps`, all of one size. What is left out when `stop` answers true
    /// is unspecified.
    pub fn run(&self, maps: &[&Map], stop: Stop<'_>) -> Map {
        spatial::depth_to_space(&self.squares.run(maps, None, stop), self.stride)
    }

    /// [`Tiled::run`] to at least that size: pixels on which no square falls are zero.
    pub fn run_to(&self, maps: &[&Map], [height, width]: [usize; 2], stop: Stop<'_>) -> Map {
        let map = self.run(maps, stop);
        let (below, beside) = (height - map.height.min(height), width - map.width.min(width));
        match (below, beside) {
            (0, 0) => map,
            _ => spatial::pad(&map, [0, below, 0, beside], Edge::Zero),
        }
    }
}
