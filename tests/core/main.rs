//! The pure core: no window, no GPU, no network.

mod commands;
mod compose;
mod document;
mod ops_exact;
mod ops_generated;
mod ops_golden;
mod tidy;
mod tools;
