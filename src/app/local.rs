//! What only the window itself remembers: which panel is in front, open dialogs, drafts of text.

use std::collections::HashSet;
use std::path::PathBuf;

use eframe::egui::Pos2;

use super::dialog::Dialog;
use super::state::TabId;
use crate::document::LayerId;
use crate::geom::Point;

/// The axes of the latent plane, and the place on its path.
#[derive(Default)]
pub struct LatentLocal {
    pub across: Option<String>,
    pub up: Option<String>,
    /// The place on the path, `0..=1`.
    pub along: f64,
}

#[derive(Default)]
pub struct Local {
    pub latent: LatentLocal,
    pub dialog: Option<Dialog>,
    /// The layer whose name is being typed.
    pub renaming: Option<(LayerId, String)>,
    /// Groups whose layers the panel does not list.
    pub folded: HashSet<LayerId>,
    /// The step that the history panel has brought into sight.
    pub history_at: Option<(TabId, usize)>,
    /// Files dropped on a document, until it is seen where.
    pub dropped: Vec<PathBuf>,
    pub canvas: CanvasState,
}

/// Where the pointer stands between frames.
#[derive(Default)]
pub struct CanvasState {
    /// What a held button does.
    pub grab: Option<Grab>,
    /// The pointer is over the picture.
    pub inside: bool,
    /// A pen's pressure, `0..=1`, where it is told.
    pub force: Option<f32>,
}

impl CanvasState {
    /// Whether a tool is drawing.
    pub const fn is_drawing(&self) -> bool {
        matches!(self.grab, Some(Grab::Draw))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grab {
    Draw,
    Pan,
    /// Zooms about a document point by how far the pointer goes to the right.
    Scrub {
        about: Point,
        last: Pos2,
    },
}
