//! The binary on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod device;
mod edit;
mod errors;
mod facts;
#[cfg(feature = "infer")]
mod latent;
mod metrics;
mod moving;
#[cfg(feature = "infer")]
mod networks;
mod project;
#[cfg(feature = "infer")]
mod restore;
mod run;
#[cfg(feature = "infer")]
mod tools;
#[cfg(feature = "infer")]
mod train;
