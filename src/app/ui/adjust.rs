//! The Adjust tab: the adjustment in progress, the sliders of an adjustment layer, or the list.

use eframe::egui;
use egui::{Button, Ui};

use super::{heading_ui, note_ui, primary_button};
use crate::app::action::{Action, Actions, Phase};
use crate::app::command::{Binding, adjustments};
use crate::app::dispatch::unavailable;
use crate::app::form;
use crate::app::state::{Draft, Model};
use crate::document::{Adjustment, Layer, LayerKind};
use crate::ops::{self, Kind};
use crate::params::Params;

pub fn adjust_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    if let Some(draft) = &model.draft {
        return draft_ui(ui, model, draft, out);
    }
    if let Some(layer) = model.active_layer()
        && let LayerKind::Adjustment(adjustment) = &layer.kind
    {
        layer_ui(ui, layer, adjustment, out);
        ui.add_space(12.0);
        ui.separator();
    }
    for (title, kind) in [("Colour and light", Kind::Pointwise), ("Detail", Kind::Neighborhood)] {
        ui.add_space(6.0);
        heading_ui(ui, title);
        let width = (ui.available_width() - ui.spacing().item_spacing.x) / 2.0;
        egui::Grid::new(title).num_columns(2).spacing([8.0, 4.0]).show(ui, |ui| {
            for (index, op) in adjustments().filter(|op| op.spec().kind == kind).enumerate() {
                let binding = Binding::Operation(op.spec().name);
                let refused = unavailable(model, binding);
                let button =
                    Button::new(op.spec().label).min_size(egui::vec2(width, 28.0)).truncate();
                let response = ui.add_enabled(refused.is_none(), button);
                let response = match refused {
                    Some(reason) => response.on_disabled_hover_text(reason),
                    None => response.on_hover_text(op.spec().doc),
                };
                if response.clicked() {
                    out.push(Action::Start(binding));
                }
                if index % 2 == 1 {
                    ui.end_row();
                }
            }
        });
    }
}

/// The adjustment being prepared, with a live preview and no undo entry yet.
fn draft_ui(ui: &mut Ui, model: &Model, draft: &Draft, out: &mut Actions) {
    let spec = draft.op.spec();
    heading_ui(ui, spec.label);
    note_ui(ui, spec.doc);
    ui.add_space(8.0);
    let mut params = draft.params.clone();
    if form::rows_ui(ui, spec.params, &mut params).changed {
        out.push(Action::SetDraft(params));
    }
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        let mut preview = draft.preview;
        if ui.checkbox(&mut preview, "Preview").changed() {
            out.push(Action::SetDraftPreview(preview));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Reset").on_hover_text("Back to the defaults").clicked() {
                out.push(Action::SetDraft(Params::defaults(spec.params)));
            }
        });
    });
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let selected = model.document().is_some_and(|document| document.selection.is_some());
        let scope = if selected { "inside the selection" } else { "on this layer" };
        let hint = format!("Change the pixels {scope} (Enter)");
        if primary_button(ui, "Apply", true).on_hover_text(hint).clicked() {
            out.push(Action::ApplyDraft);
        }
        let hint = "Keep the pixels; the sliders stay editable. A selection becomes its mask";
        if ui.button("As adjustment layer").on_hover_text(hint).clicked() {
            out.push(Action::DraftAsLayer);
        }
        if ui.button("Cancel").on_hover_text("Esc").clicked() {
            out.push(Action::CancelDraft);
        }
    });
}

/// The sliders of the adjustment layer that is selected.
fn layer_ui(ui: &mut Ui, layer: &Layer, adjustment: &Adjustment, out: &mut Actions) {
    heading_ui(ui, &layer.props.name);
    let Some(op) = ops::find(&adjustment.op) else {
        let name = &adjustment.op;
        let text = format!(
            "This version does not know the adjustment '{name}': the layer shows nothing, and keeps \
             its settings for a version that does"
        );
        return note_ui(ui, &text);
    };
    let spec = op.spec();
    if spec.params.is_empty() {
        return note_ui(ui, "This adjustment has no settings");
    }
    let mut edited = adjustment.clone();
    let locked = layer.props.locked;
    let event =
        ui.add_enabled_ui(!locked, |ui| form::rows_ui(ui, spec.params, &mut edited.params)).inner;
    if event.changed {
        let phase = if event.finished { Phase::Done } else { Phase::Ongoing };
        out.push(Action::SetAdjustment { id: layer.id, adjustment: edited, phase });
    } else if event.finished {
        out.push(Action::EndDrag);
    }
    if ui.add_enabled(!locked, Button::new("Reset")).clicked() {
        let params = Params::defaults(spec.params);
        let adjustment = Adjustment { params, ..adjustment.clone() };
        out.push(Action::SetAdjustment { id: layer.id, adjustment, phase: Phase::Done });
    }
}
