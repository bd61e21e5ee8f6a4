//! Magenta's style network with conditional instance norm: Dumoulin, Shlens, Kudlur, "A Learned
//! Representation for Artistic Style" (2017).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, numbered, rooted};
use crate::nets::MultiStyle;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: MultiStyle::NAME, official, infer, is_ignorable: |_| false };

impl Describe for MultiStyle {
    const NAME: &'static str = "Multi-style transfer";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability { multiple: 4, ..Capability::of(Purpose::Style, &self.graph()) }
    }
}

impl std::fmt::Display for MultiStyle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} styles, {} residual blocks", self.styles, self.blocks)
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    ["contract.", "res.", "expand."].into_iter().flat_map(|root| rooted(shapes, root)).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const TABLE: &str = "contract.0.norm.gamma";
    let styles = match shapes.get(TABLE).map(Vec::as_slice) {
        Some(&[styles @ 1..=65_536, _]) => styles,
        _ => return Err(vec![TABLE.into()]),
    };
    let width = |name: String| match four(shapes, &name) {
        Some(shape) => Ok(shape[0]),
        None => Err(vec![Cow::Owned(name)]),
    };
    let contract = |number: usize| width(format!("contract.{number}.w"));
    let expand = |number: usize| width(format!("expand.{number}.w"));
    let blocks = shapes.keys().filter_map(|name| numbered(name, "res.")).map(|(n, _)| n + 1);
    Ok(Spec::MultiStyle(MultiStyle {
        styles,
        contract: [contract(0)?, contract(1)?, contract(2)?],
        blocks: blocks.max().unwrap_or(0),
        expand: [expand(0)?, expand(1)?],
    }))
}
