//! Eyedropper: picks the colour the document shows, the foreground's, or with Alt the
//! background's.

use super::{Cursor, Group, Pointer, Swatch, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec};
use crate::compose;
use crate::document::Document;
use crate::geom::Point;
use crate::params::ParamSpec;

pub static SPEC: ToolSpec = ToolSpec {
    id: "eyedropper",
    label: "Eyedropper",
    doc: "Pick the foreground colour; Alt picks the background colour",
    shortcut: 'I',
    group: Group::Paint,
    params: &[ParamSpec::choice(
        "sample",
        "Sample",
        "1x1",
        &["1x1", "3x3", "5x5"],
        "Side of the square whose mean colour is picked",
    )],
    create: || Box::new(Eyedropper { picking: None }),
};

struct Eyedropper {
    picking: Option<Swatch>,
}

impl Eyedropper {
    fn pick(&self, pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
        let side_px = match context.params.choice("sample") {
            "3x3" => 3,
            "5x5" => 5,
            _ => 1,
        };
        match self.picking {
            Some(swatch) => pick(context.document, pointer.pos, side_px, swatch),
            None => Vec::new(),
        }
    }
}

impl Tool for Eyedropper {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Press(pointer) => {
                let alt = pointer.modifiers.alt;
                self.picking = Some(if alt { Swatch::Background } else { Swatch::Foreground });
                self.pick(pointer, context)
            }
            ToolEvent::Drag(pointer) => self.pick(pointer, context),
            ToolEvent::Release(_) | ToolEvent::Cancel | ToolEvent::Deactivate => {
                self.picking = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        Cursor::Eyedropper
    }

    fn is_busy(&self) -> bool {
        self.picking.is_some()
    }
}

/// The mean colour of a square around `pos`; nothing outside the canvas or where nothing is
/// painted.
pub(super) fn pick(
    document: &Document,
    pos: Point,
    side_px: u32,
    swatch: Swatch,
) -> Vec<ToolCommand> {
    let (x, y) = (pos.x.floor() as i32, pos.y.floor() as i32);
    if !document.size.rect().contains(x, y) {
        return Vec::new();
    }
    let [r, g, b, a] = compose::sample_mean(document, x, y, side_px);
    if a <= 0.0 { Vec::new() } else { vec![ToolCommand::PickColor { color: [r, g, b], swatch }] }
}
