//! DeepFill v2 (Yu et al., "Free-Form Image Inpainting with Gated Convolution", 2019), named as in
//! its PyTorch port: a coarse network, then a fine one that also looks for what fits elsewhere in
//! the picture.

use super::graph::{Act, Conv, Graph, Value};

/// Two networks of gated convolutions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeepFill {
    /// Channels at half the sides; a multiple of 4.
    pub features: usize,
}

/// Dilations of the rows at a quarter of the sides.
const RATES: [usize; 5] = [1, 2, 4, 8, 16];

impl DeepFill {
    /// A picture, RGB in `-1..=1`, `[3, height, width]`, and its mask, 1 where it is to be filled,
    /// else 0, `[1, height, width]`; to the whole picture in `-1..=1`. Sides are multiples of 8.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let (picture, mask) = (g.input(3), g.input(1));
        let known = g.scale(mask, -1.0, 1.0);
        let masked = g.mul(picture, known);
        // A channel for sketches, which are none here.
        let ones = g.scale(mask, 0.0, 1.0);
        let seen = g.concat(&[masked, ones, mask]);
        let coarse = self.coarse(&mut g, seen);
        let filled = g.mul(coarse, mask);
        let mixed = g.add(filled, masked);
        let output = self.fine(&mut g, mixed, mask);
        g.name(output, "output");
        g.output(output);
        g
    }

    fn coarse(&self, g: &mut Graph, x: Value) -> Value {
        let net = Stage { name: "stage1", features: self.features };
        let quarter = 2 * self.features;
        let mut x = net.gated(g, x, "conv1", self.features / 2, 5, 1);
        x = net.down(g, x, "down_block1", [self.features; 2]);
        x = net.down(g, x, "down_block2", [quarter; 2]);
        for (index, rate) in RATES.into_iter().chain([1, 1]).enumerate() {
            x = net.gated(g, x, &format!("conv_bn{}", index + 1), quarter, 3, rate);
        }
        net.up(g, x)
    }

    fn fine(&self, g: &mut Graph, mixed: Value, mask: Value) -> Value {
        let net = Stage { name: "stage2", features: self.features };
        let (half, quarter) = (self.features, 2 * self.features);
        let mut x = net.gated(g, mixed, "conv_conv1", half / 2, 5, 1);
        x = net.down(g, x, "conv_down_block1", [half / 2, half]);
        x = net.down(g, x, "conv_down_block2", [half, quarter]);
        for (index, rate) in RATES.into_iter().enumerate() {
            x = net.gated(g, x, &format!("conv_conv_bn{}", index + 1), quarter, 3, rate);
        }
        let imagined = x;
        let mut x = net.gated(g, mixed, "ca_conv1", half / 2, 5, 1);
        x = net.down(g, x, "ca_down_block1", [half / 2, half]);
        x = net.down(g, x, "ca_down_block2", [quarter; 2]);
        x = net.gated_by(g, x, "ca_conv_bn1", (quarter, Act::Relu), 3, [1, 1]);
        x = g.contextual_attention(x, mask);
        g.name(x, "stage2.contextual_attention");
        for name in ["ca_conv_bn4", "ca_conv_bn5"] {
            x = net.gated(g, x, name, quarter, 3, 1);
        }
        let mut x = g.concat(&[imagined, x]);
        for name in ["conv_bn6", "conv_bn7"] {
            x = net.gated(g, x, name, quarter, 3, 1);
        }
        net.up(g, x)
    }
}

/// One of the two networks.
struct Stage {
    name: &'static str,
    features: usize,
}

impl Stage {
    /// A convolution whose second half of results opens or shuts the first.
    fn gated_by(
        &self,
        g: &mut Graph,
        x: Value,
        name: &str,
        (to, act): (usize, Act),
        side: usize,
        [stride, rate]: [usize; 2],
    ) -> Value {
        let path = format!("{}.{name}", self.name);
        let conv = Conv::new(&format!("{path}.conv"), g.channels(x), 2 * to, side);
        let both = g.conv(x, conv.dilation(rate).stride(stride));
        let value = g.slice(both, 0, to);
        let value = g.act(value, act);
        let gate = g.slice(both, to, to);
        let gate = g.act(gate, Act::Sigmoid);
        let x = g.mul(value, gate);
        g.name(x, path)
    }

    fn gated(
        &self,
        g: &mut Graph,
        x: Value,
        name: &str,
        to: usize,
        side: usize,
        rate: usize,
    ) -> Value {
        self.gated_by(g, x, name, (to, Act::Elu), side, [1, rate])
    }

    /// Half as large.
    fn down(&self, g: &mut Graph, x: Value, name: &str, [inner, to]: [usize; 2]) -> Value {
        let conv = format!("{name}.conv1_downsample");
        let x = self.gated_by(g, x, &conv, (inner, Act::Elu), 3, [2, 1]);
        self.gated(g, x, &format!("{name}.conv2"), to, 3, 1)
    }

    /// Four times as large, to a picture.
    fn up(&self, g: &mut Graph, mut x: Value) -> Value {
        let half = self.features;
        for (name, [inner, to]) in [("up_block1", [half; 2]), ("up_block2", [half / 2, half / 4])] {
            x = g.nearest(x, 2);
            x = self.gated(g, x, &format!("{name}.conv1_upsample.conv"), inner, 3, 1);
            x = self.gated(g, x, &format!("{name}.conv2"), to, 3, 1);
        }
        let conv = Conv::new(&format!("{}.conv_to_rgb.conv", self.name), half / 4, 3, 3);
        let x = g.conv(x, conv);
        g.name(x, format!("{}.conv_to_rgb", self.name));
        g.act(x, Act::Tanh)
    }
}
