//! Perceptual path length (Karras et al. 2019): how smoothly a generator's pictures follow its
//! codes.

use super::Estimate;
use crate::latent::random::{SplitMix64, normal_latent};
use crate::latent::{lerp, slerp};
use crate::nets::Planes;

/// A generator whose pictures can be compared.
pub trait Walked {
    /// Why one of the steps failed.
    type Error;

    /// Numbers of a latent.
    fn z_dim(&self) -> usize;

    /// The code of latent number `path` on its way to a picture; both ends of a path belong to
    /// one number, so that whatever else chooses a picture, such as a class, is the same on it.
    ///
    /// # Errors
    /// Those of the generator.
    fn code(&mut self, z: &[f32], path: u64) -> Result<Vec<f32>, Self::Error>;

    /// The picture of a code.
    ///
    /// # Errors
    /// Those of the generator.
    fn draw(&mut self, code: &[f32], path: u64) -> Result<Planes, Self::Error>;

    /// How different two pictures look.
    ///
    /// # Errors
    /// Those of what compares.
    fn distance(&mut self, a: &Planes, b: &Planes) -> Result<f64, Self::Error>;
}

/// Where paths run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathSpace {
    /// Between latents, along great circles.
    Z,
    /// Between codes, straight.
    W,
}

/// Where on a path the step is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Anywhere on it.
    Full,
    /// At its start: no code is drawn that training does not draw.
    End,
}

/// What is measured; the published numbers are [`PathLength::EPSILON`] and 100,000 paths.
#[derive(Clone, Copy, Debug)]
pub struct PathLength {
    pub space: PathSpace,
    pub sampling: Sampling,
    pub paths: u64,
    pub seed: u64,
}

impl PathLength {
    /// Length of a step, as a share of its path.
    pub const EPSILON: f32 = 1e-4;
    /// Share of the shortest and of the longest that are left out.
    const TAIL: f64 = 0.01;

    /// The mean of distance over ε², without the hundredth of the paths with the smallest and
    /// the greatest (bounds included, as in the published code). `progress` hears how many paths
    /// are done.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn measure<W: Walked>(
        &self,
        walked: &mut W,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Estimate, W::Error> {
        let mut random = SplitMix64::new(self.seed);
        let dim = walked.z_dim();
        let mut distances = Vec::new();
        for path in 0..self.paths {
            let ends = normal_latent(random.bits(), 2 * dim, 1.0);
            let (from, to) = ends.split_at(dim);
            let anywhere = (random.bits() >> 40) as f32 / (1u64 << 24) as f32;
            let at = if self.sampling == Sampling::Full { anywhere } else { 0.0 };
            let steps = [at, at + Self::EPSILON];
            let codes = match self.space {
                PathSpace::Z => {
                    let [near, far] = steps.map(|t| slerp(from, to, t));
                    [walked.code(&near, path)?, walked.code(&far, path)?]
                }
                PathSpace::W => {
                    let (from, to) = (walked.code(from, path)?, walked.code(to, path)?);
                    steps.map(|t| lerp(&from, &to, t))
                }
            };
            let near = walked.draw(&codes[0], path)?;
            let far = walked.draw(&codes[1], path)?;
            let epsilon = f64::from(Self::EPSILON);
            distances.push(walked.distance(&near, &far)? / (epsilon * epsilon));
            progress(path + 1);
        }
        Ok(Estimate::of(trimmed(&mut distances, Self::TAIL)))
    }
}

/// Without what lies beyond the quantiles `tail` and `1 - tail`, each rounded outwards to a value.
fn trimmed(values: &mut [f64], tail: f64) -> &[f64] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    let low = (tail * last).floor() as usize;
    let high = ((1.0 - tail) * last).ceil() as usize;
    values.get(low..=high).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_numpys_percentiles() {
        let few = [3.0, 1.0, 7.5, 2.0, 9.0, 4.0, 8.0, 0.5, 6.0, 5.0].repeat(13);
        let mut values: Vec<f64> =
            few.iter().enumerate().map(|(at, value)| value + at as f64 / 7.0).collect();
        let mean = Estimate::of(trimmed(&mut values, 0.01)).mean;
        // The mean of `tests/fixtures/metrics/expected.json`, from numpy.percentile with the
        // methods "lower" and "higher".
        assert!((mean - 13.8125).abs() < 1e-9, "{mean}");
        assert_eq!(trimmed(&mut [4.0], 0.01), [4.0]);
        assert!(trimmed(&mut [], 0.01).is_empty());
    }
}
