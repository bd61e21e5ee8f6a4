//! The path of the Latent panel as a file of several pictures.

use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use ganvas::app::{Action, App, Command, FilmSettings, LatentAction};
use ganvas::io::Limits;
use ganvas::io::animation::{self, Container, Frame};

use crate::harness::{command, editor_with_shipped, perform, settle, wait_until};

fn shown(harness: &Harness<'_, App>) -> Vec<u8> {
    harness.state().model().latent.present.as_ref().unwrap().frame.bytes.to_vec()
}

/// The panel with a path of two pictures, and what they look like.
fn panel(folder: &Path) -> (Harness<'static, App>, [Vec<u8>; 2]) {
    let mut harness = editor_with_shipped(folder, (48, 32));
    command(&mut harness, Command::Generate);
    wait_until(&mut harness, "the first picture", |model| model.latent.present.is_some());
    let first = shown(&harness);
    assert!(harness.state().model().film().is_none(), "one picture is no path");
    perform(&mut harness, Action::Latent(LatentAction::AddToPath));
    perform(&mut harness, Action::Latent(LatentAction::StepSeed(Some(1))));
    wait_until(&mut harness, "another picture", |model| {
        model.latent.present.as_ref().is_some_and(|present| *present.frame.bytes != first)
    });
    perform(&mut harness, Action::Latent(LatentAction::AddToPath));
    let second = shown(&harness);
    (harness, [first, second])
}

fn settings(harness: &Harness<'_, App>, path: &Path) -> FilmSettings {
    let proposal = harness.state().model().film().unwrap();
    FilmSettings { path: path.to_path_buf(), between: 3, ..proposal }
}

fn read(path: &Path) -> (Container, Vec<Frame>) {
    let reader = animation::open(path, &Limits::default()).unwrap().unwrap();
    (reader.container, reader.collect::<Result<_, _>>().unwrap())
}

#[test]
fn a_path_is_exported_and_passes_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (mut harness, [first, second]) = panel(folder.path());
    for (name, container, is_closed, count) in
        [("path.apng", Container::Apng, true, 6), ("path.gif", Container::Gif, false, 4)]
    {
        let path = folder.path().join(name);
        let film = FilmSettings { is_closed, ..settings(&harness, &path) };
        assert_eq!((film.frames(), film.refusal()), (count, None));
        perform(&mut harness, Action::ExportFilm(Box::new(film)));
        wait_until(&mut harness, "the file", |_| path.exists());
        settle(&mut harness);
        let (found, frames) = read(&path);
        assert_eq!((found, frames.len()), (container, count as usize));
        if container == Container::Apng {
            assert_eq!(frames[0].pixels.samples().as_bytes(), first);
            assert_eq!(frames[3].pixels.samples().as_bytes(), second);
            let bytes = std::fs::read(&path).unwrap();
            assert!(String::from_utf8_lossy(&bytes).contains("trainedAlgorithmicMedia"));
        }
        let model = harness.state().model();
        assert!(model.notices.shown().iter().any(|notice| notice.text.contains(name)));
    }
    let some = settings(&harness, &folder.path().join("path_##.png"));
    perform(&mut harness, Action::ExportFilm(Box::new(some)));
    let last = folder.path().join("path_06.png");
    wait_until(&mut harness, "the last picture", |_| last.exists());
    settle(&mut harness);
    assert!(!folder.path().join("path_07.png").exists());
}

#[test]
fn the_dialog_says_what_it_makes_and_what_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let (mut harness, _) = panel(folder.path());
    perform(&mut harness, Action::PrepareFilm);
    harness.step();
    harness.get_by_label("Export path");
    harness.get_by_label("48 pictures of 64 × 64, 2.0 s");
    harness.get_by_label("Cancel").click();
    harness.run_steps(2);
    assert!(harness.query_by_label("Export path").is_none());

    let still = settings(&harness, &folder.path().join("path.png"));
    assert!(still.refusal().unwrap().contains(".gif"));
    perform(&mut harness, Action::ExportFilm(Box::new(still)));
    let large = settings(&harness, &folder.path().join("path.gif"));
    let large = FilmSettings { side: 8192, ..large };
    assert!(large.refusal().unwrap().contains("Fewer pictures"));
    perform(&mut harness, Action::ExportFilm(Box::new(large)));
    settle(&mut harness);
    let model = harness.state().model();
    assert!(model.notices.shown().iter().any(|notice| notice.text.contains("Fewer pictures")));
    assert!(!folder.path().join("path.gif").exists() && !folder.path().join("path.png").exists());
}
