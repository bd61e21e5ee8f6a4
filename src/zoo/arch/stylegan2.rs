//! StyleGAN2: Karras et al. (2020), named as in stylegan2-ada-pytorch or as in rosinality's
//! stylegan2-pytorch.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Architecture, numbered};
use crate::nets::graph::Graph;
use crate::nets::{Blueprint, Mapping, StyleGan2, Synthesis};
use crate::zoo::{Capability, Describe, Facts, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: StyleGan2::NAME, official, infer, is_ignorable };

/// Most blocks that are looked for: 4096 pixels a side are beyond any such network.
const MAX_BLOCKS: usize = 11;
/// What the official training cuts activations at, unless told otherwise.
pub(super) const CLAMP: f32 = 256.0;
/// The official factor on the mapping's weights.
const MAPPING_RATE: f32 = 0.01;

/// Filters that layers keep and never use: only what doubles smooths.
fn is_ignorable(name: &str) -> bool {
    let layer = name.strip_suffix(".resample_filter");
    layer.is_some_and(|layer| layer.ends_with(".conv1") || layer == "synthesis.b4")
}

impl Describe for StyleGan2 {
    const NAME: &'static str = "StyleGAN2 generator";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn tensors(&self) -> Shapes {
        let mut shapes = self.graph().params();
        if self.has_mean {
            shapes.insert("mapping.w_avg".into(), vec![self.w_dim]);
        }
        // Each block has one, whether its pictures are enlarged or not.
        for level in 1..self.channels.len() {
            let name = format!("synthesis.b{}.resample_filter", 4 << level);
            shapes.entry(name).or_insert_with(|| vec![4, 4]);
        }
        shapes
    }

    fn capability(&self) -> Capability {
        Capability::of_generator(&self.graph(), Range::Signed)
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint())
    }

    /// The header of our own files has `config`, an object as text; official ones keep the
    /// arguments of their classes.
    fn configure(&mut self, facts: &Facts) {
        let config = facts.get("config").and_then(Json::as_str);
        let config: Facts =
            config.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let clamp = config.get("clamp").or_else(|| facts.get("synthesis_kwargs.conv_clamp"));
        self.clamp = clamp_of(clamp, self.clamp);
        let rate = facts.get("mapping_kwargs.lr_multiplier").and_then(positive);
        self.mapping_rate = rate.unwrap_or(self.mapping_rate);
    }
}

/// What activations are cut at, as a file says: a number, or `null` for nothing.
pub(super) fn clamp_of(fact: Option<&Json>, before: Option<f32>) -> Option<f32> {
    match fact {
        Some(Json::Null) => None,
        Some(clamp) => positive(clamp).or(before),
        None => before,
    }
}

/// A number that can be a bound or a factor.
pub(super) fn positive(fact: &Json) -> Option<f32> {
    fact.as_f64().map(|number| number as f32).filter(|number| *number > 0.0 && number.is_finite())
}

impl std::fmt::Display for StyleGan2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let synthesis = match self.synthesis {
            Synthesis::Skip => "skip",
            Synthesis::Resnet => "residual",
            Synthesis::Orig => "plain",
        };
        write!(f, "{0}×{0} pixels, {synthesis}, {1} numbers a style", self.side(), self.w_dim)?;
        if self.classes > 0 {
            write!(f, ", {} classes", self.classes)?;
        }
        Ok(())
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &String| {
        let is_official = name.starts_with("mapping.") || name.starts_with("synthesis.b");
        let official = if is_official { Some(name.clone()) } else { of_rosinality(name) };
        Some((name.clone(), official?))
    };
    shapes.keys().filter_map(known).collect()
}

