//! Adam (Kingma and Ba 2015).

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::weights::{Slopes, Weights};

/// The optimiser of one network.
#[derive(Clone, Debug)]
pub struct Adam {
    pub rate: f64,
    /// How long means of gradients and of their squares last; the first may be 0.
    pub betas: [f64; 2],
    pub eps: f64,
    /// Steps that were done.
    pub steps: u64,
    /// Means of gradients by name; empty where the first beta is 0.
    pub first: BTreeMap<String, Tensor<1>>,
    /// Means of their squares.
    pub second: BTreeMap<String, Tensor<1>>,
}

impl Adam {
    pub const fn new(rate: f64, betas: [f64; 2]) -> Self {
        Self { rate, betas, eps: 1e-8, steps: 0, first: BTreeMap::new(), second: BTreeMap::new() }
    }

    /// One step down. What has no slope stays.
    pub fn step(&mut self, weights: &mut Weights, slopes: &Slopes) {
        self.steps += 1;
        let [beta1, beta2] = self.betas;
        let debias = |beta: f64| 1.0 - beta.powi(self.steps.min(1 << 30) as i32);
        for (name, slope) in slopes {
            let mean = |means: &mut BTreeMap<String, Tensor<1>>, new: Tensor<1>, beta: f64| {
                let mean = match means.remove(name) {
                    Some(before) => before * beta + new * (1.0 - beta),
                    None => new * (1.0 - beta),
                };
                means.insert(name.clone(), mean.clone());
                mean
            };
            let direction = if beta1 == 0.0 {
                slope.clone()
            } else {
                mean(&mut self.first, slope.clone(), beta1) / debias(beta1)
            };
            let square = mean(&mut self.second, slope.clone().powi_scalar(2), beta2);
            let scale = (square / debias(beta2)).sqrt() + self.eps;
            weights.change(name, |value| value - direction / scale * self.rate);
        }
    }
}
