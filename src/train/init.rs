//! What parameters are before anything is learnt.

use std::collections::BTreeSet;

use burn::tensor::Device;

use super::randomness::{Purpose, Randomness};
use super::weights::Weights;
use crate::nets::graph::Shapes;

/// Deviation of weights in DCGAN (Radford et al. 2015).
const DCGAN_DEVIATION: f32 = 0.02;

/// How parameters begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// Weights around 0, factors of norms around 1, deviation 0.02.
    Dcgan,
    /// Standard normal weights, over the factor of the mapping's learning rate where they are the
    /// mapping's; styles of 1 (Karras et al. 2020).
    StyleGan2 { mapping_rate: f32 },
    /// Uniform within one over the root of the fan-in, biases too: PyTorch's default.
    Linear,
}

/// What no gradient changes.
fn is_fixed(name: &str) -> bool {
    ["running_mean", "running_var", "resample_filter", "noise_const", "w_avg"]
        .iter()
        .any(|leaf| name.ends_with(leaf))
}

/// Parameters of these shapes as they begin, in the order of their names from one stream.
pub fn weights(
    shapes: Shapes,
    start: Start,
    device: &Device,
    randomness: Randomness,
    player: u64,
) -> Weights {
    let learnt: BTreeSet<String> = shapes.keys().filter(|name| !is_fixed(name)).cloned().collect();
    let mut normal = randomness.normal(Purpose::Start, 2 * player);
    let mut uniform = randomness.uniform(Purpose::Start, 2 * player + 1);
    let fan_ins: Shapes = shapes.clone();
    Weights::new(shapes, learnt, device, |name, shape| {
        let len = shape.iter().product();
        let mut around = |mean: f32, deviation: f32| -> Vec<f32> {
            normal.by_ref().take(len).map(|n| n as f32 * deviation + mean).collect()
        };
        if name.ends_with("resample_filter") {
            return filter(shape);
        }
        match start {
            Start::Dcgan if name.ends_with("running_var") => vec![1.0; len],
            Start::Dcgan if name.ends_with("bias") || name.ends_with("running_mean") => {
                vec![0.0; len]
            }
            Start::Dcgan if shape.len() == 1 => around(1.0, DCGAN_DEVIATION),
            Start::Dcgan => around(0.0, DCGAN_DEVIATION),
            Start::StyleGan2 { .. } if name.ends_with("affine.bias") => vec![1.0; len],
            Start::StyleGan2 { .. }
                if ["bias", "noise_strength", "w_avg"].iter().any(|l| name.ends_with(l)) =>
            {
                vec![0.0; len]
            }
            Start::StyleGan2 { mapping_rate } if name.starts_with("mapping.fc") => {
                around(0.0, 1.0 / mapping_rate)
            }
            Start::StyleGan2 { .. } => around(0.0, 1.0),
            Start::Linear => {
                let weight = name.replace("bias", "weight");
                let fan_in = fan_ins.get(&weight).and_then(|shape| shape.get(1));
                let bound = 1.0 / (fan_in.copied().unwrap_or(1).max(1) as f64).sqrt();
                (0..len).map(|_| ((uniform.unit() * 2.0 - 1.0) * bound) as f32).collect()
            }
        }
    })
}

/// `[1, 3, 3, 1]` either way, adding up to 1.
fn filter(shape: &[usize]) -> Vec<f32> {
    let tap = |at: usize| if at == 0 || at == 3 { 1.0 } else { 3.0 };
    let columns = shape.last().copied().unwrap_or(1);
    let len: usize = shape.iter().product();
    (0..len).map(|at| tap(at / columns) * tap(at % columns) / 64.0).collect()
}
