//! Codes made from other codes: style mixing and variations.

use super::random::Normal;
use super::{Code, LatentError, Pca, Rows};

/// `base` with the rows of `style`: style mixing (Karras et al. 2019). `amount` 1 takes the rows
/// as they are, 0 leaves `base` bit-identical, between them rows are mixed linearly.
///
/// # Errors
/// Where they are codes of different networks.
pub fn mix(base: &Code, style: &Code, rows: Rows, amount: f32) -> Result<Code, LatentError> {
    if !base.fits(style) {
        return Err(LatentError::Unsolvable("the two codes belong to different models"));
    }
    let dim = base.dim();
    let range = rows.within(base.rows());
    let range = range.start * dim..range.end * dim;
    let mut w = base.w().to_vec();
    for (value, style) in w[range.clone()].iter_mut().zip(&style.w()[range]) {
        *value = if amount == 1.0 { *style } else { *value + amount * (style - *value) };
    }
    base.with_w(w)
}

/// A seeded random neighbour of `code`: the same step in every row, `strength` standard
/// deviations of W long in each of its principal components. 0 leaves it bit-identical.
///
/// # Errors
/// Where `pca` describes another W.
pub fn vary(code: &Code, pca: &Pca, seed: u64, strength: f32) -> Result<Code, LatentError> {
    if pca.dim() != code.dim() {
        let (have, want) = (pca.dim(), code.dim());
        return Err(LatentError::Length { what: "the mean of W".into(), have, want });
    }
    let mut step = vec![0.0; code.dim()];
    for ((component, sigma), normal) in pca.components().zip(pca.sigma()).zip(Normal::new(seed)) {
        for (step, along) in step.iter_mut().zip(component) {
            *step += along * sigma * normal as f32;
        }
    }
    let mut w = code.w().to_vec();
    for row in w.chunks_exact_mut(code.dim()) {
        row.iter_mut().zip(&step).for_each(|(value, step)| *value += strength * step);
    }
    code.with_w(w)
}

/// A seeded random neighbour of normal numbers `z` that is as probable as they are:
/// `√(1 - s²) z + s n`. `strength` is `0..=1`; 1 is a fresh draw.
pub fn vary_z(z: &[f32], seed: u64, strength: f32) -> Vec<f32> {
    let strength = strength.clamp(0.0, 1.0);
    let keep = (1.0 - strength * strength).sqrt();
    z.iter().zip(Normal::new(seed)).map(|(z, normal)| keep * z + strength * normal as f32).collect()
}
