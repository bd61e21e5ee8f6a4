//! Contextual attention (Yu et al. 2018): what is missing is put together from patches of what is
//! known, those that fit best.

use super::Stop;
use super::attention::{matrix, product, transposed};
use super::elementwise::softmax;
use super::map::Map;
use crate::nets::layer::{LEAST_NORM, SHARPNESS};

/// Side of the patches that are compared, each on every second pixel.
const COMPARED: usize = 3;
/// Side of the patches that are copied; those of neighbours overlap by half.
const COPIED: usize = 4;
/// Pixels of the mask from one patch to the next.
const MASK_STEP: usize = 8;

/// See [`crate::nets::graph::Op::ContextualAttention`].
pub fn run(map: &Map, mask: &Map, stop: Stop<'_>) -> Map {
    let sides @ [height, width] = [map.height / 2, map.width / 2];
    let count = height * width;
    let seen = patches(map, sides, COMPARED, |place, at| Some(2 * (place + at).checked_sub(1)?));
    let mut known = matrix(&seen);
    for patch in known.chunks_exact_mut(seen.channels.max(1)) {
        let norm = patch.iter().map(|x| x * x).sum::<f32>().sqrt().max(LEAST_NORM);
        patch.iter_mut().for_each(|x| *x /= norm);
    }
    let mut scores = product(&known, seen.channels, count).run(&[&seen], stop);
    // What fits where its neighbours in a row fit, then in a column, counts more.
    scores = along_diagonals(&scores, |at, step| at.checked_add_signed(step));
    scores = along_diagonals(&scores, |at, step| {
        let turned = (at % width * height + at / width).checked_add_signed(step)?;
        (turned < count).then(|| turned % height * width + turned / height)
    });
    let offered =
        patches(mask, sides, COMPARED, |place, at| Some(MASK_STEP * (place + at).checked_sub(1)?));
    let offered: Vec<f32> = matrix(&offered)
        .chunks_exact(COMPARED * COMPARED)
        .map(|hole| f32::from(u8::from(hole.iter().all(|x| *x == 0.0))))
        .collect();
    weigh(&mut scores, &offered, SHARPNESS);
    softmax(&mut scores);
    weigh(&mut scores, &offered, 1.0);
    let copied = patches(map, sides, COPIED, |place, at| (2 * place + at).checked_sub(1));
    let blended = product(&transposed(&copied), count, copied.channels).run(&[&scores], stop);
    overlaid(&blended, map)
}

/// For each of `sides` places a patch of the picture as a vector; `pixel` says which row (or
/// column) is number so many of a place's patch. Zeros lie around the picture.
fn patches(
    map: &Map,
    [height, width]: [usize; 2],
    side: usize,
    pixel: impl Fn(usize, usize) -> Option<usize> + Sync,
) -> Map {
    let channels = map.channels;
    let vector = (side * side * channels).next_multiple_of(super::map::LANES);
    Map::build(height, width, side * side * channels, |place_y, row| {
        for (place_x, patch) in row.chunks_exact_mut(vector).enumerate() {
            for (at, to) in patch.chunks_exact_mut(channels).take(side * side).enumerate() {
                let y = pixel(place_y, at / side).filter(|y| *y < map.height);
                let x = pixel(place_x, at % side).filter(|x| *x < map.width);
                if let Some((x, y)) = x.zip(y) {
                    to.copy_from_slice(&map.pixel(x, y)[..channels]);
                }
            }
        }
    })
}

/// The sum of each score with those of the places and patches one step before and after both.
fn along_diagonals(scores: &Map, step: impl Fn(usize, isize) -> Option<usize>) -> Map {
    let (width, padded, count) = (scores.width, scores.padded(), scores.channels);
    let beside = [-1, 1].map(|by| -> Vec<Option<usize>> {
        (0..count).map(|at| step(at, by).filter(|at| *at < count)).collect()
    });
    Map::build(scores.height, width, count, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            pixel.copy_from_slice(scores.pixel(x, y));
            for beside in &beside {
                let Some(place) = beside[y * width + x] else { continue };
                let scores = scores.pixel(place % width, place / width);
                for (to, patch) in pixel.iter_mut().zip(beside) {
                    *to += patch.map_or(0.0, |patch| scores[patch]);
                }
            }
        }
    })
}

/// Multiplies each patch's score at every place by its own factor and a common one.
fn weigh(scores: &mut Map, factors: &[f32], gain: f32) {
    let padded = scores.padded();
    scores.change_rows(|_, row| {
        for pixel in row.chunks_exact_mut(padded) {
            pixel.iter_mut().zip(factors).for_each(|(score, factor)| *score *= factor * gain);
        }
    });
}

/// The picture of `like`'s size that is the mean of the patches, which lie over each other four
/// deep.
fn overlaid(patches: &Map, like: &Map) -> Map {
    let (channels, padded) = (like.channels, like.padded());
    // Rows (or columns) of patches over one of the picture, and which of theirs that is.
    let over = |at: usize, count: usize| {
        let last = at.div_ceil(2);
        let places = [last.checked_sub(1), Some(last)].into_iter().flatten();
        places.filter(move |place| *place < count).map(move |place| (place, at + 1 - 2 * place))
    };
    Map::build(like.height, like.width, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            for (place_y, dy) in over(y, patches.height) {
                for (place_x, dx) in over(x, patches.width) {
                    let patch = patches.pixel(place_x, place_y);
                    let from = &patch[(dy * COPIED + dx) * channels..][..channels];
                    pixel.iter_mut().zip(from).for_each(|(to, from)| *to += from / 4.0);
                }
            }
        }
    })
}
