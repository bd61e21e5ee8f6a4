//! The age and gender network of face-api.js.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::face_dense::{EXTENT, RANGE};
use super::{Architecture, numbered};
use crate::nets::FaceXception;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: FaceXception::NAME, official, infer, is_ignorable: |_| false };

impl Describe for FaceXception {
    const NAME: &'static str = "face-api age and gender";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability {
            channels_out: 1,
            range: RANGE,
            extent: EXTENT,
            ..Capability::of(Purpose::AgeGender, &self.graph())
        }
    }
}

impl std::fmt::Display for FaceXception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("age and gender, 112×112 pixels")
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let roots = ["entry_flow.", "middle_flow.", "exit_flow.", "fc."];
    let known = |name: &&String| roots.iter().any(|root| name.starts_with(root));
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const FIRST: &str = "entry_flow.conv_in.weight";
    if !shapes.contains_key(FIRST) {
        return Err(vec![Cow::Borrowed(FIRST)]);
    }
    let blocks = shapes.keys().filter_map(|name| numbered(name, "middle_flow.main_block_"));
    let main_blocks = blocks.map(|(block, _)| block + 1).max().unwrap_or(0);
    Ok(Spec::FaceXception(FaceXception { main_blocks }))
}
