//! Menu commands: pure functions from a document to the edits of one undo step.
//!
//! Each answers a [`Step`] for `Session::perform`. Heavy ones may run on a worker with a clone of
//! the document; whoever commits the result checks that the document's revision is still the one
//! it was computed from.

pub mod adjust;
pub mod floating;
pub mod geometry;
pub mod layers;
pub mod masks;
pub mod paint;
pub mod results;
pub mod selection;
pub mod shapes;
pub mod subject;

use std::borrow::Cow;
use std::sync::Arc;

use crate::color::ProfileError;
use crate::document::{Document, Edit, Layer, LayerId};
use crate::ops::OpError;
use crate::pixels::TILE;

/// One undo step: its name in the history and its edits. No edits: nothing to do.
#[derive(Clone, Debug)]
pub struct Step {
    pub label: Cow<'static, str>,
    pub edits: Vec<Edit>,
}

impl Step {
    pub fn new(label: impl Into<Cow<'static, str>>, edits: Vec<Edit>) -> Self {
        Self { label: label.into(), edits }
    }

    fn one(label: impl Into<Cow<'static, str>>, edit: Edit) -> Self {
        Self::new(label, vec![edit])
    }
}

/// Why a command cannot act, in words for the user.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    #[error("no layer is selected")]
    NoLayer,
    #[error("'{0}' is locked")]
    Locked(Arc<str>),
    #[error("'{0}' holds no pixels")]
    NoPixels(Arc<str>),
    #[error("'{0}' has no mask")]
    NoMask(Arc<str>),
    #[error("'{0}' is no group")]
    NotAGroup(Arc<str>),
    #[error("there is no layer beneath '{0}' to merge with")]
    NothingBeneath(Arc<str>),
    #[error("nothing is selected")]
    NoSelection,
    #[error("the selection holds no pixels")]
    Empty,
    #[error("the crop must lie inside the picture")]
    CropOutside,
    #[error("{0} moves pixels and cannot be an adjustment")]
    NoAdjustment(&'static str),
    #[error(transparent)]
    Op(#[from] OpError),
    #[error("the colours cannot be converted: {0}")]
    Profile(Arc<ProfileError>),
}

impl From<ProfileError> for CommandError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(Arc::new(error))
    }
}

/// The layer `id`, which must exist.
fn layer(document: &Document, id: LayerId) -> Result<&Arc<Layer>, CommandError> {
    document.layer(id).ok_or(CommandError::NoLayer)
}

/// The layer `id`, which must not be locked.
fn unlocked(document: &Document, id: LayerId) -> Result<&Arc<Layer>, CommandError> {
    let layer = layer(document, id)?;
    if layer.props.locked {
        return Err(CommandError::Locked(layer.props.name.clone()));
    }
    Ok(layer)
}

/// Index of an image's pixel within its tile.
fn tile_index(x: i32, y: i32) -> usize {
    (y as u32 % TILE * TILE + x as u32 % TILE) as usize
}
