//! The lab's view: what to train on the left, how it goes on the right.

use eframe::egui;
use egui::{ComboBox, DragValue, Frame, Margin, Panel, RichText, ScrollArea, Slider, Ui};

use super::lab_plots::{curves_ui, plane_ui, sheet_ui};
use super::{heading_ui, note_ui, primary_button};
use crate::app::action::{Action, Actions, LabAction};
use crate::app::ai::ModelCard;
use crate::app::lab::{Lab, LabSettings, Order, Phase, Source};
use crate::app::state::Model;
use crate::app::theme;
use crate::portrait::Template;
use crate::train::{Ada, Arch, Framing, Loss, Preset, Toy};

pub fn lab_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let palette = theme::palette(ui);
    let lab = &model.lab;
    Panel::left("lab settings")
        .frame(Frame::NONE.fill(palette.panel).inner_margin(Margin::symmetric(14, 10)))
        .exact_size(300.0)
        .resizable(false)
        .show(ui, |ui| {
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                settings_ui(ui, model, out);
            });
        });
    let inner = Frame::NONE.fill(palette.well).inner_margin(Margin::symmetric(16, 10));
    egui::CentralPanel::no_frame().frame(inner).show(ui, |ui| {
        if lab.sheets.is_empty() {
            return empty_ui(ui, lab);
        }
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| watch_ui(ui, lab, out));
    });
}

fn act(out: &mut Actions, action: LabAction) {
    out.push(Action::Lab(action));
}

fn settings_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let lab = &model.lab;
    ui.horizontal(|ui| {
        ui.heading("Train a generator");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Close").on_hover_text("Back to the pictures; a run goes on").clicked() {
                act(out, LabAction::Close);
            }
        });
    });
    note_ui(ui, "Two networks play against each other: one draws, one judges. Both learn.");
    ui.add_space(8.0);
    let mut settings = lab.settings.clone();
    ui.add_enabled_ui(!lab.is_busy(), |ui| choices_ui(ui, model, &mut settings, out));
    if settings != lab.settings {
        act(out, LabAction::Set(Box::new(settings)));
    }
    ui.add_space(10.0);
    controls_ui(ui, lab, out);
    for text in lab.left_out.iter() {
        note_ui(ui, text);
    }
    if let Some(trouble) = &lab.trouble {
        ui.colored_label(theme::palette(ui).error, trouble);
    }
}

