//! The layers panel.

use std::collections::HashSet;
use std::sync::Arc;

use eframe::egui;
use egui::text::CCursorRange;
use egui::{
    Frame, Margin, Rect, ScrollArea, Sense, Slider, Stroke, StrokeKind, TextEdit, Ui, Vec2, pos2,
    vec2,
};

use super::menu::binding_ui;
use super::{heading_ui, layer_drag};
use crate::app::action::{Action, Actions, LatentAction, Phase};
use crate::app::command::{Binding, Command};
use crate::app::dispatch::unavailable;
use crate::app::form::choose_ui;
use crate::app::icons::{Icon, icon_button};
use crate::app::local::Local;
use crate::app::state::{Model, unknown_operation};
use crate::app::theme;
use crate::app::thumbs;
use crate::document::{BlendMode, Document, Layer, LayerId, LayerKind};
use crate::tools::PaintTarget;

const ROW: f32 = 40.0;
const THUMB: f32 = 30.0;
const INDENT: f32 = 16.0;

pub fn layers_ui(ui: &mut Ui, model: &Model, local: &mut Local, out: &mut Actions) {
    let Some(document) = model.document() else { return };
    Frame::NONE.inner_margin(Margin { left: 12, right: 12, top: 8, bottom: 4 }).show(ui, |ui| {
        heading_ui(ui, "Layers");
        mixing_ui(ui, model, out);
    });
    egui::Panel::bottom("layer buttons")
        .frame(Frame::NONE.inner_margin(Margin::symmetric(12, 4)))
        .show_separator_line(false)
        .show(ui, |ui| buttons_ui(ui, model, out));
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let mut rows = Vec::new();
        flatten_rows(&document.layers, 0, &local.folded, &mut rows);
        for (layer, level) in rows {
            row_ui(ui, model, document, layer, level, local, out);
        }
        layer_drag::floor_ui(ui, document, out);
    });
}

/// Top layer first, a group above its children unless it is folded.
fn flatten_rows<'a>(
    layers: &'a [Arc<Layer>],
    level: usize,
    folded: &HashSet<LayerId>,
    rows: &mut Vec<(&'a Arc<Layer>, usize)>,
) {
    for layer in layers.iter().rev() {
        rows.push((layer, level));
        if let Some(children) = layer.children().filter(|_| !folded.contains(&layer.id)) {
            flatten_rows(children, level + 1, folded, rows);
        }
    }
}

/// Blend mode and opacity of the active layer.
fn mixing_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let Some(layer) = model.active_layer() else { return };
    let props = &layer.props;
    ui.horizontal(|ui| {
        let labels = BlendMode::ALL.map(BlendMode::label);
        ui.spacing_mut().combo_width = 112.0;
        if let Some(chosen) = choose_ui(ui, "Blend mode", props.blend.label(), &labels)
            && let Some(blend) = BlendMode::ALL.into_iter().find(|mode| mode.label() == chosen)
        {
            let mut props = props.clone();
            props.blend = blend;
            let (label, phase) = ("Blend mode", Phase::Done);
            out.push(Action::SetProps { id: layer.id, props, label, phase });
        }
        let mut percent = (props.opacity * 100.0).round();
        ui.spacing_mut().slider_width = (ui.available_width() - 64.0).max(40.0);
        let slider = Slider::new(&mut percent, 0.0..=100.0).suffix(" %").integer();
        let response = ui.add(slider).accessible_name("Opacity").on_hover_text("Opacity");
        if response.changed() {
            let mut props = props.clone();
            props.opacity = percent / 100.0;
            let phase = if response.dragged() { Phase::Ongoing } else { Phase::Done };
            out.push(Action::SetProps { id: layer.id, props, label: "Opacity", phase });
        } else if response.drag_stopped() {
            out.push(Action::EndDrag);
        }
    });
}

