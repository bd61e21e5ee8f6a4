//! SRVGGNetCompact of Real-ESRGAN: a plain row of convolutions, then a pixel shuffle.

use std::borrow::Cow;

use super::{Architecture, conv3, four, numbered, rooted};
use crate::zoo::{Capability, Purpose, Shapes, Spec};

/// Convolutions with a slope per channel (PReLU) between them.
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

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Srvgg::NAME,
    official: |shapes| rooted(shapes, "body."),
    infer,
    is_ignorable: |_| false,
};

impl Srvgg {
    pub const NAME: &'static str = "SRVGGNetCompact";

    pub fn tensors(&self) -> Shapes {
        let mut shapes = Shapes::new();
        let features = self.features;
        conv3(&mut shapes, "body.0", self.channels, features);
        for layer in 1..=self.layers {
            conv3(&mut shapes, &format!("body.{}", 2 * layer), features, features);
        }
        for slope in 0..=self.layers {
            shapes.insert(format!("body.{}.weight", 2 * slope + 1), vec![features]);
        }
        let out = self.channels * self.scale * self.scale;
        conv3(&mut shapes, &format!("body.{}", 2 * self.layers + 2), features, out);
        shapes
    }

    pub fn capability(&self) -> Capability {
        let features = self.features as f64;
        let out = (self.channels * self.scale * self.scale) as f64;
        let products = features * (self.channels as f64 + self.layers as f64 * features + out);
        let reach = (self.layers + 2) as u32;
        Capability {
            purpose: Purpose::Upscale,
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            scale: self.scale as u32,
            // The whole reach is affordable: tiles are exact.
            halo_px: reach,
            reach_px: reach,
            flops_per_px: 18.0 * products,
            bytes_per_px: 4.0 * (4.0 * features + 3.0 * out),
            weight_bytes: crate::zoo::float_bytes(&self.tensors()),
        }
    }
}

impl std::fmt::Display for Srvgg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "×{}, {} layers, {} features", self.scale, self.layers + 2, self.features)
    }
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: String| vec![Cow::Owned(name)];
    let first = four(shapes, "body.0.weight").ok_or_else(|| missing("body.0.weight".into()))?;
    let slope = shapes.get("body.1.weight").filter(|shape| shape.len() == 1);
    slope.ok_or_else(|| missing("body.1.weight".into()))?;
    let last_index = shapes.keys().filter_map(|name| numbered(name, "body.")).map(|(n, _)| n);
    let last_index = last_index.max().unwrap_or(0);
    let last_name = format!("body.{last_index}.weight");
    let last = four(shapes, &last_name).ok_or_else(|| missing(last_name))?;
    let (channels, features) = (first[1], first[0]);
    let scale = (1..=8).find(|scale| last[0] == channels * scale * scale);
    match scale {
        Some(scale) if last_index >= 4 && last_index % 2 == 0 => {
            Ok(Spec::Srvgg(Srvgg { channels, features, layers: last_index / 2 - 1, scale }))
        }
        _ => Err(missing("a last layer for a pixel shuffle".into())),
    }
}
