//! What follows a convolution while its results are still in registers.

use pulp::Simd;

use super::map::LANES;
use crate::nets::graph::Act;

/// Bias, then a slope for negative numbers and a ceiling.
#[derive(Clone, Debug)]
pub struct Epilogue {
    /// One a channel, padded.
    bias: Vec<f32>,
    /// One a channel, padded.
    slopes: Option<Vec<f32>>,
    ceiling: Option<f32>,
}

fn padded(values: &[f32]) -> Vec<f32> {
    let mut values = values.to_vec();
    values.resize(values.len().next_multiple_of(LANES), 0.0);
    values
}

impl Epilogue {
    pub fn new(bias: &[f32]) -> Self {
        Self { bias: padded(bias), slopes: None, ceiling: None }
    }

    /// One slope a channel.
    pub fn with_slopes(self, slopes: &[f32]) -> Self {
        Self { slopes: Some(padded(slopes)), ..self }
    }

    /// With the activation, where it is a slope and a ceiling.
    pub fn with_act(self, act: Act) -> Result<Self, Self> {
        let (slope, ceiling) = match act {
            Act::Relu => (0.0, None),
            Act::Relu6 => (0.0, Some(6.0)),
            Act::Leaky(slope) => (slope, None),
            _ => return Err(self),
        };
        let slopes = Some(vec![slope; self.bias.len()]);
        Ok(Self { slopes, ceiling, ..self })
    }

    /// On vector number `vector` of the channels.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, vector: usize, sum: S::f32s) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        let mut value = simd.add_f32s(sum, S::as_simd_f32s(&self.bias).0[vector]);
        if let Some(slopes) = &self.slopes {
            let slope = S::as_simd_f32s(slopes).0[vector];
            let negative = simd.mul_f32s(simd.min_f32s(value, zero), slope);
            value = simd.add_f32s(simd.max_f32s(value, zero), negative);
        }
        if let Some(ceiling) = self.ceiling {
            value = simd.min_f32s(value, simd.splat_f32s(ceiling));
        }
        value
    }
}
