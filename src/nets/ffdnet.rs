//! FFDNet (Zhang, Zuo, Zhang 2018; KAIR's `FFDNet`): denoising at half the resolution, told how
//! strong the noise is.

use super::graph::{Conv, Graph};

/// Side of the pixel blocks that become channels.
const BLOCK: usize = 2;

/// A row of convolutions on 2×2 blocks of pixels and the noise level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FfdNet {
    /// Channels of the picture, in and out.
    pub channels: usize,
    /// Channels between the layers.
    pub features: usize,
    /// Convolutions.
    pub layers: usize,
}

impl FfdNet {
    /// A noisy picture in `0..=1`, `[channels, h, w]` with even sides, and the standard deviation
    /// of its noise on the same scale, `[1]`, to the clean picture.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(self.channels);
        let sigma = g.input(1);
        let blocks = g.pixel_unshuffle(picture, BLOCK);
        let level = g.spread(sigma, blocks);
        let mut x = g.concat(&[blocks, level]);
        for layer in 0..self.layers {
            let is_last = layer + 1 == self.layers;
            let to = if is_last { self.channels * BLOCK * BLOCK } else { self.features };
            let from = g.channels(x);
            x = g.conv(x, Conv::new(&format!("model.{}", 2 * layer), from, to, 3));
            if !is_last {
                x = g.relu(x);
                g.name(x, format!("model.{}", 2 * layer + 1));
            }
        }
        let x = g.pixel_shuffle(x, BLOCK);
        g.name(x, "output");
        g.output(x);
        g
    }
}
