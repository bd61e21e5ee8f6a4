//! Inversion with a generator that fits on a page.

use std::convert::Infallible;

use ganvas::latent::invert::{
    Inputs, Inverted, Options, Prior, Progress, Pyramid, Slopes, Space, Term, invert,
};
use ganvas::latent::random::normal_latent;
use ganvas::nets::Planes;

use super::dot;

const ROWS: usize = 3;
const DIM: usize = 8;
const SIDE: usize = 16;
const PIXELS: usize = 3 * SIDE * SIDE;

/// The hyperbolic tangent of sums of patterns, one for each number of the code, and of a noise.
struct Tiny {
    patterns: Vec<Vec<f32>>,
    draws: usize,
}

impl Tiny {
    fn new() -> Self {
        let pattern = |seed: usize| normal_latent(seed as u64, PIXELS, 0.2);
        Self { patterns: (0..ROWS * DIM).map(pattern).collect(), draws: 0 }
    }

    fn draw(&self, inputs: &Inputs) -> Planes {
        let mut data = vec![0.0; PIXELS];
        for (weight, pattern) in inputs.w.iter().zip(&self.patterns) {
            data.iter_mut().zip(pattern).for_each(|(sum, value)| *sum += weight * value);
        }
        for (at, value) in data.iter_mut().enumerate() {
            let noise = inputs.noise.first().map_or(0.0, |noise| noise[at % (SIDE * SIDE)]);
            *value = (*value + 0.1 * noise).tanh();
        }
        Planes { channels: 3, height: SIDE, width: SIDE, data }
    }
}

impl Slopes for Tiny {
    type Error = Infallible;

    fn slopes(
        &mut self,
        inputs: &Inputs,
        with_noise: bool,
        judge: &mut dyn FnMut(&Planes) -> Planes,
    ) -> Result<Inputs, Infallible> {
        self.draws += 1;
        let picture = self.draw(inputs);
        let slope = judge(&picture);
        let values = picture.data.iter().zip(&slope.data);
        let inner: Vec<f32> = values.map(|(value, slope)| slope * (1.0 - value * value)).collect();
        let w = self.patterns.iter().map(|pattern| dot(pattern, &inner) as f32).collect();
        let mut noise = vec![0.0; SIDE * SIDE];
        for (at, inner) in inner.iter().enumerate() {
            noise[at % (SIDE * SIDE)] += 0.1 * inner;
        }
        Ok(Inputs { w, noise: if with_noise { vec![noise] } else { Vec::new() } })
    }
}

const MEAN: [f32; DIM] = [0.2; DIM];
const PRIOR: Prior<'static> = Prior { mean: &MEAN, sigma: 1.0 };

fn at_mean() -> Inputs {
    Inputs { w: MEAN.repeat(ROWS), noise: Vec::new() }
}

/// A code as samples are: about the mean.
fn sample(seed: u64) -> Inputs {
    let w = normal_latent(seed, ROWS * DIM, 0.7).iter().map(|value| value + 0.2).collect();
    Inputs { w, noise: Vec::new() }
}

fn psnr_db(a: &Planes, b: &Planes, counts: impl Fn(usize) -> bool) -> f64 {
    let pairs = a.data.iter().zip(&b.data).enumerate();
    let squares: Vec<f64> = pairs
        .filter(|(at, _)| counts(at % (SIDE * SIDE)))
        .map(|(_, (a, b))| f64::from(a - b).powi(2))
        .collect();
    // The range is -1..=1.
    10.0 * (4.0 * squares.len() as f64 / squares.iter().sum::<f64>()).log10()
}

fn run(target: &Planes, weights: Vec<f32>, options: &Options) -> Inverted {
    let mut pyramid = Pyramid::new(target.clone(), weights).unwrap();
    let mut terms: [(f64, &mut dyn Term); 1] = [(1.0, &mut pyramid)];
    let found =
        invert(&mut Tiny::new(), PRIOR, &at_mean(), &mut terms, options, &mut |_| {}, &|| false);
    found.unwrap().unwrap()
}

fn everywhere() -> Vec<f32> {
    vec![1.0; SIDE * SIDE]
}

