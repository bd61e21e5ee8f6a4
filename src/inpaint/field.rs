//! The nearest-neighbour field: for every patch that touches the hole the most similar patch of
//! the surroundings, by propagation and random search (PatchMatch, Barnes et al. 2009).
//!
//! Each pass reads the field of the pass before and propagates by jumps (Rong and Tan 2006), so
//! that a pixel's result depends on no order of work. Costs are whole numbers, random numbers a
//! hash of place and pass.

use rayon::prelude::*;

use super::level::{FEATURES, Level};
use super::matching::{Match, Matcher, Round, Step};
use super::{FillError, Progress};
use crate::geom::IRect;
use crate::ops::simd::vectorized;

/// Sides of patches there is code for, the largest first.
pub(super) const SIDES: [usize; 5] = [11, 9, 7, 5, 3];
/// Patches improved between two looks at whether to go on.
const PORTION: usize = 32_768;
/// Of the dominant offsets this many, drawn at random, are tried a pass.
pub const OFFSET_TRIES: u32 = 2;

/// The patches of a level that may be copied.
pub(super) struct Sources {
    pub(super) side: usize,
    width: usize,
    is_source: Vec<bool>,
    /// Their corners, as indices of pixels.
    list: Vec<u32>,
}

impl Sources {
    pub(super) fn new(level: &Level, side: usize) -> Self {
        let blocked: Vec<bool> = level.usable.iter().map(|&usable| !usable).collect();
        let touches = touching(&blocked, level.width, level.height, side);
        let (right, bottom) = (level.width + 1, level.height + 1);
        let is_source: Vec<bool> = touches
            .iter()
            .enumerate()
            .map(|(at, &touches)| {
                let (x, y) = (at % level.width, at / level.width);
                !touches && x + side < right && y + side < bottom
            })
            .collect();
        let list = (0u32..).zip(&is_source).filter(|(_, is)| **is).map(|(at, _)| at).collect();
        Self { side, width: level.width, is_source, list }
    }

    /// Those whose corners are in `kept`.
    pub(super) fn only(&self, kept: &[bool]) -> Self {
        let is_source: Vec<bool> = self.is_source.iter().zip(kept).map(|(a, b)| *a && *b).collect();
        let list = self.list.iter().copied().filter(|at| is_source[*at as usize]).collect();
        Self { is_source, list, ..*self }
    }

    pub(super) fn list(&self) -> &[u32] {
        &self.list
    }

    /// Whether the patch with this corner may be copied.
    fn has(&self, x: i32, y: i32) -> bool {
        x >= 0
            && y >= 0
            && (x as usize) < self.width
            && self.is_source.get(y as usize * self.width + x as usize).is_some_and(|&is| is)
    }

    /// The place itself where it is a source, else one at random.
    fn near_or_any(&self, x: i32, y: i32, random: u32) -> (u16, u16) {
        if self.has(x, y) {
            return (x as u16, y as u16);
        }
        let at = self.list[random as usize % self.list.len()] as usize;
        ((at % self.width) as u16, (at / self.width) as u16)
    }
}

/// For each corner whether the square of `side` pixels from there on holds a set flag; squares
/// are cut at the border.
fn touching(flags: &[bool], width: usize, height: usize, side: usize) -> Vec<bool> {
    let mut along = vec![false; flags.len()];
    along.par_chunks_mut(width).zip(flags.par_chunks(width)).for_each(|(to, from)| {
        let mut left = 0;
        for x in (0..width).rev() {
            left = if from[x] { side } else { left.saturating_sub(1) };
            to[x] = left > 0;
        }
    });
    let mut out = vec![false; flags.len()];
    out.par_chunks_mut(width).enumerate().for_each(|(y, to)| {
        for row in y..(y + side).min(height) {
            to.iter_mut().zip(&along[row * width..]).for_each(|(to, from)| *to |= from);
        }
    });
    out
}

/// Matches for the patch corners inside `rect`, row by row.
#[derive(Clone)]
pub(super) struct Field {
    pub(super) rect: IRect,
    pub(super) matches: Vec<Match>,
}

