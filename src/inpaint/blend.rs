//! Gradient-domain blending of the copied pixels, and the smooth fill where nothing can be copied.

use rayon::prelude::*;

use super::level::{Colour, Level};
use super::{FillError, Progress};
use crate::geom::IRect;
use crate::pixels::PixelBuf;

/// How strongly copied colours are kept against the wish for seamless gradients: steps at a seam
/// are spread over about `1 / sqrt(this)` pixels.
const SCREENING: f32 = 0.0005;
/// Larger steps at the rim, as lengths of colour differences, are taken for edges of things rather
/// than differences of lighting, and less and less evened out.
const TRUSTED_STEP: f32 = 0.5;
/// Steps of the solver at most.
const BLEND_STEPS: usize = 200;
/// The residual's norm, relative to the first, at which the solver stops.
const PRECISION: f64 = 1e-3;
/// Unknowns a task sums up; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 4096;
/// Marks what is not an unknown.
const NO: u32 = u32::MAX;

/// A sparse symmetric system over hole pixels: for each its four neighbours among the unknowns
/// ([`NO`] for none), the diagonal and the right side.
struct System {
    neighbours: Vec<[u32; 4]>,
    diagonal: Vec<f32>,
    right: Vec<Colour>,
}

/// The hole's pixels and, for each pixel of the level, its number among them.
fn unknowns(level: &Level) -> (Vec<usize>, Vec<u32>) {
    let mut numbers = vec![NO; level.hole.len()];
    let mut pixels = Vec::new();
    for (at, number) in numbers.iter_mut().enumerate() {
        if level.hole[at] {
            *number = pixels.len() as u32;
            pixels.push(at);
        }
    }
    (pixels, numbers)
}

/// Neighbours left, right, above, below as indices, where they lie inside.
fn around(level: &Level, at: usize) -> [Option<usize>; 4] {
    let (x, y) = (at % level.width, at / level.width);
    [
        (x > 0).then(|| at - 1),
        (x + 1 < level.width).then(|| at + 1),
        (y > 0).then(|| at - level.width),
        (y + 1 < level.height).then(|| at + level.width),
    ]
}

/// Copies `sources` (pixel and source pixel, all hole pixels in order) into the hole and blends:
/// the gradients of the pieces are kept, their steps against each other and the rim vanish.
pub(super) fn copy_and_blend(
    level: &mut Level,
    sources: &[(usize, usize)],
    progress: &mut Progress,
) -> Result<(), FillError> {
    for &(at, source) in sources {
        level.colour[at] = level.colour[source];
    }
    let (pixels, numbers) = unknowns(level);
    progress.advance(0.0)?;
    let level_ref: &Level = level;
    // The step from `at` to `near` as it is around the source of `at`.
    let step_of = |at: usize, source: usize, near: usize| {
        let beside = (source + near).checked_sub(at)?;
        let (x, source_x) = (beside % level_ref.width, source % level_ref.width);
        let is_inside = x.abs_diff(source_x) <= 1 && beside < level_ref.usable.len();
        (is_inside && level_ref.usable[beside])
            .then(|| minus(level_ref.colour[source], level_ref.colour[beside]))
    };
    let rows: Vec<([u32; 4], f32, Colour)> = sources
        .par_iter()
        .map(|&(at, source)| {
            let mut diagonal = SCREENING;
            let mut right = level_ref.colour[at].map(|value| value * SCREENING);
            let mut neighbours = [NO; 4];
            for (slot, near) in neighbours.iter_mut().zip(around(level_ref, at)) {
                let Some(near) = near else { continue };
                let here = step_of(at, source, near);
                let number = numbers[near];
                let (weight, step) = if number == NO {
                    // The rim counts where it is visible and the source goes on beneath it.
                    let rim = level_ref.colour[near];
                    let Some(step) = here.filter(|_| rim[3] > 0.0) else { continue };
                    let aim = plus(step, rim);
                    let miss = minus(aim, level_ref.colour[at]);
                    let miss = miss.iter().map(|miss| miss * miss).sum::<f32>();
                    let weight = 1.0 / (1.0 + miss / (TRUSTED_STEP * TRUSTED_STEP));
                    (weight, aim)
                } else {
                    let (_, other) = sources[number as usize];
                    let there = step_of(near, other, at).map(|step| step.map(|value| -value));
                    *slot = number;
                    let step = match (here, there) {
                        (Some(a), Some(b)) => plus(a, b).map(|value| 0.5 * value),
                        (Some(one), None) | (None, Some(one)) => one,
                        (None, None) => minus(level_ref.colour[at], level_ref.colour[near]),
                    };
                    (1.0, step)
                };
                diagonal += weight;
                right = plus(right, step.map(|value| value * weight));
            }
            (neighbours, diagonal, right)
        })
        .collect();
    let system = System {
        neighbours: rows.iter().map(|row| row.0).collect(),
        diagonal: rows.iter().map(|row| row.1).collect(),
        right: rows.iter().map(|row| row.2).collect(),
    };
    progress.advance(0.0)?;
    solve(level, &pixels, &system, BLEND_STEPS, progress)
}

