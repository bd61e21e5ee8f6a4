//! An editor without a desktop: the real `App` in a test harness.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use ganvas::app::{Action, App, Binding, Command, Model, Setup};
use ganvas::infer::models::ModelStore;
use ganvas::infer::service::Service;
use ganvas::zoo::Library;

/// A window with files, without preferences and without networks.
pub fn editor(files: Vec<PathBuf>) -> Harness<'static, App> {
    editor_with(Setup::bare(files))
}

pub fn editor_with(setup: Setup) -> Harness<'static, App> {
    Harness::builder()
        .with_size([1280.0, 900.0])
        .build_eframe(move |creation| App::new(&creation.egui_ctx, setup).unwrap())
}

/// A window with networks of `library` on the processor and a small picture.
pub fn editor_with_models(
    library: Library,
    folder: &Path,
    (width, height): (u32, u32),
) -> Harness<'static, App> {
    let for_service = library.clone();
    let mut harness = editor_with(Setup {
        library,
        service: Box::new(move |wake| {
            let library = for_service.clone();
            Service::spawn(|| ModelStore::for_processor(library), wake)
                .map_err(|err| err.to_string())
        }),
        ..Setup::bare(vec![tiny_png(folder, width, height)])
    });
    wait_until(&mut harness, "the picture opens", |model| model.tabs.len() == 1);
    harness
}

/// A window with the shipped networks and a small picture.
pub fn editor_with_shipped(folder: &Path, size: (u32, u32)) -> Harness<'static, App> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut harness = editor_with_models(Library::of(Some(shipped), None), folder, size);
    wait_until(&mut harness, "the models are listed", |model| !model.ai.models.is_empty());
    harness
}

/// Steps frames until `done`, which must come true within some seconds.
pub fn wait_until(harness: &mut Harness<'_, App>, what: &str, done: impl Fn(&Model) -> bool) {
    let start = Instant::now();
    while !done(harness.state().model()) {
        assert!(start.elapsed() < Duration::from_secs(120), "timed out: {what}");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
    harness.step();
}

/// Steps until no job runs and the canvas is up to date.
pub fn settle(harness: &mut Harness<'_, App>) {
    harness.step();
    wait_until(harness, "settle", |model| model.jobs.running().is_empty());
    harness.step();
}

pub fn perform(harness: &mut Harness<'_, App>, action: Action) {
    let ctx = harness.ctx.clone();
    harness.state_mut().perform(&ctx, vec![action]);
    harness.step();
}

pub fn command(harness: &mut Harness<'_, App>, command: Command) {
    perform(harness, Action::Start(Binding::Command(command)));
}

/// The sample photo of the repository.
pub fn photo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/photos/coffee.png")
}

/// A small picture in a file of its own.
pub fn tiny_png(folder: &Path, width: u32, height: u32) -> PathBuf {
    let file = folder.join("tiny.png");
    let picture = image::RgbaImage::from_fn(width, height, |x, y| {
        image::Rgba([(x * 37 % 256) as u8, (y * 53 % 256) as u8, ((x + y) * 11 % 256) as u8, 255])
    });
    picture.save(&file).unwrap();
    file
}
