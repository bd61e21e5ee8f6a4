//! Magenta's arbitrary style transfer, the small mobile pair: Ghiasi et al., "Exploring the
//! structure of a real-time, arbitrary neural artistic stylization network" (2017).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, numbered, rooted};
use crate::nets::graph::Graph;
use crate::nets::{StylePredictor, StyleTransformer};
use crate::zoo::{Capability, Describe, Extent, Purpose, Shapes, Spec};

/// Side of the picture that the predictor was trained with.
const SIDE: usize = 256;

pub(super) const PREDICTOR: Architecture = Architecture {
    name: StylePredictor::NAME,
    official: |shapes| roots(shapes, ["MobilenetV2.", "mobilenet_conv."]),
    infer: infer_predictor,
    is_ignorable: |_| false,
};

pub(super) const TRANSFORMER: Architecture = Architecture {
    name: StyleTransformer::NAME,
    official: |shapes| roots(shapes, ["transformer.", "style_params."]),
    infer: infer_transformer,
    is_ignorable: |_| false,
};

impl Describe for StylePredictor {
    const NAME: &'static str = "Arbitrary style predictor";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability {
            channels_out: self.numbers as u32,
            extent: Extent::Fixed([SIDE; 2]),
            ..Capability::of(Purpose::StyleVector, &self.graph())
        }
    }
}

impl std::fmt::Display for StylePredictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MobileNetV2, {} numbers a style", self.numbers)
    }
}

impl Describe for StyleTransformer {
    const NAME: &'static str = "Arbitrary style transformer";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability { multiple: 4, ..Capability::of(Purpose::StyleTransfer, &self.graph()) }
    }
}

impl std::fmt::Display for StyleTransformer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} residual blocks, {} numbers a style", self.blocks, self.numbers)
    }
}

fn roots(shapes: &Shapes, roots: [&str; 2]) -> BTreeMap<String, String> {
    roots.into_iter().flat_map(|root| rooted(shapes, root)).collect()
}

fn infer_predictor(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const LAST: &str = "mobilenet_conv.Conv.weight";
    let last = four(shapes, LAST).ok_or_else(|| vec![Cow::Borrowed(LAST)])?;
    Ok(Spec::StylePredictor(StylePredictor { numbers: last[0] }))
}

fn infer_transformer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let shape = |name: String| match four(shapes, &name) {
        Some(shape) => Ok(shape),
        None => Err(vec![Cow::Owned(name)]),
    };
    let style = shape("style_params.transformer.expand.conv1.conv.StyleNorm.gamma.weight".into())?;
    let contract = |number: usize| {
        shape(format!("transformer.contract.conv{number}.weight")).map(|shape| shape[0])
    };
    let expand = |number: usize| {
        shape(format!("transformer.expand.conv{number}.conv.weight")).map(|shape| shape[0])
    };
    let blocks = shapes.keys().filter_map(|name| numbered(name, "transformer.residual.residual"));
    Ok(Spec::StyleTransformer(StyleTransformer {
        numbers: style[1],
        contract: [contract(1)?, contract(2)?, contract(3)?],
        // Counted from 1.
        blocks: blocks.map(|(number, _)| number).max().unwrap_or(0),
        expand: [expand(1)?, expand(2)?],
    }))
}
