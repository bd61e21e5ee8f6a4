//! The canvas: the picture, alone or beside its original, and what tools draw on top.

use eframe::egui;
use egui::{Color32, CursorIcon, Rect, Sense, Stroke, Ui, vec2};

use super::overlay;
use super::pointer::Hand;
use crate::app::action::{Action, Actions};
use crate::app::compare::{Alignment, Pane, Panes};
use crate::app::input::canvas_id;
use crate::app::local::{CanvasState, Grab};
use crate::app::state::{Model, Tab, TabId};
use crate::app::theme;
use crate::app::view::{View, Viewport};
use crate::geom::Size;
use crate::tools::{Cursor, Turn};

/// Which of the two documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Now,
    Before,
}

/// What is to be drawn: a document through a view into a part of the window.
#[derive(Clone, Copy, Debug)]
pub struct Shot {
    pub tab: TabId,
    pub shown: Shown,
    pub view: View,
    pub viewport: Viewport,
    /// The part of the viewport that is drawn.
    pub clip: Rect,
    /// How the picture is turned; then nothing around it is drawn.
    pub turn: Option<Turn>,
}

/// Draws the document's pixels into the viewport.
pub trait CanvasPicture {
    fn paint(&mut self, ui: &Ui, shot: &Shot);
}

/// Zoom from which lines between pixels are drawn.
const GRID_FROM: f32 = 8.0;
/// Points about the divider that catch it.
const DIVIDER_REACH: f32 = 6.0;

pub fn canvas_ui(
    ui: &mut Ui,
    model: &Model,
    state: &mut CanvasState,
    picture: &mut dyn CanvasPicture,
    out: &mut Actions,
) {
    let Some(tab) = model.tab() else { return };
    let rect = ui.available_rect_before_wrap();
    let canvas = Viewport { rect, pixels_per_point: ui.pixels_per_point() };
    let panes = Panes::new(canvas, &model.compare);
    let viewport = panes.now.viewport;
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
    let divided = panes.before.is_some() && !model.compare.side;
    let on_divider = divided && divider_drag_ui(ui, rect, panes.now.clip.left(), out);
    let over = response.contains_pointer() && !on_divider;
    Hand::new(ui, model, tab, &panes, over).take_events(state, out);

    let alignment = Alignment::of(&tab.original, tab.document());
    let turn = model.tool.turn().filter(|_| !model.show_original);
    let shot = |pane: &Pane, shown, view, turn| {
        let (viewport, clip) = (pane.viewport, pane.clip);
        Shot { tab: tab.id, shown, view, viewport, clip, turn }
    };
    let before = alignment.before(&tab.view);
    if let Some(pane) = &panes.before {
        let shot = shot(pane, Shown::Before, before, None);
        picture_ui(ui, &shot, tab.original.size, picture);
    }
    if model.show_original {
        // The canvas shows the original in the document's place.
        let shot = shot(&panes.now, Shown::Now, before, None);
        picture_ui(ui, &shot, tab.original.size, picture);
    } else if let Some((_, shown)) = model.trial_shown() {
        // A small copy lies over the whole picture.
        let view = Alignment::of(shown, tab.document()).before(&tab.view);
        picture_ui(ui, &shot(&panes.now, Shown::Now, view, None), shown.size, picture);
    } else {
        let shot = shot(&panes.now, Shown::Now, tab.view, turn);
        picture_ui(ui, &shot, tab.document().size, picture);
    }
    let painter = ui.painter_at(panes.now.clip);
    if model.prefs.pixel_grid && tab.view.zoom >= GRID_FROM && turn.is_none() {
        grid_ui(&painter, tab, &viewport);
    }
    if !model.show_original {
        overlay::overlay_ui(ui, &painter, model, tab, &viewport);
    }
    labels_ui(ui, model, tab, &panes);
    if divided {
        divider_ui(ui, rect, panes.now.clip.left());
    }
    if (response.hovered() && !on_divider) || state.grab.is_some() {
        cursor_ui(ui, model, tab, &panes, state);
    }
}

