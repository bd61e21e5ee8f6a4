//! Style transfer by optimisation: losses and gradients as the reference computes them
//! (`tests/fixtures/nets/make_restyle.py`), and what the optimisation makes of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use ganvas::checkpoint::Checkpoint;
use ganvas::nets::gatys::{Gatys, Options, Progress};
use ganvas::nets::{Planes, Stopped};
use ganvas::zoo::{Spec, open_network};

use crate::recorded::{root, tiny};

/// Largest difference, relative to the largest value.
const TOLERANCE: f64 = 1e-4;

fn gatys() -> Gatys {
    let (checkpoint, detected) = open_network(&tiny("tiny-vgg.pth")).unwrap();
    let Spec::Vgg(vgg) = detected.spec else { panic!("{:?} is no VGG", detected.spec) };
    Gatys::new(&vgg, &mut |name| checkpoint.read_f32(&detected.names[name])).unwrap()
}

struct Reference(Checkpoint);

impl Reference {
    fn open() -> Self {
        Self(Checkpoint::open(&root().join("tests/fixtures/nets/gatys.safetensors")).unwrap())
    }

    fn values(&self, name: &str) -> Vec<f32> {
        self.0.read_f32(name).unwrap()
    }

    fn picture(&self, name: &str) -> Planes {
        let [_, channels, height, width] = self.0.shapes()[name][..] else { panic!("{name}") };
        Planes { channels, height, width, data: self.values(name) }
    }
}

fn weights(content: f32, style: f32, variation: f32) -> Options {
    Options { content, style, variation, ..Options::default() }
}

fn assert_near(what: &str, have: &[f64], want: &[f32]) {
    assert_eq!(have.len(), want.len(), "{what}");
    let top = want.iter().fold(0.0f32, |top, value| top.max(value.abs()));
    assert!(top > 0.0, "{what}");
    for (have, want) in have.iter().zip(want) {
        let off = (have - f64::from(*want)).abs() / f64::from(top);
        assert!(off <= TOLERANCE, "{what}: {have} instead of {want}");
    }
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

#[test]
fn losses_and_gradients_are_the_references() {
    let (gatys, reference) = (gatys(), Reference::open());
    let (content, style) = (reference.picture("content"), reference.picture("style"));
    let picture = reference.picture("input");
    let targets = gatys.targets(&content, &style, &|| false).unwrap();
    let run = |options: &Options| gatys.losses(&picture, &targets, options, &|| false).unwrap();
    let mut sum = vec![0.0f32; picture.data.len()];
    for (name, options, weight) in [
        ("content", weights(1.0, 0.0, 0.0), 2.0f32),
        ("style", weights(0.0, 1.0, 0.0), 0.5),
        ("variation", weights(0.0, 0.0, 1.0), 3.0),
    ] {
        let losses = run(&options);
        let loss = reference.values(&format!("{name}.loss"));
        assert_near(name, &[losses.total], &loss);
        // Each is told, whatever it weighs.
        let told = [losses.content, losses.style, losses.variation];
        let all = ["content", "style", "variation"].map(|n| reference.values(&format!("{n}.loss")));
        for (told, want) in told.iter().zip(&all) {
            assert_near(name, &[*told], want);
        }
        let gradient = reference.values(&format!("{name}.gradient"));
        assert_near(&format!("{name} gradient"), &doubles(&losses.gradient), &gradient);
        sum.iter_mut().zip(&gradient).for_each(|(sum, value)| *sum += weight * value);
    }
    // The whole is the weighted sum of its parts.
    assert_near("sum", &doubles(&run(&weights(2.0, 0.5, 3.0)).gradient), &sum);
}

#[test]
fn a_picture_that_is_its_own_target_has_no_loss() {
    let (gatys, reference) = (gatys(), Reference::open());
    let content = reference.picture("content");
    let targets = gatys.targets(&content, &content, &|| false).unwrap();
    let losses = gatys.losses(&content, &targets, &weights(1.0, 1.0, 0.0), &|| false).unwrap();
    assert!(losses.total < 1e-9, "{}", losses.total);
    assert!(losses.gradient.iter().all(|value| value.abs() < 1e-6));
}

#[test]
fn painting_lowers_the_loss_at_every_size_and_stays_in_range() {
    let (gatys, reference) = (gatys(), Reference::open());
    let (content, style) = (larger(&reference.picture("content")), reference.picture("style"));
    let options = Options { steps: 8, sizes: 2, style: 10.0, ..Options::default() };
    let mut seen: Vec<(usize, usize, f64)> = Vec::new();
    let mut watch = |progress: Progress<'_>| {
        assert_eq!(progress.steps, 16);
        assert!(progress.picture.data.iter().all(|value| (0.0..=1.0).contains(value)));
        seen.push((progress.picture.height, progress.done, progress.loss));
    };
    let made = gatys.paint(&content, &style, &options, &mut watch, &|| false).unwrap();
    assert_eq!((made.height, made.width), (content.height, content.width));
    assert!(made.data.iter().all(|value| (0.0..=1.0).contains(value)));
    assert!(seen.windows(2).all(|pair| pair[0].1 < pair[1].1), "{seen:?}");
    for height in [content.height / 2, content.height] {
        let losses: Vec<f64> =
            seen.iter().filter(|(side, ..)| *side == height).map(|(.., loss)| *loss).collect();
        assert_eq!(losses.len(), 8, "{seen:?}");
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]), "{losses:?}");
    }
    let targets = gatys.targets(&content, &style, &|| false).unwrap();
    let loss =
        |picture: &Planes| gatys.losses(picture, &targets, &options, &|| false).unwrap().total;
    assert!(loss(&made) < 0.5 * loss(&content), "{} of {}", loss(&made), loss(&content));
}

