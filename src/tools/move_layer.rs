//! Move: drags the active layer with its mask; Shift keeps to one axis, arrow keys nudge.

use std::sync::Arc;

use super::{
    Cursor, Group, Key, Modifiers, Pointer, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec,
};
use crate::document::{Edit, Layer};
use crate::geom::Point;

pub static SPEC: ToolSpec = ToolSpec {
    id: "move",
    label: "Move",
    doc: "Drag the active layer; Shift keeps to one axis, arrow keys move by a pixel",
    shortcut: 'V',
    group: Group::Transform,
    params: &[],
    create: || Box::new(Move { drag: None }),
};

const LABEL: &str = "Move layer";

struct Move {
    drag: Option<Drag>,
}

struct Drag {
    start: Point,
    /// The layer as it was at the press.
    layer: Arc<Layer>,
    offset: (i32, i32),
}

impl Move {
    fn press(&mut self, pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
        match movable(context) {
            Err(notice) => ToolCommand::notice(notice),
            Ok(layer) => {
                self.drag = Some(Drag { start: pointer.pos, layer, offset: (0, 0) });
                vec![ToolCommand::Begin(LABEL.into())]
            }
        }
    }

    fn drag(&mut self, pointer: &Pointer) -> Vec<ToolCommand> {
        let Some(drag) = &mut self.drag else { return Vec::new() };
        let (mut dx, mut dy) = (pointer.pos.x - drag.start.x, pointer.pos.y - drag.start.y);
        if pointer.modifiers.shift {
            if dx.abs() >= dy.abs() { dy = 0.0 } else { dx = 0.0 }
        }
        let offset = (dx.round() as i32, dy.round() as i32);
        if offset == drag.offset {
            return Vec::new();
        }
        drag.offset = offset;
        vec![ToolCommand::Edit(moved(&drag.layer, offset))]
    }
}

impl Tool for Move {
    fn spec(&self) -> &'static ToolSpec {
        &SPEC
    }

    fn handle(&mut self, event: &ToolEvent, context: &ToolContext) -> Vec<ToolCommand> {
        match event {
            ToolEvent::Press(pointer) if self.drag.is_none() => self.press(pointer, context),
            ToolEvent::Drag(pointer) => self.drag(pointer),
            ToolEvent::Release(pointer) => {
                let mut commands = self.drag(pointer);
                match self.drag.take() {
                    // Back where it was: no step.
                    Some(drag) if drag.offset == (0, 0) => commands.push(ToolCommand::Abort),
                    Some(_) => commands.push(ToolCommand::Commit),
                    None => {}
                }
                commands
            }
            ToolEvent::Cancel | ToolEvent::Deactivate => {
                self.drag.take().map(|_| ToolCommand::Abort).into_iter().collect()
            }
            ToolEvent::Key(key, modifiers) if self.drag.is_none() => {
                nudge(*key, *modifiers, context)
            }
            _ => Vec::new(),
        }
    }

    fn cursor(&self, context: &ToolContext) -> Cursor {
        if movable(context).is_ok() { Cursor::Move } else { Cursor::Forbidden }
    }

    fn is_busy(&self) -> bool {
        self.drag.is_some()
    }
}

fn nudge(key: Key, modifiers: Modifiers, context: &ToolContext) -> Vec<ToolCommand> {
    let step = if modifiers.shift { 10 } else { 1 };
    let offset = match key {
        Key::Left => (-step, 0),
        Key::Right => (step, 0),
        Key::Up => (0, -step),
        Key::Down => (0, step),
        Key::O | Key::X => return Vec::new(),
    };
    match movable(context) {
        Err(notice) => ToolCommand::notice(notice),
        Ok(layer) => vec![
            ToolCommand::Begin(LABEL.into()),
            ToolCommand::Edit(moved(&layer, offset)),
            ToolCommand::Commit,
        ],
    }
}

fn movable(context: &ToolContext) -> Result<Arc<Layer>, String> {
    let layer = context.document.active_layer().ok_or("Choose a layer to move")?;
    if layer.props.locked {
        return Err(format!("'{}' is locked", layer.props.name));
    }
    Ok(layer.clone())
}

fn moved(layer: &Layer, (dx, dy): (i32, i32)) -> Edit {
    Edit::Replace(Arc::new(layer.translated(dx, dy)))
}
