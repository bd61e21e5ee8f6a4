//! The cards of the AI tools that change the picture in front.

use eframe::egui;
use egui::{Slider, Ui};

use super::ai::{Entry, licence_ui, model_ui, row, run_ui};
use super::note_ui;
use crate::app::action::{Action, Actions, TrialAction};
use crate::app::ai::{Card, ModelCard};
use crate::app::command::{Binding, Command};
use crate::app::dispatch::unavailable;
use crate::app::effects::{
    EffectOutput, EffectSettings, Found, MAX_STYLES, Rest, is_search, takes_style_of_picture,
};
use crate::app::state::Model;
use crate::app::thumbs;
use crate::infer::protocol::PATCHES;
use crate::params::ParamKind;
use crate::segment::{VOC_CLASSES, What};
use crate::zoo::Purpose;

const SCRATCHES: &str = "Scratches";
/// What fills where no network does.
const FILL: &str = "Patches of the surroundings";

/// The body of an effect's card.
pub fn effect_ui(ui: &mut Ui, model: &Model, card: Card, out: &mut Actions) {
    let settings = model.ai.effect(card);
    let mut edited = settings.clone();
    let chosen = model.ai.effect_model(card);
    note_ui(ui, card.help());
    let editing = editing_ui(ui, model, card, out);
    ui.add_space(4.0);
    let automatic = match (card, chosen) {
        (Card::Remove, None) => FILL,
        (_, None) => "none installed",
        (_, Some(chosen)) => &chosen.manifest.name,
    };
    let needs_model = !(card == Card::Select && settings.scratches);
    if needs_model {
        row(ui, "Model", |ui| {
            let patches = (card == Card::Remove).then(|| Entry {
                id: PATCHES,
                name: FILL,
                help: "Needs no model; best on textures".into(),
            });
            let models = patches.into_iter().chain(model.ai.models_of(card).map(Entry::from));
            let (label, id) = (format!("{} model", card.title()), settings.model.as_deref());
            if let Some(id) = model_ui(ui, models, &label, id, automatic) {
                edited.model = id;
            }
        });
    }
    match card {
        Card::Remove => remove_ui(ui, &mut edited),
        Card::Denoise => denoise_ui(ui, chosen, &mut edited),
        Card::Style => style_ui(ui, model, chosen, &mut edited),
        Card::Select => {
            what_ui(ui, chosen, &mut edited, out);
            found_ui(ui, model, editing, &mut edited);
        }
        _ => {}
    }
    if !matches!(card, Card::Remove | Card::Select) {
        percent_ui(ui, "Strength", &mut edited.strength);
    }
    if card != Card::Select && !editing {
        row(ui, "Result", |ui| {
            let output = &mut edited.output;
            ui.radio_value(output, EffectOutput::NewLayer, "Layer");
            ui.radio_value(output, EffectOutput::InPlace, "In place");
            if card != Card::Remove {
                ui.radio_value(output, EffectOutput::NewDocument, "File");
            }
        });
    }
    if let Some(card) = chosen.filter(|_| needs_model) {
        licence_ui(ui, card);
        // What a search takes follows from its steps, not from the picture.
        let document = model.document().filter(|_| !is_search(card));
        if let Some(line) = document.and_then(|document| model.ai.estimate_change(card, document)) {
            ui.add(egui::Label::new(line.to_string()).wrap());
        }
    }
    if let Some(line) = model.document().and_then(|document| {
        let selection = document.selection.as_ref();
        let hole = selection.and_then(|selection| model.observer.extent(selection));
        let hole = hole
            .filter(|_| card == Card::Remove)
            .or((card != Card::Remove).then_some(document.size));
        model.ai.work_line(card, &settings, document.size, hole?)
    }) {
        ui.add(egui::Label::new(line).wrap());
    }
    ui.add_space(4.0);
    let selected = model.document().is_some_and(|document| document.selection.is_some());
    let unselected = (card == Card::Remove && !selected && !editing)
        .then(|| "Select what is to be removed".to_owned());
    let refused = unavailable(model, Binding::Command(Command::RemoveObject))
        .or_else(|| model.ai.effect_refused(card))
        .or(unselected);
    let run = format!("Run {}", card.title().to_lowercase());
    ui.horizontal(|ui| {
        if card.has_variants() && !chosen.is_some_and(is_search) {
            let trial = model.trials.open.as_ref().filter(|trial| trial.has_strip);
            let open = trial.is_some_and(|trial| trial.card == card);
            let button = egui::Button::selectable(open, "Variants").frame_when_inactive(true);
            let help = "Several to choose from, each shown on the picture before it is done";
            let button = ui.add_enabled(refused.is_none(), button).on_hover_text(help);
            if button.clicked() {
                let action = if open { TrialAction::Leave } else { TrialAction::Open(card) };
                out.push(Action::Trial(action));
            }
        }
        run_ui(ui, card.title(), &run, refused, Action::RunEffect(card), out);
    });
    if edited != settings {
        out.push(Action::SetEffect { card, settings: Box::new(edited) });
    }
}

