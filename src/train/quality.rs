//! How near what is drawn comes to what is real: a number to compare states of one run by.
//!
//! A Fréchet distance (Heusel et al. 2017) on the features of a small convolutional network with
//! fixed random weights: such features tell colours, edges and textures apart, know nothing of what
//! is shown, and need no weights at hand. It is not FID and cannot be compared with it.

use burn::tensor::Tensor;

use super::players::kernels;
use super::randomness::Randomness;
use super::run::Trainer;
use crate::latent::Moments;
use crate::metrics::frechet_distance;
use crate::nets::graph::{Conv, Graph};
use crate::nets::tensor::OnDevice;

/// Channels of the layers, each of which halves.
const CHANNELS: [usize; 3] = [16, 32, 48];
/// Samples of either side, at most; the network sees so many at once.
const SAMPLES: usize = 256;
const AT_ONCE: usize = 64;
/// The seed of the weights, the same for all runs.
const SEED: u64 = 1;

/// The network, and what it made of real samples.
pub(super) struct Quality {
    network: OnDevice,
    reals: Moments,
}

impl Trainer {
    /// The distance of samples of the averaged generator from real ones that it does not learn
    /// from, where there are enough; the same latents each time. `None` for points, and where a
    /// distance cannot be had.
    pub fn distance(&mut self) -> Option<f64> {
        if self.data.shape[0] != 3 || self.data.shape[1] < 8 {
            return None;
        }
        let mut quality = match self.quality.take() {
            Some(quality) => quality,
            None => self.judge_of_quality()?,
        };
        let samples = self.samples(SAMPLES);
        let drawn = self.moments(&mut quality.network, &samples)?;
        let distance = frechet_distance(&quality.reals, &drawn).ok();
        self.quality = Some(quality);
        distance
    }

    fn judge_of_quality(&self) -> Option<Quality> {
        let mut g = Graph::new();
        let mut x = g.input(3);
        let mut features = Vec::new();
        for (at, channels) in CHANNELS.into_iter().enumerate() {
            let conv = Conv::new(&format!("layer{at}"), g.channels(x), channels, 3);
            x = g.conv(x, conv.stride(2).no_bias());
            x = g.relu(x);
            features.push(g.global_mean(x));
        }
        let all = g.concat(&features);
        g.output(all);
        let device = self.judge.weights.device();
        let params = kernels(&g, device, Randomness(SEED));
        let mut network = OnDevice::of_params(g, device, params);
        let reals = self.moments(&mut network, &self.reals(SAMPLES))?;
        Some(Quality { network, reals })
    }

    fn moments(&self, network: &mut OnDevice, samples: &[f32]) -> Option<Moments> {
        let mut moments = Moments::new(CHANNELS.iter().sum());
        for some in samples.chunks(AT_ONCE * self.data.sample_len()) {
            let pictures: Tensor<4> = self.of_samples(some.to_vec()).inner();
            let features = network.run(vec![pictures], &|| false).pop()?;
            let numbers: Vec<f32> = features.to_data().try_to_vec().ok()?;
            moments.push(&numbers).ok()?;
        }
        Some(moments)
    }
}
