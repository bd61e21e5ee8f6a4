//! Tools: pure state machines from pointer events in document space to edits.
//!
//! A tool sees the document and its own settings, keeps the state of one interaction, and answers
//! each event with [`ToolCommand`]s. It knows no window and no clock: overlays and cursors are
//! functions of its state. One tool is one file and one line in [`registry`].

mod command;
pub mod coverage;
mod crop;
mod event;
mod eyedropper;
mod hand;
mod lasso;
mod marquee;
mod move_layer;
mod overlay;
mod paint;
mod registry;
mod remove;
mod selecting;
pub mod stroke;
mod zoom;

pub use command::{Swatch, ToolCommand, Work};
pub use event::{Button, Key, Modifiers, Pointer, ToolEvent};
pub use overlay::{Cursor, Shape, corners, ellipse};
pub use registry::{all, find};

use crate::document::Document;
use crate::geom::Point;
use crate::params::{ParamSpec, Params};

/// The declaration of one tool: feeds the shelf, the options bar and the shortcut table.
#[derive(Debug)]
pub struct ToolSpec {
    /// Stable name, also of its icon and of its stored settings.
    pub id: &'static str,
    pub label: &'static str,
    /// One line of help.
    pub doc: &'static str,
    /// Letter that chooses it; Shift with the letter cycles through tools sharing it.
    pub shortcut: char,
    pub group: Group,
    /// Settings in the options bar.
    pub params: &'static [ParamSpec],
    pub create: fn() -> Box<dyn Tool>,
}

/// Sections of the tool shelf, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Select,
    Transform,
    Paint,
    View,
}

/// What painting tools change on the active layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaintTarget {
    #[default]
    Pixels,
    Mask,
}

/// What a tool may look at.
#[derive(Clone, Copy, Debug)]
pub struct ToolContext<'a> {
    pub document: &'a Document,
    /// Values of the tool's own [`ToolSpec::params`].
    pub params: &'a Params,
    /// Encoded working values, `0..=1`.
    pub foreground: [f32; 3],
    pub background: [f32; 3],
    pub target: PaintTarget,
    /// Screen points per document pixel: for grips that keep their size on the screen.
    pub zoom: f32,
}

/// A picture shown turned about a document point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    pub center: Point,
    /// Clockwise.
    pub angle_deg: f32,
}

pub trait Tool: Send {
    fn spec(&self) -> &'static ToolSpec;

    /// Moves the state machine by one event.
    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand>;

    /// What to draw over the canvas now.
    fn overlay(&self, _context: &ToolContext) -> Vec<Shape> {
        Vec::new()
    }

    fn cursor(&self, context: &ToolContext) -> Cursor;

    /// Whether the setting `key` has a place in the options bar while the others are as they are.
    fn shows(&self, _key: &str, _params: &Params) -> bool {
        true
    }

    /// How the picture is turned while the tool shows it; its overlay is not turned with it.
    fn turn(&self) -> Option<Turn> {
        None
    }

    /// Whether what is shown waits for Enter or Esc.
    fn awaits_confirm(&self) -> bool {
        false
    }

    /// What confirming is called.
    fn confirms_with(&self) -> &'static str {
        "Apply"
    }

    /// Whether an interaction is in progress, so that undo and other tools wait for its end. Esc
    /// and Enter are the tool's at any time while the canvas has the focus.
    fn is_busy(&self) -> bool {
        false
    }
}
