//! Filters and removals on the inference service, with small scripted networks: masks, strength,
//! alpha, depth, styles, tiles.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::infer::plan::Speed;
use ganvas::infer::protocol::{
    Effect, Engine, Event, Filter, Lane, ModelRef, Remove, StyleOf, Task,
};
use ganvas::infer::service::Service;
use ganvas::infer::worker::{Models, Network, NetworkError, Step};
use ganvas::inpaint::Fill;
use ganvas::nets::Planes;
use ganvas::nets::cpu::Stop;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::{Capability, Extent, Purpose, Range};

/// A network that turns colours over and adds the first number of its second input; for holes,
/// grey; for styles, the mean colour.
struct Scripted {
    capability: Capability,
    inputs: Vec<usize>,
    runs: Arc<AtomicUsize>,
    /// What the second input held last.
    second: Arc<std::sync::Mutex<Vec<f32>>>,
}

impl Scripted {
    fn new() -> Self {
        let capability = Capability {
            purpose: Purpose::Translate,
            channels_in: 3,
            vector: 0,
            channels_out: 3,
            scale: 1,
            range: Range::Unit,
            extent: Extent::Tiles,
            multiple: 4,
            halo_px: 5,
            reach_px: 5,
            flops_per_px: 1.0,
            bytes_per_px: 1.0,
            weight_bytes: 0,
            params: &[],
        };
        Self { capability, inputs: vec![3], runs: Arc::default(), second: Arc::default() }
    }
}

impl Network for Scripted {
    fn capability(&self) -> &Capability {
        &self.capability
    }

    fn architecture(&self) -> &str {
        "scripted"
    }

    fn input_channels(&self) -> Vec<usize> {
        self.inputs.clone()
    }

    fn run(&mut self, inputs: &[Planes], _stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut picture = inputs[0].clone();
        assert_eq!((picture.height % 4, picture.width % 4), (0, 0), "off the network's grid");
        if let Some(second) = inputs.get(1) {
            *self.second.lock().unwrap() = second.data.clone();
        }
        match self.capability.purpose {
            Purpose::Inpaint => picture.data.fill(0.25),
            Purpose::StyleVector => {
                let area = picture.height * picture.width;
                let mean = |plane: &[f32]| plane.iter().sum::<f32>() / area as f32;
                let means = picture.data.chunks_exact(area).map(mean).collect();
                return Ok(vec![Planes::vector(means)]);
            }
            _ => picture.data.iter_mut().for_each(|value| {
                *value =
                    self.capability.range.of_unit(1.0 - self.capability.range.to_unit(*value), 0);
            }),
        }
        Ok(vec![picture])
    }
}

/// Answers to two names.
struct Two(Scripted, Scripted);

impl Models for Two {
    fn network(&mut self, model: &ModelRef) -> Result<&mut dyn Network, String> {
        match model {
            ModelRef::Id(id) if id == "reader" => Ok(&mut self.1),
            _ => Ok(&mut self.0),
        }
    }

    fn fall_back(&mut self) -> bool {
        false
    }

    fn forget(&mut self, _model: &ModelRef) {}

    fn measure(&mut self) -> Option<Speed> {
        None
    }
}

fn picture(depth: Depth) -> PixelBuf {
    let mut picture = PixelBuf::new(Size::new(70, 37), 4, depth);
    for y in 0..37 {
        for x in 0..70 {
            let value = |k: u32| ((x * 7 + y * 13 + k * 50) % 251) as f32 / 255.0;
            let alpha = if x < 10 { 0.5 } else { 1.0 };
            picture.set_pixel_f32(x, y, [value(0), value(1), value(2), alpha]);
        }
    }
    picture
}

fn filter(image: PixelBuf) -> Filter {
    Filter {
        image: Arc::new(image),
        mask: None,
        profile: WorkingProfile::srgb(),
        model: ModelRef::Id("net".into()),
        effect: Effect::Translate,
        strength: 1.0,
        tile: Some(32),
    }
}

fn run(network: Scripted, task: Task) -> Result<PixelBuf, String> {
    let reader = Scripted {
        capability: Capability { purpose: Purpose::StyleVector, ..network.capability },
        ..Scripted::new()
    };
    let (mut service, mut worker) = Service::stepped(Two(network, reader), Arc::new(|| {}));
    service.submit(Lane::Commit, None, task).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    match std::iter::from_fn(|| service.try_event()).last() {
        Some(Event::Finished { mut output, .. }) => Ok(output.images.remove(0)),
        Some(Event::Failed { error, .. }) => Err(error),
        other => panic!("{other:?}"),
    }
}

