//! Dragging layers in their list: a line shows where one would land, a frame into which group.

use std::sync::Arc;

use eframe::egui;
use egui::{Align2, Color32, Id, LayerId as Plane, Order, Rect, Response, Stroke, StrokeKind, Ui};
use egui::{Sense, TextStyle, pos2, vec2};

use crate::app::action::{Action, Actions};
use crate::app::theme;
use crate::document::{Document, Layer, LayerId};
use crate::tools::PaintTarget;

/// What is being dragged in the list.
#[derive(Clone, Copy)]
struct Dragged(LayerId);

/// Lets a row be dragged, and others be dropped above, below or, on a group's middle, into it.
pub fn row_ui(
    ui: &Ui,
    document: &Document,
    layer: &Arc<Layer>,
    row: &Response,
    rect: Rect,
    out: &mut Actions,
) {
    if row.drag_started() {
        out.push(Action::SelectLayer { id: layer.id, target: PaintTarget::Pixels });
    }
    row.dnd_set_drag_payload(Dragged(layer.id));
    if row.dragged() {
        ghost_ui(ui, layer, rect);
    }
    let Some(dragged) = row.dnd_hover_payload::<Dragged>().filter(|d| d.0 != layer.id) else {
        return;
    };
    let Some(pos) = ui.input(|input| input.pointer.hover_pos()) else { return };
    let Some((parent, index)) = document.position(layer.id) else { return };
    let from = document.position(dragged.0);
    let part = (pos.y - rect.top()) / rect.height();
    let into_group = layer.children().is_some() && (0.25..0.75).contains(&part);
    // Indices count from the bottom, and after the dragged layer was taken out.
    let shift = |index: usize| match from {
        Some((from_parent, from_index)) if from_parent == parent && from_index < index => index - 1,
        _ => index,
    };
    let (parent, index) = if into_group {
        let accent = Stroke::new(2.0, theme::palette(ui).accent);
        ui.painter().rect_stroke(rect.shrink(1.0), 2.0, accent, StrokeKind::Inside);
        (Some(layer.id), layer.children().map_or(0, <[_]>::len))
    } else if part < 0.5 {
        mark_ui(ui, rect, rect.top());
        (parent, shift(index + 1))
    } else {
        mark_ui(ui, rect, rect.bottom());
        (parent, shift(index))
    };
    if row.dnd_release_payload::<Dragged>().is_some() {
        out.push(Action::MoveLayer { id: dragged.0, parent, index });
    }
}

/// The free space under the list: what is dropped there becomes the lowest layer of all.
pub fn floor_ui(ui: &mut Ui, document: &Document, out: &mut Actions) {
    let (rect, floor) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    if let Some(dragged) = floor.dnd_hover_payload::<Dragged>() {
        mark_ui(ui, rect, rect.top());
        if floor.dnd_release_payload::<Dragged>().is_some()
            && document.position(dragged.0) != Some((None, 0))
        {
            out.push(Action::MoveLayer { id: dragged.0, parent: None, index: 0 });
        }
    }
}

/// A line between two rows, above both.
fn mark_ui(ui: &Ui, rect: Rect, y: f32) {
    let accent = theme::palette(ui).accent;
    let plane = Plane::new(Order::Foreground, Id::unique("layer drop mark"));
    let painter = ui.ctx().layer_painter(plane);
    painter.hline(rect.left() + 4.0..=rect.right(), y, Stroke::new(2.0, accent));
    painter.circle_filled(pos2(rect.left() + 5.0, y), 4.0, accent);
}

/// The dragged layer's name beside the pointer; its row pales meanwhile.
fn ghost_ui(ui: &Ui, layer: &Layer, rect: Rect) {
    let palette = theme::palette(ui);
    ui.painter().rect_filled(rect, 0.0, palette.panel.gamma_multiply(0.6));
    ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
    let Some(pos) = ui.input(|input| input.pointer.hover_pos()) else { return };
    let painter = ui.ctx().layer_painter(Plane::new(Order::Tooltip, Id::unique("dragged layer")));
    let font = TextStyle::Body.resolve(ui.style());
    let galley = painter.layout_no_wrap(layer.props.name.to_string(), font, palette.on_accent);
    let place = Align2::LEFT_CENTER.anchor_size(pos + vec2(16.0, 10.0), galley.size());
    let fill = palette.accent.gamma_multiply(0.92);
    painter.rect(
        place.expand2(vec2(8.0, 4.0)),
        4.0,
        fill,
        Stroke::new(1.0, Color32::from_black_alpha(60)),
        StrokeKind::Outside,
    );
    painter.galley(place.min, galley, palette.on_accent);
}
