//! Layers that AI cards have made, opened again; what a network's hand leaves behind.

use std::path::Path;

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use ganvas::app::{Action, App, Binding, Card, Command, EffectOutput, Found, LatentAction, Rest};
use ganvas::compose;
use ganvas::document::{Document, Generated, Layer, LayerKind};
use ganvas::io::{DigitalSource, project};
use ganvas::params::Value;
use ganvas::pixels::PixelBuf;
use ganvas::tools::{Pointer, ToolEvent};

use crate::harness::{command, editor_with_shipped, perform, settle, wait_until};

fn window(folder: &Path) -> Harness<'static, App> {
    editor_with_shipped(folder, (60, 40))
}

fn document<'a>(harness: &'a Harness<'_, App>) -> &'a Document {
    harness.state().model().document().unwrap()
}

fn flat(document: &Document) -> PixelBuf {
    compose::flatten(document, document.size.rect())
}

fn generated(layer: &Layer) -> &Generated {
    let LayerKind::Generated(generated) = &layer.kind else { panic!("{layer:?}") };
    generated
}

fn set(
    harness: &mut Harness<'_, App>,
    card: Card,
    change: impl FnOnce(&mut ganvas::app::EffectSettings),
) {
    let mut settings = harness.state().model().ai.effect(card);
    change(&mut settings);
    perform(harness, Action::SetEffect { card, settings: Box::new(settings) });
}

/// Runs a card and waits until the document has become another.
fn run(harness: &mut Harness<'_, App>, card: Card) {
    let before = document(harness).revision();
    perform(harness, Action::RunEffect(card));
    wait_until(harness, "the result", |model| {
        model.document().unwrap().revision() != before && model.jobs.running().is_empty()
    });
}

fn reopen(harness: &mut Harness<'_, App>) {
    let id = document(harness).active.unwrap();
    perform(harness, Action::Latent(LatentAction::Reopen(id)));
    harness.run_steps(30);
}

fn select_box(harness: &mut Harness<'_, App>) {
    perform(harness, Action::Start(Binding::Tool("marquee_rectangle")));
    for event in [
        ToolEvent::Press(Pointer::at(20.0, 12.0)),
        ToolEvent::Drag(Pointer::at(40.0, 28.0)),
        ToolEvent::Release(Pointer::at(40.0, 28.0)),
    ] {
        perform(harness, Action::Tool(event));
    }
}

#[test]
fn a_layer_is_opened_as_it_was_set_and_changed_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Denoise);
    set(&mut harness, Card::Denoise, |settings| {
        (settings.sigma, settings.strength) = (Some(25.0), 0.5);
    });
    run(&mut harness, Card::Denoise);
    let made = document(&harness).active_layer().unwrap().clone();
    assert_eq!(made.props.opacity, 0.5);
    // Something else lies above and the card is set to something else before the layer is opened.
    command(&mut harness, Command::NewLayer);
    set(&mut harness, Card::Denoise, |settings| {
        (settings.sigma, settings.strength) = (None, 1.0);
        settings.output = EffectOutput::InPlace;
    });
    let other = harness.state().model().ai.effect(Card::Denoise);
    perform(&mut harness, Action::Latent(LatentAction::Reopen(made.id)));
    harness.run_steps(30);
    let settings = harness.state().model().ai.effect(Card::Denoise);
    assert_eq!((settings.sigma, settings.strength), (Some(25.0), 0.5));
    assert_eq!(settings.output, EffectOutput::NewLayer);
    harness.get_by_label("Changes the layer “Denoise (ffdnet-color)”");

    set(&mut harness, Card::Denoise, |settings| {
        (settings.sigma, settings.strength) = (Some(60.0), 0.75);
    });
    run(&mut harness, Card::Denoise);
    let now = document(&harness).layer(made.id).unwrap().clone();
    assert_eq!(document(&harness).layers.len(), 3, "no second layer");
    assert_eq!(generated(&now).recipe["sigma"], 60.0);
    assert_eq!(now.props.opacity, 0.75);
    let pixels = |layer: &Layer| layer.raster_content().unwrap().image.to_buf();
    assert_ne!(pixels(&now), pixels(&made));
    // Of the photo, not of what it had become.
    perform(&mut harness, Action::Latent(LatentAction::Reopen(made.id)));
    set(&mut harness, Card::Denoise, |settings| {
        (settings.sigma, settings.strength) = (Some(25.0), 0.5);
    });
    run(&mut harness, Card::Denoise);
    assert_eq!(pixels(document(&harness).layer(made.id).unwrap()), pixels(&made));
    command(&mut harness, Command::Undo);
    assert_eq!(generated(document(&harness).layer(made.id).unwrap()).recipe["sigma"], 60.0);

    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.state().model().ai.editing.is_none());
    assert!(harness.query_by_label_contains("Changes the layer").is_none());
    assert_eq!(harness.state().model().ai.effect(Card::Denoise).output, other.output);
}

