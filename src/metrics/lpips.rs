//! Learned perceptual similarity (Zhang et al. 2018).

use safetensors::SafeTensors;

use super::MetricsError;
use crate::nets::Planes;

/// The weights of version 0.1, for all three networks.
static HEADS: &[u8] = include_bytes!("../../models/lpips-heads/weights.safetensors");

/// Added to lengths before they divide.
const EPS: f64 = 1e-10;

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
    if a.len() != weights.len() || b.len() != weights.len() {
        return Err(MetricsError::Dimensions(weights.len(), a.len().min(b.len())));
    }
    let mut distance = 0.0;
    for ((a, b), weights) in a.iter().zip(b).zip(weights) {
        if a.data.len() != b.data.len() || a.channels != b.channels {
            return Err(MetricsError::Dimensions(a.data.len(), b.data.len()));
        }
        if weights.len() != a.channels {
            return Err(MetricsError::Dimensions(weights.len(), a.channels));
        }
        distance += stage(a, b, weights);
    }
    Ok(distance)
}

fn stage(a: &Planes, b: &Planes, weights: &[f32]) -> f64 {
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
    total / area.max(1) as f64
}
