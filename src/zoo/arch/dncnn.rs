//! DnCNN: Zhang et al., "Beyond a Gaussian Denoiser" (2017), named as in KAIR (`model.`) or in
//! the earlier PyTorch version (`dncnn.`); with batch norm or with it merged.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, numbered};
use crate::nets::DnCnn;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: DnCnn::NAME,
    official,
    infer,
    is_ignorable: |name| name.ends_with(".num_batches_tracked"),
};

impl Describe for DnCnn {
    const NAME: &'static str = "DnCNN";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability {
            channels_in: self.channels as u32,
            channels_out: self.channels as u32,
            ..Capability::of(Purpose::Denoise, &self.graph())
        }
    }
}

impl std::fmt::Display for DnCnn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let norm = if self.is_normed { ", batch norm" } else { "" };
        write!(f, "{} layers, {} features{norm}", self.layers, self.features)
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &String| {
        let rest = name.strip_prefix("model.").or_else(|| name.strip_prefix("dncnn."))?;
        Some((name.clone(), format!("model.{rest}")))
    };
    shapes.keys().filter_map(known).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let missing = |name: String| vec![Cow::Owned(name)];
    let first = four(shapes, "model.0.weight").ok_or_else(|| missing("model.0.weight".into()))?;
    let last_index = shapes.keys().filter_map(|name| numbered(name, "model.")).map(|(n, _)| n);
    let last_index = last_index.max().unwrap_or(0);
    let is_normed = shapes.contains_key("model.3.running_mean");
    let each = if is_normed { 3 } else { 2 };
    if last_index < 2 || (last_index - 2) % each != 0 {
        return Err(missing("a last layer where a row of convolutions ends".into()));
    }
    Ok(Spec::DnCnn(DnCnn {
        channels: first[1],
        features: first[0],
        layers: (last_index - 2) / each + 2,
        is_normed,
        is_biased: shapes.contains_key("model.0.bias"),
    }))
}
