//! Number by number, channel by channel: activations, sums, norms.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::curves::{self, Curve};
use super::map::{LANES, Map};
use crate::nets::graph::Act;
use crate::nets::layer::LEAST_ROOT;

/// Pixels whose numbers are added up in single precision.
const SHORT: usize = 64;

/// The maps as one.
pub fn join(maps: &[&Map]) -> Map {
    let (height, width) = maps.first().map_or((0, 0), |map| (map.height, map.width));
    let channels: usize = maps.iter().map(|map| map.channels).sum();
    let padded = channels.next_multiple_of(LANES);
    Map::build(height, width, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            let mut rest = pixel;
            for map in maps {
                let (own, others) = rest.split_at_mut(map.channels);
                own.copy_from_slice(&map.pixel(x, y)[..map.channels]);
                rest = others;
            }
        }
    })
}

/// Channels `from..from + len`.
pub fn slice(map: &Map, from: usize, len: usize) -> Map {
    let padded = len.next_multiple_of(LANES);
    Map::build(map.height, map.width, len, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            pixel[..len].copy_from_slice(&map.pixel(x, y)[from..from + len]);
        }
    })
}

/// The same picture with zero channels at the end.
pub fn pad_channels(map: &Map, more: usize) -> Map {
    let channels = map.channels + more;
    let padded = channels.next_multiple_of(LANES);
    Map::build(map.height, map.width, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            pixel[..map.channels].copy_from_slice(&map.pixel(x, y)[..map.channels]);
        }
    })
}

pub fn act(map: &mut Map, act: Act) {
    match act {
        Act::Relu => each(map, |x| x.max(0.0)),
        Act::Relu6 => each(map, |x| x.clamp(0.0, 6.0)),
        Act::Leaky(slope) => each(map, |x| x.max(0.0) + slope * x.min(0.0)),
        Act::HardSwish => each(map, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Act::HardSigmoid => each(map, |x| (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Act::Sine => each(map, f32::sin),
        Act::Rsqrt => each(map, |x| x.max(LEAST_ROOT).sqrt().recip()),
        Act::Sigmoid => curves::change(map, Curve::Sigmoid),
        Act::Tanh => curves::change(map, Curve::Tanh),
        Act::Elu => curves::change(map, Curve::Elu),
    }
}

fn each(map: &mut Map, of: impl Fn(f32) -> f32 + Sync) {
    map.change_rows(|_, row| row.iter_mut().for_each(|x| *x = of(*x)));
}

pub fn scale(map: &mut Map, factor: f32, offset: f32) {
    each(map, |x| x * factor + offset);
}

pub fn clamp(map: &mut Map, low: f32, high: f32) {
    each(map, |x| x.clamp(low, high));
}

/// Times `factors` plus `offsets`, one number a channel; a ReLU then, if so wanted.
pub fn channel_affine(map: &mut Map, factors: &[f32], offsets: &[f32], has_relu: bool) {
    let padded = map.padded();
    let least = if has_relu { 0.0 } else { f32::NEG_INFINITY };
    map.change_rows(|_, row| {
        for pixel in row.chunks_exact_mut(padded) {
            for ((x, factor), offset) in pixel.iter_mut().zip(factors).zip(offsets) {
                *x = (*x * factor + offset).max(least);
            }
        }
    });
}

/// One slope a channel for negative numbers.
pub fn prelu(map: &mut Map, slopes: &[f32]) {
    let padded = map.padded();
    map.change_rows(|_, row| {
        for pixel in row.chunks_exact_mut(padded) {
            for (x, slope) in pixel.iter_mut().zip(slopes) {
                *x = x.max(0.0) + slope * x.min(0.0);
            }
        }
    });
}

/// Mean and biased variance of each channel over the picture.
pub fn moments(map: &Map) -> (Vec<f32>, Vec<f32>) {
    let means = mean_of(map, None);
    let variances = mean_of(map, Some(&means));
    (means, variances)
}

/// The mean of each channel over the picture, or of its squared distance from `means`.
fn mean_of(map: &Map, means: Option<&[f32]>) -> Vec<f32> {
    let padded = map.padded();
    let area = (map.height * map.width).max(1) as f64;
    let sums = (0..map.height)
        .into_par_iter()
        .map(|y| super::dispatch(RowSums { row: map.row(y), padded, means }))
        // In the order of rows, whatever the number of threads.
        .collect::<Vec<_>>()
        .into_iter()
        .fold(vec![0.0f64; padded], |mut total, sums| {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            total
        });
    sums.iter().map(|sum| (sum / area) as f32).collect()
}

/// The sums of a row's channels, or of their squared distances from `means`.
struct RowSums<'a> {
    row: &'a [f32],
    padded: usize,
    means: Option<&'a [f32]>,
}

impl WithSimd for RowSums<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Self { row, padded, means } = self;
        let vectors = padded / S::F32_LANES;
        let mut sums = vec![0.0f64; padded];
        // Short sums in single precision, their sum in double.
        for pixels in row.chunks(SHORT * padded) {
            let numbers = S::as_simd_f32s(pixels).0;
            for vector in 0..vectors {
                let mut short = simd.splat_f32s(0.0);
                match means {
                    None => {
                        for pixel in numbers.chunks_exact(vectors) {
                            short = simd.add_f32s(short, pixel[vector]);
                        }
                    }
                    Some(means) => {
                        let mean = S::as_simd_f32s(means).0[vector];
                        for pixel in numbers.chunks_exact(vectors) {
                            let away = simd.sub_f32s(pixel[vector], mean);
                            short = simd.mul_add_e_f32s(away, away, short);
                        }
                    }
                }
                let own = &mut sums[vector * S::F32_LANES..][..S::F32_LANES];
                let short = [short];
                let short = bytemuck::cast_slice::<S::f32s, f32>(&short);
                own.iter_mut().zip(short).for_each(|(sum, short)| *sum += f64::from(*short));
            }
        }
        sums
    }
}

