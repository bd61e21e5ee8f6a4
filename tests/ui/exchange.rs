//! Pictures that come and go: the clipboard, dropped files, reverting, recent files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use ganvas::app::{Action, App, Binding, Command, Setup};
use ganvas::compose;
use ganvas::document::{Adjustment, Document, LayerKind};
use ganvas::geom::Size;

use crate::harness::{command, editor, editor_with, perform, settle, tiny_png, wait_until};

fn window(folder: &Path) -> Harness<'static, App> {
    let mut harness = editor(vec![tiny_png(folder, 40, 30)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    harness
}

fn document<'a>(harness: &'a Harness<'_, App>) -> &'a Document {
    harness.state().model().document().unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/photos").join(name)
}

#[test]
fn what_is_copied_is_pasted_where_it_was_and_into_a_new_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    let before = document(&harness).clone();
    command(&mut harness, Command::CopyMerged);
    settle(&mut harness);
    command(&mut harness, Command::Paste);
    settle(&mut harness);
    wait_until(&mut harness, "the pasted layer", |model| {
        model.document().unwrap().layers.len() == 2
    });
    let pasted = document(&harness).active_layer().unwrap().clone();
    let raster = pasted.raster_content().unwrap();
    assert_eq!((raster.origin, raster.image.size()), ((0, 0), before.size));
    let whole = before.size.rect();
    assert_eq!(compose::flatten(document(&harness), whole), compose::flatten(&before, whole));

    perform(&mut harness, Action::CloseTabUnsaved(0));
    harness.step();
    harness.get_by_label("Paste").click();
    wait_until(&mut harness, "a new picture", |model| model.tabs.len() == 1);
    assert_eq!(compose::flatten(document(&harness), whole), compose::flatten(&before, whole));
    assert!(harness.state().model().tab().unwrap().path.is_none());
}

#[test]
fn nothing_copied_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    harness.event(egui::Event::Paste("text of another program".into()));
    harness.step();
    settle(&mut harness);
    let model = harness.state().model();
    assert_eq!(model.document().unwrap().layers.len(), 1);
    assert!(model.notices.shown().iter().any(|notice| notice.text.contains("no picture")));
}

#[test]
fn pixels_change_profile_with_the_document_they_come_into() {
    let mut harness = editor(vec![fixture("icc-display-p3.png")]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    let wide = document(&harness).clone();
    assert!(!wide.profile.is_srgb(), "{}", wide.profile.name);
    let srgb = fixture("icc-reference-srgb.png");
    perform(&mut harness, Action::PlaceFiles(vec![srgb]));
    wait_until(&mut harness, "the placed layer", |model| {
        model.document().unwrap().layers.len() == 2
    });
    // Both files show the same colours, so that placing one over the other changes next to
    // nothing; unconverted the values would be those of another gamut.
    let whole = wide.size.rect();
    let (old, new) = (compose::flatten(&wide, whole), compose::flatten(document(&harness), whole));
    let (mut worst, mut sum) = (0.0f32, 0.0f64);
    for (x, y) in (0..wide.size.height).flat_map(|y| (0..wide.size.width).map(move |x| (x, y))) {
        let (a, b) = (old.pixel_f32(x, y), new.pixel_f32(x, y));
        let error = (0..3).map(|i| (a[i] - b[i]).abs()).fold(0.0, f32::max);
        worst = worst.max(error);
        sum += f64::from(error);
    }
    let mean = sum / wide.size.pixels() as f64;
    assert!(mean < 0.004, "mean error {mean}, worst {worst}");
}

#[test]
fn reverting_reads_the_file_again_and_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    perform(&mut harness, Action::Start(Binding::Operation("invert")));
    settle(&mut harness);
    let edited = document(&harness).clone();
    // Another program has changed the file meanwhile.
    let file = tiny_png(folder.path(), 24, 20);
    command(&mut harness, Command::Revert);
    settle(&mut harness);
    wait_until(&mut harness, "the file", |model| model.document().unwrap().size.width == 24);
    let model = harness.state().model();
    assert!(!model.tab().unwrap().session.is_modified());
    assert_eq!(model.tab().unwrap().original.size, Size::new(24, 20));
    let on_disk = image::open(&file).unwrap().to_rgba8();
    let sample = compose::sample(document(&harness), 5, 6);
    assert!((sample[0] * 255.0 - f32::from(on_disk.get_pixel(5, 6)[0])).abs() < 0.6);
    command(&mut harness, Command::Undo);
    assert_eq!(document(&harness).size, edited.size);
    assert_eq!(document(&harness).revision(), edited.revision());
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|err| err.to_string())
    }
}

fn drop_file(harness: &mut Harness<'_, App>, file: &Path) {
    harness.input_mut().dropped_files.push(Arc::new(Dropped(file.to_path_buf())));
    harness.step();
    harness.input_mut().dropped_files.clear();
    harness.step();
}

