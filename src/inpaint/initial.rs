//! The first fill, on the coarsest level: patch by patch from the rim inwards, strong edges
//! first, each copied from the best of all sources (Criminisi, Pérez and Toyama 2004).

use rayon::prelude::*;

use super::field::{Sources, flat_distance};
use super::level::{Feature, Level, luma};
use super::{FillError, Progress};

/// A source at one of the dominant offsets is taken at this fraction of its cost.
const OFFSET_BONUS: f32 = 0.7;
/// Cost grows by this fraction for a source a whole window away.
const FAR_PENALTY: f32 = 0.3;
/// Sources are looked for up to this distance, and at the dominant offsets; farther where that
/// finds none.
const REACH: i32 = 40;
/// Keeps flat patches in the race.
const BASE_STRENGTH: f32 = 0.02;

/// Fills the hole of `level`. The features of known pixels must be up to date; those of the hole
/// are left stale.
pub(super) fn fill(
    level: &mut Level,
    sources: &Sources,
    offsets: &[(i32, i32)],
    progress: &mut Progress,
) -> Result<(), FillError> {
    let (width, side) = (level.width, sources.side);
    let mut front = Front::new(level, side);
    while let Some(corner) = front.strongest(level) {
        let at = corner.1 * width + corner.0;
        let source = best_source(level, sources, &front.is_open, corner, offsets);
        let places = || patch(at, width, side);
        let trust = places().map(|place| front.confidence[place]).sum::<f32>();
        for (to, from) in places().zip(patch(source, width, side)) {
            if std::mem::take(&mut front.is_open[to]) {
                level.colour[to] = level.colour[from];
                level.texture[to] = level.texture[from];
                level.features[to] = level.features[from];
                front.confidence[to] = trust / (side * side) as f32;
            }
        }
        front.revise(level, corner);
        progress.advance(0.0)?;
    }
    Ok(())
}

/// Indices of a patch's pixels, row by row.
fn patch(corner: usize, width: usize, side: usize) -> impl Iterator<Item = usize> {
    (0..side).flat_map(move |row| (0..side).map(move |column| corner + row * width + column))
}

/// Which pixels are still open, how far the others are trusted, and what to fill next.
struct Front {
    side: usize,
    is_open: Vec<bool>,
    confidence: Vec<f32>,
    /// Of open pixels at the rim; others have 0.
    priority: Vec<f32>,
    /// All open pixels, and some that are filled by now.
    pending: Vec<usize>,
}

impl Front {
    fn new(level: &Level, side: usize) -> Self {
        let confidence = level.hole.iter().map(|&hole| if hole { 0.0 } else { 1.0 }).collect();
        let pending = (0..level.hole.len()).filter(|&at| level.hole[at]).collect();
        let priority = vec![0.0; level.hole.len()];
        let mut front = Self { side, is_open: level.hole.clone(), confidence, priority, pending };
        for at in front.pending.clone() {
            front.priority[at] = front.priority_of(level, at);
        }
        front
    }

    /// The corner of the patch around the open pixel of the highest priority.
    fn strongest(&mut self, level: &Level) -> Option<(usize, usize)> {
        self.pending.retain(|&at| self.is_open[at]);
        let better = |a: usize, b: usize| if self.priority[b] > self.priority[a] { b } else { a };
        let best = self.pending.iter().copied().reduce(better)?;
        Some(self.corner_of(level, best))
    }

    /// Computes the priorities anew around the patch just filled.
    fn revise(&mut self, level: &Level, corner: (usize, usize)) {
        let near =
            |at: usize, size: usize| at.saturating_sub(self.side)..(at + 2 * self.side).min(size);
        for y in near(corner.1, level.height) {
            for x in near(corner.0, level.width) {
                let at = y * level.width + x;
                if self.is_open[at] {
                    self.priority[at] = self.priority_of(level, at);
                }
            }
        }
    }

