//! GFP-GAN (Wang et al., "Towards Real-World Blind Face Restoration with Generative Facial Prior",
//! 2021) as its versions 1.2 to 1.4 are, `GFPGANv1Clean`: a U-Net reads a face and tells a
//! StyleGAN2 which one to draw, by its styles and by features that scale and shift its own.

use std::f32::consts::SQRT_2;

use super::graph::{Act, Conv, Graph, Grid, Value};

/// Slope of the leaky ReLU.
const SLOPE: f32 = 0.2;
/// Of demodulation.
const EPS: f32 = 1e-8;

/// The network, whose levels have sides of 4, 8, 16, … pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gfpgan {
    /// Channels of the U-Net at each level.
    pub unet: Vec<usize>,
    /// Channels of the StyleGAN2 at each level.
    pub decoder: Vec<usize>,
    /// Numbers in a style.
    pub style: usize,
    /// Whether each layer has a style of its own.
    pub own_styles: bool,
    /// Whether the second half of the decoder's channels alone is scaled and shifted.
    pub half: bool,
}

impl Gfpgan {
    /// Side of the picture.
    pub const fn side(&self) -> usize {
        4 << (self.unet.len() - 1)
    }

    /// Numbers that the U-Net makes of a face for the decoder's layers.
    const fn styles(&self) -> usize {
        if self.own_styles { self.style * 2 * self.unet.len() } else { self.style }
    }

    /// A face, RGB in `-1..=1`, `[3, side, side]`, to the same restored, in `-1..=1`, not clamped;
    /// with the noise of the file.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let (style, conditions) = self.read(&mut g);
        let output = self.draw(&mut g, style, &conditions);
        g.name(output, "output");
        g.output(output);
        g
    }

    /// Adds the U-Net: its styles, and what scales and shifts the decoder at 8, 16, … pixels.
    fn read(&self, g: &mut Graph) -> (Value, Vec<[Value; 2]>) {
        let face = g.input(3);
        let largest = self.unet.last().copied().unwrap_or(1);
        let mut x = leaky(g, face, Conv::new("conv_body_first", 3, largest, 1));
        let mut skips = Vec::new();
        for (index, &to) in self.unet.iter().rev().skip(1).enumerate() {
            x = residual(g, x, to, &format!("conv_body_down.{index}"), |g, x| {
                g.avg_pool(x, 2, 2, [0; 4])
            });
            skips.push(x);
        }
        let coarsest = g.channels(x);
        x = leaky(g, x, Conv::new("final_conv", coarsest, coarsest, 3));
        // Channel by channel, row by row: a picture as a vector.
        let vector = g.pixel_unshuffle(x, 4);
        let style = g.conv(vector, Conv::linear("final_linear", 16 * coarsest, self.styles()));
        g.name(style, "final_linear");
        let mut conditions = Vec::new();
        let levels = self.unet.iter().zip(&self.decoder).skip(1);
        for (index, ((&to, &wide), skip)) in levels.zip(skips.into_iter().rev()).enumerate() {
            let sum = g.add(x, skip);
            x = residual(g, sum, to, &format!("conv_body_up.{index}"), double);
            let wide = if self.half { wide - wide / 2 } else { wide };
            conditions.push(["scale", "shift"].map(|which| {
                let name = format!("condition_{which}.{index}");
                let inner = leaky(g, x, Conv::new(&format!("{name}.0"), to, to, 3));
                let value = g.conv(inner, Conv::new(&format!("{name}.2"), to, wide, 3));
                g.name(value, name)
            }));
        }
        (style, conditions)
    }

    /// Adds the StyleGAN2: the picture.
    fn draw(&self, g: &mut Graph, styles: Value, conditions: &[[Value; 2]]) -> Value {
        let row = |g: &mut Graph, row: usize| {
            if self.own_styles { g.slice(styles, row * self.style, self.style) } else { styles }
        };
        let mut to = self.decoder.first().copied().unwrap_or(1);
        let constant = g.param("stylegan_decoder.constant_input.weight", &[1, to, 4, 4]);
        let first = row(g, 0);
        let mut x = layer(g, constant, to, first, "style_conv1", 0);
        let second = row(g, 1);
        let mut picture = to_rgb(g, x, second, "to_rgb1");
        for (index, &[scale, shift]) in conditions.iter().enumerate() {
            to = self.decoder[index + 1];
            let first = 2 * index + 1;
            let rows = [first, first + 1, first + 2].map(|at| row(g, at));
            let conv = |at: usize| format!("style_convs.{}", 2 * index + at);
            let large = double(g, x);
            x = layer(g, large, to, rows[0], &conv(0), first);
            x = self.modulate(g, x, scale, shift);
            x = layer(g, x, to, rows[1], &conv(1), first + 1);
            let rgb = to_rgb(g, x, rows[2], &format!("to_rgbs.{index}"));
            let large = double(g, picture);
            picture = g.add(rgb, large);
        }
        picture
    }

    /// Scales and shifts features by a picture of each (Wang et al. 2018, SFT).
    fn modulate(&self, g: &mut Graph, x: Value, scale: Value, shift: Value) -> Value {
        let (all, wide) = (g.channels(x), g.channels(scale));
        let part = if self.half { g.slice(x, all - wide, wide) } else { x };
        let part = g.mul(part, scale);
        let part = g.add(part, shift);
        if !self.half {
            return part;
        }
        let rest = g.slice(x, 0, all - wide);
        g.concat(&[rest, part])
    }
}

