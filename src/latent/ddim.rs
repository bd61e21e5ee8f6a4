//! DDIM (Song et al., "Denoising Diffusion Implicit Models", 2021) on DDPM's linear schedule: from
//! noise to a picture in a few steps without further chance.

/// Steps of the diffusion that the published networks learnt.
const TRAINED_STEPS: usize = 1000;
/// Variance that the first and the last of them add.
const BETAS: [f64; 2] = [1e-4, 0.02];

/// The way from noise to a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Ddim {
    /// What is left of the picture's variance after each step of the diffusion.
    left: Vec<f64>,
    /// Steps of the diffusion between two of this way.
    stride: usize,
}

impl Ddim {
    /// In `1..=1000` steps.
    pub fn new(steps: usize) -> Self {
        let [first, last] = BETAS;
        let beta = |at: usize| first + (last - first) * at as f64 / (TRAINED_STEPS - 1) as f64;
        let left = (0..TRAINED_STEPS).scan(1.0, |left, at| {
            *left *= 1.0 - beta(at);
            Some(*left)
        });
        Self { left: left.collect(), stride: TRAINED_STEPS / steps.clamp(1, TRAINED_STEPS) }
    }

    /// The steps of the diffusion that are gone through, the noisiest first.
    pub fn times(&self) -> Vec<usize> {
        let steps = TRAINED_STEPS / self.stride;
        (0..steps).rev().map(|step| step * self.stride).collect()
    }

    /// One step: `picture` at `time` loses some of the `noise` that is in it. What is left of the
    /// picture is kept in `-1..=1`, as the published samplers do.
    pub fn step(&self, picture: &mut [f32], noise: &[f32], time: usize) {
        let left = self.left.get(time).copied().unwrap_or(1.0);
        // The last step leads to the picture itself.
        let next = time.checked_sub(self.stride).map_or(1.0, |time| self.left[time]);
        for (value, noise) in picture.iter_mut().zip(noise) {
            let (x, noise) = (f64::from(*value), f64::from(*noise));
            let clean = ((x - (1.0 - left).sqrt() * noise) / left.sqrt()).clamp(-1.0, 1.0);
            *value = (next.sqrt() * clean + (1.0 - next).sqrt() * noise) as f32;
        }
    }
}
