//! The binary on real files.

mod edit;
mod errors;
mod facts;
mod run;