#[test]
fn a_picture_of_its_own_is_found_again() {
    for seed in 0..4 {
        let inputs = sample(seed);
        let target = Tiny::new().draw(&inputs);
        let found = run(&target, everywhere(), &Options::default());
        let quality = psnr_db(&found.picture, &target, |_| true);
        assert!(quality >= 30.0, "seed {seed}: {quality} dB");
        assert_eq!(found.steps, 300);
        assert_eq!(Tiny::new().draw(&found.inputs), found.picture);
        assert_eq!(found, run(&target, everywhere(), &Options::default()), "the same again");
    }
}

#[test]
fn in_w_all_rows_are_one() {
    let target = Tiny::new().draw(&sample(1));
    let in_w = Options { space: Space::W, ..Options::default() };
    let found = run(&target, everywhere(), &in_w);
    assert_eq!(found.inputs.w.len(), ROWS * DIM);
    assert!(found.inputs.w.chunks_exact(DIM).all(|row| row == &found.inputs.w[..DIM]));
    assert!(found.loss > 2.0 * run(&target, everywhere(), &Options::default()).loss);
    // A picture whose rows are one is found in W, too.
    let row = &sample(5).w[..DIM];
    let target = Tiny::new().draw(&Inputs { w: row.repeat(ROWS), noise: Vec::new() });
    let found = run(&target, everywhere(), &in_w);
    assert!(psnr_db(&found.picture, &target, |_| true) >= 30.0);
}

#[test]
fn what_is_hidden_does_not_count_and_is_filled_in() {
    let target = Tiny::new().draw(&sample(2));
    let hidden = |at: usize| (4..11).contains(&(at / SIDE)) && (5..13).contains(&(at % SIDE));
    let mut torn = target.clone();
    for (at, value) in torn.data.iter_mut().enumerate() {
        if hidden(at % (SIDE * SIDE)) {
            *value = 0.9;
        }
    }
    let weights = (0..SIDE * SIDE).map(|at| f32::from(u8::from(!hidden(at)))).collect();
    let masked = run(&torn, weights, &Options::default());
    let filled = psnr_db(&masked.picture, &target, hidden);
    assert!(filled >= 25.0, "{filled} dB");
    let misled = psnr_db(&run(&torn, everywhere(), &Options::default()).picture, &target, hidden);
    assert!(misled < filled - 10.0, "{misled} dB without the mask");
    assert!(Pyramid::new(target.clone(), vec![0.0; SIDE * SIDE]).is_none());
    assert!(Pyramid::new(target, vec![1.0; 5]).is_none());
}

#[test]
fn editable_codes_lie_nearer_to_the_mean_and_to_each_other() {
    let target = Tiny::new().draw(&sample(3));
    let away = |editability: f32| {
        let found = run(&target, everywhere(), &Options { editability, ..Options::default() });
        let row_mean = |at: usize| {
            found.inputs.w.iter().skip(at % DIM).step_by(DIM).sum::<f32>() / ROWS as f32
        };
        let from = |point: &dyn Fn(usize) -> f32| {
            let values = found.inputs.w.iter().enumerate();
            values.map(|(at, value)| f64::from(value - point(at)).powi(2)).sum::<f64>()
        };
        (from(&|at| MEAN[at % DIM]), from(&row_mean), found.loss)
    };
    let steps = [away(0.0), away(0.5), away(1.0)];
    for pair in steps.windows(2) {
        assert!(pair[1].0 < pair[0].0 && pair[1].1 < pair[0].1, "{steps:?}");
        assert!(pair[1].2 > pair[0].2, "{steps:?}");
    }
}

