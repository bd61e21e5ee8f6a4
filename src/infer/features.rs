//! Networks by which metrics see pictures, and the way of many pictures through one.

use rayon::prelude::*;

use super::generator::Run;
use super::picture::{read_planes, read_resized, to_range};
use super::worker::NetworkError;
use crate::color::{ProfileMap, WorkingProfile};
use crate::geom::Size;
use crate::metrics::{Backbone, MetricsError, perceptual_distance};
use crate::nets::cpu::{Processor, Stop};
use crate::nets::graph::Graph;
use crate::nets::{InceptionVariant, Planes, Source};
use crate::pixels::PixelBuf;
use crate::zoo::{Extent, Range, Spec};

/// Reasons that are kept of pictures that could not be read.
const KEPT_REASONS: usize = 20;
/// Convolutions of VGG16, whose siblings have as many blocks.
const VGG16_LAYERS: usize = 13;
/// Pictures that are read while as many are looked at.
const READ_AHEAD: usize = 4;

/// What a network says of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// Features and classes of Inception-v3.
    Inception(InceptionVariant),
    /// The activations that LPIPS compares.
    Lpips(Backbone),
    /// The trunk of a portrait encoder: its maps are compared without learned weights.
    Portrait,
    /// What stands for either where neither is installed: the trunk of Magenta's style predictor,
    /// a MobileNetV2 that was trained on objects and then on the style of any picture, so it
    /// knows shapes, textures and colours, and not faces only. Its last mean is the features, its
    /// maps are compared without learned weights.
    Substitute,
}

impl Judge {
    /// What looks at pictures, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inception(InceptionVariant::Fid) => "Inception-v3 of 2015",
            Self::Inception(InceptionVariant::Torchvision) => "torchvision's Inception-v3",
            Self::Lpips(Backbone::AlexNet) => "AlexNet",
            Self::Lpips(Backbone::SqueezeNet) => "SqueezeNet 1.1",
            Self::Lpips(Backbone::Vgg16) => "VGG16",
            Self::Portrait => "trunk of a portrait encoder",
            Self::Substitute => "MobileNetV2 of the style predictor",
        }
    }

    /// Goes before the name of a metric whose values by it are not those that are published.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Inception(InceptionVariant::Fid) | Self::Lpips(_) => "",
            Self::Inception(InceptionVariant::Torchvision) => "torchvision-",
            Self::Portrait => "portrait-",
            Self::Substitute => "substitute-",
        }
    }

    /// Whether it has the learned weights of LPIPS.
    pub const fn is_lpips(self) -> bool {
        matches!(self, Self::Lpips(_))
    }
}

/// A network that is ready to look at pictures.
pub struct FeatureNetwork {
    judge: Judge,
    body: Box<dyn Run>,
    reader: Reader,
    /// Learned weights of the channels of each stage, if the network has stages.
    heads: Vec<Vec<f32>>,
}

impl FeatureNetwork {
    /// The network `spec`; `build` prepares a graph.
    ///
    /// # Errors
    /// A sentence of `build`, or that metrics make nothing of such a network.
    pub fn new<R: Run + 'static>(
        spec: &Spec,
        source: Source<'_, String>,
        build: impl FnOnce(Graph, Source<'_, String>) -> Result<R, String>,
    ) -> Result<Self, String> {
        let Prepared { judge, graph, reader, heads } = Prepared::new(spec)?;
        Ok(Self { judge, body: Box::new(build(graph, source)?), reader, heads })
    }

    /// On the processor.
    ///
    /// # Errors
    /// As [`FeatureNetwork::new`].
    pub fn on_processor(spec: &Spec, source: Source<'_, String>) -> Result<Self, String> {
        Self::new(spec, source, |graph, source| Processor::new(graph, source))
    }

    pub const fn judge(&self) -> Judge {
        self.judge
    }

    /// How it wants pictures.
    pub const fn reader(&self) -> Reader {
        self.reader
    }

    /// What it says of a picture that [`Reader::read`] has prepared.
    ///
    /// # Errors
    /// Those of the device.
    pub fn see(&self, picture: Planes, stop: Stop<'_>) -> Result<Seen, NetworkError> {
        Ok(Seen { judge: self.judge, outputs: self.body.run(&[picture], stop)? })
    }

    /// How different two pictures look to it: LPIPS, or its arithmetic without learned weights.
    ///
    /// # Errors
    /// Where it has no stages or the pictures differ in size.
    pub fn distance(&self, a: &Seen, b: &Seen) -> Result<f64, MetricsError> {
        perceptual_distance(a.stages(), b.stages(), &self.heads)
    }
}

/// A network that looks at pictures, before its parameters are read.
pub(super) struct Prepared {
    pub judge: Judge,
    pub graph: Graph,
    pub reader: Reader,
    pub heads: Vec<Vec<f32>>,
}

