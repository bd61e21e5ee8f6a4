//! The pure core: no window, no GPU, no network.

mod compose;
mod tidy;
