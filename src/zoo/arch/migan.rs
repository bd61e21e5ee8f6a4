//! MI-GAN's inference model: Sargsyan et al. (2023).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::Migan;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: Migan::NAME, official, infer, is_ignorable: |_| false };

/// Most levels that are looked for: 4096 pixels a side are beyond any such network.
const MAX_LEVELS: usize = 11;

impl Describe for Migan {
    const NAME: &'static str = "MI-GAN";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        // Its noise has one size, and so have all pictures.
        let capability = Capability::of_square(Purpose::Inpaint, &self.graph(), self.side());
        Capability { range: Range::Signed, ..capability }
    }
}

impl std::fmt::Display for Migan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{0}×{0} pixels, {1} channels at the top", self.side(), self.channels[0])
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &&String| name.starts_with("encoder.b") || name.starts_with("synthesis.b");
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let level = |at: usize| four(shapes, &format!("encoder.b{}.conv1.conv2.weight", 4 << at));
    let channels: Vec<usize> = (0..MAX_LEVELS).map_while(level).map(|shape| shape[0]).collect();
    if channels.len() < 2 {
        return Err(vec![Cow::Borrowed("encoder.b8.conv1.conv2.weight")]);
    }
    Ok(Spec::Migan(Migan { channels }))
}
