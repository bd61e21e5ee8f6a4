//! What a run shows of itself: pictures of fixed latents, and what the judge makes of them.

use std::ops::Range;

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::randomness::Purpose;
use super::run::{Report, Trainer};
use crate::geom::Size;
use crate::latent::Moments;
use crate::pixels::{Depth, PixelBuf};

/// Pictures from which on the collapse alarm may sound.
const ALARM_FROM: u64 = 4000;
/// Generated pictures as various as this share of the real ones are too much alike.
const DIVERSITY: f64 = 0.35;
/// Logits from which on a judge is sure.
const SURE: f64 = 6.0;
/// Random directions in which features are looked at (Johnson and Lindenstrauss): enough to keep
/// distances, few enough for a covariance.
const SKETCH: usize = 32;
/// Samples that are drawn at once.
const AT_ONCE: usize = 32;
/// Fewer held-out pictures say little.
const ENOUGH: usize = 50;
/// How far the grid of latents reaches either way, in deviations.
const GRID_REACH: f32 = 2.0;

/// What a run shows of itself.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub images: u64,
    /// Of fixed latents, the same ones each time: RGBA in sRGB. Empty for points.
    pub pictures: Vec<PixelBuf>,
    /// The same as numbers, `-1..=1`, one sample after the other.
    pub samples: Vec<f32>,
    /// Mean distance of two generated samples over that of two real ones.
    pub diversity: f64,
    /// From real samples; see [`Trainer::distance`].
    pub distance: Option<f64>,
    pub alarm: Option<Alarm>,
}

/// Real and generated samples as the judge tells them apart, in the plane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    pub points: Vec<[f32; 2]>,
    /// The first so many points are real.
    pub real: usize,
    /// Of each point.
    pub logits: Vec<f32>,
}

/// Something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// The generator draws the same again and again.
    Collapse,
    /// The judge is sure of everything; the generator learns nothing from it.
    Saturated,
}

impl Alarm {
    /// What has happened and what may help.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Collapse => {
                "The samples have become alike: the generator has found one that fools the judge. \
                 Go back to an earlier state; a stronger R1 or a lower learning rate helps"
            }
            Self::Saturated => {
                "The judge is sure of every sample, so the generator learns nothing. More \
                 augmentation, a stronger R1 or a slower judge helps"
            }
        }
    }
}

impl Trainer {
    /// Samples of `count` fixed latents by the averaged generator, and how various they are.
    pub fn snapshot(&mut self, count: usize, last: Option<&Report>) -> Snapshot {
        // All that is looked at is drawn once: the most first.
        let distance = self.distance();
        let samples = self.samples(count);
        let len = self.data.sample_len();
        let diversity = spread(&samples, len) / spread(&self.reals(count), len).max(1e-9);
        let is_sure = |report: &Report| report.scores.real > SURE && report.scores.fake < -SURE;
        let alarm = match last {
            _ if self.images < ALARM_FROM => None,
            _ if diversity < DIVERSITY => Some(Alarm::Collapse),
            Some(report) if is_sure(report) => Some(Alarm::Saturated),
            _ => None,
        };
        let pictures = if self.data.shape[0] == 3 { self.pictures(&samples) } else { Vec::new() };
        Snapshot { images: self.images, pictures, samples, diversity, distance, alarm }
    }

    /// The first real samples, those that are held out where there are enough.
    pub(super) fn reals(&self, count: usize) -> Vec<f32> {
        let (all, held_out) = (self.data.len(), self.data.len() - self.data.learnt());
        let first = if held_out >= count { self.data.learnt() } else { 0 };
        let mut reals = Vec::new();
        (first..all.min(first + count)).for_each(|index| self.data.read(index, false, &mut reals));
        reals
    }

