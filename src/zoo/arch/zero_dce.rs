//! Zero-DCE: Guo et al., "Zero-Reference Deep Curve Estimation for Low-Light Image Enhancement"
//! (2020), and the variant of the package neuro-low-light.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, rooted};
use crate::nets::graph::Graph;
use crate::nets::{ZeroDce, ZeroDceVariant};
use crate::zoo::{Capability, Describe, Purpose, Shapes, Spec};

const VARIANTS: [ZeroDceVariant; 2] = [ZeroDceVariant::Official, ZeroDceVariant::Neuro];

pub(super) const ARCHITECTURE: Architecture =
    Architecture { name: ZeroDce::NAME, official, infer, is_ignorable: |_| false };

impl Describe for ZeroDce {
    const NAME: &'static str = "Zero-DCE";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        Capability::of(Purpose::Light, &self.graph())
    }
}

impl std::fmt::Display for ZeroDce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} curves, {} features", self.curves, self.features)
    }
}

/// Each variant's names are its own: what a checkpoint means hangs on them.
fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    VARIANTS.iter().flat_map(|variant| rooted(shapes, variant.prefix())).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let shape_of = |variant: ZeroDceVariant, number: usize| {
        four(shapes, &format!("{}{number}.weight", variant.prefix()))
    };
    let found = VARIANTS
        .into_iter()
        .find_map(|variant| Some((variant, shape_of(variant, 1)?, shape_of(variant, 7)?)));
    match found {
        Some((variant, first, last)) if last[0] % 3 == 0 => {
            Ok(Spec::ZeroDce(ZeroDce { features: first[0], curves: last[0] / 3, variant }))
        }
        _ => Err(vec!["e_conv1.weight".into(), "e_conv7.weight with three rows a curve".into()]),
    }
}
