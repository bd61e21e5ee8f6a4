//! From latents to styles, as StyleGAN2 and StyleGAN3 have it.
//!
//! Weights are stored unscaled: fully connected layers are equalised, that is divided by the root of
//! their fan-in, here on what goes in.

use std::f32::consts::SQRT_2;

use super::graph::{Act, Conv, Graph, Value};

/// Slope of the leaky ReLU.
pub(super) const SLOPE: f32 = 0.2;
/// Of pixel norm.
const EPS: f32 = 1e-8;

/// Fully connected layers from a latent, and a class where there are any, to a row of W.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// Numbers in a latent.
    pub z_dim: usize,
    /// Numbers in a row of W.
    pub w_dim: usize,
    /// 0 where there is no condition.
    pub classes: usize,
    /// How many of them.
    pub layers: usize,
    /// Factor on their weights and biases.
    pub rate: f32,
}

impl Mapping {
    /// The mapping alone.
    pub(super) fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let w = self.add(&mut g);
        g.output(w);
        g
    }

    /// Adds the inputs and the mapping: the row of W.
    pub(super) fn add(&self, g: &mut Graph) -> Value {
        let z = g.input(self.z_dim);
        let mut x = g.pixel_norm(z, EPS);
        if self.classes > 0 {
            let class = g.input(self.classes);
            let embed = Conv::linear("mapping.embed", self.classes, self.w_dim);
            let embedded = equalised(g, class, embed, 1.0);
            let embedded = g.pixel_norm(embedded, EPS);
            x = g.concat(&[x, embedded]);
        }
        for layer in 0..self.layers {
            let name = format!("mapping.fc{layer}");
            let linear = Conv::linear(&name, g.channels(x), self.w_dim);
            // The slope lets factors through.
            let y = equalised(g, x, linear, 1.0);
            let y = g.act(y, Act::Leaky(SLOPE));
            x = g.scale(y, self.rate * SQRT_2, 0.0);
        }
        g.name(x, "w")
    }
}

/// One over the root of the fan-in.
pub(super) fn equaliser(channels_in: usize) -> f32 {
    1.0 / (channels_in as f32).sqrt()
}

/// `conv` with its weights divided by the root of their fan-in, times `gain`.
pub(super) fn equalised(g: &mut Graph, x: Value, conv: Conv, gain: f32) -> Value {
    let x = g.scale(x, equaliser(conv.channels_in) * gain, 0.0);
    g.conv(x, conv)
}

/// The styles of a layer's `channels` inputs.
pub(super) fn style(g: &mut Graph, row: Value, name: &str, channels: usize) -> Value {
    let name = format!("{name}.affine");
    let from = g.channels(row);
    let style = g.conv(row, Conv::linear(&name, from, channels));
    g.name(style, name)
}
