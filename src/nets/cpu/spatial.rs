//! What moves pixels: resampling, pooling, shuffling, padding.

use super::map::{LANES, Map};
use crate::nets::Side;
use crate::nets::cost::bilinear_taps;
use crate::nets::graph::{Edge, Grid, Sides};

pub fn nearest(map: &Map, times: usize) -> Map {
    let (height, width) = (map.height * times, map.width * times);
    let padded = map.padded();
    Map::build(height, width, map.channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            pixel.copy_from_slice(map.pixel(x / times, y / times));
        }
    })
}

pub fn bilinear(map: &Map, [height, width]: [usize; 2], grid: Grid) -> Map {
    let (rows, columns) =
        (bilinear_taps(map.height, height, grid), bilinear_taps(map.width, width, grid));
    let padded = map.padded();
    Map::build(height, width, map.channels, |y, row| {
        let (top, bottom, down) = rows[y];
        for (pixel, &(left, right, along)) in row.chunks_exact_mut(padded).zip(&columns) {
            let upper = map.pixel(left, top).iter().zip(map.pixel(right, top));
            let lower = map.pixel(left, bottom).iter().zip(map.pixel(right, bottom));
            for (to, ((a, b), (c, d))) in pixel.iter_mut().zip(upper.zip(lower)) {
                let (above, below) = (a + (b - a) * along, c + (d - c) * along);
                *to = above + (below - above) * down;
            }
        }
    })
}

/// Pools windows of `side` at distance `stride`; pixels outside take no part.
fn pool(
    map: &Map,
    [side, stride]: [usize; 2],
    [height, width]: [usize; 2],
    pad: Sides,
    start: f32,
    of: impl Fn(f32, f32) -> f32 + Sync,
    finish: impl Fn(f32, usize) -> f32 + Sync,
) -> Map {
    let padded = map.padded();
    let window = |at: usize, before: usize, len: usize| {
        let start = (at * stride) as isize - before as isize;
        start.max(0) as usize..(start + side as isize).clamp(0, len as isize) as usize
    };
    Map::build(height, width, map.channels, |y, row| {
        let rows = window(y, pad[0], map.height);
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            let columns = window(x, pad[2], map.width);
            pixel.fill(start);
            for y in rows.clone() {
                for x in columns.clone() {
                    let from = map.pixel(x, y);
                    pixel.iter_mut().zip(from).for_each(|(to, from)| *to = of(*to, *from));
                }
            }
            let count = rows.len() * columns.len();
            pixel.iter_mut().for_each(|to| *to = finish(*to, count));
        }
    })
}

pub fn max_pool(map: &Map, side: usize, stride: usize, size: [usize; 2], pad: Sides) -> Map {
    pool(map, [side, stride], size, pad, f32::NEG_INFINITY, f32::max, |value, _| value)
}

pub fn avg_pool(map: &Map, side: usize, stride: usize, size: [usize; 2], pad: Sides) -> Map {
    let mean = |sum: f32, count: usize| sum / count.max(1) as f32;
    pool(map, [side, stride], size, pad, 0.0, |sum, value| sum + value, mean)
}

pub fn pixel_shuffle(map: &Map, side: usize) -> Map {
    let channels = map.channels / (side * side);
    let padded = channels.next_multiple_of(LANES);
    Map::build(map.height * side, map.width * side, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            let from = map.pixel(x / side, y / side);
            let place = y % side * side + x % side;
            for (channel, to) in pixel.iter_mut().enumerate().take(channels) {
                *to = from[channel * side * side + place];
            }
        }
    })
}

pub fn pixel_unshuffle(map: &Map, side: usize) -> Map {
    let channels = map.channels * side * side;
    let padded = channels.next_multiple_of(LANES);
    Map::build(map.height / side, map.width / side, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            for (dy, dx) in (0..side * side).map(|place| (place / side, place % side)) {
                let from = map.pixel(x * side + dx, y * side + dy);
                for (channel, value) in from.iter().enumerate().take(map.channels) {
                    pixel[channel * side * side + dy * side + dx] = *value;
                }
            }
        }
    })
}

pub fn depth_to_space(map: &Map, side: usize) -> Map {
    let channels = map.channels / (side * side);
    let padded = channels.next_multiple_of(LANES);
    Map::build(map.height * side, map.width * side, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            let place = y % side * side + x % side;
            let from = &map.pixel(x / side, y / side)[place * channels..];
            pixel[..channels].copy_from_slice(&from[..channels]);
        }
    })
}

pub fn space_to_depth(map: &Map, side: usize) -> Map {
    let channels = map.channels * side * side;
    let padded = channels.next_multiple_of(LANES);
    Map::build(map.height / side, map.width / side, channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            for (place, to) in pixel.chunks_exact_mut(map.channels).take(side * side).enumerate() {
                let from = map.pixel(x * side + place % side, y * side + place / side);
                to.copy_from_slice(&from[..map.channels]);
            }
        }
    })
}

/// With `pad` pixels around.
pub fn pad(map: &Map, pad: Sides, edge: Edge) -> Map {
    let [top, bottom, left, right] = pad;
    let padded = map.padded();
    Map::build(map.height + top + bottom, map.width + left + right, map.channels, |y, row| {
        let Some(y) = edge.index(y as isize - top as isize, map.height) else { return };
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            if let Some(x) = edge.index(x as isize - left as isize, map.width) {
                pixel.copy_from_slice(map.pixel(x, y));
            }
        }
    })
}

/// The part of `[height, width]` that begins so far from the top and left.
pub fn crop(map: &Map, [top, left]: [usize; 2], [height, width]: Side) -> Map {
    let padded = map.padded();
    Map::build(height, width, map.channels, |y, row| {
        row.copy_from_slice(&map.row(y + top)[left * padded..][..width * padded]);
    })
}

/// Zeros around up to a size; the odd pixel at the bottom and right.
pub fn pad_to(map: &Map, [height, width]: [usize; 2]) -> Map {
    let (more_rows, more_columns) =
        (height.saturating_sub(map.height), width.saturating_sub(map.width));
    let (top, left) = (more_rows / 2, more_columns / 2);
    pad(map, [top, more_rows - top, left, more_columns - left], Edge::Zero)
}

/// One pixel everywhere.
pub fn spread(map: &Map, [height, width]: [usize; 2]) -> Map {
    let padded = map.padded();
    Map::build(height, width, map.channels, |_, row| {
        row.chunks_exact_mut(padded).for_each(|pixel| pixel.copy_from_slice(map.pixel(0, 0)));
    })
}
