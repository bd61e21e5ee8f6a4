//! The panels. Each draws from a read-only model and pushes what is asked for.

mod adjust;
mod ai;
mod canvas;
mod dialogs;
mod drop;
mod effects;
mod export;
mod film;
mod filmstrip;
mod histogram;
mod history;
mod lab;
mod lab_plots;
mod latent;
mod latent_drag;
mod latent_face;
mod latent_views;
mod layer_drag;
mod layers;
mod marker;
mod menu;
mod options;
mod overlay;
mod palette;
mod pointer;
mod preferences;
mod save;
mod shelf;
mod status;
mod tabs;
mod toasts;
mod welcome;

use eframe::egui;
use egui::{Frame, Margin, Panel, Stroke};

use super::action::{Action, Actions};
use super::icons::Icon;
use super::local::Local;
use super::state::{Dock, Model};
use super::theme;

pub use canvas::{CanvasPicture, Shot, Shown};
pub use dialogs::dialogs_ui;
pub use drop::drop_ui;
pub use toasts::toasts_ui;

/// Everything around and including the canvas.
pub fn window_ui(
    ui: &mut egui::Ui,
    model: &Model,
    local: &mut Local,
    picture: &mut dyn CanvasPicture,
    out: &mut Actions,
) {
    let palette = theme::palette(ui);
    let bar = Frame::NONE.fill(palette.bar).inner_margin(Margin::symmetric(8, 2));
    Panel::top("menu").frame(bar).show(ui, |ui| menu::menu_ui(ui, model, out));
    if model.lab.is_open {
        return lab::lab_ui(ui, model, out);
    }
    if model.tab().is_none() {
        let empty = Frame::NONE.fill(palette.panel);
        egui::CentralPanel::no_frame().frame(empty).show(ui, |ui| {
            welcome::welcome_ui(ui, model, out);
        });
        return;
    }
    if !model.panels_hidden {
        panels_ui(ui, model, local, out);
    }
    let tabs = Frame::NONE.fill(palette.bar).inner_margin(Margin::symmetric(4, 0));
    Panel::top("tabs").frame(tabs).show_separator_line(false).show(ui, |ui| {
        tabs::tabs_ui(ui, model, out);
    });
    if let Some(trial) = model.trials.open.as_ref().filter(|trial| trial.has_strip) {
        let strip = Frame::NONE.fill(palette.panel).inner_margin(Margin::symmetric(8, 6));
        let panel = Panel::bottom("variants").frame(strip).exact_size(filmstrip::HEIGHT + 12.0);
        panel.show(ui, |ui| {
            filmstrip::filmstrip_ui(ui, trial, out);
        });
    }
    let ground = Frame::NONE.fill(theme::surround(&model.prefs));
    egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| {
        canvas::canvas_ui(ui, model, &mut local.canvas, picture, out);
    });
}

fn panels_ui(ui: &mut egui::Ui, model: &Model, local: &mut Local, out: &mut Actions) {
    let palette = theme::palette(ui);
    let panel = Frame::NONE.fill(palette.panel);
    Panel::top("options")
        .frame(panel.inner_margin(Margin::symmetric(8, 4)))
        .exact_size(36.0)
        .show(ui, |ui| options::options_ui(ui, model, out));
    Panel::bottom("status")
        .frame(Frame::NONE.fill(palette.bar).inner_margin(Margin::symmetric(8, 2)))
        .exact_size(26.0)
        .show(ui, |ui| status::status_ui(ui, model, out));
    Panel::left("shelf")
        .frame(panel.inner_margin(Margin::symmetric(4, 6)))
        .exact_size(44.0)
        .resizable(false)
        .show(ui, |ui| shelf::shelf_ui(ui, model, out));
    Panel::right("dock")
        .frame(panel)
        .default_size(344.0)
        .size_range(320.0..=560.0)
        .resizable(true)
        .show(ui, |ui| dock_ui(ui, model, local, out));
}

