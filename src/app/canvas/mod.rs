//! The picture inside the canvas: by the compositor on the adapter, or, where there is none, by
//! the flattening code on a worker thread.

mod cpu;

pub use cpu::CpuPicture;
