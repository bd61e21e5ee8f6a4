//! The AI tab: what networks do to the picture in front.

use eframe::egui;
use egui::{DragValue, Slider, Ui};

use super::effects::effect_ui;
use super::{note_ui, primary_button};
use crate::app::action::{Action, Actions};
use crate::app::ai::{Card, ModelCard, UpscaleOutput};
use crate::app::command::{Binding, Command};
use crate::app::dispatch::unavailable;
use crate::app::state::Model;
use crate::app::theme;
use crate::infer::plan::{MAX_TILE, MIN_TILE};
use crate::infer::upscale::SCALES;
use crate::zoo::Purpose;

pub fn ai_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    if let Some(reason) = &model.ai.refused {
        note_ui(ui, &format!("Networks cannot run: {reason}"));
        ui.add_space(8.0);
    }
    let shown = egui::Id::unique("open AI card");
    let before: Option<Card> = ui.data(|data| data.get_temp(shown));
    ui.data_mut(|data| data.insert_temp(shown, model.ai.card));
    for card in Card::ALL {
        let open = model.ai.card == card;
        let response = card_ui(ui, open, |ui| {
            if title_ui(ui, card, open).clicked() && !open {
                out.push(Action::OpenCard(card));
            }
            if open {
                ui.add_space(6.0);
                match card {
                    Card::Upscale => upscale_ui(ui, model, out),
                    card => effect_ui(ui, model, card, out),
                }
            }
        });
        // A card that a menu has opened may lie below the fold.
        if open && before != Some(card) {
            response.scroll_to_me(Some(egui::Align::TOP));
        }
        ui.add_space(6.0);
    }
}

/// The head of a card: click to open.
fn title_ui(ui: &mut Ui, card: Card, open: bool) -> egui::Response {
    let palette = theme::palette(ui);
    let size = egui::vec2(ui.available_width(), 20.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::DisclosureTriangle, true, open, card.title())
    });
    let strong = open || response.hovered() || response.has_focus();
    let color = if strong { palette.strong } else { palette.text };
    let font = egui::TextStyle::Body.resolve(ui.style());
    let painter = ui.painter();
    painter.text(rect.left_center(), egui::Align2::LEFT_CENTER, card.title(), font, color);
    // A chevron that points to where the card goes.
    let tip = rect.right_center() - egui::vec2(8.0, 0.0);
    let (along, across) = if open { ((0.0, 2.0), (4.0, 0.0)) } else { ((2.0, 0.0), (0.0, 4.0)) };
    let (along, across) = (egui::Vec2::from(along), egui::Vec2::from(across));
    let stroke = egui::Stroke::new(1.5, palette.weak);
    painter.line_segment([tip - along - across, tip + along], stroke);
    painter.line_segment([tip + along, tip - along + across], stroke);
    if open { response } else { response.on_hover_text(card.help()) }
}

/// A framed group; the one that Ctrl+Enter runs has an accent edge.
fn card_ui(ui: &mut Ui, front: bool, add: impl FnOnce(&mut Ui)) -> egui::Response {
    let palette = theme::palette(ui);
    let edge = if front { palette.accent.gamma_multiply(0.6) } else { palette.border };
    egui::Frame::NONE
        .fill(palette.bar)
        .stroke(egui::Stroke::new(1.0, edge))
        .corner_radius(6.0)
        .inner_margin(12.0)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui);
        })
        .response
}

pub(super) fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(76.0, theme::ROW), egui::Sense::hover());
        let font = egui::TextStyle::Body.resolve(ui.style());
        let color = theme::palette(ui).text;
        ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, label, font, color);
        add(ui);
    });
}

/// One line of a list of models.
pub(super) struct Entry<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub help: String,
}

impl<'a> From<&'a ModelCard> for Entry<'a> {
    fn from(card: &'a ModelCard) -> Self {
        let manifest = &card.manifest;
        let help = format!("{}\nLicence: {}", manifest.suits, manifest.licence);
        Self { id: &manifest.id, name: &manifest.name, help }
    }
}

