//! The inference service with scripted networks: lanes, cancelling, failures, tiles, alpha and
//! depth.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ganvas::color::{Transfer, WorkingProfile};
use ganvas::geom::{IRect, Size};
use ganvas::infer::generator::Generator;
use ganvas::infer::plan::Speed;
use ganvas::infer::protocol::{
    Basis, CancelFlag, Drawing, Event, JobId, Lane, ModelRef, Origin, Render, Stage, Task, Upscale,
};
use ganvas::infer::render::MAX_DRAWINGS;
use ganvas::infer::service::{Service, SubmitError};
use ganvas::infer::worker::{Models, Network, NetworkError, Step, Worker};
use ganvas::latent::{EditStack, Noise, Truncation};
use ganvas::nets::Planes;
use ganvas::nets::cpu::Stop;
use ganvas::pixels::{Depth, PixelBuf, contact_sheet};
use ganvas::zoo::{Capability, Extent, Purpose, Range};

use crate::one_number::OneNumber;

/// A network that doubles by repeating pixels, and does on the way what its script says.
#[derive(Default)]
struct Fake {
    faces: OneNumber,
    /// Tiles above this many pixels do not fit.
    room_px: Option<usize>,
    /// Whether there is a second device, and whether it is in use.
    has_fallback: bool,
    fell_back: bool,
    panics: bool,
    /// Set while the first tile runs.
    cancel_during: Arc<Mutex<Option<CancelFlag>>>,
    forgotten: Vec<ModelRef>,
    runs: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
}

const HALO: u32 = 3;

/// What the fake network says of itself.
const UPSCALER: Capability = Capability {
    purpose: Purpose::Upscale,
    channels_in: 3,
    vector: 0,
    channels_out: 3,
    scale: 2,
    range: Range::Unit,
    extent: Extent::Tiles,
    multiple: 1,
    halo_px: HALO,
    reach_px: HALO,
    flops_per_px: 1.0,
    bytes_per_px: 1.0,
    weight_bytes: 0,
    params: &[],
};

impl Fake {
    fn enlarge(&mut self, tile: &Planes) -> Result<Planes, NetworkError> {
        let area = tile.width * tile.height;
        if self.room_px.is_some_and(|room| area > room) && !self.fell_back {
            return Err(NetworkError::OutOfMemory);
        }
        self.largest.fetch_max(area, Ordering::Relaxed);
        if let Some(cancel) = self.cancel_during.lock().unwrap().take() {
            cancel.set();
        }
        let (height, width) = (tile.height * 2, tile.width * 2);
        let mut data = Vec::new();
        for plane in tile.data.chunks_exact(area) {
            for y in 0..height {
                data.extend((0..width).map(|x| plane[y / 2 * tile.width + x / 2]));
            }
        }
        Ok(Planes { channels: 3, height, width, data })
    }
}

impl Network for Fake {
    fn capability(&self) -> &Capability {
        &UPSCALER
    }

    fn architecture(&self) -> &str {
        "fake"
    }

    fn input_channels(&self) -> Vec<usize> {
        vec![3]
    }

    fn run(&mut self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a network that fell over");
        let result = self.enlarge(&inputs[0])?;
        if stop() { Err(NetworkError::Stopped) } else { Ok(vec![result]) }
    }
}

impl Models for Fake {
    fn network(&mut self, model: &ModelRef) -> Result<&mut dyn Network, String> {
        match model {
            ModelRef::Id(id) if id == "fake" => Ok(self),
            other => Err(format!("there is no model '{other}'")),
        }
    }

    fn hash(&mut self, _: &ModelRef) -> Result<String, String> {
        Ok("0".repeat(64))
    }

    fn generator(&mut self, model: &ModelRef) -> Result<&mut dyn Generator, String> {
        match model {
            ModelRef::Id(id) if id == "faces" => Ok(&mut self.faces),
            other => Err(format!("{other} draws no pictures")),
        }
    }

    fn fall_back(&mut self) -> bool {
        self.fell_back |= self.has_fallback;
        self.has_fallback
    }

    fn forget(&mut self, model: &ModelRef) {
        self.forgotten.push(model.clone());
        self.panics = false;
    }

    fn measure(&mut self) -> Option<Speed> {
        Some(Speed { flops_per_second: 123.0 })
    }
}

fn quiet() -> Arc<dyn Fn() + Send + Sync> {
    Arc::new(|| {})
}

fn stepped(fake: Fake) -> (Service, Worker<Fake>) {
    Service::stepped(fake, quiet())
}

