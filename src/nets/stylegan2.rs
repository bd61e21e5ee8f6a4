//! The generator of StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of
//! StyleGAN", 2020) and StyleGAN2-ADA ("Training Generative Adversarial Networks with Limited
//! Data", 2020), named as in its PyTorch version.
//!
//! Weights are stored unscaled: fully connected layers and those to RGB are equalised, that is
//! divided by the root of their fan-in, here on what goes in. The demodulation of the 3×3
//! convolutions takes care of theirs.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::blueprint::{Blueprint, LatentSpace, Style};
use super::graph::{Act, Conv, Graph, Layout, Op, Resample, Value};
use super::mapping::{Mapping, SLOPE, equalised, equaliser, style};

/// Of demodulation.
const EPS: f32 = 1e-8;
/// Side of the filter that smooths what is enlarged.
const FILTER: [usize; 2] = [4, 4];

/// How the picture comes out of the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synthesis {
    /// The sum of one from each block.
    Skip,
    /// That of the last block; blocks are residual.
    Resnet,
    /// That of the last block.
    Orig,
}

/// Eight fully connected layers from a latent to a style; convolutions that styles modulate, from
/// a learned constant up.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleGan2 {
    /// Numbers in a latent.
    pub z_dim: usize,
    /// Numbers in a row of W+.
    pub w_dim: usize,
    /// 0 where there is no condition.
    pub classes: usize,
    /// Fully connected layers of the mapping.
    pub mapping_layers: usize,
    /// Factor on weights and biases of these.
    pub mapping_rate: f32,
    /// Channels at sides of 4, 8, 16, … pixels.
    pub channels: Vec<usize>,
    pub synthesis: Synthesis,
    /// What activations are cut at.
    pub clamp: Option<f32>,
    /// Whether the mean of W comes with the weights.
    pub has_mean: bool,
}

/// A 3×3 convolution with style, noise and activation.
struct Layer {
    name: String,
    from: usize,
    to: usize,
    /// Of its results.
    side: usize,
}

impl Layer {
    /// Only the first of a block doubles.
    fn doubles(&self) -> bool {
        self.name.ends_with("conv0")
    }
}

impl StyleGan2 {
    /// Rows of W+.
    pub const fn rows(&self) -> usize {
        2 * self.channels.len()
    }

    /// Side of the picture.
    pub const fn side(&self) -> usize {
        4 << (self.channels.len() - 1)
    }

    /// The layers of each block, each of which reads the row of W+ that is its number.
    fn blocks(&self) -> Vec<Vec<Layer>> {
        let mut from = self.channels.first().copied().unwrap_or(0);
        let block = |(level, &to): (usize, &usize)| {
            let side = 4 << level;
            let layer = |from: usize, conv: &str| Layer {
                name: format!("synthesis.b{side}.{conv}"),
                from,
                to,
                side,
            };
            let before = std::mem::replace(&mut from, to);
            if level == 0 {
                vec![layer(to, "conv1")]
            } else {
                vec![layer(before, "conv0"), layer(to, "conv1")]
            }
        };
        self.channels.iter().enumerate().map(block).collect()
    }

    fn layers(&self) -> Vec<Layer> {
        self.blocks().into_iter().flatten().collect()
    }

