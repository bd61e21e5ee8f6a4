//! The lab: points learnt and watched, and a folder of pictures that becomes a generator to use.

use std::path::{Path, PathBuf};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use ganvas::app::{Action, App, Command, LabAction, LabPhase, LabSettings, LabSource, Setup};
use ganvas::infer::models::ModelStore;
use ganvas::infer::service::Service;
use ganvas::train::{Arch, Config, Preset};
use ganvas::zoo::Library;

use crate::harness::{command, editor, editor_with, perform, wait_until};

#[test]
fn points_are_learnt_paused_stepped_and_looked_back_at() {
    let mut harness = editor(Vec::new());
    command(&mut harness, Command::Train);
    harness.run_steps(3);
    harness.get_by_label("Playground").click();
    harness.run_steps(3);
    harness.get_by_label("Train").click();
    wait_until(&mut harness, "three sheets", |model| model.lab.sheets.len() >= 3);
    harness.get_by_label("Pause").click();
    wait_until(&mut harness, "the pause", |model| model.lab.phase == LabPhase::Paused);
    // What was on its way may still come; then all is quiet.
    std::thread::sleep(std::time::Duration::from_millis(500));
    harness.run_steps(3);
    let steps = harness.state().model().lab.reports.last().unwrap().steps;
    let sheets = harness.state().model().lab.sheets.len();
    let lab = &harness.state().model().lab;
    assert_eq!(lab.sheet().unwrap().points.len(), 400);
    assert_eq!(lab.sheet().unwrap().grid.len(), 17 * 17);
    assert_eq!(lab.sheet().unwrap().projection.points.len(), 800);
    harness.get_by_label("Step").click();
    wait_until(&mut harness, "a step", |model| model.lab.sheets.len() == sheets + 1);
    let lab = &harness.state().model().lab;
    assert!(lab.reports.last().unwrap().steps > steps && lab.phase == LabPhase::Paused);
    perform(&mut harness, Action::Lab(LabAction::Look(Some(0))));
    assert_eq!(harness.state().model().lab.sheet().unwrap().images, 128);
    harness.get_by_label("Stop").click();
    wait_until(&mut harness, "the end", |model| model.lab.phase == LabPhase::Idle);
    assert!(harness.state().model().lab.trouble.is_none());
    harness.get_by_label("Close").click();
    harness.run_steps(2);
    assert!(!harness.state().model().lab.is_open);
}

/// A folder of pictures, enough of them.
fn stripes(folder: &Path) -> PathBuf {
    let pictures = folder.join("stripes");
    std::fs::create_dir(&pictures).unwrap();
    for at in 0..101u32 {
        let picture = image::RgbImage::from_fn(20, 16, |x, y| {
            image::Rgb([(at * 2) as u8, (x * 9) as u8, (y * at % 256) as u8])
        });
        picture.save(pictures.join(format!("{at}.png"))).unwrap();
    }
    pictures
}

/// An editor that keeps runs in `folder`, with the networks of `library`.
fn laboratory(folder: &Path, library: Library) -> Harness<'static, App> {
    let for_service = library.clone();
    editor_with(Setup {
        library,
        service: Box::new(move |wake| {
            let models = move || ModelStore::for_processor(for_service);
            Service::spawn(models, wake).map_err(|err| err.to_string())
        }),
        runs: Some(folder.join("runs")),
        ..Setup::bare(Vec::new())
    })
}

