//! MediaPipe's models, whose tensors are called by the numbers of their operations. They have no
//! hyper-parameters: a file is one of them or not.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result as Formatted};

use super::Architecture;
use crate::nets::graph::Graph;
use crate::nets::{BlazeFace, FaceMesh, SelfieSegmentation, Side};
use crate::zoo::{Capability, Describe, Extent, Purpose, Range, Shapes, Spec};

pub(super) const BLAZE_FACE: Architecture = Architecture {
    name: BlazeFace::NAME,
    official,
    infer: |shapes| infer(shapes, "084.weight", Spec::BlazeFace(BlazeFace)),
    is_ignorable: |_| false,
};
pub(super) const FACE_MESH: Architecture = Architecture {
    name: FaceMesh::NAME,
    official,
    infer: |shapes| infer(shapes, "097.weight", Spec::FaceMesh(FaceMesh)),
    is_ignorable: |_| false,
};
pub(super) const SELFIE_SEGMENTATION: Architecture = Architecture {
    name: SelfieSegmentation::NAME,
    official,
    infer: |shapes| infer(shapes, "135.weight", Spec::SelfieSegmentation(SelfieSegmentation)),
    is_ignorable: |_| false,
};

/// Names of three digits, a dot and `weight` or `bias`.
fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let is_numbered = |name: &&String| {
        name.split_once('.').is_some_and(|(number, leaf)| {
            let digits = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
            digits && matches!(leaf, "weight" | "bias")
        })
    };
    shapes.keys().filter(is_numbered).map(|name| (name.clone(), name.clone())).collect()
}

/// The network, if the file holds its last layer.
fn infer(shapes: &Shapes, last: &'static str, spec: Spec) -> Result<Spec, Vec<Cow<'static, str>>> {
    if shapes.contains_key(last) { Ok(spec) } else { Err(vec![Cow::Borrowed(last)]) }
}

/// A network for one size of picture.
fn fixed(purpose: Purpose, graph: &Graph, side: Side, channels_out: usize) -> Capability {
    Capability {
        channels_out: channels_out as u32,
        extent: Extent::Fixed(side),
        ..Capability::of(purpose, graph)
    }
}

impl Describe for BlazeFace {
    const NAME: &'static str = "BlazeFace";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let fixed = fixed(Purpose::FaceDetect, &self.graph(), [128; 2], 2);
        Capability { range: Range::Signed, ..fixed }
    }
}

impl Display for BlazeFace {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        f.write_str("short range, 128×128 pixels")
    }
}

impl Describe for FaceMesh {
    const NAME: &'static str = "MediaPipe face mesh";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        fixed(Purpose::FaceLandmarks, &self.graph(), [192; 2], 3 * Self::POINTS)
    }
}

impl Display for FaceMesh {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        write!(f, "{} points, 192×192 pixels", Self::POINTS)
    }
}

impl Describe for SelfieSegmentation {
    const NAME: &'static str = "MediaPipe selfie segmentation";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        fixed(Purpose::Segment, &self.graph(), [256; 2], 1)
    }
}

impl Display for SelfieSegmentation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        f.write_str("people, 256×256 pixels")
    }
}
