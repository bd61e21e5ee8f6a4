//! The Latent tab: what is drawn, its sliders, its neighbours.

use eframe::egui;
use egui::{DragValue, Slider, Ui};

use super::ai::{Entry, licence_ui, model_ui, row};
use super::latent_drag::{drag_ui, points_ui};
use super::latent_face::face_ui;
use super::latent_views::{path_ui, plane_ui, strip_ui};
use super::{note_ui, primary_button};
use crate::app::action::{Action, Actions, LatentAction};
use crate::app::ai::ModelCard;
use crate::app::icons::{Icon, icon_button};
use crate::app::latent::{Base, LatentOutput, LatentSettings, Present, Strip};
use crate::app::local::LatentLocal;
use crate::app::state::Model;
use crate::app::{theme, thumbs};
use crate::infer::protocol::Method;
use crate::latent::{Direction, Noise, Rows, Unit};
use crate::nets::LatentSpace;
use crate::portrait::Template;
use crate::zoo::{IMAGENET_CLASSES, Purpose, imagenet};

/// The picture is not drawn larger than this.
const PICTURE_SIDE: f32 = 220.0;
/// Groups of sliders, by what their directions are called.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Expression", &["smile", "mouth", "eyes", "open"]),
    ("Age and presentation", &["age", "gender", "masculine", "feminine", "presentation"]),
    ("Pose", &["yaw", "pitch", "roll", "turn", "look", "tilt"]),
    ("Found", &["sefa", "pca"]),
];
const CUSTOM: &str = "Custom";

pub fn latent_ui(ui: &mut Ui, model: &Model, local: &mut LatentLocal, out: &mut Actions) {
    if let Some(reason) = &model.ai.refused {
        return note_ui(ui, &format!("Networks cannot run: {reason}"));
    }
    let mut edited = model.latent.settings.clone();
    let Some(card) = model.generator() else {
        return note_ui(ui, "No generator is installed; drop a checkpoint on the window");
    };
    let present = model.latent.present.as_ref();
    picture_ui(ui, model, present, out);
    drag_ui(ui, &model.latent, out);
    editing_ui(ui, model, out);
    face_ui(ui, model, out);
    source_ui(ui, model, card, &mut edited, out);
    ui.add_space(6.0);
    dials_ui(ui, model, card, &mut edited, out);
    section(ui, "Variations", true, |ui| {
        strip_ui(ui, &model.latent, out);
        row(ui, "Distance", |ui| {
            ui.spacing_mut().slider_width = (ui.available_width() - 60.0).max(60.0);
            let mut percent = edited.spread * 100.0;
            let slider = Slider::new(&mut percent, 5.0..=100.0).integer().suffix(" %");
            let _named = ui.add(slider).accessible_name("Distance of variations");
            edited.spread = percent / 100.0;
        });
    });
    section(ui, "Two sliders at once", false, |ui| {
        let names: Vec<&str> = model.latent.directions(card).map(Direction::name).collect();
        plane_ui(ui, &names, local, &mut edited);
    });
    section(ui, "From picture to picture", false, |ui| {
        path_ui(ui, &model.latent, &mut local.along, out);
    });
    if let Some(space) = &card.space {
        section(ui, "Mix with another seed", false, |ui| mix_ui(ui, space, &mut edited));
        section(ui, "Advanced", false, |ui| advanced_ui(ui, card, space, &mut edited));
    }
    ui.add_space(6.0);
    row(ui, "Result", |ui| {
        ui.radio_value(&mut edited.output, LatentOutput::NewLayer, "New layer");
        ui.radio_value(&mut edited.output, LatentOutput::NewDocument, "New document");
    });
    let ready = present.is_some();
    let apply = primary_button(ui, "Apply", ready).accessible_name("Apply latent edit");
    if apply.on_hover_text("Keep this picture; a layer remembers its sliders").clicked() {
        out.push(Action::Latent(LatentAction::Apply));
    }
    if edited != model.latent.settings {
        out.push(Action::Latent(LatentAction::Set(Box::new(edited))));
    }
}

