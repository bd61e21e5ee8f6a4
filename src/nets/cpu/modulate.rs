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
