//! A lost graphics device: the window goes, the work stays.

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use ganvas::app::{App, Command, Desk, Setup};

use crate::harness::{command, editor_with, settle, tiny_png, wait_until};

fn over(
    desk: &Desk,
    files: Vec<std::path::PathBuf>,
    notices: Vec<String>,
) -> Harness<'static, App> {
    editor_with(Setup { desk: desk.clone(), notices, ..Setup::bare(files) })
}

fn closes(harness: &Harness<'_, App>) -> bool {
    let root = &harness.output().viewport_output[&egui::ViewportId::ROOT];
    root.commands.contains(&egui::ViewportCommand::Close)
}

#[test]
fn documents_history_and_undo_survive() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::default();
    let mut harness = over(&desk, vec![tiny_png(folder.path(), 30, 20)], Vec::new());
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    let first = harness.state().model().document().unwrap().clone();
    command(&mut harness, Command::NewLayer);
    command(&mut harness, Command::FlipHorizontal);
    settle(&mut harness);
    let before = harness.state().model().document().unwrap().clone();
    assert_eq!(harness.state().model().tabs[0].session.history().past().len(), 2);
    assert!(!closes(&harness));

    desk.loss.report("for a test");
    harness.step();
    assert!(closes(&harness), "the window goes, unsaved work or not");
    drop(harness);
    assert_eq!(desk.loss.take().as_deref(), Some("for a test"));

    let mut harness = over(&desk, Vec::new(), vec!["The graphics adapter was lost".into()]);
    settle(&mut harness);
    harness.get_by_label_contains("The graphics adapter was lost");
    let model = harness.state().model();
    assert_eq!((model.tabs.len(), model.active), (1, 0));
    assert_eq!(model.document().unwrap().revision(), before.revision());
    assert!(model.tabs[0].session.is_modified());
    command(&mut harness, Command::Undo);
    command(&mut harness, Command::Undo);
    let model = harness.state().model();
    assert_eq!(model.document().unwrap().revision(), first.revision());
    assert!(!closes(&harness));
}

#[test]
fn a_job_that_was_running_ends_in_the_next_window() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::default();
    let mut harness = over(&desk, vec![tiny_png(folder.path(), 30, 20)], Vec::new());
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    let size = harness.state().model().document().unwrap().size;
    // Not stepped after this: its result waits in the channel when the window goes.
    let ctx = harness.ctx.clone();
    let turn = ganvas::app::Action::Start(ganvas::app::Binding::Command(Command::RotateClockwise));
    harness.state_mut().perform(&ctx, vec![turn]);
    assert_eq!(harness.state().model().jobs.running().len(), 1);
    drop(harness);

    let mut harness = over(&desk, Vec::new(), Vec::new());
    wait_until(&mut harness, "the turn arrives", |model| model.jobs.running().is_empty());
    let turned = harness.state().model().document().unwrap().size;
    assert_eq!((turned.width, turned.height), (size.height, size.width));
}
