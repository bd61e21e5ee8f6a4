//! What an empty window offers: open, drop, recent files, a sample.

use std::path::Path;

use eframe::egui;
use egui::{Align, Align2, Button, Layout, Rect, RichText, Sense, Stroke, StrokeKind, Ui};
use egui::{Vec2, vec2};

use super::{heading_ui, primary_button};
use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command};
use crate::app::dispatch::{command, unavailable};
use crate::app::icons::Icon;
use crate::app::recent::Known;
use crate::app::state::Model;
use crate::app::{theme, thumbs};

/// Width of everything, in points.
const WIDTH: f32 = 640.0;
/// Recent files in a row.
const COLUMNS: usize = 4;
const GAP: f32 = 12.0;
/// Height of a thumbnail.
const THUMB: f32 = 100.0;

pub fn welcome_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let width = WIDTH.min(ui.available_width() - 48.0);
    let recent: Vec<_> = model
        .prefs
        .recent
        .iter()
        .filter(|path| !matches!(model.recent.get(path), Some(Known::Missing)))
        .take(2 * COLUMNS)
        .collect();
    let rows = recent.len().div_ceil(COLUMNS) as f32;
    let height = 330.0 + if recent.is_empty() { 0.0 } else { 48.0 + rows * (THUMB + 44.0) };
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(((ui.available_height() - height) / 2.0).max(24.0));
        let left = ((ui.available_width() - width) / 2.0).max(0.0);
        ui.horizontal(|ui| {
            ui.add_space(left);
            ui.vertical(|ui| {
                ui.set_width(width);
                title_ui(ui);
                drop_zone_ui(ui, width, out);
                ui.add_space(12.0);
                buttons_ui(ui, model, out);
                if !recent.is_empty() {
                    recent_ui(ui, model, &recent, width, out);
                }
                for job in model.jobs.running().iter().filter(|job| job.shows()) {
                    ui.add_space(8.0);
                    ui.horizontal(|ui| super::status::job_ui(ui, job, out));
                }
            });
        });
    });
}

fn title_ui(ui: &mut Ui) {
    let palette = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.label(RichText::new("Ganvas").size(34.0).strong().color(palette.strong));
        let tagline = "Retouch photos on your own machine";
        ui.label(RichText::new(tagline).color(palette.weak));
        ui.add_space(24.0);
    });
}

fn buttons_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let weak = theme::palette(ui).weak;
    ui.horizontal(|ui| {
        let sample = Binding::Command(Command::OpenSample);
        let refused = unavailable(model, sample);
        let button = ui.add_enabled(refused.is_none(), Button::new("Open sample photo"));
        let button = match refused {
            Some(reason) => button.on_disabled_hover_text(reason),
            None => button,
        };
        if button.clicked() {
            out.push(Action::Start(sample));
        }
        if ui.button("New picture…").on_hover_text("Ctrl+N").clicked() {
            out.push(command(Command::New));
        }
        if ui.button("Paste").on_hover_text("A new picture from the clipboard (Ctrl+V)").clicked() {
            out.push(command(Command::Paste));
        }
        let hint = "Teach a network to draw pictures like those of a folder";
        if ui.button("Train a generator…").on_hover_text(hint).clicked() {
            out.push(command(Command::Train));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let adapter = RichText::new(&model.adapter).small().color(weak);
            ui.label(adapter).on_hover_text("What draws this window");
        });
    });
}

