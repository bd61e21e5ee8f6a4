//! Derivatives of what happens number by number, and sums that undo repetition.

use rayon::prelude::*;

use crate::nets::Side;
use crate::nets::cpu::elementwise::combine;
use crate::nets::cpu::map::{LANES, Map};
use crate::nets::graph::{Act, Sides};
use crate::nets::layer::LEAST_ROOT;

impl Act {
    /// The derivative at `x`.
    fn slope(self, x: f32) -> f32 {
        let inside = |low: f32, high: f32| f32::from(u8::from(x > low && x < high));
        match self {
            Self::Relu => f32::from(u8::from(x > 0.0)),
            Self::Relu6 => inside(0.0, 6.0),
            Self::Leaky(slope) => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Self::Sigmoid => {
                let y = 1.0 / (1.0 + (-x).exp());
                y * (1.0 - y)
            }
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::HardSwish if x >= 3.0 => 1.0,
            Self::HardSwish => inside(-3.0, 3.0) * (2.0 * x + 3.0) / 6.0,
            Self::HardSigmoid => inside(-3.0, 3.0) / 6.0,
            Self::Elu => x.min(0.0).exp(),
            Self::Sine => x.cos(),
            Self::Rsqrt if x < LEAST_ROOT => 0.0,
            Self::Rsqrt => -0.5 * x.powf(-1.5),
        }
    }
}

/// From the gradient after an activation of `input` to that before it.
pub fn act(gradient: Map, input: &Map, act: Act) -> Map {
    // The two that matter without a choice for each number.
    match act {
        Act::Relu => combine(gradient, input, |g, x| if x > 0.0 { g } else { 0.0 }),
        Act::Leaky(slope) => {
            combine(gradient, input, move |g, x| if x > 0.0 { g } else { g * slope })
        }
        act => combine(gradient, input, move |g, x| g * act.slope(x)),
    }
}

/// From the gradient after a ReLU of `input` with a slope for each channel to that before it.
pub fn prelu(mut gradient: Map, input: &Map, slopes: &[f32]) -> Map {
    let padded = gradient.padded();
    gradient.change_rows(|y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            for ((g, x), slope) in pixel.iter_mut().zip(input.pixel(x, y)).zip(slopes) {
                *g *= if *x > 0.0 { 1.0 } else { *slope };
            }
        }
    });
    gradient
}

/// Through a clamp that made `result`.
pub fn clamp(gradient: Map, result: &Map, low: f32, high: f32) -> Map {
    combine(gradient, result, move |g, y| if y > low && y < high { g } else { 0.0 })
}

/// Through [`crate::nets::cpu::elementwise::pixel_norm`].
pub fn pixel_norm(mut gradient: Map, input: &Map, eps: f32) -> Map {
    let (channels, padded) = (input.channels, input.padded());
    gradient.change_rows(|y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            let values = &input.pixel(x, y)[..channels];
            let square: f32 = values.iter().map(|x| x * x).sum::<f32>() / channels as f32;
            let along: f32 = values.iter().zip(&*pixel).map(|(x, g)| x * g).sum();
            let factor = 1.0 / (square + eps).sqrt();
            let back = along * factor.powi(3) / channels as f32;
            for (g, x) in pixel.iter_mut().zip(values) {
                *g = *g * factor - x * back;
            }
        }
    });
    gradient
}

/// Sums where one number stood for many, to a map of this size.
pub fn reduced(map: Map, [height, width]: Side, channels: usize) -> Map {
    let mut map = map;
    if channels < map.channels {
        let (from, padded) = (map.channels, LANES);
        map = Map::build(map.height, map.width, 1, |y, row| {
            for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
                pixel[0] = map.pixel(x, y).iter().take(from).sum();
            }
        });
    }
    if [height, width] == [1, 1] && [map.height, map.width] != [1, 1] {
        map = pixel_sums(&map, |y, total| {
            for pixel in map.row(y).chunks_exact(total.len()) {
                total.iter_mut().zip(pixel).for_each(|(total, x)| *total += x);
            }
        });
    }
    map
}

/// [`reduced`] of the products of two maps, the first of which is of the result's size.
pub fn reduced_product(gradient: &Map, other: &Map, side: Side, channels: usize) -> Map {
    let is_alike = (other.height, other.width, other.channels)
        == (gradient.height, gradient.width, gradient.channels);
    if is_alike && side == [1, 1] && channels == gradient.channels {
        return pixel_sums(gradient, |y, total| {
            let len = total.len();
            let pixels = gradient.row(y).chunks_exact(len).zip(other.row(y).chunks_exact(len));
            for (a, b) in pixels {
                total.iter_mut().zip(a).zip(b).for_each(|((total, a), b)| *total += a * b);
            }
        });
    }
    reduced(combine(gradient.clone(), other, |a, b| a * b), side, channels)
}

/// A vector of sums: `add` adds those of one row.
fn pixel_sums(like: &Map, add: impl Fn(usize, &mut [f32]) + Sync) -> Map {
    let rows: Vec<Vec<f32>> = (0..like.height)
        .into_par_iter()
        .map(|y| {
            let mut sums = vec![0.0; like.padded()];
            add(y, &mut sums);
            sums
        })
        .collect();
    let sum = |channel: usize| rows.iter().map(|row| f64::from(row[channel])).sum::<f64>();
    Map::build(1, 1, like.channels, |_, to| {
        to.iter_mut().enumerate().for_each(|(channel, to)| *to = sum(channel) as f32);
    })
}

/// Through a mean over windows; `side` is that of what went in.
pub fn avg_pool(
    gradient: &Map,
    [side, stride]: [usize; 2],
    pad: Sides,
    [height, width]: Side,
) -> Map {
    let padded = gradient.padded();
    // For each pixel the windows that hold it, with how many pixels they hold on this axis.
    let windows = |len: usize, results: usize, before: usize| -> Vec<Vec<(usize, f32)>> {
        let mut holds = vec![Vec::new(); len];
        for at in 0..results {
            let first = (at * stride).saturating_sub(before);
            let last = (at * stride + side).saturating_sub(before).min(len);
            for pixel in &mut holds[first.min(last)..last] {
                pixel.push((at, 1.0 / (last - first) as f32));
            }
        }
        holds
    };
    let rows = windows(height, gradient.height, pad[0]);
    let columns = windows(width, gradient.width, pad[2]);
    Map::build(height, width, gradient.channels, |y, row| {
        for (pixel, columns) in row.chunks_exact_mut(padded).zip(&columns) {
            for (from_y, share_y) in &rows[y] {
                for (from_x, share_x) in columns {
                    let from = gradient.pixel(*from_x, *from_y);
                    let share = share_x * share_y;
                    pixel.iter_mut().zip(from).for_each(|(to, from)| *to += share * from);
                }
            }
        }
    })
}

/// Through repeated pixels.
pub fn nearest(gradient: &Map, times: usize) -> Map {
    let padded = gradient.padded();
    let (height, width) = (gradient.height / times, gradient.width / times);
    Map::build(height, width, gradient.channels, |y, row| {
        for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
            for at in 0..times * times {
                let from = gradient.pixel(x * times + at % times, y * times + at / times);
                pixel.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
    })
}
