//! The variational autoencoder of latent diffusion, `AutoencoderKL` (Kingma and Welling 2014;
//! Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models", 2022).

use super::blueprint::{Blueprint, LatentSpace};
use super::denoising::{active, attend, double, halve, residual};
use super::graph::{Conv, Graph, Value};

/// Most numbers of the latents that are drawn, and the longest side of them.
const MOST_NUMBERS: usize = 8192;
const LONGEST_SIDE: usize = 32;

/// The autoencoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoencoderKl {
    /// Channels at each level, the picture's own size first.
    pub channels: Vec<usize>,
    /// Residual blocks of a level on the way down; one more on the way up.
    pub layers: usize,
    /// Channels of a latent.
    pub latent: usize,
    /// Whether a 1×1 convolution lies on either side of the latents.
    pub has_quant: bool,
}

impl AutoencoderKl {
    /// Pixels that one of a latent stands for, on either axis.
    pub const fn reduction(&self) -> usize {
        1 << (self.channels.len() - 1)
    }

    /// Side of the latents that are drawn: what fits into a code.
    pub const fn latent_side(&self) -> usize {
        let mut side = LONGEST_SIDE;
        while side > 1 && side * side * self.latent > MOST_NUMBERS {
            side /= 2;
        }
        side
    }

    /// Side of the pictures that are drawn, in pixels.
    pub const fn side(&self) -> usize {
        self.latent_side() * self.reduction()
    }

    /// A picture, RGB in `-1..=1`, whose sides are multiples of [`AutoencoderKl::reduction`], to
    /// what is drawn of its mean latent, in `-1..=1` but not clamped, and to mean and logarithm of
    /// the variance of its latents, `[2 · latent, h, w]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let moments = self.encode(&mut g, picture);
        let mean = g.slice(moments, 0, self.latent);
        let drawn = self.decode(&mut g, mean);
        g.output(drawn);
        g.name(moments, "output1");
        g.output(moments);
        g
    }

    /// A picture of [`AutoencoderKl::side`] to the mean of its latents, `[latent · side²]`: the
    /// code of the blueprint.
    pub fn reader(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let moments = self.encode(&mut g, picture);
        let mean = g.slice(moments, 0, self.latent);
        let code = g.pixel_unshuffle(mean, self.latent_side());
        g.output(code);
        g
    }

    /// A latent, channel by channel, row by row, is its one row.
    pub fn blueprint(&self) -> Blueprint {
        let side = self.latent_side();
        let numbers = self.latent * side * side;
        let mut synthesis = Graph::new();
        let row = synthesis.input(numbers);
        let latent = synthesis.pixel_shuffle(row, side);
        let drawn = self.decode(&mut synthesis, latent);
        synthesis.output(drawn);
        Blueprint {
            space: LatentSpace {
                z_dim: numbers,
                w_dim: numbers,
                has_w: false,
                row_sides: vec![self.side()],
                side: self.side(),
                ..LatentSpace::default()
            },
            mapping: None,
            synthesis,
            features: Vec::new(),
            mean: None,
            noise: Vec::new(),
            styles: Vec::new(),
        }
    }

    fn encode(&self, g: &mut Graph, picture: Value) -> Value {
        let first = self.channels.first().copied().unwrap_or(1);
        let mut x = g.conv(picture, Conv::new("encoder.conv_in", 3, first, 3));
        for (level, &to) in self.channels.iter().enumerate() {
            let name = format!("encoder.down_blocks.{level}");
            for layer in 0..self.layers {
                x = residual(g, x, &format!("{name}.resnets.{layer}"), to, None);
            }
            if level + 1 < self.channels.len() {
                x = halve(g, x, &name);
            }
        }
        x = middle(g, x, "encoder");
        x = active(g, x, "encoder.conv_norm_out");
        let (from, to) = (g.channels(x), 2 * self.latent);
        x = g.conv(x, Conv::new("encoder.conv_out", from, to, 3));
        if self.has_quant { g.conv(x, Conv::new("quant_conv", to, to, 1)) } else { x }
    }

    fn decode(&self, g: &mut Graph, mut x: Value) -> Value {
        let last = self.channels.last().copied().unwrap_or(1);
        if self.has_quant {
            x = g.conv(x, Conv::new("post_quant_conv", self.latent, self.latent, 1));
        }
        x = g.conv(x, Conv::new("decoder.conv_in", self.latent, last, 3));
        x = middle(g, x, "decoder");
        for (level, &to) in self.channels.iter().rev().enumerate() {
            let name = format!("decoder.up_blocks.{level}");
            for layer in 0..=self.layers {
                x = residual(g, x, &format!("{name}.resnets.{layer}"), to, None);
            }
            if level + 1 < self.channels.len() {
                x = double(g, x, &name);
            }
        }
        x = active(g, x, "decoder.conv_norm_out");
        let from = g.channels(x);
        x = g.conv(x, Conv::new("decoder.conv_out", from, 3, 3));
        g.name(x, "output")
    }
}

/// Two residual blocks with attention between them.
fn middle(g: &mut Graph, x: Value, part: &str) -> Value {
    let channels = g.channels(x);
    let x = residual(g, x, &format!("{part}.mid_block.resnets.0"), channels, None);
    let x = attend(g, x, &format!("{part}.mid_block.attentions.0"));
    residual(g, x, &format!("{part}.mid_block.resnets.1"), channels, None)
}
