//! What follows a convolution while its results are still in registers.

use pulp::Simd;

use super::map::{LANES, Map};
use crate::nets::graph::Act;

/// Bias, a slope for negative numbers, a gain, bounds; in this order.
#[derive(Clone, Debug)]
pub struct Epilogue {
    /// One a channel, padded.
    bias: Vec<f32>,
    /// One a channel, padded.
    slopes: Option<Vec<f32>>,
    gain: Option<f32>,
    bounds: Option<[f32; 2]>,
}

/// What comes before the bias and differs from run to run.
#[derive(Clone, Copy)]
pub struct Modulation<'a> {
    /// A factor for each channel: a vector.
    pub factors: &'a Map,
    /// Added to every channel then: a picture of one channel, of the results' size or one pixel.
    pub added: Option<&'a Map>,
    /// Added to each channel: a vector.
    pub offsets: Option<&'a Map>,
}

/// What a [`Modulation`] is at one pixel.
#[derive(Clone, Copy)]
pub struct Local<'a> {
    factors: &'a [f32],
    added: f32,
    offsets: Option<&'a [f32]>,
}

impl<'a> Modulation<'a> {
    /// At pixel `(x, y)` of the results.
    #[inline(always)]
    pub fn at(&self, x: usize, y: usize) -> Local<'a> {
        let pixel = |map: &Map| map.pixel(x.min(map.width - 1), y.min(map.height - 1))[0];
        Local {
            factors: self.factors.pixel(0, 0),
            added: self.added.map_or(0.0, pixel),
            offsets: self.offsets.map(|map| map.pixel(0, 0)),
        }
    }
}

fn padded(values: &[f32]) -> Vec<f32> {
    let mut values = values.to_vec();
    values.resize(values.len().next_multiple_of(LANES), 0.0);
    values
}

impl Epilogue {
    pub fn new(bias: &[f32]) -> Self {
        Self { bias: padded(bias), slopes: None, gain: None, bounds: None }
    }

    /// Whether nothing follows the bias yet.
    const fn is_plain(&self) -> bool {
        self.slopes.is_none() && self.gain.is_none() && self.bounds.is_none()
    }

    /// One slope a channel, where nothing but the bias comes before it.
    pub fn with_slopes(self, slopes: &[f32]) -> Result<Self, Self> {
        let slopes = Some(padded(slopes));
        if self.is_plain() { Ok(Self { slopes, ..self }) } else { Err(self) }
    }

    /// With the activation, where it is a slope and bounds and only the bias comes before it.
    pub fn with_act(self, act: Act) -> Result<Self, Self> {
        if !self.is_plain() {
            return Err(self);
        }
        match act {
            Act::Relu => self.with_bounds(0.0, f32::INFINITY),
            Act::Relu6 => self.with_bounds(0.0, 6.0),
            Act::Leaky(slope) => {
                let slopes = vec![slope; self.bias.len()];
                self.with_slopes(&slopes)
            }
            _ => Err(self),
        }
    }

    /// Times a number, where no bounds come before it.
    pub fn with_gain(self, gain: f32) -> Result<Self, Self> {
        let gain = Some(self.gain.unwrap_or(1.0) * gain);
        if self.bounds.is_some() { Err(self) } else { Ok(Self { gain, ..self }) }
    }

    /// Cut at two numbers, once.
    pub fn with_bounds(self, low: f32, high: f32) -> Result<Self, Self> {
        let bounds = Some([low, high]);
        if self.bounds.is_some() { Err(self) } else { Ok(Self { bounds, ..self }) }
    }

    /// For the first `channels` channels, `times` over.
    pub fn repeated(&self, channels: usize, times: usize) -> Self {
        let repeat = |values: &Vec<f32>| padded(&values[..channels].repeat(times));
        Self { bias: repeat(&self.bias), slopes: self.slopes.as_ref().map(repeat), ..*self }
    }

    /// On vector number `vector` of the channels of a pixel.
    #[inline(always)]
    pub fn apply<S: Simd>(
        &self,
        simd: S,
        vector: usize,
        sum: S::f32s,
        modulation: Option<Local<'_>>,
    ) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        let mut value = sum;
        if let Some(Local { factors, added, offsets }) = modulation {
            let factor = S::as_simd_f32s(factors).0[vector];
            value = simd.mul_add_e_f32s(value, factor, simd.splat_f32s(added));
            if let Some(offsets) = offsets {
                value = simd.add_f32s(value, S::as_simd_f32s(offsets).0[vector]);
            }
        }
        value = simd.add_f32s(value, S::as_simd_f32s(&self.bias).0[vector]);
        if let Some(slopes) = &self.slopes {
            let slope = S::as_simd_f32s(slopes).0[vector];
            let negative = simd.mul_f32s(simd.min_f32s(value, zero), slope);
            value = simd.add_f32s(simd.max_f32s(value, zero), negative);
        }
        if let Some(gain) = self.gain {
            value = simd.mul_f32s(value, simd.splat_f32s(gain));
        }
        if let Some([low, high]) = self.bounds {
            value = simd.max_f32s(value, simd.splat_f32s(low));
            value = simd.min_f32s(value, simd.splat_f32s(high));
        }
        value
    }
}
