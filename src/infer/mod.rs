//! The inference service: closed requests, one named thread, events.
//!
//! `protocol` and `plan` are pure values and arithmetic. `service` owns the thread and the
//! bounded channels, `worker` runs one job at a time and can be stepped without a thread,
//! `models` builds networks from checkpoints and keeps the recent ones.

pub mod aids;
mod analyse;
mod bleed;
mod colorize;
pub mod diffusion;
pub mod directions;
mod discover;
pub mod drag;
pub mod encoder;
pub mod examine;
mod faces;
pub mod features;
mod filter;
pub mod framing;
pub mod generator;
pub mod identity;
#[cfg(feature = "app")]
pub mod interop;
pub mod invert;
mod layers;
mod learn;
mod light;
pub mod models;
mod noise;
mod paint;
pub mod paths;
pub mod perceptual;
mod picture;
mod pivotal;
pub mod plan;
pub mod prior;
pub mod protocol;
mod remove;
pub mod render;
mod restore;
mod select;
pub mod service;
pub mod styles;
mod tiling;
pub mod upscale;
pub mod worker;

pub use discover::MIN_CHOICES;

/// Where networks compute.
#[cfg(feature = "infer")]
pub use burn::tensor::Device;

/// Where networks compute: without the tensor library on the processor alone.
#[cfg(not(feature = "infer"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device;

#[cfg(not(feature = "infer"))]
impl Device {
    /// The processor, as the tensor library calls it.
    pub const fn flex() -> Self {
        Self
    }
}
