//! The strip of variants under the canvas.

use eframe::egui;
use egui::{Rect, Sense, Stroke, StrokeKind, Ui, vec2};

use super::primary_button;
use crate::app::action::{Action, Actions, TrialAction};
use crate::app::trial::{Trial, Variant};
use crate::app::{theme, thumbs};

/// A picture of the strip, in points, and the line under it.
const PICTURE: egui::Vec2 = vec2(96.0, 64.0);
const LINE: f32 = 18.0;
/// The strip with its scroll bar, and the buttons beside it.
pub const HEIGHT: f32 = PICTURE.y + LINE + 10.0;
const BUTTONS: f32 = 76.0;

pub fn filmstrip_ui(ui: &mut Ui, trial: &Trial, out: &mut Actions) {
    ui.horizontal_top(|ui| {
        let room = vec2(ui.available_width() - BUTTONS, HEIGHT);
        ui.allocate_ui(room, |ui| {
            let strip = egui::ScrollArea::horizontal().auto_shrink([false, false]);
            strip.show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    for (at, variant) in trial.variants.iter().enumerate() {
                        if variant_ui(ui, variant, at == trial.chosen) {
                            out.push(Action::Trial(TrialAction::Choose(at)));
                        }
                    }
                });
            });
        });
        ui.vertical(|ui| {
            let apply = primary_button(ui, "Apply", true).on_hover_text("Enter");
            if apply.accessible_name("Apply variant").clicked() {
                out.push(Action::Trial(TrialAction::Apply));
            }
            let leave = ui.button("Leave").on_hover_text("Esc: everything stays as it was");
            if leave.accessible_name("Leave variants").clicked() {
                out.push(Action::Trial(TrialAction::Leave));
            }
        });
    });
}

/// One variant; answers whether it was chosen.
fn variant_ui(ui: &mut Ui, variant: &Variant, chosen: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(PICTURE + vec2(0.0, LINE), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &variant.label)
    });
    // Also when a key has chosen it.
    let seen = egui::Id::unique(("variant", &variant.label));
    let before: bool = ui.data(|data| data.get_temp(seen)).unwrap_or(false);
    if chosen && !before {
        response.scroll_to_me(None);
    }
    ui.data_mut(|data| data.insert_temp(seen, chosen));
    let palette = theme::palette(ui);
    let picture = Rect::from_min_size(rect.min, PICTURE);
    ui.painter().rect_filled(picture, 3.0, palette.well);
    let place = match variant.frame() {
        Some(frame) => {
            thumbs::paint(ui, picture, &frame.bytes, frame.size);
            thumbs::place(picture, frame.size)
        }
        None => {
            let text = if variant.fault().is_some() { "failed" } else { "…" };
            let font = egui::TextStyle::Small.resolve(ui.style());
            let center = egui::Align2::CENTER_CENTER;
            ui.painter().text(picture.center(), center, text, font, palette.weak);
            picture
        }
    };
    if chosen || response.hovered() || response.has_focus() {
        let color = if chosen { palette.accent } else { palette.weak };
        ui.painter().rect_stroke(place, 3.0, Stroke::new(2.0, color), StrokeKind::Inside);
    }
    let color = if chosen { palette.strong } else { palette.weak };
    let font = egui::TextStyle::Small.resolve(ui.style());
    let under = picture.center_bottom() + vec2(0.0, 3.0);
    ui.painter().text(under, egui::Align2::CENTER_TOP, &variant.label, font, color);
    let response = match variant.fault() {
        Some(reason) => response.on_hover_text(reason),
        None => response,
    };
    response.clicked()
}
