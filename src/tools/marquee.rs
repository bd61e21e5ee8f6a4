//! Rectangle and ellipse selection.
//!
//! Shift or Alt held at the press choose the mode; pressed later (or when there is nothing to add
//! to) they make a square and draw from the centre. Space moves what has been drawn. A press inside
//! the selection drags it.

use super::selecting::{self, ANTIALIAS, FEATHER, MODE, State};
use super::{
    Button, Cursor, Group, Modifiers, Pointer, Shape as Drawn, Tool, ToolCommand, ToolContext,
    ToolEvent, ToolSpec, corners, ellipse,
};
use crate::commands::selection::Mode;
use crate::commands::shapes::Shape;
use crate::geom::Point;

pub static RECTANGLE: ToolSpec = ToolSpec {
    id: "marquee_rectangle",
    label: "Rectangle selection",
    doc: "Select a box; Shift adds, Alt subtracts, both intersect",
    shortcut: 'M',
    group: Group::Select,
    params: &[MODE, FEATHER],
    create: || Box::new(Marquee { spec: &RECTANGLE, state: State::Idle }),
};

pub static ELLIPSE: ToolSpec = ToolSpec {
    id: "marquee_ellipse",
    label: "Ellipse selection",
    doc: "Select an ellipse; Shift adds, Alt subtracts, both intersect",
    shortcut: 'M',
    group: Group::Select,
    params: &[MODE, FEATHER, ANTIALIAS],
    create: || Box::new(Marquee { spec: &ELLIPSE, state: State::Idle }),
};

struct Marquee {
    spec: &'static ToolSpec,
    state: State<Drag>,
}

struct Drag {
    anchor: Point,
    pos: Point,
    mode: Mode,
    /// Whether Shift and Alt now shape the box: they were up since the press.
    shift_is_free: bool,
    alt_is_free: bool,
    modifiers: Modifiers,
}

impl Drag {
    fn start(pointer: &Pointer, context: &ToolContext) -> Self {
        let selected = context.document.selection.is_some();
        let modifiers = pointer.modifiers;
        let mode = if selected {
            selecting::mode(modifiers, context.params)
        } else {
            selecting::mode(Modifiers::default(), context.params)
        };
        Self {
            anchor: pointer.pos,
            pos: pointer.pos,
            mode,
            shift_is_free: !selected || !modifiers.shift,
            alt_is_free: !selected || !modifiers.alt,
            modifiers,
        }
    }

    fn follow(&mut self, pointer: &Pointer) {
        if pointer.modifiers.space {
            self.anchor.x += pointer.pos.x - self.pos.x;
            self.anchor.y += pointer.pos.y - self.pos.y;
        }
        self.pos = pointer.pos;
        self.modifiers = pointer.modifiers;
        self.shift_is_free |= !pointer.modifiers.shift;
        self.alt_is_free |= !pointer.modifiers.alt;
    }

    /// The box drawn so far, in whole pixels; `None` while it is empty.
    fn corners(&self) -> Option<(Point, Point)> {
        let (mut dx, mut dy) = (self.pos.x - self.anchor.x, self.pos.y - self.anchor.y);
        if self.modifiers.shift && self.shift_is_free {
            let side = dx.abs().max(dy.abs());
            (dx, dy) = (side.copysign(dx), side.copysign(dy));
        }
        let end = Point::new(self.anchor.x + dx, self.anchor.y + dy);
        let start = if self.modifiers.alt && self.alt_is_free {
            Point::new(self.anchor.x - dx, self.anchor.y - dy)
        } else {
            self.anchor
        };
        let min = Point::new(start.x.min(end.x).round(), start.y.min(end.y).round());
        let max = Point::new(start.x.max(end.x).round(), start.y.max(end.y).round());
        (min.x < max.x && min.y < max.y).then_some((min, max))
    }
}

impl Marquee {
    fn is_ellipse(&self) -> bool {
        std::ptr::eq(self.spec, &ELLIPSE)
    }
}

impl Tool for Marquee {
    fn spec(&self) -> &'static ToolSpec {
        self.spec
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Press(pointer)
                if pointer.button == Button::Primary && self.state.is_idle() =>
            {
                self.state.press(pointer, context, || Drag::start(pointer, context))
            }
            ToolEvent::Drag(pointer) => match &mut self.state {
                State::Moving(moving) => moving.follow(pointer),
                State::Drawing(drag) => {
                    drag.follow(pointer);
                    Vec::new()
                }
                State::Idle => Vec::new(),
            },
            ToolEvent::Release(pointer) => {
                let mut drag = match self.state.take() {
                    State::Drawing(drag) => drag,
                    State::Moving(moving) => return moving.finish(pointer, context),
                    State::Idle => return Vec::new(),
                };
                drag.follow(pointer);
                match drag.corners() {
                    None => selecting::click(drag.mode, context),
                    Some((min, max)) => {
                        let shape = if self.is_ellipse() {
                            Shape::Ellipse { min, max }
                        } else {
                            Shape::Rectangle { min, max }
                        };
                        selecting::select(&shape, drag.mode, context)
                    }
                }
            }
            ToolEvent::Cancel | ToolEvent::Deactivate => self.state.cancel(),
            _ => Vec::new(),
        }
    }

    fn overlay(&self, _context: &ToolContext) -> Vec<Drawn> {
        let State::Drawing(drag) = &self.state else { return Vec::new() };
        let drawn = drag.corners();
        let shape = |(min, max)| {
            let points = if self.is_ellipse() { ellipse(min, max) } else { corners(min, max) };
            Drawn::Ants { points, closed: true }
        };
        drawn.map(shape).into_iter().collect()
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        Cursor::Crosshair
    }

    fn is_busy(&self) -> bool {
        !self.state.is_idle()
    }
}
