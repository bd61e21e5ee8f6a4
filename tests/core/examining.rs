//! Drawn pictures beside real ones, by the networks that come with the program.

use std::cell::Cell;
use std::ops::Range;
use std::path::Path;

use ganvas::geom::{IRect, Size};
use ganvas::infer::Device;
use ganvas::infer::examine::{Aim, Examiner};
use ganvas::infer::features::FeatureNetwork;
use ganvas::infer::models::ModelStore;
use ganvas::infer::worker::NetworkError;
use ganvas::latent::random::SplitMix64;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::Library;

const SIDE: u32 = 32;

fn store() -> ModelStore {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    ModelStore::new(Library::of(Some(models), None), Device::flex())
}

/// Stripes that differ by number, `rough` of 0..=1 of them noise.
fn picture(number: usize, rough: f32) -> PixelBuf {
    let mut out = PixelBuf::new(Size::new(SIDE, SIDE), 4, Depth::U8);
    let mut random = SplitMix64::new(number as u64);
    for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
        let wave = ((x * (1 + number as u32 % 5) + y * number as u32) as f32 * 0.3).sin();
        let noise = random.below(1000) as f32 / 1000.0;
        let value = (0.5 + 0.4 * wave) * (1.0 - rough) + noise * rough;
        out.set_pixel_f32(x, y, [value, 0.3 + 0.5 * value, 1.0 - value, 1.0]);
    }
    out
}

fn pictures(numbers: Range<usize>, rough: f32) -> Vec<PixelBuf> {
    numbers.map(|number| picture(number, rough)).collect()
}

#[test]
fn a_substitute_that_says_so_tells_near_from_far() {
    let mut examiner = Examiner::of(&store()).unwrap().unwrap();
    let asked = Cell::new(0);
    // There are ten real ones and no more.
    let mut real = |numbers: Range<usize>| {
        asked.set(asked.get() + 1);
        pictures(numbers.start.min(10)..numbers.end.min(10), 0.0)
    };
    let mut near = |numbers: Range<usize>| pictures(numbers, 0.1);
    let near = examiner.examine(12, &mut real, &mut near, &|| false).unwrap();
    assert_eq!((near.metric.as_str(), near.is_published), ("substitute-FID", false));
    assert_eq!((near.real, near.drawn, near.lpips), (10, 12, None));
    let mut far = |numbers: Range<usize>| pictures(numbers, 0.9);
    let far = examiner.examine(12, &mut real, &mut far, &|| false).unwrap();
    assert!(far.fid > 1.5 * near.fid && far.kid > near.kid, "{far:?} {near:?}");
    let mut same = |numbers: Range<usize>| pictures(numbers, 0.0);
    let same = examiner.examine(10, &mut real, &mut same, &|| false).unwrap();
    assert!(same.fid < 1e-4 * far.fid, "{same:?}");
    // Real ones are looked at once.
    assert_eq!(asked.get(), 1);
}

#[test]
fn looking_stops_between_pictures_and_begins_anew() {
    let mut examiner = Examiner::of(&store()).unwrap().unwrap();
    let mut real = |numbers: Range<usize>| pictures(numbers, 0.0);
    let drawn_of = Cell::new(0);
    let mut drawn = |numbers: Range<usize>| {
        drawn_of.set(drawn_of.get() + numbers.len());
        pictures(numbers, 0.2)
    };
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let stop = || looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 4;
    let stopped = examiner.examine(4, &mut real, &mut drawn, &stop);
    assert!(matches!(stopped, Err(NetworkError::Stopped)) && drawn_of.get() == 0);
    let whole = examiner.examine(4, &mut real, &mut drawn, &|| false).unwrap();
    assert_eq!((whole.real, whole.drawn, drawn_of.get()), (4, 4, 4));
    let mut none = |_| Vec::new();
    let few = examiner.examine(4, &mut real, &mut none, &|| false).unwrap_err();
    assert!(matches!(few, NetworkError::Failed(_)), "{few}");
}

#[test]
fn variety_is_that_of_neighbours_beside_real_ones() {
    let store = store();
    let model = Aim::Pairs.best(store.library()).unwrap();
    let network = || -> FeatureNetwork { store.features(&model).unwrap() };
    let mut examiner = Examiner::new(network(), Some(network()));
    let mut real = |numbers: Range<usize>| pictures(numbers, 0.0);
    let mut same = |numbers: Range<usize>| pictures(numbers, 0.0);
    let found = examiner.examine(5, &mut real, &mut same, &|| false).unwrap();
    let [drawn, of_real] = found.lpips.unwrap();
    assert!(drawn == of_real && drawn > 0.0 && found.diversity() == Some(1.0), "{found:?}");
    let see = |number| {
        let planes =
            network().reader().read(&picture(number, 0.0), &ganvas::color::WorkingProfile::srgb());
        network().see(planes.unwrap(), &|| false).unwrap()
    };
    let pairs = (0..4).map(|at| network().distance(&see(at), &see(at + 1)).unwrap());
    let mean = pairs.sum::<f64>() / 4.0;
    assert!((mean - of_real).abs() < 1e-9, "{mean} {of_real}");
    let mut alike = |numbers: Range<usize>| vec![picture(3, 0.0); numbers.len()];
    let found = examiner.examine(5, &mut real, &mut alike, &|| false).unwrap();
    assert_eq!(found.diversity(), Some(0.0));
}

#[test]
fn tiny_pictures_are_measured_but_for_how_they_look() {
    let store = store();
    let model = Aim::Pairs.best(store.library()).unwrap();
    let network = || store.features(&model).unwrap();
    let mut examiner = Examiner::new(network(), Some(network()));
    let tiny = |rough: f32| {
        let square = IRect::new(0, 0, 8, 8);
        move |numbers: Range<usize>| -> Vec<PixelBuf> {
            pictures(numbers, rough).iter().map(|picture| picture.crop(square)).collect()
        }
    };
    let found = examiner.examine(6, &mut tiny(0.0), &mut tiny(0.7), &|| false).unwrap();
    assert!(found.fid > 0.0 && found.lpips.is_none(), "{found:?}");
}

#[test]
fn without_networks_nothing_is_measured() {
    let store = ModelStore::new(Library::of(None, None), Device::flex());
    assert!(Examiner::of(&store).unwrap().is_none());
    assert!(Aim::Classes.best(store.library()).is_none());
}
