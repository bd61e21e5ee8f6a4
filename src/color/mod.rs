//! Colour: transfer curves, working profiles and the conversions between them.
//!
//! A document keeps the RGB profile of its file as *working profile*: pixels are stored encoded
//! in it, untouched. Operations that need linear light decode with its [`Transfer`]; the display
//! and the networks convert to sRGB through [`WorkingProfile::to_linear_srgb`].

pub mod convert;
mod icc;
mod lab;
mod profile;
mod profile_map;

pub use icc::{IccModel, describe_icc, display_p3_icc, srgb_icc};
pub use lab::Lab;
pub use profile::{ProfileError, WorkingProfile, inverse};
pub use profile_map::ProfileMap;

use serde::{Deserialize, Serialize};

/// Parametric transfer curve of ICC type 3 (ICC.1:2022, 10.18): encoded → linear is
/// `((a x + b)^gamma)` for `x >= d`, `c x` below. Values are in `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    pub gamma: f32,
    pub a: f32,
    pub b: f32,
    pub c: f32,
    pub d: f32,
}

impl Transfer {
    /// IEC 61966-2-1, also the curve of Display P3.
    pub const SRGB: Self =
        Self { gamma: 2.4, a: 1.0 / 1.055, b: 0.055 / 1.055, c: 1.0 / 12.92, d: 0.04045 };
    pub const LINEAR: Self = Self { gamma: 1.0, a: 1.0, b: 0.0, c: 1.0, d: 0.0 };

    /// A pure power curve, such as Adobe RGB's 563/256.
    pub const fn power(gamma: f32) -> Self {
        Self { gamma, a: 1.0, b: 0.0, c: 0.0, d: 0.0 }
    }

    /// Encoded value to linear light. Odd extension below zero, so that round trips hold.
    pub fn decode(self, encoded: f32) -> f32 {
        let x = encoded.abs();
        let linear =
            if x >= self.d { (self.a * x + self.b).max(0.0).powf(self.gamma) } else { self.c * x };
        linear.copysign(encoded)
    }

    /// Linear light to encoded value; the inverse of [`Transfer::decode`].
    pub fn encode(self, linear: f32) -> f32 {
        let y = linear.abs();
        let threshold = (self.a * self.d + self.b).max(0.0).powf(self.gamma);
        let encoded = if y >= threshold || self.c <= 0.0 {
            (y.powf(1.0 / self.gamma) - self.b) / self.a
        } else {
            y / self.c
        };
        encoded.max(0.0).copysign(linear)
    }
}

/// Relative luminance weights of linear Rec. 709 / sRGB primaries.
pub const LUMA_709: [f32; 3] = [0.212_639, 0.715_169, 0.072_192];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encode_inverts_decode() {
        for transfer in [Transfer::SRGB, Transfer::LINEAR, Transfer::power(563.0 / 256.0)] {
            for step in 0..=1000 {
                let x = step as f32 / 1000.0;
                let back = transfer.encode(transfer.decode(x));
                assert!((back - x).abs() < 1e-5, "{transfer:?} at {x}: {back}");
            }
        }
    }

    #[test]
    fn srgb_mid_grey_is_where_the_standard_puts_it() {
        assert!((Transfer::SRGB.decode(0.5) - 0.214_041).abs() < 1e-5);
    }
}
