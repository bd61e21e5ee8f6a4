//! Attention between the pixels of pictures: two products of matrices, which are convolutions of
//! 1×1 with one of the pictures as their weight.

use super::Stop;
use super::conv::Kernel;
use super::elementwise::softmax;
use super::epilogue::Epilogue;
use super::gradient::weight_gradient;
use super::map::Map;
use crate::nets::graph::Conv;

/// The convolution whose weight `[to, from]` is `weight`.
pub(super) fn product(weight: &[f32], from: usize, to: usize) -> Kernel {
    let conv = Conv::linear("", from, to).no_bias();
    Kernel::new(&conv, weight, &[from], Epilogue::new(&vec![0.0; to]))
}

/// The pixels one after the other, `[pixels, channels]`.
pub(super) fn matrix(map: &Map) -> Vec<f32> {
    let pixels = (0..map.height).flat_map(|y| map.row(y).chunks_exact(map.padded()));
    pixels.flat_map(|pixel| &pixel[..map.channels]).copied().collect()
}

/// [`matrix`] with rows for columns.
pub(super) fn transposed(map: &Map) -> Vec<f32> {
    map.to_planes().data
}

/// How much each pixel of `keys` counts at each of `queries`: a picture with a channel for each
/// key, which add up to 1.
fn shares(queries: &Map, keys: &Map, stop: Stop<'_>) -> Map {
    let count = keys.height * keys.width;
    let mut map = product(&matrix(keys), keys.channels, count).run(&[queries], stop);
    softmax(&mut map);
    map
}

/// See [`crate::nets::graph::Op::Attention`].
pub fn run(queries: &Map, keys: &Map, values: &Map, stop: Stop<'_>) -> Map {
    let shares = shares(queries, keys, stop);
    product(&transposed(values), shares.channels, values.channels).run(&[&shares], stop)
}

/// From the gradient of the results to those of queries, keys and values.
pub fn backward([queries, keys, values]: [&Map; 3], gradient: &Map, stop: Stop<'_>) -> [Map; 3] {
    let shares = shares(queries, keys, stop);
    let count = shares.channels;
    let own = |map: &Map, data: Vec<f32>| {
        let padded = map.padded();
        Map::build(map.height, map.width, map.channels, |y, row| {
            for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
                let from = &data[(y * map.width + x) * map.channels..][..map.channels];
                pixel[..map.channels].copy_from_slice(from);
            }
        })
    };
    let weight = |from: usize, input: &Map, gradient: &Map| {
        weight_gradient(&Conv::linear("", from, count).no_bias(), input, gradient, stop)
    };
    let by_values = own(values, weight(values.channels, gradient, &shares));
    // Through the softmax: each share's gradient less their mean.
    let mut logits = product(&matrix(values), values.channels, count).run(&[gradient], stop);
    let padded = logits.padded();
    logits.change_rows(|y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            let shares = &shares.pixel(x, y)[..count];
            let mean: f32 = shares.iter().zip(&*pixel).map(|(share, g)| share * g).sum();
            for (g, share) in pixel.iter_mut().zip(shares) {
                *g = share * (*g - mean);
            }
        }
    });
    let by_queries = product(&transposed(keys), count, keys.channels).run(&[&logits], stop);
    let by_keys = own(keys, weight(keys.channels, queries, &logits));
    [by_queries, by_keys, by_values]
}