/// Normalises each channel over the picture, then times `scales` plus `shifts` where given; a ReLU
/// then, if so wanted.
pub fn instance_norm(map: &mut Map, eps: f32, affine: Option<(&[f32], &[f32])>, has_relu: bool) {
    let (means, variances) = moments(map);
    let mut factors = Vec::with_capacity(means.len());
    let mut offsets = Vec::with_capacity(means.len());
    for (channel, (mean, variance)) in means.iter().zip(&variances).enumerate() {
        let of = |values: &[f32], none: f32| values.get(channel).copied().unwrap_or(none);
        let (scale, shift) =
            affine.map_or((1.0, 0.0), |(scales, shifts)| (of(scales, 1.0), of(shifts, 0.0)));
        let factor = scale / (variance + eps).sqrt();
        factors.push(factor);
        offsets.push(shift - mean * factor);
    }
    channel_affine(map, &factors, &offsets, has_relu);
}

/// Logits of the channels to probabilities that add up to 1 at each pixel.
pub fn softmax(map: &mut Map) {
    let (channels, padded) = (map.channels, map.padded());
    map.change_rows(|_, row| {
        for pixel in row.chunks_exact_mut(padded) {
            let logits = &mut pixel[..channels];
            let top = logits.iter().fold(f32::NEG_INFINITY, |top, logit| top.max(*logit));
            logits.iter_mut().for_each(|x| *x = (*x - top).exp());
            let total: f32 = logits.iter().sum();
            logits.iter_mut().for_each(|x| *x /= total);
        }
    });
}

/// Each pixel over the root of its channels' mean square plus `eps`.
pub fn pixel_norm(map: &mut Map, eps: f32) {
    let (channels, padded) = (map.channels, map.padded());
    map.change_rows(|_, row| {
        for pixel in row.chunks_exact_mut(padded) {
            let sum: f32 = pixel.iter().take(channels).map(|x| x * x).sum();
            let factor = 1.0 / (sum / channels as f32 + eps).sqrt();
            pixel.iter_mut().for_each(|x| *x *= factor);
        }
    });
}

/// The mean of each channel.
pub fn global_mean(map: &Map) -> Map {
    let means = mean_of(map, None);
    Map::build(1, 1, map.channels, |_, row| row.copy_from_slice(&means))
}

/// `of` each pair of numbers. Where one map has a single channel or a single pixel, that stands
/// for all of the other's.
pub fn combine(mut a: Map, b: &Map, of: impl Fn(f32, f32) -> f32 + Sync) -> Map {
    let (height, width) = (a.height.max(b.height), a.width.max(b.width));
    let channels = a.channels.max(b.channels);
    let padded = channels.next_multiple_of(LANES);
    let is_whole = |map: &Map| (map.height, map.width, map.channels) == (height, width, channels);
    if is_whole(&a) && is_whole(b) {
        a.change_rows(|y, row| {
            row.iter_mut().zip(b.row(y)).for_each(|(x, other)| *x = of(*x, *other));
        });
        return a;
    }
    if is_whole(&a) && (b.height, b.width, b.channels) == (1, 1, channels) {
        let vector = b.pixel(0, 0);
        a.change_rows(|_, row| {
            for pixel in row.chunks_exact_mut(padded) {
                pixel.iter_mut().zip(vector).for_each(|(x, other)| *x = of(*x, *other));
            }
        });
        return a;
    }
    if is_whole(&a) && (b.height, b.width, b.channels) == (height, width, 1) {
        a.change_rows(|y, row| {
            for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
                let other = b.pixel(x, y)[0];
                pixel.iter_mut().for_each(|x| *x = of(*x, other));
            }
        });
        return a;
    }
    Map::build(height, width, channels, |y, row| {
        let pixel = |map: &'_ Map, x: usize| (x.min(map.width - 1), y.min(map.height - 1));
        for (x, to) in row.chunks_exact_mut(padded).enumerate() {
            let ((ax, ay), (bx, by)) = (pixel(&a, x), pixel(b, x));
            let (from_a, from_b) = (a.pixel(ax, ay), b.pixel(bx, by));
            for (channel, to) in to.iter_mut().enumerate().take(channels) {
                *to = of(from_a[channel.min(a.channels - 1)], from_b[channel.min(b.channels - 1)]);
            }
        }
    })
}
