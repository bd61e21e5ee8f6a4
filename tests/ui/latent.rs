//! The Latent panel: seeds, sliders, variations, through the window with the shipped generator.

use std::path::Path;

use eframe::egui;
use egui_kittest::Harness;
use ganvas::app::{Action, App, Command, LatentAction, Model, Strip};
use ganvas::document::LayerKind;
use ganvas::infer::protocol::Method;
use ganvas::latent::drag::Pull;
use ganvas::portrait::Recipe;

use crate::harness::{command, editor_with_shipped, perform, settle, wait_until};

/// The panel with its first picture.
fn panel(folder: &Path) -> Harness<'static, App> {
    let mut harness = editor_with_shipped(folder, (48, 32));
    command(&mut harness, Command::Generate);
    wait_until(&mut harness, "the first picture", |model| model.latent.present.is_some());
    harness
}

fn shown(harness: &Harness<'_, App>) -> Vec<u8> {
    harness.state().model().latent.present.as_ref().unwrap().frame.bytes.to_vec()
}

/// Waits for a picture that is not `before`.
fn wait_for_another(harness: &mut Harness<'_, App>, before: &[u8]) {
    wait_until(harness, "another picture", |model| {
        model.latent.present.as_ref().is_some_and(|present| **present.frame.bytes != *before)
    });
}

#[test]
fn another_seed_is_another_picture_and_the_same_seed_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let first = shown(&harness);
    perform(&mut harness, Action::Latent(LatentAction::StepSeed(Some(1))));
    wait_for_another(&mut harness, &first);
    let second = shown(&harness);
    perform(&mut harness, Action::Latent(LatentAction::StepSeed(Some(-1))));
    wait_for_another(&mut harness, &second);
    assert_eq!(shown(&harness), first);
    assert!(!harness.state().model().tabs[0].session.is_modified(), "looking changes nothing");
}

#[test]
fn what_is_drawn_becomes_a_layer_that_remembers_its_sliders() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    perform(&mut harness, Action::Latent(LatentAction::FindDirections(Method::Pca)));
    wait_until(&mut harness, "sliders", |model| !model.latent.found.is_empty());
    let before = shown(&harness);
    let mut settings = harness.state().model().latent.settings.clone();
    // Beyond the slider's end, as one may type.
    settings.turn("PCA 1", 4.5);
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    wait_for_another(&mut harness, &before);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Enter);
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let layer = harness.state().model().active_layer().unwrap().clone();
    assert!(layer.props.name.contains("PCA 1 +4.5"), "{}", layer.props.name);
    let LayerKind::Generated(generated) = &layer.kind else { panic!("{layer:?}") };
    let recipe = Recipe::from_json(&generated.recipe).unwrap().unwrap();
    assert_eq!(recipe.stack.edits.len(), 1);
    assert_eq!(recipe.stack.edits[0].strength, 4.5);
    // Opened again, the slider stands where it stood, and applying changes the same layer.
    let drawn = shown(&harness);
    perform(&mut harness, Action::Latent(LatentAction::StepSeed(None)));
    wait_for_another(&mut harness, &drawn);
    perform(&mut harness, Action::Latent(LatentAction::Reopen(layer.id)));
    wait_until(&mut harness, "the layer's picture", |model| {
        model.latent.present.as_ref().is_some_and(|present| *present.frame.bytes == drawn)
    });
    let mut settings = harness.state().model().latent.settings.clone();
    assert_eq!(settings.strength("PCA 1"), 4.5);
    settings.turn("PCA 1", -1.0);
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    wait_for_another(&mut harness, &drawn);
    perform(&mut harness, Action::Latent(LatentAction::Apply));
    wait_until(&mut harness, "the changed layer", |model| {
        model.active_layer().unwrap().props.name.contains("PCA 1 -1.0")
    });
    assert_eq!(harness.state().model().document().unwrap().layers.len(), 2);
    command(&mut harness, Command::Undo);
    assert_eq!(*harness.state().model().active_layer().unwrap().props.name, *layer.props.name);
    command(&mut harness, Command::Undo);
    assert_eq!(harness.state().model().document().unwrap().layers.len(), 1);
}

