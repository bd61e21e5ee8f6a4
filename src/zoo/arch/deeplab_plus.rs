//! DeepLabv3+ in the naming of VainF's DeepLabV3Plus-Pytorch.

use super::Architecture;
use super::deeplab::{Missing, channels, depth, official, resnet, segmenter};
use crate::nets::graph::Graph;
use crate::nets::{DeepLabPlus, MobileV2, PlusBackbone};
use crate::zoo::{Capability, Describe, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: DeepLabPlus::NAME,
    official,
    infer,
    // The counter of batch norm.
    is_ignorable: |name| name.ends_with(".num_batches_tracked"),
};

impl Describe for DeepLabPlus {
    const NAME: &'static str = "DeepLabv3+";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        segmenter(self.classes, &self.graph())
    }
}

impl std::fmt::Display for DeepLabPlus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let classes = self.classes;
        match &self.backbone {
            PlusBackbone::Mobile(_) => write!(f, "{classes} classes, MobileNetV2"),
            PlusBackbone::Resnet(resnet) => {
                write!(f, "{classes} classes, ResNet-{}", depth(resnet))
            }
        }
    }
}

fn infer(shapes: &Shapes) -> Result<Spec, Missing> {
    let classes = channels(shapes, "classifier.classifier.3.weight")?;
    let features = channels(shapes, "classifier.classifier.0.weight")?;
    let fine = channels(shapes, "classifier.project.0.weight")?;
    let backbone = if shapes.contains_key("backbone.conv1.weight") {
        PlusBackbone::Resnet(resnet(shapes)?)
    } else {
        PlusBackbone::Mobile(mobile(shapes)?)
    };
    Ok(Spec::DeepLabPlus(DeepLabPlus { backbone, features, fine, classes }))
}

fn mobile(shapes: &Shapes) -> Result<MobileV2, Missing> {
    let block = |number: usize| {
        let name = format!("{}.conv", MobileV2::layer_name(number));
        // A block that does not expand has no layer for it: its convolutions come one earlier.
        let expands = shapes.get(&format!("{name}.2.weight")).is_some_and(|of| of.len() == 4);
        let last = if expands { 2 } else { 1 };
        let middle = channels(shapes, &format!("{name}.{}.0.weight", last - 1))?;
        Ok([middle, channels(shapes, &format!("{name}.{last}.weight"))?])
    };
    let first = channels(shapes, &format!("{}.0.weight", MobileV2::layer_name(0)))?;
    let blocks = (1..=MobileV2::BLOCKS.len()).map(block).collect::<Result<_, Missing>>()?;
    Ok(MobileV2 { first, blocks })
}