    /// Samples of fixed latents, `-1..=1`, one after the other. Drawn once a step for all who look:
    /// fewer are the first of many.
    pub fn samples(&mut self, count: usize) -> Vec<f32> {
        let wanted = count * self.data.sample_len();
        let shown = match self.shown.take() {
            Some(shown) if shown.len() >= wanted => shown,
            _ => {
                let normal = self.randomness.normal(Purpose::Latents, u64::MAX);
                let many = count.next_multiple_of(AT_ONCE) * self.average.space.z_dim;
                let latents: Vec<f32> = normal.take(many).map(|x| x as f32).collect();
                self.samples_of(&latents)
            }
        };
        let samples = shown[..wanted.min(shown.len())].to_vec();
        self.shown = Some(shown);
        samples
    }

    /// Samples of a square grid of latents, `side` either way, where latents are in the plane:
    /// row by row, what the generator makes of the plane.
    pub fn grid(&mut self, side: usize) -> Vec<f32> {
        if self.average.space.z_dim != 2 {
            return Vec::new();
        }
        let place = |at: usize| (at as f32 / (side.max(2) - 1) as f32 * 2.0 - 1.0) * GRID_REACH;
        let latents = (0..side * side).flat_map(|at| [place(at % side), place(at / side)]);
        self.samples_of(&latents.collect::<Vec<f32>>())
    }

    /// Pictures of fixed latents by the averaged generator, by number: the same for the same ones
    /// but for what it has learnt. RGBA in sRGB; none where samples are no pictures.
    pub fn drawn(&mut self, numbers: Range<usize>) -> Vec<PixelBuf> {
        if self.data.shape[0] != 3 {
            return Vec::new();
        }
        let (z_dim, first) = (self.average.space.z_dim, numbers.start / AT_ONCE);
        let whole = first * AT_ONCE..numbers.end.next_multiple_of(AT_ONCE);
        let latent =
            |number| self.randomness.normal(Purpose::Latents, u64::MAX - 1 - number as u64);
        let latents = whole.clone().flat_map(|number| latent(number).take(z_dim));
        let latents: Vec<f32> = latents.map(|x| x as f32).collect();
        let samples = self.samples_from(&latents, first as u64);
        let len = self.data.sample_len();
        let wanted = numbers.start - whole.start..numbers.end - whole.start;
        self.pictures(&samples[wanted.start * len..wanted.end * len])
    }

    /// Real pictures by number, as far as there are any: those that are held out, where there are
    /// enough to measure by.
    pub fn real(&self, numbers: Range<usize>) -> Vec<PixelBuf> {
        if self.data.shape[0] != 3 {
            return Vec::new();
        }
        let (all, held_out) = (self.data.len(), self.data.len() - self.data.learnt());
        let first = if held_out >= ENOUGH { self.data.learnt() } else { 0 };
        let mut samples = Vec::new();
        let places = (first + numbers.start).min(all)..(first + numbers.end).min(all);
        places.for_each(|index| self.data.read(index, false, &mut samples));
        self.pictures(&samples)
    }

    fn samples_of(&mut self, latents: &[f32]) -> Vec<f32> {
        self.samples_from(latents, 0)
    }

    /// Samples of latents, with noise as if so many of [`AT_ONCE`] came before: its numbers are
    /// those of whole batches.
    fn samples_from(&mut self, latents: &[f32], first: u64) -> Vec<f32> {
        let params = self.average.weights.constant();
        self.average.load(&params);
        let space = self.average.space.clone();
        let mut samples = Vec::new();
        // Some at a time, so that many large ones fit.
        for (at, some) in latents.chunks(AT_ONCE * space.z_dim.max(1)).enumerate() {
            let rows = vec![self.average.map(some.to_vec()); space.rows()];
            let drawn = self.average.draw(rows, self.randomness, u64::MAX - first - at as u64);
            samples.extend(drawn.to_data().try_to_vec::<f32>().unwrap_or_default());
        }
        samples
    }

