//! The tool options bar: the settings of the tool in hand, generated from its declaration.

use eframe::egui;
use egui::{Align, Layout, Ui};

use super::primary_button;
use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command};
use crate::app::form;
use crate::app::icons::{Icon, icon_button};
use crate::app::state::Model;
use crate::app::theme;
use crate::tools::{PaintTarget, ToolEvent};

pub fn options_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let spec = model.tool.spec();
    let palette = theme::palette(ui);
    ui.horizontal_centered(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(18.0), egui::Sense::hover());
        Icon::of_tool(spec.id).paint(ui.painter(), rect, palette.accent);
        ui.label(egui::RichText::new(spec.label).strong().color(palette.strong));
        ui.separator();
        let Some(params) = model.tool_params.get(spec.id) else { return };
        let mut edited = params.clone();
        let shows = |key: &str, params: &crate::params::Params| model.tool.shows(key, params);
        let event = form::inline_ui(ui, spec.params, &mut edited, shows);
        if event.changed {
            for param in spec.params {
                if let (Some(new), Some(old)) = (edited.get(param.key), params.get(param.key))
                    && new != old
                {
                    out.push(Action::SetToolParam { key: param.key, value: new.clone() });
                }
            }
        }
        if spec.params.is_empty() {
            ui.label(egui::RichText::new(spec.doc).color(palette.weak));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !spec.params.is_empty()
                && icon_button(ui, Icon::Reset, "Reset tool", 24.0, false, true)
                    .on_hover_text("Reset the tool's settings")
                    .clicked()
            {
                out.push(Action::ResetTool);
            }
            if model.tool.awaits_confirm() {
                if ui.button("Cancel").on_hover_text("Esc").clicked() {
                    out.push(Action::Tool(ToolEvent::Cancel));
                }
                let button = primary_button(ui, model.tool.confirms_with(), true);
                if button.on_hover_text("Enter").clicked() {
                    out.push(Action::Tool(ToolEvent::Confirm));
                }
                if let Some(keys) = Binding::Command(Command::RunAi).shortcut_text(ui.ctx()) {
                    ui.label(egui::RichText::new(keys).small().color(palette.weak));
                }
            }
            if model.target == PaintTarget::Mask {
                ui.label(egui::RichText::new("Painting on the mask").color(palette.accent));
            }
        });
    });
}
