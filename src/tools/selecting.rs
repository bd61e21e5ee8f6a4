//! What the selection tools share: their settings, how modifiers choose the mode, and dragging
//! the selection itself.

use super::{Modifiers, Pointer, ToolCommand, ToolContext};
use crate::commands::selection::{self, Mode};
use crate::commands::shapes::Shape;
use crate::document::Edit;
use crate::geom::{IRect, Point};
use crate::params::{ParamSpec, Params};
use crate::pixels::TiledImage;

pub const MODE: ParamSpec = ParamSpec::choice(
    "mode",
    "Mode",
    "Replace",
    &["Replace", "Add", "Subtract", "Intersect"],
    "How the new selection meets the present one; Shift adds, Alt subtracts, both intersect",
);
pub const FEATHER: ParamSpec = ParamSpec::float(
    "feather",
    "Feather",
    0.0,
    (0.0, 1000.0),
    (0.0, 100.0),
    "px",
    "Softness of the edge: standard deviation of its blur",
);
pub const ANTIALIAS: ParamSpec =
    ParamSpec::bool("antialias", "Smooth edge", true, "Select edge pixels in part");

/// The mode of a selection that starts with these modifiers down.
pub fn mode(modifiers: Modifiers, params: &Params) -> Mode {
    match (modifiers.shift, modifiers.alt, params.choice("mode")) {
        (true, true, _) => Mode::Intersect,
        (true, false, _) => Mode::Add,
        (false, true, _) => Mode::Subtract,
        (_, _, "Add") => Mode::Add,
        (_, _, "Subtract") => Mode::Subtract,
        (_, _, "Intersect") => Mode::Intersect,
        _ => Mode::Replace,
    }
}

/// Selects a finished shape.
pub fn select(shape: &Shape, mode: Mode, context: &ToolContext) -> Vec<ToolCommand> {
    let (feather_px, antialias) = (context.params.f32("feather"), antialias(context.params));
    let step = selection::select(context.document, shape, mode, feather_px, antialias);
    ToolCommand::perform(step)
}

/// A click without a drag: in replace mode it drops the selection.
pub fn click(mode: Mode, context: &ToolContext) -> Vec<ToolCommand> {
    match mode {
        Mode::Replace => ToolCommand::perform(Ok(selection::deselect(context.document))),
        _ => Vec::new(),
    }
}

/// On where the tool has no such setting: a rectangle of whole pixels has no edge to smooth.
fn antialias(params: &Params) -> bool {
    params.get("antialias").is_none() || params.bool("antialias")
}

/// The selection on the move: a press inside it in replace mode drags it, not its pixels.
pub struct Moving {
    start: Point,
    selection: TiledImage,
    bounds: IRect,
    offset: (i32, i32),
}

impl Moving {
    /// Takes hold of the selection, where the press is meant for it.
    pub fn start(pointer: &Pointer, context: &ToolContext) -> Option<Self> {
        let selection = context.document.selection.as_ref()?;
        let (x, y) = (pointer.pos.x.floor() as i32, pointer.pos.y.floor() as i32);
        let inside = context.document.size.rect().contains(x, y)
            && selection.pixel(x, y)[0] > selection.depth().max() / 2;
        (inside && mode(pointer.modifiers, context.params) == Mode::Replace).then(|| Self {
            start: pointer.pos,
            selection: selection.clone(),
            bounds: context.document.selection_bounds(),
            offset: (0, 0),
        })
    }

    pub fn follow(&mut self, pointer: &Pointer) -> Vec<ToolCommand> {
        let way = (pointer.pos.x - self.start.x, pointer.pos.y - self.start.y);
        let offset = (way.0.round() as i32, way.1.round() as i32);
        if offset == self.offset {
            return Vec::new();
        }
        self.offset = offset;
        let moved = selection::shifted(&self.selection, self.bounds, offset);
        vec![ToolCommand::Edit(Edit::SetSelection(Some(moved)))]
    }

    /// Ends the drag; one that went nowhere was a click.
    pub fn finish(mut self, pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
        let mut commands = self.follow(pointer);
        if self.offset == (0, 0) {
            commands.push(ToolCommand::Abort);
            commands.extend(click(Mode::Replace, context));
        } else {
            commands.push(ToolCommand::Commit);
        }
        commands
    }
}

/// What a selection tool is doing.
pub enum State<Drawing> {
    Idle,
    Drawing(Drawing),
    Moving(Box<Moving>),
}

impl<Drawing> State<Drawing> {
    pub const fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// Goes idle and answers what was going on.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Idle)
    }

    /// Takes hold of the selection or else starts drawing.
    pub fn press(
        &mut self,
        pointer: &Pointer,
        context: &ToolContext,
        drawing: impl FnOnce() -> Drawing,
    ) -> Vec<ToolCommand> {
        match Moving::start(pointer, context) {
            Some(moving) => {
                *self = Self::Moving(Box::new(moving));
                vec![ToolCommand::Begin("Move selection".into())]
            }
            None => {
                *self = Self::Drawing(drawing());
                Vec::new()
            }
        }
    }

    /// Gives up whatever is going on.
    pub fn cancel(&mut self) -> Vec<ToolCommand> {
        match self.take() {
            Self::Moving(_) => vec![ToolCommand::Abort],
            Self::Idle | Self::Drawing(_) => Vec::new(),
        }
    }
}
