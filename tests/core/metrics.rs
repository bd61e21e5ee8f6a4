//! Metrics against the reference implementations: `tests/fixtures/metrics/make_metrics.py`.

use std::path::{Path, PathBuf};

use ganvas::checkpoint::Checkpoint;
use ganvas::geom::{IRect, Size};
use ganvas::io::{self, Limits};
use ganvas::latent::Moments;
use ganvas::latent::random::normal_latent;
use ganvas::metrics::{
    InceptionScore, MetricsError, NEIGHBOURS, PathLength, PathSpace, Reservoir, Sampling, Subsets,
    Walked, frechet_distance, frechet_distance_of_few, kernel_distance, ms_ssim,
    perceptual_distance, precision_recall,
};
use ganvas::nets::Planes;
use ganvas::pixels::{Depth, PixelBuf};
use serde_json::Value as Json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/metrics")
}

fn expected(name: &str) -> Json {
    let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
    let values: Json = serde_json::from_str(&text).unwrap();
    values[name].clone()
}

fn number(name: &str) -> f64 {
    expected(name).as_f64().unwrap()
}

/// Numbers of a set, and how many a vector has.
fn set(name: &str) -> (Vec<f32>, usize) {
    let file = Checkpoint::open(&folder().join("sets.safetensors")).unwrap();
    (file.read_f32(name).unwrap(), file.shapes()[name][1])
}

fn moments(name: &str) -> Moments {
    let (values, dim) = set(name);
    let mut moments = Moments::new(dim);
    // In a stream of uneven batches.
    for batch in values.chunks(7 * dim) {
        moments.push(batch).unwrap();
    }
    moments
}

fn reservoir(name: &str) -> Reservoir {
    let (values, dim) = set(name);
    let mut reservoir = Reservoir::new(dim, Reservoir::CAPACITY, 0);
    values.chunks_exact(dim).for_each(|vector| reservoir.push(vector).unwrap());
    reservoir
}

#[track_caller]
fn assert_close(have: f64, want: f64, relative: f64) {
    assert!((have - want).abs() <= relative * want.abs(), "{have} instead of {want}");
}

#[test]
fn the_frechet_distance_is_that_of_pytorch_fid() {
    for (a, b, name) in [
        ("real", "generated", "frechet"),
        ("few", "real", "frechet_singular"),
        ("few", "fewer", "frechet_both_singular"),
    ] {
        let few = [reservoir(a), reservoir(b)];
        assert_close(frechet_distance_of_few(&few[0], &few[1]).unwrap(), number(name), 1e-7);
        assert_close(frechet_distance_of_few(&few[1], &few[0]).unwrap(), number(name), 1e-7);
        assert!(frechet_distance_of_few(&few[0], &few[0]).unwrap() < 1e-5);
        let (a, b) = (moments(a), moments(b));
        assert_close(frechet_distance(&a, &b).unwrap(), number(name), 1e-8);
        assert_close(frechet_distance(&b, &a).unwrap(), number(name), 1e-8);
        assert!(frechet_distance(&a, &a).unwrap() < 1e-9);
    }
    let lone = Moments::new(24);
    assert!(matches!(frechet_distance(&lone, &moments("real")), Err(MetricsError::Algebra(_))));
    let narrow = Moments::new(3);
    let error = frechet_distance(&narrow, &moments("real")).unwrap_err();
    assert!(matches!(error, MetricsError::Dimensions(3, 24)));
    let error = frechet_distance_of_few(&Reservoir::new(24, 9, 0), &reservoir("real"));
    assert!(matches!(error, Err(MetricsError::TooFew { have: 0, need: 2 })));
}

#[test]
fn sets_of_few_wide_vectors_are_no_trouble() {
    // Of 512 numbers in 60 pictures: rank 59. Doubling every number quadruples the covariance
    // and doubles the mean, so that the distance is |m|² + tr A.
    let dim = 512;
    let values = normal_latent(3, 60 * dim, 1.0);
    let (mut a, mut b) = (Moments::new(dim), Moments::new(dim));
    a.push(&values).unwrap();
    b.push(&values.iter().map(|value| value * 2.0).collect::<Vec<_>>()).unwrap();
    let covariance = a.covariance().unwrap();
    let trace: f64 = (0..dim).map(|at| covariance[at * dim + at]).sum();
    let square: f64 = a.mean().iter().map(|mean| mean * mean).sum();
    assert_close(frechet_distance(&a, &b).unwrap(), square + trace, 1e-9);
}

