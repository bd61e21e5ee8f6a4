//! GFP-GAN's clean architecture: Wang et al. (2021), versions 1.2 to 1.4.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::Gfpgan;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: Gfpgan::NAME, official, infer, is_ignorable };

/// Most levels that are looked for: 4096 pixels a side are beyond any such network.
const MAX_LEVELS: usize = 11;
/// What the names of its tensors begin with.
const ROOTS: [&str; 8] = [
    "condition_scale.",
    "condition_shift.",
    "conv_body_down.",
    "conv_body_first.",
    "conv_body_up.",
    "final_conv.",
    "final_linear.",
    "stylegan_decoder.",
];

impl Describe for Gfpgan {
    const NAME: &'static str = "GFPGANv1Clean";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let capability = Capability::of_square(Purpose::RestoreFace, &self.graph(), self.side());
        Capability { range: Range::Signed, ..capability }
    }
}

impl std::fmt::Display for Gfpgan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "faces of {0}×{0} pixels, {1} numbers a style", self.side(), self.style)
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &&String| ROOTS.iter().any(|root| name.starts_with(root));
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

/// The pictures by which the U-Net learnt; the mapping, for styles come from the U-Net.
fn is_ignorable(name: &str) -> bool {
    name.starts_with("toRGB.") || name.starts_with("stylegan_decoder.style_mlp.")
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const STYLE: &str = "stylegan_decoder.style_conv1.modulated_conv.modulation.weight";
    const STYLES: &str = "final_linear.weight";
    let missing = |name: &'static str| vec![Cow::Borrowed(name)];
    let conv = |name: String| four(shapes, &format!("{name}.weight"));
    let ups = (0..MAX_LEVELS).map_while(|level| conv(format!("conv_body_up.{level}.conv2")));
    let first = conv("final_conv".into()).ok_or_else(|| missing("final_conv.weight"))?;
    let unet: Vec<usize> = std::iter::once(first).chain(ups).map(|shape| shape[0]).collect();
    let width = |name: String| {
        let name = format!("stylegan_decoder.{name}.bias");
        shapes.get(&name)?.iter().copied().max().filter(|width| *width <= 65_536)
    };
    let wide = (1..unet.len()).map_while(|level| width(format!("style_convs.{}", 2 * level - 1)));
    let decoder: Vec<usize> = width("style_conv1".into()).into_iter().chain(wide).collect();
    if unet.len() < 2 || decoder.len() != unet.len() || decoder.contains(&0) {
        return Err(missing("stylegan_decoder.style_convs.1.bias"));
    }
    let styles = match shapes.get(STYLES).map(Vec::as_slice) {
        Some(&[styles, _]) => styles,
        _ => return Err(missing(STYLES)),
    };
    let style = match shapes.get(STYLE).map(Vec::as_slice) {
        Some(&[_, style]) if (1..=65_536).contains(&style) => style,
        _ => return Err(missing(STYLE)),
    };
    let scale = conv("condition_scale.0.2".into());
    let scale = scale.ok_or_else(|| missing("condition_scale.0.2.weight"))?;
    Ok(Spec::Gfpgan(Gfpgan {
        own_styles: styles != style,
        half: scale[0] != decoder[1],
        unet,
        decoder,
        style,
    }))
}
