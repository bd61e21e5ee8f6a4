//! Group norm (Wu and He 2018): statistics over the pixels of several channels together.

use super::elementwise::{channel_affine, combine, moments};
use super::gradient::{reduced, reduced_product};
use super::map::Map;

/// A prepared norm.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    pub groups: usize,
    pub eps: f32,
    /// A number a channel.
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl GroupNorm {
    fn group_len(&self) -> usize {
        (self.weight.len() / self.groups.max(1)).max(1)
    }

    /// The mean of each channel's group and one over its deviation.
    fn statistics(&self, map: &Map) -> Vec<[f32; 2]> {
        let (means, variances) = moments(map);
        let len = self.group_len();
        let mut all = Vec::with_capacity(self.weight.len());
        let channels = self.weight.len();
        for (means, variances) in
            means[..channels].chunks(len).zip(variances[..channels].chunks(len))
        {
            let count = means.len() as f64;
            let mean = means.iter().map(|mean| f64::from(*mean)).sum::<f64>() / count;
            // Within the channels and between them.
            let pairs = means.iter().zip(variances);
            let spread = |(own, variance): (&f32, &f32)| {
                f64::from(*variance) + (f64::from(*own) - mean).powi(2)
            };
            let variance = pairs.map(spread).sum::<f64>() / count;
            let one = [mean as f32, (1.0 / (variance + f64::from(self.eps)).sqrt()) as f32];
            all.extend(means.iter().map(|_| one));
        }
        all
    }

    pub fn run(&self, map: &mut Map) {
        let statistics = self.statistics(map);
        let each = || statistics.iter().zip(&self.weight);
        let mut factors: Vec<f32> = each().map(|([_, scale], weight)| scale * weight).collect();
        let shifts = each().zip(&self.bias);
        let mut offsets: Vec<f32> =
            shifts.map(|(([mean, scale], weight), bias)| bias - mean * scale * weight).collect();
        factors.resize(map.padded(), 0.0);
        offsets.resize(map.padded(), 0.0);
        channel_affine(map, &factors, &offsets, false);
    }

    /// From the gradient of the results to that of `x`.
    pub fn backward(&self, x: &Map, mut gradient: Map) -> Map {
        let statistics = self.statistics(x);
        let channels = self.weight.len();
        let sums = reduced(gradient.clone(), [1, 1], channels);
        let products = reduced_product(&gradient, x, [1, 1], channels);
        let (sums, products) = (sums.pixel(0, 0), products.pixel(0, 0));
        let len = self.group_len();
        let numbers = (len * x.height * x.width).max(1) as f32;
        // What comes back is linear in the gradient and in `x`, channel by channel.
        let [mut by_gradient, mut by_x, mut rest] = [(); 3].map(|()| vec![0.0; x.padded()]);
        for (group, statistics) in statistics.chunks(len).enumerate() {
            let [mean, scale] = statistics[0];
            let places = group * len..group * len + statistics.len();
            let (mut plain, mut along) = (0.0f32, 0.0f32);
            for at in places.clone() {
                plain += self.weight[at] * sums[at];
                along += self.weight[at] * (products[at] - mean * sums[at]) * scale;
            }
            let (plain, along) = (plain / numbers, along / numbers);
            for at in places {
                by_gradient[at] = self.weight[at] * scale;
                by_x[at] = -along * scale * scale;
                rest[at] = -plain * scale - by_x[at] * mean;
            }
        }
        let zeros = vec![0.0; x.padded()];
        channel_affine(&mut gradient, &by_gradient, &zeros, false);
        let mut own = x.clone();
        channel_affine(&mut own, &by_x, &rest, false);
        combine(gradient, &own, |a, b| a + b)
    }
}
