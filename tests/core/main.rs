//! The pure core: no window, no GPU, no network.

mod compose;
mod ops_exact;
mod ops_generated;
mod ops_golden;
mod tidy;