/// Says which layer running the card changes; whether there is one.
fn editing_ui(ui: &mut Ui, model: &Model, card: Card, out: &mut Actions) -> bool {
    let open = model.ai.editing.as_ref().filter(|open| open.card == card);
    let layer = open.and_then(|open| {
        let front = model.tab().filter(|tab| tab.id == open.tab)?;
        front.document().layer(open.layer)
    });
    let Some(layer) = layer else { return false };
    ui.add_space(4.0);
    note_ui(ui, &format!("Changes the layer “{}”", layer.props.name));
    let button = ui.small_button("Make a new one");
    if button.on_hover_text("Leaves the layer as it is (Esc)").clicked() {
        out.push(Action::LeaveEditing);
    }
    true
}

/// Answers whether it was moved.
fn slider_ui(ui: &mut Ui, label: &str, slider: Slider<'_>) -> bool {
    let mut moved = false;
    row(ui, label, |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 64.0).max(60.0);
        moved = ui.add(slider).accessible_name(label).changed();
    });
    moved
}

/// A share in per cent, which stays as exact as it is until it is moved.
fn percent_ui(ui: &mut Ui, label: &str, share: &mut f32) {
    let mut percent = *share * 100.0;
    if slider_ui(ui, label, Slider::new(&mut percent, 0.0..=100.0).integer().suffix(" %")) {
        *share = percent / 100.0;
    }
}

fn remove_ui(ui: &mut Ui, edited: &mut EffectSettings) {
    slider_ui(ui, "Grow", Slider::new(&mut edited.dilate_px, 0..=64).suffix(" px"));
    slider_ui(ui, "Feather", Slider::new(&mut edited.feather_px, 0.0..=32.0).suffix(" px"));
    row(ui, "Variant", |ui| {
        let field = egui::DragValue::new(&mut edited.seed).range(0..=9999u64).speed(0.1);
        let _named = ui
            .add(field)
            .accessible_name("Variant")
            .on_hover_text("Another number, another fill of the same kind");
    });
}

/// What to select, where the network knows more than one thing.
fn what_ui(
    ui: &mut Ui,
    chosen: Option<&ModelCard>,
    edited: &mut EffectSettings,
    out: &mut Actions,
) {
    let capability = chosen.and_then(|card| card.capability.as_ref().ok());
    let classes = capability.map_or(1, |capability| capability.channels_out as usize);
    let is_known = |what: What| !matches!(what, What::Class(class) if class >= classes);
    if classes <= 2 || !is_known(edited.what) {
        edited.what = What::Subject;
    }
    let classes = if classes <= 2 { 0 } else { classes };
    let name = |what: What| match what {
        What::Subject => "Everything in front".to_owned(),
        What::Class(class) if classes == VOC_CLASSES.len() => VOC_CLASSES[class].to_owned(),
        What::Class(class) => format!("Class {class}"),
    };
    row(ui, "Select", |ui| {
        let text = if edited.scratches { SCRATCHES.to_owned() } else { name(edited.what) };
        let list = egui::ComboBox::from_id_salt("class to select")
            .selected_text(text)
            .width(ui.available_width() - 8.0);
        let list = list.show_ui(ui, |ui| {
            for what in std::iter::once(What::Subject).chain((0..classes).map(What::Class)) {
                let chosen = !edited.scratches && edited.what == what;
                if ui.selectable_label(chosen, name(what)).clicked() {
                    (edited.what, edited.scratches) = (what, false);
                }
            }
            let scratches = ui.selectable_label(edited.scratches, SCRATCHES);
            if scratches.on_hover_text("Thin lines of an old photo; needs no model").clicked() {
                edited.scratches = true;
            }
        });
        let _named = list.response.accessible_name("What to select");
    });
    if edited.scratches {
        percent_ui(ui, "Sensitivity", &mut edited.sensitivity);
        let button = ui.button("Remove scratches");
        if button.on_hover_text("Finds them and fills them in one go").clicked() {
            out.push(Action::RemoveScratches);
        }
    }
}