#[test]
fn what_was_removed_is_removed_otherwise_also_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    select_box(&mut harness);
    command(&mut harness, Command::RemoveObject);
    set(&mut harness, Card::Remove, |settings| {
        (settings.output, settings.seed) = (EffectOutput::NewLayer, 3);
        settings.dilate_px = 2;
    });
    run(&mut harness, Card::Remove);
    let made = document(&harness).active_layer().unwrap().clone();
    assert_eq!(DigitalSource::of(document(&harness)), None, "patches are no network");
    command(&mut harness, Command::Deselect);
    let file = folder.path().join("removed.ganvas");
    project::save(&file, document(&harness), None, &mut |_| true).unwrap();
    perform(&mut harness, Action::OpenFiles(vec![file]));
    wait_until(&mut harness, "the project", |model| model.tabs.len() == 2);
    reopen(&mut harness);
    let settings = harness.state().model().ai.effect(Card::Remove);
    assert_eq!((settings.seed, settings.dilate_px), (3, 2));
    // The same again is the same; another number is another fill.
    let pixels = |harness: &Harness<'_, App>| {
        document(harness).layers[1].raster_content().unwrap().image.to_buf()
    };
    run(&mut harness, Card::Remove);
    assert_eq!(pixels(&harness), made.raster_content().unwrap().image.to_buf());
    set(&mut harness, Card::Remove, |settings| settings.seed = 4);
    run(&mut harness, Card::Remove);
    assert_eq!(document(&harness).layers.len(), 2);
    assert_eq!(generated(&document(&harness).layers[1]).recipe["seed"], 4);
    // Painting over something else makes no use of the layer.
    assert!(harness.state().model().ai.editing.is_some());
}

#[test]
fn a_cut_out_and_another_background_are_changed_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    perform(&mut harness, Action::OpenDock(ganvas::app::Dock::Ai));
    set(&mut harness, Card::Select, |settings| {
        (settings.found, settings.rest_color) = (Found::Replace, [1.0, 0.0, 0.0]);
    });
    let photo = document(&harness).active.unwrap();
    run(&mut harness, Card::Select);
    let layers = document(&harness).layers.clone();
    assert_eq!((layers.len(), layers[1].id, document(&harness).active), (2, photo, Some(photo)));
    assert!(layers[1].mask.is_some());
    let below = |harness: &Harness<'_, App>| {
        document(harness).layers[0].raster_content().unwrap().image.pixel(3, 3)
    };
    assert_eq!(below(&harness), [255, 0, 0, 255]);
    reopen(&mut harness);
    let settings = harness.state().model().ai.effect(Card::Select);
    assert_eq!((settings.found, settings.rest_color), (Found::Replace, [1.0, 0.0, 0.0]));
    // The background stays, whatever it is, unless another is chosen.
    run(&mut harness, Card::Select);
    assert_eq!((document(&harness).layers.len(), below(&harness)), (2, [255, 0, 0, 255]));
    set(&mut harness, Card::Select, |settings| {
        (settings.rest, settings.rest_color) = (Rest::Color, [0.0, 0.0, 1.0]);
    });
    run(&mut harness, Card::Select);
    assert_eq!(document(&harness).layers.len(), 2);
    assert_eq!(below(&harness), [0, 0, 255, 255]);

    // Blurred from the start of the next one.
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    set(&mut harness, Card::Select, |settings| {
        (settings.found, settings.blur_px) = (Found::Blur, 9.0);
    });
    run(&mut harness, Card::Select);
    reopen(&mut harness);
    set(&mut harness, Card::Select, |settings| settings.blur_px = 21.0);
    run(&mut harness, Card::Select);
    let document = document(&harness);
    assert_eq!(document.layers.len(), 3);
    assert_eq!(generated(document.active_layer().unwrap()).recipe["blur_px"], 21.0);
}

#[test]
fn a_networks_hand_is_known_whatever_becomes_of_its_layer() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    let composite = Some(DigitalSource::CompositeWithTrainedAlgorithm);
    let source = |harness: &Harness<'_, App>| DigitalSource::of(document(harness));
    command(&mut harness, Command::Denoise);
    set(&mut harness, Card::Denoise, |settings| settings.output = EffectOutput::InPlace);
    assert_eq!(source(&harness), None);
    run(&mut harness, Card::Denoise);
    assert_eq!((source(&harness), document(&harness).layers.len()), (composite, 1));
    command(&mut harness, Command::Undo);
    assert_eq!(source(&harness), None);
    command(&mut harness, Command::Redo);
    assert_eq!(source(&harness), composite);
    // The export says it.
    command(&mut harness, Command::Export);
    harness.run_steps(5);
    harness.get_by_label_contains("Say that a network drew in it");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    command(&mut harness, Command::Undo);

    set(&mut harness, Card::Denoise, |settings| settings.output = EffectOutput::NewLayer);
    run(&mut harness, Card::Denoise);
    for merge in [Command::MergeDown, Command::Flatten] {
        command(&mut harness, merge);
        wait_until(&mut harness, "one layer", |model| {
            model.document().unwrap().layers.len() == 1 && model.jobs.running().is_empty()
        });
        assert_eq!(source(&harness), composite, "{merge:?}");
        let file = folder.path().join("merged.ganvas");
        project::save(&file, document(&harness), None, &mut |_| true).unwrap();
        let opened = project::open(&file).unwrap().document;
        assert_eq!(DigitalSource::of(&opened), composite, "{merge:?}");
        command(&mut harness, Command::Undo);
        assert_eq!(document(&harness).layers.len(), 2);
    }
    set(&mut harness, Card::Denoise, |settings| settings.output = EffectOutput::NewDocument);
    perform(&mut harness, Action::RunEffect(Card::Denoise));
    wait_until(&mut harness, "the document", |model| model.tabs.len() == 2);
    assert_eq!(source(&harness), composite);
}

