//! Reduced copies of tiled images for views below 100 %, made on the CPU tile by tile.
//!
//! A reduced tile is named by the tiles it was made of, so a changed tile changes only its own
//! chain and everything else, undo included, is found again. A tile of which a stroke changed a
//! part is made from the tile before: only the changed part is reduced anew.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::Size;
use crate::pixels::{Depth, Sample, Samples, TILE, Tile, TiledImage};

/// Reduced tiles kept. One image of 108 megapixels at 8 bits needs 7 MB at level 3.
const BUDGET_BYTES: usize = 512 << 20;

/// Reduced tiles by what they were made of.
#[derive(Debug, Default)]
pub(super) struct Pyramid {
    tiles: HashMap<u64, Reduced>,
    /// The newest tile that each finer one went into.
    parents: HashMap<u64, u64>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Reduced {
    tile: Arc<Tile>,
    /// Keys of the finer tiles beneath, row by row.
    parts: Vec<Option<u64>>,
    terms: Terms,
    used: u64,
}

/// What a reduced tile depends on besides the finer tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    level: u32,
    depth: Depth,
    channels: usize,
    fill: [u16; 4],
    /// Pixels of the finer level that exist beneath: width and height.
    valid: (u32, u32),
}

/// Extent of an image at a level, at which one pixel covers `2^level` pixels of the image.
pub(super) fn level_size(size: Size, level: u32) -> Size {
    let shrink = |side: u32| side.div_ceil(1 << level).max(1);
    Size::new(shrink(size.width), shrink(size.height))
}

/// How many levels finer the tiles are that a tile is made of. The levels that screens show of
/// most pictures are made of the picture itself, so that no other level need be kept for them.
const fn stride(level: u32) -> u32 {
    if level <= 4 { level } else { 3 }
}

/// Names the content of a tile at a level; `None` where it shows the fill.
pub(super) fn tile_key(image: &TiledImage, level: u32, column: u32, row: u32) -> Option<u64> {
    if level == 0 {
        return image.tile(column, row).map(|tile| tile.id());
    }
    let step = stride(level);
    let mut hasher = DefaultHasher::new();
    let mut any = false;
    for child in children(step, column, row) {
        let key = tile_key(image, level - step, child.0, child.1);
        any |= key.is_some();
        key.hash(&mut hasher);
    }
    (level, step, image.fill(), valid(image, level - step, step, column, row)).hash(&mut hasher);
    any.then(|| hasher.finish() | 1 << 63)
}

fn children(step: u32, column: u32, row: u32) -> impl Iterator<Item = (u32, u32)> {
    let side = 1 << step;
    (0..side).flat_map(move |y| (0..side).map(move |x| (column * side + x, row * side + y)))
}

/// Pixels of the finer level that exist under a tile: fewer on the right and lower edge.
fn valid(image: &TiledImage, level: u32, step: u32, column: u32, row: u32) -> (u32, u32) {
    let size = level_size(image.size(), level);
    let side = TILE << step;
    let rest = |whole: u32, index: u32| whole.saturating_sub(index * side).min(side);
    (rest(size.width, column), rest(size.height, row))
}

impl Pyramid {
    /// The tile at a level; `None` where it shows the fill.
    pub(super) fn tile(
        &mut self,
        image: &TiledImage,
        level: u32,
        column: u32,
        row: u32,
    ) -> Option<Arc<Tile>> {
        if level == 0 {
            return image.tile(column, row).cloned();
        }
        let key = tile_key(image, level, column, row)?;
        self.clock += 1;
        if let Some(found) = self.tiles.get_mut(&key) {
            found.used = self.clock;
            return Some(Arc::clone(&found.tile));
        }
        let step = stride(level);
        let terms = Terms {
            level,
            depth: image.depth(),
            channels: image.channels(),
            fill: image.fill(),
            valid: valid(image, level - step, step, column, row),
        };
        let below: Vec<_> = children(step, column, row).collect();
        let parts: Vec<_> =
            below.iter().map(|&(x, y)| tile_key(image, level - step, x, y)).collect();
        let (samples, stale) = self.start(&parts, &terms);
        let parts_below: Vec<_> = below
            .iter()
            .zip(&stale)
            .map(|(&(x, y), stale)| stale.then(|| self.tile(image, level - step, x, y)).flatten())
            .collect();
        let tile = Arc::new(Tile::new(reduce(samples, &parts_below, &stale, step, &terms)));
        self.insert(key, Reduced { tile: Arc::clone(&tile), parts, terms, used: self.clock });
        Some(tile)
    }

    /// Samples to begin with, and which parts are still to be reduced: an older tile made mostly
    /// of the same parts, or nothing and all of them.
    fn start(&self, parts: &[Option<u64>], terms: &Terms) -> (Samples, Vec<bool>) {
        let older = parts
            .iter()
            .flatten()
            .filter_map(|part| self.tiles.get(self.parents.get(part)?))
            .find(|older| older.terms == *terms);
        if let Some(older) = older {
            let stale = parts.iter().zip(&older.parts).map(|(new, old)| new != old).collect();
            return (older.tile.samples().clone(), stale);
        }
        let count = (TILE * TILE) as usize * terms.channels;
        (Samples::zeroed(count, terms.depth), vec![true; parts.len()])
    }

