//! The canvas: the picture, the pointer over it, and what tools draw on top.

use eframe::egui;
use egui::{
    Color32, CursorIcon, Event, MouseWheelUnit, PointerButton, Pos2, Sense, Stroke, Ui, Vec2, vec2,
};

use super::overlay;
use crate::app::action::{Action, Actions};
use crate::app::input::{canvas_id, tool_modifiers};
use crate::app::local::CanvasState;
use crate::app::state::{Model, Tab};
use crate::app::view::Viewport;
use crate::tools::{Button, Cursor, Pointer, ToolEvent};

/// Draws the document's pixels into the viewport.
pub trait CanvasPicture {
    fn paint(&mut self, ui: &Ui, tab: &Tab, viewport: &Viewport);
}

/// Factor of one wheel notch.
const NOTCH: f32 = 1.25;
/// Factor of one notch with Alt held.
const FINE_NOTCH: f32 = 1.05;
/// Zoom from which lines between pixels are drawn.
const GRID_FROM: f32 = 8.0;

pub fn canvas_ui(
    ui: &mut Ui,
    model: &Model,
    state: &mut CanvasState,
    picture: &mut dyn CanvasPicture,
    out: &mut Actions,
) {
    let Some(tab) = model.tab() else { return };
    let rect = ui.available_rect_before_wrap();
    let viewport = Viewport { rect, pixels_per_point: ui.pixels_per_point() };
    out.push(Action::Viewport(viewport));
    let response = ui.interact(rect, canvas_id(), Sense::click_and_drag() | Sense::FOCUSABLE);
    ui.advance_cursor_after_rect(rect);
    let name = format!("Canvas: {}", tab.title);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    // While the canvas has the focus, Tab, arrows and Esc are the tools' keys.
    ui.memory_mut(|memory| {
        let filter = egui::EventFilter {
            tab: true,
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: true,
        };
        memory.set_focus_lock_filter(canvas_id(), filter);
    });
    pointer_ui(ui, &response, model, tab, &viewport, state, out);

    let painter = ui.painter_at(rect);
    let shown = tab.view.screen_rect(&viewport, tab.document().size.rect());
    painter.rect_stroke(
        shown.expand(1.0),
        0.0,
        Stroke::new(1.0, Color32::from_black_alpha(110)),
        egui::StrokeKind::Outside,
    );
    picture.paint(ui, tab, &viewport);
    if model.prefs.pixel_grid && tab.view.zoom >= GRID_FROM {
        grid_ui(&painter, tab, &viewport);
    }
    overlay::overlay_ui(ui, &painter, model, tab, &viewport);
    if response.hovered() || state.drawing {
        cursor_ui(ui, model, tab, state);
    }
}

fn grid_ui(painter: &egui::Painter, tab: &Tab, viewport: &Viewport) {
    let visible = tab.view.visible(viewport, tab.document().size);
    let area = tab.view.screen_rect(viewport, visible);
    let stroke =
        Stroke::new(1.0 / viewport.pixels_per_point, Color32::from_gray(128).gamma_multiply(0.45));
    let scale = tab.view.scale(viewport);
    for column in 0..=visible.width() {
        painter.vline(area.left() + column as f32 * scale, area.y_range(), stroke);
    }
    for row in 0..=visible.height() {
        painter.hline(area.x_range(), area.top() + row as f32 * scale, stroke);
    }
}

fn cursor_ui(ui: &Ui, model: &Model, tab: &Tab, state: &CanvasState) {
    if state.panning {
        return ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
    }
    if ui.input(|input| input.key_down(egui::Key::Space)) {
        return ui.ctx().set_cursor_icon(CursorIcon::Grab);
    }
    let Some(context) = model.tool_context(tab) else { return };
    let icon = match model.tool.cursor(&context) {
        Cursor::Default => CursorIcon::Default,
        Cursor::Crosshair | Cursor::Eyedropper => CursorIcon::Crosshair,
        Cursor::Hidden => CursorIcon::None,
        Cursor::Move => CursorIcon::Move,
        Cursor::Grab => CursorIcon::Grab,
        Cursor::Grabbing => CursorIcon::Grabbing,
        Cursor::ZoomIn => CursorIcon::ZoomIn,
        Cursor::ZoomOut => CursorIcon::ZoomOut,
        Cursor::Forbidden => CursorIcon::NotAllowed,
        Cursor::ResizeHorizontal => CursorIcon::ResizeHorizontal,
        Cursor::ResizeVertical => CursorIcon::ResizeVertical,
        Cursor::ResizeFalling => CursorIcon::ResizeNwSe,
        Cursor::ResizeRising => CursorIcon::ResizeNeSw,
    };
    ui.ctx().set_cursor_icon(icon);
}

