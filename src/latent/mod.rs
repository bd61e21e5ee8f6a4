//! Latent arithmetic: codes of generators, directions that change a picture in one respect, and
//! how to find, mix and stack them.
//!
//! A generator maps random numbers `z` to a code `w` and the code to a picture; one row of `w`
//! steers each of its layers (W+ of StyleGAN2, Karras et al. 2020; Abdal et al. 2019). Everything
//! here is arithmetic on such codes and knows no network: who has one asks it for `w` and for
//! pictures. The same seeds give the same numbers everywhere.

mod adam;
pub mod boundary;
mod code;
mod ddim;
mod direction;
mod direction_set;
pub mod drag;
mod edit_stack;
mod import;
mod interpolate;
pub mod invert;
pub mod linalg;
mod mix;
mod orthogonal;
mod packed;
mod pca;
pub mod random;
mod rows;
mod sefa;
mod tuning;

pub use adam::Adam;
pub use code::{Code, MAX_DIM, MAX_FILE_BYTES as MAX_CODE_FILE_BYTES, MAX_ROWS, Noise};
pub use ddim::Ddim;
pub use direction::{Direction, Provenance, Unit};
pub use direction_set::{
    DirectionSet, MAX_DIRECTIONS, MAX_FILE_BYTES as MAX_DIRECTIONS_FILE_BYTES,
};
pub use edit_stack::{Edit, EditStack, Mix, Truncation};
pub use import::import;
pub use interpolate::{Curve, Path, Walk, lerp, slerp};
pub use mix::{mix, vary, vary_z};
pub use orthogonal::{orthonormal_basis, without};
pub use pca::{Moments, Pca};
pub use rows::Rows;
pub use sefa::sefa;
pub use tuning::{MAX_FILE_BYTES as MAX_TUNING_FILE_BYTES, Tuning};

use crate::checkpoint::container::ContainerError;

/// Why latent arithmetic is impossible or a file is refused; one sentence without a full stop.
#[derive(Debug, thiserror::Error)]
pub enum LatentError {
    #[error("{what} of {rows} rows of {dim} numbers is out of bounds")]
    Bounds { what: &'static str, rows: usize, dim: usize },
    #[error("{what} has {have} numbers instead of {want}")]
    Length { what: String, have: usize, want: usize },
    #[error("{what} holds a number that is not finite")]
    NotFinite { what: String },
    #[error("'{0}' is no range of rows; write FIRST-LAST, counted from 0")]
    Rows(String),
    #[error("'{0}' is no SHA-256 of a model: 64 hexadecimal digits")]
    Hash(String),
    #[error(transparent)]
    File(#[from] ContainerError),
    #[error("there is no direction '{0}'")]
    Unknown(String),
    #[error("there are two directions '{0}'")]
    Twice(String),
    #[error("{0}")]
    Unsolvable(&'static str),
}

impl LatentError {
    const fn file(what: &'static str, reason: String) -> Self {
        Self::File(ContainerError { what, reason })
    }
}

/// Fails unless `values` are as many as wanted and finite.
fn check(what: &str, values: &[f32], want: usize) -> Result<(), LatentError> {
    if values.len() != want {
        return Err(LatentError::Length { what: what.into(), have: values.len(), want });
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err(LatentError::NotFinite { what: what.into() });
    }
    Ok(())
}