/// The official name of a tensor in rosinality's naming.
fn of_rosinality(name: &str) -> Option<String> {
    let plain = |layer: &str, leaf: &str| {
        let leaf = match leaf {
            "conv.weight" => "weight",
            "conv.modulation.weight" => "affine.weight",
            "conv.modulation.bias" => "affine.bias",
            "noise.weight" => "noise_strength",
            "activate.bias" | "bias" => "bias",
            "conv.blur.kernel" => "resample_filter",
            _ => return None,
        };
        Some(format!("synthesis.{layer}.{leaf}"))
    };
    // Layers are counted from 8 pixels on: two a block.
    let side = |block: usize| (block < MAX_BLOCKS).then(|| 8usize << block);
    let conv = |layer: usize| Some(format!("b{}.conv{}", side(layer / 2)?, layer % 2));
    if name == "latent_avg" {
        return Some("mapping.w_avg".into());
    }
    if name == "input.input" {
        return Some("synthesis.b4.const".into());
    }
    if let Some((layer, leaf)) = numbered(name, "style.") {
        return Some(format!("mapping.fc{}.{leaf}", layer.checked_sub(1)?));
    }
    if let Some(leaf) = name.strip_prefix("conv1.") {
        return plain("b4.conv1", leaf);
    }
    if let Some(leaf) = name.strip_prefix("to_rgb1.") {
        return plain("b4.torgb", leaf);
    }
    if let Some((layer, leaf)) = numbered(name, "convs.") {
        return plain(&conv(layer)?, leaf);
    }
    if let Some((block, leaf)) = numbered(name, "to_rgbs.") {
        let block = side(block)?;
        return match leaf {
            "upsample.kernel" => Some(format!("synthesis.b{block}.resample_filter")),
            leaf => plain(&format!("b{block}.torgb"), leaf),
        };
    }
    let layer = name.strip_prefix("noises.noise_")?.parse::<usize>().ok()?;
    let layer = match layer.checked_sub(1) {
        Some(layer) => conv(layer)?,
        None => "b4.conv1".into(),
    };
    Some(format!("synthesis.{layer}.noise_const"))
}

/// Without the sides of one that rosinality's tensors begin with.
fn shape<'a>(shapes: &'a Shapes, name: &str) -> Result<&'a [usize], LookedFor> {
    let shape = shapes.get(name).ok_or_else(|| looked_for(name.to_owned()))?;
    let shape = if shape.first() == Some(&1) { &shape[1..] } else { shape };
    let is_sane = shape.iter().all(|side| (1..=65_536).contains(side));
    if is_sane { Ok(shape) } else { Err(looked_for(name.to_owned())) }
}

/// Names that were looked for.
pub(super) type LookedFor = Vec<Cow<'static, str>>;

pub(super) fn looked_for(name: String) -> LookedFor {
    vec![Cow::Owned(name)]
}

/// The mapping, with the official factor on its weights.
pub(super) fn mapping(shapes: &Shapes) -> Result<Mapping, LookedFor> {
    let name = "mapping.fc0.weight";
    let &[w_dim, mapped] = shape(shapes, name)? else {
        return Err(looked_for(name.to_owned()));
    };
    // A condition is embedded in as many numbers as a style has.
    let classes = match shape(shapes, "mapping.embed.weight") {
        Ok(&[_, classes]) if mapped > w_dim => classes,
        _ => 0,
    };
    let layer = |name: &String| Some(numbered(name, "mapping.fc")?.0);
    Ok(Mapping {
        z_dim: if classes > 0 { mapped - w_dim } else { mapped },
        w_dim,
        classes,
        layers: shapes.keys().filter_map(layer).max().unwrap_or(0) + 1,
        rate: MAPPING_RATE,
    })
}

fn infer(shapes: &Shapes) -> Result<Spec, LookedFor> {
    let mapping = mapping(shapes)?;
    let of_conv =
        |level: usize| match shape(shapes, &format!("synthesis.b{}.conv1.weight", 4 << level)) {
            Ok(&[channels, _, 3, 3]) => Some(channels),
            _ => None,
        };
    let channels: Vec<usize> = (0..MAX_BLOCKS).map_while(of_conv).collect();
    if channels.len() < 2 {
        return Err(looked_for(format!("synthesis.b{}.conv1.weight", 4 << channels.len())));
    }
    let is_rosinality = shapes.get("synthesis.b4.const").is_some_and(|shape| shape.len() == 4);
    Ok(Spec::StyleGan2(StyleGan2 {
        z_dim: mapping.z_dim,
        w_dim: mapping.w_dim,
        classes: mapping.classes,
        mapping_layers: mapping.layers,
        mapping_rate: mapping.rate,
        channels,
        synthesis: if shapes.contains_key("synthesis.b8.skip.weight") {
            Synthesis::Resnet
        } else if shapes.contains_key("synthesis.b4.torgb.weight") {
            Synthesis::Skip
        } else {
            Synthesis::Orig
        },
        clamp: (!is_rosinality).then_some(CLAMP),
        has_mean: shapes.contains_key("mapping.w_avg"),
    }))
}
