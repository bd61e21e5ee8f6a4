//! DnCNN (Zhang et al. 2017; KAIR's `DnCNN`): finds the noise in a picture without being told how
//! strong it is.

use super::graph::{Conv, Graph};

/// A row of convolutions whose result is taken off the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnCnn {
    /// Channels of the picture, in and out.
    pub channels: usize,
    /// Channels between the layers.
    pub features: usize,
    /// Convolutions.
    pub layers: usize,
    /// Whether batch norm follows all convolutions but the first and the last.
    pub is_normed: bool,
    /// Whether convolutions have biases; the PyTorch version by the authors' co-workers has none.
    pub is_biased: bool,
}

impl DnCnn {
    /// The number of convolution `layer` in the sequence of all modules.
    pub fn position(&self, layer: usize) -> usize {
        let each = if self.is_normed { 3 } else { 2 };
        // The first convolution is never normed.
        if layer == 0 { 0 } else { 2 + each * (layer - 1) }
    }

    /// A noisy picture in `0..=1`, `[channels, h, w]`, to the clean one.
    pub fn graph(&self) -> Graph {
        // KAIR's batch norm; the version without biases has PyTorch's.
        let eps = if self.is_biased { 1e-4 } else { 1e-5 };
        let mut g = Graph::new();
        let picture = g.input(self.channels);
        let mut x = picture;
        for layer in 0..self.layers {
            let is_last = layer + 1 == self.layers;
            let to = if is_last { self.channels } else { self.features };
            let mut at = self.position(layer);
            let conv = Conv::new(&format!("model.{at}"), g.channels(x), to, 3);
            x = g.conv(x, if self.is_biased { conv } else { conv.no_bias() });
            if is_last {
                break;
            }
            if self.is_normed && layer > 0 {
                at += 1;
                x = g.batch_norm(x, &format!("model.{at}"), eps);
            }
            x = g.relu(x);
            g.name(x, format!("model.{}", at + 1));
        }
        let x = g.sub(picture, x);
        g.name(x, "output");
        g.output(x);
        g
    }
}
