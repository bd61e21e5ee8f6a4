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

/// What differs from run to run.
#[derive(Clone, Copy, Default)]
pub struct Modulation<'a> {
    /// A factor for each channel, before the bias: a vector.
    pub factors: Option<&'a Map>,
    /// Added to every channel then: a picture of one channel, of the results' size or one pixel.
    pub added: Option<&'a Map>,
    /// Added to each channel then: a vector.
    pub offsets: Option<&'a Map>,
    /// Added after the bias: a picture of the results' size.
    pub residual: Option<&'a Map>,
}

/// What a [`Modulation`] is at one pixel.
#[derive(Clone, Copy)]
pub struct Local<'a> {
    factors: Option<&'a [f32]>,
    added: f32,
    offsets: Option<&'a [f32]>,
    residual: Option<&'a [f32]>,
}

impl<'a> Modulation<'a> {
    pub fn residual(map: &'a Map) -> Self {
        Self { residual: Some(map), ..Self::default() }
    }

    /// At pixel `(x, y)` of the results.
    #[inline(always)]
    pub fn at(&self, x: usize, y: usize) -> Local<'a> {
        let pixel = |map: &Map| map.pixel(x.min(map.width - 1), y.min(map.height - 1))[0];
        Local {
            factors: self.factors.map(|map| map.pixel(0, 0)),
            added: self.added.map_or(0.0, pixel),
            offsets: self.offsets.map(|map| map.pixel(0, 0)),
            residual: self.residual.map(|map| map.pixel(x, y)),
        }
    }
}

/// An [`Epilogue`] for one vector of channels, in registers.
#[derive(Clone, Copy)]
pub struct Ready<S: Simd> {
    vector: usize,
    bias: S::f32s,
    /// Factors of what is above zero and below.
    slopes: Option<[S::f32s; 2]>,
    bounds: [S::f32s; 2],
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

    /// For vector number `vector` of the channels.
    #[inline(always)]
    pub fn of<S: Simd>(&self, simd: S, vector: usize) -> Ready<S> {
        let gain = self.gain.unwrap_or(1.0);
        let slopes = match &self.slopes {
            Some(slopes) => Some(S::as_simd_f32s(slopes).0[vector]),
            None => self.gain.map(|_| simd.splat_f32s(1.0)),
        };
        let gain = simd.splat_f32s(gain);
        let [low, high] = self.bounds.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        Ready {
            vector,
            bias: S::as_simd_f32s(&self.bias).0[vector],
            slopes: slopes.map(|slope| [gain, simd.mul_f32s(slope, gain)]),
            bounds: [simd.splat_f32s(low), simd.splat_f32s(high)],
        }
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
        self.of(simd, vector).apply(simd, sum, modulation)
    }
}

impl<S: Simd> Ready<S> {
    /// On the sums of a pixel.
    #[inline(always)]
    pub fn apply(&self, simd: S, sum: S::f32s, modulation: Option<Local<'_>>) -> S::f32s {
        let own = |numbers: &[f32]| S::as_simd_f32s(numbers).0[self.vector];
        let mut value = sum;
        if let Some(Local { factors, added, offsets, .. }) = modulation {
            if let Some(factors) = factors {
                value = simd.mul_add_e_f32s(value, own(factors), simd.splat_f32s(added));
            }
            if let Some(offsets) = offsets {
                value = simd.add_f32s(value, own(offsets));
            }
        }
        value = simd.add_f32s(value, self.bias);
        if let Some(residual) = modulation.and_then(|local| local.residual) {
            value = simd.add_f32s(value, own(residual));
        }
        if let Some([above, below]) = self.slopes {
            let zero = simd.splat_f32s(0.0);
            let negative = simd.mul_f32s(simd.min_f32s(zero, value), below);
            value = simd.mul_add_e_f32s(simd.max_f32s(zero, value), above, negative);
        }
        // In this order what is not a number stays so.
        let [low, high] = self.bounds;
        simd.min_f32s(high, simd.max_f32s(low, value))
    }
}
