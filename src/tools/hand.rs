//! Hand: drags the view.

use super::{Cursor, Group, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec};
use crate::geom::Point;

pub static SPEC: ToolSpec = ToolSpec {
    id: "hand",
    label: "Hand",
    doc: "Drag to move the view",
    shortcut: 'H',
    group: Group::View,
    params: &[],
    create: || Box::new(Hand::default()),
};

#[derive(Default)]
struct Hand {
    /// The document point that stays under the pointer.
    grabbed: Option<Point>,
}

impl Tool for Hand {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, _context: &ToolContext) -> Vec<ToolCommand> {
        match (event, self.grabbed) {
            (ToolEvent::Press(pointer), _) => self.grabbed = Some(pointer.pos),
            (ToolEvent::Drag(pointer), Some(grabbed)) => {
                let (dx, dy) = (pointer.pos.x - grabbed.x, pointer.pos.y - grabbed.y);
                return vec![ToolCommand::Pan { dx, dy }];
            }
            (ToolEvent::Release(_) | ToolEvent::Cancel | ToolEvent::Deactivate, _) => {
                self.grabbed = None;
            }
            _ => {}
        }
        Vec::new()
    }

    fn cursor(&self, _context: &ToolContext) -> Cursor {
        if self.grabbed.is_some() { Cursor::Grabbing } else { Cursor::Grab }
    }

    fn is_busy(&self) -> bool {
        self.grabbed.is_some()
    }
}
