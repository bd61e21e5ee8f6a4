//! What the selection tools share: their settings and how modifiers choose the mode.

use super::{Modifiers, ToolCommand, ToolContext};
use crate::commands::selection::{self, Mode};
use crate::commands::shapes::Shape;
use crate::params::{ParamSpec, Params};

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
