//! Zero-DCE (Guo et al. 2020, `enhance_net_nopool`): lights a picture by curves that it estimates
//! for each pixel.

use super::graph::{Act, Conv, Graph, Value};

/// Channels of the picture.
const CHANNELS: usize = 3;

/// Which code a checkpoint is for. Both differ in more than names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroDceVariant {
    /// The authors': `e_conv1` to `e_conv7`, earlier features first where two are joined.
    Official,
    /// The package neuro-low-light's: `dce_net.conv1` to `.conv7`, later features first, results
    /// held in `0..=1` after every curve.
    Neuro,
}

impl ZeroDceVariant {
    /// What stands before the number of a convolution.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Official => "e_conv",
            Self::Neuro => "dce_net.conv",
        }
    }
}

/// Seven convolutions with symmetric skips that yield the curves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZeroDce {
    /// Channels between the layers.
    pub features: usize,
    /// How often a curve is applied.
    pub curves: usize,
    pub variant: ZeroDceVariant,
}

impl ZeroDce {
    /// RGB in `0..=1`, `[3, h, w]`, to the same, lighter, and to the curves that did it,
    /// `[3 curves, h, w]` in `-1..=1`, red, green and blue of the first curve first.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(CHANNELS);
        let [one, two, three, four] = {
            let mut x = picture;
            [1, 2, 3, 4].map(|number| {
                x = self.layer(&mut g, x, number);
                x
            })
        };
        let five = self.joined_layer(&mut g, three, four, 5);
        let six = self.joined_layer(&mut g, two, five, 6);
        let curves = self.joined_layer(&mut g, one, six, 7);
        let mut x = picture;
        for curve in 0..self.curves {
            let strength = g.slice(curves, CHANNELS * curve, CHANNELS);
            // x + A (x² - x): stays in 0..=1 for A in -1..=1.
            let square = g.mul(x, x);
            let bend = g.sub(square, x);
            let change = g.mul(strength, bend);
            x = g.add(x, change);
            if self.variant == ZeroDceVariant::Neuro {
                x = g.unary(x, super::graph::Op::Clamp { low: 0.0, high: 1.0 });
            }
        }
        g.name(x, "output");
        g.output(x);
        g.name(curves, "output1");
        g.output(curves);
        g
    }

    /// Convolution `number` on the joined features of an earlier and a later layer.
    fn joined_layer(&self, g: &mut Graph, earlier: Value, later: Value, number: usize) -> Value {
        let joined = g.concat(&match self.variant {
            ZeroDceVariant::Official => [earlier, later],
            ZeroDceVariant::Neuro => [later, earlier],
        });
        self.layer(g, joined, number)
    }

    fn layer(&self, g: &mut Graph, x: Value, number: usize) -> Value {
        let is_last = number == 7;
        let to = if is_last { CHANNELS * self.curves } else { self.features };
        let conv = Conv::new(&format!("{}{number}", self.variant.prefix()), g.channels(x), to, 3);
        let x = g.conv(x, conv);
        let x = g.act(x, if is_last { Act::Tanh } else { Act::Relu });
        g.name(x, format!("conv{number}"))
    }
}