impl Field {
    /// Targets are all patches inside the level that touch its hole; `first` names a match.
    pub(super) fn for_hole(
        level: &Level,
        sources: &Sources,
        salt: u32,
        first: impl Fn(i32, i32) -> Option<(i32, i32)> + Sync,
    ) -> Self {
        let side = sources.side as i32;
        let targets = touching(&level.hole, level.width, level.height, sources.side);
        let hole = level.hole_rect();
        let reached = IRect::new(hole.x0 - side + 1, hole.y0 - side + 1, hole.x1, hole.y1);
        let corners =
            IRect::new(0, 0, level.width as i32 - side + 1, level.height as i32 - side + 1);
        let rect = reached.intersect(corners);
        Self::new(rect, level.width, &targets, sources, salt, first)
    }

    pub(super) fn new(
        rect: IRect,
        width: usize,
        targets: &[bool],
        sources: &Sources,
        salt: u32,
        first: impl Fn(i32, i32) -> Option<(i32, i32)> + Sync,
    ) -> Self {
        let columns = rect.width() as usize;
        let mut matches = vec![Match::NONE; columns * rect.height() as usize];
        matches.par_chunks_mut(columns.max(1)).zip(rect.y0..rect.y1).for_each(|(row, y)| {
            for (to, x) in row.iter_mut().zip(rect.x0..) {
                if targets[y as usize * width + x as usize] {
                    let (sx, sy) = first(x, y).unwrap_or((-1, -1));
                    let (x, y) = sources.near_or_any(sx, sy, place_hash(x, y, salt));
                    *to = Match { x, y, cost: i32::MAX };
                }
            }
        });
        Self { rect, matches }
    }

    pub(super) fn get(&self, x: i32, y: i32) -> Match {
        if !self.rect.contains(x, y) {
            return Match::NONE;
        }
        let columns = self.rect.width() as usize;
        self.matches[(y - self.rect.y0) as usize * columns + (x - self.rect.x0) as usize]
    }

    /// The match of the patch at the same place of the next coarser level, at this level's scale.
    pub(super) fn enlarged(&self, x: i32, y: i32, side: usize) -> Option<(i32, i32)> {
        // Patches correspond by their centres.
        let radius = side as i32 / 2;
        let (cx, cy) = (x + radius, y + radius);
        let corner = |center: i32, low: i32, high: i32| (center / 2 - radius).clamp(low, high - 1);
        let rect = self.rect;
        let found = self.get(corner(cx, rect.x0, rect.x1), corner(cy, rect.y0, rect.y1));
        let back =
            |corner: u16, center: i32| (i32::from(corner) + radius) * 2 + center % 2 - radius;
        found.is_some().then(|| (back(found.x, cx), back(found.y, cy)))
    }

    /// Passes over all targets while the pixels stay as they are, on `matcher` where there is one.
    pub(super) fn round(
        &mut self,
        level: &Level,
        sources: &Sources,
        steps: &[Step],
        matcher: Option<&dyn Matcher>,
        progress: &mut Progress,
        work: f64,
    ) -> Result<(), FillError> {
        let round = Round {
            width: level.width,
            features: &level.features,
            is_source: &sources.is_source,
            side: sources.side,
            rect: self.rect,
            steps,
        };
        if let Some(matches) = matcher.and_then(|matcher| matcher.run(&round, &self.matches)) {
            self.matches = matches;
            return progress.advance(work);
        }
        for step in steps {
            self.improve(level, sources, *step, progress, work / steps.len() as f64)?;
        }
        Ok(())
    }

    /// One pass over all targets.
    pub(super) fn improve(
        &mut self,
        level: &Level,
        sources: &Sources,
        step: Step,
        progress: &mut Progress,
        work: f64,
    ) -> Result<(), FillError> {
        match sources.side {
            11 => self.improve_sized::<11>(level, sources, step, progress, work),
            9 => self.improve_sized::<9>(level, sources, step, progress, work),
            7 => self.improve_sized::<7>(level, sources, step, progress, work),
            5 => self.improve_sized::<5>(level, sources, step, progress, work),
            _ => self.improve_sized::<3>(level, sources, step, progress, work),
        }
    }