/// Every pixel turned over by `share`, alpha kept, within a rounding step.
fn check(source: &PixelBuf, out: &PixelBuf, share: impl Fn(u32, u32) -> f32) {
    assert_eq!((source.size(), source.depth()), (out.size(), out.depth()));
    let step = 0.51 / f32::from(source.depth().max());
    for y in 0..source.size().height {
        for x in 0..source.size().width {
            let (from, to) = (source.pixel_f32(x, y), out.pixel_f32(x, y));
            let share = share(x, y);
            if share == 0.0 {
                assert_eq!(from, to, "{x} {y} is protected");
            }
            for channel in 0..3 {
                let want = from[channel] + (1.0 - 2.0 * from[channel]) * share;
                assert!((to[channel] - want).abs() <= step + 1e-6, "{x} {y}: {to:?} of {from:?}");
            }
            assert_eq!(from[3], to[3]);
        }
    }
}

#[test]
fn a_filter_changes_colour_by_strength_and_keeps_alpha_and_depth() {
    for depth in [Depth::U8, Depth::U16] {
        for range in [Range::Unit, Range::Signed] {
            for extent in [Extent::Tiles, Extent::Whole] {
                let mut network = Scripted::new();
                network.capability.range = range;
                network.capability.extent = extent;
                let task = Filter { strength: 0.75, ..filter(picture(depth)) };
                let out = run(network, Task::Filter(task)).unwrap();
                check(&picture(depth), &out, |_, _| 0.75);
            }
        }
    }
}

#[test]
fn what_the_mask_protects_is_untouched_and_not_computed() {
    let mut mask = PixelBuf::new(Size::new(70, 37), 1, Depth::U8);
    for y in 0..37 {
        for x in 40..70 {
            mask.set_pixel_f32(x, y, [if x < 50 { 0.2 } else { 1.0 }, 0.0, 0.0, 0.0]);
        }
    }
    let network = Scripted::new();
    let runs = network.runs.clone();
    let task = Filter { mask: Some(Arc::new(mask.clone())), ..filter(picture(Depth::U16)) };
    let out = run(network, Task::Filter(task)).unwrap();
    check(&picture(Depth::U16), &out, |x, y| mask.pixel_f32(x, y)[0]);
    // Six tiles of 32; the two at the left are protected.
    assert_eq!(runs.load(Ordering::Relaxed), 4);
}

#[test]
fn a_network_that_knows_grey_sees_one_channel_after_another() {
    let mut network = Scripted { inputs: vec![1, 1], ..Scripted::new() };
    let capability = &mut network.capability;
    (capability.purpose, capability.channels_in) = (Purpose::Denoise, 1);
    (capability.channels_out, capability.vector) = (1, 1);
    capability.extent = Extent::Whole;
    let (runs, second) = (Arc::clone(&network.runs), Arc::clone(&network.second));
    let source = picture(Depth::U16);
    let effect = Effect::Denoise { sigma: Some(51.0) };
    let out = run(network, Task::Filter(Filter { effect, ..filter(source.clone()) })).unwrap();
    check(&source, &out, |_, _| 1.0);
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    assert_eq!(*second.lock().unwrap(), [0.2]);
    // From grey to something else it is none of these.
    let mut network = Scripted::new();
    (network.capability.channels_in, network.capability.channels_out) = (1, 3);
    let error = run(network, Task::Filter(filter(picture(Depth::U8)))).unwrap_err();
    assert!(error.contains("not for colour pictures"), "{error}");
}

#[test]
fn the_noise_level_reaches_the_network() {
    for (sigma, low, high) in [(Some(25.5), 0.0999, 0.1001), (None, 0.0, 1.0)] {
        let mut network = Scripted::new();
        network.capability.purpose = Purpose::Denoise;
        network.inputs = vec![3, 1];
        let second = network.second.clone();
        let task = Filter { effect: Effect::Denoise { sigma }, ..filter(picture(Depth::U8)) };
        run(network, Task::Filter(task)).unwrap();
        let given = second.lock().unwrap().clone();
        assert!(given.len() == 1 && (low..=high).contains(&given[0]), "{given:?}");
    }
}

#[test]
fn style_weights_are_shares_and_unknown_styles_an_error() {
    let styled = |weights: Vec<(usize, f32)>| {
        let mut network = Scripted::new();
        network.capability.purpose = Purpose::Style;
        network.inputs = vec![3, 4];
        let second = network.second.clone();
        let task = Filter { effect: Effect::Style { weights }, ..filter(picture(Depth::U8)) };
        run(network, Task::Filter(task)).map(|_| second.lock().unwrap().clone())
    };
    assert_eq!(styled(vec![(3, 3.0), (1, 1.0)]).unwrap(), [0.0, 0.25, 0.0, 0.75]);
    assert!(styled(vec![(4, 1.0)]).unwrap_err().contains("no style 4"));
    assert!(styled(vec![(1, 0.0)]).unwrap_err().contains("weights"));
}

