//! The export dialog.

use std::path::PathBuf;

use eframe::egui;
use egui::{Slider, TextEdit, Ui};

use super::primary_button;
use crate::app::action::{Action, Actions};
use crate::app::files::ExportSettings;
use crate::app::state::Model;
use crate::app::theme;
use crate::io::{Format, MetadataPolicy};
use crate::pixels::Depth;

/// Answers whether the dialog is done.
pub fn export_ui(
    ui: &mut Ui,
    model: &Model,
    settings: &mut ExportSettings,
    out: &mut Actions,
) -> bool {
    let Some(tab) = model.tabs.iter().find(|tab| tab.id == settings.tab) else { return true };
    let document = tab.document();
    let mut done = false;
    ui.set_width(460.0);
    ui.heading("Export");
    ui.add_space(8.0);
    egui::Grid::new("export").num_columns(2).spacing([16.0, 8.0]).show(ui, |ui| {
        ui.label("File");
        ui.horizontal(|ui| {
            let mut text = settings.path.display().to_string();
            let field = TextEdit::singleline(&mut text).desired_width(270.0);
            if ui.add(field).accessible_name("Export file").changed() {
                settings.path = PathBuf::from(text);
                if let Some(format) = Format::from_path(&settings.path)
                    .filter(|format| Format::WRITABLE.contains(format))
                {
                    settings.options.format = format;
                }
            }
            if ui.button("Browse…").clicked() {
                out.push(Action::ChooseExportFile(Box::new(settings.clone())));
                done = true;
            }
        });
        ui.end_row();

        ui.label("Format");
        ui.horizontal(|ui| {
            for format in Format::WRITABLE {
                let chosen = settings.options.format == format;
                if ui.selectable_label(chosen, format.name()).clicked() {
                    settings.set_format(format);
                }
            }
        });
        ui.end_row();

        if settings.options.format == Format::Jpeg {
            ui.label("Quality");
            let slider = Slider::new(&mut settings.options.quality, 1..=100);
            let _named = ui.add(slider).accessible_name("Quality");
            ui.end_row();
        }

        ui.label("Depth");
        ui.horizontal(|ui| {
            let deep = settings.options.format.max_depth() == Depth::U16;
            ui.radio_value(&mut settings.options.depth, Some(Depth::U8), "8 bit");
            let radio =
                egui::RadioButton::new(settings.options.depth == Some(Depth::U16), "16 bit");
            let radio = ui.add_enabled(deep, radio).on_disabled_hover_text(format!(
                "{} holds 8 bits a channel",
                settings.options.format
            ));
            if radio.clicked() {
                settings.options.depth = Some(Depth::U16);
            }
        });
        ui.end_row();

        ui.label("Metadata");
        ui.horizontal(|ui| {
            let policy = &mut settings.options.metadata;
            ui.radio_value(policy, MetadataPolicy::Keep, "Keep");
            ui.radio_value(policy, MetadataPolicy::NoGps, "Without place")
                .on_hover_text("Camera data stay, GPS positions go");
            ui.radio_value(policy, MetadataPolicy::None, "None")
                .on_hover_text("Nothing but the picture; colours become sRGB");
        });
        ui.end_row();

        ui.label("Size");
        ui.label(estimate(model, document.revision(), settings));
        ui.end_row();
    });
    let palette = theme::palette(ui);
    for loss in settings.losses(document) {
        ui.label(egui::RichText::new(loss).small().color(palette.warning));
    }
    if settings.path.is_file() {
        let text = "The file exists and will be replaced";
        ui.label(egui::RichText::new(text).small().color(palette.warning));
    }
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let entered = ui.input(|input| input.key_pressed(egui::Key::Enter));
        if primary_button(ui, "Export", true).clicked() || entered {
            out.push(Action::Export(Box::new(settings.clone())));
            done = true;
        }
        if ui.button("Cancel").clicked() {
            done = true;
        }
    });
    done
}

fn estimate(model: &Model, revision: u64, settings: &ExportSettings) -> String {
    let known = model.files.estimate.as_ref();
    match known.filter(|estimate| estimate.of == (revision, settings.options)) {
        None => "estimating…".into(),
        Some(estimate) => match &estimate.bytes {
            Ok(bytes) if *bytes >= 1_000_000 => format!("about {:.1} MB", *bytes as f64 / 1e6),
            Ok(bytes) => format!("about {} kB", bytes.div_ceil(1000)),
            Err(reason) => reason.clone(),
        },
    }
}