impl Prepared {
    /// A sentence where metrics make nothing of such a network.
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let stages = |backbone: Backbone, graph: Graph| (Judge::Lpips(backbone), graph);
        let (judge, graph) = match spec {
            Spec::Inception(net) => (Judge::Inception(net.variant()), net.graph()),
            Spec::AlexNet(net) => stages(Backbone::AlexNet, net.graph()),
            Spec::SqueezeNet(net) => stages(Backbone::SqueezeNet, net.graph()),
            Spec::Vgg(net) if net.blocks.concat().len() == VGG16_LAYERS => {
                stages(Backbone::Vgg16, net.stages())
            }
            Spec::PortraitEncoder(net) => (Judge::Portrait, net.features()),
            Spec::StylePredictor(net) => (Judge::Substitute, net.features()),
            other => return Err(format!("metrics make nothing of a {}", other.architecture())),
        };
        let channels: Vec<usize> =
            graph.outputs().iter().map(|value| graph.channels(*value)).collect();
        let heads = match judge {
            Judge::Inception(_) => Vec::new(),
            Judge::Lpips(backbone) => backbone.heads().map_err(|err| err.to_string())?,
            Judge::Portrait => {
                let share = 1.0 / channels.len().max(1) as f32;
                channels.iter().map(|count| vec![share; *count]).collect()
            }
            Judge::Substitute => channels[1..].iter().map(|count| vec![1.0; *count]).collect(),
        };
        let fits = |heads: &[Vec<f32>], channels: &[usize]| {
            heads.iter().map(Vec::len).eq(channels.iter().copied())
        };
        if matches!(judge, Judge::Lpips(_)) && !fits(&heads, &channels) {
            let architecture = spec.architecture();
            return Err(format!("the learned weights of LPIPS do not fit this {architecture}"));
        }
        let capability = spec.capability();
        let reader = Reader { range: capability.range, extent: capability.extent };
        Ok(Self { judge, graph, reader, heads })
    }
}

/// What a network said of one picture.
pub struct Seen {
    judge: Judge,
    outputs: Vec<Planes>,
}

impl Seen {
    /// The features of the whole picture; nothing from networks that only compare.
    pub fn features(&self) -> &[f32] {
        match (self.judge, self.outputs.first()) {
            (Judge::Inception(_) | Judge::Substitute, Some(planes)) => &planes.data,
            _ => &[],
        }
    }

    /// A logit a class; nothing from networks without classes.
    pub fn logits(&self) -> &[f32] {
        match (self.judge, self.outputs.get(1)) {
            (Judge::Inception(_), Some(planes)) => &planes.data,
            _ => &[],
        }
    }

    fn stages(&self) -> &[Planes] {
        match self.judge {
            Judge::Inception(_) => &[],
            Judge::Lpips(_) | Judge::Portrait => &self.outputs,
            Judge::Substitute => self.outputs.get(1..).unwrap_or(&[]),
        }
    }
}

/// How a network wants pictures.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    range: Range,
    extent: Extent,
}

impl Reader {
    /// A picture as sRGB numbers for the network, without its transparency.
    ///
    /// # Errors
    /// Where it cannot be resampled to the network's own size.
    pub fn read(&self, picture: &PixelBuf, profile: &WorkingProfile) -> Result<Planes, String> {
        let map = ProfileMap::new(profile);
        let mut planes = match self.extent {
            Extent::Fixed([height, width]) => {
                read_resized(picture, Size::new(width as u32, height as u32), &map)?
            }
            Extent::Tiles | Extent::Whole => read_planes(picture, picture.size().rect(), &map),
        };
        to_range(&mut planes, self.range);
        Ok(planes)
    }

    /// Numbers of a picture in `-1..=1`, which generators draw, as the network wants them; at the
    /// picture's own size.
    pub(super) fn drawn(&self, mut planes: Planes) -> Planes {
        planes.data.iter_mut().for_each(|value| *value = *value * 0.5 + 0.5);
        to_range(&mut planes, self.range);
        planes
    }

    /// From the gradient by what [`Reader::drawn`] answers to that by the picture.
    pub(super) fn drawn_slope(&self, mut slope: Planes) -> Planes {
        let area = (slope.height * slope.width).max(1);
        for (channel, plane) in slope.data.chunks_exact_mut(area).enumerate() {
            let unit = self.range.of_unit(1.0, channel) - self.range.of_unit(0.0, channel);
            plane.iter_mut().for_each(|value| *value *= 0.5 * unit);
        }
        slope
    }
}

/// Pictures that could not be looked at.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    pub count: usize,
    /// Place and reason of the first ones.
    pub first: Vec<(usize, String)>,
}

impl Skipped {
    pub fn add(&mut self, place: usize, reason: String) {
        self.count += 1;
        if self.first.len() < KEPT_REASONS {
            self.first.push((place, reason));
        }
    }
}

/// A picture and what its numbers mean, or why there is none.
pub type Read<'a> = &'a (dyn Fn(usize) -> Result<(PixelBuf, WorkingProfile), String> + Sync);

/// Shows `count` pictures to the network and what it says to `each`, in order and with their
/// place. Some are read while others are looked at, and no more are kept; those that `read`
/// refuses are left out and counted.
///
/// # Errors
/// Those of the network and of `each`; [`NetworkError::Stopped`] when `stop` answered true.
pub fn look_at_all(
    network: &FeatureNetwork,
    count: usize,
    read: Read<'_>,
    stop: Stop<'_>,
    each: &mut dyn FnMut(usize, Seen) -> Result<(), MetricsError>,
) -> Result<Skipped, NetworkError> {
    let reader = network.reader();
    let prepare = |places: std::ops::Range<usize>| -> Vec<Result<Planes, String>> {
        let one = |place| {
            let (picture, profile) = read(place)?;
            reader.read(&picture, &profile)
        };
        places.into_par_iter().map(one).collect()
    };
    let batch = |start: usize| start..(start + READ_AHEAD).min(count);
    let mut skipped = Skipped::default();
    let mut ready = prepare(batch(0));
    let mut start = 0;
    while !ready.is_empty() {
        let (now, mut next) = (ready, Vec::new());
        let places = start..start + now.len();
        start = places.end;
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = prepare(batch(start)));
            for (place, planes) in places.zip(now) {
                match planes {
                    Ok(planes) => {
                        let seen = network.see(planes, stop)?;
                        each(place, seen).map_err(|err| NetworkError::Failed(err.to_string()))?;
                    }
                    Err(reason) => skipped.add(place, reason),
                }
                if stop() {
                    return Err(NetworkError::Stopped);
                }
            }
            Ok(())
        })?;
        ready = next;
    }
    Ok(skipped)
}
