//! SRVGGNetCompact of Real-ESRGAN: a plain row of convolutions, then a pixel shuffle.

use std::borrow::Cow;

use super::{Architecture, four, numbered, rooted};
use crate::nets::Srvgg;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Srvgg::NAME,
    official: |shapes| rooted(shapes, "body."),
    infer,
    is_ignorable: |_| false,
};

impl Describe for Srvgg {
    const NAME: &'static str = "SRVGGNetCompact";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let network = Capability::of(Purpose::Upscale, &self.graph());
        let reduction_px = if self.scale < self.shuffle { 2 } else { 0 };
        Capability {
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            scale: self.scale as u32,
            // The whole reach is affordable as halo: tiles are exact, a reduction included, which
            // sees two of the network's pixels on either side.
            halo_px: network.halo_px + reduction_px,
            reach_px: network.reach_px + reduction_px,
            ..network
        }
    }
}

impl std::fmt::Display for Srvgg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "×{}, {} layers, {} features", self.scale, self.layers + 2, self.features)?;
        if self.scale < self.shuffle {
            write!(f, ", ×{} reduced", self.shuffle)?;
        }
        Ok(())
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
    let shuffle = (1..=8).find(|side| last[0] == channels * side * side);
    match shuffle {
        Some(shuffle) if last_index >= 4 && last_index % 2 == 0 => {
            let layers = last_index / 2 - 1;
            Ok(Spec::Srvgg(Srvgg { channels, features, layers, shuffle, scale: shuffle }))
        }
        _ => Err(missing("a last layer for a pixel shuffle".into())),
    }
}
