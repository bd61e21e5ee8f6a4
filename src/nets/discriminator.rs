//! Judges of pictures: the discriminators that generators are trained against.
//!
//! That of DCGAN (Radford et al. 2015; PyTorch's tutorial) and the residual one of StyleGAN2
//! (Karras et al. 2020), named as in its PyTorch version. Both answer with one number a picture,
//! its logit of being real: the loss applies the sigmoid where it wants one.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::graph::{Act, Conv, Graph, Resample, Value};

/// Slope of the leaky ReLU.
const SLOPE: f32 = 0.2;
/// Of PyTorch's batch norm.
const EPS: f32 = 1e-5;

/// 4×4 convolutions without bias that halve, batch norm between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DcganDiscriminator {
    /// Channels after each halving, down to 4×4 pixels.
    pub channels: Vec<usize>,
    /// Whether there is batch norm; a penalty on gradients forbids it (Gulrajani et al. 2017).
    pub has_norm: bool,
}

impl DcganDiscriminator {
    /// Side of the pictures.
    pub const fn side(&self) -> usize {
        4 << self.channels.len()
    }

    /// A picture `[3, side, side]` in `-1..=1` to `[1, 1, 1]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let mut x = g.input(3);
        let mut at = 0;
        for (level, &channels) in self.channels.iter().enumerate() {
            let conv = Conv::new(&format!("main.{at}"), g.channels(x), channels, 4);
            x = g.conv(x, conv.stride(2).pad([1; 4]).no_bias());
            at += 1;
            // The first layer has no norm, and no module in its place.
            if level > 0 {
                if self.has_norm {
                    x = g.batch_norm(x, &format!("main.{at}"), EPS);
                }
                at += 1;
            }
            x = g.act(x, Act::Leaky(SLOPE));
            g.name(x, format!("main.{at}"));
            at += 1;
        }
        let conv = Conv::new(&format!("main.{at}"), g.channels(x), 1, 4).pad([0; 4]).no_bias();
        let x = g.conv(x, conv);
        g.name(x, "output");
        g.output(x);
        g
    }
}

/// Residual blocks, each of which halves; the spread over a group of pictures; two fully
/// connected layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleGan2Discriminator {
    /// Channels at sides of 4, 8, 16, … pixels.
    pub channels: Vec<usize>,
    /// Pictures whose spread is a channel of each.
    pub group: usize,
}

impl StyleGan2Discriminator {
    /// Side of the pictures.
    pub const fn side(&self) -> usize {
        4 << (self.channels.len() - 1)
    }

    /// A picture `[3, side, side]` in `-1..=1` to `[1, 1, 1]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let mut x = g.input(3);
        for (level, pair) in self.channels.windows(2).enumerate().rev() {
            let (to, from) = (pair[0], pair[1]);
            let block = format!("b{}", 8 << level);
            if level + 2 == self.channels.len() {
                x = active(&mut g, x, Conv::new(&format!("{block}.fromrgb"), 3, from, 1), 1.0);
            }
            let skip = Conv::new(&format!("{block}.skip"), from, to, 1).no_bias();
            let shortcut = blur(&mut g, x, &skip.weight, 1, 2);
            let shortcut = equalised(&mut g, shortcut, skip, FRAC_1_SQRT_2);
            x = active(&mut g, x, Conv::new(&format!("{block}.conv0"), from, from, 3), 1.0);
            let conv = Conv::new(&format!("{block}.conv1"), from, to, 3).stride(2).pad([0; 4]);
            let smooth = blur(&mut g, x, &conv.weight, 2, 1);
            let inner = active(&mut g, smooth, conv, FRAC_1_SQRT_2);
            x = g.add(shortcut, inner);
            g.name(x, block);
        }
        let from = g.channels(x);
        x = g.minibatch_deviation(x, self.group);
        x = active(&mut g, x, Conv::new("b4.conv", from + 1, from, 3), 1.0);
        // Channel by channel, row by row: a picture as a vector.
        x = g.pixel_unshuffle(x, 4);
        x = active(&mut g, x, Conv::linear("b4.fc", 16 * from, from), 1.0);
        x = equalised(&mut g, x, Conv::linear("b4.out", from, 1), 1.0);
        g.name(x, "output");
        g.output(x);
        g
    }
}

/// `conv` with its weights divided by the root of their fan-in.
fn equalised(g: &mut Graph, x: Value, conv: Conv, gain: f32) -> Value {
    let fan_in = conv.channels_in * conv.kernel[0] * conv.kernel[1];
    let x = g.scale(x, gain / (fan_in as f32).sqrt(), 0.0);
    g.conv(x, conv)
}

/// An equalised convolution, leaky ReLU, and a gain that keeps the variance.
fn active(g: &mut Graph, x: Value, conv: Conv, gain: f32) -> Value {
    let x = equalised(g, x, conv, 1.0);
    let x = g.act(x, Act::Leaky(SLOPE));
    g.scale(x, SQRT_2 * gain, 0.0)
}

/// Smooths before the convolution with `weight`, next to which the filter is kept.
fn blur(g: &mut Graph, x: Value, weight: &str, pad: isize, down: usize) -> Value {
    let name = weight.replace(".weight", ".resample_filter");
    let plan = Resample::new(&name, [4, 4]);
    g.resample(x, Resample { down, pad: [pad; 4], ..plan })
}
