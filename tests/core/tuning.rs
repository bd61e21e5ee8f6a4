//! Generators tuned around a code, and codes with noise of their own.

use std::path::Path;
use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::infer::Device;
use ganvas::infer::aids::Aids;
use ganvas::infer::invert::{Invert, Inverted};
use ganvas::infer::models::ModelStore;
use ganvas::infer::protocol::{Drawing, Drawn, Event, ModelRef, Origin, Render, Task};
use ganvas::io::{self, Limits};
use ganvas::latent::invert::Options;
use ganvas::latent::{Code, Noise, Tuning};
use ganvas::nets::Planes;
use ganvas::portrait::{self, CropTransform};
use ganvas::zoo::Library;

use crate::inverting::{failure, run};
use crate::recorded::root;

fn store() -> ModelStore {
    ModelStore::new(Library::of(Some(root().join("models")), None), Device::flex())
}

fn portraits() -> ModelRef {
    ModelRef::Id("portrait-64".into())
}

/// A face that the generator draws only roughly.
fn invert(options: Options) -> Inverted {
    let photo = Path::new("tests/fixtures/faces/astronaut.jpg");
    let photo = io::open(&root().join(photo), &Limits::default()).unwrap();
    let task = Invert {
        image: Arc::new(photo.pixels),
        profile: WorkingProfile::srgb(),
        mask: None,
        aids: Aids::default(),
        model: portraits(),
        start: None,
        options: Options { picture_every: 0, ..options },
    };
    match run(store(), Task::Invert(task), None).last() {
        Some(Event::Finished { output, .. }) => output.inverted.clone().unwrap(),
        other => panic!("not finished: {other:?}"),
    }
}

/// What the generator is to draw.
fn photo() -> Planes {
    let photo = Path::new("tests/fixtures/faces/astronaut.jpg");
    let photo = io::open(&root().join(photo), &Limits::default()).unwrap().pixels;
    let (width, height) = (photo.size().width, photo.size().height);
    let middle = [f64::from(width) / 2.0, f64::from(height) / 2.0];
    let square = CropTransform::new(middle, width.min(height).into(), 0.0).unwrap();
    portrait::crop(&photo, &WorkingProfile::srgb(), &square, 64).unwrap()
}

fn fidelity_db(photo: &Planes, drawn: &Planes) -> f64 {
    portrait::fidelity_db(photo, drawn, &[1.0; 64 * 64]).unwrap()
}

fn render(model: ModelRef, codes: &[Code]) -> Result<Vec<Drawn>, String> {
    let drawing = |code: &Code| Drawing::plain(Origin::Code(Arc::new(code.clone())));
    let task = Render { model, drawings: codes.iter().map(drawing).collect() };
    let events = run(store(), Task::Render(task), None);
    match events.last() {
        Some(Event::Finished { output, .. }) => Ok(output.drawn.clone()),
        _ => Err(failure(&events).to_owned()),
    }
}

/// The mean absolute difference.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
}

#[test]
fn a_tuned_generator_draws_the_photo_and_little_else_differently() {
    let rough = invert(Options { steps: 30, ..Options::default() });
    let found = invert(Options { steps: 30, pivotal_steps: 40, ..Options::default() });
    println!("{} dB, tuned {} dB", rough.fidelity_db, found.fidelity_db);
    assert!(found.fidelity_db > rough.fidelity_db + 2.0);
    assert_eq!((rough.code.w(), rough.tuning, rough.code.tuning()), (found.code.w(), None, None));
    let tuning = found.tuning.unwrap();
    assert_eq!(found.code.tuning(), Some(tuning.sha256()));
    // What reads the code is as it was.
    let reads = |name: &str| name.contains("affine") || name.contains("mapping");
    assert!(tuning.changes().len() > 10 && !tuning.changes().keys().any(|name| reads(name)));
    // The tuned generator draws the reconstruction; another face stays nearly what it was.
    let other = Code::in_w(&vec![0.1; found.code.dim()], found.code.rows(), found.code.model());
    let codes = [found.code.clone(), other.unwrap()];
    let tuned = ModelRef::Tuned(Box::new(portraits()), Arc::clone(&tuning));
    let (before, after) = (render(portraits(), &codes).unwrap(), render(tuned, &codes).unwrap());
    assert!(apart(&after[0].planes.data, &found.reconstruction.data) < 1e-3);
    let moved = [0, 1].map(|at| apart(&before[at].planes.data, &after[at].planes.data));
    println!("{moved:?}");
    assert!(moved[1] < 0.7 * moved[0], "{moved:?}");
    // In a file it is the same; for another network it is refused.
    let again = Tuning::from_file(Arc::clone(tuning.file())).unwrap();
    assert_eq!((&again, again.changes()), (&*tuning, tuning.changes()));
    assert!(Tuning::from_file(tuning.file()[..999].into()).is_err());
    // Sixteen bits a number are enough: the photo is met as well as with all of them.
    let numbers: usize = tuning.changes().values().map(Vec::len).sum();
    assert!(tuning.file().len() < 2 * numbers + 8192);
    let rounded = fidelity_db(&photo(), &after[0].planes);
    println!("{} bytes, {} dB, as stored {rounded} dB", tuning.file().len(), found.fidelity_db);
    assert!((rounded - found.fidelity_db).abs() < 0.1);
    let refused = |model: &str, name: &str, count: usize| {
        let changes = [(name.to_owned(), vec![0.0; count])].into();
        let tuning = Arc::new(Tuning::new(model, &changes).unwrap());
        render(ModelRef::Tuned(Box::new(portraits()), tuning), &codes[..1]).unwrap_err()
    };
    let own = found.code.model();
    assert!(refused(&"0".repeat(64), "synthesis.b4.conv1.weight", 1).contains("another model"));
    assert!(refused(own, "synthesis.b4.conv1.weight", 1).contains("b4.conv1.weight"));
    assert!(refused(own, "nothing", 1).contains("'nothing'"));
}

#[test]
fn a_code_keeps_the_noise_that_was_found_with_it() {
    let steps = Options { steps: 60, ..Options::default() };
    let plain = invert(steps);
    let found = invert(Options { with_noise: true, ..steps });
    println!("{} dB, with noise {} dB", plain.fidelity_db, found.fidelity_db);
    assert!(found.fidelity_db > plain.fidelity_db && plain.code.noise_maps().is_none());
    let maps = found.code.noise_maps().unwrap();
    let sides: Vec<usize> = maps.iter().map(|map| map.len().isqrt()).collect();
    assert_eq!(sides, [4, 8, 8, 16, 16, 32, 32, 64, 64]);
    let read = Code::from_file(&found.code.to_file().unwrap()).unwrap();
    assert_eq!(read, found.code);
    let json = serde_json::to_string(&found.code).unwrap();
    assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), found.code);
    let drawn = render(portraits(), &[read.clone(), read.with_noise(Noise::Const)]).unwrap();
    assert!(apart(&drawn[0].planes.data, &found.reconstruction.data) < 1e-3);
    assert!(apart(&drawn[1].planes.data, &found.reconstruction.data) > 1e-3);
    let foreign = found.code.with_noise_maps(vec![vec![0.0; 4]]).unwrap();
    assert!(render(portraits(), &[foreign]).unwrap_err().contains("noise"));
}
