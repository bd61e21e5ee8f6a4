//! Networks of face-api.js that read an expression or find 68 points: four small densely connected
//! blocks.

use super::graph::{Conv, Graph, Value};

/// Reads a face's expression, or finds its points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceDense {
    /// Channels after each block.
    pub channels: Vec<usize>,
    /// Numbers that come out.
    pub outputs: usize,
}

impl FaceDense {
    /// What face-api.js takes off RGB in `0..=1`, and nothing else.
    pub const MEAN: [f32; 3] = [122.782 / 255.0, 117.001 / 255.0, 104.298 / 255.0];

    /// A face, RGB, `(x - mean) / 255`, `[3, 112, 112]`, to one logit an expression, or x and y of
    /// each point in sides of the picture, `[outputs, 1, 1]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let mut x = g.input(3);
        for (block, &channels) in self.channels.iter().enumerate() {
            let name = format!("dense{block}");
            let first = format!("{name}.conv0");
            x = if block == 0 {
                g.conv(x, Conv::new(&first, 3, channels, 3).same(2))
            } else {
                separable(&mut g, x, &first, channels, 2)
            };
            x = g.relu(x);
            let mut sum = x;
            for layer in 1..4 {
                let more = separable(&mut g, x, &format!("{name}.conv{layer}"), channels, 1);
                sum = g.add(sum, more);
                x = g.relu(sum);
            }
            g.name(x, name);
        }
        let features = g.channels(x);
        let mean = g.global_mean(x);
        let x = g.conv(mean, Conv::linear("fc", features, self.outputs));
        g.name(x, "output");
        g.output(x);
        g
    }
}

/// A 3×3 kernel on each channel, then a matrix over the channels with a bias; parameters
/// `<name>.depthwise.weight`, `<name>.pointwise.weight` and `<name>.bias`.
pub(super) fn separable(
    g: &mut Graph,
    x: Value,
    name: &str,
    channels: usize,
    stride: usize,
) -> Value {
    let from = g.channels(x);
    let depthwise = Conv::new(&format!("{name}.depthwise"), from, from, 3).same(stride);
    let x = g.conv(x, depthwise.depthwise().no_bias());
    let pointwise = Conv::new(&format!("{name}.pointwise"), from, channels, 1);
    g.conv(x, Conv { bias: Some(format!("{name}.bias")), ..pointwise })
}
