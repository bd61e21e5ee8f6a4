//! Zoom: a click goes one step in (Alt: out), a horizontal drag zooms continuously.

use super::{Cursor, Group, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec};
use crate::geom::Point;

pub static SPEC: ToolSpec = ToolSpec {
    id: "zoom",
    label: "Zoom",
    doc: "Click to zoom in, Alt+click to zoom out, drag sideways to zoom smoothly",
    shortcut: 'Z',
    group: Group::View,
    params: &[],
    create: || Box::new(Zoom::default()),
};

/// Screen points of movement below which a press is a click.
const CLICK_SLOP: f32 = 3.0;
/// Screen points of dragging that double the zoom.
const DOUBLING: f32 = 120.0;

#[derive(Default)]
struct Zoom {
    state: State,
    alt: bool,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Pressed(Point),
    /// Screen points to the right of the start that the zoom already stands for.
    Scrubbing {
        about: Point,
        applied: f32,
    },
}

impl Tool for Zoom {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Hover(pointer) => self.alt = pointer.modifiers.alt,
            ToolEvent::Press(pointer) => self.state = State::Pressed(pointer.pos),
            ToolEvent::Drag(pointer) => {
                let start = match self.state {
                    State::Pressed(start) => start,
                    State::Scrubbing { about, .. } => about,
                    State::Idle => return Vec::new(),
                };
                // The start stays where it is on the screen, so that the distance to it is the
                // pointer's way there, whatever the zoom has become.
                let way = (pointer.pos.x - start.x) * context.zoom;
                if let State::Pressed(_) = self.state {
                    if way.abs() < CLICK_SLOP {
                        return Vec::new();
                    }
                    self.state = State::Scrubbing { about: start, applied: 0.0 };
                }
                if let State::Scrubbing { about, applied } = &mut self.state {
                    let factor = ((way - *applied) / DOUBLING).exp2();
                    *applied = way;
                    return vec![ToolCommand::ZoomBy { about: *about, factor }];
                }
            }
            ToolEvent::Release(pointer) => {
                if let State::Pressed(about) = std::mem::take(&mut self.state) {
                    let steps = if pointer.modifiers.alt { -1 } else { 1 };
                    return vec![ToolCommand::ZoomStep { about, steps }];
                }
            }
            ToolEvent::Cancel | ToolEvent::Deactivate => self.state = State::Idle,
            _ => {}
        }
        Vec::new()
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        if self.alt { Cursor::ZoomOut } else { Cursor::ZoomIn }
    }

    fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle)
    }
}
