//! The two generators of pix2pix and CycleGAN (Isola et al. 2017, Zhu et al. 2017;
//! pytorch-CycleGAN-and-pix2pix): pictures of one kind to pictures of another.
//!
//! Norms take their statistics from the picture itself, instance norm and batch norm alike:
//! the published code tests pix2pix, whose networks have batch norm, with the statistics of the
//! picture at hand, and without dropout the two are the same.

use super::graph::{Act, Conv, Edge, Graph, Value};

/// Of PyTorch's norms.
const EPS: f32 = 1e-5;
/// Slope of the U-Net's leaky ReLU.
const SLOPE: f32 = 0.2;

/// What follows a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Whether it has a factor and an offset a channel.
    pub is_affine: bool,
    /// Whether convolutions before it have biases.
    pub is_biased: bool,
}

impl Norm {
    fn conv(self, g: &mut Graph, x: Value, conv: Conv) -> Value {
        g.conv(x, if self.is_biased { conv } else { conv.no_bias() })
    }

    fn apply(self, g: &mut Graph, x: Value, name: &str) -> Value {
        if self.is_affine { g.instance_norm_affine(x, name, EPS) } else { g.instance_norm(x, EPS) }
    }
}

/// `ResnetGenerator`: halved twice, residual blocks, doubled twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResnetGenerator {
    pub channels_in: usize,
    pub channels_out: usize,
    /// Channels after the first layer; four times as many in the blocks.
    pub features: usize,
    /// Residual blocks.
    pub blocks: usize,
    pub norm: Norm,
    /// Whether blocks were trained with dropout, which counts as a module in their names.
    pub has_dropout: bool,
}

impl ResnetGenerator {
    /// A picture in `-1..=1`, `[channels_in, h, w]` with sides that are multiples of 4, to
    /// another of that size.
    pub fn graph(&self) -> Graph {
        let (norm, features) = (self.norm, self.features);
        let mut g = Graph::new();
        let mut x = g.input(self.channels_in);
        let wide = |at: usize, from: usize, to: usize| {
            Conv::new(&format!("model.{at}"), from, to, 7).edge(Edge::Reflect)
        };
        // Numbers of modules: a padding first, then convolution, norm and ReLU.
        let mut at = 1;
        x = norm.conv(&mut g, x, wide(at, self.channels_in, features));
        x = self.finish(&mut g, x, &mut at);
        for factor in [1, 2] {
            let own =
                Conv::new(&format!("model.{at}"), factor * features, 2 * factor * features, 3);
            x = norm.conv(&mut g, x, own.stride(2));
            x = self.finish(&mut g, x, &mut at);
        }
        for _ in 0..self.blocks {
            x = self.block(&mut g, x, &format!("model.{at}.conv_block"));
            g.name(x, format!("model.{at}"));
            at += 1;
        }
        for factor in [2, 1] {
            let name = format!("model.{at}");
            let own = Conv::transposed(&name, 2 * factor * features, factor * features, 3, 2);
            x = norm.conv(&mut g, x, own.pad([1; 4]).output_pad(1));
            x = self.finish(&mut g, x, &mut at);
        }
        x = g.conv(x, wide(at + 1, features, self.channels_out));
        x = g.act(x, Act::Tanh);
        g.name(x, "output");
        g.output(x);
        g
    }

    /// Norm and ReLU after convolution `at`, which goes on to the next convolution.
    fn finish(&self, g: &mut Graph, x: Value, at: &mut usize) -> Value {
        let x = self.norm.apply(g, x, &format!("model.{}", *at + 1));
        let x = g.relu(x);
        g.name(x, format!("model.{}", *at + 2));
        *at += 3;
        x
    }

    fn block(&self, g: &mut Graph, x: Value, name: &str) -> Value {
        let features = 4 * self.features;
        let conv = |at: usize| {
            Conv::new(&format!("{name}.{at}"), features, features, 3).edge(Edge::Reflect)
        };
        let second = if self.has_dropout { 6 } else { 5 };
        let inner = self.norm.conv(g, x, conv(1));
        let inner = self.norm.apply(g, inner, &format!("{name}.2"));
        let inner = g.relu(inner);
        let inner = self.norm.conv(g, inner, conv(second));
        let inner = self.norm.apply(g, inner, &format!("{name}.{}", second + 1));
        g.add(inner, x)
    }
}

/// `UnetGenerator`: halved down to nearly nothing and doubled again, with skips between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnetGenerator {
    pub channels_in: usize,
    pub channels_out: usize,
    /// Channels after each halving.
    pub widths: Vec<usize>,
    pub norm: Norm,
}

impl UnetGenerator {
    /// The name of level `level`'s modules, which stand inside the level above's.
    pub fn level(level: usize) -> String {
        match level {
            0 => "model.model".into(),
            level => format!("model.model.1.model{}", ".3.model".repeat(level - 1)),
        }
    }

    /// A picture in `-1..=1`, `[channels_in, h, w]` with sides that are multiples of
    /// `2^levels`, to another of that size.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let input = g.input(self.channels_in);
        let x = self.halve(&mut g, input, 0);
        g.output(x);
        g
    }

    /// Level `level` and everything below.
    fn halve(&self, g: &mut Graph, x: Value, level: usize) -> Value {
        let (norm, name) = (self.norm, Self::level(level));
        let (is_outermost, is_innermost) = (level == 0, level + 1 == self.widths.len());
        let width = self.widths[level];
        let down = usize::from(!is_outermost);
        let from = g.channels(x);
        let seen = if is_outermost { x } else { g.act(x, Act::Leaky(SLOPE)) };
        let conv = Conv::new(&format!("{name}.{down}"), from, width, 4).stride(2).pad([1; 4]);
        let mut inner = norm.conv(g, seen, conv);
        if !is_outermost && !is_innermost {
            inner = norm.apply(g, inner, &format!("{name}.2"));
        }
        g.name(inner, format!("down.{level}"));
        if !is_innermost {
            let below = self.halve(g, inner, level + 1);
            inner = g.concat(&[inner, below]);
        }
        let inner = g.relu(inner);
        let up = if is_outermost || is_innermost { 3 } else { 5 };
        let to = if is_outermost { self.channels_out } else { self.widths[level - 1] };
        let conv = Conv::transposed(&format!("{name}.{up}"), g.channels(inner), to, 4, 2);
        let conv = conv.pad([1; 4]);
        if is_outermost {
            let x = g.conv(inner, conv);
            let x = g.act(x, Act::Tanh);
            return g.name(x, "output");
        }
        let x = norm.conv(g, inner, conv);
        let x = norm.apply(g, x, &format!("{name}.{}", up + 1));
        g.name(x, format!("up.{level}"))
    }
}
