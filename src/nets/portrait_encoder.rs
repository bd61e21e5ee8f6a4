//! The encoder of Ganvas's own portrait generators: a small residual network without
//! normalisation that reads an aligned face and answers with its W+ code. Defined by the training
//! script that comes with those generators.

use super::graph::{Act, Conv, Graph, Value};

/// Slope of the leaky ReLU.
const SLOPE: f32 = 0.2;
/// Cells a side in which the heads average what they read.
const GRID: usize = 4;

/// The encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortraitEncoder {
    /// Channels of the stem and of the four stages.
    pub widths: [usize; 5],
    /// Channels that are read of the last three stages.
    pub heads: [usize; 3],
    /// Numbers between the two layers at the end.
    pub hidden: usize,
    /// Of the code: two rows for each level of the generator but the first.
    pub rows: usize,
    pub dim: usize,
}

impl PortraitEncoder {
    /// Side of the picture in pixels: the generator's.
    pub const fn side(&self) -> usize {
        4 << (self.rows.saturating_sub(2) / 2)
    }

    /// A face, RGB in `-1..=1`, `[3, side, side]`, to its code `[rows · dim]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let stages = self.stages(&mut g);
        let mut parts = Vec::with_capacity(stages.len());
        for (index, (stage, to)) in stages.into_iter().zip(self.heads).enumerate() {
            let x = g.act(stage, Act::Leaky(SLOPE));
            let from = g.channels(x);
            let x = g.conv(x, Conv::new(&format!("trunk.read{}", index + 2), from, to, 1));
            // The mean of each cell; a stage coarser than the cells fills several with each pixel.
            let side = self.side() >> (index + 3);
            let x = if side >= GRID {
                g.avg_pool(x, side / GRID, side / GRID, [0; 4])
            } else {
                g.nearest(x, GRID / side.max(1))
            };
            // Channel by channel, row by row: a picture as a vector.
            let x = g.pixel_unshuffle(x, GRID);
            parts.push(g.name(x, format!("trunk.read{}", index + 2)));
        }
        let x = g.concat(&parts);
        let from = g.channels(x);
        let x = g.conv(x, Conv::linear("fc1", from, self.hidden));
        let x = g.act(x, Act::Leaky(SLOPE));
        let x = g.conv(x, Conv::linear("fc2", self.hidden, self.rows * self.dim));
        let all = |g: &mut Graph, name: &str| {
            let row = g.param(name, &[self.dim]);
            g.concat(&vec![row; self.rows])
        };
        let deviation = all(&mut g, "w_std");
        let mean = all(&mut g, "w_avg");
        let x = g.mul(x, deviation);
        let x = g.add(x, mean);
        g.name(x, "output");
        g.output(x);
        g
    }

    /// The same as a network that sees: a face of any side that is a multiple of 32 to what the
    /// last three stages make of it, a result each.
    pub fn features(&self) -> Graph {
        let mut g = Graph::new();
        for stage in self.stages(&mut g) {
            let x = g.act(stage, Act::Leaky(SLOPE));
            g.output(x);
        }
        g
    }

    /// The last three stages.
    fn stages(&self, g: &mut Graph) -> [Value; 3] {
        let [stem, one, two, three, four] = self.widths;
        let picture = g.input(3);
        let x = g.conv(picture, Conv::new("trunk.stem", 3, stem, 3).stride(2));
        g.name(x, "trunk.stem");
        let x = block(g, x, "trunk.s1.0", one, true);
        let x = block(g, x, "trunk.s1.1", one, false);
        let x = block(g, x, "trunk.s2.0", two, true);
        let second = block(g, x, "trunk.s2.1", two, false);
        let x = block(g, second, "trunk.s3.0", three, true);
        let third = block(g, x, "trunk.s3.1", three, false);
        let fourth = block(g, third, "trunk.s4.0", four, true);
        [second, third, fourth]
    }
}

/// Two convolutions, times a number, beside a way around them.
fn block(g: &mut Graph, x: Value, name: &str, to: usize, halves: bool) -> Value {
    let (from, stride) = (g.channels(x), if halves { 2 } else { 1 });
    let inner = g.act(x, Act::Leaky(SLOPE));
    let inner = g.conv(inner, Conv::new(&format!("{name}.conv1"), from, to, 3).stride(stride));
    let inner = g.act(inner, Act::Leaky(SLOPE));
    let inner = g.conv(inner, Conv::new(&format!("{name}.conv2"), to, to, 3));
    let scale = g.param(&format!("{name}.scale"), &[]);
    let inner = g.mul(inner, scale);
    let mut around = if halves { g.avg_pool(x, 2, 2, [0; 4]) } else { x };
    if from != to {
        let skip = Conv::new(&format!("{name}.skip"), from, to, 1).no_bias();
        around = g.conv(around, skip);
    }
    let sum = g.add(around, inner);
    g.name(sum, name)
}
