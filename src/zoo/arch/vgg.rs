//! VGG: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
//! Recognition" (2015), named as in torchvision. Of a whole classifier only the convolutions are
//! used.

use std::borrow::Cow;

use super::{Architecture, four, numbered, rooted};
use crate::nets::graph::Graph;
use crate::nets::{VGG_DEVIATION, VGG_MEAN, Vgg};
use crate::zoo::{Capability, Describe, Purpose, Range, Shapes, Spec};

pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: Vgg::NAME,
    official: |shapes| rooted(shapes, "features."),
    infer,
    is_ignorable: |name| name.starts_with("classifier."),
};

impl Describe for Vgg {
    const NAME: &'static str = "VGG";

    fn network(&self) -> Graph {
        self.graph()
    }

    fn capability(&self) -> Capability {
        let graph = self.graph();
        let channels_out = self.blocks.last().and_then(|block| block.last());
        Capability {
            channels_out: channels_out.map_or(0, |channels| *channels as u32),
            range: Range::Normalised { mean: VGG_MEAN, deviation: VGG_DEVIATION },
            ..Capability::of(Purpose::Features, &graph)
        }
    }
}

impl std::fmt::Display for Vgg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let layers: usize = self.blocks.iter().map(Vec::len).sum();
        write!(f, "{layers} convolutions in {} blocks", self.blocks.len())
    }
}

fn infer(shapes: &Shapes) -> Result<Spec, Vec<Cow<'static, str>>> {
    let mut places: Vec<usize> = shapes
        .keys()
        .filter_map(|name| numbered(name, "features."))
        .filter_map(|(place, leaf)| (leaf == "weight").then_some(place))
        .collect();
    places.sort_unstable();
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    let mut expected = 0;
    for place in places {
        let name = format!("features.{place}.weight");
        let Some(shape) = four(shapes, &name) else { return Err(vec![name.into()]) };
        match blocks.last_mut() {
            Some(block) if place == expected => block.push(shape[0]),
            Some(_) if place == expected + 1 => blocks.push(vec![shape[0]]),
            None if place == 0 => blocks.push(vec![shape[0]]),
            _ => return Err(vec![format!("features.{expected}.weight").into()]),
        }
        expected = place + 2;
    }
    if blocks.is_empty() {
        return Err(vec!["features.0.weight".into()]);
    }
    Ok(Spec::Vgg(Vgg { blocks }))
}
