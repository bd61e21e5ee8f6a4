//! Modulated convolutions (Karras et al. 2020, StyleGAN2): instead of a kernel of its own for each
//! style, channels are scaled by the style before a common kernel and by what it is owed after it.

use super::map::Map;

/// From styles to the factors of the results.
#[derive(Clone, Debug)]
pub struct Demodulation {
    channels_in: usize,
    /// `Σ weight²` over the kernel, `[out, in]`.
    energies: Vec<f32>,
    eps: f32,
}

impl Demodulation {
    /// `weight` is `[out, in, height, width]`.
    pub fn new(weight: &[f32], [_, channels_in, height, width]: [usize; 4], eps: f32) -> Self {
        let kernels = weight.chunks_exact((height * width).max(1));
        let energies = kernels.map(|kernel| kernel.iter().map(|x| x * x).sum()).collect();
        Self { channels_in, energies, eps }
    }

    /// What the gradient of the factors, which are `factors`, makes of the styles.
    pub fn backward(&self, styles: &Map, factors: &Map, gradient: &Map) -> Map {
        let (factors, gradient) = (factors.pixel(0, 0), gradient.pixel(0, 0));
        let mut sums = vec![0.0; self.channels_in];
        let rows = self.energies.chunks_exact(self.channels_in.max(1));
        for ((energies, factor), gradient) in rows.zip(factors).zip(gradient) {
            let slope = -gradient * factor.powi(3);
            sums.iter_mut().zip(energies).for_each(|(sum, energy)| *sum += slope * energy);
        }
        Map::build(1, 1, self.channels_in, |_, row| {
            for ((to, sum), style) in row.iter_mut().zip(&sums).zip(styles.pixel(0, 0)) {
                *to = sum * style;
            }
        })
    }

    /// Adds what it makes of the weight.
    pub fn add_weight_gradient(
        &self,
        weight: &[f32],
        [styles, factors, gradient]: [&Map; 3],
        to: &mut [f32],
    ) {
        let area = weight.len() / self.energies.len().max(1);
        let styles = &styles.pixel(0, 0)[..self.channels_in];
        let kernels = weight.chunks_exact(area).zip(to.chunks_exact_mut(area));
        for (at, (weight, to)) in kernels.enumerate() {
            let (out, input) = (at / self.channels_in, at % self.channels_in);
            let factor = factors.pixel(0, 0)[out];
            let slope = -gradient.pixel(0, 0)[out] * factor.powi(3) * styles[input].powi(2);
            to.iter_mut().zip(weight).for_each(|(to, weight)| *to += slope * weight);
        }
    }

    /// Of a vector.
    pub fn run(&self, styles: &Map) -> Map {
        let squares: Vec<f32> =
            styles.pixel(0, 0).iter().take(self.channels_in).map(|x| x * x).collect();
        let channels = self.energies.len() / self.channels_in.max(1);
        Map::build(1, 1, channels, |_, row| {
            for (to, energies) in row.iter_mut().zip(self.energies.chunks_exact(self.channels_in)) {
                let sum: f32 = energies.iter().zip(&squares).map(|(e, s)| e * s).sum();
                *to = 1.0 / (sum + self.eps).sqrt();
            }
        })
    }
}