    fn improve_sized<const SIDE: usize>(
        &mut self,
        level: &Level,
        sources: &Sources,
        step: Step,
        progress: &mut Progress,
        work: f64,
    ) -> Result<(), FillError> {
        let columns = self.rect.width() as usize;
        let mut next = self.matches.clone();
        let rows = (PORTION / columns.max(1)).max(1);
        let slabs = self.rect.height().div_ceil(rows as u32).max(1);
        let search = Search::<SIDE> { level, sources, step, field: self };
        for (slab, portion) in next.chunks_mut(rows * columns.max(1)).enumerate() {
            portion.par_chunks_mut(columns).enumerate().for_each(|(row, matches)| {
                let y = self.rect.y0 + (slab * rows + row) as i32;
                vectorized(
                    #[inline(always)]
                    || search.row(matches, y),
                );
            });
            progress.advance(work / f64::from(slabs))?;
        }
        self.matches = next;
        Ok(())
    }
}

struct Search<'a, const SIDE: usize> {
    level: &'a Level,
    sources: &'a Sources,
    step: Step<'a>,
    field: &'a Field,
}

impl<const SIDE: usize> Search<'_, SIDE> {
    #[inline(always)]
    fn row(&self, matches: &mut [Match], y: i32) {
        for (to, x) in matches.iter_mut().zip(self.field.rect.x0..) {
            if to.is_some() {
                *to = self.improved(*to, x, y);
            }
        }
    }

    #[inline(always)]
    fn improved(&self, present: Match, x: i32, y: i32) -> Match {
        let Step { jump, reach, offsets, .. } = self.step;
        let mut best = present;
        if self.step.is_stale {
            best.cost = i32::MAX;
            best.cost = self.cost(x, y, i32::from(best.x), i32::from(best.y), i32::MAX);
        }
        for (dx, dy) in [(-jump, 0), (jump, 0), (0, -jump), (0, jump)] {
            let near = self.field.get(x + dx, y + dy);
            if near.is_some() {
                self.consider(&mut best, x, y, i32::from(near.x) - dx, i32::from(near.y) - dy);
            }
        }
        let mut random = place_hash(x, y, self.step.salt);
        let mut radius = reach;
        while radius > 0 {
            let mut within = |center: u16| {
                random = hash(random);
                i32::from(center) + (random % (2 * radius as u32 + 1)) as i32 - radius
            };
            let (sx, sy) = (within(best.x), within(best.y));
            self.consider(&mut best, x, y, sx, sy);
            radius /= 2;
        }
        for _ in 0..OFFSET_TRIES.min(offsets.len() as u32) {
            random = hash(random);
            let (dx, dy) = offsets[random as usize % offsets.len()];
            self.consider(&mut best, x, y, x + dx, y + dy);
        }
        best
    }

    #[inline(always)]
    fn consider(&self, best: &mut Match, x: i32, y: i32, sx: i32, sy: i32) {
        let near = self.step.min_offset;
        let is_near = (sx - x).abs() < near && (sy - y).abs() < near;
        let is_same = (i32::from(best.x), i32::from(best.y)) == (sx, sy);
        if is_same || is_near || !self.sources.has(sx, sy) {
            return;
        }
        let cost = self.cost(x, y, sx, sy, best.cost);
        if cost < best.cost {
            *best = Match { x: sx as u16, y: sy as u16, cost };
        }
    }

    /// The distance of two patches, or some number from `limit` on where it is not below that.
    #[inline(always)]
    fn cost(&self, x: i32, y: i32, sx: i32, sy: i32, limit: i32) -> i32 {
        let width = self.level.width;
        let features = self.level.features.as_slice();
        let (to, from) = (y as usize * width + x as usize, sy as usize * width + sx as usize);
        let mut sum = 0;
        for row in 0..SIDE {
            let a = features[to + row * width..][..SIDE].as_flattened();
            let b = features[from + row * width..][..SIDE].as_flattened();
            sum += squared_distance::<SIDE>(a, b);
            if sum >= limit {
                return sum;
            }
        }
        sum
    }
}

#[inline(always)]
fn squared_distance<const SIDE: usize>(a: &[i16], b: &[i16]) -> i32 {
    let mut sum = 0;
    for index in 0..SIDE * FEATURES {
        let difference = i32::from(a[index].wrapping_sub(b[index]));
        sum += difference * difference;
    }
    sum
}

/// The PCG hash of Jarzynski and Olano (2020).
pub(super) fn hash(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

fn place_hash(x: i32, y: i32, salt: u32) -> u32 {
    hash((x as u32).wrapping_add(hash((y as u32).wrapping_add(hash(salt)))))
}
