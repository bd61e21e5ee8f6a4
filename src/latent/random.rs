//! Random numbers from seeds: the same seed gives the same numbers on every platform.
//!
//! SplitMix64 (Steele, Lea, Flood 2014) drives Marsaglia's polar method. Only additions,
//! multiplications, divisions and square roots occur, which IEEE 754 rounds one way; the
//! logarithm is computed from them, since libraries differ in its last bit.

/// The generator of Steele, Lea and Flood (2014).
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `0..below`, which must not be 0 (Lemire 2019, without the rejection: the bias is
    /// below `below / 2^64`).
    pub const fn below(&mut self, below: usize) -> usize {
        ((self.bits() as u128 * below as u128) >> 64) as usize
    }

    /// `0..count` in random order (Fisher and Yates).
    pub fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    /// Uniform in `-1.0..1.0`, 53 bits.
    fn signed_unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
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

/// Independent standard normal numbers of a seed, without end.
#[derive(Clone, Debug)]
pub struct Normal {
    random: SplitMix64,
    /// The polar method makes two at a time.
    spare: Option<f64>,
}

impl Normal {
    pub const fn new(seed: u64) -> Self {
        Self { random: SplitMix64::new(seed), spare: None }
    }
}

impl Iterator for Normal {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if let Some(spare) = self.spare.take() {
            return Some(spare);
        }
        loop {
            let (u, v) = (self.random.signed_unit(), self.random.signed_unit());
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let factor = (-2.0 * ln(s) / s).sqrt();
                self.spare = Some(v * factor);
                return Some(u * factor);
            }
        }
    }
}

/// `len` independent standard normal numbers of `seed`, scaled by `psi`.
pub fn normal_latent(seed: u64, len: usize, psi: f32) -> Vec<f32> {
    Normal::new(seed).take(len).map(|value| value as f32 * psi).collect()
}

/// `len` independent standard normal numbers of `seed`, those beyond ±`limit` (at least
/// 0.001) drawn again: the truncation of BigGAN (Brock et al. 2019).
pub fn truncated_normal(seed: u64, len: usize, limit: f64) -> Vec<f32> {
    let within = |value: &f64| value.abs() <= limit.max(1e-3);
    Normal::new(seed).filter(within).take(len).map(|value| value as f32).collect()
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

    #[test]
    fn truncated_numbers_stay_inside_and_keep_their_order() {
        let all = normal_latent(7, 64, 1.0);
        let inside: Vec<f32> = all.into_iter().filter(|v| v.abs() <= 1.0).collect();
        assert_eq!(truncated_normal(7, inside.len(), 1.0), inside);
    }

    #[test]
    fn a_shuffle_holds_everything_once() {
        let mut order = SplitMix64::new(3).shuffled(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