/// A part of the panel that folds.
fn section(ui: &mut Ui, title: &str, open: bool, add: impl FnOnce(&mut Ui)) {
    let color = theme::palette(ui).strong;
    let title = egui::RichText::new(title).color(color);
    egui::CollapsingHeader::new(title).default_open(open).show_unindented(ui, |ui| {
        add(ui);
        ui.add_space(4.0);
    });
}

/// The layer whose sliders these are.
fn editing_ui(ui: &mut Ui, model: &Model, out: &mut Actions) {
    let Some((tab, id)) = model.latent.editing else { return };
    let front = model.tab().filter(|front| front.id == tab);
    let Some(layer) = front.and_then(|front| front.document().layer(id)) else { return };
    ui.horizontal(|ui| {
        note_ui(ui, &format!("Changes the layer “{}”", layer.props.name));
        if ui.small_button("Make a new one").clicked() {
            out.push(Action::Latent(LatentAction::LeaveLayer));
        }
    });
}

/// What the settings draw.
fn picture_ui(ui: &mut Ui, model: &Model, present: Option<&Present>, out: &mut Actions) {
    let side = ui.available_width().min(PICTURE_SIDE);
    ui.vertical_centered(|ui| {
        let size = egui::Vec2::splat(side);
        let (rect, response) = ui.allocate_exact_size(size, egui::Sense::drag());
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, "Generated picture")
        });
        let palette = theme::palette(ui);
        ui.painter().rect_filled(rect, 6.0, palette.well);
        match present {
            Some(present) => {
                let frame = &present.frame;
                thumbs::paint(ui, rect, &frame.bytes, frame.size);
                points_ui(ui, model, rect, &response, out);
            }
            None => {
                let waiting = model.latent.refused.as_deref().unwrap_or("Drawing…");
                let font = egui::TextStyle::Small.resolve(ui.style());
                let text = ui.painter().layout(waiting.into(), font, palette.weak, side - 24.0);
                ui.painter().galley(rect.center() - text.size() / 2.0, text, palette.weak);
            }
        }
    });
    ui.add_space(6.0);
    if let (Some(reason), Some(_)) = (&model.latent.refused, present) {
        let color = theme::palette(ui).error;
        ui.add(egui::Label::new(egui::RichText::new(reason).small().color(color)).wrap());
    }
}