fn choices_ui(ui: &mut Ui, model: &Model, settings: &mut LabSettings, out: &mut Actions) {
    ui.horizontal(|ui| {
        for (preset, label, hint) in [
            (Preset::Scratch, "From scratch", "Thousands of pictures, from nothing"),
            (Preset::FewPictures, "Few pictures", "Hundreds of pictures: a generator learns on"),
            (Preset::Playground, "Playground", "Points in the plane: a minute on any machine"),
        ] {
            let present = match (&settings.source, &settings.base) {
                (Source::Toy(_), _) => Preset::Playground,
                (_, Some(_)) => Preset::FewPictures,
                _ => Preset::Scratch,
            };
            let selected = present == preset;
            if ui.selectable_label(selected, label).on_hover_text(hint).clicked() && !selected {
                let source = std::mem::replace(settings, LabSettings::of(preset)).source;
                if matches!(
                    (&source, preset),
                    (Source::Folder(_), Preset::Scratch | Preset::FewPictures)
                ) {
                    settings.source = source;
                }
                if preset == Preset::FewPictures {
                    settings.base =
                        Some(bases(model).next().map_or_else(String::new, |(id, _)| id));
                }
            }
        }
    });
    ui.add_space(6.0);
    match &mut settings.source {
        Source::Toy(toy) => {
            row(ui, "Points", |ui| {
                let list = ComboBox::from_id_salt("toy").selected_text(toy.name());
                let list = list.show_ui(ui, |ui| {
                    for other in Toy::ALL {
                        ui.selectable_value(toy, other, other.name());
                    }
                });
                let _named = list.response.accessible_name("Points");
            });
        }
        Source::Folder(folder) => {
            let name = folder.as_ref().map_or("Choose a folder…".into(), |folder| {
                folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
            });
            row(ui, "Pictures", |ui| {
                if ui.button(name).on_hover_text("A folder of pictures of one kind").clicked() {
                    act(out, LabAction::ChooseFolder);
                }
            });
            row(ui, "Learns", |ui| {
                let framing = &mut settings.config.framing;
                for (value, label, hint) in [
                    (Framing::Middle, "Middle", "The largest square in the middle"),
                    (
                        Framing::Face(Template::Portrait),
                        "Face",
                        "The largest face, from the brows to the chin; others are left out",
                    ),
                    (
                        Framing::Face(Template::Ffhq),
                        "Head",
                        "The largest face with all of the head, as in FFHQ; others are left out",
                    ),
                ] {
                    ui.selectable_value(framing, value, label).on_hover_text(hint);
                }
            });
            if settings.base.is_some() {
                base_ui(ui, model, settings);
            } else {
                networks_ui(ui, settings);
            }
        }
    }
    row(ui, "Ends at", |ui| {
        let field = DragValue::new(&mut settings.goal_kimg).range(0..=1_000_000u64).speed(1.0);
        let field = field.custom_formatter(|value, _| match value as u64 {
            0 => "no end".into(),
            value => format!("{value} thousand"),
        });
        let hint = "Pictures seen in all, after which the run stops by itself; 0 for no end";
        ui.add(field).accessible_name("Ends at").on_hover_text(hint);
    });
    if matches!(settings.source, Source::Folder(_)) {
        row(ui, "Measured", |ui| {
            let field = DragValue::new(&mut settings.measured_kimg).range(0..=10_000u64);
            let field = field.speed(0.2).custom_formatter(|value, _| match value as u64 {
                0 => "never".into(),
                value => format!("each {value} thousand"),
            });
            let hint = "Pictures between two measurements of FID, KID and, where its networks are \
                        installed, LPIPS: 256 drawn ones beside as many real ones. \
                        The run waits meanwhile; 0 for never";
            ui.add(field).accessible_name("Measured").on_hover_text(hint);
        });
        ui.checkbox(&mut settings.anew, "Begin anew")
            .on_hover_text("Does not go on where a run with these pictures was left");
    }
    // What learns on keeps what suits it.
    if settings.base.is_none() {
        ui.collapsing("Details", |ui| details_ui(ui, settings));
    }
}

/// Generators that can learn on: id and name.
fn bases(model: &Model) -> impl Iterator<Item = (String, String)> {
    let learns = |card: &&ModelCard| card.manifest.architecture.starts_with("StyleGAN2");
    let names = |card: &ModelCard| (card.manifest.id.clone(), card.manifest.name.clone());
    model.ai.models.iter().filter(learns).map(names)
}

fn base_ui(ui: &mut Ui, model: &Model, settings: &mut LabSettings) {
    let Some(base) = &mut settings.base else { return };
    row(ui, "Learns on", |ui| {
        let name = bases(model).find(|(id, _)| id == base).map_or("none".into(), |(_, name)| name);
        let list = ComboBox::from_id_salt("base").selected_text(name).truncate();
        let list = list.width(ui.available_width() - 8.0).show_ui(ui, |ui| {
            for (id, name) in bases(model) {
                ui.selectable_value(base, id, name);
            }
        });
        let _named = list.response.accessible_name("Learns on");
    });
}

fn networks_ui(ui: &mut Ui, settings: &mut LabSettings) {
    let (mut arch, mut side) = (settings.config.arch, settings.config.side);
    row(ui, "Networks", |ui| {
        for (value, label) in [(Arch::StyleGan2, "StyleGAN2"), (Arch::Dcgan, "DCGAN")] {
            ui.selectable_value(&mut arch, value, label);
        }
    });
    row(ui, "Size", |ui| {
        for value in [32, 64, 128, 256] {
            ui.selectable_value(&mut side, value, format!("{value}"));
        }
    });
    let mut is_narrow = settings.is_narrow();
    row(ui, "Width", |ui| {
        ui.selectable_value(&mut is_narrow, true, "Narrow")
            .on_hover_text("Fewer channels: learns on a processor");
        ui.selectable_value(&mut is_narrow, false, "As published")
            .on_hover_text("Wants a graphics card");
    });
    let now = (settings.config.arch, settings.config.side, settings.is_narrow());
    if (arch, side, is_narrow) != now {
        settings.choose(arch, side, is_narrow);
    }
}

