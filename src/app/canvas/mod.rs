//! The picture inside the canvas: by the compositor on the adapter, or, where there is none, by
//! the flattening code on a worker thread.

mod cpu;
mod gpu;

pub use cpu::CpuPicture;
pub use gpu::Picture;

/// Side of a square of the transparency pattern, in points.
const CHECKER: f32 = 8.0;
