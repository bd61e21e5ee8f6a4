//! Saving and opening projects, and what happens to changes when a document is closed.

use std::path::{Path, PathBuf};

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use ganvas::app::{Action, App, Command, Setup};
use ganvas::compose;
use ganvas::document::{Document, LayerKind};
use ganvas::io::project;
use ganvas::pixels::PixelBuf;

use crate::harness::{command, editor_with, perform, settle, tiny_png, wait_until};

fn document<'a>(harness: &'a Harness<'_, App>) -> &'a Document {
    harness.state().model().document().unwrap()
}

fn flat(document: &Document) -> PixelBuf {
    compose::flatten(document, document.size.rect())
}

fn is_modified(harness: &Harness<'_, App>) -> bool {
    harness.state().model().tab().unwrap().session.is_modified()
}

/// A click, what it asks for, and a dialog that first measures itself.
fn steps(harness: &mut Harness<'_, App>) {
    (0..4).for_each(|_| harness.step());
}

fn press(harness: &mut Harness<'_, App>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    steps(harness);
}

/// A picture with an adjustment layer that has a mask, painted on.
fn window(folder: &Path) -> Harness<'static, App> {
    let picture = tiny_png(folder, 48, 32);
    let setup =
        Setup { prefs_file: Some(folder.join("preferences.json")), ..Setup::bare(vec![picture]) };
    let mut harness = editor_with(setup);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    harness.get_by_label("Levels").click();
    steps(&mut harness);
    harness.get_by_label("Gamma value").set_value_accesskit(2.0);
    steps(&mut harness);
    harness.get_by_label("As adjustment layer").click();
    steps(&mut harness);
    harness.get_by_label("Add mask").click();
    steps(&mut harness);
    settle(&mut harness);
    perform(&mut harness, Action::Start(ganvas::app::Binding::Tool("brush")));
    let middle = harness.get_by_label("Canvas: tiny.png").rect().center();
    harness.hover_at(middle);
    harness.step();
    harness.drag_at(middle);
    harness.step();
    harness.drop_at(middle);
    steps(&mut harness);
    settle(&mut harness);
    harness
}

/// Writes `file` into the save dialog and confirms.
fn save_as(harness: &mut Harness<'_, App>, file: &Path) {
    harness.get_by_label("Project file").set_text_value_accesskit(&file.display().to_string());
    steps(harness);
    harness.get_by_label("Save").click();
    steps(harness);
    settle(harness);
}