/// A picture in which every pixel differs.
fn picture(width: u32, height: u32, depth: Depth) -> PixelBuf {
    let mut picture = PixelBuf::new(Size::new(width, height), 4, depth);
    for y in 0..height {
        for x in 0..width {
            let value = |k: u32| ((x * 7 + y * 13 + k * 50) % 256) as f32 / 255.0;
            picture.set_pixel_f32(x, y, [value(0), value(1), value(2), 1.0]);
        }
    }
    picture
}

fn upscale_of(image: PixelBuf, scale: f32) -> Upscale {
    let model = ModelRef::Id("fake".into());
    Upscale {
        image: Arc::new(image),
        profile: WorkingProfile::srgb(),
        model,
        scale,
        tile: Some(32),
    }
}

fn small() -> Task {
    Task::Upscale(upscale_of(picture(4, 4, Depth::U8), 2.0))
}

fn drain(service: &mut Service) -> Vec<Event> {
    std::iter::from_fn(|| service.try_event()).collect()
}

fn run(fake: Fake, task: Task) -> Vec<Event> {
    let (mut service, mut worker) = stepped(fake);
    service.submit(Lane::Commit, None, task).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    drain(&mut service)
}

fn result(events: &[Event]) -> &PixelBuf {
    match events.last() {
        Some(Event::Finished { output, .. }) => &output.images[0],
        other => panic!("not finished: {other:?}"),
    }
}

#[test]
fn tiles_join_without_a_seam() {
    let source = picture(75, 41, Depth::U8);
    let fake = Fake::default();
    let runs = Arc::clone(&fake.runs);
    let events = run(fake, Task::Upscale(upscale_of(source.clone(), 2.0)));
    assert_eq!(runs.load(Ordering::Relaxed), 6);
    let out = result(&events);
    assert_eq!(out.size(), Size::new(150, 82));
    for y in 0..82 {
        for x in 0..150 {
            assert_eq!(out.pixel_f32(x, y), source.pixel_f32(x / 2, y / 2));
        }
    }
    let mut fractions = events.iter().filter_map(|event| match event {
        Event::Progress { stage: Stage::Running, done, total, .. } => Some((*done, *total)),
        _ => None,
    });
    assert!(fractions.clone().all(|(done, total)| done < total && total == 6));
    assert!(fractions.by_ref().map(|(done, _)| done).eq(0..6));
}

#[test]
fn sixteen_bits_and_wide_colours_survive() {
    let mut source = picture(9, 5, Depth::U16);
    source.set_pixel_f32(2, 2, [0.123_45, 0.5, 0.999, 1.0]);
    let profile = WorkingProfile {
        name: "Display P3".into(),
        icc: None,
        transfer: Transfer::SRGB,
        to_linear_srgb: [[1.2249, -0.2247, 0.0], [-0.042, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]],
    };
    let task = Upscale { profile, ..upscale_of(source.clone(), 2.0) };
    let events = run(Fake::default(), Task::Upscale(task));
    let out = result(&events);
    assert_eq!(out.depth(), Depth::U16);
    for y in 0..10 {
        for x in 0..18 {
            let (have, want) = (out.pixel_f32(x, y), source.pixel_f32(x / 2, y / 2));
            assert!(have.iter().zip(want).all(|(a, b)| (a - b).abs() < 2e-4), "{have:?} {want:?}");
        }
    }
}

#[test]
fn alpha_is_enlarged_and_invisible_colour_stays_out() {
    let mut source = PixelBuf::new(Size::new(24, 8), 4, Depth::U8);
    for y in 0..8 {
        for x in 0..12 {
            source.set_pixel_f32(x, y, [1.0, 0.6, 0.2, 1.0]);
        }
    }
    let events = run(Fake::default(), Task::Upscale(upscale_of(source, 2.0)));
    let out = result(&events);
    assert_eq!(out.pixel_f32(4, 4)[3], 1.0);
    assert_eq!(out.pixel_f32(44, 4)[3], 0.0);
    for x in 0..48 {
        let [r, g, b, _] = out.pixel_f32(x, 8);
        assert!((r - 1.0).abs() < 0.01 && (g - 0.6).abs() < 0.01 && (b - 0.2).abs() < 0.01);
    }
}

#[test]
fn other_factors_are_resampled_and_bad_ones_refused() {
    let flat = PixelBuf::filled(Size::new(10, 7), 4, Depth::U8, [200, 100, 50, 255]);
    for scale in [1.0, 1.5, 3.3, 4.0, 5.5, 8.0] {
        let events = run(Fake::default(), Task::Upscale(upscale_of(flat.clone(), scale)));
        let out = result(&events);
        let side = |px: f32| (px * scale).round() as u32;
        assert_eq!(out.size(), Size::new(side(10.0), side(7.0)));
        assert_eq!(out.pixel_f32(0, 0), flat.pixel_f32(0, 0));
    }
    for scale in [0.5, 8.01, f32::NAN, f32::INFINITY] {
        let events = run(Fake::default(), Task::Upscale(upscale_of(flat.clone(), scale)));
        let failed =
            matches!(events.last(), Some(Event::Failed { error, .. }) if error.contains("1 to 8"));
        assert!(failed, "{scale}");
    }
}

