//! Which network is this file, and what can it do?
//!
//! Detection sees names and shapes only and infers every hyper-parameter from them; a file
//! belongs to an architecture when it has exactly the tensors that the architecture with these
//! hyper-parameters has. Networks are described by capability, never by name.

pub mod arch;
mod detect;
mod library;
mod manifest;

pub use detect::{Attempt, Detected, UnknownNetwork, detect};
pub use library::{Installed, Library, LibraryError, MODELS_ENV, WEIGHTS_FILE, open_network};
pub use manifest::{Manifest, ManifestError, Purpose};

use std::collections::BTreeMap;

use arch::{Dcgan, RrdbNet, Srvgg};

/// Names and shapes of a checkpoint.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// A network's architecture with its hyper-parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    RrdbNet(RrdbNet),
    Srvgg(Srvgg),
    Dcgan(Dcgan),
}

impl Spec {
    /// The architecture's name in its own publications.
    pub const fn architecture(&self) -> &'static str {
        match self {
            Self::RrdbNet(_) => RrdbNet::NAME,
            Self::Srvgg(_) => Srvgg::NAME,
            Self::Dcgan(_) => Dcgan::NAME,
        }
    }

    /// Every tensor that the network has, by official name.
    pub fn tensors(&self) -> Shapes {
        match self {
            Self::RrdbNet(spec) => spec.tensors(),
            Self::Srvgg(spec) => spec.tensors(),
            Self::Dcgan(spec) => spec.tensors(),
        }
    }

    pub fn capability(&self) -> Capability {
        match self {
            Self::RrdbNet(spec) => spec.capability(),
            Self::Srvgg(spec) => spec.capability(),
            Self::Dcgan(spec) => spec.capability(),
        }
    }
}

impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RrdbNet(spec) => spec.fmt(f),
            Self::Srvgg(spec) => spec.fmt(f),
            Self::Dcgan(spec) => spec.fmt(f),
        }
    }
}

/// What a network does and costs, as far as callers care.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capability {
    pub purpose: Purpose,
    /// Channels of the picture that goes in; 0 for generators.
    pub channels_in: u32,
    /// Channels of the picture that comes out.
    pub channels_out: u32,
    /// Result side over source side; 1 for generators.
    pub scale: u32,
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
}

/// Number of 32-bit floats in `shapes`, times four.
fn float_bytes(shapes: &Shapes) -> u64 {
    shapes.values().map(|shape| shape.iter().product::<usize>() as u64 * 4).sum()
}