fn buttons_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (icon, command) in [
            (Icon::New, Command::NewLayer),
            (Icon::Group, Command::GroupLayer),
            (Icon::Mask, Command::AddMask),
            (Icon::Duplicate, Command::DuplicateLayer),
            (Icon::Trash, Command::DeleteLayer),
        ] {
            let binding = Binding::Command(command);
            let refused = unavailable(model, binding);
            let keys =
                binding.shortcut_text(ui.ctx()).map_or_else(String::new, |k| format!(" ({k})"));
            let hint = refused.clone().unwrap_or_else(|| command.help().to_owned());
            let enabled = refused.is_none();
            let response = icon_button(ui, icon, command.label(), 28.0, false, enabled)
                .on_hover_text(format!("{}{keys}\n{hint}", command.label()));
            if enabled && response.clicked() {
                out.push(Action::Start(binding));
            }
        }
    });
}

fn row_ui(
    ui: &mut Ui,
    model: &Model,
    document: &Document,
    layer: &Arc<Layer>,
    level: usize,
    local: &mut Local,
    out: &mut Actions,
) {
    let palette = theme::palette(ui);
    let active = document.active == Some(layer.id);
    let name: &str = &layer.props.name;
    let size = vec2(ui.available_width(), ROW);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let id = ui.scope_id().with(layer.id.0);
    let row = ui.interact(rect, id, Sense::click_and_drag());
    row.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, active, format!("Layer {name}"))
    });
    let fill = match (active, row.hovered()) {
        (true, _) => palette.accent_soft,
        (false, true) => palette.hover.gamma_multiply(0.5),
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    if row.has_focus() {
        let stroke = Stroke::new(1.0, palette.accent);
        ui.painter().rect_stroke(rect, 0.0, stroke, StrokeKind::Inside);
    }
    if row.clicked() {
        out.push(Action::SelectLayer { id: layer.id, target: PaintTarget::Pixels });
    }
    if row.double_clicked() {
        local.renaming = Some((layer.id, name.to_owned()));
    }
    layer_drag::row_ui(ui, document, layer, &row, rect, out);
    row.context_menu(|ui| context_ui(ui, model, layer, out));

    let inner = rect.with_min_x(rect.left() + 8.0 + level as f32 * INDENT).shrink2(vec2(0.0, 2.0));
    let builder = egui::UiBuilder::new()
        .max_rect(inner)
        .layout(egui::Layout::left_to_right(egui::Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        eye_ui(ui, layer, out);
        if layer.children().is_some() {
            fold_ui(ui, layer, local);
        }
        let dim = !layer.props.visible;
        thumb_ui(ui, model, layer, active && model.target == PaintTarget::Pixels, out);
        if layer.mask.is_some() {
            mask_thumb_ui(ui, model, layer, active && model.target == PaintTarget::Mask, out);
        }
        name_ui(ui, layer, rect, dim, local, out);
    });
}

fn eye_ui(ui: &mut Ui, layer: &Layer, out: &mut Actions) {
    let name = &layer.props.name;
    let (icon, label) = if layer.props.visible {
        (Icon::Eye, format!("Hide {name}"))
    } else {
        (Icon::EyeOff, format!("Show {name}"))
    };
    let response = icon_button(ui, icon, &label, 22.0, false, true)
        .on_hover_text(format!("{label}\nAlt+click shows it alone"));
    if response.clicked() {
        if ui.input(|input| input.modifiers.alt) {
            return out.push(Action::Solo(layer.id));
        }
        let mut props = layer.props.clone();
        props.visible = !props.visible;
        let (label, phase) = ("Visibility", Phase::Done);
        out.push(Action::SetProps { id: layer.id, props, label, phase });
    }
}

/// Hides and shows the layers of a group in the list.
fn fold_ui(ui: &mut Ui, layer: &Layer, local: &mut Local) {
    let folded = local.folded.contains(&layer.id);
    let (icon, label) = if folded {
        (Icon::Folded, format!("Unfold {}", layer.props.name))
    } else {
        (Icon::Unfolded, format!("Fold {}", layer.props.name))
    };
    if icon_button(ui, icon, &label, 16.0, false, true).on_hover_text(label.as_str()).clicked()
        && !local.folded.remove(&layer.id)
    {
        local.folded.insert(layer.id);
    }
}

