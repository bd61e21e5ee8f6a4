//! Reduced copies of tiled images for views below 100 %, made on the CPU tile by tile.
//!
//! A reduced tile is named by the tiles it was made of, so a changed tile changes only its own
//! chain and everything else, undo included, is found again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::Size;
use crate::pixels::{Sample, Samples, TILE, Tile, TiledImage};

/// Reduced tiles kept. One image of 108 megapixels at 8 bits needs 36 MB for all even levels.
const BUDGET_BYTES: usize = 512 << 20;

/// Reduced tiles by what they were made of.
#[derive(Debug, Default)]
pub(super) struct Pyramid {
    tiles: HashMap<u64, (Arc<Tile>, u64)>,
    bytes: usize,
    clock: u64,
}

/// Extent of an image at a level, at which one pixel covers `2^level` pixels of the image.
pub(super) fn level_size(size: Size, level: u32) -> Size {
    let shrink = |side: u32| side.div_ceil(1 << level).max(1);
    Size::new(shrink(size.width), shrink(size.height))
}

/// Levels that the next finer one in memory is below: even levels are made of the even level
/// before, so that odd ones, four times their size, need not be kept for them.
const fn stride(level: u32) -> u32 {
    if level.is_multiple_of(2) { 2 } else { 1 }
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
        if let Some((tile, used)) = self.tiles.get_mut(&key) {
            *used = self.clock;
            return Some(Arc::clone(tile));
        }
        let step = stride(level);
        let parts: Vec<_> = children(step, column, row)
            .map(|(x, y)| self.tile(image, level - step, x, y))
            .collect();
        let (width, height) = valid(image, level - step, step, column, row);
        let tile = Arc::new(Tile::new(reduce(image, &parts, step, width, height)));
        self.insert(key, &tile);
        Some(tile)
    }

    fn insert(&mut self, key: u64, tile: &Arc<Tile>) {
        self.bytes += tile.samples().as_bytes().len();
        self.tiles.insert(key, (Arc::clone(tile), self.clock));
        if self.bytes <= BUDGET_BYTES {
            return;
        }
        // The older half goes at once, so that this is rare.
        let mut ages: Vec<u64> = self.tiles.values().map(|(_, used)| *used).collect();
        ages.sort_unstable();
        let oldest_kept = ages[ages.len() / 2];
        self.tiles.retain(|_, (_, used)| *used >= oldest_kept);
        self.bytes = self.tiles.values().map(|(tile, _)| tile.samples().as_bytes().len()).sum();
    }
}

/// The means of `2^step`-sided squares over the tiles below, weighted by alpha.
fn reduce(
    image: &TiledImage,
    parts: &[Option<Arc<Tile>>],
    step: u32,
    width: u32,
    height: u32,
) -> Samples {
    let fill = image.fill();
    let mut out = Samples::zeroed((TILE * TILE) as usize * image.channels(), image.depth());
    let source = Source { parts, step, width, height, channels: image.channels(), fill };
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
    step: u32,
    width: u32,
    height: u32,
    channels: usize,
    fill: [u16; 4],
}

impl Source<'_> {
    fn reduce<S: Sample>(&self, out: &mut [S], typed: impl Fn(&Samples) -> Option<&Vec<S>> + Sync) {
        let tile = TILE as usize;
        let parts: Vec<Option<&Vec<S>>> =
            self.parts.iter().map(|part| part.as_ref().and_then(|p| typed(p.samples()))).collect();
        out.par_chunks_exact_mut(tile * self.channels).enumerate().for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(self.channels).enumerate() {
                if self.channels == 4 {
                    self.mean_color(&parts, x, y, pixel);
                } else {
                    self.mean_mask(&parts, x, y, pixel);
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
        let x1 = (x0 + side).min(self.width as usize);
        let y1 = (y0 + side).min(self.height as usize);
        if x0 >= x1 || y0 >= y1 {
            return;
        }
        let count = x1 - x0;
        // A square never straddles two tiles: their side is a multiple of its own.
        let part = parts[(y0 / tile) * side + x0 / tile];
        for row in y0..y1 {
            let at = ((row % tile) * tile + x0 % tile) * self.channels;
            visit(part.map(|samples| &samples[at..at + count * self.channels]), count);
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
            None => add(self.fill.map(u64::from), count as u64),
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
                None => u64::from(self.fill[0]) * count as u64,
                Some(samples) => samples.iter().map(|s| u64::from(s.to_u16())).sum(),
            };
        });
        if let Some(mean) = (sum + pixels / 2).checked_div(pixels) {
            out[0] = S::from_u16(mean as u16);
        }
    }
}