#[test]
fn a_dropped_file_is_opened_or_becomes_a_layer() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let file = tiny_png(other.path(), 10, 10);
    let mut harness = window(folder.path());
    let canvas = harness.get_by_label("Canvas: tiny.png").rect();

    drop_file(&mut harness, &file);
    assert_eq!(harness.state().model().tabs.len(), 1, "it waits for where");
    harness.hover_at(canvas.center() + egui::vec2(canvas.width() / 4.0, 0.0));
    harness.step();
    wait_until(&mut harness, "a layer", |model| model.document().unwrap().layers.len() == 2);
    assert_eq!(harness.state().model().tabs.len(), 1);

    drop_file(&mut harness, &file);
    harness.hover_at(canvas.center() - egui::vec2(canvas.width() / 4.0, 0.0));
    harness.step();
    wait_until(&mut harness, "another picture", |model| model.tabs.len() == 2);

    drop_file(&mut harness, &file);
    harness.key_press(egui::Key::Escape);
    harness.step();
    harness.hover_at(canvas.center() + egui::vec2(canvas.width() / 4.0, 0.0));
    harness.step();
    settle(&mut harness);
    let model = harness.state().model();
    assert_eq!((model.tabs.len(), model.document().unwrap().layers.len()), (2, 1));
}

#[test]
fn the_empty_window_shows_recent_files() {
    let folder = tempfile::tempdir().unwrap();
    let (file, gone) = (tiny_png(folder.path(), 40, 30), folder.path().join("gone.png"));
    let prefs_file = folder.path().join("preferences.json");
    let prefs = serde_json::json!({ "recent": [&file, &gone] });
    std::fs::write(&prefs_file, prefs.to_string()).unwrap();
    let previews = folder.path().join("previews");
    let setup = Setup {
        prefs_file: Some(prefs_file),
        previews: Some(previews.clone()),
        ..Setup::bare(Vec::new())
    };
    let mut harness = editor_with(setup);
    wait_until(&mut harness, "what became of the files", |model| {
        model.recent.get(&file).is_some() && model.recent.get(&gone).is_some()
    });
    harness.step();
    assert!(harness.query_by_label("Open gone.png").is_none());
    // The next start need not read the picture again.
    assert_eq!(std::fs::read_dir(&previews).unwrap().count(), 1);
    harness.get_by_label("Open tiny.png").click();
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    assert_eq!(document(&harness).size, Size::new(40, 30));
    settle(&mut harness);
}

#[test]
fn an_adjustment_of_a_newer_version_is_shown_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path());
    perform(&mut harness, Action::Start(Binding::Operation("invert")));
    settle(&mut harness);
    perform(&mut harness, Action::Start(Binding::Operation("levels")));
    perform(&mut harness, Action::DraftAsLayer);
    let before = compose::flatten(document(&harness), document(&harness).size.rect());
    let layer = document(&harness).active_layer().unwrap().clone();
    let LayerKind::Adjustment(levels) = &layer.kind else { panic!("{layer:?}") };
    let adjustment = Adjustment { op: "from_the_future".into(), ..levels.clone() };
    let phase = ganvas::app::Phase::Done;
    perform(&mut harness, Action::SetAdjustment { id: layer.id, adjustment, phase });
    harness.step();
    harness.get_by_label_contains("does not know the adjustment 'from_the_future'");
    let after = compose::flatten(document(&harness), document(&harness).size.rect());
    assert_eq!(before, after, "it shows nothing");
}

#[test]
fn a_pen_presses_the_brush() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = editor(vec![tiny_png(folder.path(), 200, 160)]);
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    settle(&mut harness);
    perform(&mut harness, Action::Start(Binding::Tool("brush")));
    let middle = harness.get_by_label("Canvas: tiny.png").rect().center();
    let mut changed = Vec::new();
    for force in [0.2, 1.0] {
        let before = compose::flatten(document(&harness), document(&harness).size.rect());
        let touch = |phase, pos| egui::Event::Touch {
            device_id: egui::TouchDeviceId(1),
            id: egui::TouchId(1),
            phase,
            pos,
            force: Some(force),
        };
        let button = |pos, pressed| egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        };
        // As a window reports a pen: its touch, then what a mouse would have done.
        harness.event(touch(egui::TouchPhase::Start, middle));
        harness.event(egui::Event::PointerMoved(middle));
        harness.event(button(middle, true));
        harness.step();
        let end = middle + egui::vec2(30.0, 0.0);
        harness.event(touch(egui::TouchPhase::Move, end));
        harness.event(egui::Event::PointerMoved(end));
        harness.step();
        harness.event(touch(egui::TouchPhase::End, end));
        harness.event(button(end, false));
        harness.event(egui::Event::PointerGone);
        harness.step();
        let after = compose::flatten(document(&harness), document(&harness).size.rect());
        let pixels = (0..160).flat_map(|y| (0..200).map(move |x| (x, y)));
        let differs = |(x, y): &(u32, u32)| after.pixel_f32(*x, *y) != before.pixel_f32(*x, *y);
        changed.push(pixels.filter(differs).count());
        command(&mut harness, Command::Undo);
    }
    // A fifth of the pressure is a fifth of the diameter.
    assert!(changed[0] > 50 && changed[0] * 3 < changed[1], "{changed:?}");
}
