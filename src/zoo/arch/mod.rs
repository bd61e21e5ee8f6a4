//! One file an architecture: hyper-parameters, how they show in shapes, and the tensors that
//! follow from them.

mod arbitrary_style;
mod biggan;
mod colorizers;
mod dcgan;
mod deepfill;
mod deeplab;
mod deeplab_plus;
mod diffusion;
mod dncnn;
mod encoders;
mod face_dense;
mod face_xception;
mod ffdnet;
mod generators;
mod gfpgan;
mod inception;
mod lama;
mod mediapipe;
mod migan;
mod multistyle;
mod perceptual;
mod rrdbnet;
mod srvgg;
mod stylegan2;
mod stylegan3;
mod unet;
mod vgg;
mod zero_dce;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Shapes, Spec};

/// How an architecture is recognised.
pub(super) struct Architecture {
    pub name: &'static str,
    /// Name in the file → official name, for every name that some naming of this architecture
    /// has.
    pub official: fn(&Shapes) -> BTreeMap<String, String>,
    /// The hyper-parameters, from official names; `Err` with the names that were looked for.
    pub infer: fn(&Shapes) -> Result<Spec, Vec<Cow<'static, str>>>,
    /// Official names that carry nothing a network needs.
    pub is_ignorable: fn(&str) -> bool,
}

/// In the order of trying; exact matching makes it irrelevant for the answer.
pub(super) const ARCHITECTURES: &[Architecture] = &[
    arbitrary_style::PREDICTOR,
    arbitrary_style::TRANSFORMER,
    biggan::ARCHITECTURE,
    colorizers::ECCV,
    colorizers::SIGGRAPH,
    dcgan::ARCHITECTURE,
    deepfill::ARCHITECTURE,
    deeplab::ARCHITECTURE,
    deeplab_plus::ARCHITECTURE,
    diffusion::AUTOENCODER,
    diffusion::DENOISER,
    dncnn::ARCHITECTURE,
    encoders::GRADUAL_STYLE,
    encoders::IDENTITY,
    encoders::PORTRAIT,
    face_dense::ARCHITECTURE,
    face_xception::ARCHITECTURE,
    ffdnet::ARCHITECTURE,
    generators::RESNET,
    generators::UNET,
    gfpgan::ARCHITECTURE,
    inception::ARCHITECTURE,
    lama::ARCHITECTURE,
    mediapipe::BLAZE_FACE,
    mediapipe::FACE_MESH,
    mediapipe::SELFIE_SEGMENTATION,
    migan::ARCHITECTURE,
    multistyle::ARCHITECTURE,
    perceptual::ALEX_NET,
    perceptual::SQUEEZE_NET,
    rrdbnet::ARCHITECTURE,
    srvgg::ARCHITECTURE,
    stylegan2::ARCHITECTURE,
    stylegan3::ARCHITECTURE,
    unet::ARCHITECTURE,
    vgg::ARCHITECTURE,
    zero_dce::ARCHITECTURE,
];

/// The number that follows `prefix` in `name`, and the rest after its dot.
fn numbered<'a>(name: &'a str, prefix: &str) -> Option<(usize, &'a str)> {
    let (number, rest) = name.strip_prefix(prefix)?.split_once('.')?;
    let plain = number == "0" || !number.starts_with('0');
    let digits = number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (plain && digits).then(|| number.parse().ok().map(|number| (number, rest)))?
}

/// The shape of `name` as four numbers, none of them absurd.
fn four(shapes: &Shapes, name: &str) -> Option<[usize; 4]> {
    let shape: [usize; 4] = shapes.get(name)?.as_slice().try_into().ok()?;
    shape.iter().all(|side| (1..=65_536).contains(side)).then_some(shape)
}

/// The official naming itself, for architectures with one naming under one root.
fn rooted(shapes: &Shapes, root: &str) -> BTreeMap<String, String> {
    let names = shapes.keys().filter(|name| name.starts_with(root));
    names.map(|name| (name.clone(), name.clone())).collect()
}