fn details_ui(ui: &mut Ui, settings: &mut LabSettings) {
    let mut loss = settings.config.loss;
    row(ui, "Loss", |ui| {
        let list = ComboBox::from_id_salt("loss").selected_text(loss.name());
        let list = list.show_ui(ui, |ui| {
            for other in Loss::ALL {
                ui.selectable_value(&mut loss, other, other.name());
            }
        });
        let _named = list.response.accessible_name("Loss");
    });
    if loss != settings.config.loss {
        settings.set_loss(loss);
    }
    let mut gamma = settings.gamma();
    row(ui, "R1", |ui| {
        let field = DragValue::new(&mut gamma).speed(0.01).range(0.0..=100.0).max_decimals(4);
        let hint = "Keeps the judge's slopes small where pictures are real; 0 leaves it out";
        ui.add(field).accessible_name("R1").on_hover_text(hint);
    });
    if gamma != settings.gamma() {
        settings.set_gamma(gamma);
    }
    if settings.config.arch == Arch::StyleGan2 {
        let mut weight = settings.path_weight();
        row(ui, "Paths", |ui| {
            let field = DragValue::new(&mut weight).speed(0.05).range(0.0..=100.0);
            let field = field.max_decimals(2);
            let hint = "Weight of path-length regularisation: codes change pictures as much \
                        everywhere. Published with 2; 0 leaves it out, and steps are faster";
            ui.add(field).accessible_name("Paths").on_hover_text(hint);
        });
        if weight != settings.path_weight() {
            settings.set_path_weight(weight);
        }
    }
    row(ui, "Batch", |ui| {
        let slider = Slider::new(&mut settings.config.batch, 4..=128);
        ui.add(slider).accessible_name("Batch").on_hover_text("Pictures of a step");
    });
    for (at, label) in ["Rate (G)", "Rate (D)"].into_iter().enumerate() {
        row(ui, label, |ui| {
            let rate = &mut settings.config.rates[at];
            let slider = Slider::new(rate, 1e-5..=1e-2).logarithmic(true).max_decimals(5);
            ui.add(slider).accessible_name(label);
        });
    }
    if settings.config.arch != Arch::Points {
        let mut adaptive = settings.is_adaptive();
        let hint = "Moves and colours what the judge sees, the more the surer it is";
        if ui.checkbox(&mut adaptive, "Adaptive augmentation").on_hover_text(hint).changed() {
            settings.config.ada =
                if adaptive { Ada::Adaptive { target: 0.6, kimg: 100.0 } } else { Ada::Off };
        }
        ui.checkbox(&mut settings.config.mirror, "Mirrored pictures, too");
    }
    ui.checkbox(&mut settings.config.spectral_norm, "Spectral norm");
    row(ui, "Seed", |ui| {
        ui.add(DragValue::new(&mut settings.config.seed)).accessible_name("Seed of the run");
    });
}

fn controls_ui(ui: &mut Ui, lab: &Lab, out: &mut Actions) {
    ui.horizontal(|ui| match &lab.phase {
        Phase::Idle => {
            if primary_button(ui, "Train", true).clicked() {
                act(out, LabAction::Start);
            }
        }
        Phase::Reading(done, total) => {
            let share = *done as f32 / (*total).max(1) as f32;
            let text = format!("{done} of {total} files");
            ui.add(egui::ProgressBar::new(share).desired_width(170.0).text(text));
            stop_ui(ui, out);
        }
        Phase::Running => {
            if ui.button("Pause").clicked() {
                act(out, LabAction::Order(Order::Pause));
            }
            stop_ui(ui, out);
        }
        Phase::Paused => {
            if primary_button(ui, "Go on", true).clicked() {
                act(out, LabAction::Order(Order::Resume));
            }
            if ui.button("Step").clicked() {
                act(out, LabAction::Order(Order::Step));
            }
            stop_ui(ui, out);
        }
        Phase::Stopping => {
            ui.spinner();
            ui.label("Writing the state…");
        }
    });
    if lab.has_weights && lab.folder.is_some() {
        ui.add_space(4.0);
        let hint = "Installs what was learnt so far and opens it in the Latent tab";
        ui.horizontal(|ui| {
            if ui.button("Use this generator").on_hover_text(hint).clicked() {
                act(out, LabAction::Use { best: false });
            }
            let hint = "The state whose pictures were nearest to real ones";
            if lab.has_best && ui.button("Use the best").on_hover_text(hint).clicked() {
                act(out, LabAction::Use { best: true });
            }
        });
    }
}

