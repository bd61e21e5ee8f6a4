//! LaMa's generator: Suvorov et al. (2022), alone or inside the checkpoint of its training.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::Lama;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: Lama::NAME, official, infer, is_ignorable };

/// Most layers of a kind that are looked for.
const MAX_LAYERS: usize = 64;

impl Describe for Lama {
    const NAME: &'static str = "LaMa generator";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability { multiple: 1 << self.downs, ..Capability::of(Purpose::Inpaint, &self.graph()) }
    }
}

impl std::fmt::Display for Lama {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { features, blocks, .. } = self;
        write!(f, "{blocks} Fourier blocks, {features} features")
    }
}

/// With or without the name that the generator has in training.
fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &String| {
        let bare = name.strip_prefix("generator.").unwrap_or(name);
        bare.starts_with("model.").then(|| (name.clone(), bare.to_owned()))
    };
    shapes.keys().filter_map(known).collect()
}

/// A counter of batch norm; what else a training run keeps.
fn is_ignorable(name: &str) -> bool {
    let others = ["discriminator.", "loss_", "val_evaluator.", "test_evaluator."];
    name.ends_with(".num_batches_tracked") || others.iter().any(|other| name.starts_with(other))
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const FIRST: &str = "model.1.ffc.convl2l.weight";
    let first = four(shapes, FIRST).ok_or_else(|| vec![Cow::Borrowed(FIRST)])?;
    let has = |layer: usize, rest: &str| shapes.contains_key(&format!("model.{layer}.{rest}"));
    let downs = (2..MAX_LAYERS).take_while(|layer| has(*layer, "ffc.convl2l.weight")).count();
    let blocks = (downs + 2..MAX_LAYERS).take_while(|layer| has(*layer, "conv1.bn_l.weight"));
    let blocks = blocks.count();
    let global = shapes.get(&format!("model.{}.bn_g.weight", downs + 1));
    let global = global.and_then(|shape| shape.first().copied()).unwrap_or(0);
    let features = first[0];
    // The local branch has at least one channel.
    if downs == 0 || downs > 8 || global >= features << downs || global >= 1024 {
        return Err(vec![Cow::Borrowed("model.2.ffc.convl2l.weight")]);
    }
    Ok(Spec::Lama(Lama { features, downs, blocks, global }))
}
