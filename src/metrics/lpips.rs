//! Learned perceptual similarity (Zhang et al. 2018).

use safetensors::SafeTensors;

use super::MetricsError;
use crate::nets::Planes;

/// The weights of version 0.1, for all three networks.
static HEADS: &[u8] = include_bytes!("../../models/lpips-heads/weights.safetensors");

/// Added to lengths before they divide.
const EPS: f64 = 1e-10;

/// Vectors shorter than this have no gradient.
const MIN_LENGTH: f64 = 1e-6;

/// The networks for whose activations there are learned weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backbone {
    AlexNet,
    SqueezeNet,
    Vgg16,
}

impl Backbone {
    /// The learned weights of each stage, a number a channel (version 0.1).
    ///
    /// # Errors
    /// Where the file in the program is not what it was when the program was made.
    pub fn heads(self) -> Result<Vec<Vec<f32>>, MetricsError> {
        let (name, stages) = match self {
            Self::AlexNet => ("alex", 5),
            Self::SqueezeNet => ("squeeze", 7),
            Self::Vgg16 => ("vgg", 5),
        };
        let file = SafeTensors::deserialize(HEADS)?;
        let head = |stage: usize| {
            let head = file.tensor(&format!("{name}.lin{stage}.model.1.weight"))?;
            let (numbers, _) = head.data().as_chunks::<4>();
            Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        };
        (0..stages).map(head).collect()
    }
}

/// The distance of two pictures, 0 and up, from the activations that a network has of them:
/// vectors over the channels, scaled to length 1, their squared differences weighted channel by
/// channel, meant over the pixels and summed over the stages. `weights` are the learned ones of
/// each stage, a number a channel.
///
/// # Errors
/// Where stages, channels or sides do not fit each other.
pub fn perceptual_distance(
    a: &[Planes],
    b: &[Planes],
    weights: &[Vec<f32>],
) -> Result<f64, MetricsError> {
    fits(a, b, weights)?;
    let stages = a.iter().zip(b).zip(weights);
    Ok(stages.map(|((a, b), weights)| stage(a, b, weights).0).sum())
}

/// [`perceptual_distance`] and its gradient by the first activations.
///
/// # Errors
/// As there.
pub fn perceptual_slope(
    a: &[Planes],
    b: &[Planes],
    weights: &[Vec<f32>],
) -> Result<(f64, Vec<Planes>), MetricsError> {
    fits(a, b, weights)?;
    let mut distance = 0.0;
    let slope = |((a, b), weights): ((&Planes, &Planes), &Vec<f32>)| {
        let (own, lengths) = stage(a, b, weights);
        distance += own;
        stage_slope(a, b, weights, &lengths)
    };
    let slopes = a.iter().zip(b).zip(weights).map(slope).collect();
    Ok((distance, slopes))
}

fn fits(a: &[Planes], b: &[Planes], weights: &[Vec<f32>]) -> Result<(), MetricsError> {
    if a.len() != weights.len() || b.len() != weights.len() {
        return Err(MetricsError::Dimensions(weights.len(), a.len().min(b.len())));
    }
    for ((a, b), weights) in a.iter().zip(b).zip(weights) {
        if a.data.len() != b.data.len() || a.channels != b.channels {
            return Err(MetricsError::Dimensions(a.data.len(), b.data.len()));
        }
        if weights.len() != a.channels {
            return Err(MetricsError::Dimensions(weights.len(), a.channels));
        }
    }
    Ok(())
}