fn stop_ui(ui: &mut Ui, out: &mut Actions) {
    if ui.button("Stop").on_hover_text("Ends the run; it can be gone on with later").clicked() {
        act(out, LabAction::Order(Order::Stop));
    }
}

/// What is seen before there is anything to see.
fn empty_ui(ui: &mut Ui, lab: &Lab) {
    ui.centered_and_justified(|ui| {
        let text = match lab.phase {
            Phase::Idle => {
                "What the generator draws is seen here while it learns.\n\nA few thousand pictures \
                 of one kind are a good start; a hundred are the least."
            }
            _ => "Reading pictures…",
        };
        ui.label(RichText::new(text).color(theme::palette(ui).weak));
    });
}

fn watch_ui(ui: &mut Ui, lab: &Lab, out: &mut Actions) {
    let Some(sheet) = lab.sheet() else { return };
    status_ui(ui, lab);
    if let Some(alarm) = sheet.alarm {
        let text = RichText::new(alarm.advice()).color(theme::palette(ui).warning);
        ui.add(egui::Label::new(text).wrap());
    }
    ui.add_space(6.0);
    let width = ui.available_width();
    let left = (width * 0.58).min(ui.available_height().max(320.0) * 1.5);
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width(left);
            sheet_ui(ui, lab, sheet);
            if lab.sheets.len() > 1 {
                scrubber_ui(ui, lab, out);
            }
            ui.add_space(8.0);
            if sheet.points.is_empty() {
                heading_ui(ui, "As the judge sees them");
                note_ui(ui, "Real ones are blue, drawn ones orange; pale where it is unsure.");
                plane_ui(ui, sheet);
            } else {
                let text = "Real points are blue, drawn ones orange. The ground is blue where the \
                            judge believes in real points; the net is the plane of latents, bent.";
                note_ui(ui, text);
            }
        });
        ui.add_space(12.0);
        ui.vertical(|ui| curves_ui(ui, lab));
    });
}

fn status_ui(ui: &mut Ui, lab: &Lab) {
    let Some(report) = lab.reports.last() else { return };
    ui.horizontal(|ui| {
        let thousands = report.images as f64 / 1000.0;
        heading_ui(ui, &format!("{thousands:.1} thousand seen"));
        if let Some(pace) = lab.pace() {
            note_ui(ui, &format!("{pace:.0} a second"));
        }
        let minutes = (report.seconds / 60.0) as u64;
        note_ui(ui, &format!("{minutes} min {:02} s", report.seconds as u64 % 60));
        if let Some(left) = lab.seconds_left().filter(|_| lab.is_busy()) {
            note_ui(ui, &format!("about {} left", duration(left)));
        }
        if report.augmentation > 0.0 {
            note_ui(ui, &format!("augmentation {:.0} %", report.augmentation * 100.0));
        }
    });
}

/// Seconds in words.
fn duration(seconds: f64) -> String {
    match seconds as u64 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..5400 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Back and forth through what was drawn.
fn scrubber_ui(ui: &mut Ui, lab: &Lab, out: &mut Actions) {
    let newest = lab.sheets.len() - 1;
    let mut at = lab.at.unwrap_or(newest);
    ui.spacing_mut().slider_width = ui.available_width() - 16.0;
    let slider = Slider::new(&mut at, 0..=newest).show_value(false);
    if ui.add(slider).accessible_name("Time").changed() {
        act(out, LabAction::Look((at < newest).then_some(at)));
    }
}

fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    super::ai::row(ui, label, add);
}
