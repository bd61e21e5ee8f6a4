//! The pure core: no window, no GPU, no network.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod animation;
mod biggan;
mod checkpoint;
mod colorizers;
mod commands;
mod compose;
mod deepfill;
mod diffusion;
mod document;
mod dragging;
mod encoders;
mod examining;
mod faces;
mod filling;
mod filters;
mod gatys;
mod generators;
mod gfpgan;
mod gradient;
mod inference;
mod inpaint;
mod inverting;
mod io_exif;
mod io_hostile;
mod io_open;
mod io_samples;
mod io_save;
mod label;
mod latent;
mod light;
mod metric_networks;
mod metrics;
mod ncnn;
mod one_number;
mod ops_exact;
mod ops_generated;
mod ops_golden;
mod parity;
mod patterns;
mod plan;
mod portrait;
mod project;
mod restore;
mod results;
mod scratch;
mod segment;
mod stylegan3;
mod stylegan_pkl;
mod tidy;
mod tools;
mod tuning;
mod zoo;

#[path = "../support/published.rs"]
mod published;
#[path = "../support/readers.rs"]
mod readers;
#[path = "../support/recorded.rs"]
mod recorded;
#[path = "../support/sampled.rs"]
mod sampled;
