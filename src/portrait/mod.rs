//! A face out of a photo, as a generator wants it, and back into the photo.
//!
//! Generators of faces learn from crops in which eyes and mouth lie at the same places. `align`
//! finds that crop from the points of a face, `paste` brings what an edit changed back into the
//! photo at its full resolution. Pure arithmetic on pictures; who runs networks is elsewhere.

mod align;
mod canvas;
mod mask;
mod measures;
mod paste;
mod recipe;
mod sample;

pub use align::{Anchors, CropTransform, FivePoints, Template, crop};
pub use mask::SoftMask;
pub use measures::Measures;
pub use paste::{ColorMatch, Paste, Patch, Transfer, fidelity_db, placed};
pub use recipe::{Place, Recipe, VERSION as RECIPE_VERSION};

use crate::ops::OpError;

/// Why a face cannot be taken out or put back; one sentence without a full stop.
#[derive(Debug, thiserror::Error)]
pub enum PortraitError {
    #[error("eyes and mouth lie on one spot")]
    NoFace,
    #[error("a crop of {side_px} pixels a side cannot be taken from this photo")]
    Crop { side_px: f64 },
    #[error("{what} is {have} and not {want}")]
    Size { what: &'static str, have: String, want: String },
    #[error("the recipe cannot be read: {0}")]
    Recipe(String),
    #[error(transparent)]
    Op(#[from] OpError),
}
