//! The pointer over the canvas: tool events, panning, zooming.

use eframe::egui;
use egui::{Event, MouseWheelUnit, PointerButton, Pos2, Ui, Vec2, vec2};

use crate::app::action::{Action, Actions};
use crate::app::compare::Panes;
use crate::app::input::tool_modifiers;
use crate::app::local::{CanvasState, Grab};
use crate::app::state::{Model, Tab};
use crate::geom::Point;
use crate::tools::{Button, Pointer, ToolEvent};

/// Factor of one wheel notch.
const NOTCH: f32 = 1.25;
/// Factor of one notch with Alt held.
const FINE_NOTCH: f32 = 1.05;
/// Points of a scrubbing drag that double the zoom.
const SCRUB_DOUBLES: f32 = 100.0;

/// One frame's events over the canvas.
pub struct Hand<'a> {
    pub ui: &'a Ui,
    pub model: &'a Model,
    pub tab: &'a Tab,
    pub panes: &'a Panes,
    /// Whether the pointer is over the canvas and nothing lies above it.
    pub over: bool,
    space: bool,
}

impl<'a> Hand<'a> {
    pub fn new(ui: &'a Ui, model: &'a Model, tab: &'a Tab, panes: &'a Panes, over: bool) -> Self {
        let space = ui.input(|input| input.key_down(egui::Key::Space));
        Self { ui, model, tab, panes, over, space }
    }

    /// Turns pointer events into tool events, pans and zooms. Reads single events, not the state
    /// at the frame's end: a fast stroke has several positions in one frame.
    pub fn take_events(&self, state: &mut CanvasState, out: &mut Actions) {
        for event in self.ui.input(|input| input.events.clone()) {
            match event {
                Event::Touch { force: Some(pressed), .. } => state.force = Some(pressed),
                Event::PointerMoved(pos) => self.moved(state, pos, out),
                Event::PointerButton { pos, button, pressed: true, modifiers } if self.over => {
                    self.pressed(state, pos, button, modifiers, out);
                }
                Event::PointerButton { pos, button, pressed: false, modifiers } => {
                    if let Some(button) = tool_button(button).filter(|_| state.is_drawing()) {
                        let pointer = self.pointer(state, pos, modifiers, button);
                        out.push(Action::Tool(ToolEvent::Release(pointer)));
                    }
                    state.grab = None;
                    // What comes next may be a mouse.
                    state.force = None;
                }
                Event::PointerGone if state.inside => leave(state, out),
                Event::MouseWheel { unit, delta, modifiers, .. } if self.over => {
                    self.wheel(unit, delta, modifiers, out);
                }
                Event::Zoom(factor) if self.over => self.zoom_at(factor, out),
                _ => {}
            }
        }
        if !self.over && state.inside && !state.is_drawing() {
            leave(state, out);
        }
    }

    fn doc(&self, pos: Pos2) -> Point {
        self.tab.view.doc_from_screen(&self.panes.under(pos).viewport, pos)
    }

    fn pressed(
        &self,
        state: &mut CanvasState,
        pos: Pos2,
        button: PointerButton,
        modifiers: egui::Modifiers,
        out: &mut Actions,
    ) {
        if state.is_drawing() {
            return;
        }
        let primary = button == PointerButton::Primary;
        if primary && self.space && modifiers.command {
            state.grab = Some(Grab::Scrub { about: self.doc(pos), last: pos });
        } else if button == PointerButton::Middle
            // The original is looked at, not worked on.
            || primary && (self.space || !self.panes.is_now(pos))
        {
            state.grab = Some(Grab::Pan);
        } else if let Some(button) = tool_button(button)
            && self.panes.is_now(pos)
        {
            state.grab = Some(Grab::Draw);
            let pointer = self.pointer(state, pos, modifiers, button);
            out.push(Action::Tool(ToolEvent::Press(pointer)));
        }
    }

    fn moved(&self, state: &mut CanvasState, pos: Pos2, out: &mut Actions) {
        match &mut state.grab {
            Some(Grab::Pan) => {
                // Several moves a frame sum up to the frame's delta: it is taken once.
                let delta = self.ui.input(|input| input.pointer.delta());
                if !matches!(out.last(), Some(Action::Pan(_))) {
                    out.push(Action::Pan(delta));
                }
                return;
            }
            Some(Grab::Scrub { about, last }) => {
                let factor = ((pos.x - last.x) / SCRUB_DOUBLES).exp2();
                *last = pos;
                return out.push(Action::ZoomBy { about: *about, factor });
            }
            None if !self.over => return,
            Some(Grab::Draw) | None => {}
        }
        state.inside = true;
        let (modifiers, secondary) =
            self.ui.input(|input| (input.modifiers, input.pointer.secondary_down()));
        let button = if secondary { Button::Secondary } else { Button::Primary };
        let pointer = self.pointer(state, pos, modifiers, button);
        out.push(Action::CursorAt(Some(pointer.pos)));
        let drawing = state.is_drawing();
        let event = if drawing { ToolEvent::Drag(pointer) } else { ToolEvent::Hover(pointer) };
        // A tool that only hovers needs the last position of a frame only.
        if !drawing && matches!(out.last(), Some(Action::Tool(ToolEvent::Hover(_)))) {
            out.pop();
        }
        out.push(Action::Tool(event));
    }

    /// A drag goes on in the part where it began: tools work on the document only.
    fn pointer(
        &self,
        state: &CanvasState,
        pos: Pos2,
        modifiers: egui::Modifiers,
        button: Button,
    ) -> Pointer {
        Pointer {
            pos: self.tab.view.doc_from_screen(&self.panes.now.viewport, pos),
            pressure: state.force.unwrap_or(1.0).clamp(0.0, 1.0),
            button,
            modifiers: tool_modifiers(modifiers, self.space),
        }
    }

    fn wheel(
        &self,
        unit: MouseWheelUnit,
        delta: Vec2,
        modifiers: egui::Modifiers,
        out: &mut Actions,
    ) {
        // Fingers on a trackpad report points: they move the picture. A wheel reports lines.
        let points = unit == MouseWheelUnit::Point;
        if modifiers.shift && !points {
            let way = if delta.x != 0.0 { delta.x } else { delta.y };
            return out.push(Action::Pan(vec2(way * 50.0, 0.0)));
        }
        if (points || self.model.prefs.wheel_scrolls) && !modifiers.command {
            return out.push(Action::Pan(delta * if points { 1.0 } else { 50.0 }));
        }
        let notches = if points { delta.y / 50.0 } else { delta.y };
        let base: f32 = if modifiers.alt { FINE_NOTCH } else { NOTCH };
        self.zoom_at(base.powf(notches.clamp(-4.0, 4.0)), out);
    }

    fn zoom_at(&self, factor: f32, out: &mut Actions) {
        let pos = self.ui.input(|input| input.pointer.hover_pos());
        let about = self.doc(pos.unwrap_or(self.panes.now.viewport.rect.center()));
        out.push(Action::ZoomBy { about, factor });
    }
}

fn leave(state: &mut CanvasState, out: &mut Actions) {
    state.inside = false;
    out.push(Action::CursorAt(None));
    out.push(Action::Tool(ToolEvent::Leave));
}

const fn tool_button(button: PointerButton) -> Option<Button> {
    match button {
        PointerButton::Primary => Some(Button::Primary),
        PointerButton::Secondary => Some(Button::Secondary),
        _ => None,
    }
}
