//! Latents from seeds: the same seed gives the same numbers on every platform.
//!
//! SplitMix64 (Steele, Lea, Flood 2014) drives Marsaglia's polar method. Only additions,
//! multiplications, divisions and square roots occur, which IEEE 754 rounds one way; the
//! logarithm is computed from them, since libraries differ in its last bit.

struct SplitMix64(u64);

impl SplitMix64 {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `-1.0..1.0`, 53 bits.
    fn signed_unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    }
}

/// Natural logarithm of a normal positive number, from exactly rounded operations only:
/// `x = m 2^e` with `m` in `[√½, √2)`, then the series of `2 artanh((m-1)/(m+1))`.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7FF) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    // |t| < 0.1716: the term t^23/23 is below 1e-18.
    let mut series = 0.0;
    let mut power = 21.0;
    while power >= 1.0 {
        series = series * square + 1.0 / power;
        power -= 2.0;
    }
    2.0 * t * series + exponent as f64 * std::f64::consts::LN_2
}

/// `len` independent standard normal numbers of `seed`, scaled by `psi`.
pub(super) fn normal_latent(seed: u64, len: usize, psi: f32) -> Vec<f32> {
    let mut random = SplitMix64(seed);
    let mut latent = Vec::with_capacity(len + 1);
    while latent.len() < len {
        let (u, v) = (random.signed_unit(), random.signed_unit());
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let factor = (-2.0 * ln(s) / s).sqrt();
            latent.push((u * factor) as f32 * psi);
            latent.push((v * factor) as f32 * psi);
        }
    }
    latent.truncate(len);
    latent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_the_logarithm() {
        for x in [1e-300, 1e-9, 0.3, std::f64::consts::FRAC_1_SQRT_2, 1.0, 1.5, 2.0, 1e20] {
            assert!((ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn latents_are_normal_and_belong_to_their_seed() {
        let latent = normal_latent(7, 100_000, 1.0);
        let mean = latent.iter().sum::<f32>() / latent.len() as f32;
        let variance = latent.iter().map(|v| v * v).sum::<f32>() / latent.len() as f32;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let beyond_two = latent.iter().filter(|v| v.abs() > 2.0).count() as f32 / 1e5;
        assert!((beyond_two - 0.0455).abs() < 0.004, "{beyond_two}");
        assert_eq!(normal_latent(7, 5, 1.0), latent[..5]);
        assert_ne!(normal_latent(8, 5, 1.0), latent[..5]);
        assert!(normal_latent(7, 5, 0.5).iter().zip(&latent).all(|(a, b)| *a == b * 0.5));
    }
}