    fn insert(&mut self, key: u64, reduced: Reduced) {
        self.bytes += reduced.tile.samples().as_bytes().len();
        self.parents.extend(reduced.parts.iter().flatten().map(|&part| (part, key)));
        self.tiles.insert(key, reduced);
        if self.bytes <= BUDGET_BYTES {
            return;
        }
        // The older half goes at once, so that this is rare.
        let mut ages: Vec<u64> = self.tiles.values().map(|reduced| reduced.used).collect();
        ages.sort_unstable();
        let oldest_kept = ages[ages.len() / 2];
        self.tiles.retain(|_, reduced| reduced.used >= oldest_kept);
        self.parents.retain(|_, parent| self.tiles.contains_key(parent));
        let bytes = |reduced: &Reduced| reduced.tile.samples().as_bytes().len();
        self.bytes = self.tiles.values().map(bytes).sum();
    }
}

/// The means of `2^step`-sided squares over the stale tiles below, weighted by alpha, written into
/// `out`; where nothing is stale `out` stays.
fn reduce(
    mut out: Samples,
    parts: &[Option<Arc<Tile>>],
    stale: &[bool],
    step: u32,
    terms: &Terms,
) -> Samples {
    let source = Source { parts, stale, step, terms };
    match &mut out {
        Samples::U8(out) => source.reduce(out, |samples| match samples {
            Samples::U8(samples) => Some(samples),
            Samples::U16(_) => None,
        }),
        Samples::U16(out) => source.reduce(out, |samples| match samples {
            Samples::U16(samples) => Some(samples),
            Samples::U8(_) => None,
        }),
    }
    out
}

struct Source<'a> {
    parts: &'a [Option<Arc<Tile>>],
    stale: &'a [bool],
    step: u32,
    terms: &'a Terms,
}

impl Source<'_> {
    fn reduce<S: Sample>(&self, out: &mut [S], typed: impl Fn(&Samples) -> Option<&Vec<S>> + Sync) {
        let (tile, channels) = (TILE as usize, self.terms.channels);
        let parts: Vec<Option<&Vec<S>>> =
            self.parts.iter().map(|part| part.as_ref().and_then(|p| typed(p.samples()))).collect();
        // Pixels of this tile that one below makes.
        let (side, columns) = (tile >> self.step, 1 << self.step);
        out.par_chunks_exact_mut(tile * channels).enumerate().for_each(|(y, row)| {
            let stale = &self.stale[y / side * columns..][..columns];
            let spans = row.chunks_exact_mut(side * channels).zip(stale);
            for (column, (span, _)) in spans.enumerate().filter(|(_, (_, stale))| **stale) {
                for (x, pixel) in span.chunks_exact_mut(channels).enumerate() {
                    // Beyond the image's edge nothing shows, whatever an older tile held.
                    pixel.fill(S::from_u16(0));
                    let x = column * side + x;
                    if channels == 4 {
                        self.mean_color(&parts, x, y, pixel);
                    } else {
                        self.mean_mask(&parts, x, y, pixel);
                    }
                }
            }
        });
    }

    /// Calls `visit` with a run of samples of each row of the square under `(x, y)`, or with
    /// `None` and a count of pixels where the fill shows.
    fn rows<'s, S: Sample>(
        &self,
        parts: &[Option<&'s Vec<S>>],
        (x, y): (usize, usize),
        mut visit: impl FnMut(Option<&'s [S]>, usize),
    ) {
        let (tile, side) = (TILE as usize, 1usize << self.step);
        let (x0, y0) = (x * side, y * side);
        let x1 = (x0 + side).min(self.terms.valid.0 as usize);
        let y1 = (y0 + side).min(self.terms.valid.1 as usize);
        if x0 >= x1 || y0 >= y1 {
            return;
        }
        let count = x1 - x0;
        // A square never straddles two tiles: their side is a multiple of its own.
        let part = parts[(y0 / tile) * side + x0 / tile];
        for row in y0..y1 {
            let at = ((row % tile) * tile + x0 % tile) * self.terms.channels;
            visit(part.map(|samples| &samples[at..at + count * self.terms.channels]), count);
        }
    }

    fn mean_color<S: Sample>(&self, parts: &[Option<&Vec<S>>], x: usize, y: usize, out: &mut [S]) {
        let mut sums = [0u64; 4];
        let mut pixels = 0u64;
        let mut add = |sample: [u64; 4], times: u64| {
            let alpha = sample[3] * times;
            sums[0] += sample[0] * alpha;
            sums[1] += sample[1] * alpha;
            sums[2] += sample[2] * alpha;
            sums[3] += alpha;
            pixels += times;
        };
        self.rows(parts, (x, y), |samples, count| match samples {
            None => add(self.terms.fill.map(u64::from), count as u64),
            Some(samples) => {
                for p in samples.chunks_exact(4) {
                    add([p[0], p[1], p[2], p[3]].map(|s| u64::from(s.to_u16())), 1);
                }
            }
        });
        if let Some(alpha) = (sums[3] + pixels / 2).checked_div(pixels) {
            for channel in 0..3 {
                let mean = (sums[channel] + sums[3] / 2).checked_div(sums[3]).unwrap_or(0);
                out[channel] = S::from_u16(mean as u16);
            }
            out[3] = S::from_u16(alpha as u16);
        }
    }

    fn mean_mask<S: Sample>(&self, parts: &[Option<&Vec<S>>], x: usize, y: usize, out: &mut [S]) {
        let (mut sum, mut pixels) = (0u64, 0u64);
        self.rows(parts, (x, y), |samples, count| {
            pixels += count as u64;
            sum += match samples {
                None => u64::from(self.terms.fill[0]) * count as u64,
                Some(samples) => samples.iter().map(|s| u64::from(s.to_u16())).sum(),
            };
        });
        if let Some(mean) = (sum + pixels / 2).checked_div(pixels) {
            out[0] = S::from_u16(mean as u16);
        }
    }
}
