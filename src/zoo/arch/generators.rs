//! The generators of pytorch-CycleGAN-and-pix2pix: Isola et al., "Image-to-Image Translation with
//! Conditional Adversarial Networks" (2017); Zhu et al., "Unpaired Image-to-Image Translation"
//! (2017). Residual blocks are called `conv_block` there and `block` elsewhere.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, numbered};
use crate::nets::graph::Graph;
use crate::nets::{Norm, ResnetGenerator, UnetGenerator};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

/// Deepest U-Net: a side of 4096 pixels down to one.
const MAX_LEVELS: usize = 12;

pub(super) const RESNET: Architecture = Architecture {
    name: ResnetGenerator::NAME,
    official: official_resnet,
    infer: infer_resnet,
    is_ignorable: is_statistic,
};

pub(super) const UNET: Architecture = Architecture {
    name: UnetGenerator::NAME,
    official: official_unet,
    infer: infer_unet,
    is_ignorable: is_statistic,
};

/// Statistics of training: the picture at hand has its own.
fn is_statistic(name: &str) -> bool {
    ["running_mean", "running_var", "num_batches_tracked"]
        .iter()
        .any(|leaf| name.strip_suffix(leaf).is_some_and(|path| path.ends_with('.')))
}

fn capability(graph: &Graph, channels: [usize; 2], multiple: u32) -> Capability {
    Capability {
        channels_in: channels[0] as u32,
        channels_out: channels[1] as u32,
        range: Range::Signed,
        multiple,
        ..Capability::of(Purpose::Translate, graph)
    }
}

impl Describe for ResnetGenerator {
    const NAME: &'static str = "CycleGAN ResNet generator";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(&self.graph(), [self.channels_in, self.channels_out], 4)
    }
}

impl std::fmt::Display for ResnetGenerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} residual blocks, {} features", self.blocks, self.features)
    }
}

impl Describe for UnetGenerator {
    const NAME: &'static str = "pix2pix U-Net generator";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let channels = [self.channels_in, self.channels_out];
        capability(&self.graph(), channels, 1 << self.widths.len())
    }
}

impl std::fmt::Display for UnetGenerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let features = self.widths.first().unwrap_or(&0);
        write!(f, "{} levels, {features} features", self.widths.len())
    }
}

fn official_resnet(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &String| {
        let (number, rest) = numbered(name, "model.")?;
        let official = match rest.strip_prefix("block.") {
            Some(rest) => format!("model.{number}.conv_block.{rest}"),
            None => name.clone(),
        };
        Some((name.clone(), official))
    };
    shapes.keys().filter_map(known).collect()
}

/// With and without the first of the two, which looks like a wrapper.
fn official_unet(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &String| match name.strip_prefix("model.")? {
        rest if rest.starts_with("model.") => Some((name.clone(), name.clone())),
        _ => Some((name.clone(), format!("model.{name}"))),
    };
    shapes.keys().filter_map(known).collect()
}

fn infer_resnet(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: String| vec![Cow::Owned(name)];
    let first = four(shapes, "model.1.weight").ok_or_else(|| missing("model.1.weight".into()))?;
    let in_block = |name: &String| {
        let (number, rest) = numbered(name, "model.")?;
        rest.starts_with("conv_block.").then_some(number)
    };
    // Ten modules come before the blocks, seven and the last convolution after them.
    let blocks = shapes.keys().filter_map(in_block).max().map_or(0, |last| last.saturating_sub(9));
    let last_name = format!("model.{}.weight", 17 + blocks);
    let last = four(shapes, &last_name).ok_or_else(|| missing(last_name))?;
    Ok(Spec::ResnetGenerator(ResnetGenerator {
        channels_in: first[1],
        channels_out: last[0],
        features: first[0],
        blocks,
        norm: Norm {
            is_affine: shapes.contains_key("model.2.weight"),
            is_biased: shapes.contains_key("model.1.bias"),
        },
        has_dropout: shapes.contains_key("model.10.conv_block.6.weight")
            && !shapes.contains_key("model.10.conv_block.5.weight"),
    }))
}

fn infer_unet(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: String| vec![Cow::Owned(name)];
    let outermost = UnetGenerator::level(0);
    let [first, last] = [0, 3].map(|at| format!("{outermost}.{at}.weight"));
    let first = four(shapes, &first).ok_or_else(|| missing(first))?;
    let last = four(shapes, &last).ok_or_else(|| missing(last))?;
    let mut widths = vec![first[0]];
    for level in 1..MAX_LEVELS {
        let Some(own) = four(shapes, &format!("{}.1.weight", UnetGenerator::level(level))) else {
            break;
        };
        widths.push(own[0]);
    }
    if widths.len() < 2 {
        return Err(missing(format!("{}.1.weight", UnetGenerator::level(1))));
    }
    // Norms are counted where a level has one on its way up.
    let deepest = UnetGenerator::level(widths.len() - 1);
    Ok(Spec::UnetGenerator(UnetGenerator {
        channels_in: first[1],
        channels_out: last[1],
        norm: Norm {
            is_affine: shapes.contains_key(&format!("{deepest}.4.weight")),
            is_biased: shapes.contains_key(&format!("{deepest}.1.bias")),
        },
        widths,
    }))
}
