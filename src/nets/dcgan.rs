//! The generator of DCGAN (Radford et al. 2015; PyTorch's tutorial).

use super::blueprint::{Blueprint, LatentSpace, Style};
use super::graph::{Act, Conv, Graph, Layout, Value};

/// Of PyTorch's batch norm.
const EPS: f32 = 1e-5;

/// Transposed 4×4 convolutions without bias, batch norm and ReLU between them, tanh at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dcgan {
    /// Numbers in a latent.
    pub latent: usize,
    /// Channels after each layer; the last is the picture's.
    pub channels: Vec<usize>,
}

impl Dcgan {
    /// Side of the picture: 4 after the first layer, doubled by each further one.
    pub fn side(&self) -> usize {
        4 << (self.channels.len() - 1)
    }

    /// Latents `[latent, 1, 1]`, standard normal, to pictures `[channels, side, side]` in
    /// `-1..=1`.
    pub fn graph(&self) -> Graph {
        self.draw().0
    }

    /// The same, with the features after each layer but the last.
    fn draw(&self) -> (Graph, Vec<Value>) {
        let mut g = Graph::new();
        let mut features = Vec::new();
        let mut x = g.input(self.latent);
        for (layer, &channels) in self.channels.iter().enumerate() {
            let (conv, norm) = (format!("main.{}", 3 * layer), format!("main.{}", 3 * layer + 1));
            // The first layer spreads the latent over 4×4 pixels, each further one doubles.
            let (stride, pad) = if layer == 0 { (1, 0) } else { (2, 1) };
            let from = g.channels(x);
            let conv = Conv::transposed(&conv, from, channels, 4, stride).pad([pad; 4]).no_bias();
            x = g.conv(x, conv);
            if layer + 1 < self.channels.len() {
                x = g.batch_norm(x, &norm, EPS);
                x = g.relu(x);
                features.push(g.name(x, format!("main.{}", 3 * layer + 2)));
            }
        }
        let x = g.act(x, Act::Tanh);
        g.name(x, "output");
        g.output(x);
        (g, features)
    }

    /// The same: a latent is its one row. The first layer, which spreads it over 4×4 pixels, is
    /// what reads it.
    pub fn blueprint(&self) -> Blueprint {
        let first = self.channels.first().copied().unwrap_or(0);
        let (synthesis, features) = self.draw();
        Blueprint {
            space: LatentSpace {
                z_dim: self.latent,
                w_dim: self.latent,
                has_w: false,
                classes: 0,
                row_sides: vec![self.side()],
                noise: Vec::new(),
                side: self.side(),
                ..LatentSpace::default()
            },
            mapping: None,
            synthesis,
            features,
            mean: None,
            noise: Vec::new(),
            styles: vec![Style {
                row: 0,
                weight: "main.0.weight".into(),
                layout: Layout::InOut,
                channels: first * 16,
            }],
        }
    }
}
