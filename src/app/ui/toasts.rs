//! Notices in the lower left corner of the canvas.

use eframe::egui;
use egui::{Align2, Area, Frame, Id, Label, Margin, RichText, ScrollArea, Stroke, vec2};

use crate::app::action::{Action, Actions};
use crate::app::icons::{Icon, icon_button};
use crate::app::notify::{Level, Notice};
use crate::app::state::Model;
use crate::app::theme;

pub fn toasts_ui(ctx: &egui::Context, model: &Model, out: &mut Actions) {
    if model.notices.shown().is_empty() {
        return;
    }
    Area::new(Id::unique("notices"))
        .order(egui::Order::Foreground)
        .anchor(Align2::LEFT_BOTTOM, vec2(60.0, -40.0))
        .show(ctx, |ui| {
            ui.set_max_width(420.0);
            for notice in model.notices.shown() {
                notice_ui(ui, notice, out);
                ui.add_space(4.0);
            }
        });
}

fn notice_ui(ui: &mut egui::Ui, notice: &Notice, out: &mut Actions) {
    let palette = theme::palette(ui);
    let (icon, color) = match notice.level {
        Level::Info => (Icon::Info, palette.accent),
        Level::Warning => (Icon::Warning, palette.warning),
        Level::Error => (Icon::Warning, palette.error),
    };
    let frame = Frame::NONE
        .fill(palette.panel)
        .stroke(Stroke::new(1.0, palette.border))
        .corner_radius(6.0)
        .inner_margin(Margin::symmetric(10, 8))
        .shadow(ui.visuals().popup_shadow);
    let shown = frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(18.0), egui::Sense::hover());
            icon.paint(ui.painter(), rect, color);
            ui.vertical(|ui| {
                ui.set_max_width(320.0);
                ui.add(Label::new(RichText::new(&notice.text).color(palette.strong)).wrap());
                details_ui(ui, notice, out);
            });
            if icon_button(ui, Icon::Close, "Dismiss notice", 18.0, false, true).clicked() {
                out.push(Action::DismissNotice(notice.id));
            }
        });
    });
    let edge = shown.response.rect;
    ui.painter().vline(edge.left() + 1.0, edge.y_range().shrink(4.0), Stroke::new(2.0, color));
}

fn details_ui(ui: &mut egui::Ui, notice: &Notice, out: &mut Actions) {
    let Some(details) = &notice.details else { return };
    if notice.expanded {
        ScrollArea::vertical().max_height(160.0).show(ui, |ui| {
            ui.add(Label::new(RichText::new(details).small()).wrap().selectable(true));
        });
    }
    ui.horizontal(|ui| {
        let word = if notice.expanded { "Hide details" } else { "Details" };
        if ui.link(word).clicked() {
            out.push(Action::ToggleNotice(notice.id));
        }
        if ui.link("Copy").clicked() {
            ui.ctx().copy_text(format!("{}: {details}", notice.text));
        }
    });
}
