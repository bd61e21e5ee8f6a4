//! The binary on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod device;
mod edit;
mod errors;
mod facts;
mod latent;
mod metrics;
mod moving;
mod networks;
mod project;
mod restore;
mod run;
mod search;
mod tools;
#[cfg(feature = "infer")]
mod train;
