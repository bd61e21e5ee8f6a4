//! Points in the Latent panel's picture that are dragged to where they should be.

use eframe::egui;
use egui::{Color32, Pos2, Rect, Response, Stroke, Ui};

use super::note_ui;
use crate::app::action::{Action, Actions, LatentAction};
use crate::app::latent::Latent;
use crate::app::state::Model;
use crate::latent::drag::{Place, Pull};

/// A pull shorter than this, in points, was a slip of the hand.
const SHORTEST: f32 = 4.0;
const HANDLE: Color32 = Color32::from_rgb(235, 70, 60);
const TARGET: Color32 = Color32::from_rgb(70, 140, 255);

/// Takes a pull by the pointer and draws all of them over the picture in `rect`.
pub fn points_ui(ui: &mut Ui, model: &Model, rect: Rect, response: &Response, out: &mut Actions) {
    let space = model.generator().and_then(|card| card.space.as_ref());
    let Some(space) = space.filter(|space| space.side > 1) else { return };
    let side = space.side as f32;
    let screen = |place: Place| rect.min + egui::vec2(place[0], place[1]) * (rect.width() / side);
    let picture = |pos: Pos2| {
        let inside = rect.clamp(pos) - rect.min;
        let of = |value: f32| (value / rect.width() * side).clamp(0.5, side - 0.5);
        [of(inside.x), of(inside.y)]
    };
    let running = model.latent.dragging.as_ref().is_some_and(|dragging| dragging.is_running);
    let id = response.id.with("pull");
    let begun: Option<Pos2> = ui.data(|data| data.get_temp(id));
    let pointer = response.interact_pointer_pos();
    if response.drag_started() && !running {
        let pressed = ui.input(|input| input.pointer.press_origin()).or(pointer);
        ui.data_mut(|data| data.insert_temp(id, pressed.unwrap_or(rect.center())));
    }
    if let (Some(from), Some(to)) = (begun, pointer) {
        arrow(ui, from, to);
        if response.drag_stopped() && from.distance(to) >= SHORTEST {
            let pull = Pull { handle: picture(from), target: picture(to) };
            out.push(Action::Latent(LatentAction::Pull(pull)));
        }
    }
    if !response.dragged() {
        ui.data_mut(|data| data.remove_temp::<Pos2>(id));
    }
    if let Some(dragging) = &model.latent.dragging {
        for (handle, target) in dragging.points() {
            arrow(ui, screen(handle), screen(target));
        }
    }
    response.clone().on_hover_text("Drag a point to where it should be, then press Drag points");
}

/// A point and where it should be.
fn arrow(ui: &Ui, from: Pos2, to: Pos2) {
    let painter = ui.painter();
    for (width, color) in [(3.0, Color32::from_black_alpha(140)), (1.5, Color32::WHITE)] {
        painter.line_segment([from, to], Stroke::new(width, color));
    }
    let rim = Stroke::new(1.5, Color32::WHITE);
    painter.circle(from, 4.5, HANDLE, rim);
    painter.circle(to, 4.5, TARGET, rim);
}

/// What is done with the points.
pub fn drag_ui(ui: &mut Ui, latent: &Latent, out: &mut Actions) {
    let Some(dragging) = &latent.dragging else { return };
    let mut act = |action| out.push(Action::Latent(action));
    ui.horizontal_wrapped(|ui| {
        if dragging.is_running {
            if ui.button("Pause").clicked() {
                act(LatentAction::PauseDrag);
            }
        } else {
            let text = if dragging.steps.is_empty() { "Drag points" } else { "Go on" };
            if ui.button(text).on_hover_text("Moves the red points to the blue ones").clicked() {
                act(LatentAction::Drag);
            }
            let undo = egui::Button::new("Step back");
            if ui.add_enabled(!dragging.steps.is_empty(), undo).clicked() {
                act(LatentAction::UndoDrag);
            }
            if ui.button("Clear points").clicked() {
                act(LatentAction::ForgetPulls);
            }
        }
        let mut keeps = dragging.keeps_rest;
        let about = "What lies farther from the points is held as it is";
        let begun = !dragging.steps.is_empty();
        let keep = ui.add_enabled(!begun, egui::Checkbox::new(&mut keeps, "Keep the rest"));
        if keep.on_hover_text(about).changed() {
            act(LatentAction::KeepRest(keeps));
        }
    });
    if let Some(step) = dragging.steps.last() {
        let (steps, away) = (step.steps, step.distance_px);
        note_ui(ui, &format!("{steps} steps, {away:.1} px to go"));
    }
}
