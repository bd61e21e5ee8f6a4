//! Inception-v3 as torchvision and pytorch-fid name it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::graph::Graph;
use crate::nets::{Inception, InceptionVariant};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Inception::NAME,
    official,
    infer,
    // The second head that helped training, the counter of batch norm, and the bias of the
    // classes, which the Inception Score leaves out.
    is_ignorable: |name| {
        name.ends_with(".num_batches_tracked")
            || name.starts_with("AuxLogits.")
            || name == "fc.bias"
    },
};

impl Describe for Inception {
    const NAME: &'static str = "Inception-v3";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability {
            channels_out: self.features() as u32,
            range: Range::Signed,
            ..Capability::of(Purpose::Judge, &self.graph())
        }
    }
}

impl std::fmt::Display for Inception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whose = match self.variant() {
            InceptionVariant::Fid => "that of FID",
            InceptionVariant::Torchvision => "torchvision's",
        };
        write!(f, "{whose}, {} features, {} classes", self.features(), self.classes)
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known =
        |name: &&String| ["Conv2d_", "Mixed_", "fc."].iter().any(|start| name.starts_with(start));
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let first = "Conv2d_1a_3x3.conv.weight";
    let head = "fc.weight";
    let widths = four(shapes, first).map(|shape| shape[0]);
    let classes = shapes.get(head).and_then(|shape| shape.first());
    match (widths, classes) {
        (Some(width), Some(&classes @ 1..=65_536)) if width % 2 == 0 => {
            Ok(Spec::Inception(Inception { sixteen: width / 2, classes }))
        }
        (None, _) => Err(vec![first.into()]),
        _ => Err(vec![head.into()]),
    }
}
