//! The dialog that exports a path of the Latent panel.

use eframe::egui;
use egui::{DragValue, Ui};

use super::{file_ui, note_ui, primary_button};
use crate::app::action::{Action, Actions};
use crate::app::film::{FilmSettings, MAX_BETWEEN};

/// Answers whether the dialog is done.
pub fn film_ui(ui: &mut Ui, settings: &mut FilmSettings, out: &mut Actions) -> bool {
    let mut done = false;
    ui.set_width(480.0);
    ui.heading("Export path");
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        ui.label("File");
        let [_, browses] = file_ui(ui, "Film file", 340.0, &mut settings.path);
        if browses {
            out.push(Action::ChooseFilmFile(Box::new(settings.clone())));
            done = true;
        }
    });
    note_ui(ui, "GIF has 256 colours a picture, APNG all; path_####.png is one file a picture");
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.label("From picture to picture");
        let field = DragValue::new(&mut settings.between).range(1..=MAX_BETWEEN).speed(0.2);
        let _named = ui.add(field).accessible_name("Pictures between");
        ui.label("a second");
        let field = DragValue::new(&mut settings.fps).range(1.0..=60.0).speed(0.2);
        let _named = ui.add(field.fixed_decimals(0)).accessible_name("Pictures a second");
    });
    ui.checkbox(&mut settings.is_closed, "Back to the first picture");
    ui.checkbox(&mut settings.label, "Say in the file that a network has drawn it");
    let (frames, refusal) = (settings.frames(), settings.refusal());
    let seconds = frames as f32 / settings.fps.max(1.0);
    let side = settings.side;
    note_ui(ui, &format!("{frames} pictures of {side} × {side}, {seconds:.1} s"));
    match &refusal {
        Some(reason) => note_ui(ui, reason),
        None if settings.path.is_file() => note_ui(ui, "The file exists and will be replaced"),
        None => {}
    }
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let ready = refusal.is_none();
        let entered = ready && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if primary_button(ui, "Export", ready).clicked() || entered {
            out.push(Action::ExportFilm(Box::new(settings.clone())));
            done = true;
        }
        if ui.button("Cancel").clicked() {
            done = true;
        }
    });
    done
}
