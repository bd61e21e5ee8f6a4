//! What an empty window offers: open, drop, recent files, a sample.

use eframe::egui;
use egui::{Align, Button, Layout, Rect, RichText, Sense, Stroke, StrokeKind, Ui, Vec2, vec2};

use super::primary_button;
use crate::app::action::{Action, Actions};
use crate::app::command::{Binding, Command};
use crate::app::dispatch::{command, unavailable};
use crate::app::icons::Icon;
use crate::app::state::Model;
use crate::app::theme;

pub fn welcome_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let palette = theme::palette(ui);
    let width = 560.0f32.min(ui.available_width() - 48.0);
    let top = ((ui.available_height() - 480.0) / 2.0).max(24.0);
    ui.add_space(top);
    ui.vertical_centered(|ui| {
        ui.set_max_width(width);
        ui.label(RichText::new("Ganvas").size(34.0).strong().color(palette.strong));
        ui.label(RichText::new("Retouch photos with your own machine").color(palette.weak));
        ui.add_space(24.0);
        drop_zone_ui(ui, width, out);
        ui.add_space(16.0);
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
            if ui.button("New picture…").clicked() {
                out.push(command(Command::New));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(&model.adapter).small().color(palette.weak));
            });
        });
        recent_ui(ui, model, width, out);
        for job in model.jobs.running().iter().filter(|job| job.shows()) {
            ui.add_space(8.0);
            ui.horizontal(|ui| super::status::job_ui(ui, job, out));
        }
    });
}

fn drop_zone_ui(ui: &mut Ui, width: f32, out: &mut Actions) {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 168.0), Sense::hover());
    let hovering = ui.input(|input| !input.raw.hovered_files.is_empty());
    let fill = if hovering { palette.accent_soft } else { palette.bar };
    ui.painter().rect_filled(rect, 10.0, fill);
    let edge = if hovering { palette.accent } else { palette.border };
    let corners = [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
        rect.left_top(),
    ];
    ui.painter().extend(egui::Shape::dashed_line(&corners, Stroke::new(1.5, edge), 6.0, 5.0));
    let icon = Rect::from_center_size(rect.center_top() + vec2(0.0, 46.0), Vec2::splat(44.0));
    Icon::Picture.paint(ui.painter(), icon, palette.weak);
    ui.scope_builder(egui::UiBuilder::new().max_rect(rect.with_min_y(icon.bottom() + 8.0)), |ui| {
        ui.vertical_centered(|ui| {
            if primary_button(ui, "   Open…   ", true).on_hover_text("Ctrl+O").clicked() {
                out.push(command(Command::Open));
            }
            ui.add_space(4.0);
            ui.label(RichText::new("or drop pictures here").color(palette.weak));
        });
    });
}

fn recent_ui(ui: &mut Ui, model: &Model, width: f32, out: &mut Actions) {
    if model.prefs.recent.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(20.0);
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        ui.label(RichText::new("Recent").strong().color(palette.strong));
        for path in model.prefs.recent.iter().take(6) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let folder = path.parent().map(|folder| folder.display().to_string());
            let (rect, response) = ui.allocate_exact_size(vec2(width, 26.0), Sense::click());
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Open {name}"))
            });
            if response.hovered() || response.has_focus() {
                ui.painter().rect_filled(rect, 4.0, palette.hover);
            }
            if response.has_focus() {
                let stroke = Stroke::new(1.0, palette.accent);
                ui.painter().rect_stroke(rect, 4.0, stroke, StrokeKind::Inside);
            }
            let font = egui::TextStyle::Body.resolve(ui.style());
            let painter = ui.painter_at(rect.shrink2(vec2(8.0, 0.0)));
            let left = rect.left_center() + vec2(8.0, 0.0);
            let drawn = painter.text(left, egui::Align2::LEFT_CENTER, name, font, palette.text);
            let small = egui::TextStyle::Small.resolve(ui.style());
            let beside = egui::pos2(drawn.right() + 12.0, rect.center().y);
            let folder = folder.unwrap_or_default();
            painter.text(beside, egui::Align2::LEFT_CENTER, folder, small, palette.weak);
            if response.clicked() {
                out.push(Action::OpenFiles(vec![path.clone()]));
            }
        }
    });
}
