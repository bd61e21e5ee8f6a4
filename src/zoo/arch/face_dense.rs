//! The densely connected networks of face-api.js: expressions, and 68 points.

use std::borrow::Cow;

use super::{Architecture, four};
use crate::nets::FaceDense;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Extent, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: FaceDense::NAME,
    official: |shapes| {
        let known = |name: &&String| name.starts_with("dense") || name.starts_with("fc.");
        shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
    },
    infer,
    is_ignorable: |_| false,
};

/// What the networks of face-api.js are given: 112 pixels a side, a fixed mean less.
pub(super) const EXTENT: Extent = Extent::Fixed([112; 2]);
pub(super) const RANGE: Range = Range::Normalised { mean: FaceDense::MEAN, deviation: [1.0; 3] };

/// Expressions that are told apart.
const EXPRESSIONS: usize = 7;
/// Numbers of 68 points.
const POINTS: usize = 2 * 68;

impl Describe for FaceDense {
    const NAME: &'static str = "face-api densely connected network";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let purpose = match self.outputs {
            POINTS => Purpose::FacePoints,
            _ => Purpose::Expression,
        };
        Capability {
            channels_out: self.outputs as u32,
            range: RANGE,
            extent: EXTENT,
            ..Capability::of(purpose, &self.graph())
        }
    }
}

impl std::fmt::Display for FaceDense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers of a face, 112×112 pixels", self.outputs)
    }
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let first = four(shapes, "dense0.conv0.weight");
    let first = first.ok_or_else(|| vec![Cow::Borrowed("dense0.conv0.weight")])?;
    let pointwise = |block: usize| four(shapes, &format!("dense{block}.conv0.pointwise.weight"));
    let mut channels = vec![first[0]];
    channels.extend((1..8).map_while(pointwise).map(|shape| shape[0]));
    match shapes.get("fc.weight").map(Vec::as_slice) {
        Some(&[outputs @ (EXPRESSIONS | POINTS), _]) => {
            Ok(Spec::FaceDense(FaceDense { channels, outputs }))
        }
        _ => Err(vec![Cow::Borrowed("fc.weight for 7 expressions or 68 points")]),
    }
}
