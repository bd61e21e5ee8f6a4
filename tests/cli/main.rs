//! The binary on real files.

mod edit;
mod errors;
mod facts;
#[cfg(feature = "infer")]
mod networks;
mod run;