/// The picture with a thin edge, on which it stands out from any surround.
fn picture_ui(ui: &Ui, shot: &Shot, size: Size, picture: &mut dyn CanvasPicture) {
    if shot.turn.is_none() {
        let shown = shot.view.screen_rect(&shot.viewport, size.rect());
        let edge = Stroke::new(1.0, Color32::from_black_alpha(110));
        let painter = ui.painter_at(shot.clip);
        painter.rect_stroke(shown.expand(1.0), 0.0, edge, egui::StrokeKind::Outside);
    }
    picture.paint(ui, shot);
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

/// Moves the divider by a drag; answers whether the pointer is on it.
fn divider_drag_ui(ui: &Ui, canvas: Rect, x: f32, out: &mut Actions) -> bool {
    let grip = Rect::from_x_y_ranges(x - DIVIDER_REACH..=x + DIVIDER_REACH, canvas.y_range());
    let response = ui.interact(grip, egui::Id::unique("compare divider"), Sense::drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Slider, true, "Divider"));
    if let Some(pos) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        out.push(Action::CompareAt((pos.x - canvas.left()) / canvas.width().max(1.0)));
    }
    let caught = response.hovered() || response.dragged();
    if caught {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    caught
}

fn divider_ui(ui: &Ui, canvas: Rect, x: f32) {
    let painter = ui.painter_at(canvas);
    painter.vline(x, canvas.y_range(), Stroke::new(3.0, Color32::from_black_alpha(110)));
    painter.vline(x, canvas.y_range(), Stroke::new(1.0, Color32::from_white_alpha(230)));
    let middle = egui::pos2(x, canvas.center().y);
    painter.circle(middle, 11.0, Color32::from_black_alpha(170), Stroke::new(1.0, Color32::WHITE));
    for way in [-1.0, 1.0] {
        let tip = middle + vec2(7.0 * way, 0.0);
        let wings = [tip + vec2(-3.5 * way, -3.5), tip, tip + vec2(-3.5 * way, 3.5)];
        painter.line(wings.to_vec(), Stroke::new(1.3, Color32::WHITE));
    }
}

/// Says which picture is which.
fn labels_ui(ui: &Ui, model: &Model, tab: &Tab, panes: &Panes) {
    let palette = theme::palette(ui);
    let quiet = (Color32::from_black_alpha(150), Color32::from_white_alpha(235));
    if let Some(before) = &panes.before {
        overlay::banner(ui, before.clip, tab.compared_with.unwrap_or("Before"), quiet);
        overlay::banner(ui, panes.now.clip, "After", quiet);
    } else if model.show_original {
        let name = tab.compared_with.unwrap_or("Original");
        overlay::banner(ui, panes.now.clip, name, (palette.accent, palette.on_accent));
    } else if let Some((trial, _)) = model.trial_shown() {
        let colors = (palette.accent, palette.on_accent);
        let label = &trial.variants[trial.chosen].label;
        let text = match (trial.is_behind(), trial.is_small()) {
            (true, _) => format!("{label} …"),
            (false, true) => format!("{label}, rough preview"),
            (false, false) => format!("{label}, preview"),
        };
        overlay::banner(ui, panes.now.clip, &text, colors);
    } else if model.draft.as_ref().is_some_and(|draft| draft.preview && draft.tab == tab.id) {
        overlay::banner(ui, panes.now.clip, "Preview", (palette.accent, palette.on_accent));
    }
}

fn cursor_ui(ui: &Ui, model: &Model, tab: &Tab, panes: &Panes, state: &CanvasState) {
    let (space, command, pos) = ui.input(|input| {
        (input.key_down(egui::Key::Space), input.modifiers.command, input.pointer.hover_pos())
    });
    let on_original = pos.is_some_and(|pos| !panes.is_now(pos));
    let icon = match state.grab {
        Some(Grab::Pan) => CursorIcon::Grabbing,
        Some(Grab::Scrub { .. }) => CursorIcon::ZoomIn,
        None if space && command => CursorIcon::ZoomIn,
        None if space || on_original => CursorIcon::Grab,
        _ => tool_cursor(model, tab),
    };
    ui.ctx().set_cursor_icon(icon);
}

fn tool_cursor(model: &Model, tab: &Tab) -> CursorIcon {
    let Some(context) = model.tool_context(tab) else { return CursorIcon::Default };
    match model.tool.cursor(&context) {
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
    }
}
