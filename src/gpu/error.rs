//! What can go wrong on the adapter.

use crate::geom::Size;
use crate::ops::OpError;

#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    #[error("no graphics adapter: {0}")]
    NoAdapter(String),
    #[error("the graphics device could not be opened")]
    RequestDevice(#[from] wgpu::RequestDeviceError),
    #[error("the graphics device was lost: {0}")]
    Lost(String),
    #[error("out of graphics memory")]
    OutOfMemory,
    /// A mistake in our own commands or shaders; never the user's.
    #[error("the graphics driver refused a command: {0}")]
    Validation(String),
    #[error("shader '{shader}' has no entry point '{entry}'")]
    UnknownEntry { shader: String, entry: String },
    #[error("shader '{shader}': {reason}")]
    Binding { shader: String, reason: String },
    #[error("{what} of {size} does not fit the graphics adapter")]
    TooLarge { what: &'static str, size: Size },
    #[error("one layer of the view needs more tiles than the graphics adapter holds")]
    TileCacheFull,
    #[error("its result differs from the CPU's")]
    WrongResult,
    #[error(transparent)]
    Op(#[from] OpError),
}

impl GpuError {
    /// The error of a popped scope or of the uncaptured-error callback.
    pub(super) fn from_wgpu(err: &wgpu::Error) -> Self {
        match err {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory,
            err => Self::Validation(err.to_string()),
        }
    }

    /// Whether the device is gone and everything on it must be made anew.
    pub const fn is_device_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}