#[test]
fn a_variation_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let first = shown(&harness);
    perform(&mut harness, Action::Latent(LatentAction::AskStrip(Strip::Variations { round: 0 })));
    wait_until(&mut harness, "variations", |model| model.latent.strip.is_some());
    settle(&mut harness);
    harness.run_steps(4);
    perform(&mut harness, Action::Latent(LatentAction::TakeShot(1)));
    wait_for_another(&mut harness, &first);
    // The picture that was clicked is the one that is shown.
    let model = harness.state().model();
    let (_, shots) = model.latent.strip.as_ref().unwrap();
    assert_eq!(*shots[1].frame.bytes, shown(&harness));
}

#[test]
fn a_face_is_analysed_edited_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces/astronaut.jpg");
    perform(&mut harness, Action::OpenFiles(vec![fixture]));
    wait_until(&mut harness, "the portrait opens", |model| model.tabs.len() == 2);
    let before = harness.state().model().document().unwrap().clone();
    let mut settings = harness.state().model().latent.settings.clone();
    settings.steps = 12;
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Latent(LatentAction::FindDirections(Method::Sefa)));
    wait_until(&mut harness, "sliders", |model| !model.latent.found.is_empty());
    perform(&mut harness, Action::Latent(LatentAction::Analyse));
    wait_until(&mut harness, "the face", |model| model.latent.face().is_some());
    let mut settings = harness.state().model().latent.settings.clone();
    settings.turn("SeFa 1", 2.0);
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    // The canvas shows the edit, the document does not know it yet.
    wait_until(&mut harness, "the preview", |model| model.latent_preview().is_some());
    assert_eq!(harness.state().model().document().unwrap().revision(), before.revision());
    perform(&mut harness, Action::Latent(LatentAction::Apply));
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let layer = harness.state().model().active_layer().unwrap().clone();
    let LayerKind::Generated(generated) = &layer.kind else { panic!("{layer:?}") };
    let place = Recipe::from_json(&generated.recipe).unwrap().unwrap().place.unwrap();
    // Outside of the crop nothing is covered.
    let covered = generated.raster.bounds();
    assert!(place.crop.bounds().contains_rect(covered), "{covered:?}");
    let pixels = generated.raster.image.to_buf();
    let changed = (0..pixels.size().width)
        .flat_map(|x| (0..pixels.size().height).map(move |y| (x, y)))
        .filter(|&(x, y)| pixels.pixel_f32(x, y)[3] > 0.0)
        .count();
    assert!(changed > 100, "{changed} pixels changed");
    // Opened again, the slider still moves the face.
    perform(&mut harness, Action::Latent(LatentAction::LeavePhoto));
    perform(&mut harness, Action::Latent(LatentAction::Reopen(layer.id)));
    wait_until(&mut harness, "the face again", |model| model.latent.face().is_some());
    let mut settings = harness.state().model().latent.settings.clone();
    assert_eq!(settings.strength("SeFa 1"), 2.0);
    settings.turn("SeFa 1", -2.0);
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Latent(LatentAction::Apply));
    wait_until(&mut harness, "the other edit", |model| {
        model.active_layer().unwrap().props.name.contains("-2.0")
    });
    let model = harness.state().model();
    assert_eq!(model.document().unwrap().layers.len(), 2);
    let LayerKind::Generated(again) = &model.active_layer().unwrap().kind else { panic!() };
    assert_ne!(again.raster.image.to_buf(), pixels);
}

