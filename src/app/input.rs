//! Keys: which command, tool or tool event a pressed key means.

use eframe::egui;
use egui::{Event, Key, Modifiers};

use super::action::{Action, Actions, LabAction, TrialAction};
use super::command::{Binding, Command, bound_to};
use super::state::Model;
use crate::params::{ParamKind, Value};
use crate::tools::{self, ToolEvent};

/// Id of the canvas, which takes the keys that otherwise move the focus.
pub fn canvas_id() -> egui::Id {
    egui::Id::unique("canvas")
}

/// Turns this frame's keys into actions. `blocked` while a dialog is open: then only Esc and
/// Enter matter, and the dialog takes them itself.
pub fn collect(ctx: &egui::Context, model: &Model, blocked: bool, out: &mut Actions) {
    if blocked || ctx.text_edit_focused() {
        return;
    }
    if model.lab.is_open {
        return in_lab(ctx, model, out);
    }
    let focus = ctx.memory(|memory| memory.focused());
    let canvas_focused = focus.is_none() || focus == Some(canvas_id());
    let events = ctx.input(|input| input.events.clone());
    for event in &events {
        match event {
            Event::Key { key, pressed: true, modifiers, repeat, .. } => {
                pressed(model, *key, *modifiers, *repeat, canvas_focused, out);
            }
            Event::Key { key: Key::Backslash, pressed: false, .. } => {
                out.push(Action::ShowOriginal(false));
            }
            // Where Shift+Delete is the desktop's own way to cut, it says so; here it removes.
            Event::Cut if ctx.input(|input| input.modifiers.shift) => {
                out.push(Action::Start(Binding::Command(Command::RemoveObject)));
            }
            Event::Cut => out.push(Action::Start(Binding::Command(Command::Cut))),
            Event::Copy => out.push(Action::Start(Binding::Command(Command::Copy))),
            Event::Paste(_) | Event::PasteImage(_) => {
                out.push(Action::Start(Binding::Command(Command::Paste)));
            }
            _ => {}
        }
    }
}

/// The pictures are out of sight in the lab, and no key may change them.
fn in_lab(ctx: &egui::Context, model: &Model, out: &mut Actions) {
    use Command as C;
    let mut asked = Actions::new();
    for event in ctx.input(|input| input.events.clone()) {
        match event {
            Event::Key { key: Key::Escape, pressed: true, .. } => {
                out.push(Action::Lab(LabAction::Close));
            }
            Event::Key { key, pressed: true, modifiers, repeat, .. } => {
                pressed(model, key, modifiers, repeat, false, &mut asked);
            }
            _ => {}
        }
    }
    let stays = |command: Command| {
        matches!(command, C::Palette | C::Shortcuts | C::About | C::Quit | C::FullScreen)
            || matches!(command, C::ToggleTheme | C::Preferences)
    };
    out.extend(asked.into_iter().filter(
        |action| matches!(action, Action::Start(Binding::Command(command)) if stays(*command)),
    ));
}

fn pressed(
    model: &Model,
    key: Key,
    modifiers: Modifiers,
    repeat: bool,
    canvas_focused: bool,
    out: &mut Actions,
) {
    let plain = !modifiers.any();
    let trying = model.trials.open.is_some() && model.draft.is_none() && !model.tool.is_busy();
    if trying && plain {
        let action = match key {
            Key::Escape => Some(TrialAction::Leave),
            Key::Enter if canvas_focused => Some(TrialAction::Apply),
            Key::Comma => Some(TrialAction::Step(-1)),
            Key::Period => Some(TrialAction::Step(1)),
            _ => None,
        };
        if let Some(action) = action {
            return out.push(Action::Trial(action));
        }
    }
    match key {
        Key::Escape => return out.push(escape(model)),
        Key::Enter if plain && canvas_focused => {
            return out.push(if model.draft.is_some() {
                Action::ApplyDraft
            } else {
                Action::Tool(ToolEvent::Confirm)
            });
        }
        Key::Backslash if plain => return out.push(Action::ShowOriginal(true)),
        Key::Tab if !canvas_focused && !modifiers.command => return,
        _ => {}
    }
    if canvas_focused
        && !modifiers.command
        && let Some(event) = tool_key(model, key, modifiers)
    {
        return out.push(Action::Tool(event));
    }
    if canvas_focused && let Some(action) = tool_setting(model, key, modifiers) {
        return out.push(action);
    }
    if let Some(binding) = bound_to(key, modifiers) {
        // The tool that shares its letter with the one in hand comes next.
        let binding = match binding {
            Binding::Tool(id) if !repeat => Binding::Tool(next_with_letter(model, id)),
            other => other,
        };
        return out.push(Action::Start(binding));
    }
    if modifiers == Modifiers::SHIFT
        && let Some(Binding::Tool(id)) = bound_to(key, Modifiers::NONE)
    {
        out.push(Action::Start(Binding::Tool(next_with_letter(model, id))));
    }
}