/// The model, the seed and how typical the result is.
fn source_ui(
    ui: &mut Ui,
    model: &Model,
    card: &ModelCard,
    edited: &mut LatentSettings,
    out: &mut Actions,
) {
    row(ui, "Model", |ui| {
        let models = model.ai.models_for(Purpose::Generate).map(Entry::from);
        let chosen = model.latent.settings.model.as_deref();
        if let Some(id) = model_ui(ui, models, "Generator", chosen, &card.manifest.name) {
            edited.model = id;
        }
    });
    row(ui, "Seed", |ui| {
        let from_seed = edited.base == Base::Seed;
        let previous = icon_button(ui, Icon::Previous, "Previous seed", 24.0, false, true);
        if previous.on_hover_text("Previous seed (Shift+Alt+R)").clicked() {
            out.push(Action::Latent(LatentAction::StepSeed(Some(-1))));
        }
        let field = DragValue::new(&mut edited.seed).range(0..=999_999_999u64).speed(0.2);
        if ui.add(field).accessible_name("Seed").changed() {
            edited.base = Base::Seed;
        }
        let next = icon_button(ui, Icon::Next, "Next seed", 24.0, false, true);
        if next.on_hover_text("Next seed").clicked() {
            out.push(Action::Latent(LatentAction::StepSeed(Some(1))));
        }
        let dice = icon_button(ui, Icon::Dice, "Random seed", 24.0, false, true);
        if dice.on_hover_text("Random seed (Shift+R)").clicked() {
            out.push(Action::Latent(LatentAction::StepSeed(None)));
        }
        if !from_seed && model.latent.face().is_none() {
            let leave = ui.small_button("Leave").on_hover_text("Back to the seed");
            if leave.clicked() {
                edited.base = Base::Seed;
            }
        }
    });
    let classes = card.space.as_ref().map_or(0, |space| space.classes) as u32;
    if classes > 0 {
        row(ui, "Class", |ui| {
            let mut own = edited.class.is_some();
            ui.checkbox(&mut own, "Own").on_hover_text("Else the seed chooses");
            let mut class = edited.class.unwrap_or(0);
            if own && classes as usize == IMAGENET_CLASSES {
                class_ui(ui, &mut class);
            } else if own {
                let field = DragValue::new(&mut class).range(0..=classes - 1).speed(0.2);
                let _named = ui.add(field).accessible_name("Class");
            }
            edited.class = own.then_some(class);
        });
    }
    row(ui, "Typicality", |ui| {
        // Truncation counts the other way: 0 is the mean picture, 1 the full variety.
        let mut typical = (1.0 - edited.psi) * 100.0;
        ui.spacing_mut().slider_width = (ui.available_width() - 60.0).max(60.0);
        let slider = Slider::new(&mut typical, 0.0..=100.0).integer().suffix(" %");
        let response = ui.add_enabled(edited.base == Base::Seed, slider);
        let response = response.on_hover_text(
            "How close to the average: 100 % is the average itself (truncation psi = 1 − typicality)",
        );
        if response.accessible_name("Typicality").changed() {
            edited.psi = 1.0 - typical / 100.0;
        }
    });
}

/// One of the classes by its name, or a part of it that no other has.
fn class_ui(ui: &mut Ui, class: &mut u32) {
    let name = |class: u32| imagenet().nth(class as usize).unwrap_or_default();
    let searched = egui::Id::unique("class searched for");
    let list = egui::ComboBox::from_id_salt("class")
        .selected_text(name(*class))
        .width(ui.available_width() - 8.0)
        .truncate()
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let list = list.show_ui(ui, |ui| {
        let mut text: String = ui.data(|data| data.get_temp(searched)).unwrap_or_default();
        let field = egui::TextEdit::singleline(&mut text).hint_text("Search");
        let _named = ui.add(field).accessible_name("Search a class");
        let part = text.to_lowercase();
        ui.data_mut(|data| data.insert_temp(searched, text));
        for (at, name) in imagenet().enumerate() {
            let fits = name.to_lowercase().contains(&part);
            if fits && ui.selectable_label(at as u32 == *class, name).clicked() {
                *class = at as u32;
                ui.close();
            }
        }
    });
    let _named = list.response.accessible_name("Class");
}

fn group_of(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let known = GROUPS.iter().find(|(_, words)| words.iter().any(|word| name.contains(word)));
    known.map_or(CUSTOM, |(group, _)| group)
}