/// Mixes `made` into `rect` of `image` where `share` (one channel) is above 0, as much as it says:
/// the gradients of `made` are kept, the steps at the rim vanish (Pérez et al. 2003). Both are of
/// the size of `rect`, which should hold a rim around. A fill is opaque. `watch` is as for
/// [`super::fill`].
///
/// # Errors
/// A stop.
pub fn clone_into(
    image: &mut PixelBuf,
    (made, share): (&PixelBuf, &PixelBuf),
    rect: IRect,
    watch: &mut dyn FnMut(f32) -> bool,
) -> Result<(), FillError> {
    let (width, height) = (rect.width() as usize, rect.height() as usize);
    let places = || (0..height as u32).flat_map(|y| (0..width as u32).map(move |x| (x, y)));
    let at = |x: u32, y: u32| (rect.x0 as u32 + x, rect.y0 as u32 + y);
    let shares = |x: u32, y: u32| share.pixel_f32(x, y)[0];
    // Half the difference about a half, so that it is a colour.
    let difference = |(x, y): (u32, u32)| {
        let (to_x, to_y) = at(x, y);
        let (new, old) = (made.pixel_f32(x, y), image.pixel_f32(to_x, to_y));
        let half = |channel: usize| 0.5 + 0.5 * (old[channel] - new[channel]);
        if old[3] > 0.0 { [half(0), half(1), half(2), 1.0] } else { [0.0; 4] }
    };
    let hole: Vec<bool> = places().map(|(x, y)| shares(x, y) > 0.0).collect();
    let colour = places().map(difference).zip(&hole);
    // Where nothing around is known, no difference.
    let colour = colour.map(|(colour, hole)| if *hole { [0.5, 0.5, 0.5, 1.0] } else { colour });
    let mut level = Level {
        width,
        height,
        colour: colour.collect(),
        texture: Vec::new(),
        hole,
        usable: Vec::new(),
        features: Vec::new(),
    };
    let mut progress = Progress::new(watch);
    membrane(&mut level, width + height + BLEND_STEPS, &mut progress)?;
    for ((x, y), difference) in places().zip(&level.colour) {
        let share = shares(x, y);
        if share > 0.0 {
            let ((to_x, to_y), new) = (at(x, y), made.pixel_f32(x, y));
            let old = image.pixel_f32(to_x, to_y);
            let mixed = |channel: usize| {
                let shift = if channel < 3 { 2.0 * difference[channel] - 1.0 } else { 0.0 };
                let value = (new[channel] + shift).clamp(0.0, 1.0);
                old[channel] + (value - old[channel]) * share
            };
            image.set_pixel_f32(to_x, to_y, std::array::from_fn(mixed));
        }
    }
    Ok(())
}

/// Fills colours and texture of the hole smoothly.
pub(super) fn smooth_fill(
    level: &mut Level,
    iterations: usize,
    progress: &mut Progress,
) -> Result<(), FillError> {
    let colour = level.colour.clone();
    level.colour = level.texture.iter().map(|&amount| [amount, amount, amount, 1.0]).collect();
    membrane(level, iterations, progress)?;
    level.texture = level.colour.iter().map(|values| values[0]).collect();
    level.colour = colour;
    membrane(level, iterations, progress)
}

