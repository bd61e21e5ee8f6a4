//! Codes looked for by the inference worker, with real generators.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::infer::aids::Aids;
use ganvas::infer::generator::{Generator, LatentNetwork, parameters};
use ganvas::infer::invert::{Invert, Inverted};
use ganvas::infer::plan::Speed;
use ganvas::infer::protocol::{CancelFlag, Event, Lane, ModelRef, Stage, Task};
use ganvas::infer::service::{Service, Wake};
use ganvas::infer::worker::{Models, Network, Step};
use ganvas::latent::invert::Options;
use ganvas::latent::random::normal_latent;
use ganvas::latent::{Code, Noise};
use ganvas::nets::Planes;
use ganvas::nets::cpu::Processor;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::{file_sha256, open_network};

use crate::recorded::{shipped, tiny};

/// One generator.
pub struct Store {
    pub generator: LatentNetwork<Processor>,
    pub hash: String,
}

impl Store {
    pub fn new(weights: &Path) -> Self {
        let (checkpoint, detected) = open_network(weights).unwrap();
        let blueprint = detected.spec.blueprint().unwrap();
        let generator = LatentNetwork::on_processor(blueprint, parameters(checkpoint, detected));
        Self { generator: generator.unwrap(), hash: file_sha256(weights).unwrap() }
    }

    /// The code of a seed, drawn towards the mean, and its picture.
    pub fn seed(&mut self, seed: u64, psi: f32) -> (Code, PixelBuf) {
        let space = self.generator.space().clone();
        let w = self.generator.map(&normal_latent(seed, space.z_dim, 1.0), &[], &|| false).unwrap();
        let code = Code::in_w(&w, space.rows(), &self.hash).unwrap();
        let code = code.truncated(self.generator.mean(), psi, None).unwrap();
        let drawn = self.generator.synthesize(code.w(), Noise::Const, &|| false).unwrap();
        (code, picture(&drawn))
    }
}

/// What a generator drew, at 16 bits.
fn picture(planes: &Planes) -> PixelBuf {
    let (width, area) = (planes.width, planes.width * planes.height);
    let mut picture = PixelBuf::new(Size::new(width as u32, planes.height as u32), 4, Depth::U16);
    for at in 0..area {
        let [r, g, b] = [0, 1, 2].map(|channel| (planes.data[channel * area + at] + 1.0) / 2.0);
        picture.set_pixel_f32((at % width) as u32, (at / width) as u32, [r, g, b, 1.0]);
    }
    picture
}

impl Models for Store {
    fn network(&mut self, model: &ModelRef) -> Result<&mut dyn Network, String> {
        Err(format!("there is no model '{model}'"))
    }

    fn generator(&mut self, _: &ModelRef) -> Result<&mut dyn Generator, String> {
        Ok(&mut self.generator)
    }

    fn hash(&mut self, _: &ModelRef) -> Result<String, String> {
        Ok(self.hash.clone())
    }

    fn fall_back(&mut self) -> bool {
        false
    }

    fn forget(&mut self, _: &ModelRef) {}

    fn measure(&mut self) -> Option<Speed> {
        None
    }
}

pub fn failure(events: &[Event]) -> &str {
    match events.last() {
        Some(Event::Failed { error, .. }) => error,
        other => panic!("not failed: {other:?}"),
    }
}

fn invert(picture: &PixelBuf, options: Options) -> Invert {
    Invert {
        image: Arc::new(picture.clone()),
        profile: WorkingProfile::srgb(),
        mask: None,
        aids: Aids::default(),
        model: ModelRef::Id("generator".into()),
        start: None,
        options,
    }
}

/// Runs a task to its end and tells what was said; `cancel_after` so many wake-ups.
pub fn run(store: impl Models + 'static, task: Task, cancel_after: Option<usize>) -> Vec<Event> {
    let flag: Arc<Mutex<Option<CancelFlag>>> = Arc::default();
    let calls = Mutex::new(0);
    let wake: Wake = {
        let flag = Arc::clone(&flag);
        Arc::new(move || {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            if let (Some(flag), true) = (&*flag.lock().unwrap(), Some(*calls) == cancel_after) {
                flag.set();
            }
        })
    };
    let (mut service, mut worker) = Service::stepped(store, wake);
    let job = service.submit(Lane::Commit, None, task).unwrap();
    *flag.lock().unwrap() = Some(job.cancel);
    assert_eq!(worker.step(), Step::Worked);
    let mut events: Vec<Event> = Vec::new();
    // What does not fit the channel is delivered at the next step.
    while !events.last().is_some_and(Event::is_final) {
        events.extend(std::iter::from_fn(|| service.try_event()));
        worker.step();
    }
    events
}

fn found(events: &[Event]) -> &Inverted {
    match events.last() {
        Some(Event::Finished { output, .. }) => output.inverted.as_ref().unwrap(),
        other => panic!("not finished: {other:?}"),
    }
}

/// The tiny generator's picture of a seed, and how it is found again.
static TINY: LazyLock<(PixelBuf, Vec<Event>)> = LazyLock::new(|| {
    let mut store = Store::new(&tiny("tiny-stylegan2.safetensors"));
    let (_, picture) = store.seed(1, 0.7);
    let task = invert(&picture, Options { picture_every: 50, ..Options::default() });
    let events = run(store, Task::Invert(task), None);
    (picture, events)
});

