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
        Capability {
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            scale: self.scale as u32,
            // The whole reach is affordable as halo: tiles are exact.
            ..Capability::of(Purpose::Upscale, &self.graph())
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