fn found_ui(ui: &mut Ui, model: &Model, editing: bool, edited: &mut EffectSettings) {
    if edited.scratches {
        return;
    }
    // A layer that is opened again stays what it is.
    if !editing {
        results_ui(ui, edited);
    }
    if edited.found == Found::Replace {
        rest_ui(ui, model, editing, edited);
    }
    if edited.found == Found::Blur {
        let slider = Slider::new(&mut edited.blur_px, 1.0..=80.0).logarithmic(true).suffix(" px");
        slider_ui(ui, "Blur", slider.fixed_decimals(0));
    }
}

/// What lies behind the subject from now on.
fn rest_ui(ui: &mut Ui, model: &Model, editing: bool, edited: &mut EffectSettings) {
    const COLOR: &str = "A colour";
    const PRESENT: &str = "The present background";
    let title = |id| model.tabs.iter().find(|tab| tab.id == id).map(|tab| tab.title.clone());
    let text = match edited.rest {
        Rest::Color => COLOR.into(),
        Rest::Picture(id) => title(id).unwrap_or_else(|| "the picture is closed".into()),
        Rest::Present => PRESENT.into(),
    };
    row(ui, "By", |ui| {
        let list = egui::ComboBox::from_id_salt("background picture")
            .selected_text(text)
            .width(ui.available_width() - 48.0)
            .truncate();
        let list = list.show_ui(ui, |ui| {
            if editing {
                ui.selectable_value(&mut edited.rest, Rest::Present, PRESENT);
            }
            ui.selectable_value(&mut edited.rest, Rest::Color, COLOR);
            for tab in &model.tabs {
                ui.selectable_value(&mut edited.rest, Rest::Picture(tab.id), &tab.title);
            }
        });
        let list = list.response.on_hover_text("A colour, or a picture that is open");
        let _named = list.accessible_name("New background");
        if edited.rest == Rest::Color {
            let mut color = edited.rest_color.map(|value| (value * 255.0).round() as u8);
            if ui.color_edit_button_srgb(&mut color).changed() {
                edited.rest_color = color.map(|value| f32::from(value) / 255.0);
            }
        }
    });
}

fn results_ui(ui: &mut Ui, edited: &mut EffectSettings) {
    row(ui, "Result", |ui| {
        ui.radio_value(&mut edited.found, Found::Selection, "Selection");
        ui.radio_value(&mut edited.found, Found::CutOut, "Cut-out")
            .on_hover_text("Masks the rest of this layer; put another picture beneath");
        ui.radio_value(&mut edited.found, Found::Blur, "Blur rest")
            .on_hover_text("A layer with the background out of focus");
    });
    row(ui, "", |ui| {
        ui.radio_value(&mut edited.found, Found::Replace, "Replace rest")
            .on_hover_text("Masks the rest and puts a colour or a picture beneath");
    });
}

