//! U-Net (Ronneberger et al. 2015) in the widespread form of milesial's Pytorch-UNet: batch norm,
//! padded convolutions, any size of picture.

use super::graph::{Act, Conv, Graph, Grid, Value};

/// Of PyTorch's batch norm.
const EPS: f32 = 1e-5;
/// Halvings on the way down.
const LEVELS: usize = 4;

/// Pairs of convolutions, down and up again with what was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unet {
    /// Channels of the picture.
    pub channels: usize,
    /// Channels of the first pair; each halving doubles them.
    pub features: usize,
    pub classes: usize,
    /// Doubles by bilinear resampling, not by transposed convolutions.
    pub bilinear: bool,
    /// Older checkpoints have biases before the norms.
    pub biased: bool,
}

impl Unet {
    /// A picture in `0..=1`, `[channels, h, w]`, to logits of the classes, `[classes, h, w]`; of a
    /// single class its probability.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let width = |level: usize| self.features << level;
        // Resampling keeps the channels, so that the lower levels have half as many.
        let factor = if self.bilinear { 2 } else { 1 };
        let mut x = g.input(self.channels);
        x = self.pair(&mut g, x, "inc", width(0), width(0));
        g.name(x, "inc");
        let mut skipped = vec![x];
        for level in 1..=LEVELS {
            x = g.max_pool(x, 2, 2, [0; 4]);
            let to = if level == LEVELS { width(level) / factor } else { width(level) };
            x = self.pair(&mut g, x, &format!("down{level}.maxpool_conv.1"), to, to);
            g.name(x, format!("down{level}"));
            skipped.push(x);
        }
        for (up, level) in (1..=LEVELS).zip((0..LEVELS).rev()) {
            let name = format!("up{up}");
            let from = g.channels(x);
            x = if self.bilinear {
                g.bilinear(x, 2, Grid::Corners)
            } else {
                g.conv(x, Conv::transposed(&format!("{name}.up"), from, from / 2, 2, 2))
            };
            let skip = skipped[level];
            x = g.pad_like(x, skip);
            x = g.concat(&[skip, x]);
            let to = if level == 0 { width(0) } else { width(level) / factor };
            let between = if self.bilinear { g.channels(x) / 2 } else { to };
            x = self.pair(&mut g, x, &format!("{name}.conv"), between, to);
            g.name(x, name);
        }
        x = g.conv(x, Conv::new("outc.conv", self.features, self.classes, 1));
        if self.classes == 1 {
            x = g.act(x, Act::Sigmoid);
        }
        g.name(x, "output");
        g.output(x);
        g
    }

    /// Two convolutions, each with norm and activation.
    fn pair(&self, g: &mut Graph, x: Value, name: &str, between: usize, to: usize) -> Value {
        let mut x = x;
        for (layer, to) in [(0, between), (3, to)] {
            let conv = format!("{name}.double_conv.{layer}");
            let conv = Conv::new(&conv, g.channels(x), to, 3);
            x = g.conv(x, if self.biased { conv } else { conv.no_bias() });
            x = g.batch_norm(x, &format!("{name}.double_conv.{}", layer + 1), EPS);
            x = g.relu(x);
        }
        x
    }
}
