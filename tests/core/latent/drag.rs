//! Dragging with features that are known by formula: two blobs whose places are in the code.

use std::convert::Infallible;

use ganvas::latent::drag::{Drag, Options, Place, Pull, State, Step};
use ganvas::latent::invert::{Inputs, Slopes};
use ganvas::nets::Planes;

/// Side of the picture; its features have half as many cells.
const SIDE: usize = 64;
const CELLS: usize = SIDE / 2;
const BLOBS: [Place; 2] = [[20.0, 22.0], [44.0, 40.0]];
/// How each number of the code moves the blobs: both across, both down, the first alone.
const MOVES: [[Place; 2]; 4] = [
    [[1.0, 0.0], [1.0, 0.0]],
    [[0.0, 1.0], [0.0, 1.0]],
    [[1.0, 0.0], [0.0, 0.0]],
    [[0.0, 1.0], [0.0, 0.0]],
];

struct Blobs;

fn centre(blob: usize, w: &[f32]) -> Place {
    let moved = |axis: usize| {
        w.iter().zip(MOVES).map(|(amount, moves)| amount * moves[blob][axis]).sum::<f32>()
    };
    [BLOBS[blob][0] + moved(0), BLOBS[blob][1] + moved(1)]
}

/// Three channels a blob: itself and how it rises across and down.
fn features(w: &[f32]) -> Planes {
    let mut data = Vec::new();
    for blob in 0..2 {
        let centre = centre(blob, w);
        for channel in 0..3 {
            data.extend((0..CELLS * CELLS).map(|cell| {
                let place = [cell % CELLS, cell / CELLS].map(|at| 2.0 * at as f32 + 1.0);
                let [x, y] = [0, 1].map(|axis| (place[axis] - centre[axis]) / 7.0);
                [1.0, x, y][channel] * (-(x * x + y * y)).exp()
            }));
        }
    }
    Planes { channels: 6, height: CELLS, width: CELLS, data }
}

impl Slopes for Blobs {
    type Error = Infallible;

    fn slopes(
        &mut self,
        inputs: &Inputs,
        _: bool,
        judge: &mut dyn FnMut(&Planes) -> Planes,
    ) -> Result<Inputs, Infallible> {
        let slope = judge(&features(&inputs.w));
        let by = |at: usize| {
            let moved = |by: f32| {
                let mut w = inputs.w.clone();
                w[at] += by;
                features(&w).data
            };
            let change = moved(0.01).into_iter().zip(moved(-0.01)).map(|(a, b)| (a - b) / 0.02);
            change.zip(&slope.data).map(|(change, slope)| change * slope).sum()
        };
        Ok(Inputs { w: (0..inputs.w.len()).map(by).collect(), noise: Vec::new() })
    }
}

fn drag(pulls: &[Pull], mask: Option<&[f32]>) -> Drag {
    let options = Options { learning_rate: 0.2, keep_weight: 20.0, ..Options::for_side(SIDE) };
    Drag::new(vec![0.0; 4], pulls, mask, SIDE, 1.0, options).unwrap()
}

fn steps(drag: &mut Drag, most: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while steps.len() < most && !steps.last().is_some_and(|step: &Step| step.arrived) {
        let Ok(step) = drag.step(&mut Blobs);
        steps.push(step);
    }
    steps
}

fn apart(a: Place, b: Place) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

const PULL: Pull = Pull { handle: BLOBS[0], target: [28.0, 28.0] };

#[test]
fn a_handle_goes_where_it_is_pulled_and_is_followed() {
    let steps = steps(&mut drag(&[PULL], None), 200);
    let last = steps.last().unwrap();
    assert!(last.arrived && last.distance_px <= 0.5, "{last:?}");
    for step in &steps {
        // The handle is where the blob is.
        let blob = centre(0, &step.state.w);
        assert!(apart(step.state.handles[0], blob) < 0.8, "{blob:?} {step:?}");
    }
    assert!(steps[0].distance_px > 9.9 && steps[0].state.handles == [PULL.handle]);
    // Steps are so long that the last pixel takes some to and fro.
    let distances: Vec<f32> = steps.iter().map(|step| step.distance_px).collect();
    let falls = distances.windows(2).take_while(|pair| pair[0] > 2.0).all(|pair| pair[1] < pair[0]);
    assert!(falls && distances.len() < 60, "{distances:?}");
}

#[test]
fn two_handles_go_two_ways() {
    let other = Pull { handle: BLOBS[1], target: [40.0, 44.0] };
    let steps = steps(&mut drag(&[PULL, other], None), 300);
    let last = steps.last().unwrap();
    assert!(last.arrived, "{last:?}");
    assert!(apart(centre(1, &last.state.w), other.target) < 1.2, "{last:?}");
}

#[test]
fn what_the_mask_keeps_stays() {
    // The numbers that move both would do, but the second blob is to stay.
    let mask: Vec<f32> = (0..SIDE * SIDE).map(|at| f32::from(at % SIDE + at / SIDE < 58)).collect();
    let moved = |mask: Option<&[f32]>| {
        let steps = steps(&mut drag(&[PULL], mask), 200);
        let last = steps.last().unwrap().clone();
        assert!(last.distance_px < 1.5, "{last:?}");
        apart(centre(1, &last.state.w), BLOBS[1])
    };
    let (with, without) = (moved(Some(&mask)), moved(None));
    assert!(without > 2.0 && with < 0.3 * without, "{with} {without}");
}

#[test]
fn steps_can_be_taken_back_and_gone_on_from() {
    let mut drag = drag(&[PULL], None);
    let first = steps(&mut drag, 12);
    drag.go_to(first[4].state.clone()).unwrap();
    let Ok(again) = drag.step(&mut Blobs);
    assert_eq!((&again.state, again.loss), (&first[4].state, first[4].loss));
    // A handle that has moved meanwhile is found.
    let moved = State { w: vec![0.0, 0.0, 1.0, 1.0], handles: vec![PULL.handle] };
    drag.go_to(moved).unwrap();
    let Ok(found) = drag.step(&mut Blobs);
    assert!(apart(found.state.handles[0], [21.0, 23.0]) < 0.4, "{found:?}");
    assert!(drag.go_to(State { w: vec![0.0; 3], handles: vec![PULL.handle] }).is_err());
    assert!(drag.go_to(State { w: vec![0.0; 4], handles: Vec::new() }).is_err());
}

#[test]
fn what_cannot_be_dragged_is_said() {
    let options = Options::for_side(SIDE);
    let refused = |pulls: &[Pull], mask: Option<&[f32]>| {
        Drag::new(vec![0.0; 4], pulls, mask, SIDE, 1.0, options).err().unwrap().to_string()
    };
    assert!(refused(&[], None).contains("1 to 64"));
    let outside = Pull { target: [64.5, 3.0], ..PULL };
    assert!(refused(&[outside], None).contains("outside"));
    let nowhere = Pull { handle: [f32::NAN, 3.0], ..PULL };
    assert!(refused(&[nowhere], None).contains("outside"));
    assert!(refused(&[PULL], Some(&[0.0; SIDE * SIDE])).contains("nothing move"));
    assert!(refused(&[PULL], Some(&[1.0; 5])).contains("numbers"));
}