/// The list of `models`; answers the chosen id. `None` inside is "automatic".
pub(super) fn model_ui<'a>(
    ui: &mut Ui,
    models: impl Iterator<Item = Entry<'a>>,
    label: &str,
    chosen: Option<&str>,
    shown: &str,
) -> Option<Option<String>> {
    let mut picked = None;
    let auto = chosen.is_none();
    let text = if auto { format!("Automatic: {shown}") } else { shown.to_owned() };
    let list = egui::ComboBox::from_id_salt(label)
        .selected_text(text)
        .width(ui.available_width() - 8.0)
        .truncate();
    let list = list.show_ui(ui, |ui| {
        if ui.selectable_label(auto, "Automatic").clicked() {
            picked = Some(None);
        }
        for Entry { id, name, help } in models {
            let entry = ui.selectable_label(chosen == Some(id), name).on_hover_text(help);
            if entry.clicked() {
                picked = Some(Some(id.to_owned()));
            }
        }
    });
    let _named = list.response.accessible_name(label);
    picked
}

pub(super) fn licence_ui(ui: &mut Ui, card: &ModelCard) {
    let manifest = &card.manifest;
    if !manifest.suits.is_empty() {
        note_ui(ui, &manifest.suits);
    }
    note_ui(ui, &format!("Licence: {}", manifest.licence));
    if let Some(warning) = &manifest.warning {
        let color = theme::palette(ui).warning;
        ui.add(egui::Label::new(egui::RichText::new(warning).small().color(color)).wrap());
    }
    if let Err(fault) = &card.capability {
        let color = theme::palette(ui).error;
        ui.add(egui::Label::new(egui::RichText::new(fault).small().color(color)).wrap());
    }
}

fn upscale_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let settings = &model.ai.upscale;
    let mut edited = settings.clone();
    let chosen = model.document().and_then(|document| model.ai.upscaler(document));
    row(ui, "Model", |ui| {
        let shown = chosen.map_or("none installed", |(card, _)| &card.manifest.name);
        let models = model.ai.models_for(Purpose::Upscale).map(Entry::from);
        let id = settings.model.as_deref();
        if let Some(id) = model_ui(ui, models, "Upscale model", id, shown) {
            edited.model = id;
        }
    });
    row(ui, "Scale", |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 60.0).max(60.0);
        let slider = Slider::new(&mut edited.scale, SCALES).step_by(0.25).prefix("×");
        let _named = ui.add(slider).accessible_name("Upscale factor");
    });
    row(ui, "Tile", |ui| {
        let mut own = edited.tile.is_some();
        ui.checkbox(&mut own, "Own size").on_hover_text(
            "Smaller tiles need less memory and answer a cancel sooner; larger ones are faster",
        );
        edited.tile = match (own, edited.tile) {
            (false, _) => None,
            (true, tile) => {
                let mut side = tile.unwrap_or(192);
                let field = DragValue::new(&mut side).range(MIN_TILE..=MAX_TILE).suffix(" px");
                let _named = ui.add(field).accessible_name("Tile size");
                Some(side)
            }
        };
    });
    row(ui, "Result", |ui| {
        ui.radio_value(&mut edited.output, UpscaleOutput::NewDocument, "New document");
        ui.radio_value(&mut edited.output, UpscaleOutput::WholeDocument, "This document")
            .on_hover_text("Replaces the layers by one enlarged picture");
    });
    if let Some((card, note)) = chosen {
        licence_ui(ui, card);
        if let Some(note) = note {
            note_ui(ui, note);
        }
        let estimate = model.document().and_then(|document| model.ai.estimate(card, document));
        if let Some(estimate) = estimate {
            ui.add(egui::Label::new(estimate.to_string()).wrap());
        }
    }
    ui.add_space(4.0);
    let refused = unavailable(model, Binding::Command(Command::Upscale))
        .or_else(|| chosen.is_none().then(|| "No model is installed".into()));
    run_ui(ui, "Upscale", "Run upscale", refused, Action::RunUpscale, out);
    if edited != *settings {
        out.push(Action::SetUpscale(edited));
    }
}

pub(super) fn run_ui(
    ui: &mut Ui,
    text: &str,
    label: &str,
    refused: Option<String>,
    action: Action,
    out: &mut Actions,
) {
    let response = primary_button(ui, text, refused.is_none()).accessible_name(label);
    let response = match refused {
        Some(reason) => response.on_disabled_hover_text(reason),
        None => response.on_hover_text("Ctrl+Enter runs the last used card"),
    };
    if response.clicked() {
        out.push(action);
    }
}