/// Fills the hole smoothly: every pixel becomes the mean of its neighbours (a membrane).
pub(super) fn membrane(
    level: &mut Level,
    iterations: usize,
    progress: &mut Progress,
) -> Result<(), FillError> {
    let (pixels, numbers) = unknowns(level);
    let mut system = System {
        neighbours: Vec::with_capacity(pixels.len()),
        diagonal: Vec::with_capacity(pixels.len()),
        right: Vec::with_capacity(pixels.len()),
    };
    for &at in &pixels {
        let (mut neighbours, mut diagonal, mut right) = ([NO; 4], 0.0, [0.0; 4]);
        for (slot, near) in neighbours.iter_mut().zip(around(level, at)) {
            let Some(near) = near else { continue };
            *slot = numbers[near];
            if numbers[near] == NO {
                if level.colour[near][3] == 0.0 {
                    continue;
                }
                right = plus(right, level.colour[near]);
            }
            diagonal += 1.0;
        }
        // A pixel without neighbours keeps its value.
        if diagonal == 0.0 {
            (diagonal, right) = (1.0, level.colour[at]);
        }
        system.neighbours.push(neighbours);
        system.diagonal.push(diagonal);
        system.right.push(right);
    }
    solve(level, &pixels, &system, iterations, progress)
}

fn plus(a: Colour, b: Colour) -> Colour {
    std::array::from_fn(|channel| a[channel] + b[channel])
}

fn minus(a: Colour, b: Colour) -> Colour {
    std::array::from_fn(|channel| a[channel] - b[channel])
}

/// Solves for the hole's colours by conjugate gradients, preconditioned by the diagonal, from
/// the present colours on; the four channels share their step lengths.
fn solve(
    level: &mut Level,
    pixels: &[usize],
    system: &System,
    iterations: usize,
    progress: &mut Progress,
) -> Result<(), FillError> {
    let System { neighbours, diagonal, right } = system;
    let apply = |x: &[Colour], to: &mut [Colour]| {
        to.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, to)| {
            for (to, at) in to.iter_mut().zip(chunk * CHUNK..) {
                let mut sum = x[at].map(|value| value * diagonal[at]);
                for &near in neighbours[at].iter().filter(|near| **near != NO) {
                    sum = minus(sum, x[near as usize]);
                }
                *to = sum;
            }
        });
    };
    let precondition = |residual: &[Colour], to: &mut [Colour]| {
        to.par_iter_mut().with_min_len(CHUNK).enumerate().for_each(|(at, to)| {
            *to = residual[at].map(|value| value / diagonal[at]);
        });
    };
    let mut x: Vec<Colour> = pixels.iter().map(|&at| level.colour[at]).collect();
    let mut product = vec![[0.0; 4]; x.len()];
    apply(&x, &mut product);
    let mut residual: Vec<Colour> =
        right.iter().zip(&product).map(|(b, a)| minus(*b, *a)).collect();
    let mut scaled = vec![[0.0; 4]; x.len()];
    precondition(&residual, &mut scaled);
    let mut direction = scaled.clone();
    let mut energy = dot(&residual, &scaled);
    let goal = energy * PRECISION * PRECISION;
    for _ in 0..iterations {
        if energy <= goal.max(1e-12) {
            break;
        }
        apply(&direction, &mut product);
        let curvature = dot(&direction, &product);
        if curvature <= 0.0 {
            break;
        }
        let length = (energy / curvature) as f32;
        add(&mut x, &direction, length);
        add(&mut residual, &product, -length);
        precondition(&residual, &mut scaled);
        let next = dot(&residual, &scaled);
        let keep = (next / energy) as f32;
        energy = next;
        direction.par_iter_mut().with_min_len(CHUNK).zip(&scaled).for_each(|(to, from)| {
            *to = plus(*from, to.map(|value| value * keep));
        });
        progress.advance(0.0)?;
    }
    for (&at, value) in pixels.iter().zip(x) {
        let alpha = value[3].clamp(0.0, 1.0);
        let [r, g, b] = [value[0], value[1], value[2]].map(|colour| colour.clamp(0.0, alpha));
        level.colour[at] = [r, g, b, alpha];
    }
    Ok(())
}

fn add(to: &mut [Colour], what: &[Colour], times: f32) {
    to.par_iter_mut().with_min_len(CHUNK).zip(what).for_each(|(to, what)| {
        *to = plus(*to, what.map(|value| value * times));
    });
}

fn dot(a: &[Colour], b: &[Colour]) -> f64 {
    let sums: Vec<f64> = a
        .par_chunks(CHUNK)
        .zip(b.par_chunks(CHUNK))
        .map(|(a, b)| {
            let pairs = a.as_flattened().iter().zip(b.as_flattened());
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        })
        .collect();
    sums.iter().sum()
}