/// Turns pointer events into tool events, pans and zooms. Reads single events, not the state at
/// the frame's end: a fast stroke has several positions in one frame.
fn pointer_ui(
    ui: &Ui,
    response: &egui::Response,
    model: &Model,
    tab: &Tab,
    viewport: &Viewport,
    state: &mut CanvasState,
    out: &mut Actions,
) {
    let (events, space) =
        ui.input(|input| (input.events.clone(), input.key_down(egui::Key::Space)));
    let over = response.contains_pointer();
    let mut force = None;
    for event in events {
        match event {
            Event::Touch { force: Some(pressed), .. } => force = Some(pressed),
            Event::PointerMoved(pos) => {
                moved(ui, tab, viewport, state, pos, space, over, force, out);
            }
            Event::PointerButton { pos, button, pressed: true, modifiers } if over => {
                let pans = button == PointerButton::Middle
                    || (button == PointerButton::Primary && space && !state.drawing);
                if pans {
                    state.panning = true;
                } else if let Some(button) = tool_button(button)
                    && !state.drawing
                {
                    state.drawing = true;
                    let pointer = pointer(tab, viewport, pos, modifiers, space, force, button);
                    out.push(Action::Tool(ToolEvent::Press(pointer)));
                }
            }
            Event::PointerButton { pos, button, pressed: false, modifiers } => {
                let ends_drawing = tool_button(button).filter(|_| state.drawing && !state.panning);
                if let Some(button) = ends_drawing {
                    state.drawing = false;
                    let pointer = pointer(tab, viewport, pos, modifiers, space, force, button);
                    out.push(Action::Tool(ToolEvent::Release(pointer)));
                }
                state.panning = false;
            }
            Event::PointerGone if state.inside => leave(state, out),
            Event::MouseWheel { unit, delta, modifiers, .. } if over => {
                wheel(ui, model, tab, viewport, unit, delta, modifiers, out);
            }
            Event::Zoom(factor) if over => {
                zoom_at(ui, tab, viewport, factor, out);
            }
            _ => {}
        }
    }
    if !over && state.inside && !state.drawing {
        leave(state, out);
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

fn pointer(
    tab: &Tab,
    viewport: &Viewport,
    pos: Pos2,
    modifiers: egui::Modifiers,
    space: bool,
    force: Option<f32>,
    button: Button,
) -> Pointer {
    Pointer {
        pos: tab.view.doc_from_screen(viewport, pos),
        pressure: force.unwrap_or(1.0).clamp(0.0, 1.0),
        button,
        modifiers: tool_modifiers(modifiers, space),
    }
}

#[expect(clippy::too_many_arguments, reason = "one pointer event with all it depends on")]
fn moved(
    ui: &Ui,
    tab: &Tab,
    viewport: &Viewport,
    state: &mut CanvasState,
    pos: Pos2,
    space: bool,
    over: bool,
    force: Option<f32>,
    out: &mut Actions,
) {
    if state.panning {
        // Several moves a frame sum up to the frame's delta: it is taken once.
        let delta = ui.input(|input| input.pointer.delta());
        if !matches!(out.last(), Some(Action::Pan(_))) {
            out.push(Action::Pan(delta));
        }
        return;
    }
    if !over && !state.drawing {
        return;
    }
    state.inside = true;
    let (modifiers, secondary) =
        ui.input(|input| (input.modifiers, input.pointer.secondary_down()));
    let button = if secondary { Button::Secondary } else { Button::Primary };
    let pointer = pointer(tab, viewport, pos, modifiers, space, force, button);
    out.push(Action::CursorAt(Some(pointer.pos)));
    let event = if state.drawing { ToolEvent::Drag(pointer) } else { ToolEvent::Hover(pointer) };
    // A tool that only hovers needs the last position of a frame only.
    if !state.drawing && matches!(out.last(), Some(Action::Tool(ToolEvent::Hover(_)))) {
        out.pop();
    }
    out.push(Action::Tool(event));
}

#[expect(clippy::too_many_arguments, reason = "one wheel event with all it depends on")]
fn wheel(
    ui: &Ui,
    model: &Model,
    tab: &Tab,
    viewport: &Viewport,
    unit: MouseWheelUnit,
    delta: Vec2,
    modifiers: egui::Modifiers,
    out: &mut Actions,
) {
    // Fingers on a trackpad report points: they move the picture. A wheel reports lines.
    let scrolls = unit == MouseWheelUnit::Point || model.prefs.wheel_scrolls;
    if modifiers.shift && unit != MouseWheelUnit::Point {
        let way = if delta.x != 0.0 { delta.x } else { delta.y };
        return out.push(Action::Pan(vec2(way * 50.0, 0.0)));
    }
    if scrolls && !modifiers.command {
        let points = if unit == MouseWheelUnit::Point { 1.0 } else { 50.0 };
        return out.push(Action::Pan(delta * points));
    }
    let notches = if unit == MouseWheelUnit::Point { delta.y / 50.0 } else { delta.y };
    let base: f32 = if modifiers.alt { FINE_NOTCH } else { NOTCH };
    zoom_at(ui, tab, viewport, base.powf(notches.clamp(-4.0, 4.0)), out);
}

fn zoom_at(ui: &Ui, tab: &Tab, viewport: &Viewport, factor: f32, out: &mut Actions) {
    let pos = ui.input(|input| input.pointer.hover_pos()).unwrap_or(viewport.rect.center());
    let about = tab.view.doc_from_screen(viewport, pos);
    out.push(Action::ZoomBy { about, factor });
}
