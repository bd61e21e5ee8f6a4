//! Which network is this file, and what can it do?
//!
//! Detection sees names and shapes only and infers every hyper-parameter from them; a file
//! belongs to an architecture when it has exactly the tensors that the architecture with these
//! hyper-parameters has. Networks are described by capability, never by name.

pub mod arch;
mod classes;
mod detect;
mod library;
mod manifest;
mod ncnn;

pub use classes::{ClassError, IMAGENET_CLASSES, find_class, imagenet};
pub use detect::{Attempt, Detected, Parameters, UnknownNetwork, detect, parameters};
pub use library::{
    Installed, Library, LibraryError, MODELS_ENV, Told, WEIGHTS_FILE, file_sha256, identify,
    open_network,
};
pub use manifest::{Beside, Manifest, ManifestError, Purpose};

pub use crate::nets::graph::Shapes;

/// What a file says of itself beside its tensors: the words of a header, arguments of classes.
pub type Facts = BTreeMap<String, Json>;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::nets::graph::Graph;
use crate::nets::{
    AlexNet, AutoencoderKl, BigGanDeep, BlazeFace, Blueprint, Dcgan, DeepFill, DeepLab,
    DeepLabPlus, Denoiser, DnCnn, EccvColorizer, FaceDense, FaceMesh, FaceXception, FfdNet, Gfpgan,
    GradualStyleEncoder, Inception, IrSe, Lama, LatentSpace, Migan, MultiStyle, PortraitEncoder,
    ResnetGenerator, RrdbNet, SelfieSegmentation, Side, SiggraphColorizer, SqueezeNet, Srvgg,
    StyleGan2, StyleGan3, StylePredictor, StyleTransformer, Unet, UnetGenerator, Vgg, ZeroDce,
};
use crate::params::ParamSpec;

/// What an architecture says of itself, given its hyper-parameters.
trait Describe: std::fmt::Display {
    /// The architecture's name in its own publications.
    const NAME: &'static str;

    fn network(&self) -> Graph;

    /// Every tensor that its files hold, by official name.
    fn tensors(&self) -> Shapes {
        self.network().params()
    }

    fn capability(&self) -> Capability;

    /// A generator in parts.
    fn blueprint(&self) -> Option<Blueprint> {
        None
    }

    /// What a generator draws from, in parts or not.
    fn space(&self) -> Option<LatentSpace> {
        self.blueprint().map(|blueprint| blueprint.space)
    }

    /// Takes over what a file says of itself and no shape shows.
    fn configure(&mut self, _facts: &Facts) {}
}

/// The architectures, each with its configuration.
macro_rules! architectures {
    ($($name:ident),* $(,)?) => {
        /// A network's architecture with its hyper-parameters.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Spec {
            $($name($name)),*
        }

        impl Spec {
            /// The architecture's name in its own publications.
            pub const fn architecture(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::NAME),* }
            }

            /// The network.
            pub fn graph(&self) -> Graph {
                match self { $(Self::$name(spec) => spec.network()),* }
            }

            /// Every tensor that its files hold, by official name.
            pub fn tensors(&self) -> Shapes {
                match self { $(Self::$name(spec) => spec.tensors()),* }
            }

            pub fn capability(&self) -> Capability {
                match self { $(Self::$name(spec) => Describe::capability(spec)),* }
            }

            /// The parts of a generator; `None` for other networks.
            pub fn blueprint(&self) -> Option<Blueprint> {
                match self { $(Self::$name(spec) => Describe::blueprint(spec)),* }
            }

            /// What a generator draws from; `None` for other networks.
            pub fn space(&self) -> Option<LatentSpace> {
                match self { $(Self::$name(spec) => Describe::space(spec)),* }
            }

            /// Takes over what a file says of itself and no shape shows.
            pub fn configure(&mut self, facts: &Facts) {
                match self { $(Self::$name(spec) => spec.configure(facts)),* }
            }
        }

        impl std::fmt::Display for Spec {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $(Self::$name(spec) => spec.fmt(f)),* }
            }
        }
    };
}

architectures!(
    AlexNet,
    AutoencoderKl,
    BigGanDeep,
    BlazeFace,
    Dcgan,
    DeepFill,
    DeepLab,
    DeepLabPlus,
    Denoiser,
    DnCnn,
    EccvColorizer,
    FaceDense,
    FaceMesh,
    FaceXception,
    FfdNet,
    Gfpgan,
    GradualStyleEncoder,
    Inception,
    IrSe,
    Lama,
    Migan,
    MultiStyle,
    PortraitEncoder,
    ResnetGenerator,
    RrdbNet,
    SelfieSegmentation,
    SiggraphColorizer,
    SqueezeNet,
    Srvgg,
    StyleGan2,
    StyleGan3,
    StylePredictor,
    StyleTransformer,
    Unet,
    UnetGenerator,
    Vgg,
    ZeroDce,
);