#[test]
fn a_tuned_face_is_kept_by_the_project_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces/astronaut.jpg");
    perform(&mut harness, Action::OpenFiles(vec![fixture]));
    wait_until(&mut harness, "the portrait opens", |model| model.tabs.len() == 2);
    let mut settings = harness.state().model().latent.settings.clone();
    (settings.steps, settings.tuning_steps) = (12, 20);
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Latent(LatentAction::Analyse));
    wait_until(&mut harness, "the face", |model| model.latent.face().is_some());
    let found =
        |harness: &Harness<'_, App>| harness.state().model().latent.face().unwrap().found.clone();
    let rough = found(&harness);
    settle(&mut harness);
    let before = shown(&harness);
    perform(&mut harness, Action::Latent(LatentAction::Tune));
    wait_until(&mut harness, "some steps", |model| !model.jobs.running().is_empty());
    wait_until(&mut harness, "the tuned face", |model| {
        model.latent.face().is_some_and(|photo| photo.found.tuning.is_some())
    });
    let tuned = found(&harness);
    assert!(tuned.fidelity_db > rough.fidelity_db + 1.0, "{}", tuned.fidelity_db);
    assert_eq!(tuned.code.w(), rough.code.w(), "the code stays");
    // The panel draws with the tuned generator, and the layer keeps it.
    wait_until(&mut harness, "its picture", |model| {
        let present = model.latent.present.as_ref();
        present.is_some_and(|present| present.code.tuning() == tuned.code.tuning())
    });
    let drawn = shown(&harness);
    perform(&mut harness, Action::Latent(LatentAction::Apply));
    wait_until(&mut harness, "the layer", |model| model.document().unwrap().layers.len() == 2);
    let layer = harness.state().model().active_layer().unwrap().clone();
    assert_eq!(layer.attachment(), Some(tuned.tuning.as_ref().unwrap().file()));
    let path = folder.path().join("tuned.ganvas");
    let document = harness.state().model().document().unwrap().clone();
    ganvas::io::project::save(&path, &document, None, &mut |_| true).unwrap();
    perform(&mut harness, Action::Latent(LatentAction::LeavePhoto));
    perform(&mut harness, Action::OpenFiles(vec![path]));
    wait_until(&mut harness, "the project opens", |model| model.tabs.len() == 3);
    let layer = harness.state().model().document().unwrap().layers[1].id;
    perform(&mut harness, Action::Latent(LatentAction::Reopen(layer)));
    wait_until(&mut harness, "the face again", |model| model.latent.face().is_some());
    assert_eq!(found(&harness).tuning, tuned.tuning);
    let away = |bytes: &[u8]| {
        let pairs = bytes.iter().zip(&drawn);
        pairs.map(|(new, old)| new.abs_diff(*old)).max().filter(|_| bytes.len() == drawn.len())
    };
    assert!(away(&before).is_some_and(|away| away > 4), "the tuned face is another one");
    wait_until(&mut harness, "the same picture", |model| {
        let present = model.latent.present.as_ref();
        present.and_then(|present| away(&present.frame.bytes)).is_some_and(|away| away <= 1)
    });
    command(&mut harness, Command::Undo);
}

#[test]
fn what_is_liked_makes_a_slider() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let shots = |harness: &Harness<'_, App>| {
        let latent = &harness.state().model().latent;
        latent.strip.as_ref().map_or(0, |(_, shots)| shots.len())
    };
    perform(&mut harness, Action::Latent(LatentAction::AskStrip(Strip::Variations { round: 0 })));
    wait_until(&mut harness, "variations", |model| model.latent.strip.is_some());
    for at in 0..shots(&harness) {
        perform(&mut harness, Action::Latent(LatentAction::Choose { at, liked: at < 3 }));
    }
    let chosen = harness.state().model().latent.choices.clone();
    assert_eq!(chosen.iter().filter(|choice| choice.liked).count(), 3);
    // Said again, it is taken back.
    perform(&mut harness, Action::Latent(LatentAction::Choose { at: 0, liked: true }));
    assert_eq!(harness.state().model().latent.choices.len(), chosen.len() - 1);
    perform(&mut harness, Action::Latent(LatentAction::Choose { at: 0, liked: true }));
    let method = Method::Choices(harness.state().model().latent.choices.clone());
    perform(&mut harness, Action::Latent(LatentAction::FindDirections(method)));
    wait_until(&mut harness, "the slider", |model| !model.latent.found.is_empty());
    let latent = &harness.state().model().latent;
    let liked = latent.found.values().next().unwrap().get("Liked").unwrap().clone();
    // What is liked lies further along it than what is not.
    let along = |liked_ones: bool| {
        let ones = latent.choices.iter().filter(|choice| choice.liked == liked_ones);
        let dot = |row: &[f32]| row.iter().zip(liked.vector()).map(|(a, b)| a * b).sum::<f32>();
        let places: Vec<f32> =
            ones.map(|choice| choice.code.w().chunks(liked.dim()).map(dot).sum()).collect();
        places
    };
    let least = along(true).into_iter().fold(f32::INFINITY, f32::min);
    let most = along(false).into_iter().fold(f32::NEG_INFINITY, f32::max);
    assert!(least > most, "{least} {most}");
}