#[test]
fn a_generator_finds_its_own_picture() {
    let (picture, events) = &*TINY;
    let found = found(events);
    // Its weights are random, its pictures steeper than any that were learnt.
    assert!(found.fidelity_db >= 18.0, "{} dB", found.fidelity_db);
    assert_eq!(found.steps, 300);
    // The code draws the reconstruction.
    let mut store = Store::new(&tiny("tiny-stylegan2.safetensors"));
    assert_eq!((found.code.model(), found.code.rows()), (store.hash.as_str(), 6));
    let again = store.generator.synthesize(found.code.w(), found.code.noise, &|| false).unwrap();
    // Forwards alone and for a gradient, the same network is summed in another order; its numbers
    // reach a dozen, of which single precision keeps five digits.
    let away = found.reconstruction.data.iter().zip(&again.data);
    let away = away.map(|(have, want)| (have - (want + 1.0) / 2.0).abs());
    let worst = away.fold(0.0, f32::max);
    assert!(worst < 1e-4, "{worst}");
    // And pictures came meanwhile, nearer and nearer.
    let shown: Vec<&Arc<PixelBuf>> = events
        .iter()
        .filter_map(|event| match event {
            Event::Picture { picture, .. } => Some(picture),
            _ => None,
        })
        .collect();
    assert!(shown.len() >= 3, "{}", shown.len());
    let away = |shown: &PixelBuf| {
        let pixels = (0..256).map(|at| (at % 16, at / 16));
        let squares = pixels.map(|(x, y)| {
            let (a, b) = (shown.pixel_f32(x, y), picture.pixel_f32(x, y));
            a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>()
        });
        squares.sum::<f32>()
    };
    let (first, last) = (away(shown[0]), away(shown[shown.len() - 1]));
    assert!(last < 0.5 * first, "{first} {last}");
    let steps = events.iter().filter_map(|event| match event {
        Event::Progress { stage: Stage::Running, done, total, .. } => Some((*done, *total)),
        _ => None,
    });
    assert!(steps.clone().all(|(_, total)| total == 300) && steps.count() > 0);
}

#[test]
fn the_shipped_generator_finds_its_own_faces() {
    let mut sum = 0.0;
    for seed in 1..3 {
        let mut store = Store::new(&shipped("portrait-64"));
        let (_, picture) = store.seed(seed, 0.7);
        let task = invert(&picture, Options { picture_every: 0, ..Options::default() });
        sum += found(&run(store, Task::Invert(task), None)).fidelity_db;
    }
    assert!(sum / 2.0 >= 30.0, "{} dB", sum / 2.0);
}

#[test]
fn cancelling_keeps_the_best_and_says_so() {
    let (picture, _) = &*TINY;
    let store = || Store::new(&tiny("tiny-stylegan2.safetensors"));
    let task = || invert(picture, Options { picture_every: 1, ..Options::default() });
    let events = run(store(), Task::Invert(task()), Some(60));
    let kept = found(&events);
    assert!((5..300).contains(&kept.steps), "{}", kept.steps);
    let said = events.iter().any(|event| {
        matches!(event, Event::Notice { text, .. }
        if text.contains(&format!("after {} steps", kept.steps)))
    });
    assert!(said);
    // Before the first step there is nothing to keep.
    let events = run(store(), Task::Invert(task()), Some(1));
    assert!(matches!(events.last(), Some(Event::Cancelled { .. })));
}

#[test]
fn a_hole_is_filled_with_what_the_generator_knows() {
    let (whole, _) = &*TINY;
    let is_hole = |x: u32, y: u32| (6..10).contains(&x) && (6..10).contains(&y);
    let (mut torn, mut mask) = (whole.clone(), PixelBuf::new(whole.size(), 1, Depth::U8));
    for y in 0..16 {
        for x in 0..16 {
            if is_hole(x, y) {
                torn.set_pixel_f32(x, y, [0.0, 1.0, 0.0, 1.0]);
            } else {
                mask.set_pixel_f32(x, y, [1.0; 4]);
            }
        }
    }
    let filled = |mask: Option<PixelBuf>| {
        let store = Store::new(&tiny("tiny-stylegan2.safetensors"));
        let task = Invert { mask: mask.map(Arc::new), ..invert(&torn, Options::default()) };
        let events = run(store, Task::Invert(task), None);
        let planes = &found(&events).reconstruction;
        let hole = (0..256u32).filter(|at| is_hole(at % 16, at / 16));
        let squares = hole.flat_map(|at| {
            let want = whole.pixel_f32(at % 16, at / 16);
            [0, 1, 2].map(|c| {
                let have = planes.data[c * 256 + at as usize].clamp(0.0, 1.0);
                (have - want[c].clamp(0.0, 1.0)).powi(2)
            })
        });
        squares.sum::<f32>() / 48.0
    };
    let (with, without) = (filled(Some(mask)), filled(None));
    assert!(with < 0.5 * without, "{with} {without}");
}

#[test]
fn what_cannot_be_looked_for_is_said() {
    let (picture, _) = &*TINY;
    let store = || Store::new(&tiny("tiny-stylegan2.safetensors"));
    let base = || invert(picture, Options::default());
    let black = Arc::new(PixelBuf::new(picture.size(), 1, Depth::U8));
    let small = Arc::new(PixelBuf::new(Size::new(3, 3), 1, Depth::U8));
    let foreign = Code::in_w(&[0.0; 8], 6, &"0".repeat(64)).unwrap();
    let steps = Options { steps: 0, ..Options::default() };
    let wild = Options { editability: f32::NAN, ..Options::default() };
    let cases = [
        (Invert { mask: Some(black), ..base() }, "nothing to look at"),
        (Invert { mask: Some(small), ..base() }, "3×3"),
        (Invert { start: Some(Arc::new(foreign)), ..base() }, "another model"),
        (Invert { options: steps, ..base() }, "steps"),
        (Invert { options: wild, ..base() }, "editability"),
    ];
    for (task, want) in cases {
        let events = run(store(), Task::Invert(task), None);
        assert!(failure(&events).contains(want), "{} lacks {want}", failure(&events));
    }
}
