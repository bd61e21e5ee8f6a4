//! Move: drags the active layer with its mask, or what is selected of its pixels; Shift keeps to
//! one axis, arrow keys nudge.

use std::sync::Arc;

use super::{
    Cursor, Group, Key, Modifiers, Pointer, Tool, ToolCommand, ToolContext, ToolEvent, ToolSpec,
};
use crate::commands::floating::Floating;
use crate::document::{Edit, Layer};
use crate::geom::Point;

pub static SPEC: ToolSpec = ToolSpec {
    id: "move",
    label: "Move",
    doc: "Drag the active layer or the selected pixels; Shift keeps to one axis, arrow keys move by a pixel",
    shortcut: 'V',
    group: Group::Transform,
    params: &[],
    create: || Box::new(Move { drag: None }),
};

struct Move {
    drag: Option<Drag>,
}

struct Drag {
    start: Point,
    held: Held,
    offset: (i32, i32),
}

/// What is moved, as it was at the press.
enum Held {
    Layer(Arc<Layer>),
    Pixels(Box<Floating>),
}

impl Held {
    const fn label(&self) -> &'static str {
        match self {
            Self::Layer(_) => "Move layer",
            Self::Pixels(_) => "Move pixels",
        }
    }

    fn at(&self, offset: (i32, i32)) -> Vec<ToolCommand> {
        let edits = match self {
            Self::Layer(layer) => {
                vec![Edit::Replace(Arc::new(layer.translated(offset.0, offset.1)))]
            }
            Self::Pixels(floating) => floating.at(offset).into(),
        };
        edits.into_iter().map(ToolCommand::Edit).collect()
    }
}

impl Move {
    fn press(&mut self, pointer: &Pointer, context: &ToolContext) -> Vec<ToolCommand> {
        match held(context) {
            Err(notice) => ToolCommand::notice(notice),
            Ok(held) => {
                let begin = ToolCommand::Begin(held.label().into());
                self.drag = Some(Drag { start: pointer.pos, held, offset: (0, 0) });
                vec![begin]
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
        drag.held.at(offset)
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
    match held(context) {
        Err(notice) => ToolCommand::notice(notice),
        Ok(held) => {
            let mut commands = vec![ToolCommand::Begin(held.label().into())];
            commands.extend(held.at(offset));
            commands.push(ToolCommand::Commit);
            commands
        }
    }
}

/// What a drag takes hold of: the selected pixels of a raster layer, else the whole layer.
fn held(context: &ToolContext) -> Result<Held, String> {
    let layer = movable(context)?;
    if context.document.selection.is_none() || layer.raster_content().is_none() {
        return Ok(Held::Layer(layer));
    }
    let floating = Floating::lift(context.document, layer.id).map_err(|error| error.to_string())?;
    Ok(Held::Pixels(Box::new(floating)))
}

fn movable(context: &ToolContext) -> Result<Arc<Layer>, String> {
    let layer = context.document.active_layer().ok_or("Choose a layer to move")?;
    if layer.props.locked {
        return Err(format!("'{}' is locked", layer.props.name));
    }
    Ok(layer.clone())
}
