//! One step of the game: the judge's, its penalty's, the generator's.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};

use super::TrainError;
use super::augment::{Augmentation, augment};
use super::config::{Ada, Penalty};
use super::penalty;
use super::randomness::Purpose;
use super::run::Trainer;
use super::weights::Slopes;
use crate::nets::cpu::Stop;

/// What a step has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Scores {
    pub generator_loss: f64,
    pub discriminator_loss: f64,
    /// Mean logits.
    pub real: f64,
    pub fake: f64,
}

type Params = BTreeMap<String, Tensor<1>>;

impl Trainer {
    /// One step of either side, unless `stop` answers true between two of its parts.
    pub(super) fn play(&mut self, stop: Stop<'_>) -> Result<Scores, TrainError> {
        let mut scores = Scores::default();
        let leaves = self.generator.weights.tracked();
        self.generator.load(&leaves);
        // The judge sees what the generator will be judged by: one drawing a step.
        let pictures = self.draw(self.steps * self.config.judge_steps);
        for turn in 0..self.config.judge_steps {
            go_on(stop)?;
            let at = self.steps * self.config.judge_steps + turn;
            let seen = if turn == 0 { pictures.clone() } else { self.draw(at) };
            self.judge_step(seen.detach(), at, stop, &mut scores)?;
        }
        go_on(stop)?;
        let (params, at) = (self.judged_with(self.judge.weights.constant()), self.steps);
        self.judge.load(&params);
        let logits = self.judge.judge(self.augmented(pictures, 3 * at));
        let loss = self.config.loss.of_generator(logits);
        scores.generator_loss = number(&loss);
        self.generator_learns(&leaves, &loss);
        self.generator.keep_moments();
        // What the judge has seen of the generator's step is not its own.
        self.judge.forget_moments();
        if let Some(penalty) = self.config.path_penalty
            && self.steps.is_multiple_of(penalty.every.max(1))
        {
            go_on(stop)?;
            self.path_step(penalty);
        }
        let beta = self.average_beta();
        self.average.weights.follow(&self.generator.weights, beta);
        Ok(scores)
    }

    /// Pictures of the present generator, with derivatives by what it was loaded with.
    fn draw(&mut self, at: u64) -> Tensor<4> {
        let rows = self.rows(self.config.batch, at);
        if self.generator.space.has_w {
            self.generator.keep_mean(&rows[0]);
        }
        self.generator.draw(rows, self.randomness, at)
    }

    /// Rows of W+ of batch number `at` of `n`, at times of two latents each, with derivatives by
    /// what the generator was loaded with.
    pub(super) fn rows(&self, n: usize, at: u64) -> Vec<Tensor<4>> {
        let space = &self.generator.space;
        let latents = |at: u64| -> Vec<f32> {
            let normal = self.randomness.normal(Purpose::Latents, at);
            normal.take(n * space.z_dim).map(|x| x as f32).collect()
        };
        let mut rows = vec![self.generator.map(latents(2 * at)); space.rows()];
        let mut uniform = self.randomness.uniform(Purpose::Mixing, at);
        if rows.len() > 1 && uniform.chance(self.config.mixing) {
            let from = 1 + uniform.below(rows.len() - 1);
            rows[from..].fill(self.generator.map(latents(2 * at + 1)));
        }
        rows
    }

    fn judge_step(
        &mut self,
        fakes: Tensor<4>,
        at: u64,
        stop: Stop<'_>,
        scores: &mut Scores,
    ) -> Result<(), TrainError> {
        let leaves = self.judge.weights.tracked();
        let params = self.judged_with(leaves.clone());
        self.judge.load(&params);
        let reals = self.augmented(self.batch(at), 3 * at + 1);
        let fakes = self.augmented(fakes, 3 * at + 2);
        let (real, fake) = (self.judge.judge(reals.clone()), self.judge.judge(fakes.clone()));
        let logits: Vec<f32> = real.to_data().try_to_vec().unwrap_or_default();
        (scores.real, scores.fake) = (number(&real.clone().mean()), number(&fake.clone().mean()));
        let mut loss = self.config.loss.of_discriminator(real, fake);
        scores.discriminator_loss = number(&loss);
        if let Penalty::Between { lambda } = self.config.penalty {
            let pictures = self.between(&reals, &fakes, at);
            let direction = penalty::one_centred(&self.slopes_at(&pictures), lambda);
            self.judge.load(&params);
            if let Some(more) = self.judge.change_along(pictures, direction) {
                loss = loss + more;
            }
        }
        self.judge_learns(&leaves, loss);
        self.judge.keep_moments();
        if let Ada::Adaptive { target, kimg } = self.config.ada {
            self.controller.observe(&logits, target, kimg);
        }
        if let Penalty::R1 { gamma, every } = self.config.penalty
            && at.is_multiple_of(every.max(1))
        {
            go_on(stop)?;
            let strength = gamma * every.max(1) as f64;
            let direction = penalty::zero_centred(&self.slopes_at(&reals), strength);
            let leaves = self.judge.weights.tracked();
            let params = self.judged_with(leaves.clone());
            self.judge.load(&params);
            if let Some(loss) = self.judge.change_along(reals, direction) {
                self.judge_learns(&leaves, loss);
            }
        }
        Ok(())
    }

