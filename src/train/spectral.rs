//! Spectral normalisation (Miyato et al. 2018): each weight over its largest singular value, so
//! that no layer of the judge stretches anything.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::randomness::{Purpose, Randomness};
use super::weights::list;
use crate::nets::graph::Shapes;

/// The singular vectors that are followed, by the name of the weight.
#[derive(Clone, Debug, Default)]
pub struct Spectral {
    /// `[rows]`, of length 1.
    pub left: BTreeMap<String, Tensor<1>>,
}

impl Spectral {
    /// Divides the weights among `params` by their norms, after one round of power iteration from
    /// where the last one ended. The vectors are constants of the tape.
    pub fn apply(
        &mut self,
        shapes: &Shapes,
        params: &mut BTreeMap<String, Tensor<1>>,
        randomness: Randomness,
    ) {
        let matrices =
            shapes.iter().filter(|(name, shape)| shape.len() >= 2 && name.ends_with("weight"));
        for (name, shape) in matrices {
            let Some(weight) = params.remove(name) else { continue };
            let rows = shape[0];
            let columns = shape.iter().product::<usize>() / rows.max(1);
            let matrix: Tensor<2> = weight.clone().reshape([rows, columns]);
            let fixed = matrix.clone().inner();
            let left = self.left.remove(name).unwrap_or_else(|| {
                let normal = randomness.normal(Purpose::Start, 1000 + rows as u64);
                list(normal.take(rows).map(|n| n as f32).collect(), &fixed.device())
            });
            let unit = |vector: Tensor<2>| {
                let length = vector.clone().powi_scalar(2).sum().sqrt() + 1e-12;
                vector / length.reshape([1, 1])
            };
            let right = unit(left.reshape([1, rows]).matmul(fixed.clone())); // [1, columns]
            let left = unit(right.clone().matmul(fixed.swap_dims(0, 1))); // [1, rows]
            let (row, column) = (left.clone().autodiff(), right.autodiff().swap_dims(0, 1));
            let norm = row.matmul(matrix).matmul(column).reshape([1]);
            self.left.insert(name.clone(), left.reshape([rows]));
            params.insert(name.clone(), weight / norm);
        }
    }
}