fn framed(ui: &Ui, rect: Rect, selected: bool) {
    let palette = theme::palette(ui);
    let stroke =
        if selected { Stroke::new(2.0, palette.accent) } else { Stroke::new(1.0, palette.border) };
    ui.painter().rect_stroke(rect, 2.0, stroke, StrokeKind::Outside);
}

/// The pattern that shows through transparent pixels.
fn checker(ui: &Ui, rect: Rect) {
    const SQUARE: f32 = 5.0;
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 0.0, egui::Color32::from_gray(204));
    let squares = |length: f32| (length / SQUARE).ceil() as usize;
    for row in 0..squares(rect.height()) {
        for column in (row % 2..squares(rect.width())).step_by(2) {
            let corner = rect.min + vec2(column as f32, row as f32) * SQUARE;
            let square = Rect::from_min_size(corner, Vec2::splat(SQUARE));
            painter.rect_filled(square, 0.0, egui::Color32::from_gray(158));
        }
    }
}

fn thumb_ui(ui: &mut Ui, model: &Model, layer: &Layer, selected: bool, out: &mut Actions) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(THUMB), Sense::click());
    let label = format!("Pixels of {}", layer.props.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
    let palette = theme::palette(ui);
    ui.painter().rect_filled(rect, 2.0, palette.well);
    match &layer.kind {
        LayerKind::Adjustment(_) => {
            Icon::Adjust.paint(ui.painter(), rect.shrink(4.0), palette.text)
        }
        LayerKind::Group(_) => Icon::Group.paint(ui.painter(), rect.shrink(4.0), palette.text),
        _ => {
            if let Some(thumb) = model.observer.thumbs.get(&layer.id) {
                checker(ui, thumbs::place(rect, thumb.size));
                thumbs::paint(ui, rect, &thumb.pixels, thumb.size);
            }
            if matches!(layer.kind, LayerKind::Generated(_)) {
                let corner =
                    Rect::from_min_size(rect.right_bottom() - Vec2::splat(14.0), Vec2::splat(13.0));
                ui.painter().rect_filled(corner, 3.0, palette.panel);
                Icon::Sparkle.paint(ui.painter(), corner, palette.accent);
            }
        }
    }
    // The frame tells pixels from mask only where there are both.
    framed(ui, rect, selected && layer.mask.is_some());
    if response.double_clicked() && matches!(layer.kind, LayerKind::Generated(_)) {
        return out.push(Action::Latent(LatentAction::Reopen(layer.id)));
    }
    if response.clicked() {
        out.push(Action::SelectLayer { id: layer.id, target: PaintTarget::Pixels });
    }
}

fn mask_thumb_ui(ui: &mut Ui, model: &Model, layer: &Layer, selected: bool, out: &mut Actions) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(THUMB), Sense::click());
    let label = format!("Mask of {}", layer.props.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
    ui.painter().rect_filled(rect, 2.0, theme::palette(ui).well);
    if let Some((pixels, size)) =
        model.observer.thumbs.get(&layer.id).and_then(|thumb| thumb.mask.as_ref())
    {
        thumbs::paint(ui, rect, pixels, *size);
    }
    if layer.mask.as_ref().is_some_and(|mask| !mask.enabled) {
        let stroke = Stroke::new(2.0, theme::palette(ui).error);
        ui.painter().line_segment([rect.left_top(), rect.right_bottom()], stroke);
        ui.painter().line_segment([rect.right_top(), rect.left_bottom()], stroke);
    }
    framed(ui, rect, selected);
    let response =
        response.on_hover_text("Click to paint on the mask; Shift+click switches it off and on");
    if response.clicked() {
        if ui.input(|input| input.modifiers.shift) {
            out.push(Action::ToggleMask(layer.id));
        } else {
            out.push(Action::SelectLayer { id: layer.id, target: PaintTarget::Mask });
        }
    }
}