    /// The whole network: a latent `[z_dim, 1, 1]`, and a class as one-hot `[classes, 1, 1]` where
    /// there are any, to a picture `[3, side, side]`, in `-1..=1` but not clamped, with the noise
    /// of the file.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let w = self.mapping().add(&mut g);
        let stored = |layer: &Layer| {
            g.param(&format!("{}.noise_const", layer.name), &[layer.side, layer.side])
        };
        let noises: Vec<Value> = self.layers().iter().map(stored).collect();
        self.draw(&mut g, &vec![w; self.rows()], &noises);
        g
    }

    /// The same in parts.
    pub fn blueprint(&self) -> Blueprint {
        let layers = self.layers();
        let mut synthesis = Graph::new();
        let rows: Vec<Value> = (0..self.rows()).map(|_| synthesis.input(self.w_dim)).collect();
        let noises: Vec<Value> = layers.iter().map(|_| synthesis.input(1)).collect();
        let features = self.draw(&mut synthesis, &rows, &noises);
        let side = self.side();
        let to_rgb = Layer {
            name: format!("synthesis.b{side}.torgb"),
            from: self.channels.last().copied().unwrap_or(0),
            to: 3,
            side,
        };
        let style = |(row, layer): (usize, &Layer)| Style {
            row,
            weight: format!("{}.affine.weight", layer.name),
            layout: Layout::OutIn,
            channels: layer.from,
        };
        Blueprint {
            space: LatentSpace {
                z_dim: self.z_dim,
                w_dim: self.w_dim,
                has_w: true,
                classes: self.classes,
                row_sides: layers.iter().chain([&to_rgb]).map(|layer| layer.side).collect(),
                noise: layers.iter().map(|layer| [layer.side; 2]).collect(),
                side,
                ..LatentSpace::default()
            },
            mapping: Some(self.mapping().graph()),
            synthesis,
            features,
            mean: self.has_mean.then(|| "mapping.w_avg".into()),
            noise: layers.iter().map(|layer| format!("{}.noise_const", layer.name)).collect(),
            styles: layers.iter().chain([&to_rgb]).enumerate().map(style).collect(),
        }
    }

    fn mapping(&self) -> Mapping {
        let Self { z_dim, w_dim, classes, mapping_layers, mapping_rate, .. } = *self;
        Mapping { z_dim, w_dim, classes, layers: mapping_layers, rate: mapping_rate }
    }

    /// Adds the picture that the rows of W+ and the noises stand for, and makes it the output; the
    /// features after each block.
    fn draw(&self, g: &mut Graph, rows: &[Value], noises: &[Value]) -> Vec<Value> {
        let rows: Vec<Value> =
            rows.iter().map(|w| g.scale(*w, equaliser(self.w_dim), 0.0)).collect();
        let channels = self.channels.first().copied().unwrap_or(0);
        let mut x = g.param("synthesis.b4.const", &[channels, 4, 4]);
        let mut picture: Option<Value> = None;
        let mut features = Vec::new();
        let mut reads = rows.iter().zip(noises);
        let blocks = self.blocks();
        for (level, layers) in blocks.iter().enumerate() {
            let block = format!("synthesis.b{}", 4 << level);
            let is_residual = self.synthesis == Synthesis::Resnet && level > 0;
            let shortcut = is_residual.then(|| {
                let (from, to) = (g.channels(x), self.channels[level]);
                let conv = Conv::new(&format!("{block}.skip"), from, to, 1).no_bias();
                let narrow = equalised(g, x, conv, FRAC_1_SQRT_2);
                double(g, narrow, &format!("{block}.skip.resample_filter"))
            });
            for (layer, (row, noise)) in layers.iter().zip(&mut reads) {
                let is_last = layer.name.ends_with("conv1");
                let gain = if is_residual && is_last { FRAC_1_SQRT_2 } else { 1.0 };
                x = self.layer(g, layer, x, *row, *noise, gain);
                g.name(x, layer.name.clone());
            }
            if let Some(shortcut) = shortcut {
                x = g.add(shortcut, x);
            }
            features.push(x);
            if self.synthesis == Synthesis::Skip || level + 1 == blocks.len() {
                let rgb = self.to_rgb(g, &format!("{block}.torgb"), x, rows[2 * level + 1]);
                let sum = match picture {
                    Some(before) => {
                        let before = double(g, before, &format!("{block}.resample_filter"));
                        g.add(before, rgb)
                    }
                    None => rgb,
                };
                picture = Some(g.name(sum, format!("{block}.img")));
            }
        }
        let picture = picture.unwrap_or(x);
        g.name(picture, "output");
        g.output(picture);
        features
    }

    /// A modulated convolution with noise and activation; `row` is equalised.
    fn layer(
        &self,
        g: &mut Graph,
        layer: &Layer,
        x: Value,
        row: Value,
        noise: Value,
        gain: f32,
    ) -> Value {
        let Layer { name, from, to, .. } = layer;
        let style = style(g, row, name, *from);
        let conv = Conv::new(name, *from, *to, 3).no_bias();
        // What the convolution does along with its sums comes before it.
        let factors = g.demodulate(style, &conv.weight, [*to, *from, 3, 3], EPS);
        let strength = g.param(&format!("{name}.noise_strength"), &[]);
        let noise = g.mul(noise, strength);
        let bias = g.param(&format!("{name}.bias"), &[*to]);
        let x = g.mul(x, style);
        let x = if layer.doubles() {
            let conv = Conv { stride: 2, transposed: true, pad: [0; 4], ..conv };
            let x = g.conv(x, conv.layout(Layout::OutFirst));
            let filter = Resample::new(&format!("{name}.resample_filter"), FILTER);
            g.resample(x, Resample { pad: [1; 4], gain: 4.0, ..filter })
        } else {
            g.conv(x, conv)
        };
        let x = g.mul(x, factors);
        let x = g.add(x, noise);
        let x = g.add(x, bias);
        let x = g.act(x, Act::Leaky(SLOPE));
        let x = g.scale(x, SQRT_2 * gain, 0.0);
        self.clamp(g, x, gain)
    }

    /// A modulated matrix without noise and activation.
    fn to_rgb(&self, g: &mut Graph, name: &str, x: Value, row: Value) -> Value {
        let from = g.channels(x);
        let style = style(g, row, name, from);
        let style = g.scale(style, equaliser(from), 0.0);
        let x = g.mul(x, style);
        let rgb = g.conv(x, Conv::new(name, from, 3, 1));
        self.clamp(g, rgb, 1.0)
    }

    fn clamp(&self, g: &mut Graph, x: Value, gain: f32) -> Value {
        match self.clamp.map(|clamp| clamp * gain) {
            Some(clamp) => g.unary(x, Op::Clamp { low: -clamp, high: clamp }),
            None => x,
        }
    }
}

/// Twice as large, smoothly.
fn double(g: &mut Graph, x: Value, filter: &str) -> Value {
    let plan = Resample::new(filter, FILTER);
    g.resample(x, Resample { up: 2, pad: [2, 1, 2, 1], gain: 4.0, ..plan })
}
