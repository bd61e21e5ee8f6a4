//! Networks through the window: the real small networks on tiny pictures.

use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use ganvas::app::{Action, App, Command};
use ganvas::compose;
use ganvas::document::Document;
use ganvas::geom::Size;

use crate::harness::{command, editor_with_shipped, perform, settle, wait_until};

fn window(folder: &Path) -> Harness<'static, App> {
    editor_with_shipped(folder, (20, 12))
}

#[test]
fn upscaling_makes_a_new_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    command(&mut harness, Command::Upscale);
    harness.step();
    let mut settings = harness.state().model().ai.upscale.clone();
    settings.model = Some("realesr-animevideov3-x4".into());
    settings.scale = 2.0;
    perform(&mut harness, Action::SetUpscale(settings));
    harness.step();
    // The card comes into sight.
    harness.run_steps(30);
    harness.get_by_label("Run upscale").click();
    wait_until(&mut harness, "the enlarged picture", |model| model.tabs.len() == 2);
    let model = harness.state().model();
    assert_eq!(model.document().unwrap().size, Size::new(40, 24));
    // The split view compares with the same enlarged by interpolation.
    let tab = model.tab().unwrap();
    assert_eq!((tab.original.size, tab.compared_with), (Size::new(40, 24), Some("Bicubic")));
    let flat = |document: &Document| compose::flatten(document, document.size.rect());
    assert_ne!(flat(&tab.original), flat(tab.document()));
    // The source is as it was.
    assert!(!model.tabs[0].session.is_modified());
    settle(&mut harness);
    assert!(harness.state().model().jobs.running().is_empty());
}