    /// Down the slopes of a loss.
    fn judge_learns(&mut self, leaves: &Params, loss: Tensor<1>) {
        let slopes = self.judge.weights.slopes(leaves, &loss.backward());
        let slopes = self.shortened(slopes);
        self.optimisers[1].step(&mut self.judge.weights, &slopes);
        if let Some(limit) = self.config.clip_weights {
            for name in slopes.keys() {
                self.judge.weights.change(name, |value| value.clamp(-limit, limit));
            }
        }
    }

    /// Down the slopes of a loss.
    pub(super) fn generator_learns(&mut self, leaves: &Params, loss: &Tensor<1>) {
        let slopes = self.generator.weights.slopes(leaves, &loss.backward());
        let slopes = self.shortened(slopes);
        self.optimisers[0].step(&mut self.generator.weights, &slopes);
    }

    /// Of the sum of the judge's logits, by the pictures.
    fn slopes_at(&mut self, pictures: &Tensor<4>) -> Tensor<4> {
        let params = self.judged_with(self.judge.weights.constant());
        self.judge.load(&params);
        let leaf = pictures.clone().inner().autodiff().require_grad();
        let found = self.judge.judge(leaf.clone()).sum().backward();
        self.judge.forget_moments();
        leaf.grad(&found).unwrap_or(leaf).inner().autodiff()
    }

    /// What the judge computes with, of its parameters.
    fn judged_with(&mut self, mut params: Params) -> Params {
        if self.config.spectral_norm {
            let shapes = self.judge.weights.shapes.clone();
            self.spectral.apply(&shapes, &mut params, self.randomness);
        }
        params
    }

    /// Gradients that are longer than wanted, shortened together.
    fn shortened(&self, mut slopes: Slopes) -> Slopes {
        if let Some(limit) = self.config.clip_gradient {
            let square = |slope: &Tensor<1>| number(&slope.clone().powi_scalar(2).sum());
            let length = slopes.values().map(square).sum::<f64>().sqrt();
            if length > limit {
                for slope in slopes.values_mut() {
                    *slope = slope.clone() * (limit / length);
                }
            }
        }
        slopes
    }

    /// Real samples of a batch `[n, channels, side, side]`.
    pub(super) fn batch(&self, at: u64) -> Tensor<4> {
        let n = self.config.batch;
        let mut numbers = Vec::with_capacity(n * self.data.sample_len());
        for place in at * n as u64..(at + 1) * n as u64 {
            let (round, index) = self.sample_at(place);
            let mut uniform = self.randomness.uniform(Purpose::Mirror, place ^ (round << 40));
            let is_mirrored = self.config.mirror && uniform.chance(0.5);
            self.data.read(index, is_mirrored, &mut numbers);
        }
        self.of_samples(numbers)
    }

    /// The sample that is number `place` of the run, and how often all were seen before.
    fn sample_at(&self, place: u64) -> (u64, usize) {
        let count = self.data.learnt() as u64;
        let (round, within) = (place / count, (place % count) as usize);
        let mut order = self.order.borrow_mut();
        if order.0 != round || order.1.is_empty() {
            let shuffled = self.randomness.uniform(Purpose::Order, round).shuffled(count as usize);
            *order = (round, shuffled);
        }
        (round, order.1[within])
    }

    /// Samples one after the other as a tensor on the tape.
    pub(super) fn of_samples(&self, numbers: Vec<f32>) -> Tensor<4> {
        let [channels, height, width] = self.data.shape;
        let n = numbers.len() / self.data.sample_len();
        let data = TensorData::new(numbers, [n, channels, height, width]);
        Tensor::<4>::from_data(data, self.judge.weights.device()).autodiff()
    }

    /// As the judge gets to see them.
    fn augmented(&self, pictures: Tensor<4>, at: u64) -> Tensor<4> {
        let [n, _, side, _] = pictures.dims();
        let p = match self.config.ada {
            Ada::Off => return pictures,
            Ada::Fixed { probability } => probability,
            Ada::Adaptive { .. } => self.controller.probability,
        };
        if p <= 0.0 {
            return pictures;
        }
        let mut uniform = self.randomness.uniform(Purpose::Augmentation, at);
        let mut normal = self.randomness.normal(Purpose::Augmentation, at);
        let how: Vec<Augmentation> =
            (0..n).map(|_| Augmentation::random(p, side, &mut uniform, &mut normal)).collect();
        augment(pictures, &how)
    }

    /// Random places on the lines from real to generated pictures.
    fn between(&self, reals: &Tensor<4>, fakes: &Tensor<4>, at: u64) -> Tensor<4> {
        let n = reals.dims()[0];
        let mut uniform = self.randomness.uniform(Purpose::Between, at);
        let shares: Vec<f32> = (0..n).map(|_| uniform.unit() as f32).collect();
        let device = self.judge.weights.device();
        let share: Tensor<4> = Tensor::from_data(TensorData::new(shares, [n, 1, 1, 1]), device);
        let (real, fake) = (reals.clone().inner(), fakes.clone().inner());
        (real * share.clone() + fake * (-share + 1.0)).autodiff()
    }

    /// What stays of the averaged generator at a step; less in the beginning.
    fn average_beta(&self) -> f64 {
        let half_life = (self.config.ema_kimg * 1000.0).min(self.images as f64 * 0.05);
        0.5f64.powf(self.config.batch as f64 / half_life.max(1e-8))
    }
}

fn go_on(stop: Stop<'_>) -> Result<(), TrainError> {
    if stop() { Err(TrainError::Stopped) } else { Ok(()) }
}

/// The only number of a tensor.
pub(super) fn number(x: &Tensor<1>) -> f64 {
    f64::from(x.clone().into_scalar::<f32>())
}