/// What the numbers of a picture mean to a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// `0..=1`
    Unit,
    /// `-1..=1`
    Signed,
    /// `(x - mean) / deviation` of each channel in `0..=1`; the result is no picture.
    Normalised { mean: [f32; 3], deviation: [f32; 3] },
}

impl Range {
    /// A number of a result as one of a picture in `0..=1`.
    pub fn to_unit(self, value: f32) -> f32 {
        match self {
            Self::Signed => value * 0.5 + 0.5,
            Self::Unit | Self::Normalised { .. } => value,
        }
    }

    /// A number in `0..=1` of channel `channel` as the network wants it.
    pub fn of_unit(self, value: f32, channel: usize) -> f32 {
        match self {
            Self::Unit => value,
            Self::Signed => value * 2.0 - 1.0,
            Self::Normalised { mean, deviation } => {
                (value - mean[channel % 3]) / deviation[channel % 3]
            }
        }
    }
}

/// How a picture is handed to a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// In tiles with a halo.
    Tiles,
    /// At once: every result pixel depends on all of it.
    Whole,
    /// Resampled to this height and width.
    Fixed(Side),
}

/// What a network does and costs, as far as callers care.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    pub purpose: Purpose,
    /// Channels of the picture that goes in; 0 for generators.
    pub channels_in: u32,
    /// Numbers of the vector that goes in beside the picture: styles, say; 0 for none.
    pub vector: u32,
    /// Channels of the picture that comes out.
    pub channels_out: u32,
    /// Result side over source side; 1 for generators.
    pub scale: u32,
    pub range: Range,
    pub extent: Extent,
    /// The sides of what goes in are multiples of this.
    pub multiple: u32,
    /// Source pixels around a tile with which its seams stay invisible.
    pub halo_px: u32,
    /// Half the side of the source area that one result pixel depends on. A halo of this size
    /// makes tiling exact.
    pub reach_px: u32,
    /// Arithmetic for one source pixel (one picture for generators), multiply and add as two.
    pub flops_per_px: f64,
    /// Working memory for one source pixel of a tile (one picture for generators).
    pub bytes_per_px: f64,
    /// Memory of the weights as 32-bit floats.
    pub weight_bytes: u64,
    /// What the user can set.
    pub params: &'static [ParamSpec],
}

/// Side of the picture from which costs a pixel are taken; a multiple of every network's.
const COST_SIDE: usize = 256;

impl Capability {
    /// A network from RGB to RGB of the same size in `0..=1`, in exact tiles or, where pixels see
    /// the whole picture, at once; costs and reach follow from the graph, whose first input is
    /// the picture.
    fn of(purpose: Purpose, graph: &Graph) -> Self {
        let mut inputs = vec![[1, 1]; graph.input_count()];
        if let Some(picture) = inputs.first_mut() {
            *picture = [COST_SIDE; 2];
        }
        let cost = graph.cost(&inputs);
        let area = (COST_SIDE * COST_SIDE) as f64;
        let reach = graph.reach_px();
        let reach_px = reach.unwrap_or(0) as u32;
        Self {
            purpose,
            channels_in: 3,
            vector: graph.input_channels().get(1).map_or(0, |channels| *channels as u32),
            channels_out: 3,
            scale: 1,
            range: Range::Unit,
            extent: if reach.is_some() { Extent::Tiles } else { Extent::Whole },
            multiple: 1,
            halo_px: reach_px,
            reach_px,
            flops_per_px: cost.flops / area,
            bytes_per_px: cost.peak_bytes / area,
            weight_bytes: weight_bytes(graph),
            params: &[],
        }
    }

    /// [`Capability::of`] for a network that sees pictures of `side` × `side` pixels only.
    fn of_square(purpose: Purpose, graph: &Graph, side: usize) -> Self {
        let cost = graph.cost(&vec![[side; 2]; graph.input_count()]);
        let area = (side * side) as f64;
        Self {
            extent: Extent::Fixed([side; 2]),
            flops_per_px: cost.flops / area,
            bytes_per_px: cost.peak_bytes / area,
            ..Self::of(purpose, graph)
        }
    }

    /// Whether a picture's red, green and blue go through one after the other: from picture to
    /// picture, and it knows grey only.
    pub fn is_grey(&self) -> bool {
        (self.channels_in, self.channels_out) == (1, 1) && self.purpose != Purpose::Segment
    }

    /// A network from one latent to a picture.
    fn of_generator(graph: &Graph, range: Range) -> Self {
        let cost = graph.cost(&[[1, 1]]);
        Self {
            channels_in: 0,
            range,
            extent: Extent::Whole,
            halo_px: 0,
            reach_px: 0,
            flops_per_px: cost.flops,
            bytes_per_px: cost.peak_bytes,
            ..Self::of(Purpose::Generate, graph)
        }
    }
}

/// Memory of the parameters as 32-bit floats.
fn weight_bytes(graph: &Graph) -> u64 {
    graph.params().values().map(|shape| shape.iter().product::<usize>() as u64 * 4).sum()
}
