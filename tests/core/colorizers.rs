//! The colourisers of Zhang et al. against the published definitions
//! (`tests/fixtures/nets/make_colorizers.py`), and what the tool makes of their colours.

use std::sync::{Arc, Mutex};

use ganvas::color::{Lab, ProfileMap, WorkingProfile};
use ganvas::geom::Size;
use ganvas::infer::plan::Speed;
use ganvas::infer::protocol::{Effect, Event, Filter, Lane, ModelRef, Task};
use ganvas::infer::service::Service;
use ganvas::infer::worker::{Models, Network, NetworkError, Step};
use ganvas::nets::cpu::Stop;
use ganvas::nets::{EccvColorizer, Planes, SiggraphColorizer};
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::zoo::{Capability, Extent, Purpose, Shapes, Spec, detect};

use crate::sampled::{Sampled, planes};

/// Tensors of a row of layers: convolutions of 3×3 every second one from `first` on, then batch
/// norm.
fn row(shapes: &mut Shapes, name: &str, first: usize, widths: &[usize]) {
    for (index, pair) in widths.windows(2).enumerate() {
        conv(shapes, &format!("{name}.{}", first + 2 * index), pair[1], pair[0], 3);
    }
    let norm = format!("{name}.{}", first + 2 * (widths.len() - 1));
    for leaf in ["weight", "bias", "running_mean", "running_var"] {
        shapes.insert(format!("{norm}.{leaf}"), vec![widths[widths.len() - 1]]);
    }
    shapes.insert(format!("{norm}.num_batches_tracked"), vec![]);
}

fn conv(shapes: &mut Shapes, name: &str, to: usize, from: usize, side: usize) {
    shapes.insert(format!("{name}.weight"), vec![to, from, side, side]);
    shapes.insert(format!("{name}.bias"), vec![to]);
}

fn transposed(shapes: &mut Shapes, name: &str, from: usize, to: usize) {
    shapes.insert(format!("{name}.weight"), vec![from, to, 4, 4]);
    shapes.insert(format!("{name}.bias"), vec![to]);
}

fn trunk([whole, half, quarter, eighth]: [usize; 4], inputs: usize) -> Shapes {
    let mut shapes = Shapes::new();
    row(&mut shapes, "model1", 0, &[inputs, whole, whole]);
    row(&mut shapes, "model2", 0, &[whole, half, half]);
    row(&mut shapes, "model3", 0, &[half, quarter, quarter, quarter]);
    row(&mut shapes, "model4", 0, &[quarter, eighth, eighth, eighth]);
    for name in ["model5", "model6", "model7"] {
        row(&mut shapes, name, 0, &[eighth; 4]);
    }
    shapes
}

/// The tensors of a file, as the published classes name them.
fn siggraph(network: &SiggraphColorizer) -> Shapes {
    let [whole, half, quarter, eighth] = network.widths;
    let mut shapes = trunk(network.widths, 4);
    transposed(&mut shapes, "model8up.0", eighth, quarter);
    transposed(&mut shapes, "model9up.0", quarter, half);
    transposed(&mut shapes, "model10up.0", half, network.last);
    conv(&mut shapes, "model3short8.0", quarter, quarter, 3);
    conv(&mut shapes, "model2short9.0", half, half, 3);
    conv(&mut shapes, "model1short10.0", network.last, whole, 3);
    row(&mut shapes, "model8", 1, &[quarter; 3]);
    row(&mut shapes, "model9", 1, &[half; 2]);
    conv(&mut shapes, "model10.1", network.last, network.last, 3);
    conv(&mut shapes, "model_class.0", 529, quarter, 1);
    conv(&mut shapes, "model_out.0", 2, network.last, 1);
    shapes
}

fn eccv(network: &EccvColorizer) -> Shapes {
    let [_, _, quarter, eighth] = network.widths;
    let mut shapes = trunk(network.widths, 1);
    transposed(&mut shapes, "model8.0", eighth, quarter);
    conv(&mut shapes, "model8.2", quarter, quarter, 3);
    conv(&mut shapes, "model8.4", quarter, quarter, 3);
    conv(&mut shapes, "model8.6", network.bins, quarter, 1);
    shapes.insert("model_out.weight".into(), vec![2, network.bins, 1, 1]);
    shapes
}

#[test]
fn the_published_files_are_recognised_and_told_apart() {
    let widths = [64, 128, 256, 512];
    let (second, first) =
        (SiggraphColorizer { widths, last: 128 }, EccvColorizer { widths, bins: 313 });
    for (shapes, spec) in [
        (siggraph(&second), Spec::SiggraphColorizer(second)),
        (eccv(&first), Spec::EccvColorizer(first)),
    ] {
        assert_eq!(detect(&shapes).map(|found| found.spec), Ok(spec.clone()));
        let capability = spec.capability();
        assert_eq!(capability.purpose, Purpose::Colorize);
        assert_eq!((capability.channels_in, capability.channels_out), (1, 2));
        let mut less = shapes;
        less.remove("model6.2.bias");
        let error = detect(&less).unwrap_err();
        assert_eq!(error.attempts[0].architecture, spec.architecture());
        assert_eq!(error.attempts[0].missing, ["model6.2.bias"]);
    }
}

