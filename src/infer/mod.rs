//! The inference service: closed requests, one named thread, events.
//!
//! `protocol` and `plan` are pure values and arithmetic. `service` owns the thread and the
//! bounded channels, `worker` runs one job at a time and can be stepped without a thread,
//! `models` builds networks from checkpoints and keeps the recent ones.

mod analyse;
mod bleed;
mod colorize;
pub mod directions;
mod discover;
mod faces;
pub mod features;
mod filter;
pub mod generator;
#[cfg(feature = "app")]
pub mod interop;
pub mod invert;
mod learn;
mod noise;
mod paint;
pub mod paths;
mod picture;
pub mod plan;
pub mod protocol;
mod remove;
pub mod render;
mod restore;
mod select;
pub mod service;
mod tiling;
pub mod upscale;
pub mod worker;

#[cfg(feature = "infer")]
pub mod framing;
#[cfg(feature = "infer")]
pub mod models;

/// Where the tensor library computes.
#[cfg(feature = "infer")]
pub use burn::tensor::Device;
pub use discover::MIN_CHOICES;
