//! The generator of DCGAN (Radford et al. 2015; PyTorch's tutorial).

use burn::module::Module;
use burn::nn::conv::{ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Tensor};

use super::{Probe, unobserved};
use crate::zoo::arch;

/// The whole network.
#[derive(Module, Debug)]
pub struct DcganGenerator {
    convs: Vec<ConvTranspose2d>,
    norms: Vec<BatchNorm>,
}

impl DcganGenerator {
    /// Random weights, to be replaced by [`super::load`] or trained.
    pub fn init(spec: &arch::Dcgan, device: &Device) -> Self {
        let inputs = std::iter::once(spec.latent).chain(spec.channels.iter().copied());
        let conv = |(layer, (channels_in, &channels)): (usize, (usize, &usize))| {
            // The first layer spreads the latent over 4×4 pixels, each further one doubles.
            let (stride, padding) = if layer == 0 { (1, 0) } else { (2, 1) };
            ConvTranspose2dConfig::new([channels_in, channels], [4, 4])
                .with_stride([stride; 2])
                .with_padding([padding; 2])
                .with_bias(false)
                .init(device)
        };
        let convs = inputs.zip(&spec.channels).enumerate().map(conv).collect();
        let hidden = spec.channels.iter().take(spec.channels.len().saturating_sub(1));
        let norms = hidden.map(|&channels| BatchNormConfig::new(channels).init(device)).collect();
        Self { convs, norms }
    }

    /// The official name of a parameter of this module: convolution, norm and activation take a
    /// number each.
    pub fn official(path: &str) -> String {
        let renamed = |root: &str, offset: usize| {
            let (index, leaf) = path.strip_prefix(root)?.split_once('.')?;
            Some(format!("main.{}.{leaf}", 3 * index.parse::<usize>().ok()? + offset))
        };
        renamed("convs.", 0).or_else(|| renamed("norms.", 1)).unwrap_or_else(|| path.to_owned())
    }

    /// Latents `[n, latent, 1, 1]`, standard normal, to pictures `[n, channels, side, side]` in
    /// `-1..=1`.
    pub fn forward(&self, latents: Tensor<4>) -> Tensor<4> {
        self.forward_observed(latents, &mut unobserved)
    }

    /// [`DcganGenerator::forward`] that shows `probe` each layer after its activation.
    pub fn forward_observed(&self, latents: Tensor<4>, probe: Probe<'_>) -> Tensor<4> {
        let mut out = latents;
        for (index, conv) in self.convs.iter().enumerate() {
            out = conv.forward(out); // [n, channels, 4·2^index, 4·2^index]
            if let Some(norm) = self.norms.get(index) {
                out = relu(norm.forward(out));
                probe(&format!("main.{}", 3 * index + 2), &out);
            }
        }
        let out = tanh(out); // [n, channels, side, side]
        probe("output", &out);
        out
    }
}
