//! Networks: one architecture a file, with the official names and mathematics.
//!
//! Each is a configuration, the hyper-parameters that `zoo` finds in a checkpoint, and the graph
//! that follows from it. A graph is data; [`cpu`] runs it on the processor, `tensor` on the
//! tensor library's devices.

mod arbitrary_style;
mod autoencoder;
mod backbone;
mod biggan;
mod blazeface;
mod blueprint;
mod colorizers;
mod cost;
pub mod cpu;
mod dcgan;
mod deepfill;
mod deeplab;
mod deeplab_plus;
mod denoiser;
mod denoising;
mod discriminator;
mod dncnn;
mod face_dense;
mod face_mesh;
mod face_xception;
mod ffdnet;
pub mod gatys;
mod generators;
mod gfpgan;
pub mod graph;
mod inception;
mod irse;
mod lama;
mod layer;
mod mapping;
mod migan;
mod multistyle;
mod perceptual;
mod planes;
mod portrait_encoder;
mod rrdbnet;
mod selfie;
mod shapes;
mod srvgg;
mod stylegan2;
mod stylegan3;
#[cfg(feature = "infer")]
mod tangent;
mod tape;
#[cfg(feature = "infer")]
pub mod tensor;
mod transfer;
mod unet;
mod vgg;
mod zero_dce;

pub use arbitrary_style::{StylePredictor, StyleTransformer};
pub use autoencoder::AutoencoderKl;
pub use backbone::{Mobile, MobileBlock, Resnet};
pub use biggan::{BigGanBlock, BigGanDeep};
pub use blazeface::BlazeFace;
pub use blueprint::{Blueprint, LatentSpace, Style};
pub use colorizers::{EccvColorizer, SiggraphColorizer};
pub use cost::{Cost, Side};
pub use dcgan::Dcgan;
pub use deepfill::DeepFill;
pub use deeplab::{Backbone, DeepLab};
pub use deeplab_plus::{DeepLabPlus, MobileV2, PlusBackbone};
pub use denoiser::Denoiser;
pub use discriminator::{DcganDiscriminator, StyleGan2Discriminator};
pub use dncnn::DnCnn;
pub use face_dense::FaceDense;
pub use face_mesh::FaceMesh;
pub use face_xception::FaceXception;
pub use ffdnet::FfdNet;
pub use generators::{Norm, ResnetGenerator, UnetGenerator};
pub use gfpgan::Gfpgan;
pub use inception::{Inception, InceptionVariant};
pub use irse::{Average, GradualStyleEncoder, IrSe, IrStage, IrTrunk};
pub use lama::Lama;
pub use mapping::Mapping;
pub use migan::Migan;
pub use multistyle::MultiStyle;
pub use perceptual::{AlexNet, Fire, SqueezeNet};
pub use planes::Planes;
pub use portrait_encoder::PortraitEncoder;
pub use rrdbnet::RrdbNet;
pub use selfie::SelfieSegmentation;
pub use srvgg::Srvgg;
pub use stylegan2::{StyleGan2, Synthesis};
pub use stylegan3::{Stage, StyleGan3};
pub use unet::Unet;
pub use vgg::{VGG_DEVIATION, VGG_MEAN, Vgg};
pub use zero_dce::{ZeroDce, ZeroDceVariant};

/// Where parameters come from, by official name.
pub type Source<'a, E> = &'a mut dyn FnMut(&str) -> Result<Vec<f32>, E>;

/// Sees the value of each named layer as a network runs; parity tests compare them.
pub type Probe<'a> = &'a mut dyn FnMut(&str, &Planes);

/// The run was ended before its result was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;
