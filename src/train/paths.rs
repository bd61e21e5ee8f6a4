//! The step of path-length regularisation.

use burn::tensor::{Tensor, TensorData};

use super::config::PathPenalty;
use super::penalty::{path_centred, path_lengths};
use super::randomness::Purpose;
use super::run::Trainer;
use super::step::number;

/// Where the numbers of its batches begin, beyond those of any run.
const FIRST_BATCH: u64 = 1 << 62;

/// Path lengths so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Paths {
    /// What lengths are drawn to: follows them slowly.
    pub mean: f64,
    /// The mean of the batch that was looked at last.
    pub last: f64,
}

impl Trainer {
    /// Draws the lengths of the generator's paths to their mean.
    pub(super) fn path_step(&mut self, penalty: PathPenalty) {
        let [channels, height, width] = self.data.shape;
        let n = (self.config.batch / penalty.shrink.max(1)).max(1);
        let at = FIRST_BATCH + self.steps;
        // As long for large pictures as for small ones.
        let deviation = 1.0 / ((height * width) as f64).sqrt();
        let normal = self.randomness.normal(Purpose::Paths, self.steps);
        let shares = normal.take(n * channels * height * width);
        let shares: Vec<f32> = shares.map(|x| (x * deviation) as f32).collect();
        let data = TensorData::new(shares, [n, channels, height, width]);
        let shares = Tensor::<4>::from_data(data, self.judge.weights.device()).autodiff();

        let params = self.generator.weights.constant();
        self.generator.load(&params);
        let leaf = |row: Tensor<4>| row.inner().autodiff().require_grad();
        let rows: Vec<Tensor<4>> = self.rows(n, at).into_iter().map(leaf).collect();
        let pictures = self.generator.draw(rows.clone(), self.randomness, at);
        let found = (pictures * shares.clone()).sum().backward();
        let slopes = rows.iter().map(|row| Some(row.grad(&found)?.inner()));
        let slopes: Option<Vec<Tensor<4>>> = slopes.collect();
        let Some((slopes, lengths)) = slopes.and_then(|all| path_lengths(&all).map(|l| (all, l)))
        else {
            return;
        };
        self.paths.last = number(&lengths.clone().mean());
        self.paths.mean += penalty.decay * (self.paths.last - self.paths.mean);

        let strength = penalty.weight * penalty.every.max(1) as f64;
        let directions = path_centred(&slopes, &lengths, self.paths.mean, strength);
        let directions = directions.into_iter().map(Tensor::autodiff).collect();
        let leaves = self.generator.weights.tracked();
        self.generator.load(&leaves);
        let rows = self.rows(n, at);
        let change = self.generator.change_along(rows, directions, self.randomness, at);
        if let Some(change) = change {
            self.generator_learns(&leaves, &(change * shares).sum());
        }
    }
}
