//! Holes filled by what a generator knows.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::geom::{IRect, Size};
use ganvas::infer::prior::Prior;
use ganvas::infer::protocol::{Engine, Event, ModelRef, Remove, Task};
use ganvas::inpaint::{Fill, clone_into};
use ganvas::latent::invert::{Options, near_hole};
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::portrait::Template;

use crate::inverting::{Store, failure, run};
use crate::recorded::shipped;

const SIDE: u32 = 64;

fn mask(size: Size, hole: IRect) -> PixelBuf {
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    for (x, y) in (hole.x0..hole.x1).flat_map(|x| (hole.y0..hole.y1).map(move |y| (x, y))) {
        mask.set_pixel_f32(x as u32, y as u32, [1.0; 4]);
    }
    mask
}

/// The picture with something green in the hole.
fn torn(picture: &PixelBuf, mask: &PixelBuf) -> PixelBuf {
    let mut torn = picture.clone();
    let size = picture.size();
    for (x, y) in (0..size.width).flat_map(|x| (0..size.height).map(move |y| (x, y))) {
        if mask.pixel_f32(x, y)[0] > 0.0 {
            torn.set_pixel_f32(x, y, [0.0, 1.0, 0.0, 1.0]);
        }
    }
    torn
}

fn task(image: PixelBuf, mask: PixelBuf, engine: Engine) -> Task {
    let options = Fill { dilate_px: 0, feather_px: 0.0, ..Fill::default() };
    let (image, mask) = (Arc::new(image), Arc::new(mask));
    Task::Remove(Remove { image, mask, profile: WorkingProfile::srgb(), engine, options })
}

fn prior(steps: usize) -> Engine {
    Engine::Prior(Prior {
        model: ModelRef::Id("generator".into()),
        finders: Vec::new(),
        template: Template::default(),
        options: Options { steps, picture_every: 0, ..Options::default() },
    })
}

fn filled(events: &[Event]) -> &PixelBuf {
    match events.last() {
        Some(Event::Finished { output, .. }) => &output.images[0],
        other => panic!("not finished: {other:?}"),
    }
}

/// The mean squared error in the hole, and whether all else is the same bit for bit.
fn compare(have: &PixelBuf, want: &PixelBuf, mask: &PixelBuf) -> (f64, bool) {
    let (mut sum, mut count, mut same) = (0.0, 0, true);
    for at in 0..SIDE * SIDE {
        let (x, y) = (at % SIDE, at / SIDE);
        if mask.pixel_f32(x, y)[0] > 0.0 {
            let pairs = have.pixel_f32(x, y).into_iter().zip(want.pixel_f32(x, y));
            sum += pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / 3.0;
            count += 1;
        } else {
            let index = have.index(x, y);
            same &= (0..4).all(|c| have.samples().get(index + c) == want.samples().get(index + c));
        }
    }
    (sum / f64::from(count), same)
}

/// The eyes of a face that the generator has drawn, and half a face, are found again.
#[test]
fn what_is_missing_of_a_face_is_drawn_from_the_rest() {
    for (id, hole) in [
        ("portrait-64", IRect::new(8, 14, 56, 30)),
        ("dcgan-digiface-64", IRect::new(32, 12, 56, 52)),
    ] {
        let store = || Store::new(&shipped(id));
        let (_, whole) = store().seed(5, 0.7);
        let mask = mask(whole.size(), hole);
        let torn = torn(&whole, &mask);
        let by_prior = run(store(), task(torn.clone(), mask.clone(), prior(120)), None);
        let by_patches = run(store(), task(torn, mask.clone(), Engine::Patches), None);
        let (error, same) = compare(filled(&by_prior), &whole, &mask);
        let (patches, _) = compare(filled(&by_patches), &whole, &mask);
        println!("{id}: {error} {patches}");
        assert!(same, "{id}: something outside the hole has changed");
        assert!(error < 0.5 * patches, "{id}: {error}, by patches {patches}");
    }
}

#[test]
fn another_size_wants_a_face() {
    let store = Store::new(&shipped("dcgan-digiface-64"));
    let image = PixelBuf::filled(Size::new(80, 70), 4, Depth::U8, [90, 90, 90, 255]);
    let mask = mask(image.size(), IRect::new(10, 10, 20, 20));
    let events = run(store, task(image, mask, prior(1)), None);
    assert!(failure(&events).contains("64×64 pixels only"), "{}", failure(&events));
}

#[test]
fn what_is_cloned_keeps_its_gradients_and_takes_the_surroundings_tone() {
    let size = Size::new(24, 20);
    let mut image = PixelBuf::new(size, 4, Depth::U16);
    let mut made = PixelBuf::new(size, 4, Depth::U16);
    let wave = |x: u32| 0.2 + 0.1 * (x as f32 * 0.7).sin();
    for (x, y) in (0..24).flat_map(|x| (0..20).map(move |y| (x, y))) {
        // The same but for a tone that rises across.
        image.set_pixel_f32(x, y, [wave(x) + 0.01 * x as f32, 0.5, 0.4, 1.0]);
        made.set_pixel_f32(x, y, [wave(x), 0.1, 0.6, 1.0]);
    }
    let share = mask(size, IRect::new(5, 4, 18, 15));
    let mut result = image.clone();
    let rect = IRect::new(0, 0, 24, 20);
    clone_into(&mut result, (&made, &share), rect, &mut |_| true).unwrap();
    for (x, y) in (0..24).flat_map(|x| (0..20).map(move |y| (x, y))) {
        let (have, want) = (result.pixel_f32(x, y), image.pixel_f32(x, y));
        let near = have.iter().zip(want).all(|(a, b)| (a - b).abs() < 2e-3);
        assert!(near, "{x} {y}: {have:?} not {want:?}");
        assert!(share.pixel_f32(x, y)[0] > 0.0 || have == want);
    }
    let mut stopped = image.clone();
    assert!(clone_into(&mut stopped, (&made, &share), rect, &mut |_| false).is_err());
    assert_eq!(stopped, image);
}

#[test]
fn pixels_beside_a_hole_count_most() {
    let hole: Vec<bool> = (0..64 * 64).map(|at| (20..40).contains(&(at % 64))).collect();
    let weights = near_hole(&hole);
    let row = &weights[30 * 64..31 * 64];
    assert!(row[20..40].iter().all(|weight| *weight == 0.0));
    // Three of seven columns of its window are missing.
    assert!((row[19] - 3.0 / 7.0).abs() < 1e-6 && (row[17] - 1.0 / 7.0).abs() < 1e-6);
    assert!(row[40] == row[19] && row[0] == row[10] && row[0] > 0.0 && row[0] < row[17]);
}
