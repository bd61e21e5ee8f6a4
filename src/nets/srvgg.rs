//! SRVGGNetCompact of Real-ESRGAN (BasicSR's `SRVGGNetCompact` with PReLU).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{PRelu, PReluConfig};
use burn::tensor::{Device, Tensor};

use super::blocks::{conv3x3, enlarge_nearest, pixel_shuffle};
use super::{Probe, unobserved};
use crate::zoo::arch;

/// The whole network.
#[derive(Module, Debug)]
pub struct SrvggNetCompact {
    convs: Vec<Conv2d>,
    slopes: Vec<PRelu>,
    scale: usize,
}

impl SrvggNetCompact {
    /// Random weights, to be replaced by [`super::load`] or trained.
    pub fn init(spec: &arch::Srvgg, device: &Device) -> Self {
        let features = spec.features;
        let out = spec.channels * spec.scale * spec.scale;
        let mut convs = vec![conv3x3(spec.channels, features, device)];
        convs.extend((0..spec.layers).map(|_| conv3x3(features, features, device)));
        convs.push(conv3x3(features, out, device));
        let slope = PReluConfig::new().with_num_parameters(features);
        let slopes = (0..=spec.layers).map(|_| slope.init(device)).collect();
        Self { convs, slopes, scale: spec.scale }
    }

    /// The official name of a parameter of this module: convolutions and slopes alternate.
    pub fn official(path: &str) -> String {
        let renamed = |root: &str, offset: usize| {
            let (index, leaf) = path.strip_prefix(root)?.split_once('.')?;
            Some(format!("body.{}.{leaf}", 2 * index.parse::<usize>().ok()? + offset))
        };
        renamed("convs.", 0).or_else(|| renamed("slopes.", 1)).unwrap_or_else(|| path.to_owned())
    }

    /// RGB in `0..=1`, `[n, channels, h, w]`, to `[n, channels, h·scale, w·scale]`, not clamped.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_observed(x, &mut unobserved)
    }

    /// [`SrvggNetCompact::forward`] that shows `probe` what each layer makes.
    pub fn forward_observed(&self, x: Tensor<4>, probe: Probe<'_>) -> Tensor<4> {
        let mut out = x.clone();
        for (index, conv) in self.convs.iter().enumerate() {
            out = conv.forward(out); // [n, features, h, w]; the last has channels·scale²
            probe(&format!("body.{}", 2 * index), &out);
            if let Some(slope) = self.slopes.get(index) {
                out = slope.forward(out);
                probe(&format!("body.{}", 2 * index + 1), &out);
            }
        }
        let residual = pixel_shuffle(out, self.scale); // [n, channels, h·scale, w·scale]
        let out = residual + enlarge_nearest(x, self.scale);
        probe("output", &out);
        out
    }
}
