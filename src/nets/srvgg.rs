//! SRVGGNetCompact of Real-ESRGAN (BasicSR's `SRVGGNetCompact` with PReLU).

use super::Planes;
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
    /// Result side over source side, of the network.
    pub shuffle: usize,
    /// The same in the end: what the network made is reduced bicubically where this is less, as in
    /// the files that are published for ncnn ([`Srvgg::reduced`]).
    pub scale: usize,
}

impl Srvgg {
    /// What the graph made, at the size that is wanted.
    pub fn reduced(&self, made: Planes) -> Planes {
        if self.scale == self.shuffle {
            return made;
        }
        let side = |made: usize| made * self.scale / self.shuffle;
        made.bicubic(side(made.height), side(made.width))
    }

    /// RGB in `0..=1`, `[channels, h, w]`, to `[channels, h·shuffle, w·shuffle]`, not clamped.
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
        let out = self.channels * self.shuffle * self.shuffle;
        x = g.conv(x, Conv::new(&last, self.features, out, 3));
        g.name(x, last);
        let residual = g.pixel_shuffle(x, self.shuffle);
        let base = g.nearest(input, self.shuffle);
        let x = g.add(residual, base);
        g.name(x, "output");
        g.output(x);
        g
    }
}