fn name_ui(
    ui: &mut Ui,
    layer: &Layer,
    rect: Rect,
    dim: bool,
    local: &mut Local,
    out: &mut Actions,
) {
    let palette = theme::palette(ui);
    let room = (rect.right() - ui.cursor().left() - 36.0).max(24.0);
    if let Some((id, text)) = &mut local.renaming
        && *id == layer.id
    {
        let field = TextEdit::singleline(text).desired_width(room).show(ui);
        let (mut state, id) = (field.state, field.response.id);
        let field = field.response.response.accessible_name("Layer name");
        if !field.has_focus() && !field.lost_focus() {
            // Typing replaces the old name.
            field.request_focus();
            state.cursor.set_char_range(Some(CCursorRange::select_all_str(text)));
            state.store(ui.ctx(), id);
        }
        let entered = ui.input(|input| input.key_pressed(egui::Key::Enter));
        let cancelled = ui.input(|input| input.key_pressed(egui::Key::Escape));
        if field.lost_focus() || entered || cancelled || field.clicked_elsewhere() {
            let new = text.trim().to_owned();
            if !cancelled && !new.is_empty() && *new != *layer.props.name {
                let mut props = layer.props.clone();
                props.name = new.into();
                let (label, phase) = ("Rename layer", Phase::Done);
                out.push(Action::SetProps { id: layer.id, props, label, phase });
            }
            local.renaming = None;
        }
        return;
    }
    let color = if dim { palette.weak } else { palette.text };
    let (area, _) = ui.allocate_exact_size(vec2(room, THUMB), Sense::hover());
    let font = egui::TextStyle::Body.resolve(ui.style());
    let has_detail = detail(layer).is_some();
    let middle = if has_detail { area.center().y - 7.0 } else { area.center().y };
    let painter = ui.painter_at(area);
    let left = egui::Align2::LEFT_CENTER;
    painter.text(pos2(area.left(), middle), left, &*layer.props.name, font, color);
    if let Some(text) = detail(layer) {
        let small = egui::TextStyle::Small.resolve(ui.style());
        let color = if unknown_operation(layer).is_some() { palette.warning } else { palette.weak };
        painter.text(pos2(area.left(), area.center().y + 8.0), left, text, small, color);
    }
    let (icon, label) = if layer.props.locked {
        (Icon::Lock, format!("Unlock {}", layer.props.name))
    } else {
        (Icon::Unlock, format!("Lock {}", layer.props.name))
    };
    if icon_button(ui, icon, &label, 22.0, false, true).on_hover_text(label.as_str()).clicked() {
        let mut props = layer.props.clone();
        props.locked = !props.locked;
        let (label, phase) = ("Lock", Phase::Done);
        out.push(Action::SetProps { id: layer.id, props, label, phase });
    }
}

/// What differs from a plain layer, in few words.
fn detail(layer: &Layer) -> Option<String> {
    if let Some(name) = unknown_operation(layer) {
        return Some(format!("'{name}' is unknown here"));
    }
    let percent = (layer.props.opacity * 100.0).round();
    match (layer.props.blend, percent) {
        (BlendMode::Normal, 100.0) => None,
        (BlendMode::Normal, _) => Some(format!("{percent} %")),
        (blend, 100.0) => Some(blend.label().into()),
        (blend, _) => Some(format!("{} {percent} %", blend.label())),
    }
}

fn context_ui(ui: &mut Ui, model: &Model, layer: &Layer, out: &mut Actions) {
    if model.document().and_then(|document| document.active) != Some(layer.id) {
        out.push(Action::SelectLayer { id: layer.id, target: PaintTarget::Pixels });
    }
    if matches!(layer.kind, LayerKind::Generated(_)) && ui.button("Open its settings").clicked() {
        out.push(Action::Latent(LatentAction::Reopen(layer.id)));
        ui.close();
    }
    for command in [
        Command::DuplicateLayer,
        Command::DeleteLayer,
        Command::GroupLayer,
        Command::UngroupLayer,
        Command::AddMask,
        Command::InvertMask,
        Command::ApplyMask,
        Command::DeleteMask,
        Command::MergeDown,
        Command::Flatten,
    ] {
        binding_ui(ui, model, Binding::Command(command), out);
    }
}
