//! What a person does: open, adjust, mask, undo, export.

use eframe::egui;
use egui_kittest::kittest::{NodeT, Queryable};
use ganvas::app::{Action, Command};
use ganvas::document::LayerKind;
use ganvas::geom::Size;

use crate::harness::{command, editor, perform, photo, settle, tiny_png, wait_until};

#[test]
fn an_empty_window_offers_to_open() {
    let mut harness = editor(Vec::new());
    harness.step();
    harness.get_by_label("Open sample photo").click();
    wait_until(&mut harness, "the sample opens", |model| model.tabs.len() == 1);
    let document = harness.state().model().document().unwrap();
    assert_eq!(document.size, Size::new(600, 400));
}

#[test]
fn open_adjust_undo_export() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor(vec![photo()]);
    wait_until(&mut harness, "the photo opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    let before = harness.state().model().document().unwrap().clone();

    // The list of adjustments, by its button.
    harness.get_by_label("Exposure").click();
    harness.step();
    harness.step();
    assert!(harness.state().model().draft.is_some());
    // Moving the slider previews and does nothing to the document.
    harness.get_by_label("Exposure value").set_value_accesskit(1.0);
    harness.step();
    harness.step();
    let model = harness.state().model();
    assert_eq!(model.draft.as_ref().unwrap().params.float("ev"), 1.0);
    assert_eq!(model.document().unwrap().revision(), before.revision());
    assert!(model.tab().unwrap().session.history().past().is_empty());

    harness.get_by_label("Apply").click();
    harness.step();
    settle(&mut harness);
    let model = harness.state().model();
    assert_eq!(model.tab().unwrap().session.history().past().len(), 1);
    let pixel =
        |document: &ganvas::document::Document| ganvas::compose::sample(document, 500, 60)[1];
    assert!(pixel(model.document().unwrap()) > pixel(&before) + 0.05);

    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.step();
    harness.step();
    let model = harness.state().model();
    assert_eq!(model.document().unwrap().revision(), before.revision());
    assert!(!model.tab().unwrap().session.is_modified());

    command(&mut harness, Command::Export);
    harness.step();
    let file = folder.path().join("out.jpg");
    harness.get_by_label("Export file").set_text_value_accesskit(&file.display().to_string());
    harness.step();
    wait_until(&mut harness, "the size is estimated", |model| model.files.estimate.is_some());
    let buttons = harness.get_all_by_label("Export");
    let button = buttons
        .into_iter()
        .find(|node| node.accesskit_node().role() == egui::accesskit::Role::Button);
    button.unwrap().click();
    harness.step();
    settle(&mut harness);
    let written = image::open(&file).unwrap();
    assert_eq!((written.width(), written.height()), (600, 400));
}

#[test]
fn an_adjustment_layer_keeps_its_sliders() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor(vec![tiny_png(folder.path(), 48, 32)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    harness.get_by_label("Levels").click();
    harness.step();
    harness.step();
    harness.get_by_label("Gamma value").set_value_accesskit(2.0);
    harness.step();
    harness.step();
    harness.get_by_label("As adjustment layer").click();
    harness.step();
    harness.step();
    let gamma = |harness: &egui_kittest::Harness<'_, ganvas::app::App>| match &harness
        .state()
        .model()
        .active_layer()
        .unwrap()
        .kind
    {
        LayerKind::Adjustment(adjustment) => adjustment.params.float("gamma"),
        other => panic!("{other:?}"),
    };
    assert_eq!(gamma(&harness), 2.0);
    harness.get_by_label("Gamma value").set_value_accesskit(0.5);
    harness.step();
    harness.step();
    assert_eq!(gamma(&harness), 0.5);
    assert_eq!(harness.state().model().tab().unwrap().session.history().past().len(), 2);
}

#[test]
fn a_mask_is_added_and_painted_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor(vec![tiny_png(folder.path(), 64, 64)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    harness.get_by_label("Add mask").click();
    harness.step();
    harness.step();
    settle(&mut harness);
    harness.get_by_label("Mask of tiny").click();
    harness.step();
    harness.step();
    perform(&mut harness, Action::Start(ganvas::app::Binding::Tool("brush")));
    let canvas = harness.get_by_label("Canvas: tiny.png").rect();
    let middle = canvas.center();
    harness.hover_at(middle);
    harness.step();
    harness.drag_at(middle);
    harness.step();
    harness.hover_at(middle + egui::vec2(12.0, 4.0));
    harness.step();
    harness.drop_at(middle + egui::vec2(12.0, 4.0));
    harness.step();
    let layer = harness.state().model().active_layer().unwrap();
    let mask = layer.mask.as_ref().unwrap();
    // Black paints away: the foreground is black at the start.
    assert!(mask.image.pixel(32, 32)[0] < 64, "{:?}", mask.image.pixel(32, 32));
    assert_eq!(mask.image.pixel(1, 1)[0], 255);
}

#[test]
fn closing_with_changes_asks() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor(vec![tiny_png(folder.path(), 16, 16)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    command(&mut harness, Command::NewLayer);
    command(&mut harness, Command::Close);
    harness.step();
    harness.get_by_label("Cancel").click();
    harness.step();
    harness.step();
    assert_eq!(harness.state().model().tabs.len(), 1);
    command(&mut harness, Command::Close);
    harness.step();
    harness.get_by_label("Don't save").click();
    harness.step();
    harness.step();
    assert!(harness.state().model().tabs.is_empty());
}

#[test]
fn a_file_that_is_no_picture_becomes_a_notice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.png");
    std::fs::write(&file, "no picture at all").unwrap();
    let mut harness = editor(vec![file]);
    wait_until(&mut harness, "the notice", |model| !model.notices.shown().is_empty());
    let notice = &harness.state().model().notices.shown()[0];
    assert!(notice.details.as_ref().unwrap().contains("text.png"), "{notice:?}");
    assert!(harness.state().model().tabs.is_empty());
}
