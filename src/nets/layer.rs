//! A convolution by its official names, what lies around a picture, and how it is resampled.

use serde::Serialize;

/// What is done to each number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Act {
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` times the slope where negative.
    Leaky(f32),
    Sigmoid,
    Tanh,
    /// `x · min(max(x + 3, 0), 6) / 6`
    HardSwish,
    /// `min(max(x + 3, 0), 6) / 6`
    HardSigmoid,
    /// `exp(x) - 1` where negative.
    Elu,
    /// Of radians.
    Sine,
    /// `1 / √x`; smaller numbers count as `1e-12`.
    Rsqrt,
}

/// The size of a resampled picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Target {
    Times(usize),
    /// Height and width.
    Fixed(usize, usize),
    /// That of the node's second input.
    Like,
}

/// Where samples lie when a picture is resampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Grid {
    /// Pixels are areas: PyTorch's `align_corners = False`.
    HalfPixel,
    /// Outermost pixels fall on each other: `align_corners = True`.
    Corners,
}

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

/// What is added to a variance over a batch before the root is taken.
pub(super) const DEVIATION_EPS: f32 = 1e-8;

/// What [`Act::Rsqrt`] takes smaller numbers for, so that results stay finite.
pub(super) const LEAST_ROOT: f32 = 1e-12;

/// What scores of contextual attention are multiplied by.
pub(super) const SHARPNESS: f32 = 10.0;
/// Shorter patches count as so long there.
pub(super) const LEAST_NORM: f32 = 1e-4;

/// Pixels that are added: top, bottom, left, right.
pub type Sides = [usize; 4];

/// How the weight of a convolution is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Layout {
    /// `[out, in / groups, height, width]`, or `[in, out / groups, height, width]` where it is
    /// transposed.
    Kernel,
    /// `[out, in / groups, height, width]`, transposed or not.
    OutFirst,
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

    pub fn layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
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
            (Layout::Kernel, false) | (Layout::OutFirst, _) => {
                vec![to, from / self.groups, height, width]
            }
            (Layout::Kernel, true) => vec![from, to / self.groups, height, width],
            (Layout::OutIn, _) => vec![to, from],
            (Layout::InOut, _) => vec![from, to],
        }
    }
}

/// Zeros between the pixels, pixels around, a filter, and every so many of the results: the
/// `upfirdn2d` of StyleGAN2 (Karras et al. 2020).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resample {
    /// Name of the filter, which acts on each channel: a convolution proper, so that it comes out
    /// itself where one pixel goes in. Its numbers are taken to add up to 1.
    pub filter: String,
    /// Whether it is a list of numbers, which stands for the products of any two of them.
    pub is_separable: bool,
    /// Height and width of the filter.
    pub size: [usize; 2],
    /// A pixel becomes so many, all but the first of them zero, on either axis.
    pub up: usize,
    /// One of so many results is kept, on either axis.
    pub down: usize,
    /// Zeros at the top, bottom, left and right, among the pixels that `up` made; so many of them
    /// are cut off where negative.
    pub pad: [isize; 4],
    pub gain: f32,
}

impl Resample {
    /// A filter on the picture as it is.
    pub fn new(filter: &str, size: [usize; 2]) -> Self {
        let (filter, is_separable) = (filter.into(), false);
        Self { filter, is_separable, size, up: 1, down: 1, pad: [0; 4], gain: 1.0 }
    }

    /// With a filter that is a list of `taps` numbers.
    pub fn separable(filter: &str, taps: usize) -> Self {
        Self { is_separable: true, ..Self::new(filter, [taps; 2]) }
    }

    /// The shape of the filter in a checkpoint.
    pub fn filter_shape(&self) -> Vec<usize> {
        if self.is_separable { vec![self.size[0]] } else { self.size.to_vec() }
    }

    /// The sides of the result.
    pub const fn output(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        let [top, bottom, left, right] = self.pad;
        let [rows, columns] = self.size;
        let height = (height * self.up).saturating_add_signed(top + bottom);
        let width = (width * self.up).saturating_add_signed(left + right);
        [
            (height + 1).saturating_sub(rows).div_ceil(self.down),
            (width + 1).saturating_sub(columns).div_ceil(self.down),
        ]
    }

    /// For each result along one axis (0 for rows) of `len` pixels: places in the filter and the
    /// pixels that they meet.
    pub(super) fn taps(&self, axis: usize, len: usize) -> Vec<Vec<(usize, usize)>> {
        let (size, before) = (self.size[axis], self.pad[2 * axis]);
        let meets = |at: usize, place: usize| {
            let spread = (at * self.down + size - 1 - place).checked_add_signed(-before)?;
            (spread % self.up == 0 && spread / self.up < len).then_some((place, spread / self.up))
        };
        let results = self.output([len; 2])[axis];
        (0..results).map(|at| (0..size).filter_map(|place| meets(at, place)).collect()).collect()
    }
}