#[test]
fn stopping_keeps_the_best_and_pictures_come_on_time() {
    let target = Tiny::new().draw(&sample(4));
    let mut pyramid = Pyramid::new(target, everywhere()).unwrap();
    let mut terms: [(f64, &mut dyn Term); 1] = [(1.0, &mut pyramid)];
    let seen = std::cell::RefCell::new(Vec::new());
    let mut generator = Tiny::new();
    let mut watch = |progress: Progress<'_>| {
        seen.borrow_mut().push((progress.done, progress.loss, progress.picture.is_some()));
    };
    let options = Options { picture_every: 7, ..Options::default() };
    let stop = || seen.borrow().len() == 40;
    let found = invert(&mut generator, PRIOR, &at_mean(), &mut terms, &options, &mut watch, &stop);
    let found = found.unwrap().unwrap();
    assert_eq!((generator.draws, found.steps), (40, 39));
    let seen = seen.into_inner();
    assert!(seen.iter().all(|(done, _, shown)| *shown == (done % 7 == 0)));
    // What the watcher hears is the best before the latest.
    assert!(seen.windows(2).all(|pair| pair[1].1 <= pair[0].1));
    assert!(found.loss <= seen[39].1 && found.loss < seen[0].1);
    let nothing =
        invert(&mut generator, PRIOR, &at_mean(), &mut terms, &options, &mut |_| {}, &|| true);
    assert!(nothing.unwrap().is_none());
}

#[test]
fn a_perfect_start_is_kept() {
    let inputs = sample(6);
    let target = Tiny::new().draw(&inputs);
    let mut pyramid = Pyramid::new(target, everywhere()).unwrap();
    let mut terms: [(f64, &mut dyn Term); 1] = [(1.0, &mut pyramid)];
    let options = Options { exploration: 0.0, steps: 5, ..Options::default() };
    let found =
        invert(&mut Tiny::new(), PRIOR, &inputs, &mut terms, &options, &mut |_| {}, &|| false);
    let found = found.unwrap().unwrap();
    assert_eq!((found.loss, found.inputs), (0.0, inputs));
}

#[test]
fn noise_maps_take_over_detail_and_stay_noise() {
    let mut target = Tiny::new().draw(&sample(7));
    let detail = normal_latent(99, SIDE * SIDE, 0.05);
    for (at, value) in target.data.iter_mut().enumerate() {
        *value = (*value + detail[at % (SIDE * SIDE)]).clamp(-1.0, 1.0);
    }
    let start = Inputs { noise: vec![normal_latent(1, SIDE * SIDE, 1.0)], ..at_mean() };
    let with = |with_noise: bool| {
        let mut pyramid = Pyramid::new(target.clone(), everywhere()).unwrap();
        let mut terms: [(f64, &mut dyn Term); 1] = [(1.0, &mut pyramid)];
        let options = Options { with_noise, ..Options::default() };
        invert(&mut Tiny::new(), PRIOR, &start, &mut terms, &options, &mut |_| {}, &|| false)
            .unwrap()
            .unwrap()
    };
    let (fixed, free) = (with(false), with(true));
    assert_eq!(fixed.inputs.noise, start.noise);
    assert!(free.loss < 0.7 * fixed.loss, "{} {}", free.loss, fixed.loss);
    let map = &free.inputs.noise[0];
    assert!(map.iter().sum::<f32>().abs() < 0.05);
    assert!((dot(map, map) / map.len() as f64 - 1.0).abs() < 1e-3);
    let right: Vec<f32> =
        (0..map.len()).map(|at| map[at / SIDE * SIDE + (at + 1) % SIDE]).collect();
    let correlation = dot(map, &right) / map.len() as f64;
    assert!(correlation.abs() < 0.1, "{correlation}");
}

#[test]
fn the_pyramids_gradient_is_its_slope() {
    let planes = |seed: u64| {
        let data = normal_latent(seed, 3 * 24 * 24, 0.5);
        Planes { channels: 3, height: 24, width: 24, data }
    };
    let (target, picture, along) = (planes(1), planes(2), planes(3));
    let weights: Vec<f32> =
        normal_latent(4, 24 * 24, 0.3).iter().map(|v| v.abs().min(1.0)).collect();
    let mut pyramid = Pyramid::new(target.clone(), weights).unwrap();
    let (_, slope) = pyramid.measure(&picture);
    let mut moved = |step: f32| {
        let values = picture.data.iter().zip(&along.data);
        let data = values.map(|(value, along)| value + step * along).collect();
        pyramid.measure(&Planes { data, ..picture }).0
    };
    let measured = (moved(0.01) - moved(-0.01)) / 0.02;
    let told = dot(&slope.data, &along.data);
    assert!((measured - told).abs() < 1e-4 * measured.abs().max(1.0), "{measured} {told}");
    assert_eq!(pyramid.measure(&target).0, 0.0);
}
