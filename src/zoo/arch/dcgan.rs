//! The generator of DCGAN: Radford et al. (2015), named as in PyTorch's tutorial.

use std::borrow::Cow;

use super::{Architecture, four, numbered, rooted};
use crate::nets::graph::Graph;
use crate::nets::{Blueprint, Dcgan};
use crate::zoo::{Capability, Describe, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Dcgan::NAME,
    official: |shapes| rooted(shapes, "main."),
    infer,
    // A counter that training keeps; batch norm in use does not read it.
    is_ignorable: |name| name.ends_with(".num_batches_tracked"),
};

impl Describe for Dcgan {
    const NAME: &'static str = "DCGAN generator";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability::of_generator(&self.graph(), Range::Signed)
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint())
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
