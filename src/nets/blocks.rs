//! What several networks are made of.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

/// Slope of ESRGAN's leaky ReLU.
pub const LEAKY_SLOPE: f64 = 0.2;

/// A 3×3 convolution with bias that keeps the picture's size by zero padding.
pub fn conv3x3(channels_in: usize, channels_out: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([channels_in, channels_out], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(device)
}

/// Nearest-neighbour enlargement: `[n, c, h, w]` to `[n, c, h·factor, w·factor]`.
pub fn enlarge_nearest(x: Tensor<4>, factor: usize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let options = InterpolateOptions::new(InterpolateMode::Nearest)
        .with_output_size([height * factor, width * factor]);
    interpolate(x, options)
}

/// `[n, c·s², h, w]` to `[n, c, h·s, w·s]`: channel `c·s² + dy·s + dx` goes to offset `(dy, dx)`.
pub fn pixel_shuffle(x: Tensor<4>, side: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let channels = channels / (side * side);
    x.reshape([batch, channels, side, side, height, width]) // [n, c, dy, dx, h, w]
        .permute([0, 1, 4, 2, 5, 3]) // [n, c, h, dy, w, dx]
        .reshape([batch, channels, height * side, width * side])
}

/// The inverse of [`pixel_shuffle`]; height and width are multiples of `side`.
pub fn pixel_unshuffle(x: Tensor<4>, side: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let (height, width) = (height / side, width / side);
    x.reshape([batch, channels, height, side, width, side]) // [n, c, h, dy, w, dx]
        .permute([0, 1, 3, 5, 2, 4]) // [n, c, dy, dx, h, w]
        .reshape([batch, channels * side * side, height, width])
}