fn gamma(harness: &Harness<'_, App>) -> f64 {
    match &harness.state().model().active_layer().unwrap().kind {
        LayerKind::Adjustment(adjustment) => adjustment.params.float("gamma"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_saved_project_opens_as_the_same_picture_and_stays_editable() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    let before = document(&harness).clone();
    let mask = before.active_layer().unwrap().mask.as_ref().unwrap().image.pixel(24, 16)[0];
    assert!(mask < 64, "the brush has painted: {mask}");
    assert!(is_modified(&harness));
    assert!(harness.query_by_label_contains("tiny.png*").is_some());

    // The first save asks where, beside the picture.
    press(&mut harness, Modifiers::COMMAND, Key::S);
    let file = folder.path().join("tiny.ganvas");
    let proposed = harness.get_by_label("Project file").accesskit_node().value();
    assert_eq!(proposed.as_deref(), Some(&*file.display().to_string()));
    harness.get_by_label("Save").click();
    steps(&mut harness);
    settle(&mut harness);
    assert!(!is_modified(&harness));
    let tab = harness.state().model().tab().unwrap();
    assert_eq!((tab.title.as_str(), tab.path.as_deref()), ("tiny.ganvas", Some(&*file)));
    assert!(harness.query_by_label_contains("tiny.ganvas @").is_some(), "no star");
    assert_eq!(harness.state().model().prefs.recent.first(), Some(&file));

    command(&mut harness, Command::Close);
    wait_until(&mut harness, "it closes unasked", |model| model.tabs.is_empty());
    perform(&mut harness, Action::OpenFiles(vec![file.clone()]));
    wait_until(&mut harness, "the project opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    assert!(flat(document(&harness)) == flat(&before));
    assert_eq!(document(&harness).layer_count(), before.layer_count());
    let made_of = harness.state().model().tab().unwrap().made_of.clone();
    assert_eq!(made_of, Some(folder.path().join("tiny.png")));

    // The sliders still move; the second save asks nothing.
    assert_eq!(gamma(&harness), 2.0);
    harness.get_by_label("Gamma value").set_value_accesskit(0.5);
    steps(&mut harness);
    settle(&mut harness);
    assert!(flat(document(&harness)) != flat(&before));
    assert!(is_modified(&harness));
    press(&mut harness, Modifiers::COMMAND, Key::S);
    settle(&mut harness);
    assert!(harness.query_by_label("Project file").is_none());
    assert!(!is_modified(&harness));
    let saved = project::open(&file).unwrap();
    assert!(flat(&saved.document) == flat(document(&harness)));
    assert_eq!(saved.original, made_of);

    // Taking the step back is a change again, and taking it back once more is none.
    command(&mut harness, Command::Undo);
    assert!(is_modified(&harness));
    command(&mut harness, Command::Redo);
    assert!(!is_modified(&harness));
}

#[test]
fn saving_as_goes_to_another_file_and_exporting_is_no_saving() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Save);
    steps(&mut harness);
    save_as(&mut harness, &folder.path().join("first.ganvas"));
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    // The extension comes of itself.
    save_as(&mut harness, &folder.path().join("second"));
    let second = folder.path().join("second.ganvas");
    assert_eq!(harness.state().model().tab().unwrap().path, Some(second.clone()));
    assert!(project::open(&folder.path().join("first.ganvas")).is_ok());
    assert!(project::open(&second).is_ok());

    perform(&mut harness, Action::Start(ganvas::app::Binding::Command(Command::NewLayer)));
    settle(&mut harness);
    assert!(is_modified(&harness));
    command(&mut harness, Command::Export);
    steps(&mut harness);
    let flat_file = folder.path().join("flat.png");
    harness.get_by_label("Export file").set_text_value_accesskit(&flat_file.display().to_string());
    steps(&mut harness);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    settle(&mut harness);
    assert!(image::open(&flat_file).is_ok());
    assert!(is_modified(&harness), "layers are not in the flat picture");
    // What is shown as a layer elsewhere is opened as what it is.
    perform(&mut harness, Action::PlaceFiles(vec![folder.path().join("first.ganvas")]));
    wait_until(&mut harness, "the project opens", |model| model.tabs.len() == 2);
}

#[test]
fn closing_asks_save_dont_save_or_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Close);
    steps(&mut harness);
    harness.get_by_label("Save tiny.png before closing?");
    harness.get_by_label("Cancel").click();
    steps(&mut harness);
    assert_eq!(harness.state().model().tabs.len(), 1);

    // Saving into a folder that does not exist fails and closes nothing.
    command(&mut harness, Command::Close);
    steps(&mut harness);
    harness.get_by_label("Save…").click();
    steps(&mut harness);
    save_as(&mut harness, &folder.path().join("none/there.ganvas"));
    assert_eq!(harness.state().model().tabs.len(), 1);
    assert!(is_modified(&harness));

    command(&mut harness, Command::Close);
    steps(&mut harness);
    harness.get_by_label("Save…").click();
    steps(&mut harness);
    let file = folder.path().join("kept.ganvas");
    save_as(&mut harness, &file);
    wait_until(&mut harness, "it is saved and closed", |model| model.tabs.is_empty());
    assert!(project::open(&file).is_ok());

    // Of a project that has a file nothing more is asked.
    perform(&mut harness, Action::OpenFiles(vec![file.clone()]));
    wait_until(&mut harness, "the project opens", |model| model.tabs.len() == 1);
    command(&mut harness, Command::NewLayer);
    settle(&mut harness);
    let layers = document(&harness).layer_count();
    command(&mut harness, Command::Close);
    steps(&mut harness);
    harness.get_by_label("Save").click();
    wait_until(&mut harness, "it is saved and closed", |model| model.tabs.is_empty());
    assert_eq!(project::open(&file).unwrap().document.layer_count(), layers);

    perform(&mut harness, Action::OpenFiles(vec![file.clone()]));
    wait_until(&mut harness, "the project opens", |model| model.tabs.len() == 1);
    command(&mut harness, Command::NewLayer);
    settle(&mut harness);
    command(&mut harness, Command::Close);
    steps(&mut harness);
    harness.get_by_label("Don't save").click();
    steps(&mut harness);
    assert!(harness.state().model().tabs.is_empty());
    assert_eq!(project::open(&file).unwrap().document.layer_count(), layers);
}

#[test]
fn a_damaged_project_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("broken.ganvas");
    std::fs::write(&file, b"no project at all").unwrap();
    let mut harness = editor_with(Setup::bare(vec![file]));
    wait_until(&mut harness, "the notice", |model| !model.notices.shown().is_empty());
    assert!(harness.state().model().tabs.is_empty());
    harness.get_by_label_contains("Open broken.ganvas failed");
}