#[test]
fn a_pictures_style_is_read_and_mixed_with_the_contents_own() {
    let grey = |value: f32| {
        let mut grey = PixelBuf::new(Size::new(8, 8), 4, Depth::U16);
        for at in 0..64 {
            grey.set_pixel_f32(at % 8, at / 8, [value, value, value, 1.0]);
        }
        grey
    };
    for (amount, want) in [(1.0, 0.8), (0.25, 0.35)] {
        let mut network = Scripted::new();
        network.capability.purpose = Purpose::StyleTransfer;
        network.inputs = vec![3, 3];
        let second = network.second.clone();
        let style = StyleOf {
            picture: Arc::new(grey(0.8)),
            profile: WorkingProfile::srgb(),
            reader: ModelRef::Id("reader".into()),
            amount,
        };
        let task = Filter { effect: Effect::StyleOf(style), ..filter(grey(0.2)) };
        run(network, Task::Filter(task)).unwrap();
        let given = second.lock().unwrap().clone();
        assert!(given.iter().all(|value| (value - want).abs() < 1e-3), "{given:?} for {want}");
    }
}

#[test]
fn a_network_of_another_purpose_is_refused() {
    let task = Filter { effect: Effect::Light, ..filter(picture(Depth::U8)) };
    let error = run(Scripted::new(), Task::Filter(task)).unwrap_err();
    assert!(error.contains("lights no dark pictures"), "{error}");
}

fn hole() -> PixelBuf {
    let mut mask = PixelBuf::new(Size::new(70, 37), 1, Depth::U8);
    for (x, y) in (20..30).flat_map(|x| (10..20).map(move |y| (x, y))) {
        mask.set_pixel_f32(x, y, [1.0, 0.0, 0.0, 0.0]);
    }
    mask
}

/// The picture with something white in the hole: its own pattern would be filled in as it was.
fn spotted(depth: Depth) -> PixelBuf {
    let mut picture = picture(depth);
    for (x, y) in (20..30).flat_map(|x| (10..20).map(move |y| (x, y))) {
        picture.set_pixel_f32(x, y, [1.0; 4]);
    }
    picture
}

#[test]
fn removing_changes_the_hole_and_nothing_else() {
    for depth in [Depth::U8, Depth::U16] {
        for engine in [Engine::Patches, Engine::Network(ModelRef::Id("net".into()))] {
            let mut network = Scripted::new();
            network.capability.purpose = Purpose::Inpaint;
            network.inputs = vec![3, 1];
            let options = Fill { dilate_px: 1, feather_px: 2.0, ..Fill::default() };
            let task = Remove {
                image: Arc::new(spotted(depth)),
                mask: Arc::new(hole()),
                profile: WorkingProfile::srgb(),
                engine: engine.clone(),
                options,
            };
            let out = run(network, Task::Remove(task)).unwrap();
            let (mut inside, source) = (0, spotted(depth));
            for y in 0..37u32 {
                for x in 0..70u32 {
                    let near = (17..33).contains(&x) && (7..23).contains(&y);
                    let same = source.pixel_f32(x, y) == out.pixel_f32(x, y);
                    assert!(near || same, "{engine:?} {depth:?}: {x} {y} changed");
                    inside += u32::from(!same);
                }
            }
            assert!(inside > 60, "{engine:?}: {inside} pixels changed");
        }
    }
}

#[test]
fn a_networks_fill_takes_the_tone_of_the_surroundings() {
    let mut image = PixelBuf::new(Size::new(70, 37), 4, Depth::U16);
    for at in 0..70 * 37 {
        image.set_pixel_f32(at % 70, at / 70, [0.6, 0.5, 0.4, 1.0]);
    }
    let mut network = Scripted::new();
    network.capability.purpose = Purpose::Inpaint;
    network.inputs = vec![3, 1];
    let task = Remove {
        image: Arc::new(image),
        mask: Arc::new(hole()),
        profile: WorkingProfile::srgb(),
        engine: Engine::Network(ModelRef::Id("net".into())),
        options: Fill::default(),
    };
    // The network answers 0.25 grey everywhere; its difference on the rim is taken off.
    let out = run(network, Task::Remove(task)).unwrap();
    let middle = out.pixel_f32(25, 15);
    let pairs = middle.iter().zip([0.6, 0.5, 0.4, 1.0]);
    assert!(pairs.into_iter().all(|(have, want)| (have - want).abs() < 2e-3), "{middle:?}");
}