    fn corner_of(&self, level: &Level, at: usize) -> (usize, usize) {
        let corner =
            |center: usize, size: usize| center.saturating_sub(self.side / 2).min(size - self.side);
        (corner(at % level.width, level.width), corner(at / level.width, level.height))
    }

    /// Trust in the patch around `at` times the strength of the edges that run into the hole.
    fn priority_of(&self, level: &Level, at: usize) -> f32 {
        let (width, height) = (level.width, level.height);
        let (x, y) = ((at % width) as i64, (at / width) as i64);
        let is_open = |i: i64, j: i64| {
            let column = (x + i).clamp(0, width as i64 - 1) as usize;
            self.is_open[(y + j).clamp(0, height as i64 - 1) as usize * width + column]
        };
        if [(-1, 0), (1, 0), (0, -1), (0, 1)].iter().all(|&(i, j)| is_open(i, j)) {
            return 0.0;
        }
        let corner = self.corner_of(level, at);
        let (mut trust, mut strongest) = (0.0, [0.0f32; 2]);
        let size = |g: [f32; 2]| g[0] * g[0] + g[1] * g[1];
        for place in patch(corner.1 * width + corner.0, width, self.side) {
            trust += self.confidence[place];
            if place % width + 1 >= width || place / width + 1 >= height {
                continue;
            }
            let three = [place, place + 1, place + width];
            if three.iter().all(|&place| !self.is_open[place]) {
                let [here, right, below] = three.map(|place| luma(level.colour[place]));
                let gradient = [right - here, below - here];
                if size(gradient) > size(strongest) {
                    strongest = gradient;
                }
            }
        }
        let side_of = |i: i64, j: i64| f32::from(u8::from(is_open(i, j)));
        let normal = [side_of(1, 0) - side_of(-1, 0), side_of(0, 1) - side_of(0, -1)];
        let length = normal[0].hypot(normal[1]).max(1.0);
        // Edges run across the gradient.
        let strength = (normal[1] * strongest[0] - normal[0] * strongest[1]).abs() / length;
        trust / (self.side * self.side) as f32 * (strength + BASE_STRENGTH)
    }
}

/// The index of the source patch most like the known part of the patch at `corner`.
fn best_source(
    level: &Level,
    sources: &Sources,
    is_open: &[bool],
    corner: (usize, usize),
    offsets: &[(i32, i32)],
) -> usize {
    let (width, side) = (level.width, sources.side);
    let at = corner.1 * width + corner.0;
    let known: Vec<(usize, Feature)> = patch(0, width, side)
        .filter(|&place| !is_open[at + place])
        .map(|place| (place, level.features[at + place]))
        .collect();
    let (x, y) = (corner.0 as i32, corner.1 as i32);
    let diagonal = (width + level.height) as f32;
    let cost = |dx: i32, dy: i32, factor: f32| {
        let (sx, sy) = (x + dx, y + dy);
        sources.has(sx, sy).then(|| {
            let source = sy as usize * width + sx as usize;
            let distance = |(place, feature): &(usize, Feature)| {
                flat_distance(*feature, level.features[source + place])
            };
            let likeness = known.iter().map(distance).sum::<i32>() + 1;
            let far = 1.0 + FAR_PENALTY * (dx.abs() + dy.abs()) as f32 / diagonal;
            (likeness as f32 * far * factor, source)
        })
    };
    let less = |a: (f32, usize), b: (f32, usize)| if b < a { b } else { a };
    let mut reach = REACH;
    loop {
        let row = |dy: i32| (-reach..=reach).filter_map(|dx| cost(dx, dy, 1.0)).reduce(less);
        let rows = (-reach..reach + 1).into_par_iter().with_min_len(8);
        let near = rows.filter_map(row).reduce_with(less);
        let repeating = offsets.iter().filter_map(|&(dx, dy)| cost(dx, dy, OFFSET_BONUS));
        if let Some(best) = near.into_iter().chain(repeating).reduce(less) {
            return best.1;
        }
        reach *= 2;
    }
}
