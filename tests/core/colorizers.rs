//! The colourisers of Zhang et al.: their files, by names and shapes, and what the tool makes of
//! their colours.

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
use ganvas::zoo::{Capability, Extent, Purpose, Spec, detect};

use crate::published::{eccv, siggraph};

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
fn known_colours_have_their_lightness_and_come_back() {
    let lab = Lab::new();
    // As scikit-image has them.
    for (rgb, want) in [
        ([1.0, 0.0, 0.0], [53.2406, 80.0923, 67.2028]),
        ([0.0, 1.0, 0.0], [87.7351, -86.1830, 83.1797]),
        ([0.0, 0.0, 1.0], [32.2957, 79.1856, -107.8573]),
        ([0.2, 0.5, 0.7], [50.9720, -6.3982, -33.7093]),
    ] {
        let have = lab.of_srgb(rgb);
        let near = have.iter().zip(want).all(|(have, want)| (have - want).abs() < 0.03);
        assert!(near, "{rgb:?}: {have:?}");
        let back = lab.to_srgb(have);
        assert!(back.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-5), "{rgb:?}: {back:?}");
    }
    // A grey of 16 bits stays that grey, to the last of them.
    for level in (0..=u16::MAX).step_by(97) {
        let grey = f32::from(level) / 65_535.0;
        let [l, a, b] = lab.of_srgb([grey; 3]);
        assert!(a.abs() < 1e-3 && b.abs() < 1e-3);
        for value in lab.to_srgb([l, 0.0, 0.0]) {
            assert!((value - grey).abs() * 65_535.0 < 0.7, "{level}: {value}");
        }
    }
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