fn leaky(g: &mut Graph, x: Value, conv: Conv) -> Value {
    let x = g.conv(x, conv);
    g.act(x, Act::Leaky(SLOPE))
}

/// Twice as large.
fn double(g: &mut Graph, x: Value) -> Value {
    g.bilinear(x, 2, Grid::HalfPixel)
}

/// Two convolutions with a change of size between, and a way around them.
fn residual(
    g: &mut Graph,
    x: Value,
    to: usize,
    name: &str,
    resize: impl Fn(&mut Graph, Value) -> Value,
) -> Value {
    let from = g.channels(x);
    let small = resize(g, x);
    let skip = g.conv(small, Conv::new(&format!("{name}.skip"), from, to, 1).no_bias());
    let inner = leaky(g, x, Conv::new(&format!("{name}.conv1"), from, from, 3));
    let inner = resize(g, inner);
    let inner = leaky(g, inner, Conv::new(&format!("{name}.conv2"), from, to, 3));
    let sum = g.add(inner, skip);
    g.name(sum, name)
}

/// A 3×3 convolution of the decoder with style, noise number `noise` and activation.
fn layer(g: &mut Graph, x: Value, to: usize, row: Value, name: &str, noise: usize) -> Value {
    let path = format!("stylegan_decoder.{name}");
    let from = g.channels(x);
    let style = modulation(g, row, &path, from);
    let conv = Conv::new(&format!("{path}.modulated_conv"), from, to, 3).no_bias();
    // What the convolution does along with its sums comes before it.
    let factors = g.demodulate(style, &conv.weight, [to, from, 3, 3], EPS);
    let factors = g.scale(factors, SQRT_2, 0.0);
    let side = 4 << noise.div_ceil(2);
    let noise = g.param(&format!("stylegan_decoder.noises.noise{noise}"), &[1, 1, side, side]);
    let strength = g.param(&format!("{path}.weight"), &[1]);
    let noise = g.mul(noise, strength);
    let bias = g.param(&format!("{path}.bias"), &[to]);
    let x = g.mul(x, style);
    let x = g.conv(x, conv);
    let x = g.mul(x, factors);
    let x = g.add(x, noise);
    let x = g.add(x, bias);
    let x = g.act(x, Act::Leaky(SLOPE));
    g.name(x, name)
}

/// The decoder's picture of what its features are at one level.
fn to_rgb(g: &mut Graph, x: Value, row: Value, name: &str) -> Value {
    let path = format!("stylegan_decoder.{name}");
    let from = g.channels(x);
    let style = modulation(g, row, &path, from);
    let x = g.mul(x, style);
    let matrix = Conv::new(&format!("{path}.modulated_conv"), from, 3, 1);
    let rgb = g.conv(x, Conv { bias: Some(format!("{path}.bias")), ..matrix });
    g.name(rgb, name)
}

/// The styles of a layer's `channels` inputs.
fn modulation(g: &mut Graph, row: Value, path: &str, channels: usize) -> Value {
    let from = g.channels(row);
    g.conv(row, Conv::linear(&format!("{path}.modulated_conv.modulation"), from, channels))
}