/// Each pixel as a square of nine.
fn larger(picture: &Planes) -> Planes {
    let (height, width) = (picture.height * 3, picture.width * 3);
    let mut data = Vec::with_capacity(picture.channels * height * width);
    for plane in picture.data.chunks_exact(picture.height * picture.width) {
        for y in 0..height {
            data.extend((0..width).map(|x| plane[y / 3 * picture.width + x / 3]));
        }
    }
    Planes { channels: picture.channels, height, width, data }
}

#[test]
fn colours_are_kept_where_that_is_asked_for() {
    let (gatys, reference) = (gatys(), Reference::open());
    // Away from the ends of the range nothing is cut off.
    let mut content = reference.picture("content");
    content.data.iter_mut().for_each(|value| *value = 0.2 + 0.6 * *value);
    let style = reference.picture("style");
    let options = Options { steps: 12, sizes: 1, keeps_colors: true, ..Options::default() };
    let made = gatys.paint(&content, &style, &options, &mut |_| {}, &|| false).unwrap();
    let area = made.height * made.width;
    let mut greatest = 0.0f32;
    for at in 0..area {
        let change = [0, 1, 2].map(|channel| channel * area + at);
        let change = change.map(|at| made.data[at] - content.data[at]);
        assert!(change.iter().all(|other| (other - change[0]).abs() < 1e-5), "{change:?}");
        greatest = greatest.max(change[0].abs());
    }
    // Not by being left alone.
    assert!(greatest > 0.004, "{greatest}");
}

#[test]
fn painting_stops_when_it_is_told_to() {
    let (gatys, reference) = (gatys(), Reference::open());
    let (content, style) = (reference.picture("content"), reference.picture("style"));
    let options = Options { steps: 2, sizes: 1, ..Options::default() };
    let asked = AtomicUsize::new(0);
    let count = || {
        asked.fetch_add(1, Ordering::Relaxed);
        false
    };
    gatys.paint(&content, &style, &options, &mut |_| {}, &count).unwrap();
    let all = asked.load(Ordering::Relaxed);
    // Asked for every few rows, so often enough at any size.
    assert!(all > 1000, "{all}");
    for most in [0, 1, all / 3, all / 2, all - 1] {
        let asked = AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= most;
        let made = gatys.paint(&content, &style, &options, &mut |_| {}, &stop);
        assert_eq!(made, Err(Stopped), "after {most} of {all}");
    }
}
