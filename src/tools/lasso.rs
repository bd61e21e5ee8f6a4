//! Lasso: selects a freehand outline, closed by a straight line on release. A press inside the
//! selection drags it.

use super::selecting::{self, ANTIALIAS, FEATHER, MODE, State};
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
    create: || Box::new(Lasso { state: State::Idle }),
};

/// Screen points between two points of the outline: finer than the eye follows.
const SPACING: f32 = 1.0;

struct Lasso {
    state: State<(Mode, Vec<Point>)>,
}

impl Tool for Lasso {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Press(pointer)
                if pointer.button == Button::Primary && self.state.is_idle() =>
            {
                let mode = selecting::mode(pointer.modifiers, context.params);
                // Without a selection there is nothing to take from or share.
                let mode = if context.document.selection.is_some() { mode } else { Mode::Replace };
                self.state.press(pointer, context, || (mode, vec![pointer.pos]))
            }
            ToolEvent::Drag(pointer) => match &mut self.state {
                State::Moving(moving) => moving.follow(pointer),
                State::Drawing((_, points)) => {
                    let far = |last: &Point| last.distance(pointer.pos) * context.zoom >= SPACING;
                    if points.last().is_none_or(far) {
                        points.push(pointer.pos);
                    }
                    Vec::new()
                }
                State::Idle => Vec::new(),
            },
            ToolEvent::Release(pointer) => {
                let (mode, mut points) = match self.state.take() {
                    State::Drawing(drawing) => drawing,
                    State::Moving(moving) => return moving.finish(pointer, context),
                    State::Idle => return Vec::new(),
                };
                points.push(pointer.pos);
                let shape = Shape::Polygon(points);
                if shape.bounds().width() < 2 && shape.bounds().height() < 2 {
                    selecting::click(mode, context)
                } else {
                    selecting::select(&shape, mode, context)
                }
            }
            ToolEvent::Cancel | ToolEvent::Deactivate => self.state.cancel(),
            _ => Vec::new(),
        }
    }

    fn overlay(&self, _context: &ToolContext) -> Vec<Drawn> {
        match &self.state {
            State::Drawing((_, points)) => {
                vec![Drawn::Ants { points: points.clone(), closed: false }]
            }
            State::Idle | State::Moving(_) => Vec::new(),
        }
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        Cursor::Crosshair
    }

    fn is_busy(&self) -> bool {
        !self.state.is_idle()
    }
}
