//! A run: steps, what they show, and when to worry.

use std::cell::RefCell;
use std::time::Instant;

use burn::tensor::Device;
use serde::Serialize;

use super::TrainError;
use super::adam::Adam;
use super::augment::Controller;
use super::config::{Config, Penalty};
use super::data::Dataset;
use super::players::{Discriminator, Generator};
use super::randomness::{Purpose, Randomness};
use super::spectral::Spectral;
use super::step::Scores;
use crate::color::{ProfileMap, WorkingProfile};
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf};

/// Pictures from which on the collapse alarm may sound.
const ALARM_FROM: u64 = 4000;
/// Generated pictures as various as this share of the real ones are too much alike.
const DIVERSITY: f64 = 0.35;
/// Logits from which on a judge is sure.
const SURE: f64 = 6.0;

/// A run that can be gone on with step by step.
pub struct Trainer {
    pub config: Config,
    pub data: Dataset,
    pub(super) randomness: Randomness,
    pub(super) generator: Generator,
    /// The generator's average, which is the one to use.
    pub(super) average: Generator,
    pub(super) judge: Discriminator,
    /// Of generator and judge.
    pub(super) optimisers: [Adam; 2],
    pub(super) spectral: Spectral,
    pub(super) controller: Controller,
    pub(super) steps: u64,
    pub(super) images: u64,
    /// Spent on steps.
    pub(super) seconds: f64,
    /// The order of the samples in a round, and which round it is.
    pub(super) order: RefCell<(u64, Vec<usize>)>,
}

/// How far a run is after a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Report {
    pub steps: u64,
    /// Real pictures that the judge has seen.
    pub images: u64,
    pub seconds: f64,
    #[serde(flatten)]
    pub scores: Scores,
    /// Probability of each kind of augmentation.
    pub augmentation: f64,
    /// Mean sign of the judge's logits of real pictures.
    pub r_t: f64,
}

/// What a run shows of itself.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub images: u64,
    /// Of fixed latents, the same ones each time: RGBA in sRGB. Empty for points.
    pub pictures: Vec<PixelBuf>,
    /// The same as numbers, `-1..=1`, one sample after the other.
    pub samples: Vec<f32>,
    /// Mean distance of two generated pictures over that of two real ones.
    pub diversity: f64,
    pub alarm: Option<Alarm>,
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
                "The pictures have become alike: the generator has found one that fools the judge. \
                 Go back to an earlier state; a stronger R1 or a lower learning rate helps"
            }
            Self::Saturated => {
                "The judge is sure of every picture, so the generator learns nothing. More \
                 augmentation, a stronger R1 or a slower judge helps"
            }
        }
    }
}

impl Trainer {
    /// A run from the beginning.
    ///
    /// # Errors
    /// Settings out of bounds, or data of another shape.
    pub fn new(config: Config, data: Dataset, device: &Device) -> Result<Self, TrainError> {
        config.check()?;
        let (generator, average, judge) = config.players(device);
        let side = generator.space.side;
        if data.shape[1..] != [side, side] || data.is_empty() {
            let [_, height, width] = data.shape;
            let text = format!("samples of {width}x{height} for networks of {side}x{side}");
            return Err(TrainError::Setting(text));
        }
        // A penalty now and then is a step of its own; over the same pictures either way.
        let every = match config.penalty {
            Penalty::R1 { every, .. } => every.max(1) as f64,
            _ => f64::INFINITY,
        };
        let ratio = if every.is_finite() { every / (every + 1.0) } else { 1.0 };
        let judged = config.betas.map(|beta| beta.powf(ratio));
        let optimisers =
            [Adam::new(config.rates[0], config.betas), Adam::new(config.rates[1] * ratio, judged)];
        let mut trainer = Self {
            randomness: Randomness(config.seed),
            generator,
            average,
            judge,
            optimisers,
            spectral: Spectral::default(),
            controller: Controller::default(),
            steps: 0,
            images: 0,
            seconds: 0.0,
            order: RefCell::default(),
            config,
            data,
        };
        trainer.freeze();
        Ok(trainer)
    }

    /// Keeps the judge's blocks of the finest sides as they are.
    fn freeze(&mut self) {
        let sides: Vec<String> = (0..self.config.freeze_judge)
            .map(|at| format!("b{}.", self.config.side >> at))
            .collect();
        self.judge.weights.freeze(|name| sides.iter().any(|side| name.starts_with(side)));
    }

    pub const fn images(&self) -> u64 {
        self.images
    }

    /// One step of either side.
    ///
    /// # Errors
    /// Where losses are no numbers any more.
    pub fn step(&mut self) -> Result<Report, TrainError> {
        let began = Instant::now();
        let scores = self.play();
        self.steps += 1;
        self.images += self.config.batch as u64 * self.config.judge_steps;
        self.seconds += began.elapsed().as_secs_f64();
        let losses = [scores.generator_loss, scores.discriminator_loss];
        if !losses.iter().all(|loss| loss.is_finite()) {
            return Err(TrainError::Diverged { images: self.images });
        }
        Ok(Report {
            steps: self.steps,
            images: self.images,
            seconds: self.seconds,
            scores,
            augmentation: self.controller.probability,
            r_t: self.controller.r_t,
        })
    }

    /// Pictures of `count` fixed latents by the averaged generator, and how various they are.
    pub fn snapshot(&mut self, count: usize, last: Option<&Report>) -> Snapshot {
        let samples = self.samples(count);
        let len = self.data.sample_len();
        let mut reals = Vec::new();
        for index in 0..count.min(self.data.len()) {
            self.data.read(index, false, &mut reals);
        }
        let diversity = spread(&samples, len) / spread(&reals, len).max(1e-9);
        let is_sure = |report: &Report| {
            report.scores.real > SURE && report.scores.fake < -SURE && report.r_t > 0.9
        };
        let alarm = match last {
            _ if self.images < ALARM_FROM => None,
            _ if diversity < DIVERSITY => Some(Alarm::Collapse),
            Some(report) if is_sure(report) => Some(Alarm::Saturated),
            _ => None,
        };
        let pictures = if self.data.shape[0] == 3 { self.pictures(&samples) } else { Vec::new() };
        Snapshot { images: self.images, pictures, samples, diversity, alarm }
    }

    /// Samples of fixed latents, `-1..=1`, one after the other.
    pub fn samples(&mut self, count: usize) -> Vec<f32> {
        let params = self.average.weights.constant();
        self.average.load(&params);
        let normal = self.randomness.normal(Purpose::Latents, u64::MAX);
        let latents = normal.take(count * self.average.space.z_dim).map(|x| x as f32).collect();
        let row = self.average.map(latents);
        let rows = vec![row; self.average.space.rows()];
        let drawn = self.average.draw(rows, self.randomness, u64::MAX);
        drawn.to_data().try_to_vec().unwrap_or_default()
    }

    fn pictures(&self, samples: &[f32]) -> Vec<PixelBuf> {
        let [_, height, width] = self.data.shape;
        let (area, srgb) = (height * width, ProfileMap::new(&WorkingProfile::srgb()));
        let picture = |sample: &[f32]| {
            let size = Size::new(width as u32, height as u32);
            let mut picture = PixelBuf::new(size, 4, Depth::U8);
            for at in 0..area {
                let unit = [0, 1, 2]
                    .map(|channel| (sample[channel * area + at] * 0.5 + 0.5).clamp(0.0, 1.0));
                let [r, g, b] = srgb.of_srgb(unit);
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
