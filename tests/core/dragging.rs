//! Points dragged by the inference worker, with real generators.

use std::sync::Arc;

use ganvas::geom::Size;
use ganvas::infer::drag::{Drag, Dragged, feature_side};
use ganvas::infer::generator::Generator;
use ganvas::infer::protocol::{Event, ModelRef, Task};
use ganvas::latent::Code;
use ganvas::latent::drag::{Options, Pull};
use ganvas::pixels::{Depth, PixelBuf};

use crate::inverting::{Store, failure, run};
use crate::recorded::{shipped, tiny};

const SIDE: u32 = 64;

fn portraits() -> Store {
    Store::new(&shipped("portrait-64"))
}

/// The face of a seed and its mouth pulled aside.
fn task(seed: u64) -> Drag {
    let (code, _) = portraits().seed(seed, 0.7);
    Drag {
        model: ModelRef::Id("generator".into()),
        code: Arc::new(code),
        pulls: vec![Pull { handle: [32.0, 48.0], target: [38.0, 48.0] }],
        mask: None,
        from: None,
        steps: 40,
        options: None,
        feature_side: None,
    }
}

/// The steps that were shown, and what is left in the end.
fn dragged(events: &[Event]) -> (Vec<&Arc<Dragged>>, &Arc<Dragged>) {
    let shown = events.iter().filter_map(|event| match event {
        Event::Dragged { step, .. } => Some(step),
        _ => None,
    });
    match events.last() {
        Some(Event::Finished { output, .. }) => (shown.collect(), output.dragged.as_ref().unwrap()),
        other => panic!("not finished: {other:?}"),
    }
}

/// The mean change of a picture's pixels from the original where `inside`.
fn change(dragged: &Dragged, original: &Dragged, inside: impl Fn(u32, u32) -> bool) -> f64 {
    let area = (SIDE * SIDE) as usize;
    let places = (0..area).filter(|at| inside(*at as u32 % SIDE, *at as u32 / SIDE));
    let (mut sum, mut count) = (0.0, 0);
    for at in places.flat_map(|at| [at, at + area, at + 2 * area]) {
        sum += f64::from((dragged.planes.data[at] - original.planes.data[at]).abs());
        count += 1;
    }
    sum / f64::from(count)
}

#[test]
fn a_mouth_is_dragged_and_the_mask_holds_the_rest() {
    let face = |x: u32, y: u32| (14..50).contains(&x) && (36..60).contains(&y);
    let mut mask = PixelBuf::new(Size::new(SIDE, SIDE), 1, Depth::U8);
    for at in (0..SIDE * SIDE).filter(|at| face(at % SIDE, at / SIDE)) {
        mask.set_pixel_f32(at % SIDE, at / SIDE, [1.0; 4]);
    }
    let free = run(portraits(), Task::Drag(task(3)), None);
    let held = Drag { mask: Some(Arc::new(mask)), ..task(3) };
    let held = run(portraits(), Task::Drag(held), None);
    let ((steps, free), (_, held)) = (dragged(&free), dragged(&held));
    let original = steps[0];
    println!("{} {} {}", original.distance_px, free.distance_px, held.distance_px);
    assert_eq!((original.steps, original.distance_px), (0, 6.0));
    assert!(free.distance_px < 2.0 && held.distance_px < 5.0);
    let outside = |x: u32, y: u32| !face(x, y);
    let rest = [free, held].map(|dragged| change(dragged, original, outside));
    println!("{rest:?}");
    assert!(rest[1] < 0.7 * rest[0], "{rest:?}");
    assert!(change(held, original, face) > rest[1]);
    // What comes after the features has not been touched.
    let before = task(3).code;
    let same = |row: usize| {
        let row_of = |code: &Code| code.each_row().nth(row).unwrap().to_vec();
        row_of(&before) == row_of(&free.code)
    };
    let sides = portraits().generator.feature_sides();
    assert_eq!((sides, free.code.rows()), (vec![4, 8, 16, 32, 64], 10));
    assert!((0..7).all(|row| !same(row)) && (7..10).all(same));
    // The code draws the picture.
    let drawn = portraits().generator.draw(
        free.code.w(),
        &portraits().generator.noise(free.code.noise),
        &|| false,
    );
    let drawn: Vec<f32> = drawn.unwrap().data.iter().map(|x| (x + 1.0) / 2.0).collect();
    let worst = drawn.iter().zip(&free.planes.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn a_pause_keeps_the_step_and_the_drag_goes_on_from_there() {
    let options = Options { learning_rate: 0.004, ..Options::for_side(SIDE as usize) };
    let steps = |steps: usize| Drag { steps, options: Some(options), ..task(1) };
    let paused = run(portraits(), Task::Drag(steps(40)), Some(7));
    let (_, paused) = dragged(&paused);
    assert!((1..40).contains(&paused.steps) && !paused.arrived, "{}", paused.steps);
    let on = Drag { from: Some(Arc::clone(paused)), ..steps(15) };
    let events = run(portraits(), Task::Drag(on), None);
    let (shown, later) = dragged(&events);
    assert_eq!((shown[0].steps, later.steps), (paused.steps, paused.steps + 15));
    assert_eq!(shown[0].handles, paused.handles);
    assert!(later.distance_px < paused.distance_px);
    let early = run(portraits(), Task::Drag(steps(40)), Some(1));
    assert!(matches!(early.last(), Some(Event::Cancelled { .. })));
}

#[test]
fn what_cannot_be_dragged_is_said() {
    let store = || Store::new(&tiny("tiny-stylegan2.safetensors"));
    let (code, _) = store().seed(1, 0.7);
    let pulls = vec![Pull { handle: [4.0, 4.0], target: [8.0, 4.0] }];
    let base = || Drag { code: Arc::new(code.clone()), pulls: pulls.clone(), ..task(1) };
    let far = vec![Pull { handle: [40.0, 4.0], target: [8.0, 4.0] }];
    let mask = Some(Arc::new(PixelBuf::new(Size::new(3, 3), 1, Depth::U8)));
    for (task, want) in [
        (task(1), "another model"),
        (Drag { steps: 0, ..base() }, "steps"),
        (Drag { pulls: far, ..base() }, "outside"),
        (Drag { mask, ..base() }, "16×16"),
        (Drag { feature_side: Some(5), ..base() }, "5 pixels"),
    ] {
        let events = run(store(), Task::Drag(task), None);
        assert!(failure(&events).contains(want), "{} lacks {want}", failure(&events));
    }
}

#[test]
fn the_layer_follows_the_size_of_the_picture() {
    let sides = [4, 8, 16, 32, 64, 128, 256, 512];
    assert_eq!(feature_side(&sides, 512), Some(128));
    assert_eq!(feature_side(&sides[..5], 64), Some(32));
    assert_eq!(feature_side(&[], 64), None);
}