#[test]
fn they_agree_layer_by_layer() {
    let recorded = Sampled::open("nets/computed-colorizers.safetensors");
    let lightness = [planes("lightness", [1, 32, 40], |u| 50.0 + 50.0 * u)];
    let widths = [4, 5, 6, 7];
    let (second, first) =
        (SiggraphColorizer { widths, last: 3 }, EccvColorizer { widths, bins: 9 });
    let spec = recorded.check("siggraph", &siggraph(&second), &lightness);
    assert_eq!(spec, Spec::SiggraphColorizer(second));
    let spec = recorded.check("eccv", &eccv(&first), &lightness);
    assert_eq!(spec, Spec::EccvColorizer(first));
}

/// Blue above, orange below, wherever light falls; keeps what it was given.
struct Painter(Capability, Arc<Mutex<Vec<f32>>>);

impl Network for Painter {
    fn capability(&self) -> &Capability {
        &self.0
    }

    fn architecture(&self) -> &str {
        "scripted"
    }

    fn input_channels(&self) -> Vec<usize> {
        vec![1]
    }

    fn run(&mut self, inputs: &[Planes], _stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        let seen = &inputs[0];
        *self.1.lock().unwrap() = seen.data.clone();
        let area = seen.height * seen.width;
        let above = |at: usize| at / seen.width < seen.height / 2;
        let data = (0..2 * area).map(|at| match (at / area, above(at % area)) {
            (0, true) => -5.0,
            (_, true) => -15.0,
            (0, false) => 10.0,
            (_, false) => 20.0,
        });
        Ok(vec![Planes { channels: 2, data: data.collect(), ..*seen }])
    }
}

struct One(Painter);

impl Models for One {
    fn network(&mut self, _: &ModelRef) -> Result<&mut dyn Network, String> {
        Ok(&mut self.0)
    }

    fn fall_back(&mut self) -> bool {
        false
    }

    fn forget(&mut self, _model: &ModelRef) {}

    fn measure(&mut self) -> Option<Speed> {
        None
    }
}

/// A grey ramp from left to right with every level of 16 bits that fits, half transparent at
/// the right.
fn ramp() -> PixelBuf {
    let mut ramp = PixelBuf::new(Size::new(300, 64), 4, Depth::U16);
    for (x, y) in (0..64).flat_map(|y| (0..300).map(move |x| (x, y))) {
        let level = 0.35 + 0.35 * (x as f32 + y as f32 / 64.0) / 300.0;
        let alpha = if x > 280 { 0.5 } else { 1.0 };
        ramp.set_pixel_f32(x, y, [level, level, level, alpha]);
    }
    ramp
}

fn colored(image: &PixelBuf, profile: &WorkingProfile, strength: f32) -> (PixelBuf, Vec<f32>) {
    let spec = Spec::SiggraphColorizer(SiggraphColorizer { widths: [4, 5, 6, 7], last: 3 });
    let capability = Capability { extent: Extent::Fixed([24, 32]), ..spec.capability() };
    let given = Arc::default();
    let models = One(Painter(capability, Arc::clone(&given)));
    let filter = Filter {
        image: Arc::new(image.clone()),
        mask: None,
        profile: profile.clone(),
        model: ModelRef::Id("painter".into()),
        effect: Effect::Colorize,
        strength,
        tile: None,
    };
    let (mut service, mut worker) = Service::stepped(models, Arc::new(|| {}));
    service.submit(Lane::Commit, None, Task::Filter(filter)).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    let given = given.lock().unwrap().clone();
    match std::iter::from_fn(|| service.try_event()).last() {
        Some(Event::Finished { mut output, .. }) => (output.images.remove(0), given),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_lightness_stays_to_16_bits_and_colours_come_in() {
    let (ramp, lab) = (ramp(), Lab::new());
    for profile in [WorkingProfile::srgb(), WorkingProfile::display_p3()] {
        let map = ProfileMap::new(&profile);
        let (out, given) = colored(&ramp, &profile, 1.0);
        assert_eq!((out.size(), out.depth()), (ramp.size(), Depth::U16));
        assert_eq!(given.len(), 24 * 32);
        let of = |picture: &PixelBuf, x: u32, y: u32| {
            let [r, g, b, _] = picture.pixel_f32(x, y);
            lab.of_srgb(map.to_srgb([r, g, b]))
        };
        let mut levels = std::collections::BTreeSet::new();
        for (x, y) in (0..64).step_by(3).flat_map(|y| (0..300).step_by(7).map(move |x| (x, y))) {
            let ([before, ..], [after, a, b]) = (of(&ramp, x, y), of(&out, x, y));
            // A step of 16 bits is about 0.002 of lightness; of 8 bits, 0.4.
            assert!((before - after).abs() < 0.01, "{x} {y}: {before} became {after}");
            assert_eq!(ramp.pixel_f32(x, y)[3], out.pixel_f32(x, y)[3]);
            levels.insert((after * 200.0) as i32);
            if y < 24 {
                assert!((a + 5.0).abs() < 0.1 && (b + 15.0).abs() < 0.1, "{x} {y}: {a} {b}");
            } else if y > 40 {
                assert!((a - 10.0).abs() < 0.1 && (b - 20.0).abs() < 0.1, "{x} {y}: {a} {b}");
            }
        }
        assert!(levels.len() > 400, "{} levels", levels.len());
        // What the network saw was lightness.
        let [darkest, ..] = of(&ramp, 0, 0);
        assert!(given.iter().all(|value| (darkest - 1.0..80.0).contains(value)));
    }
    let (still, _) = colored(&ramp, &WorkingProfile::srgb(), 0.0);
    assert_eq!(still, ramp);
}
