//! DeepLabv3 in torchvision's naming.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Architecture, four, numbered};
use crate::nets::graph::Graph;
use crate::nets::{Backbone, DeepLab, Mobile, MobileBlock, Resnet};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: DeepLab::NAME,
    official,
    infer,
    // A second head that helps training, and the counter of batch norm.
    is_ignorable: |name| {
        name.ends_with(".num_batches_tracked") || name.starts_with("aux_classifier.")
    },
};

/// What networks trained on ImageNet expect.
const RANGE: Range =
    Range::Normalised { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/// Of a network that gives each pixel a class.
pub(super) fn segmenter(classes: usize, graph: &Graph) -> Capability {
    Capability {
        channels_out: classes as u32,
        range: RANGE,
        ..Capability::of(Purpose::Segment, graph)
    }
}

impl Describe for DeepLab {
    const NAME: &'static str = "DeepLabv3";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        segmenter(self.classes, &self.graph())
    }
}

impl std::fmt::Display for DeepLab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let classes = self.classes;
        match &self.backbone {
            Backbone::Mobile(_) => write!(f, "{classes} classes, MobileNetV3-large"),
            Backbone::Resnet(resnet) => write!(f, "{classes} classes, ResNet-{}", depth(resnet)),
        }
    }
}

/// Three convolutions a block, the first layer and the original's last.
pub(super) fn depth(resnet: &Resnet) -> usize {
    3 * resnet.blocks.iter().sum::<usize>() + 2
}

pub(super) fn official(shapes: &Shapes) -> BTreeMap<String, String> {
    let known = |name: &&String| name.starts_with("backbone.") || name.starts_with("classifier.");
    shapes.keys().filter(known).map(|name| (name.clone(), name.clone())).collect()
}

pub(super) type Missing = Vec<Cow<'static, str>>;

fn infer(shapes: &Shapes) -> Result<Spec, Missing> {
    let last = channels(shapes, "classifier.4.weight")?;
    let features = channels(shapes, "classifier.1.weight")?;
    let backbone = if shapes.contains_key("backbone.conv1.weight") {
        Backbone::Resnet(resnet(shapes)?)
    } else {
        Backbone::Mobile(mobile(shapes)?)
    };
    Ok(Spec::DeepLab(DeepLab { backbone, features, classes: last }))
}

/// The channels that a convolution makes.
pub(super) fn channels(shapes: &Shapes, name: &str) -> Result<usize, Missing> {
    four(shapes, name).map(|shape| shape[0]).ok_or_else(|| vec![Cow::Owned(name.to_owned())])
}

fn mobile(shapes: &Shapes) -> Result<Mobile, Missing> {
    let block = |index: usize| -> Result<MobileBlock, Missing> {
        let name = format!("backbone.{index}.block");
        let layers = shapes.keys().filter_map(|key| numbered(key, &format!("{name}.")));
        let last = layers.map(|(layer, _)| layer).max().unwrap_or(0);
        let squeeze = shapes.keys().find(|key| key.starts_with(&name) && key.ends_with("fc1.bias"));
        let squeezed = squeeze.and_then(|key| shapes[key].first().copied()).unwrap_or(0);
        Ok(MobileBlock {
            expanded: channels(shapes, &format!("{name}.0.0.weight"))?,
            squeezed,
            out: channels(shapes, &format!("{name}.{last}.0.weight"))?,
        })
    };
    let count = Mobile::BLOCKS.len();
    Ok(Mobile {
        first: channels(shapes, "backbone.0.0.weight")?,
        blocks: (1..=count).map(block).collect::<Result<_, _>>()?,
        last: channels(shapes, &format!("backbone.{}.0.weight", count + 1))?,
    })
}

pub(super) fn resnet(shapes: &Shapes) -> Result<Resnet, Missing> {
    let blocks = |stage: usize| {
        let numbers =
            shapes.keys().filter_map(|key| numbered(key, &format!("backbone.layer{stage}.")));
        numbers.map(|(block, _)| block + 1).max().unwrap_or(0)
    };
    Ok(Resnet {
        first: channels(shapes, "backbone.conv1.weight")?,
        width: channels(shapes, "backbone.layer1.0.conv1.weight")?,
        blocks: [blocks(1), blocks(2), blocks(3), blocks(4)],
    })
}
