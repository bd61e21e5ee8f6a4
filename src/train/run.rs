//! A run, step by step.

use std::cell::RefCell;
use std::time::Instant;

use burn::tensor::Device;
use serde::Serialize;

use super::TrainError;
use super::adam::Adam;
use super::augment::Controller;
use super::config::{Config, Penalty};
use super::data::Dataset;
use super::paths::Paths;
use super::players::{Discriminator, Generator};
use super::quality::Quality;
use super::randomness::Randomness;
use super::spectral::Spectral;
use super::step::Scores;
use super::weights::Weights;
use crate::nets::Source;
use crate::nets::cpu::Stop;

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
    pub(super) paths: Paths,
    pub(super) steps: u64,
    pub(super) images: u64,
    /// What tells states apart, once it was asked for.
    pub(super) quality: Option<Quality>,
    pub(super) best: Option<Best>,
    /// Spent on steps.
    pub(super) seconds: f64,
    /// Samples of fixed latents at this step, once they were asked for.
    pub(super) shown: Option<Vec<f32>>,
    /// The order of the samples in a round, and which round it is.
    pub(super) order: RefCell<(u64, Vec<usize>)>,
}

/// The smallest figure so far, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub value: f64,
    pub by: String,
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
    /// Mean path length when it was last looked at, where it is drawn to its mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_length: Option<f64>,
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
        let lazy = |every: u64| every.max(1) as f64 / (every.max(1) + 1) as f64;
        let judged = match config.penalty {
            Penalty::R1 { every, .. } => lazy(every),
            _ => 1.0,
        };
        let drawn = config.path_penalty.map_or(1.0, |penalty| lazy(penalty.every));
        let adam = |rate: f64, ratio: f64| {
            Adam::new(rate * ratio, config.betas.map(|beta| beta.powf(ratio)))
        };
        let optimisers = [adam(config.rates[0], drawn), adam(config.rates[1], judged)];
        let mut trainer = Self {
            randomness: Randomness(config.seed),
            generator,
            average,
            judge,
            optimisers,
            spectral: Spectral::default(),
            controller: Controller::default(),
            paths: Paths::default(),
            steps: 0,
            images: 0,
            seconds: 0.0,
            quality: None,
            best: None,
            shown: None,
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

    /// Begins with the parameters of a generator of the same shape, by official name. The judge
    /// begins anew.
    ///
    /// # Errors
    /// Those of `source`, and parameters of another size.
    pub fn begin_with(&mut self, source: Source<'_, String>) -> Result<(), TrainError> {
        self.shown = None;
        let names: Vec<String> = self.generator.weights.names().cloned().collect();
        for name in names {
            let values = source(&name).map_err(TrainError::Setting)?;
            let fits = self.generator.weights.write(&name, values.clone());
            if !(fits && self.average.weights.write(&name, values)) {
                return Err(TrainError::Setting(format!("'{name}' is of another size")));
            }
        }
        Ok(())
    }

    pub const fn images(&self) -> u64 {
        self.images
    }

    /// One step of either side.
    ///
    /// # Errors
    /// Where losses are no numbers any more.
    pub fn step(&mut self) -> Result<Report, TrainError> {
        self.step_until(&|| false)
    }

    /// [`Trainer::step`], of which nothing has happened where `stop` answers true between two of
    /// its parts: the judge's, its penalty's, the generator's, its penalty's.
    ///
    /// # Errors
    /// As there; [`TrainError::Stopped`].
    pub fn step_until(&mut self, stop: Stop<'_>) -> Result<Report, TrainError> {
        let began = Instant::now();
        self.shown = None;
        let before = self.learnt();
        let scores = match self.play(stop) {
            Ok(scores) => scores,
            Err(err) => {
                self.take_back(before);
                return Err(err);
            }
        };
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
            path_length: self.config.path_penalty.map(|_| self.paths.last),
        })
    }

    fn learnt(&self) -> Learnt {
        Learnt {
            generator: self.generator.weights.clone(),
            average: self.average.weights.clone(),
            judge: self.judge.weights.clone(),
            optimisers: self.optimisers.clone(),
            spectral: self.spectral.clone(),
            controller: self.controller,
            paths: self.paths,
        }
    }

    fn take_back(&mut self, before: Learnt) {
        let Learnt { generator, average, judge, optimisers, spectral, controller, paths } = before;
        (self.generator.weights, self.average.weights) = (generator, average);
        (self.judge.weights, self.optimisers, self.spectral) = (judge, optimisers, spectral);
        (self.controller, self.paths) = (controller, paths);
        self.generator.forget_moments();
        self.judge.forget_moments();
    }
}

/// All that a step changes. Tensors are shared until they do.
struct Learnt {
    generator: Weights,
    average: Weights,
    judge: Weights,
    optimisers: [Adam; 2],
    spectral: Spectral,
    controller: Controller,
    paths: Paths,
}
