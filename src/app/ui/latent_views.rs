//! Views of a code's neighbourhood: a strip of pictures, and a plane to drag in.

use eframe::egui;
use egui::Ui;

use super::note_ui;
use crate::app::action::{Action, Actions, LatentAction};
use crate::app::latent::{Latent, LatentSettings, Strip};
use crate::app::local::LatentLocal;
use crate::app::{theme, thumbs};
use crate::infer::MIN_CHOICES;
use crate::infer::protocol::Method;

/// Ends of the plane's axes in sigma.
const REACH: f32 = 3.0;
/// Buttons on a picture, in points.
const CHOICE_SIDE: f32 = 18.0;

/// The pictures that were drawn last, to choose from.
pub fn strip_ui(ui: &mut Ui, latent: &Latent, out: &mut Actions) {
    let round = match &latent.strip {
        Some((Strip::Variations { round }, _)) => round + 1,
        _ => 0,
    };
    ui.horizontal(|ui| {
        let more = if round == 0 { "Show variations" } else { "Other variations" };
        if ui.button(more).clicked() {
            out.push(Action::Latent(LatentAction::AskStrip(Strip::Variations { round })));
        }
        if let Some((Strip::Direction(name), _)) = &latent.strip {
            rename_ui(ui, name, out);
        }
    });
    let Some((_, shots)) = &latent.strip else { return };
    choices_ui(ui, latent, out);
    let space = 4.0;
    let columns = if shots.len() > 5 { 3 } else { shots.len().max(1) };
    let side = (ui.available_width() - space * (columns as f32 - 1.0)) / columns as f32;
    for line in 0..shots.len().div_ceil(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space;
            for (at, shot) in shots.iter().enumerate().skip(line * columns).take(columns) {
                let size = egui::Vec2::splat(side);
                let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
                response.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, &shot.label)
                });
                thumbs::paint(ui, rect, &shot.frame.bytes, shot.frame.size);
                if response.hovered() || response.has_focus() {
                    let stroke = egui::Stroke::new(2.0, theme::palette(ui).accent);
                    ui.painter().rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Inside);
                }
                if response.on_hover_text(format!("{}: take it", shot.label)).clicked() {
                    out.push(Action::Latent(LatentAction::TakeShot(at)));
                }
                choice_ui(ui, rect, latent.choice(shot), at, &shot.label, out);
            }
        });
    }
}

/// Two buttons in the corners of a picture: it is liked, or not.
fn choice_ui(
    ui: &mut Ui,
    picture: egui::Rect,
    said: Option<bool>,
    at: usize,
    label: &str,
    out: &mut Actions,
) {
    for (liked, sign, corner) in
        [(true, "+", picture.left_bottom()), (false, "−", picture.right_bottom())]
    {
        let side = egui::Vec2::splat(CHOICE_SIDE);
        let inwards = if liked { side.x / 2.0 + 3.0 } else { -side.x / 2.0 - 3.0 };
        let place =
            egui::Rect::from_center_size(corner + egui::vec2(inwards, -side.y / 2.0 - 3.0), side);
        let id = ui.scope_id().with(("choice", at, liked));
        let response = ui.interact(place, id, egui::Sense::click());
        let chosen = said == Some(liked);
        let name = format!("{label}: {}", if liked { "more like this" } else { "less like this" });
        response
            .widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, chosen, &name));
        let palette = theme::palette(ui);
        let (fill, text) = match (chosen, response.hovered() || response.has_focus()) {
            (true, _) => (palette.accent, palette.on_accent),
            (false, true) => (egui::Color32::from_black_alpha(190), egui::Color32::WHITE),
            (false, false) => (egui::Color32::from_black_alpha(90), egui::Color32::from_gray(210)),
        };
        ui.painter().circle_filled(place.center(), CHOICE_SIDE / 2.0, fill);
        let font = egui::FontId::proportional(13.0);
        let center = egui::Align2::CENTER_CENTER;
        ui.painter().text(place.center(), center, sign, font, text);
        if response.on_hover_text(name).clicked() {
            out.push(Action::Latent(LatentAction::Choose { at, liked }));
        }
    }
}

/// What was chosen so far, and the slider that it makes.
fn choices_ui(ui: &mut Ui, latent: &Latent, out: &mut Actions) {
    let count = |liked: bool| latent.choices.iter().filter(|choice| choice.liked == liked).count();
    let (liked, not) = (count(true), count(false));
    if liked + not == 0 {
        return note_ui(ui, "Mark pictures + and −: they make a slider from one to the other");
    }
    ui.horizontal(|ui| {
        ui.label(format!("{liked} liked, {not} not"));
        let ready = liked.min(not) >= MIN_CHOICES;
        let make = ui.add_enabled(ready, egui::Button::new("Make a slider"));
        let missing = format!("{MIN_CHOICES} of either kind are needed");
        if make.on_disabled_hover_text(missing).clicked() {
            let method = Method::Choices(latent.choices.clone());
            out.push(Action::Latent(LatentAction::FindDirections(method)));
        }
        if ui.small_button("Forget").clicked() {
            out.push(Action::Latent(LatentAction::ForgetChoices));
        }
    });
}