#[test]
fn the_kernel_distance_is_that_of_torch_fidelity() {
    let subsets = Subsets { count: 4, size: 50, seed: 1 };
    let (mut real, dim) = (Reservoir::new(24, 50, 0), 24);
    set("real").0.chunks_exact(dim).take(50).for_each(|vector| real.push(vector).unwrap());
    let generated = reservoir("generated");
    let whole = kernel_distance(&real, &generated, subsets).unwrap();
    assert_close(whole.mean, number("kid_50"), 1e-9);
    assert_eq!(whole.deviation, 0.0);
    // Subsets scatter about what all of them say; the same seed chooses the same ones.
    let small = Subsets { count: 400, size: 20, seed: 1 };
    let estimate = kernel_distance(&real, &generated, small).unwrap();
    let error = estimate.deviation / f64::from(400u32).sqrt();
    assert!((estimate.mean - whole.mean).abs() < 4.0 * error, "{estimate:?} {whole:?}");
    assert!(estimate.deviation > 0.0);
    assert_eq!(kernel_distance(&real, &generated, small).unwrap(), estimate);
    let empty = Reservoir::new(dim, 4, 0);
    let error = kernel_distance(&empty, &real, small).unwrap_err();
    assert!(matches!(error, MetricsError::TooFew { have: 0, need: 2 }));
}

#[test]
fn precision_and_recall_by_tiles_are_those_of_every_pair() {
    let cloud = |count: usize, seed: u64, apart: f32| {
        let mut set = Reservoir::new(5, usize::MAX, 0);
        for vector in normal_latent(seed, count * 5, 1.0).chunks_exact(5) {
            let moved: Vec<f32> = vector.iter().map(|x| x + apart).collect();
            set.push(&moved).unwrap();
        }
        set
    };
    let far = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)).map(|x| x * x).sum()
    };
    // Sizes about those of a tile, and more neighbours than one.
    for (counts, neighbours, apart) in
        [([150, 64], 3, 0.8), ([65, 130], 1, 0.3), ([9, 200], 5, 2.0)]
    {
        let (real, drawn) = (cloud(counts[0], 1, 0.0), cloud(counts[1], 2, apart));
        let radius = |set: &Reservoir, at: usize| {
            let others = (0..set.len()).filter(|other| *other != at);
            let mut all: Vec<f64> =
                others.map(|other| far(set.vector(at), set.vector(other))).collect();
            all.sort_by(f64::total_cmp);
            all[neighbours - 1]
        };
        let share = |centres: &Reservoir, set: &Reservoir| {
            let radii: Vec<f64> = (0..centres.len()).map(|at| radius(centres, at)).collect();
            let is_in =
                |x: &&[f32]| (0..centres.len()).any(|at| far(centres.vector(at), x) <= radii[at]);
            set.vectors().filter(is_in).count() as f64 / set.len() as f64
        };
        let found = precision_recall(&real, &drawn, neighbours).unwrap();
        assert_eq!(found.precision, share(&real, &drawn), "{counts:?}");
        assert_eq!(found.recall, share(&drawn, &real), "{counts:?}");
        assert!(found.precision < 1.0 || found.recall < 1.0, "{found:?}");
    }
}

#[test]
fn precision_and_recall_are_those_of_torch_fidelity() {
    let (real, generated) = (reservoir("real"), reservoir("generated"));
    let found = precision_recall(&real, &generated, NEIGHBOURS).unwrap();
    let want = expected("precision_recall");
    assert_close(found.precision, want[0].as_f64().unwrap(), 1e-6);
    assert_close(found.recall, want[1].as_f64().unwrap(), 1e-6);
    assert!(want[0] != want[1], "the sides could be exchanged unnoticed");
    let same = precision_recall(&real, &real, NEIGHBOURS).unwrap();
    assert_eq!((same.precision, same.recall), (1.0, 1.0));
    let error = precision_recall(&real, &Reservoir::new(24, 4, 0), NEIGHBOURS).unwrap_err();
    assert!(matches!(error, MetricsError::TooFew { have: 0, need: 4 }));
}

