//! The Fréchet distance of two normal distributions: FID on the features of Inception-v3 (Heusel
//! et al. 2017).

use rayon::prelude::*;

use super::{MetricsError, Reservoir};
use crate::latent::Moments;
use crate::latent::linalg::{dot, symmetric_eigen, symmetric_eigenvalues};

/// Eigenvalues of a covariance below this share of the largest are rounding: f64 leaves as much
/// over after the sums of a few thousand numbers.
const NEGLIGIBLE: f64 = 1e-13;

/// `|m - n|² + tr(A + B - 2 (A B)^½)` of the samples' means `m`, `n` and unbiased covariances `A`,
/// `B`, at least 0.
///
/// The trace of the root is that of the symmetric `(A^½ B A^½)^½`, a sum of roots of eigenvalues
/// that are never negative; so covariances may be singular, as those of fewer samples than
/// numbers are, and nothing need be added to their diagonals.
///
/// # Errors
/// Where the vectors differ in length or there are fewer than two on a side.
pub fn frechet_distance(a: &Moments, b: &Moments) -> Result<f64, MetricsError> {
    let n = a.mean().len();
    if b.mean().len() != n {
        return Err(MetricsError::Dimensions(n, b.mean().len()));
    }
    let shift: Vec<f64> = a.mean().iter().zip(b.mean()).map(|(a, b)| a - b).collect();
    // The eigenvectors of the side with fewer samples: they leave fewer products to make.
    let (few, many) = if a.count() <= b.count() { (a, b) } else { (b, a) };
    let (few, many) = (few.covariance()?, many.covariance()?);
    let trace = |matrix: &[f64]| -> f64 { (0..n).map(|i| matrix[i * n + i]).sum() };
    let rest = trace(&few) + trace(&many) - 2.0 * trace_of_root(&few, &many, n)?;
    // A sum of squares but for the rounding.
    Ok((dot(&shift, &shift) + rest).max(0.0))
}

/// [`frechet_distance`] of all that two reservoirs keep, fast where they keep fewer vectors than
/// these have numbers.
///
/// With the centred vectors as rows of `X` and `Y`, over the roots of the counts less one, `A = XᵀX`
/// and `B = YᵀY`, and `(A B)^½` has the trace of `(X Yᵀ Y Xᵀ)^½`, which is as large as the sets are.
///
/// # Errors
/// Where the vectors differ in length or there are fewer than two on a side.
pub fn frechet_distance_of_few(a: &Reservoir, b: &Reservoir) -> Result<f64, MetricsError> {
    let n = a.dim();
    if b.dim() != n {
        return Err(MetricsError::Dimensions(n, b.dim()));
    }
    let few = a.len().min(b.len());
    if few < 2 {
        return Err(MetricsError::TooFew { have: few, need: 2 });
    }
    let [(mean_a, a), (mean_b, b)] = [a, b].map(centred);
    let shift: Vec<f64> = mean_a.iter().zip(&mean_b).map(|(a, b)| a - b).collect();
    let (few, many) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let across = products(few, many, n);
    let between = products(&across, &across, many.len() / n);
    let values = symmetric_eigenvalues(&between, few.len() / n)?;
    let root: f64 = values.iter().map(|value| value.max(0.0).sqrt()).sum();
    Ok((dot(&shift, &shift) + dot(&a, &a) + dot(&b, &b) - 2.0 * root).max(0.0))
}

/// The mean of vectors, and what they are away from it, over the root of their count less one.
fn centred(set: &Reservoir) -> (Vec<f64>, Vec<f64>) {
    let count = set.len() as f64;
    let mut mean = vec![0.0; set.dim()];
    for vector in set.vectors() {
        mean.iter_mut().zip(vector).for_each(|(mean, x)| *mean += f64::from(*x) / count);
    }
    let scale = 1.0 / (count - 1.0).sqrt();
    let away = |vector: &[f32]| -> Vec<f64> {
        vector.iter().zip(&mean).map(|(x, mean)| (f64::from(*x) - mean) * scale).collect()
    };
    let away = set.vectors().flat_map(away).collect();
    (mean, away)
}

/// The trace of `(A B)^½` for positive semidefinite `[n, n]` matrices.
fn trace_of_root(a: &[f64], b: &[f64], n: usize) -> Result<f64, MetricsError> {
    let eigen = symmetric_eigen(a, n)?;
    let floor = eigen.values.first().map_or(0.0, |top| top * NEGLIGIBLE);
    // A = RᵀR with a row for each eigenvalue that counts; then A^½ B A^½ and R B Rᵀ have the same
    // eigenvalues but for zeros.
    let rows = eigen.values.iter().zip(eigen.vectors.chunks_exact(n.max(1)));
    let root: Vec<f64> = rows
        .take_while(|(value, _)| **value > floor)
        .flat_map(|(value, row)| row.iter().map(|x| x * value.sqrt()))
        .collect();
    let rank = root.len() / n.max(1);
    // Both factors of each product lie row by row, since B is symmetric.
    let right = products(&root, b, n);
    let between = products(&root, &right, n);
    let values = symmetric_eigenvalues(&between, rank)?;
    Ok(values.iter().map(|value| value.max(0.0).sqrt()).sum())
}

/// `a bᵀ` of matrices with `n` columns.
fn products(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let columns = b.len() / n.max(1);
    let mut out = vec![0.0; a.len() / n.max(1) * columns];
    // Some rows at a time, so that a row of `b` is fetched once for all of them.
    const ROWS: usize = 8;
    out.par_chunks_mut((ROWS * columns).max(1)).zip(a.par_chunks((ROWS * n).max(1))).for_each(
        |(out, a)| {
            for (j, b) in b.chunks_exact(n).enumerate() {
                for (i, a) in a.chunks_exact(n).enumerate() {
                    out[i * columns + j] = dot(a, b);
                }
            }
        },
    );
    out
}
