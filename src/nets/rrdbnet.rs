//! RRDBNet, the generator of ESRGAN and Real-ESRGAN (Wang et al. 2018, 2021; BasicSR's
//! `RRDBNet`).

use super::graph::{Act, Conv, Graph, Value};

/// Slope of the leaky ReLU.
const SLOPE: f32 = 0.2;
/// How much of a residual is added: keeps deep stacks without normalisation stable.
const RESIDUAL_SCALE: f32 = 0.2;

/// Residual-in-residual dense blocks, then nearest-neighbour doublings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrdbNet {
    /// Channels of the picture, in and out.
    pub channels: usize,
    /// Channels of the trunk.
    pub features: usize,
    /// Channels that each dense layer adds.
    pub growth: usize,
    /// RRDB blocks.
    pub blocks: usize,
    /// Doublings at the end.
    pub doublings: usize,
    /// Side of the pixel blocks that the input is unshuffled by: 1, 2 or 4.
    pub unshuffle: usize,
}

impl RrdbNet {
    /// Result side over source side.
    pub const fn scale(&self) -> usize {
        (1 << self.doublings) / self.unshuffle
    }

    /// RGB in `0..=1`, `[channels, h, w]`, to `[channels, h·scale, w·scale]`, not clamped. Height
    /// and width are multiples of the unshuffling.
    pub fn graph(&self) -> Graph {
        let features = self.features;
        let mut g = Graph::new();
        let mut x = g.input(self.channels);
        if self.unshuffle > 1 {
            x = g.pixel_unshuffle(x, self.unshuffle);
        }
        let unshuffled = g.channels(x);
        let first = g.conv(x, Conv::new("conv_first", unshuffled, features, 3));
        g.name(first, "conv_first");
        let mut trunk = first;
        for block in 0..self.blocks {
            let mut x = trunk;
            for dense in 1..=3 {
                x = self.dense_block(&mut g, x, &format!("body.{block}.rdb{dense}"));
            }
            trunk = g.add_scaled(x, RESIDUAL_SCALE, trunk);
            g.name(trunk, format!("body.{block}"));
        }
        let body = g.conv(trunk, Conv::new("conv_body", features, features, 3));
        let mut x = g.add(body, first);
        g.name(x, "trunk");
        for doubling in 1..=self.doublings {
            let doubled = g.nearest(x, 2);
            x = leaky_conv(&mut g, doubled, &format!("conv_up{doubling}"), features, features);
            g.name(x, format!("conv_up{doubling}"));
        }
        let x = leaky_conv(&mut g, x, "conv_hr", features, features);
        g.name(x, "conv_hr");
        let x = g.conv(x, Conv::new("conv_last", features, self.channels, 3));
        g.name(x, "output");
        g.output(x);
        g
    }

    /// Five convolutions, each fed with the input and all earlier results.
    fn dense_block(&self, g: &mut Graph, x: Value, name: &str) -> Value {
        let mut dense = vec![x];
        for layer in 1..=4 {
            let seen = g.concat(&dense);
            let channels = g.channels(seen);
            dense.push(leaky_conv(g, seen, &format!("{name}.conv{layer}"), channels, self.growth));
        }
        let seen = g.concat(&dense);
        let channels = g.channels(seen);
        let last = g.conv(seen, Conv::new(&format!("{name}.conv5"), channels, self.features, 3));
        g.add_scaled(last, RESIDUAL_SCALE, x)
    }
}

fn leaky_conv(g: &mut Graph, x: Value, name: &str, from: usize, to: usize) -> Value {
    let x = g.conv(x, Conv::new(name, from, to, 3));
    g.act(x, Act::Leaky(SLOPE))
}
