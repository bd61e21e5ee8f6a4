//! The generator of DCGAN: Radford et al. (2015), named as in PyTorch's tutorial.

use std::borrow::Cow;

use super::{Architecture, four, numbered, rooted};
use crate::zoo::{Capability, Purpose, Shapes, Spec};

/// Transposed 4×4 convolutions without bias, batch norm and ReLU between them, tanh at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dcgan {
    /// Numbers in a latent.
    pub latent: usize,
    /// Channels after each layer; the last is the picture's.
    pub channels: Vec<usize>,
}

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Dcgan::NAME,
    official: |shapes| rooted(shapes, "main."),
    infer,
    // A counter that training keeps; batch norm in use does not read it.
    is_ignorable: |name| name.ends_with(".num_batches_tracked"),
};

impl Dcgan {
    pub const NAME: &'static str = "DCGAN generator";

    /// Side of the picture: 4 after the first layer, doubled by each further one.
    pub fn side(&self) -> usize {
        4 << (self.channels.len() - 1)
    }

    pub fn tensors(&self) -> Shapes {
        let mut shapes = Shapes::new();
        let mut channels_in = self.latent;
        for (layer, &channels) in self.channels.iter().enumerate() {
            shapes.insert(format!("main.{}.weight", 3 * layer), vec![channels_in, channels, 4, 4]);
            if layer + 1 < self.channels.len() {
                for leaf in ["weight", "bias", "running_mean", "running_var"] {
                    shapes.insert(format!("main.{}.{leaf}", 3 * layer + 1), vec![channels]);
                }
            }
            channels_in = channels;
        }
        shapes
    }

    pub fn capability(&self) -> Capability {
        let (mut products, mut floats, mut channels_in) = (0.0, 0.0f64, self.latent);
        for (layer, &channels) in self.channels.iter().enumerate() {
            let area = 4f64.powi(layer as i32 + 2);
            // Each result pixel of a doubling layer sees 4 of the 16 kernel places.
            let places = if layer == 0 { 1.0 } else { 4.0 };
            products += area * places * (channels_in * channels) as f64;
            floats = floats.max(area * (channels_in + channels) as f64);
            channels_in = channels;
        }
        Capability {
            purpose: Purpose::Generate,
            channels_in: 0,
            channels_out: channels_in as u32,
            scale: 1,
            halo_px: 0,
            reach_px: 0,
            flops_per_px: 2.0 * products,
            bytes_per_px: 4.0 * floats,
            weight_bytes: crate::zoo::float_bytes(&self.tensors()),
        }
    }
}

impl std::fmt::Display for Dcgan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{0}×{0} pixels from {1} numbers", self.side(), self.latent)
    }
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: String| vec![Cow::Owned(name)];
    let first = four(shapes, "main.0.weight").ok_or_else(|| missing("main.0.weight".into()))?;
    let last = shapes.keys().filter_map(|name| numbered(name, "main.")).map(|(n, _)| n).max();
    let layers = last.unwrap_or(0) / 3 + 1;
    // A picture of 4096 pixels a side is beyond any such generator.
    if !(2..=11).contains(&layers) {
        return Err(missing("main.3.weight".into()));
    }
    let mut channels = Vec::with_capacity(layers);
    for layer in 0..layers {
        let name = format!("main.{}.weight", 3 * layer);
        channels.push(four(shapes, &name).ok_or_else(|| missing(name))?[1]);
    }
    Ok(Spec::Dcgan(Dcgan { latent: first[0], channels }))
}
