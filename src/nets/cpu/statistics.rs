//! Batch norm whose statistics belong to a truncation (Brock et al. 2019, BigGAN).

use super::elementwise;
use super::gradient::{reduced, reduced_product};
use super::map::Map;
use crate::nets::Source;
use crate::nets::cost::statistics_share;

/// Means and variances of the channels at truncations from 0 to 1, equally far apart.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// `[rows, channels]`.
    means: Vec<f32>,
    /// `[rows, channels]`.
    variances: Vec<f32>,
    rows: usize,
    eps: f32,
}

impl Statistics {
    /// Reads `<name>.running_means` and `<name>.running_vars`.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn read<E>(name: &str, rows: usize, eps: f32, source: Source<'_, E>) -> Result<Self, E> {
        let means = source(&format!("{name}.running_means"))?;
        let variances = source(&format!("{name}.running_vars"))?;
        Ok(Self { means, variances, rows, eps })
    }

    /// Means and one over the deviations at a truncation.
    fn at(&self, truncation: f32) -> (Vec<f32>, Vec<f32>) {
        let place = f64::from(truncation).clamp(0.0, 1.0) * (self.rows as f64 - 1.0);
        let channels = self.means.len() / self.rows.max(1);
        let mixed = |table: &[f32]| -> Vec<f32> {
            let mut sums = vec![0.0f32; channels];
            for (row, values) in table.chunks_exact(channels.max(1)).enumerate() {
                let share = statistics_share(place - row as f64) as f32;
                if share > 0.0 {
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += share * value);
                }
            }
            sums
        };
        let scales = mixed(&self.variances).iter().map(|v| 1.0 / (v + self.eps).sqrt()).collect();
        (mixed(&self.means), scales)
    }

    /// Factors and offsets, vectors, of what comes after a `bias`, if there is one; `truncation`,
    /// `scale` and `shift` are vectors.
    pub fn affine(&self, [truncation, scale, shift]: [&Map; 3], bias: Option<&[f32]>) -> [Map; 2] {
        let (means, scales) = self.at(truncation.pixel(0, 0)[0]);
        let (scale, shift) = (scale.pixel(0, 0), shift.pixel(0, 0));
        let channels = means.len();
        let factor = |at: usize| scale[at] * scales[at];
        let before = |at: usize| bias.map_or(0.0, |bias| bias[at]) - means[at];
        let vector = |of: &(dyn Fn(usize) -> f32 + Sync)| {
            Map::build(1, 1, channels, |_, row| {
                row[..channels].iter_mut().enumerate().for_each(|(at, to)| *to = of(at));
            })
        };
        [vector(&factor), vector(&|at| shift[at] + before(at) * factor(at))]
    }

    /// From the gradient of the results to those of `x`, `scale` and `shift`. The choice of
    /// statistics has none: between two rows it jumps.
    pub fn backward(&self, [x, truncation, scale, shift]: [&Map; 4], gradient: Map) -> [Map; 3] {
        let (means, scales) = self.at(truncation.pixel(0, 0)[0]);
        let by_shift = reduced(gradient.clone(), [1, 1], x.channels);
        let mut by_scale = reduced_product(&gradient, x, [1, 1], x.channels);
        by_scale.change_rows(|_, row| {
            let sums = by_shift.pixel(0, 0);
            for (at, to) in row.iter_mut().enumerate().take(means.len()) {
                *to = (*to - means[at] * sums[at]) * scales[at];
            }
        });
        let [factors, _] = self.affine([truncation, scale, shift], None);
        let mut by_x = gradient;
        elementwise::channel_affine(
            &mut by_x,
            factors.pixel(0, 0),
            &vec![0.0; factors.padded()],
            false,
        );
        [by_x, by_scale, by_shift]
    }
}