#[test]
fn an_enlarged_picture_opens_the_card_that_enlarged_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor_with_shipped(folder.path(), (20, 12));
    let mut settings = harness.state().model().ai.upscale.clone();
    settings.model = Some("realesr-animevideov3-x4".into());
    settings.scale = 2.0;
    perform(&mut harness, Action::SetUpscale(settings.clone()));
    perform(&mut harness, Action::RunUpscale);
    wait_until(&mut harness, "the enlarged picture", |model| model.tabs.len() == 2);
    let composite = Some(DigitalSource::CompositeWithTrainedAlgorithm);
    assert_eq!(DigitalSource::of(document(&harness)), composite);
    perform(
        &mut harness,
        Action::SetUpscale(ganvas::app::UpscaleSettings {
            model: None,
            scale: 3.5,
            ..settings.clone()
        }),
    );
    reopen(&mut harness);
    let model = harness.state().model();
    assert_eq!((model.ai.card, &model.ai.upscale), (Card::Upscale, &settings));
}

#[test]
fn gathered_strokes_are_what_the_run_key_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Style);
    perform(&mut harness, Action::Start(Binding::Tool("remove")));
    perform(&mut harness, Action::SetToolParam { key: "at_once", value: Value::Bool(false) });
    perform(&mut harness, Action::SetToolParam { key: "size", value: Value::Float(8.0) });
    for event in [
        ToolEvent::Press(Pointer::at(20.0, 20.0)),
        ToolEvent::Drag(Pointer::at(26.0, 20.0)),
        ToolEvent::Release(Pointer::at(30.0, 20.0)),
    ] {
        perform(&mut harness, Action::Tool(event));
    }
    harness.run_steps(3);
    assert!(!harness.get_by_label("Run").accesskit_node().is_disabled());
    let before = flat(document(&harness));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    let revision = document(&harness).revision();
    wait_until(&mut harness, "the fill", |model| model.document().unwrap().revision() != revision);
    settle(&mut harness);
    let model = harness.state().model();
    assert!(!model.tool.is_busy(), "the strokes are used up");
    let history = model.tabs[0].session.history();
    assert_eq!(&*history.past().last().unwrap().label, "Remove");
    let after = flat(document(&harness));
    assert_eq!(after.pixel_f32(55, 35), before.pixel_f32(55, 35), "the rest is as it was");
    assert_ne!(after, before);
}

#[test]
fn scratches_are_selected_or_removed_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scratched.png");
    let picture = image::RgbImage::from_fn(240, 160, |x, y| {
        let on_line = x.abs_diff(60 + y / 2) < 2;
        image::Rgb(if on_line { [250; 3] } else { [90, 100, 80] })
    });
    picture.save(&file).unwrap();
    let mut harness = window(folder.path());
    perform(&mut harness, Action::OpenFiles(vec![file]));
    wait_until(&mut harness, "the picture", |model| model.tabs.len() == 2);
    perform(&mut harness, Action::OpenDock(ganvas::app::Dock::Ai));
    perform(&mut harness, Action::OpenCard(Card::Select));
    harness.run_steps(30);
    harness.get_by_label("What to select").click();
    harness.run_steps(5);
    harness.get_all_by_label("Scratches").last().unwrap().click();
    harness.run_steps(5);
    run(&mut harness, Card::Select);
    let selection = document(&harness).selection.clone().unwrap();
    assert_eq!((selection.pixel(100, 80)[0], selection.pixel(180, 80)[0]), (255, 0));
    command(&mut harness, Command::Deselect);
    let revision = document(&harness).revision();
    harness.get_by_label("Remove scratches").click();
    wait_until(&mut harness, "the fill", |model| {
        model.document().unwrap().revision() != revision && model.jobs.running().is_empty()
    });
    let [r, g, b, _] = flat(document(&harness)).pixel_f32(100, 80).map(|value| value * 255.0);
    assert!(r < 120.0 && g < 130.0 && b < 110.0, "{r} {g} {b}: the line is gone");
}

#[test]
fn the_layers_keep_their_thumbnails_while_the_original_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    run(&mut harness, Card::Denoise);
    let id = document(&harness).active.unwrap();
    wait_until(&mut harness, "the thumbnail", |model| model.observer.thumbs.contains_key(&id));
    perform(&mut harness, Action::ShowOriginal(true));
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        harness.step();
        assert!(harness.state().model().observer.thumbs.contains_key(&id));
    }
}