/// The sliders, in groups.
fn dials_ui(
    ui: &mut Ui,
    model: &Model,
    card: &ModelCard,
    edited: &mut LatentSettings,
    out: &mut Actions,
) {
    let directions: Vec<&Direction> = model.latent.directions(card).collect();
    for group in GROUPS.iter().map(|(group, _)| *group).chain([CUSTOM]) {
        let members: Vec<_> = directions.iter().filter(|d| group_of(d.name()) == group).collect();
        if members.is_empty() {
            continue;
        }
        section(ui, group, true, |ui| {
            for direction in members {
                dial_ui(ui, direction, edited, out);
            }
        });
    }
    if directions.is_empty() {
        note_ui(ui, "This model came without sliders. Find some:");
    }
    ui.horizontal_wrapped(|ui| {
        let has_styles = card.space.as_ref().is_some_and(|space| space.has_w);
        let sefa = ui.add_enabled(has_styles, egui::Button::new("From the weights"));
        let sefa = sefa.accessible_name("Find directions with SeFa");
        let sefa = sefa.on_disabled_hover_text("This network has no layers that codes steer");
        if sefa.on_hover_text("SeFa: what the weights change most").clicked() {
            out.push(Action::Latent(LatentAction::FindDirections(Method::Sefa)));
        }
        let pca = ui.button("From samples").accessible_name("Find directions with PCA");
        if pca.on_hover_text("GANSpace: what 10,000 codes vary in most").clicked() {
            out.push(Action::Latent(LatentAction::FindDirections(Method::Pca)));
        }
        let faces = ui.button("By faces").accessible_name("Find directions with face networks");
        let about = "Draws 1,200 faces and learns what makes them smile, turn or look older";
        if faces.on_hover_text(about).clicked() {
            out.push(Action::Latent(LatentAction::FindDirections(Method::Faces)));
        }
        if !edited.dials.is_empty() && ui.button("Reset all").clicked() {
            edited.dials.clear();
        }
        let found = model.latent.found.contains_key(&card.manifest.sha256);
        if found && ui.button("Save…").on_hover_text("Write these sliders to a file").clicked() {
            out.push(Action::Latent(LatentAction::SaveDirections));
        }
    });
}

/// One slider: name, slider, number, back to 0.
fn dial_ui(ui: &mut Ui, direction: &Direction, edited: &mut LatentSettings, out: &mut Actions) {
    let name = direction.name();
    let mut strength = edited.strength(name);
    let moved = strength != 0.0;
    ui.horizontal(|ui| {
        let palette = theme::palette(ui);
        let size = egui::vec2(92.0, theme::ROW);
        let (rect, label) = ui.allocate_exact_size(size, egui::Sense::click());
        let color = if moved { palette.strong } else { palette.text };
        let font = egui::TextStyle::Body.resolve(ui.style());
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.text(rect.left_center(), egui::Align2::LEFT_CENTER, name, font, color);
        label.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Show {name}"))
        });
        let about = format!("{name}\nClick: from end to end in the strip below");
        if label.on_hover_text(about).clicked() {
            out.push(Action::Latent(LatentAction::AskStrip(Strip::Direction(name.into()))));
        }
        ui.spacing_mut().slider_width = (ui.available_width() - 92.0).max(60.0);
        let range = -direction.range..=direction.range;
        // Zero is in the middle: a bar from the left end would say something else.
        let slider = Slider::new(&mut strength, range).show_value(false).trailing_fill(false);
        // What was typed may lie beyond its ends.
        let slider = slider.clamping(egui::SliderClamping::Edits);
        let slider = ui.add(slider).accessible_name(name);
        if slider.double_clicked() {
            strength = 0.0;
        }
        let unit = if direction.unit == Unit::Sigma { " σ" } else { "" };
        let limit = 4.0 * direction.range;
        let number = DragValue::new(&mut strength).range(-limit..=limit).speed(0.02);
        let number = number.fixed_decimals(1).suffix(unit);
        let _named = ui
            .add_sized([48.0, theme::ROW - 4.0], number)
            .accessible_name(format!("{name} strength"));
        let reset = icon_button(ui, Icon::Reset, &format!("Reset {name}"), 20.0, false, moved);
        if reset.clicked() {
            strength = 0.0;
        }
    });
    edited.turn(name, strength);
}

fn mix_ui(ui: &mut Ui, space: &LatentSpace, edited: &mut LatentSettings) {
    let mixing = &mut edited.mixing;
    if space.rows() < 2 {
        return note_ui(ui, "This network reads one code at all layers: there is nothing to mix");
    }
    row(ui, "Mix in", |ui| {
        ui.checkbox(&mut mixing.on, "Seed");
        let field = DragValue::new(&mut mixing.seed).range(0..=999_999_999u64).speed(0.2);
        let _named = ui.add_enabled(mixing.on, field).accessible_name("Seed to mix in");
    });
    row(ui, "Layers", |ui| rows_ui(ui, space, &mut mixing.rows, "Mixed layers"));
    row(ui, "Amount", |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 60.0).max(60.0);
        let mut percent = mixing.amount * 100.0;
        let slider = Slider::new(&mut percent, 0.0..=100.0).integer().suffix(" %");
        let _named = ui.add_enabled(mixing.on, slider).accessible_name("Amount of mixing");
        mixing.amount = percent / 100.0;
    });
}

