//! RRDBNet, the generator of ESRGAN and Real-ESRGAN (Wang et al. 2018, 2021; BasicSR's
//! `RRDBNet`).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::leaky_relu;
use burn::tensor::{Device, Tensor};

use super::blocks::{LEAKY_SLOPE, conv3x3, enlarge_nearest, pixel_unshuffle};
use super::{Probe, unobserved};
use crate::zoo::arch;

/// How much of a residual is added: keeps deep stacks without normalisation stable.
const RESIDUAL_SCALE: f32 = 0.2;

/// Five convolutions, each fed with the input and all earlier results.
#[derive(Module, Debug)]
pub struct ResidualDenseBlock {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
    conv5: Conv2d,
}

impl ResidualDenseBlock {
    fn init(features: usize, growth: usize, device: &Device) -> Self {
        let layer = |index: usize, out| conv3x3(features + index * growth, out, device);
        Self {
            conv1: layer(0, growth),
            conv2: layer(1, growth),
            conv3: layer(2, growth),
            conv4: layer(3, growth),
            conv5: layer(4, features),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut dense = x.clone(); // [n, features, h, w]
        for conv in [&self.conv1, &self.conv2, &self.conv3, &self.conv4] {
            let grown = leaky_relu(conv.forward(dense.clone()), LEAKY_SLOPE); // [n, growth, h, w]
            dense = Tensor::cat(vec![dense, grown], 1); // [n, features + k·growth, h, w]
        }
        self.conv5.forward(dense) * RESIDUAL_SCALE + x // [n, features, h, w]
    }
}

/// Three dense blocks in a residual.
#[derive(Module, Debug)]
pub struct Rrdb {
    rdb1: ResidualDenseBlock,
    rdb2: ResidualDenseBlock,
    rdb3: ResidualDenseBlock,
}

impl Rrdb {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let out = self.rdb3.forward(self.rdb2.forward(self.rdb1.forward(x.clone())));
        out * RESIDUAL_SCALE + x // [n, features, h, w]
    }
}

/// The whole network.
#[derive(Module, Debug)]
pub struct RrdbNet {
    conv_first: Conv2d,
    body: Vec<Rrdb>,
    conv_body: Conv2d,
    conv_up: Vec<Conv2d>,
    conv_hr: Conv2d,
    conv_last: Conv2d,
    unshuffle: usize,
}

impl RrdbNet {
    /// Random weights, to be replaced by [`super::load`] or trained.
    pub fn init(spec: &arch::RrdbNet, device: &Device) -> Self {
        let features = spec.features;
        let block = || ResidualDenseBlock::init(features, spec.growth, device);
        let unshuffled = spec.channels * spec.unshuffle * spec.unshuffle;
        Self {
            conv_first: conv3x3(unshuffled, features, device),
            body: (0..spec.blocks)
                .map(|_| Rrdb { rdb1: block(), rdb2: block(), rdb3: block() })
                .collect(),
            conv_body: conv3x3(features, features, device),
            conv_up: (0..spec.doublings).map(|_| conv3x3(features, features, device)).collect(),
            conv_hr: conv3x3(features, features, device),
            conv_last: conv3x3(features, spec.channels, device),
            unshuffle: spec.unshuffle,
        }
    }

    /// The official name of a parameter of this module.
    pub fn official(path: &str) -> String {
        let renamed = || {
            let (index, leaf) = path.strip_prefix("conv_up.")?.split_once('.')?;
            Some(format!("conv_up{}.{leaf}", index.parse::<usize>().ok()? + 1))
        };
        renamed().unwrap_or_else(|| path.to_owned())
    }

    /// RGB in `0..=1`, `[n, channels, h, w]`, to `[n, channels, h·scale, w·scale]`, not clamped.
    /// Height and width are multiples of the unshuffling.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_observed(x, &mut unobserved)
    }

    /// [`RrdbNet::forward`] that shows `probe` what each part makes.
    pub fn forward_observed(&self, x: Tensor<4>, probe: Probe<'_>) -> Tensor<4> {
        let x = if self.unshuffle > 1 { pixel_unshuffle(x, self.unshuffle) } else { x };
        let first = self.conv_first.forward(x); // [n, features, h, w]
        probe("conv_first", &first);
        let mut trunk = first.clone();
        for (index, block) in self.body.iter().enumerate() {
            trunk = block.forward(trunk); // [n, features, h, w]
            probe(&format!("body.{index}"), &trunk);
        }
        let mut out = self.conv_body.forward(trunk) + first; // [n, features, h, w]
        probe("trunk", &out);
        for (index, conv) in self.conv_up.iter().enumerate() {
            let doubled = conv.forward(enlarge_nearest(out, 2)); // [n, features, 2h, 2w]
            out = leaky_relu(doubled, LEAKY_SLOPE);
            probe(&format!("conv_up{}", index + 1), &out);
        }
        let out = leaky_relu(self.conv_hr.forward(out), LEAKY_SLOPE);
        probe("conv_hr", &out);
        let out = self.conv_last.forward(out); // [n, channels, h·scale, w·scale]
        probe("output", &out);
        out
    }
}