    /// Real samples and generated ones where the judge's last features put them: two main axes.
    /// Points are where they are.
    pub fn projection(&mut self, count: usize) -> Projection {
        let (reals, fakes) = (self.reals(count), self.samples(count));
        let len = self.data.sample_len();
        let real = reals.len() / len;
        let all = [reals, fakes].concat();
        let params = self.judge.weights.constant();
        self.judge.load(&params);
        let mut features: Option<Tensor<4>> = None;
        let mut probe = |name: &str, value: &Tensor<4>| {
            if name != "output" {
                features = Some(value.clone());
            }
        };
        let logits = self.judge.judge_observed(self.of_samples(all.clone()), &mut probe);
        self.judge.forget_moments();
        let logits = logits.to_data().try_to_vec().unwrap_or_default();
        let points = match features {
            Some(features) if len > 2 => self.main_axes(&features).unwrap_or_default(),
            _ => all.chunks_exact(2).map(|point| [point[0], point[1]]).collect(),
        };
        Projection { points, real, logits }
    }

    /// The judge's belief that points of a square grid are real, `0..=1`: `side` either way,
    /// row by row from the lower left of `-reach..=reach`.
    pub fn field(&mut self, side: usize, reach: f32) -> Vec<f32> {
        let place = |at: usize| ((at as f32 + 0.5) / side as f32 * 2.0 - 1.0) * reach;
        let points = (0..side * side).flat_map(|at| [place(at % side), place(at / side)]);
        let points: Vec<f32> = points.collect();
        if self.data.sample_len() != 2 {
            return Vec::new();
        }
        let params = self.judge.weights.constant();
        self.judge.load(&params);
        let logits = self.judge.judge(self.of_samples(points));
        activation::sigmoid(logits).to_data().try_to_vec().unwrap_or_default()
    }

    fn main_axes(&self, features: &Tensor<4>) -> Option<Vec<[f32; 2]>> {
        let [n, channels, height, width] = features.dims();
        let len = channels * height * width;
        let numbers: Vec<f32> = features.to_data().try_to_vec().ok()?;
        let mut normal = self.randomness.normal(Purpose::Between, u64::MAX);
        let scale = 1.0 / (len as f64).sqrt();
        let sketch: Vec<f32> =
            normal.by_ref().take(SKETCH * len).map(|x| (x * scale) as f32).collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let rows: Vec<f32> = numbers
            .chunks_exact(len)
            .flat_map(|row| sketch.chunks_exact(len).map(move |axis| dot(row, axis)))
            .collect();
        let mut moments = Moments::new(SKETCH);
        moments.push(&rows).ok()?;
        let pca = moments.pca(2).ok()?;
        let axes: Vec<&[f32]> = pca.components().collect();
        let (mean, [first, second]) = (pca.mean(), [*axes.first()?, *axes.get(1)?]);
        let place = |row: &[f32]| {
            let row: Vec<f32> = row.iter().zip(mean).map(|(x, mean)| x - mean).collect();
            [dot(&row, first), dot(&row, second)]
        };
        let points: Vec<[f32; 2]> = rows.chunks_exact(SKETCH).map(place).collect();
        (points.len() == n).then_some(points)
    }

    fn pictures(&self, samples: &[f32]) -> Vec<PixelBuf> {
        let [_, height, width] = self.data.shape;
        let area = height * width;
        let picture = |sample: &[f32]| {
            let size = Size::new(width as u32, height as u32);
            let mut picture = PixelBuf::new(size, 4, Depth::U8);
            for at in 0..area {
                let [r, g, b] = [0, 1, 2]
                    .map(|channel| (sample[channel * area + at] * 0.5 + 0.5).clamp(0.0, 1.0));
                let (x, y) = ((at % width) as u32, (at / width) as u32);
                picture.set_pixel_f32(x, y, [r, g, b, 1.0]);
            }
            picture
        };
        samples.chunks_exact(3 * area).map(picture).collect()
    }
}

/// Root mean square distance of neighbouring samples, over their numbers.
fn spread(samples: &[f32], len: usize) -> f64 {
    let all: Vec<&[f32]> = samples.chunks_exact(len.max(1)).collect();
    let square = |pair: &[&[f32]]| -> f64 {
        pair[0].iter().zip(pair[1]).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let pairs = all.windows(2).map(square);
    (pairs.sum::<f64>() / (all.len().max(2) - 1) as f64 / len.max(1) as f64).sqrt()
}
