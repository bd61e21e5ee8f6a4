//! Networks: one architecture a file, with the official names and mathematics.
//!
//! Each is a module whose `init` takes the hyper-parameters that `zoo` found, and a `forward`
//! that runs on any device. `load` fills a module from a checkpoint, strictly.

pub mod blocks;
pub mod dcgan;
pub mod load;
pub mod map;
pub mod processor;
pub mod rrdbnet;
pub mod srvgg;
pub mod winograd;

pub use dcgan::DcganGenerator;
pub use load::{LoadError, load, read_official};
pub use rrdbnet::RrdbNet;
pub use srvgg::SrvggNetCompact;

use burn::tensor::Tensor;

/// Sees the result of each named layer as a network runs; parity tests compare them.
pub type Probe<'a> = &'a mut dyn FnMut(&str, &Tensor<4>);

/// A probe that looks at nothing.
pub fn unobserved(_name: &str, _value: &Tensor<4>) {}
