//! The shape that the fast style networks share (Johnson et al. 2016, with nearest-neighbour
//! doublings as Dumoulin et al. 2017): contract to a quarter of the side, residual blocks, expand.

use super::graph::{Act, Conv, Edge, Graph, Value};

/// Of the instance norms.
pub(super) const EPS: f32 = 1e-5;

/// Where a layer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// 0, 1, 2.
    Contract(usize),
    /// Block, then 0 or 1.
    Residual(usize, usize),
    /// 0, 1, 2.
    Expand(usize),
}

/// Channels and depth.
pub(super) struct Transfer {
    /// After each contracting layer.
    pub contract: [usize; 3],
    /// Residual blocks.
    pub blocks: usize,
    /// After the first two expanding layers.
    pub expand: [usize; 2],
}

impl Transfer {
    /// RGB in `0..=1`, `[3, h, w]` with sides that are multiples of 4, to the same; `layer` adds
    /// the named and normed convolution of each place, whose names the given one lacks.
    pub fn build(
        &self,
        g: &mut Graph,
        picture: Value,
        layer: &mut dyn FnMut(&mut Graph, Value, Place, Conv) -> Value,
    ) {
        let conv =
            |from: usize, to: usize, side: usize| Conv::new("", from, to, side).edge(Edge::Reflect);
        let mut x = picture;
        for (number, to) in self.contract.into_iter().enumerate() {
            let (side, stride) = if number == 0 { (9, 1) } else { (3, 2) };
            let own = conv(g.channels(x), to, side).stride(stride);
            x = layer(g, x, Place::Contract(number), own);
            x = g.relu(x);
            g.name(x, format!("contract.{number}"));
        }
        let trunk = g.channels(x);
        for block in 0..self.blocks {
            let inner = layer(g, x, Place::Residual(block, 0), conv(trunk, trunk, 3));
            let inner = g.relu(inner);
            let inner = layer(g, inner, Place::Residual(block, 1), conv(trunk, trunk, 3));
            x = g.add(inner, x);
            g.name(x, format!("res.{block}"));
        }
        for (number, to) in self.expand.into_iter().enumerate() {
            let doubled = g.nearest(x, 2);
            let own = conv(g.channels(x), to, 3);
            x = layer(g, doubled, Place::Expand(number), own);
            x = g.relu(x);
            g.name(x, format!("expand.{number}"));
        }
        let own = conv(g.channels(x), 3, 9);
        x = layer(g, x, Place::Expand(2), own);
        x = g.act(x, Act::Sigmoid);
        g.name(x, "output");
        g.output(x);
    }
}
