//! Networks of diffusion models: the autoencoder of latent diffusion in the naming of `diffusers`
//! or of CompVis, and DDPM's network in that of `diffusers`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, numbered};
use crate::nets::graph::Graph;
use crate::nets::{AutoencoderKl, Blueprint, Denoiser, LatentSpace};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const AUTOENCODER: Architecture = Architecture {
    name: AutoencoderKl::NAME,
    official: official_autoencoder,
    infer: infer_autoencoder,
    // What it learnt by.
    is_ignorable: |name| plain(name).starts_with("loss."),
};

pub(super) const DENOISER: Architecture = Architecture {
    name: Denoiser::NAME,
    official: |shapes| {
        let roots = [
            "conv_in.",
            "conv_norm_out.",
            "conv_out.",
            "time_embedding.",
            "down_blocks.",
            "mid_block.",
            "up_blocks.",
        ];
        let known = |name: &&String| roots.iter().any(|root| name.starts_with(root));
        shapes.keys().filter(known).map(|name| (name.clone(), of_attention(name))).collect()
    },
    infer: infer_denoiser,
    is_ignorable: |_| false,
};

/// What the parts of either half of the autoencoder begin with.
const AUTOENCODER_PARTS: [&str; 5] = ["conv_", "down", "mid", "norm_out.", "up"];
/// Most levels that are looked for.
const MAX_LEVELS: usize = 8;
/// Most residual blocks of one.
const MAX_LAYERS: usize = 8;
/// Most numbers of a picture that can be a code.
const MAX_NUMBERS: usize = 8192;

impl Describe for AutoencoderKl {
    const NAME: &'static str = "AutoencoderKL";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability::of_generator(&self.blueprint().synthesis, Range::Signed)
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint())
    }
}

impl std::fmt::Display for AutoencoderKl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (latent, reduction) = (self.latent, self.reduction());
        write!(f, "{latent} channels of a latent, each number for {reduction}×{reduction} pixels")
    }
}

impl Describe for Denoiser {
    const NAME: &'static str = "DDPM";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let graph = self.graph();
        // For a picture, as generators have it.
        let cost = graph.cost(&[[self.side(); 2], [1, 1]]);
        Capability {
            channels_in: 0,
            vector: 0,
            range: Range::Signed,
            flops_per_px: cost.flops * Denoiser::RUNS as f64,
            bytes_per_px: cost.peak_bytes,
            ..Capability::of(Purpose::Generate, &graph)
        }
    }

    fn space(&self) -> Option<LatentSpace> {
        Some(self.space())
    }
}

impl std::fmt::Display for Denoiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{0}×{0} pixels, {1} levels", self.side(), self.channels.len())
    }
}

type Missing = Vec<Cow<'static, str>>;

/// Without what checkpoints of latent diffusion put before their autoencoder.
fn plain(name: &str) -> &str {
    name.strip_prefix("first_stage_model.").unwrap_or(name)
}

/// The present name of a tensor that older files call otherwise.
fn of_attention(name: &str) -> String {
    let pairs = [("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")];
    let renamed = pairs.iter().find_map(|(old, new)| {
        let (before, leaf) = name.rsplit_once('.')?;
        let layer = before.strip_suffix(old).filter(|layer| layer.ends_with('.'))?;
        layer.contains(".attentions.").then(|| format!("{layer}{new}.{leaf}"))
    });
    renamed.unwrap_or_else(|| name.to_owned())
}

fn official_autoencoder(shapes: &Shapes) -> BTreeMap<String, String> {
    let levels = shapes
        .keys()
        .filter_map(|name| numbered(plain(name), "decoder.up."))
        .map(|(level, _)| level + 1)
        .max();
    let known = |name: &String| {
        let own = plain(name);
        let official = match levels {
            Some(levels) => of_compvis(own, levels).unwrap_or_else(|| own.to_owned()),
            None => of_attention(own),
        };
        let part = own.strip_prefix("encoder.").or_else(|| own.strip_prefix("decoder."));
        let is_part = |part: &str| AUTOENCODER_PARTS.iter().any(|root| part.starts_with(root));
        let is_quant = own.starts_with("quant_conv.") || own.starts_with("post_quant_conv.");
        (is_quant || part.is_some_and(is_part)).then(|| (name.clone(), official))
    };
    shapes.keys().filter_map(known).collect()
}