/// First and last layer, with the size of what they draw.
fn rows_ui(ui: &mut Ui, space: &LatentSpace, rows: &mut Rows, name: &str) {
    let last = space.rows().saturating_sub(1) as u16;
    let (mut first, mut to) = (rows.start.min(last), rows.end.saturating_sub(1).min(last));
    let side = |row: u16| space.row_sides.get(usize::from(row)).copied().unwrap_or(0);
    let from = DragValue::new(&mut first).range(0..=last).speed(0.05);
    let _named = ui.add(from).accessible_name(format!("{name} from"));
    ui.label("to");
    let until = DragValue::new(&mut to).range(0..=last).speed(0.05);
    let _named = ui.add(until).accessible_name(format!("{name} to"));
    let text = format!("{}–{} px", side(first), side(to));
    ui.label(egui::RichText::new(text).small().color(theme::palette(ui).weak));
    *rows = Rows::new(first, to.max(first) + 1);
}

fn advanced_ui(ui: &mut Ui, card: &ModelCard, space: &LatentSpace, edited: &mut LatentSettings) {
    if space.rows() > 1 {
        row(ui, "Layers", |ui| {
            let mut own = edited.rows.is_some();
            ui.checkbox(&mut own, "Only")
                .on_hover_text("Where sliders act; else where each is best");
            let mut rows = edited.rows.unwrap_or(Rows::new(0, space.rows() as u16));
            if own {
                rows_ui(ui, space, &mut rows, "Layers of sliders");
            }
            edited.rows = own.then_some(rows);
        });
    }
    row(ui, "Sliders", |ui| {
        ui.checkbox(&mut edited.independent, "Leave the others alone").on_hover_text(
            "Each slider avoids what the others stand for (conditional manipulation)",
        );
    });
    row(ui, "Photo", |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 90.0).max(60.0);
        let slider = Slider::new(&mut edited.editability, 0.0..=1.0).show_value(false);
        ui.label("alike");
        let _named = ui.add(slider).accessible_name("Fidelity to editability").on_hover_text(
            "Analysing: as like the photo as can be, or with a code that sliders move well",
        );
        ui.label("easy to edit");
    });
    row(ui, "Crop", |ui| {
        let about = "How faces lie in the generator's pictures: choose it before analysing";
        ui.radio_value(&mut edited.template, Template::Portrait, "Face").on_hover_text(about);
        let head = ui.radio_value(&mut edited.template, Template::Ffhq, "Head (FFHQ)");
        head.on_hover_text("For generators that learnt from FFHQ or what is aligned like it");
    });
    row(ui, "Steps", |ui| {
        let field = DragValue::new(&mut edited.steps).range(10..=5000).speed(5.0);
        let named = ui.add(field).accessible_name("Steps of the analysis");
        named.on_hover_text("More steps, more likeness, more time");
        let tuning = DragValue::new(&mut edited.tuning_steps).range(10..=2000).speed(2.0);
        let tuning = ui.add(tuning.prefix("tuning ")).accessible_name("Steps of tuning");
        tuning.on_hover_text("Steps in which Tune changes the generator");
    });
    if !space.noise.is_empty() {
        row(ui, "Noise", |ui| {
            ui.radio_value(&mut edited.noise, Noise::Const, "Fixed");
            let seeded = matches!(edited.noise, Noise::Random(_));
            if ui.radio(seeded, "Random").clicked() {
                edited.noise = Noise::Random(edited.seed);
            }
            ui.radio_value(&mut edited.noise, Noise::None, "None");
        });
    }
    licence_ui(ui, card);
}
