//! The face in the Latent tab: how well the generator meets it, and what can be done about that.

use eframe::egui;
use egui::Ui;

use super::ai::row;
use crate::app::action::{Action, Actions, LatentAction};
use crate::app::state::Model;
use crate::app::{theme, thumbs};

/// A face to choose.
const FACE_SIDE: f32 = 44.0;
/// What a step of tuning takes, in drawings of a picture: both ways twice, and one drawing.
const STEP_COST: f32 = 9.0;

/// The face of the picture in front: look for it, or how well it was met.
pub fn face_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    row(ui, "Photo", |ui| {
        let Some(photo) = model.latent.face() else {
            let analyse = ui.button("Analyse photo").on_hover_text(
                "Finds the face in the picture and the code that draws it (Ctrl+Alt+P)",
            );
            if analyse.clicked() {
                out.push(Action::Latent(LatentAction::Analyse));
            }
            return;
        };
        // 20 dB is a likeness, 35 dB can hardly be told apart.
        let share = ((photo.found.fidelity_db - 12.0) / 23.0).clamp(0.0, 1.0) as f32;
        let meter = egui::ProgressBar::new(share).desired_width(96.0).desired_height(8.0);
        ui.add(meter).on_hover_text("How near the generator comes to the face");
        ui.label(format!("{:.1} dB", photo.found.fidelity_db));
        let lpips = photo.found.perceptual.filter(|_| photo.found.is_lpips);
        if let Some(distance) = lpips {
            ui.label(format!("LPIPS {distance:.2}")).on_hover_text("0 looks the same");
        }
        if let Some(cosine) = photo.found.identity {
            let about = "How much the face is still the same one; 1 is the same picture";
            ui.label(format!("ID {cosine:.2}")).on_hover_text(about);
        }
        if let Some(tuning) = &photo.found.tuning {
            let mib = tuning.file().len() as f64 / f64::from(1 << 20);
            let about = format!("The layer keeps the tuned generator, {mib:.1} MiB");
            ui.label("tuned").on_hover_text(about);
        }
    });
    let Some(photo) = model.latent.face() else { return };
    row(ui, "", |ui| {
        let refine = ui.small_button("Refine").on_hover_text("Searches on from what was found");
        if refine.clicked() {
            out.push(Action::Latent(LatentAction::Refine));
        }
        let tune = ui.small_button("Tune").on_hover_text(tuning_help(model));
        if tune.clicked() {
            out.push(Action::Latent(LatentAction::Tune));
        }
        let again = ui.small_button("Re-align").on_hover_text("Finds the face in the picture anew");
        if again.clicked() {
            out.push(Action::Latent(LatentAction::Analyse));
        }
        if ui.small_button("Leave").on_hover_text("Back to the seed").clicked() {
            out.push(Action::Latent(LatentAction::LeavePhoto));
        }
    });
    ui.horizontal_wrapped(|ui| {
        for (at, face) in photo.faces.iter().enumerate() {
            let size = egui::Vec2::splat(FACE_SIDE);
            let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
            let (chosen, name) = (at == photo.face, format!("Face {}", at + 1));
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &name)
            });
            thumbs::paint(ui, rect, &face.bytes, face.size);
            if chosen || response.hovered() || response.has_focus() {
                let palette = theme::palette(ui);
                let color = if chosen { palette.accent } else { palette.weak };
                let stroke = egui::Stroke::new(2.0, color);
                ui.painter().rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Inside);
            }
            if response.on_hover_text(format!("{name}: analyse it")).clicked() && !chosen {
                out.push(Action::Latent(LatentAction::TakeFace(at)));
            }
        }
    });
}

/// What tuning does and costs.
fn tuning_help(model: &Model) -> String {
    let drawing = model.latent.present.as_ref().map_or(0.0, |present| present.seconds);
    let steps = model.latent.settings.tuning_steps;
    let seconds = (drawing * steps as f32 * STEP_COST).max(1.0);
    let time = match seconds {
        ..100.0 => format!("about {seconds:.0} s"),
        _ => format!("about {:.0} minutes", (seconds / 60.0).ceil()),
    };
    format!(
        "Tunes the generator to this face (pivotal tuning): changes its weights in {steps} \
         steps until it draws the face as it is; then sliders move that. Takes {time}. Analysing \
         or refining again goes back to the generator as it was."
    )
}