/// The right dock: histogram, then what is being done, then layers, then history.
fn dock_ui(ui: &mut egui::Ui, model: &Model, local: &mut Local, out: &mut Actions) {
    let inner = Frame::NONE.inner_margin(Margin::symmetric(12, 8));
    // Laid out from the bottom up: the middle takes what is left.
    // While something is being prepared its controls need the room more.
    let preparing = model.draft.is_some() || model.dock != Dock::Adjust;
    if !preparing {
        Panel::bottom("history")
            .frame(inner)
            .default_size(112.0)
            .size_range(64.0..=400.0)
            .resizable(true)
            .show(ui, |ui| history::history_ui(ui, model, local, out));
    }
    let (layers, height) =
        if model.dock == Dock::Latent { ("few layers", 170.0) } else { ("layers", 250.0) };
    Panel::bottom(layers)
        .frame(Frame::NONE)
        .default_size(height)
        .size_range(120.0..=700.0)
        .resizable(true)
        .show(ui, |ui| layers::layers_ui(ui, model, local, out));
    // The Latent tab has a picture of its own to look at.
    if model.dock != Dock::Latent {
        Panel::top("histogram").frame(inner).show_separator_line(false).show(ui, |ui| {
            histogram::histogram_ui(ui, model);
        });
    }
    egui::CentralPanel::no_frame().show(ui, |ui| {
        Frame::NONE.inner_margin(Margin::symmetric(12, 0)).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                for (dock, icon, label) in [
                    (Dock::Adjust, Icon::Adjust, "Adjust"),
                    (Dock::Ai, Icon::Sparkle, "AI"),
                    (Dock::Latent, Icon::Dials, "Latent"),
                ] {
                    if dock_tab_ui(ui, icon, label, model.dock == dock) {
                        out.push(Action::OpenDock(dock));
                    }
                }
            });
        });
        ui.separator();
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(12, 4)).show(ui, |ui| match model.dock {
                Dock::Adjust => adjust::adjust_ui(ui, model, out),
                Dock::Ai => ai::ai_ui(ui, model, out),
                Dock::Latent => latent::latent_ui(ui, model, &mut local.latent, out),
            });
        });
    });
}

/// One tab of the dock: icon and name, underlined when in front.
fn dock_tab_ui(ui: &mut egui::Ui, icon: Icon, label: &str, selected: bool) -> bool {
    let palette = theme::palette(ui);
    let color = if selected { palette.strong } else { palette.weak };
    let galley = ui.painter().layout_no_wrap(
        label.to_owned(),
        egui::TextStyle::Button.resolve(ui.style()),
        color,
    );
    let size = egui::vec2(galley.size().x + 38.0, 30.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, selected, label));
    if response.hovered() && !selected {
        ui.painter().rect_filled(rect, 4.0, palette.hover.gamma_multiply(0.5));
    }
    let square = egui::Rect::from_center_size(
        egui::pos2(rect.left() + 17.0, rect.center().y),
        egui::Vec2::splat(16.0),
    );
    icon.paint(ui.painter(), square, if selected { palette.accent } else { color });
    let place = egui::pos2(rect.left() + 30.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(place, galley, color);
    if selected || response.has_focus() {
        let line = Stroke::new(2.0, palette.accent);
        ui.painter().hline(rect.x_range().shrink(4.0), rect.bottom() - 1.0, line);
    }
    response.clicked()
}

/// The file that is written, as text, and a button to choose it. Answers whether another was typed
/// and whether the button was pressed.
fn file_ui(ui: &mut egui::Ui, name: &str, width: f32, path: &mut std::path::PathBuf) -> [bool; 2] {
    let mut text = path.display().to_string();
    let field =
        egui::TextEdit::singleline(&mut text).desired_width(width).margin(Margin::symmetric(6, 4));
    let is_changed = ui.add(field).accessible_name(name).changed();
    if is_changed {
        *path = text.into();
    }
    [is_changed, ui.button("Browse…").clicked()]
}

/// A small heading within a panel.
fn heading_ui(ui: &mut egui::Ui, text: &str) {
    let color = theme::palette(ui).strong;
    ui.label(egui::RichText::new(text).strong().color(color));
}

/// Weak text that wraps.
fn note_ui(ui: &mut egui::Ui, text: &str) {
    let weak = theme::palette(ui).weak;
    ui.add(egui::Label::new(egui::RichText::new(text).small().color(weak)).wrap());
}

/// The one button of a group that matters most.
fn primary_button(ui: &mut egui::Ui, text: &str, enabled: bool) -> egui::Response {
    let palette = theme::palette(ui);
    let label = egui::RichText::new(text).color(palette.on_accent).strong();
    ui.add_enabled(enabled, egui::Button::new(label).fill(palette.accent))
}
