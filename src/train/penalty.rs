//! Penalties on gradients, of a discriminator by its pictures and of a generator by its codes, from
//! first derivatives alone.
//!
//! Let `S(x)` be the sum of the logits of a batch and `v = ∇ₓS(x)`, found by one backward run and
//! then held constant. For any direction `u` that is also held constant, the change of `S` along
//! `u` is `u·∇ₓS`, which forward mode computes beside the logits
//! ([`crate::nets::tensor::OnDevice::run_along`]); one more backward run gives its gradient by the
//! parameters. So with `u = v`
//!
//! ```text
//! ∂θ ‖v‖² = 2 v·∂θ∇ₓS
//! ```
//!
//! and a sum of penalties `f(‖vᵢ‖)` has the gradient of `S` along `u = f'(‖vᵢ‖) / ‖vᵢ‖ · vᵢ`.
//! Differences `S(x + εv) - S(x - εv)` would do for smooth networks only: between the two some
//! leaky units change sides, fewer the smaller the step, but each counts in full after the
//! division by it.
//!
//! Path lengths are the same with the weighted sum `y·G(w)` of a picture for `S` and the rows of
//! W+ for `x`: `y·J` is found by one backward run, and `y·J u` is the change of the picture along
//! `u`, times `y`. The codes follow from the parameters of the mapping, which learns from it, too.

use burn::tensor::Tensor;

/// The direction of R1 (Mescheder et al. 2018), `γ/2 ‖vᵢ‖²` on average: `u = γ/n · vᵢ`.
/// `slopes` are `[n, channels, height, width]`.
pub fn zero_centred(slopes: &Tensor<4>, gamma: f64) -> Tensor<4> {
    let [n, ..] = slopes.dims();
    slopes.clone() * (gamma / n as f64)
}

/// The direction of WGAN-GP (Gulrajani et al. 2017), `λ (‖vᵢ‖ - 1)²` on average:
/// `u = 2λ/n (‖vᵢ‖ - 1)/‖vᵢ‖ · vᵢ`.
pub fn one_centred(slopes: &Tensor<4>, lambda: f64) -> Tensor<4> {
    let [n, ..] = slopes.dims();
    let norms = slopes.clone().powi_scalar(2).sum_dim(3).sum_dim(2).sum_dim(1).sqrt();
    let weights = (norms.clone() - 1.0) / (norms + 1e-12);
    slopes.clone() * weights * (2.0 * lambda / n as f64)
}

/// Lengths `lᵢ` `[n]` of `gᵢ = yᵢ·J` at codes with the slopes `g` by each row, `[n, w_dim, 1, 1]`:
/// the root of the mean over rows of their squared lengths.
pub fn path_lengths(slopes: &[Tensor<4>]) -> Option<Tensor<1>> {
    let squares = slopes.iter().map(|row| row.clone().powi_scalar(2).sum_dim(1));
    let sum = squares.reduce(|sum, square| sum + square)?;
    let [n, ..] = sum.dims();
    Some((sum / slopes.len() as f64).sqrt().reshape([n]))
}

/// The directions of path-length regularisation (Karras et al. 2020, equation 4), `weight · (lᵢ -
/// mean)²` on average with [`path_lengths`] `l` and `K` rows:
/// `uᵢ = 2 weight / (n K) · (lᵢ - mean)/lᵢ · gᵢ`. The mean is held constant.
pub fn path_centred(
    slopes: &[Tensor<4>],
    lengths: &Tensor<1>,
    mean: f64,
    weight: f64,
) -> Vec<Tensor<4>> {
    let [n] = lengths.dims();
    let factor = 2.0 * weight / (n * slopes.len().max(1)) as f64;
    let shares = (lengths.clone() - mean) / (lengths.clone() + 1e-12) * factor;
    let shares: Tensor<4> = shares.reshape([n, 1, 1, 1]);
    slopes.iter().map(|row| row.clone() * shares.clone()).collect()
}
