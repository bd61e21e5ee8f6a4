//! Lasso: selects a freehand outline, closed by a straight line on release.

use super::selecting::{self, ANTIALIAS, FEATHER, MODE};
use super::{
    Button, Cursor, Group, Shape as Drawn, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec,
};
use crate::commands::selection::Mode;
use crate::commands::shapes::Shape;
use crate::geom::Point;

pub static SPEC: ToolSpec = ToolSpec {
    id: "lasso",
    label: "Lasso",
    doc: "Draw around what to select; Shift adds, Alt subtracts, both intersect",
    shortcut: 'L',
    group: Group::Select,
    params: &[MODE, FEATHER, ANTIALIAS],
    create: || Box::new(Lasso { drawing: None }),
};

/// Screen points between two points of the outline: finer than the eye follows.
const SPACING: f32 = 1.0;

struct Lasso {
    drawing: Option<(Mode, Vec<Point>)>,
}

impl Tool for Lasso {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Press(pointer) if pointer.button == Button::Primary => {
                let mode = selecting::mode(pointer.modifiers, context.params);
                // Without a selection there is nothing to take from or share.
                let mode = if context.document.selection.is_some() { mode } else { Mode::Replace };
                self.drawing = Some((mode, vec![pointer.pos]));
                Vec::new()
            }
            ToolEvent::Drag(pointer) => {
                if let Some((_, points)) = &mut self.drawing {
                    let far = |last: &Point| last.distance(pointer.pos) * context.zoom >= SPACING;
                    if points.last().is_none_or(far) {
                        points.push(pointer.pos);
                    }
                }
                Vec::new()
            }
            ToolEvent::Release(pointer) => {
                let Some((mode, mut points)) = self.drawing.take() else { return Vec::new() };
                points.push(pointer.pos);
                let shape = Shape::Polygon(points);
                if shape.bounds().width() < 2 && shape.bounds().height() < 2 {
                    selecting::click(mode, context)
                } else {
                    selecting::select(&shape, mode, context)
                }
            }
            ToolEvent::Cancel | ToolEvent::Deactivate => {
                self.drawing = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn overlay(&self, _context: &ToolContext) -> Vec<Drawn> {
        let path = |(_, points): &(Mode, Vec<Point>)| Drawn::Ants {
            points: points.clone(),
            closed: false,
        };
        self.drawing.as_ref().map(path).into_iter().collect()
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        Cursor::Crosshair
    }

    fn is_busy(&self) -> bool {
        self.drawing.is_some()
    }
}
