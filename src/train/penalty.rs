//! Penalties on the gradient of a discriminator by its pictures, from first derivatives alone.
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
