//! DeepFill v2's generator: Yu et al. (2019), named as in its PyTorch port.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four};
use crate::nets::DeepFill;
use crate::nets::graph::Graph;
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: DeepFill::NAME,
    official,
    infer,
    // The diagonal along which scores are added: the same in every file.
    is_ignorable: |name| name == "stage2.contextual_attention.fuse_weight",
};

impl Describe for DeepFill {
    const NAME: &'static str = "DeepFill v2";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let capability = Capability::of(Purpose::Inpaint, &self.graph());
        Capability { range: Range::Signed, multiple: 8, ..capability }
    }
}

impl std::fmt::Display for DeepFill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} features", self.features)
    }
}

fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &&String| name.starts_with("stage1.") || name.starts_with("stage2.");
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    const MIDDLE: &str = "stage1.conv_bn1.conv.weight";
    match four(shapes, MIDDLE) {
        Some([_, quarter, _, _]) if quarter % 8 == 0 => {
            Ok(Spec::DeepFill(DeepFill { features: quarter / 2 }))
        }
        _ => Err(vec![Cow::Borrowed(MIDDLE)]),
    }
}
