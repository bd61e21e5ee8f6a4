//! The colourisers of Zhang et al. (2016, 2017), named as in their PyTorch release.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::graph::Graph;
use crate::nets::{EccvColorizer, SiggraphColorizer};
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

pub(super) const ECCV: Architecture =
    Architecture { name: EccvColorizer::NAME, official, infer: infer_eccv, is_ignorable };
/// The colours of the classification head, from which it learnt, are left out.
pub(super) const SIGGRAPH: Architecture = Architecture {
    name: SiggraphColorizer::NAME,
    official,
    infer: infer_siggraph,
    is_ignorable: |name| is_ignorable(name) || name.starts_with("model_class."),
};

/// Side of the pictures from which they learnt.
const SIDE: usize = 256;

impl Describe for EccvColorizer {
    const NAME: &'static str = "ECCV16 colouriser";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(&self.graph())
    }
}

impl Describe for SiggraphColorizer {
    const NAME: &'static str = "SIGGRAPH17 colouriser";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(&self.graph())
    }
}

fn capability(graph: &Graph) -> Capability {
    Capability {
        channels_in: 1,
        channels_out: 2,
        ..Capability::of_square(Purpose::Colorize, graph, SIDE)
    }
}

impl std::fmt::Display for EccvColorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {} features, {} bins", self.widths[0], self.widths[3], self.bins)
    }
}

impl std::fmt::Display for SiggraphColorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {} features", self.widths[0], self.widths[3])
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &&String| {
        name.strip_prefix("model").is_some_and(|rest| rest.starts_with(|c| c != '.'))
    };
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

fn is_ignorable(name: &str) -> bool {
    name.ends_with(".num_batches_tracked")
}

/// The side `side` of the weight `name`.
fn side(shapes: &Shapes, name: &'static str, side: usize) -> Result<usize, Vec<Cow<'static, str>>> {
    four(shapes, name).map(|shape| shape[side]).ok_or_else(|| vec![Cow::Borrowed(name)])
}

fn widths(shapes: &Shapes) -> Result<[usize; 4], Vec<Cow<'static, str>>> {
    let width = |name| side(shapes, name, 0);
    Ok([
        width("model1.0.weight")?,
        width("model2.0.weight")?,
        width("model3.0.weight")?,
        width("model4.0.weight")?,
    ])
}

fn infer_eccv(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let bins = side(shapes, "model_out.weight", 1)?;
    Ok(Spec::EccvColorizer(EccvColorizer { widths: widths(shapes)?, bins }))
}

fn infer_siggraph(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let last = side(shapes, "model10.1.weight", 0)?;
    Ok(Spec::SiggraphColorizer(SiggraphColorizer { widths: widths(shapes)?, last }))
}
