//! Networks against published numbers, the loaders and the inference service.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod parity;
mod seams;
#[cfg(feature = "app")]
mod shared;
mod store;
mod train;

#[path = "../support/published.rs"]
mod published;
#[path = "../support/readers.rs"]
mod readers;
#[path = "../support/recorded.rs"]
mod recorded;
#[path = "../support/sampled.rs"]
mod sampled;