#[test]
fn the_inception_score_is_that_of_torch_fidelity() {
    let (logits, classes) = set("logits");
    for (splits, name) in [(10, "inception_score_10"), (1, "inception_score_1")] {
        let mut score = InceptionScore::new(splits, logits.len() / classes);
        logits.chunks_exact(classes).for_each(|row| score.push(row).unwrap());
        let (score, want) = (score.score().unwrap(), expected(name));
        assert_close(score.mean, want[0].as_f64().unwrap(), 1e-6);
        assert!((score.deviation - want[1].as_f64().unwrap()).abs() < 1e-6);
    }
    // Equal answers say nothing; certain and different ones count the classes.
    let mut dull = InceptionScore::new(1, 4);
    let mut sure = InceptionScore::new(1, 4);
    for class in 0..4 {
        dull.push(&[1.0; 4]).unwrap();
        sure.push(&[0, 1, 2, 3].map(|at| if at == class { 200.0 } else { 0.0 })).unwrap();
    }
    assert_close(dull.score().unwrap().mean, 1.0, 1e-12);
    assert_close(sure.score().unwrap().mean, 4.0, 1e-12);
    assert!(dull.push(&[1.0; 3]).is_err() && dull.push(&[f32::NAN; 4]).is_err());
    assert!(InceptionScore::new(1, 0).score().is_err());
}

/// A photo and the same mixed with itself upside down.
fn pair() -> [PixelBuf; 2] {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/photos/astronaut-256.png");
    let photo = io::open(&path, &Limits::default()).unwrap().pixels;
    let mut other = photo.clone();
    let height = photo.size().height;
    for y in 0..height {
        for x in 0..photo.size().width {
            let (a, b) = (photo.pixel_f32(x, y), photo.pixel_f32(x, height - 1 - y));
            let mixed = [0, 1, 2].map(|c| (3.0 * a[c] + b[c]) * 255.0);
            let [r, g, b] = mixed.map(|sum| (sum.round() / 4.0).floor() / 255.0);
            other.set_pixel_f32(x, y, [r, g, b, 1.0]);
        }
    }
    [photo, other]
}

#[test]
fn similarity_on_scales_is_that_of_the_published_script() {
    let [a, b] = pair();
    assert_close(ms_ssim(&a, &b).unwrap(), number("ms_ssim_even_wang"), 1e-6);
    assert_close(ms_ssim(&a, &b).unwrap(), number("ms_ssim_even"), 1e-5);
    let odd = [&a, &b].map(|image| image.crop(IRect::new(0, 0, 161, 203)));
    assert_close(ms_ssim(&odd[0], &odd[1]).unwrap(), number("ms_ssim_odd"), 1e-6);
    assert_close(ms_ssim(&a, &a).unwrap(), 1.0, 1e-12);
    let small = PixelBuf::new(Size::new(160, 400), 4, Depth::U8);
    let error = ms_ssim(&small, &small).unwrap_err();
    assert!(matches!(error, MetricsError::TooSmall { need: 161, .. }));
    assert!(matches!(ms_ssim(&a, &small).unwrap_err(), MetricsError::Sizes(..)));
}

#[test]
fn perceptual_distance_compares_directions_of_activations() {
    let stage = |data: &[f32]| Planes { channels: 2, height: 1, width: 2, data: data.to_vec() };
    // Two pixels: the first turns by a right angle, the second only grows.
    let a = stage(&[3.0, 1.0, 0.0, 1.0]);
    let b = stage(&[0.0, 5.0, 2.0, 5.0]);
    let ([a, b], weights) = ([[a], [b]], [vec![0.25, 0.5]]);
    let distance = perceptual_distance(&a, &b, &weights).unwrap();
    assert_close(distance, (0.25 + 0.5) / 2.0, 1e-9);
    assert_eq!(perceptual_distance(&a, &a, &weights).unwrap(), 0.0);
    assert!(perceptual_distance(&a, &b, &[]).is_err());
    assert!(perceptual_distance(&a, &b, &[vec![1.0; 3]]).is_err());
}

