//! What only the window itself remembers: which panel is in front, open dialogs, drafts of text.

use super::dialog::Dialog;
use crate::document::LayerId;

/// The upper half of the right dock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dock {
    #[default]
    Adjust,
    Ai,
}

#[derive(Default)]
pub struct Local {
    pub dock: Dock,
    pub dialog: Option<Dialog>,
    /// The layer whose name is being typed.
    pub renaming: Option<(LayerId, String)>,
    /// What waits for an export: the dialog that asked.
    pub after_export: Option<Dialog>,
    pub canvas: CanvasState,
}

/// Where the pointer stands between frames.
#[derive(Default)]
pub struct CanvasState {
    /// A tool is drawing.
    pub drawing: bool,
    /// The view is being dragged.
    pub panning: bool,
    /// The pointer is over the picture.
    pub inside: bool,
}