/// Networks that are not told the noise have nothing to set.
fn denoise_ui(ui: &mut Ui, chosen: Option<&ModelCard>, edited: &mut EffectSettings) {
    let params =
        chosen.and_then(|card| card.capability.as_ref().ok()).map_or(&[][..], |c| c.params);
    let Some(ParamKind::Float { default, soft, .. }) =
        params.iter().find(|param| param.key == "sigma").map(|param| &param.kind)
    else {
        return;
    };
    row(ui, "Noise", |ui| {
        let mut auto = edited.sigma.is_none();
        ui.checkbox(&mut auto, "Measure").on_hover_text("Finds out how noisy the picture is");
        let mut sigma = edited.sigma.unwrap_or(*default as f32);
        if !auto {
            ui.spacing_mut().slider_width = (ui.available_width() - 56.0).max(40.0);
            let slider = Slider::new(&mut sigma, soft.0 as f32..=soft.1 as f32).fixed_decimals(0);
            let _named = ui.add(slider).accessible_name("Noise level");
        }
        edited.sigma = (!auto).then_some(sigma);
    });
}

fn style_ui(ui: &mut Ui, model: &Model, chosen: Option<&ModelCard>, edited: &mut EffectSettings) {
    if let Some(card) = chosen.filter(|card| takes_style_of_picture(card.manifest.purpose)) {
        return style_picture_ui(ui, model, card.manifest.purpose, edited);
    }
    let capability = chosen.and_then(|card| card.capability.as_ref().ok());
    let last = capability.map_or(0, |capability| capability.vector.saturating_sub(1)) as usize;
    let mut removed = None;
    for (index, (style, weight)) in edited.styles.iter_mut().enumerate() {
        row(ui, &format!("Style {}", index + 1), |ui| {
            let field = egui::DragValue::new(style).range(0..=last).speed(0.05).prefix("№ ");
            let _named = ui.add(field).accessible_name(format!("Style number {}", index + 1));
            ui.spacing_mut().slider_width = (ui.available_width() - 84.0).max(40.0);
            let slider = Slider::new(weight, 0.0..=1.0).fixed_decimals(2);
            let _named = ui.add(slider).accessible_name(format!("Weight {}", index + 1));
            if index > 0 && ui.small_button("×").on_hover_text("Take this style out").clicked() {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        edited.styles.remove(index);
    }
    if edited.styles.len() < MAX_STYLES && ui.small_button("Blend in another style").clicked() {
        let next = edited.styles.iter().map(|(style, _)| style + 1).max().unwrap_or(0);
        edited.styles.push((if next > last { 0 } else { next }, 0.5));
    }
}

fn style_picture_ui(ui: &mut Ui, model: &Model, by: Purpose, edited: &mut EffectSettings) {
    let title = |id| model.tabs.iter().find(|tab| Some(tab.id) == id).map(|tab| tab.title.clone());
    row(ui, "Style of", |ui| {
        let kept = model.ai.editing.as_ref().is_some_and(|open| open.keeps);
        let none = if kept { "the picture that was chosen" } else { "choose an open picture" };
        let text = title(edited.style_of).unwrap_or_else(|| none.into());
        let list = egui::ComboBox::from_id_salt("style picture")
            .selected_text(text)
            .width(ui.available_width() - 8.0)
            .truncate();
        let list = list.show_ui(ui, |ui| {
            for tab in &model.tabs {
                ui.selectable_value(&mut edited.style_of, Some(tab.id), &tab.title);
            }
        });
        let _named = list.response.accessible_name("Picture of the style");
    });
    if by == Purpose::Features {
        slider_ui(ui, "Steps", Slider::new(&mut edited.steps, 10..=400).logarithmic(true));
        ui.checkbox(&mut edited.keeps_colors, "Keep the picture's colours");
        if let Some(frame) = model.ai.so_far(Card::Style) {
            let width = ui.available_width();
            let height = width * frame.size[1] as f32 / frame.size[0].max(1) as f32;
            let (rect, _) = ui.allocate_exact_size(egui::vec2(width, height), egui::Sense::hover());
            thumbs::paint(ui, rect, &frame.bytes, frame.size);
        }
        return;
    }
    percent_ui(ui, "Amount", &mut edited.amount);
}
