//! The history: one line a step, a click goes there, what was undone is grey.

use eframe::egui;
use egui::{Button, ScrollArea, Ui};

use super::heading_ui;
use crate::app::action::{Action, Actions};
use crate::app::local::Local;
use crate::app::state::Model;
use crate::app::theme;

pub fn history_ui(ui: &mut Ui, model: &Model, local: &mut Local, out: &mut Actions) {
    let Some(tab) = model.tab() else { return };
    let history = tab.session.history();
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        heading_ui(ui, "History");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let megabytes = history.bytes() as f64 / 1e6;
            ui.label(egui::RichText::new(format!("{megabytes:.0} MB")).small().color(palette.weak))
                .on_hover_text("Memory that only undo keeps");
        });
    });
    let now = history.past().len();
    let past = history.past().iter().map(|step| step.label.to_string());
    let future = history.future().map(|step| step.label.to_string());
    let labels = std::iter::once("Opened".to_owned()).chain(past).chain(future);
    // The step in force comes into sight once, whenever it is another one.
    let arrived = local.history_at.replace((tab.id, now)) != Some((tab.id, now));
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (steps, label) in labels.enumerate() {
            let color = if steps > now { palette.weak } else { palette.text };
            let text = egui::RichText::new(label).color(color);
            let row = Button::selectable(steps == now, text)
                .min_size(egui::vec2(ui.available_width(), 22.0));
            let response = ui.add(row);
            if arrived && steps == now {
                response.scroll_to_me(None);
            }
            if response.clicked() {
                out.push(Action::Jump(steps));
            }
        }
    });
}
