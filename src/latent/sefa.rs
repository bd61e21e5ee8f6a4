//! Directions from the weights alone.

use rayon::prelude::*;

use super::LatentError;
use super::linalg::symmetric_eigen;

/// The `count` unit directions of W that change the layers' styles most, the strongest first:
/// closed-form factorisation (Shen and Zhou 2021, SeFa). `weights` are the matrices
/// `[outputs, dim]`, row by row, of the affine maps from W to the styles of the layers looked at;
/// each output counts alike, as in the reference implementation.
///
/// # Errors
/// Where a matrix is not whole rows of finite numbers, or there is none.
pub fn sefa(weights: &[&[f32]], dim: usize, count: usize) -> Result<Vec<Vec<f32>>, LatentError> {
    let mut rows: Vec<f64> = Vec::new();
    for weight in weights {
        super::check("a layer's affine map", weight, weight.len() / dim.max(1) * dim)?;
        for row in weight.chunks_exact(dim) {
            let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt().max(1e-8);
            rows.extend(row.iter().map(|value| f64::from(*value) / length));
        }
    }
    if rows.is_empty() {
        return Err(LatentError::Unsolvable("there is no affine map to factorise"));
    }
    let mut gram = vec![0.0; dim * dim];
    gram.par_chunks_exact_mut(dim).enumerate().for_each(|(i, line)| {
        for row in rows.chunks_exact(dim) {
            line.iter_mut().zip(row).for_each(|(sum, value)| *sum += row[i] * value);
        }
    });
    let eigen = symmetric_eigen(&gram, dim)?;
    let vectors = eigen.vectors.chunks_exact(dim).take(count);
    Ok(vectors.map(|vector| vector.iter().map(|value| *value as f32).collect()).collect())
}
