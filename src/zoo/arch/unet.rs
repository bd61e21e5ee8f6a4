//! U-Net in the naming of milesial's Pytorch-UNet.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::Unet;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Unet::NAME,
    official,
    infer,
    is_ignorable: |name| name.ends_with(".num_batches_tracked"),
};

impl Describe for Unet {
    const NAME: &'static str = "U-Net";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability {
            channels_in: self.channels as u32,
            channels_out: self.classes as u32,
            ..Capability::of(Purpose::Segment, &self.graph())
        }
    }
}

impl std::fmt::Display for Unet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let up = if self.bilinear { "bilinear" } else { "transposed convolutions" };
        write!(f, "{} classes, {} features, {up}", self.classes, self.features)
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let roots = ["inc.", "down", "up", "outc."];
    let known = |name: &&String| roots.iter().any(|root| name.starts_with(root));
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const FIRST: &str = "inc.double_conv.0.weight";
    const LAST: &str = "outc.conv.weight";
    match (four(shapes, FIRST), four(shapes, LAST)) {
        (Some([features, channels, ..]), Some([classes, ..])) => Ok(Spec::Unet(Unet {
            channels,
            features,
            classes,
            bilinear: !shapes.contains_key("up1.up.weight"),
            biased: shapes.contains_key("inc.double_conv.0.bias"),
        })),
        (first, last) => {
            let looked_for = [(FIRST, first), (LAST, last)];
            let missing = looked_for.into_iter().filter(|(_, shape)| shape.is_none());
            Err(missing.map(|(name, _)| Cow::Borrowed(name)).collect())
        }
    }
}