#[test]
fn the_latest_preview_wins_and_commits_all_run_in_order() {
    let (mut service, mut worker) = stepped(Fake::default());
    let mut ids = Vec::new();
    for lane in [Lane::Preview, Lane::Commit, Lane::Preview, Lane::Commit, Lane::Preview] {
        ids.push(service.submit(lane, None, small()).unwrap().id);
    }
    while worker.step() == Step::Worked {}
    let ends: Vec<_> = drain(&mut service)
        .into_iter()
        .filter(Event::is_final)
        .map(|event| (event.job(), matches!(event, Event::Finished { .. })))
        .collect();
    let want = [(ids[0], false), (ids[2], false), (ids[4], true), (ids[1], true), (ids[3], true)];
    assert_eq!(ends, want);
    assert_eq!((worker.step(), service.open_jobs()), (Step::Idle, 0));
    drop(service);
    assert_eq!(worker.step(), Step::Closed);
}

#[test]
fn the_result_says_what_it_was_made_from() {
    let (mut service, mut worker) = stepped(Fake::default());
    let basis = Basis { document: 1, layer: 7, revision: 42, region: IRect::new(0, 0, 4, 4) };
    service.submit(Lane::Commit, Some(basis), small()).unwrap();
    worker.step();
    match drain(&mut service).last() {
        Some(Event::Finished { basis: have, output, .. }) => {
            assert_eq!((*have, output.model.as_str()), (Some(basis), "fake"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cancelled_job_stops_after_the_running_tile() {
    let (mut service, mut worker) = stepped(Fake::default());
    let waiting = service.submit(Lane::Commit, None, small()).unwrap();
    service.cancel(waiting.id);
    worker.step();
    assert!(matches!(drain(&mut service)[..], [Event::Cancelled { .. }]));

    let fake = Fake::default();
    let (runs, flag) = (Arc::clone(&fake.runs), Arc::clone(&fake.cancel_during));
    let (mut service, mut worker) = stepped(fake);
    let task = Task::Upscale(upscale_of(picture(200, 40, Depth::U8), 2.0));
    let job = service.submit(Lane::Commit, None, task).unwrap();
    *flag.lock().unwrap() = Some(job.cancel);
    worker.step();
    let events = drain(&mut service);
    assert!(matches!(events.last(), Some(Event::Cancelled { .. })), "{events:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 1, "of 14 tiles");
}

#[test]
fn a_panic_is_a_failed_job_and_the_worker_lives_on() {
    let (mut service, mut worker) = stepped(Fake { panics: true, ..Fake::default() });
    service.submit(Lane::Commit, None, small()).unwrap();
    service.submit(Lane::Commit, None, small()).unwrap();
    while worker.step() == Step::Worked {}
    let ends: Vec<_> = drain(&mut service).into_iter().filter(Event::is_final).collect();
    let told = matches!(&ends[0], Event::Failed { error, .. }
        if error.contains("fake") && error.contains("a network that fell over"));
    assert!(told, "{ends:?}");
    assert!(matches!(ends[1], Event::Finished { .. }));
}

#[test]
fn an_unknown_model_is_one_sentence() {
    let model = ModelRef::Id("none".into());
    let task = Upscale { model, ..upscale_of(picture(4, 4, Depth::U8), 2.0) };
    let events = run(Fake::default(), Task::Upscale(task));
    let told =
        matches!(events.last(), Some(Event::Failed { error, .. }) if error.contains("'none'"));
    assert!(told, "{events:?}");
}

#[test]
fn out_of_memory_halves_the_tile_and_keeps_what_is_done() {
    let source = picture(128, 64, Depth::U8);
    let task = || Upscale { tile: Some(64), ..upscale_of(source.clone(), 2.0) };
    let untiled = run(Fake::default(), Task::Upscale(task()));
    let room = (32 + 2 * HALO as usize) * (32 + 2 * HALO as usize);
    let fake = Fake { room_px: Some(room), ..Fake::default() };
    let (runs, largest) = (Arc::clone(&fake.runs), Arc::clone(&fake.largest));
    let events = run(fake, Task::Upscale(task()));
    assert_eq!(result(&events), result(&untiled));
    // One refused tile, then eight small ones.
    assert_eq!(runs.load(Ordering::Relaxed), 9);
    assert!(largest.load(Ordering::Relaxed) <= room);
    let notices: Vec<_> =
        events.iter().filter(|event| matches!(event, Event::Notice { .. })).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");

    // Nothing fits: to the other device, or a plain failure.
    let fake = || Fake { room_px: Some(1), ..Fake::default() };
    let events = run(Fake { has_fallback: true, ..fake() }, Task::Upscale(task()));
    assert_eq!(result(&events), result(&untiled));
    let events = run(fake(), Task::Upscale(task()));
    let told =
        matches!(events.last(), Some(Event::Failed { error, .. }) if error.contains("memory"));
    assert!(told, "{events:?}");
}

#[test]
fn full_channels_refuse_and_hold_back_but_lose_nothing() {
    let (mut service, mut worker) = stepped(Fake::default());
    let mut taken = 0;
    let refused = loop {
        match service.submit(Lane::Commit, None, small()) {
            Ok(_) => taken += 1,
            Err(refused) => break refused,
        }
        assert!(taken < 1000, "the channel has no end");
    };
    assert!(matches!(refused, SubmitError::Full(_)), "{refused}");
    // Events pile up uncollected: the worker stops taking jobs and says so.
    let mut finished = 0;
    for _ in 0..1000 {
        match worker.step() {
            Step::Worked => {}
            Step::Blocked => {
                finished += drain(&mut service).iter().filter(|e| e.is_final()).count();
            }
            Step::Idle | Step::Closed => {
                finished += drain(&mut service).iter().filter(|e| e.is_final()).count();
                if service.submit(Lane::Commit, None, small()).is_ok() {
                    taken += 1;
                }
            }
        }
        if taken > 300 {
            break;
        }
    }
    while worker.step() != Step::Idle {
        finished += drain(&mut service).iter().filter(|e| e.is_final()).count();
    }
    finished += drain(&mut service).iter().filter(|e| e.is_final()).count();
    assert_eq!((finished, service.open_jobs()), (taken, 0));
}

#[test]
fn generation_gives_one_picture_a_seed() {
    let model = ModelRef::Id("faces".into());
    let task = |seeds: RangeInclusive<u64>, psi| {
        let truncation = Some(Truncation { psi, cutoff: None });
        let stack = EditStack { truncation, ..EditStack::default() };
        let from = |seed| Origin::Seed { seed, class: None, noise: Noise::Const };
        let drawing = |seed| Drawing { stack: stack.clone(), ..Drawing::plain(from(seed)) };
        Task::Render(Render { model: model.clone(), drawings: seeds.map(drawing).collect() })
    };
    let images = |events: Vec<Event>| match events.into_iter().last() {
        Some(Event::Finished { output, .. }) => {
            output.drawn.into_iter().map(|drawn| drawn.picture).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let all = images(run(Fake::default(), task(10..=49, 1.0)));
    assert_eq!(all.len(), 40);
    assert_eq!(images(run(Fake::default(), task(30..=30, 1.0)))[0], all[20]);
    assert_ne!(all[20], all[21]);
    let mean = images(run(Fake::default(), task(1..=3, 0.0)));
    assert!(mean.iter().all(|image| *image == mean[0]));
    let sheet = contact_sheet(&all, 16).unwrap();
    assert_eq!(sheet.size(), Size::new(32, 3));
    assert_eq!(sheet.pixel_f32(9, 1), all[20].pixel_f32(1, 0));
    assert_eq!(sheet.pixel_f32(31, 2)[3], 0.0);
    assert!(contact_sheet(&[], 3).is_none() && contact_sheet(&all, 0).is_none());
    for (seeds, psi) in [(0..=MAX_DRAWINGS as u64, 1.0), (1..=1, 1.5), (1..=1, f32::NAN)] {
        let events = run(Fake::default(), task(seeds, psi));
        assert!(matches!(events.last(), Some(Event::Failed { .. })));
    }
}

#[test]
fn the_thread_serves_wakes_and_ends() {
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&woken);
    let wake = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut service = Service::spawn(Fake::default, wake).unwrap();
    let job = service.submit(Lane::Commit, None, small()).unwrap();
    let mut events = Vec::new();
    while !events.last().is_some_and(Event::is_final) {
        events.extend(service.wait_event(Duration::from_secs(20)).unwrap());
    }
    assert!(events.iter().all(|event| event.job() == job.id && job.id == JobId(1)));
    assert_eq!(result(&events).size(), Size::new(8, 8));
    assert!(woken.load(Ordering::Relaxed) >= events.len());
    assert_eq!(service.speed(), Some(Speed { flops_per_second: 123.0 }));
}
