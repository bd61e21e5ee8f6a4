//! A convolution by its official names, and what lies around a picture.

use serde::Serialize;

/// What lies outside a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Edge {
    Zero,
    /// Mirrored at the middle of the outermost pixel, which is not repeated.
    Reflect,
    /// The outermost pixel goes on.
    Replicate,
}

impl Edge {
    /// The pixel of `0..len` that stands at `index`; `None` for a zero.
    pub fn index(self, index: isize, len: usize) -> Option<usize> {
        let last = len as isize - 1;
        let inside = match self {
            Self::Zero => index,
            Self::Reflect if index < 0 => -index,
            Self::Reflect if index > last => 2 * last - index,
            Self::Reflect => index,
            Self::Replicate => index.clamp(0, last),
        };
        (0..=last).contains(&inside).then_some(inside as usize)
    }
}

/// Pixels that are added: top, bottom, left, right.
pub type Sides = [usize; 4];

/// How the weight of a convolution is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Layout {
    /// `[out, in / groups, height, width]`, or `[in, out / groups, height, width]` where it is
    /// transposed.
    Kernel,
    /// A fully connected layer: `[out, in]`.
    OutIn,
    /// A table with one row an input: `[in, out]`.
    InOut,
}

/// A convolution with its official names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conv {
    pub weight: String,
    pub bias: Option<String>,
    pub layout: Layout,
    pub channels_in: usize,
    pub channels_out: usize,
    /// Height, width.
    pub kernel: [usize; 2],
    pub stride: usize,
    pub dilation: usize,
    pub groups: usize,
    pub pad: Sides,
    pub edge: Edge,
    /// Fractionally strided: the gradient of a convolution. `pad` is cut off the full result.
    pub transposed: bool,
    /// Pixels that are added at the bottom and right of a transposed result.
    pub output_pad: usize,
}

impl Conv {
    /// A square kernel of odd side with bias, stride 1 and zero padding that keeps the size;
    /// parameters `<name>.weight` and `<name>.bias`.
    pub fn new(name: &str, channels_in: usize, channels_out: usize, side: usize) -> Self {
        Self {
            weight: format!("{name}.weight"),
            bias: Some(format!("{name}.bias")),
            layout: Layout::Kernel,
            channels_in,
            channels_out,
            kernel: [side; 2],
            stride: 1,
            dilation: 1,
            groups: 1,
            pad: [side / 2; 4],
            edge: Edge::Zero,
            transposed: false,
            output_pad: 0,
        }
    }

    /// A fully connected layer on vectors, weight `[out, in]`.
    pub fn linear(name: &str, channels_in: usize, channels_out: usize) -> Self {
        Self { layout: Layout::OutIn, ..Self::new(name, channels_in, channels_out, 1) }
    }

    /// A transposed convolution of stride `stride` without padding.
    pub fn transposed(
        name: &str,
        channels_in: usize,
        channels_out: usize,
        side: usize,
        stride: usize,
    ) -> Self {
        let conv = Self::new(name, channels_in, channels_out, side);
        Self { stride, transposed: true, pad: [0; 4], ..conv }
    }

    pub fn no_bias(self) -> Self {
        Self { bias: None, ..self }
    }

    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// With a stride and TensorFlow's `SAME` padding, for sides that are multiples of the stride:
    /// the odd pixel lies at the bottom and right.
    pub fn same(self, stride: usize) -> Self {
        let around = |side: usize| {
            let all = side.saturating_sub(stride);
            (all / 2, all - all / 2)
        };
        let ((top, bottom), (left, right)) = (around(self.kernel[0]), around(self.kernel[1]));
        Self { stride, pad: [top, bottom, left, right], ..self }
    }

    /// Spreads the kernel and keeps the size: the padding grows along.
    pub fn dilation(self, dilation: usize) -> Self {
        let pad = self.pad.map(|side| side * dilation);
        Self { dilation, pad, ..self }
    }

    pub fn pad(self, pad: Sides) -> Self {
        Self { pad, ..self }
    }

    pub fn edge(self, edge: Edge) -> Self {
        Self { edge, ..self }
    }

    pub fn output_pad(self, output_pad: usize) -> Self {
        Self { output_pad, ..self }
    }

    /// Channels in `groups` blocks that do not see each other.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Each channel by itself.
    pub fn depthwise(self) -> Self {
        Self { groups: self.channels_in, ..self }
    }

    /// The shape of the weight in a checkpoint.
    pub fn weight_shape(&self) -> Vec<usize> {
        let (from, to) = (self.channels_in, self.channels_out);
        let [height, width] = self.kernel;
        match (self.layout, self.transposed) {
            (Layout::Kernel, false) => vec![to, from / self.groups, height, width],
            (Layout::Kernel, true) => vec![from, to / self.groups, height, width],
            (Layout::OutIn, _) => vec![to, from],
            (Layout::InOut, _) => vec![from, to],
        }
    }
}
