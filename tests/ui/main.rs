//! The real window, driven through its accessibility tree.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod ai;
mod compare;
mod editing;
mod effects;
mod exchange;
mod film;
mod flow;
mod harness;
mod lab;
mod latent;
mod loss;
mod monkey;
mod project;
mod shortcuts;
mod trial;
