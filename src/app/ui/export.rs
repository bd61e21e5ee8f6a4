//! The export dialog.

use eframe::egui;
use egui::{Slider, Ui};

use super::{file_ui, note_ui, primary_button};
use crate::app::action::{Action, Actions};
use crate::app::files::{Estimate, ExportSettings};
use crate::app::form::{segment, segments_ui};
use crate::app::icons::Icon;
use crate::app::state::Model;
use crate::app::theme;
use crate::io::{DigitalSource, Format, MetadataPolicy};
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
    let asked = (document.revision(), settings.options);
    let known = model.files.estimate.as_ref().filter(|estimate| estimate.of == asked);
    let mut done = false;
    ui.set_width(480.0);
    ui.heading("Export");
    ui.add_space(8.0);
    egui::Grid::new("export").num_columns(2).spacing([16.0, 8.0]).show(ui, |ui| {
        ui.label("File");
        ui.horizontal(|ui| {
            let [is_changed, browses] = file_ui(ui, "Export file", 300.0, &mut settings.path);
            let format = Format::from_path(&settings.path).filter(|f| Format::WRITABLE.contains(f));
            if let (true, Some(format)) = (is_changed, format) {
                settings.options.format = format;
            }
            if browses {
                out.push(Action::ChooseExportFile(Box::new(settings.clone())));
                done = true;
            }
        });
        ui.end_row();

        ui.label("Format");
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for format in Format::WRITABLE {
                let chosen = settings.options.format == format;
                if ui.add(segment(chosen, format.name())).clicked() {
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
            ui.spacing_mut().item_spacing.x = 2.0;
            for (depth, text) in [(Depth::U8, "8 bit"), (Depth::U16, "16 bit")] {
                let deep = settings.options.format.max_depth() == Depth::U16;
                let holds = deep || depth == Depth::U8;
                let button = segment(settings.options.depth == Some(depth), text);
                let refused = format!("{} holds 8 bits a channel", settings.options.format);
                if ui.add_enabled(holds, button).on_disabled_hover_text(refused).clicked() {
                    settings.options.depth = Some(depth);
                }
            }
        });
        ui.end_row();

        ui.label("Metadata");
        segments_ui(
            ui,
            &mut settings.options.metadata,
            &[
                (MetadataPolicy::Keep, "Keep all", "Camera data, place, rights, profile"),
                (MetadataPolicy::NoGps, "Without place", "Camera data stay, GPS positions go"),
                (MetadataPolicy::None, "None", "Nothing but the picture; colours become sRGB"),
            ],
        );
        ui.end_row();

        if DigitalSource::of(document).is_some() {
            ui.label("Origin");
            let words = ui.checkbox(&mut settings.label, "Say that a network drew in it");
            words.on_hover_text("The IPTC's DigitalSourceType, in the file's XMP");
            ui.end_row();
        }

        ui.label("Size");
        let pixels = format!("{} px", document.size);
        ui.label(format!("{pixels}, {}", estimate(known, document.size.pixels())));
        ui.end_row();
    });
    ui.add_space(4.0);
    if document.layer_count() > 1 {
        note_ui(ui, "Layers are joined to one picture");
    }
    if document.depth == Depth::U16 && settings.options.depth == Some(Depth::U8) {
        note_ui(ui, "16-bit values are rounded to 8 bits");
    }
    let palette = theme::palette(ui);
    let given_up = known.and_then(|known| known.file.as_ref().ok()).map(|(_, lost)| &lost[..]);
    let replaced = settings.path.is_file().then(|| "The file exists and will be replaced".into());
    for warning in given_up.unwrap_or_default().iter().chain(&replaced) {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(14.0), egui::Sense::hover());
            Icon::Warning.paint(ui.painter(), rect, palette.warning);
            ui.label(egui::RichText::new(warning).small().color(palette.warning));
        });
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

fn estimate(known: Option<&Estimate>, pixels: u64) -> String {
    let (bytes, _) = match known.map(|known| &known.file) {
        None => return "estimating…".into(),
        Some(Err(reason)) => return reason.clone(),
        Some(Ok(file)) => file,
    };
    let bits = *bytes as f64 * 8.0 / pixels.max(1) as f64;
    if *bytes >= 1_000_000 {
        format!("about {:.1} MB ({bits:.1} bits a pixel)", *bytes as f64 / 1e6)
    } else {
        format!("about {} kB ({bits:.1} bits a pixel)", bytes.div_ceil(1000))
    }
}