#[test]
fn one_of_several_faces_is_chosen_and_refined() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces/astronaut.jpg");
    let face = image::open(fixture).unwrap().to_rgb8();
    let (width, height) = face.dimensions();
    let mut pair = image::RgbImage::new(width * 2, height);
    image::imageops::overlay(&mut pair, &face, 0, 0);
    image::imageops::overlay(&mut pair, &face, width.into(), 0);
    let file = folder.path().join("pair.png");
    pair.save(&file).unwrap();
    perform(&mut harness, Action::OpenFiles(vec![file]));
    wait_until(&mut harness, "the pair opens", |model| model.tabs.len() == 2);
    let mut settings = harness.state().model().latent.settings.clone();
    settings.steps = 10;
    perform(&mut harness, Action::Latent(LatentAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Latent(LatentAction::Analyse));
    wait_until(&mut harness, "a face", |model| model.latent.face().is_some());
    let photo = harness.state().model().latent.face().unwrap().clone();
    assert_eq!(photo.faces.len(), 2);
    let other = 1 - photo.face;
    perform(&mut harness, Action::Latent(LatentAction::TakeFace(other)));
    wait_until(&mut harness, "the other face", |model| {
        model.latent.face().is_some_and(|photo| photo.face == other)
    });
    let first = harness.state().model().latent.face().unwrap().found.clone();
    perform(&mut harness, Action::Latent(LatentAction::Refine));
    let code = first.code.clone();
    wait_until(&mut harness, "a better code", |model| {
        model.latent.face().is_some_and(|photo| photo.found.code != code)
    });
    let refined = harness.state().model().latent.face().unwrap().clone();
    assert_eq!(refined.face, other, "the same face");
    assert!(refined.found.fidelity_db > first.fidelity_db, "{}", refined.found.fidelity_db);
}

#[test]
fn points_are_dragged_paused_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = panel(folder.path());
    let first = shown(&harness);
    let steps = |model: &Model| model.latent.dragging.as_ref().map_or(0, |d| d.steps.len());
    let running = |model: &Model| model.latent.dragging.as_ref().is_some_and(|d| d.is_running);
    let pull = Pull { handle: [24.0, 40.0], target: [31.0, 40.0] };
    perform(&mut harness, Action::Latent(LatentAction::Pull(pull)));
    perform(&mut harness, Action::Latent(LatentAction::Drag));
    assert!(running(harness.state().model()));
    wait_until(&mut harness, "some steps", |model| steps(model) >= 3);
    perform(&mut harness, Action::Latent(LatentAction::PauseDrag));
    wait_until(&mut harness, "the pause", |model| !running(model));
    settle(&mut harness);
    let model = harness.state().model();
    let last = model.latent.dragging.as_ref().unwrap().steps.last().unwrap().clone();
    assert_eq!(*model.latent.present.as_ref().unwrap().code, last.code, "it is what is edited");
    assert_ne!(shown(&harness), first);
    assert!(last.distance_px < 7.0, "{}", last.distance_px);
    // One step back, then on again, then all of them.
    let count = steps(harness.state().model());
    perform(&mut harness, Action::Latent(LatentAction::UndoDrag));
    assert_eq!(steps(harness.state().model()), count - 1);
    perform(&mut harness, Action::Latent(LatentAction::Drag));
    wait_until(&mut harness, "another step", |model| steps(model) > count - 1);
    perform(&mut harness, Action::Latent(LatentAction::PauseDrag));
    wait_until(&mut harness, "the pause", |model| !running(model));
    while steps(harness.state().model()) > 0 {
        perform(&mut harness, Action::Latent(LatentAction::UndoDrag));
    }
    wait_until(&mut harness, "the first picture", |model| {
        model.latent.present.as_ref().is_some_and(|present| *present.frame.bytes == first)
    });
    assert!(!harness.state().model().tabs[0].session.is_modified());
}
