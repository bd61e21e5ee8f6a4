//! AlexNet and SqueezeNet 1.1 in torchvision's naming, for LPIPS: their classifiers are left out.

use std::borrow::Cow;

use super::{Architecture, four, rooted};
use crate::nets::graph::Graph;
use crate::nets::{AlexNet, Fire, SqueezeNet, VGG_DEVIATION, VGG_MEAN};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ALEX_NET: Architecture = Architecture {
    name: AlexNet::NAME,
    official: |shapes| rooted(shapes, "features."),
    infer: infer_alex_net,
    is_ignorable: |name| name.starts_with("classifier."),
};

pub(super) const SQUEEZE_NET: Architecture = Architecture {
    name: SqueezeNet::NAME,
    official: |shapes| rooted(shapes, "features."),
    infer: infer_squeeze_net,
    is_ignorable: |name| name.starts_with("classifier."),
};

fn capability(graph: &Graph) -> Capability {
    let last = graph.outputs().last().map_or(0, |value| graph.channels(*value));
    Capability {
        channels_out: last as u32,
        range: Range::Normalised { mean: VGG_MEAN, deviation: VGG_DEVIATION },
        ..Capability::of(Purpose::Judge, graph)
    }
}

impl Describe for AlexNet {
    const NAME: &'static str = "AlexNet";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(&self.graph())
    }
}

impl std::fmt::Display for AlexNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} convolutions", self.widths.len())
    }
}

impl Describe for SqueezeNet {
    const NAME: &'static str = "SqueezeNet 1.1";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        capability(&self.graph())
    }
}

impl std::fmt::Display for SqueezeNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fire modules", self.fires.len())
    }
}

type Missing = Vec<Cow<'static, str>>;

fn channels(shapes: &Shapes, name: String) -> Result<usize, Missing> {
    four(shapes, &name).map(|shape| shape[0]).ok_or_else(|| vec![name.into()])
}

fn infer_alex_net(shapes: &Shapes) -> Result<Spec, Missing> {
    let mut widths = [0; 5];
    for (width, (place, ..)) in widths.iter_mut().zip(AlexNet::LAYERS) {
        *width = channels(shapes, format!("features.{place}.weight"))?;
    }
    Ok(Spec::AlexNet(AlexNet { widths }))
}

fn infer_squeeze_net(shapes: &Shapes) -> Result<Spec, Missing> {
    let first = channels(shapes, "features.0.weight".to_owned())?;
    let mut fires = [Fire { squeezed: 0, one: 0, three: 0 }; 8];
    for (fire, place) in fires.iter_mut().zip(SqueezeNet::PLACES) {
        let of = |leaf: &str| channels(shapes, format!("features.{place}.{leaf}.weight"));
        *fire = Fire { squeezed: of("squeeze")?, one: of("expand1x1")?, three: of("expand3x3")? };
    }
    Ok(Spec::SqueezeNet(SqueezeNet { first, fires }))
}