fn drop_zone_ui(ui: &mut Ui, width: f32, out: &mut Actions) {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 168.0), Sense::hover());
    let hovering = ui.input(|input| !input.raw.hovered_files.is_empty());
    let fill = if hovering { palette.accent_soft } else { palette.bar };
    ui.painter().rect_filled(rect, 10.0, fill);
    let edge = if hovering { palette.accent } else { palette.weak.gamma_multiply(0.6) };
    dashed_frame(ui, rect, 10.0, Stroke::new(1.5, edge));
    let icon = Rect::from_center_size(rect.center_top() + vec2(0.0, 48.0), Vec2::splat(44.0));
    Icon::Picture.paint(ui.painter(), icon, if hovering { palette.accent } else { palette.weak });
    let inside = rect.with_min_y(icon.bottom() + 10.0);
    // Placed on what is already allocated: a child of its own, which moves nothing else.
    let mut child = ui
        .new_child(egui::UiBuilder::new().max_rect(inside).layout(Layout::top_down(Align::Center)));
    if primary_button(&mut child, "   Open…   ", true).on_hover_text("Ctrl+O").clicked() {
        out.push(command(Command::Open));
    }
    child.add_space(6.0);
    child.label(RichText::new("or drop pictures here").color(palette.weak));
}

/// A dashed rectangle with round corners.
fn dashed_frame(ui: &Ui, rect: Rect, radius: f32, stroke: Stroke) {
    const STEPS: usize = 8;
    let inner = rect.shrink(radius);
    let corners = [inner.right_bottom(), inner.left_bottom(), inner.left_top(), inner.right_top()];
    let mut path = Vec::new();
    for (corner, quarter) in corners.into_iter().zip(0..) {
        for step in 0..=STEPS {
            let turn =
                (f64::from(quarter) + step as f64 / STEPS as f64) * std::f64::consts::FRAC_PI_2;
            path.push(corner + radius * Vec2::angled(turn as f32));
        }
    }
    path.push(path[0]);
    ui.painter().extend(egui::Shape::dashed_line(&path, stroke, 6.0, 5.0));
}

fn recent_ui(
    ui: &mut Ui,
    model: &Model,
    recent: &[&std::path::PathBuf],
    width: f32,
    out: &mut Actions,
) {
    ui.add_space(24.0);
    heading_ui(ui, "Recent");
    ui.add_space(4.0);
    let side = (width - GAP * (COLUMNS - 1) as f32) / COLUMNS as f32;
    ui.spacing_mut().item_spacing = vec2(GAP, GAP);
    for row in recent.chunks(COLUMNS) {
        ui.horizontal(|ui| {
            for path in row {
                tile_ui(ui, model, path, side, out);
            }
        });
    }
}

/// A recent file: its picture, its name, and on hover where it is.
fn tile_ui(ui: &mut Ui, model: &Model, path: &Path, side: f32, out: &mut Actions) {
    let palette = theme::palette(ui);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (rect, response) = ui.allocate_exact_size(vec2(side, THUMB + 24.0), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Open {name}"))
    });
    let picture = rect.with_max_y(rect.top() + THUMB);
    let known = model.recent.get(path);
    ui.painter().rect_filled(picture, 6.0, palette.bar);
    let mut hover = path.display().to_string();
    match known {
        Some(Known::Preview(preview)) => {
            thumbs::paint(ui, picture.shrink(4.0), &preview.pixels, preview.size);
            hover = format!("{hover}\n{} px", preview.picture);
        }
        _ => {
            let icon = Rect::from_center_size(picture.center(), Vec2::splat(28.0));
            Icon::Picture.paint(ui.painter(), icon, palette.weak.gamma_multiply(0.6));
        }
    }
    let lit = response.hovered() || response.has_focus();
    let stroke =
        if lit { Stroke::new(2.0, palette.accent) } else { Stroke::new(1.0, palette.border) };
    ui.painter().rect_stroke(picture, 6.0, stroke, StrokeKind::Inside);
    let font = egui::TextStyle::Body.resolve(ui.style());
    let color = if lit { palette.strong } else { palette.text };
    let mut text = egui::text::LayoutJob::simple_singleline(name, font, color);
    text.wrap = egui::text::TextWrapping::truncate_at_width(side - 8.0);
    let galley = ui.painter().layout_job(text);
    let place = Align2::CENTER_CENTER
        .anchor_size(egui::pos2(rect.center().x, rect.bottom() - 11.0), galley.size());
    ui.painter().galley(place.min, galley, color);
    if response.on_hover_text(hover).clicked() {
        out.push(Action::OpenFiles(vec![path.to_path_buf()]));
    }
}