/// Esc ends the nearest thing: a drag, then the prepared adjustment, then the layer that is opened
/// again, then what the tool shows.
fn escape(model: &Model) -> Action {
    if model.tool.is_busy() {
        Action::Tool(ToolEvent::Cancel)
    } else if model.draft.is_some() {
        Action::CancelDraft
    } else if model.ai.editing.is_some() {
        Action::LeaveEditing
    } else {
        Action::Tool(ToolEvent::Cancel)
    }
}

/// Keys that the tool in hand acts on itself.
fn tool_key(model: &Model, key: Key, modifiers: Modifiers) -> Option<ToolEvent> {
    let id = model.tool.spec().id;
    let key = match key {
        Key::ArrowLeft => tools::Key::Left,
        Key::ArrowRight => tools::Key::Right,
        Key::ArrowUp => tools::Key::Up,
        Key::ArrowDown => tools::Key::Down,
        Key::O if id == "crop" => tools::Key::O,
        Key::X if id == "crop" => tools::Key::X,
        _ => return None,
    };
    Some(ToolEvent::Key(key, tool_modifiers(modifiers, false)))
}

pub const fn tool_modifiers(modifiers: Modifiers, space: bool) -> tools::Modifiers {
    tools::Modifiers {
        shift: modifiers.shift,
        alt: modifiers.alt,
        command: modifiers.command,
        space,
    }
}

/// Brackets change a tool's size, Shift+brackets its hardness, digits its opacity.
fn tool_setting(model: &Model, key: Key, modifiers: Modifiers) -> Option<Action> {
    if modifiers.command || modifiers.alt {
        return None;
    }
    let digit = Key::ALL[..].iter().position(|known| *known == Key::Num0).and_then(|zero| {
        let at = Key::ALL.iter().position(|known| *known == key)?;
        at.checked_sub(zero).filter(|digit| *digit < 10)
    });
    let (name, change): (&str, fn(f64) -> f64) = match key {
        Key::OpenBracket if !modifiers.shift => ("size", |size| (size / 1.1).min(size - 1.0)),
        Key::CloseBracket if !modifiers.shift => ("size", |size| (size * 1.1).max(size + 1.0)),
        Key::OpenCurlyBracket | Key::OpenBracket => ("hardness", |hardness| hardness - 10.0),
        Key::CloseCurlyBracket | Key::CloseBracket => ("hardness", |hardness| hardness + 10.0),
        _ => ("opacity", |opacity| opacity),
    };
    let spec = model.tool.spec().params.iter().find(|spec| spec.key == name)?;
    let ParamKind::Float { hard, .. } = spec.kind else { return None };
    // A setting may be stored as a fraction or in per cent.
    let unit = if hard.1 <= 1.0 { 0.01 } else { 1.0 };
    let now = model.tool_params.get(model.tool.spec().id)?.float(name);
    let next = match (name, digit) {
        ("opacity", Some(digit)) if !modifiers.shift => {
            f64::from(if digit == 0 { 100 } else { digit as u32 * 10 }) * unit
        }
        ("opacity", _) => return None,
        ("hardness", _) => change(now / unit) * unit,
        _ => change(now),
    };
    Some(Action::SetToolParam { key: spec.key, value: Value::Float(next.clamp(hard.0, hard.1)) })
}

/// The tool after the one in hand among those with the letter of `id`.
fn next_with_letter(model: &Model, id: &'static str) -> &'static str {
    let Some(letter) = tools::find(id).map(|tool| tool.shortcut) else { return id };
    let sharing: Vec<_> = tools::all().iter().filter(|tool| tool.shortcut == letter).collect();
    let now = sharing.iter().position(|tool| tool.id == model.tool.spec().id);
    now.and_then(|at| sharing.get((at + 1) % sharing.len())).map_or(id, |tool| tool.id)
}
