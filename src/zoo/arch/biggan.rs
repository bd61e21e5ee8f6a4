//! BigGAN-deep: Brock et al. (2019), named as in pytorch-pretrained-biggan.

use std::borrow::Cow;

use super::{Architecture, four, rooted};
use crate::nets::graph::Graph;
use crate::nets::{BigGanBlock, BigGanDeep, Blueprint};
use crate::zoo::{Capability, Describe, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: BigGanDeep::NAME, official, infer, is_ignorable: |_| false };

/// Most blocks that are looked for; at 512 pixels there are 14.
const MAX_BLOCKS: usize = 32;
/// Most doublings: 4096 pixels a side are beyond any such network.
const MAX_DOUBLINGS: usize = 10;

impl Describe for BigGanDeep {
    const NAME: &'static str = "BigGAN-deep generator";

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

impl std::fmt::Display for BigGanDeep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (side, blocks) = (self.side(), self.blocks.len());
        write!(f, "{side}×{side} pixels, {blocks} blocks, {} classes", self.classes)
    }
}

fn official(shapes: &Shapes) -> std::collections::BTreeMap<String, String> {
    let mut names = rooted(shapes, "generator.");
    names.extend(rooted(shapes, "embeddings."));
    names
}

/// Two numbers, none of them absurd.
fn two(shapes: &Shapes, name: &str) -> Option<[usize; 2]> {
    let shape: [usize; 2] = shapes.get(name)?.as_slice().try_into().ok()?;
    shape.iter().all(|side| (1..=65_536).contains(side)).then_some(shape)
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: &str| vec![Cow::Owned(name.to_owned())];
    let pair = |name: &str| two(shapes, name).ok_or_else(|| missing(name));
    let [class_dim, classes] = pair("embeddings.weight")?;
    let [spread, condition] = pair("generator.gen_z.weight")?;
    let [statistics, width] = pair("generator.bn.running_means")?;
    let z_dim = condition.checked_sub(class_dim).filter(|dim| *dim > 0);
    let z_dim = z_dim.ok_or_else(|| missing("generator.gen_z.weight"))?;
    let (mut blocks, mut attention) = (Vec::<BigGanBlock>::new(), None);
    let mut from = spread / 16;
    for layer in 0..=MAX_BLOCKS {
        let name = format!("generator.layers.{layer}");
        if attention.is_none() && shapes.contains_key(&format!("{name}.gamma")) {
            attention = Some(blocks.len());
            continue;
        }
        let Some([to, ..]) = four(shapes, &format!("{name}.conv_3.weight")) else { break };
        if to != from && 2 * to != from {
            return Err(missing(&format!("{name}.conv_3.weight")));
        }
        // No shape says which blocks double. In the published networks every second one does, and
        // all that halve the channels.
        let follows_single = blocks.last().is_some_and(|block| !block.doubles);
        let doubles = to != from || follows_single;
        blocks.push(BigGanBlock { doubles, from, to });
        from = to;
    }
    let doublings = blocks.iter().filter(|block| block.doubles).count();
    // Enough channels for every part of them that is used: a quarter, an eighth, three of them.
    let is_sane = blocks.iter().all(|block| block.from >= 4)
        && attention.is_none_or(|at| blocks.get(at).is_some_and(|block| block.from >= 8))
        && (1..=MAX_DOUBLINGS).contains(&doublings)
        && width >= 3
        && from == width
        && statistics > 1;
    if !is_sane {
        return Err(missing(&format!("generator.layers.{}.conv_3.weight", blocks.len())));
    }
    Ok(Spec::BigGanDeep(BigGanDeep { z_dim, class_dim, classes, blocks, attention, statistics }))
}
