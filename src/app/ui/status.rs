//! The status bar: short facts of stable width, and the jobs.

use eframe::egui;
use egui::{Align, DragValue, Layout, ProgressBar, Ui};

use super::tabs::percent;
use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command};
use crate::app::icons::{Icon, icon_button};
use crate::app::jobs::Job;
use crate::app::state::Model;
use crate::app::theme;
use crate::infer::plan::Seconds;

pub fn status_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let Some(tab) = model.tab() else { return };
    let document = tab.document();
    let weak = theme::palette(ui).weak;
    ui.horizontal_centered(|ui| {
        ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
        ui.spacing_mut().interact_size.y = 20.0;
        let mut zoom = f64::from(tab.view.zoom) * 100.0;
        let field = DragValue::new(&mut zoom)
            .range(0.5..=6400.0)
            .speed(0.5)
            .max_decimals(1)
            .custom_formatter(|value, _| percent(value as f32 / 100.0))
            .custom_parser(|text| text.trim_end_matches('%').trim().parse().ok());
        if ui.add(field).accessible_name("Zoom").on_hover_text("Zoom").changed() {
            out.push(Action::SetZoom(zoom as f32 / 100.0));
        }
        ui.separator();
        let megapixels = document.size.pixels() as f64 / 1e6;
        ui.label(format!("{} px · {megapixels:.1} MP", document.size));
        ui.separator();
        ui.label(format!("{} bit · {}", document.depth.bits(), document.profile.name));
        let selection = document.selection.as_ref();
        if let Some(extent) = selection.and_then(|selection| model.observer.extent(selection)) {
            ui.separator();
            ui.label(format!("Selection {extent}"));
        }
        ui.separator();
        cursor_ui(ui, model, weak);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut jobs = model.jobs.running().iter().filter(|job| job.shows());
            // The one that runs; those after it wait in the list.
            let Some(first) = jobs.next() else { return };
            let waiting: Vec<&Job> = jobs.collect();
            if !waiting.is_empty() {
                queue_ui(ui, first, &waiting, out);
            }
            job_ui(ui, first, out);
        });
    });
}

/// All jobs, behind a button that counts them.
fn queue_ui(ui: &mut Ui, first: &Job, waiting: &[&Job], out: &mut Actions) {
    let queue = ui.menu_button(format!("{} more", waiting.len()), |ui| {
        for job in std::iter::once(&first).chain(waiting) {
            ui.horizontal(|ui| job_ui(ui, job, out));
        }
        ui.separator();
        let all = Binding::Command(Command::CancelJobs);
        if ui.button("Cancel all").on_hover_text(all.help()).clicked() {
            out.push(Action::Start(all));
            ui.close();
        }
    });
    let _named = queue.response.accessible_name("Queue");
}

fn cursor_ui(ui: &mut Ui, model: &Model, weak: egui::Color32) {
    let Some(at) = model.cursor else {
        ui.label(egui::RichText::new("x –  y –").color(weak).monospace());
        return;
    };
    let place = format!("x {:>5}  y {:>5}", at.x.floor(), at.y.floor());
    ui.label(egui::RichText::new(place).monospace());
    if let Some([r, g, b, a]) = model.observer.sample {
        let max = model.document().map_or(255.0, |document| f32::from(document.depth.max()));
        let [r, g, b] = [r, g, b].map(|value| (value * max).round() as u32);
        let text = format!("R {r:>3}  G {g:>3}  B {b:>3}  A {:>3.0} %", a * 100.0);
        ui.label(egui::RichText::new(text).monospace());
    }
}

/// Name, stage, bar, time left and a cross.
pub fn job_ui(ui: &mut Ui, job: &Job, out: &mut Actions) {
    let label = format!("Cancel {}", job.name);
    let enabled = !job.is_cancelling();
    if icon_button(ui, Icon::Close, &label, 18.0, false, enabled)
        .on_hover_text(label.as_str())
        .clicked()
    {
        out.push(Action::CancelJob(job.id));
    }
    match job.fraction {
        Some(fraction) => {
            ui.add(ProgressBar::new(fraction).desired_width(90.0).desired_height(8.0));
        }
        None => {
            ui.add(egui::Spinner::new().size(12.0));
        }
    }
    ui.label(describe(job));
}

fn describe(job: &Job) -> String {
    if job.is_cancelling() {
        return format!("{}: cancelling", job.name);
    }
    let mut text = job.name.clone();
    if !job.stage.is_empty() {
        text = format!("{text}: {}", job.stage);
    }
    if let Some(seconds) = job.seconds_left() {
        text = format!("{text}, {} left", Seconds(seconds));
    }
    text
}