/// Pictures that are a linear map of the code, compared by squared difference.
struct Linear {
    matrix: Vec<f32>,
    drawn: Vec<Vec<f32>>,
    stops_after: Option<u64>,
}

const DIM: usize = 6;

impl Walked for Linear {
    type Error = &'static str;

    fn z_dim(&self) -> usize {
        DIM
    }

    fn code(&mut self, z: &[f32], _: u64) -> Result<Vec<f32>, Self::Error> {
        Ok(z.iter().map(|value| value * 2.0).collect())
    }

    fn draw(&mut self, code: &[f32], path: u64) -> Result<Planes, Self::Error> {
        if self.stops_after.is_some_and(|last| path > last) {
            return Err("stopped");
        }
        self.drawn.push(code.to_vec());
        let rows = self.matrix.chunks_exact(DIM);
        let data = rows.map(|row| row.iter().zip(code).map(|(a, b)| a * b).sum()).collect();
        Ok(Planes { channels: 1, height: 1, width: DIM, data })
    }

    fn distance(&mut self, a: &Planes, b: &Planes) -> Result<f64, Self::Error> {
        Ok(a.data.iter().zip(&b.data).map(|(a, b)| f64::from(a - b).powi(2)).sum())
    }
}

#[test]
fn paths_have_the_length_that_calculus_says() {
    let matrix = normal_latent(11, DIM * DIM, 1.0);
    // W: codes are twice a difference of two normal vectors, so 8 tr MᵀM on average.
    let square: f64 = matrix.iter().map(|value| f64::from(*value).powi(2)).sum();
    for (sampling, space) in [
        (Sampling::Full, PathSpace::W),
        (Sampling::End, PathSpace::W),
        (Sampling::Full, PathSpace::Z),
        (Sampling::End, PathSpace::Z),
    ] {
        let length = PathLength { space, sampling, paths: 4000, seed: 5 };
        let mut walked = Linear { matrix: matrix.clone(), drawn: Vec::new(), stops_after: None };
        let mut heard = 0;
        let found = length.measure(&mut walked, &mut |done| heard = done).unwrap();
        assert_eq!((heard, walked.drawn.len()), (4000, 8000));
        // What the same steps amount to, from the codes that were drawn.
        let mut lengths: Vec<f64> = walked
            .drawn
            .chunks_exact(2)
            .map(|step| {
                let step: Vec<f64> =
                    step[0].iter().zip(&step[1]).map(|(a, b)| f64::from(b - a)).collect();
                let rows = matrix.chunks_exact(DIM);
                let along = rows.map(|row| {
                    row.iter().zip(&step).map(|(a, b)| f64::from(*a) * b).sum::<f64>().powi(2)
                });
                along.sum::<f64>() / 1e-8
            })
            .collect();
        lengths.sort_by(f64::total_cmp);
        let kept = &lengths[39..=3960];
        assert_close(found.mean, kept.iter().sum::<f64>() / kept.len() as f64, 1e-3);
        // The tails weigh some percent.
        let whole = lengths.iter().sum::<f64>() / 4000.0;
        if space == PathSpace::W {
            assert_close(whole, 8.0 * square, 0.06);
        }
        assert!(found.mean < whole && found.mean > 0.9 * whole);
        if sampling == Sampling::End && space == PathSpace::W {
            // The first code is the start of its path: twice the first latent.
            assert!(walked.drawn.chunks_exact(2).all(|step| step[0] != step[1]));
        }
    }
    let length = PathLength { space: PathSpace::W, sampling: Sampling::End, paths: 9, seed: 5 };
    let mut walked = Linear { matrix, drawn: Vec::new(), stops_after: Some(3) };
    assert_eq!(length.measure(&mut walked, &mut |_| ()).unwrap_err(), "stopped");
}