/// The name of a tensor in `diffusers` by that in CompVis's files.
fn of_compvis(name: &str, levels: usize) -> Option<String> {
    let (part, rest) = name.split_once('.')?;
    let block = |rest: &str| rest.replace("nin_shortcut", "conv_shortcut");
    if let Some(rest) = rest.strip_prefix("norm_out.") {
        return Some(format!("{part}.conv_norm_out.{rest}"));
    }
    if let Some((index, rest)) = numbered(rest, "mid.block_") {
        let index = index.checked_sub(1)?;
        return Some(format!("{part}.mid_block.resnets.{index}.{}", block(rest)));
    }
    if let Some(rest) = rest.strip_prefix("mid.attn_1.") {
        let (layer, leaf) = rest.split_once('.')?;
        let layer = match layer {
            "norm" => "group_norm",
            "q" => "to_q",
            "k" => "to_k",
            "v" => "to_v",
            "proj_out" => "to_out.0",
            _ => return None,
        };
        return Some(format!("{part}.mid_block.attentions.0.{layer}.{leaf}"));
    }
    let (way, (level, rest)) = [("down", "down."), ("up", "up.")]
        .into_iter()
        .find_map(|(way, prefix)| Some((way, numbered(rest, prefix)?)))?;
    // The finest level is the first of either way there.
    let level = if way == "up" { (levels - 1).checked_sub(level)? } else { level };
    if let Some((layer, rest)) = numbered(rest, "block.") {
        return Some(format!("{part}.{way}_blocks.{level}.resnets.{layer}.{}", block(rest)));
    }
    let leaf = rest.strip_prefix(&format!("{way}sample."))?;
    Some(format!("{part}.{way}_blocks.{level}.{way}samplers.0.{leaf}"))
}

/// Channels of each level below `root` and the residual blocks of the first.
fn levels(shapes: &Shapes, root: &str) -> Result<(Vec<usize>, usize), Missing> {
    let conv = |level: usize, layer: usize| {
        let name = format!("{root}down_blocks.{level}.resnets.{layer}.conv1.weight");
        four(shapes, &name).map(|shape| shape[0])
    };
    let channels: Vec<usize> = (0..MAX_LEVELS).map_while(|level| conv(level, 0)).collect();
    let layers = (0..MAX_LAYERS).take_while(|layer| conv(0, *layer).is_some()).count();
    if channels.len() < 2 || channels.iter().any(|channels| channels % 32 != 0) {
        return Err(vec![format!("{root}down_blocks.0.resnets.0.conv1.weight").into()]);
    }
    Ok((channels, layers))
}

fn infer_autoencoder(shapes: &Shapes) -> Result<Spec, Missing> {
    const LATENT: &str = "decoder.conv_in.weight";
    let (channels, layers) = levels(shapes, "encoder.")?;
    let latent = four(shapes, LATENT).map(|shape| shape[1]).filter(|latent| *latent <= 64);
    let latent = latent.ok_or_else(|| vec![Cow::Borrowed(LATENT)])?;
    let has_quant = shapes.contains_key("quant_conv.weight");
    Ok(Spec::AutoencoderKl(AutoencoderKl { channels, layers, latent, has_quant }))
}

fn infer_denoiser(shapes: &Shapes) -> Result<Spec, Missing> {
    let (channels, layers) = levels(shapes, "")?;
    let attends = |level: &usize| {
        shapes.contains_key(&format!("down_blocks.{level}.attentions.0.group_norm.weight"))
    };
    let attended = (0..channels.len()).find(attends);
    let attended = attended
        .ok_or_else(|| vec![Cow::Borrowed("down_blocks.1.attentions.0.group_norm.weight")])?;
    let denoiser = Denoiser { channels, layers, attended };
    if 3 * denoiser.side().pow(2) > MAX_NUMBERS {
        // Larger pictures than a code can hold.
        return Err(vec!["down_blocks.1.attentions.0.group_norm.weight".into()]);
    }
    Ok(Spec::Denoiser(denoiser))
}