/// What a direction that was looked at is called; a better name is typed here.
fn rename_ui(ui: &mut Ui, name: &str, out: &mut Actions) {
    let id = egui::Id::unique(("name of", name));
    let mut text: String = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| name.to_owned());
    let field = egui::TextEdit::singleline(&mut text).desired_width(ui.available_width() - 8.0);
    let field = ui.add(field).accessible_name("Name of the slider");
    let field = field.on_hover_text("What it does: this is what the slider will be called");
    if field.lost_focus() && text.trim() != name && !text.trim().is_empty() {
        let (from, to) = (name.to_owned(), text.trim().to_owned());
        out.push(Action::Latent(LatentAction::Rename { from, to }));
    }
    ui.data_mut(|data| data.insert_temp(id, text));
}

/// Two directions, one across and one upwards; dragging moves both sliders.
pub fn plane_ui(ui: &mut Ui, names: &[&str], local: &mut LatentLocal, edited: &mut LatentSettings) {
    if names.len() < 2 {
        return note_ui(ui, "Needs two sliders");
    }
    let axes = [("Across", &mut local.across, names[0]), ("Up", &mut local.up, names[1])];
    let chosen = axes.map(|(label, axis, first)| {
        if !axis.as_deref().is_some_and(|name| names.contains(&name)) {
            *axis = Some(first.to_owned());
        }
        super::ai::row(ui, label, |ui| {
            let text = axis.clone().unwrap_or_default();
            let list = egui::ComboBox::from_id_salt(("plane", label)).selected_text(text);
            let list = list.width(ui.available_width() - 8.0).truncate();
            let list = list.show_ui(ui, |ui| {
                for name in names {
                    ui.selectable_value(axis, Some((*name).to_owned()), *name);
                }
            });
            let _named = list.response.accessible_name(format!("Plane {}", label.to_lowercase()));
        });
        axis.clone().unwrap_or_default()
    });
    let side = ui.available_width().min(220.0);
    let size = egui::Vec2::splat(side);
    let sense = egui::Sense::click_and_drag();
    let (rect, response) = ui.vertical_centered(|ui| ui.allocate_exact_size(size, sense)).inner;
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Slider, true, "Plane of two sliders")
    });
    let palette = theme::palette(ui);
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, palette.well);
    let line = egui::Stroke::new(1.0, palette.border);
    painter.hline(rect.x_range(), rect.center().y, line);
    painter.vline(rect.center().x, rect.y_range(), line);
    if let Some(at) = response.interact_pointer_pos() {
        let away = (at - rect.center()) / (side / 2.0) * REACH;
        let rounded = |value: f32| (value.clamp(-REACH, REACH) * 20.0).round() / 20.0;
        edited.turn(&chosen[0], rounded(away.x));
        edited.turn(&chosen[1], rounded(-away.y));
    }
    let away = egui::vec2(edited.strength(&chosen[0]), -edited.strength(&chosen[1]));
    let at = rect.center() + (away / REACH).clamp(-egui::Vec2::ONE, egui::Vec2::ONE) * (side / 2.0);
    painter.circle(at, 6.0, palette.accent, egui::Stroke::new(1.5, palette.strong));
}

/// The path: its pictures, and a slider from the first to the last.
pub fn path_ui(ui: &mut Ui, latent: &Latent, along: &mut f64, out: &mut Actions) {
    const SIDE: f32 = 44.0;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::splat(4.0);
        for (at, (frame, _)) in latent.path.iter().enumerate() {
            let size = egui::Vec2::splat(SIDE);
            let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
            response.widget_info(|| {
                let label = format!("Take picture {} off the path", at + 1);
                egui::WidgetInfo::labeled(egui::Role::Button, true, label)
            });
            thumbs::paint(ui, rect, &frame.bytes, frame.size);
            if response.on_hover_text("Click: take it out").clicked() {
                out.push(Action::Latent(LatentAction::TakeOffPath(at)));
            }
        }
        let ready = latent.present.is_some();
        let add = egui::Button::new("+").min_size(egui::Vec2::splat(SIDE));
        let add = ui.add_enabled(ready, add).accessible_name("Add to the path");
        if add.on_hover_text("Add the picture above").clicked() {
            out.push(Action::Latent(LatentAction::AddToPath));
        }
    });
    if latent.path.len() < 2 {
        return note_ui(ui, "Add two pictures or more, then go from one to the next");
    }
    ui.spacing_mut().slider_width = ui.available_width() - 8.0;
    let slider = egui::Slider::new(along, 0.0..=1.0).show_value(false);
    if ui.add(slider).accessible_name("Place on the path").changed() {
        out.push(Action::Latent(LatentAction::GoAlongPath(*along)));
    }
    let export = ui.button("Export path…");
    if export.on_hover_text("As GIF, APNG or numbered pictures").clicked() {
        out.push(Action::PrepareFilm);
    }
}
