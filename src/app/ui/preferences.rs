//! The preferences dialog. Each choice takes effect at once.

use eframe::egui;
use egui::{DragValue, Sense, Stroke, StrokeKind, Ui, vec2};

use super::dialogs::close_ui;
use super::note_ui;
use crate::app::action::{Action, Actions};
use crate::app::form::segments_ui;
use crate::app::prefs::{Look, Prefs, Surround};
use crate::app::state::Model;
use crate::app::theme;
use crate::device::DeviceChoice;

/// Answers whether the dialog is done.
pub fn preferences_ui(ui: &mut Ui, model: &Model, out: &mut Actions) -> bool {
    let mut prefs = model.prefs.clone();
    ui.set_width(440.0);
    ui.heading("Preferences");
    ui.add_space(8.0);
    egui::Grid::new("preferences").num_columns(2).spacing([24.0, 10.0]).show(ui, |ui| {
        ui.label("Theme");
        segments_ui(ui, &mut prefs.look, &[(Look::Dark, "Dark", ""), (Look::Light, "Light", "")]);
        ui.end_row();
        ui.label("Around the picture");
        surround_ui(ui, &mut prefs);
        ui.end_row();
        ui.label("Size of everything");
        let sizes = [0.75, 1.0, 1.25, 1.5, 2.0];
        let names = ["75 %", "100 %", "125 %", "150 %", "200 %"];
        let choices: Vec<_> = sizes.into_iter().zip(names).map(|(s, n)| (s, n, "")).collect();
        segments_ui(ui, &mut prefs.ui_scale, &choices);
        ui.end_row();
        ui.label("Wheel");
        let ways = [
            (false, "Zooms", "Shift scrolls sideways"),
            (true, "Scrolls", "Ctrl zooms, Shift scrolls sideways"),
        ];
        segments_ui(ui, &mut prefs.wheel_scrolls, &ways);
        ui.end_row();
        ui.label("Motion");
        let ways = [(false, "Full", ""), (true, "Reduced", "The selection's edge stands still")];
        segments_ui(ui, &mut prefs.reduced_motion, &ways);
        ui.end_row();
        ui.label("Memory for undo");
        let field = DragValue::new(&mut prefs.undo_budget_mb).range(64..=65_536).speed(16.0);
        let _named = ui
            .add(field.suffix(" MB"))
            .accessible_name("Memory for undo")
            .on_hover_text("For pictures opened from now on");
        ui.end_row();
        ui.label("Compute on");
        let devices = [
            (DeviceChoice::Auto, "Automatic", "What is measured to be faster"),
            (DeviceChoice::Cpu, "Processor", "Networks and operations never use an adapter"),
            (DeviceChoice::Gpu(0), "First adapter", ""),
        ];
        segments_ui(ui, &mut prefs.device, &devices);
        ui.end_row();
    });
    ui.add_space(4.0);
    note_ui(ui, &format!("The device is chosen at the next start. Now: {}", model.adapter));
    if prefs != model.prefs {
        out.push(Action::SetPrefs(Box::new(prefs)));
    }
    close_ui(ui)
}

/// The greys themselves, to choose from by eye.
fn surround_ui(ui: &mut Ui, prefs: &mut Prefs) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for choice in Surround::CHOICES {
            let chosen = prefs.surround == choice;
            let name = format!("Lightness {} %", choice.0);
            let (rect, response) = ui.allocate_exact_size(vec2(40.0, 24.0), Sense::click());
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::RadioButton, true, chosen, &name)
            });
            ui.painter().rect_filled(rect, 4.0, theme::grey(choice.0));
            let marked = chosen || response.hovered() || response.has_focus();
            let color = if marked { palette.accent } else { palette.border };
            let width = if chosen { 2.5 } else { 1.0 };
            ui.painter().rect_stroke(rect, 4.0, Stroke::new(width, color), StrokeKind::Outside);
            if response.on_hover_text(name).clicked() {
                prefs.surround = choice;
            }
        }
    });
}