#[test]
fn a_run_is_measured_and_its_best_state_kept() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = stripes(folder.path());
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let library = Library::of(Some(shipped), Some(folder.path().join("models")));
    let mut harness = laboratory(folder.path(), library);
    command(&mut harness, Command::Train);
    let mut settings = LabSettings::of(Preset::Scratch);
    settings.source = LabSource::Folder(Some(pictures));
    settings.measured_kimg = 1;
    settings.config =
        Config { channel_base: 64, channel_max: 8, batch: 16, ..Config::new(Arch::Dcgan, 8) };
    perform(&mut harness, Action::Lab(LabAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Lab(LabAction::Start));
    wait_until(&mut harness, "a measurement", |model| !model.lab.measured.is_empty());
    let lab = &harness.state().model().lab;
    let measured = &lab.measured[0];
    assert!((1000..1100).contains(&measured.images), "{}", measured.images);
    // All the pictures, since too few are held out to measure by.
    assert_eq!((measured.found.real, measured.found.drawn), (101, 256));
    assert_eq!(measured.found.metric, "substitute-FID");
    assert!(measured.found.fid > 0.0 && lab.has_best);
    assert!(lab.folder.as_ref().unwrap().join("pictures.cache").exists());
    harness.get_by_label("Stop").click();
    wait_until(&mut harness, "the end", |model| model.lab.phase == LabPhase::Idle);
    assert!(harness.state().model().lab.trouble.is_none());
}

#[test]
fn a_folder_becomes_a_generator_that_the_latent_tab_opens() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = stripes(folder.path());
    std::fs::write(pictures.join("notes.txt"), "no picture").unwrap();
    let library = Library::of(None, Some(folder.path().join("models")));
    let mut harness = laboratory(folder.path(), library);
    command(&mut harness, Command::Train);
    let mut settings = LabSettings::of(Preset::Scratch);
    settings.source = LabSource::Folder(Some(pictures));
    settings.config = Config {
        channel_base: 64,
        channel_max: 8,
        z_dim: 8,
        batch: 4,
        ..Config::new(Arch::StyleGan2, 8)
    };
    perform(&mut harness, Action::Lab(LabAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Lab(LabAction::Start));
    wait_until(&mut harness, "a sheet", |model| !model.lab.sheets.is_empty());
    let lab = &harness.state().model().lab;
    assert!(lab.left_out.as_ref().is_some_and(|text| text.contains("notes.txt")));
    assert_eq!(lab.sheet().unwrap().frame.as_ref().unwrap().size, [64, 32]);
    harness.get_by_label("Stop").click();
    wait_until(&mut harness, "the end", |model| model.lab.phase == LabPhase::Idle);
    let seen = harness.state().model().lab.reports.last().unwrap().images;
    harness.get_by_label("Use this generator").click();
    wait_until(&mut harness, "its picture", |model| model.latent.present.is_some());
    let model = harness.state().model();
    assert!(!model.lab.is_open && model.tabs.len() == 1);
    let id = model.latent.settings.model.clone().unwrap();
    assert!(id.starts_with("stripes-stylegan2-8-"), "{id}");
    assert_eq!(model.latent.present.as_ref().unwrap().frame.size, [8, 8]);
    // The same folder goes on where it was.
    command(&mut harness, Command::Train);
    perform(&mut harness, Action::Lab(LabAction::Start));
    wait_until(&mut harness, "more", |model| !model.lab.reports.is_empty());
    assert!(harness.state().model().lab.reports[0].images > seen);
}

#[test]
fn a_run_without_pictures_says_so() {
    let mut harness = editor(Vec::new());
    command(&mut harness, Command::Train);
    perform(&mut harness, Action::Lab(LabAction::Start));
    let trouble = harness.state().model().lab.trouble.clone().unwrap();
    assert!(trouble.contains("folder"), "{trouble}");
    let empty = tempfile::tempdir().unwrap();
    let mut settings = LabSettings::of(Preset::Scratch);
    settings.source = LabSource::Folder(Some(empty.path().to_path_buf()));
    perform(&mut harness, Action::Lab(LabAction::Set(Box::new(settings))));
    perform(&mut harness, Action::Lab(LabAction::Start));
    wait_until(&mut harness, "the refusal", |model| {
        model.lab.phase == LabPhase::Idle && model.lab.trouble.is_some()
    });
    let trouble = harness.state().model().lab.trouble.clone().unwrap();
    assert!(trouble.contains("0 usable pictures"), "{trouble}");
}
