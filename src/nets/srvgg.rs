//! SRVGGNetCompact of Real-ESRGAN (BasicSR's `SRVGGNetCompact` with PReLU).

use super::graph::{Conv, Graph};

/// Convolutions with a slope per channel (PReLU) between them, then a pixel shuffle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srvgg {
    /// Channels of the picture, in and out.
    pub channels: usize,
    /// Channels between the layers.
    pub features: usize,
    /// Convolutions between the first and the last.
    pub layers: usize,
    /// Result side over source side.
    pub scale: usize,
}

impl Srvgg {
    /// RGB in `0..=1`, `[channels, h, w]`, to `[channels, h·scale, w·scale]`, not clamped.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let input = g.input(self.channels);
        let mut x = input;
        for layer in 0..=self.layers {
            let (conv, slope) = (format!("body.{}", 2 * layer), format!("body.{}", 2 * layer + 1));
            let channels = g.channels(x);
            x = g.conv(x, Conv::new(&conv, channels, self.features, 3));
            g.name(x, conv);
            x = g.prelu(x, &slope);
            g.name(x, slope);
        }
        let last = format!("body.{}", 2 * self.layers + 2);
        let out = self.channels * self.scale * self.scale;
        x = g.conv(x, Conv::new(&last, self.features, out, 3));
        g.name(x, last);
        let residual = g.pixel_shuffle(x, self.scale);
        let base = g.nearest(input, self.scale);
        let x = g.add(residual, base);
        g.name(x, "output");
        g.output(x);
        g
    }
}
