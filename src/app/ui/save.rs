//! The dialogs around saving: where to, and what about changes when a document is closed.

use eframe::egui;
use egui::Ui;

use super::{file_ui, note_ui, primary_button};
use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command};
use crate::app::dialog::Dialog;
use crate::app::local::Local;
use crate::app::project::{Closing, SaveSettings};
use crate::app::state::Model;

/// Answers whether the dialog is done.
pub fn save_ui(ui: &mut Ui, model: &Model, settings: &mut SaveSettings, out: &mut Actions) -> bool {
    if !model.tabs.iter().any(|tab| tab.id == settings.tab) {
        return true;
    }
    let mut done = false;
    ui.set_width(480.0);
    ui.heading("Save project");
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        ui.label("File");
        let [_, browses] = file_ui(ui, "Project file", 340.0, &mut settings.path);
        if browses {
            out.push(Action::ChooseProjectFile(Box::new(settings.clone())));
            done = true;
        }
    });
    ui.add_space(4.0);
    note_ui(ui, "A project keeps layers, masks and sliders; Export writes a flat picture");
    let file = settings.file();
    let current =
        model.tabs.iter().any(|tab| tab.id == settings.tab && tab.project() == Some(&file));
    if file.is_file() && !current {
        note_ui(ui, "The file exists and will be replaced");
    }
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let entered = ui.input(|input| input.key_pressed(egui::Key::Enter));
        if primary_button(ui, "Save", true).clicked() || entered {
            out.push(Action::SaveProject(Box::new(settings.clone())));
            done = true;
        }
        if ui.button("Cancel").clicked() {
            done = true;
        }
    });
    done
}

/// Asks about a changed document that is to be closed.
pub fn confirm_close_ui(
    ui: &mut Ui,
    model: &Model,
    local: &mut Local,
    (index, quit): (usize, bool),
    out: &mut Actions,
) -> bool {
    let Some(tab) = model.tabs.get(index) else { return true };
    ui.set_width(380.0);
    ui.heading(format!("Save {} before closing?", tab.title));
    note_ui(ui, "Layers, masks and sliders that are in no project are lost");
    ui.add_space(12.0);
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let known = tab.project().is_some();
        if primary_button(ui, if known { "Save" } else { "Save…" }, true).clicked() {
            let settings =
                SaveSettings { then: Some(Closing { quit }), ..SaveSettings::propose(tab) };
            if known {
                out.push(Action::SaveProject(Box::new(settings)));
            } else {
                local.dialog = Some(Dialog::Save(settings));
            }
            done = true;
        }
        if ui.button("Cancel").clicked() {
            done = true;
        }
        if ui.button("Don't save").clicked() {
            out.push(Action::CloseTabUnsaved(index));
            if quit {
                out.push(Action::Start(Binding::Command(Command::Quit)));
            }
            done = true;
        }
    });
    done
}
