//! The real window, driven through its accessibility tree.

mod ai;
mod flow;
mod harness;
mod monkey;
mod shortcuts;
