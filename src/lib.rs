//! Ganvas: a native image editor whose retouching tools are GANs.
//!
//! # Map
//! Values (`geom`, `color`, `params`, `pixels`) → pure domain (`document`, `ops`, `compose`,
//! `tools`, `checkpoint`, `zoo`, `recipe`, `inpaint`, `latent`, `metrics`, `portrait`,
//! `infer::{protocol, plan}`) → engines (`gpu`, `nets`,
//! `infer`, `train`) → outside (`io`, `cli`, `app`). No arrow points upwards.
//!
//! # Invariants
//! 1. Pure modules never name wgpu, egui, burn, rfd or a clock, never spawn a thread, and touch
//!    the file system only in `checkpoint` and `zoo::library`. They build with
//!    `--no-default-features`.
//! 2. Only `document` mutates a `Document`; an edit carries results, not intentions.
//! 3. `ops` maps pixels, a mask and parameters to pixels and knows no `Document`.
//! 4. Only `gpu` and `infer::interop` name wgpu; only `nets`, `infer` and `train` name burn; only `app`
//!    names egui.
//! 5. A job's request holds everything it needs; its result states what it was computed from.
//! 6. The UI thread never waits on a channel, a worker's lock, a GPU map, a decode or a write.
//! 7. Pixels where the mask is 0 are bit-identical after any operation or network.
//! 8. Each shader in `shaders/ops/` belongs to exactly one operation and the reverse.
//! 9. Files are hostile: every parser has limits, none panics, none executes anything.
//! 10. Each error is handled once.

#[cfg(feature = "app")]
pub mod app;
pub mod checkpoint;
pub mod cli;
pub mod color;
pub mod commands;
pub mod compose;
pub mod device;
pub mod document;
pub mod faces;
pub mod geom;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod infer;
pub mod inpaint;
pub mod io;
pub mod latent;
pub mod metrics;
pub mod nets;
pub mod ops;
pub mod params;
pub mod patterns;
pub mod pixels;
pub mod portrait;
pub mod recipe;
pub mod segment;
pub mod tools;
#[cfg(feature = "infer")]
pub mod train;
pub mod zoo;