/// The distance of one stage, and the lengths of both vectors at each pixel.
fn stage(a: &Planes, b: &Planes, weights: &[f32]) -> (f64, Vec<[f64; 2]>) {
    let area = a.height * a.width;
    let planes = || a.data.chunks_exact(area.max(1)).zip(b.data.chunks_exact(area.max(1)));
    let mut squares = vec![[0.0f64; 2]; area];
    for (a, b) in planes() {
        for (sums, (a, b)) in squares.iter_mut().zip(a.iter().zip(b)) {
            sums[0] += f64::from(*a).powi(2);
            sums[1] += f64::from(*b).powi(2);
        }
    }
    let lengths: Vec<[f64; 2]> =
        squares.into_iter().map(|sums| sums.map(|sum| sum.sqrt() + EPS)).collect();
    let mut total = 0.0;
    for ((a, b), weight) in planes().zip(weights) {
        let differences = a.iter().zip(b).zip(&lengths).map(|((a, b), [length_a, length_b])| {
            (f64::from(*a) / length_a - f64::from(*b) / length_b).powi(2)
        });
        total += f64::from(*weight) * differences.sum::<f64>();
    }
    (total / area.max(1) as f64, lengths)
}

/// The gradient of the distance of one stage by `a`.
fn stage_slope(a: &Planes, b: &Planes, weights: &[f32], lengths: &[[f64; 2]]) -> Planes {
    let area = a.height * a.width;
    let unit = 2.0 / area.max(1) as f64;
    let at = |planes: &Planes, channel: usize, pixel: usize| {
        f64::from(planes.data[channel * area + pixel])
    };
    let mut slope = Planes { data: vec![0.0; a.data.len()], ..*a };
    // A vector of no length has no direction in which it could turn.
    let has_length = |(_, [length, _]): &(usize, &[f64; 2])| *length > MIN_LENGTH;
    for (pixel, [length_a, length_b]) in lengths.iter().enumerate().filter(has_length) {
        // By the vector of length 1, and how much of that lies along it.
        let by_unit: Vec<f64> = weights
            .iter()
            .enumerate()
            .map(|(channel, weight)| {
                let off = at(a, channel, pixel) / length_a - at(b, channel, pixel) / length_b;
                unit * f64::from(*weight) * off
            })
            .collect();
        let along = by_unit.iter().enumerate();
        let along: f64 =
            along.map(|(channel, by)| by * at(a, channel, pixel) / length_a).sum::<f64>();
        for (channel, by) in by_unit.iter().enumerate() {
            let radial = along * at(a, channel, pixel) / (length_a - EPS);
            slope.data[channel * area + pixel] = ((by - radial) / length_a) as f32;
        }
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::random::normal_latent;

    #[test]
    fn the_slope_is_that_of_the_distance() {
        let planes = |seed: u64, channels: usize, side: usize| Planes {
            channels,
            height: side,
            width: side,
            data: normal_latent(seed, channels * side * side, 1.0),
        };
        let (a, b) = ([planes(1, 3, 4), planes(2, 5, 2)], [planes(3, 3, 4), planes(4, 5, 2)]);
        let weights = [vec![0.5, 1.0, 0.2], vec![0.3; 5]];
        let (distance, slopes) = perceptual_slope(&a, &b, &weights).unwrap();
        assert_eq!(distance, perceptual_distance(&a, &b, &weights).unwrap());
        let moved = |step: f32| {
            let mut a = a.clone();
            for (seed, stage) in (7..).zip(&mut a) {
                let along = normal_latent(seed, stage.data.len(), 1.0);
                stage.data.iter_mut().zip(along).for_each(|(value, along)| *value += step * along);
            }
            perceptual_distance(&a, &b, &weights).unwrap()
        };
        let measured = (moved(1e-3) - moved(-1e-3)) / 2e-3;
        let told = |(seed, slope): (u64, &Planes)| {
            let along = normal_latent(seed, slope.data.len(), 1.0);
            slope.data.iter().zip(along).map(|(s, a)| f64::from(s * a)).sum::<f64>()
        };
        let told: f64 = (7..).zip(&slopes).map(told).sum();
        assert!((measured - told).abs() < 1e-3 * measured.abs().max(0.1), "{measured} {told}");
        // A vector of no length leads nowhere.
        let dark = [Planes { data: vec![0.0; 48], ..a[0] }, a[1].clone()];
        let (_, slopes) = perceptual_slope(&dark, &b, &weights).unwrap();
        assert!(slopes[0].data.iter().all(|slope| *slope == 0.0));
    }
}
