//! What is to be replaced, and the windows in which that happens.

use rayon::prelude::*;

use super::{FillError, Progress};
use crate::geom::IRect;
use crate::pixels::{PixelBuf, Samples};

/// Full coverage.
pub(super) const FULL: u16 = u16::MAX;
/// Side of the squares by which hole pixels are gathered into holes.
const CELL_PX: u32 = 32;
/// Least distance that a window reaches around its hole.
const MIN_MARGIN_PX: f32 = 96.0;
/// Greatest distance, unless more is needed to find sources at all.
const MAX_MARGIN_PX: f32 = 1024.0;
/// Windows up to this size are never cut.
const SMALL_WINDOW_PX: u64 = 1 << 20;
/// Windows above this size always are; a window costs about 40 bytes a pixel.
const MAX_WINDOW_PX: u64 = 16 << 20;
/// Between the two a window may have this many pixels per pixel of its hole.
const WINDOW_PER_HOLE: u64 = 24;
/// Shorter pieces of a hole are not cut further.
const MIN_PIECE_PX: u32 = 256;
/// Distances compared between two looks at whether to go on.
const PORTION: usize = 1 << 24;

/// The coverage of the grown and feathered mask inside the smallest rectangle that holds it.
pub(super) struct Region {
    rect: IRect,
    /// Row by row, 0 = untouched to [`FULL`] = replaced.
    weights: Vec<u16>,
}

/// A part of the hole and the window it is completed in.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) cell: IRect,
    pub(super) window: IRect,
    pub(super) hole_px: u64,
}

impl Region {
    /// `None` where the mask selects nothing.
    pub(super) fn from_mask(
        mask: &PixelBuf,
        dilate_px: u32,
        feather_px: f32,
        progress: &mut Progress,
    ) -> Result<Option<Self>, FillError> {
        let width = mask.size().width as usize;
        let core = match mask.samples() {
            Samples::U8(samples) => bounds(samples, width, |&value| value >= 0x80),
            Samples::U16(samples) => bounds(samples, width, |&value| value >= 0x8000),
        };
        let half = mask.depth().max() / 2;
        let (dilate, feather) = (dilate_px as f32, feather_px.max(0.0));
        // No pixel farther than this has a weight.
        let reach = (dilate + feather).ceil().min(65_535.0) as i32;
        let rect = core.grow(reach).intersect(mask.size().rect());
        if rect.is_empty() {
            return Ok(None);
        }
        progress.advance(0.0)?;
        let columns = rect.width() as usize;
        // Distance to the nearest core pixel of the same row.
        let mut along = vec![u16::MAX; columns * rect.height() as usize];
        along.par_chunks_mut(columns).zip(rect.y0..rect.y1).for_each(|(row, y)| {
            let at = mask.index(rect.x0 as u32, y as u32);
            let mut distance = u16::MAX;
            for (x, to) in row.iter_mut().enumerate() {
                let inside = mask.samples().get(at + x) > half;
                distance = if inside { 0 } else { distance.saturating_add(1) };
                *to = distance;
            }
            for to in row.iter_mut().rev() {
                distance = (*to).min(distance.saturating_add(1));
                *to = distance;
            }
        });
        let rows = rect.height() as i32;
        let mut weights = vec![0; along.len()];
        let weigh = |y: usize, row: &mut [u16]| {
            for (x, weight) in row.iter_mut().enumerate() {
                let mut nearest = f32::MAX;
                for dy in -reach..=reach {
                    let other = y as i32 + dy;
                    if (0..rows).contains(&other) {
                        let dx = f32::from(along[other as usize * columns + x]);
                        nearest = nearest.min(dx * dx + (dy * dy) as f32);
                    }
                }
                let beyond = nearest.sqrt() - dilate;
                *weight = if beyond <= 0.0 {
                    FULL
                } else {
                    // The band ends one step before the weight would vanish.
                    ((1.0 - beyond / (feather + 1e-6)).max(0.0) * f32::from(FULL)) as u16
                };
            }
        };
        let portion = (PORTION / (columns * (2 * reach as usize + 1))).max(1);
        for (slab, weights) in weights.chunks_mut(portion * columns).enumerate() {
            progress.advance(0.0)?;
            let rows = weights.par_chunks_mut(columns).enumerate();
            rows.for_each(|(y, row)| weigh(slab * portion + y, row));
        }
        Ok(Some(Self { rect, weights }))
    }

    /// The weight of the picture's pixel `(x, y)`.
    pub(super) fn weight(&self, x: i32, y: i32) -> u16 {
        if !self.rect.contains(x, y) {
            return 0;
        }
        let row = (y - self.rect.y0) as usize * self.rect.width() as usize;
        self.weights[row + (x - self.rect.x0) as usize]
    }

    /// The weights of row `y` for the picture's columns `x0..x1`; `visit` gets column and weight,
    /// for weights above 0 only.
    pub(super) fn row(&self, rect: IRect, y: i32, mut visit: impl FnMut(i32, u16)) {
        let common = rect.intersect(self.rect);
        if y < common.y0 || y >= common.y1 {
            return;
        }
        let at = (y - self.rect.y0) as usize * self.rect.width() as usize;
        for x in common.x0..common.x1 {
            let weight = self.weights[at + (x - self.rect.x0) as usize];
            if weight > 0 {
                visit(x, weight);
            }
        }
    }

    /// Hole pixels in `rect` and the smallest rectangle that holds them.
    fn hole_in(&self, rect: IRect) -> (u64, IRect) {
        let common = rect.intersect(self.rect);
        (common.y0..common.y1)
            .into_par_iter()
            .map(|y| {
                let (mut count, mut x0, mut x1) = (0, i32::MAX, i32::MIN);
                self.row(common, y, |x, _| {
                    count += 1;
                    (x0, x1) = (x0.min(x), x1.max(x + 1));
                });
                (count, if count > 0 { IRect::new(x0, y, x1, y + 1) } else { IRect::EMPTY })
            })
            .reduce(|| (0, IRect::EMPTY), |a, b| (a.0 + b.0, a.1.union(b.1)))
    }

    /// The side of the square that has the hole's ratio of area to outline.
    fn thickness_px(&self, rect: IRect, hole_px: u64) -> f32 {
        let outline: u64 = (rect.y0..rect.y1)
            .into_par_iter()
            .map(|y| {
                let (mut edges, mut previous) = (0, i32::MIN);
                let mut above = vec![false; rect.width() as usize];
                self.row(rect, y - 1, |x, _| above[(x - rect.x0) as usize] = true);
                self.row(rect, y, |x, _| {
                    edges += u64::from(previous.checked_add(1) != Some(x))
                        + u64::from(!above[(x - rect.x0) as usize]);
                    previous = x;
                });
                // Every run begins and ends once, along rows as along columns.
                2 * edges
            })
            .sum();
        4.0 * hole_px as f32 / outline.max(1) as f32
    }

    /// The holes, the long and thin ones cut, each with the window that holds its sources.
    pub(super) fn pieces(
        &self,
        image: &PixelBuf,
        search_margin: f32,
        progress: &mut Progress,
    ) -> Result<Vec<Piece>, FillError> {
        let mut pieces = Vec::new();
        for rect in self.holes() {
            self.cut(image, rect, search_margin, &mut pieces, progress)?;
        }
        Ok(pieces)
    }

    fn cut(
        &self,
        image: &PixelBuf,
        rect: IRect,
        search_margin: f32,
        pieces: &mut Vec<Piece>,
        progress: &mut Progress,
    ) -> Result<(), FillError> {
        progress.advance(0.0)?;
        let (hole_px, cell) = self.hole_in(rect);
        if hole_px == 0 {
            return Ok(());
        }
        let thickness = self.thickness_px(cell, hole_px);
        let margin = (thickness * search_margin.max(0.0) + MIN_MARGIN_PX).min(MAX_MARGIN_PX);
        let window = cell.grow(margin as i32).intersect(image.size().rect());
        let limit = (WINDOW_PER_HOLE * hole_px).clamp(SMALL_WINDOW_PX, MAX_WINDOW_PX);
        let (width, height) = (cell.width(), cell.height());
        if window.size().pixels() > limit && width.max(height) >= 2 * MIN_PIECE_PX {
            let (mut first, mut second) = (cell, cell);
            if width >= height {
                first.x1 = cell.x0 + width as i32 / 2;
                second.x0 = first.x1;
            } else {
                first.y1 = cell.y0 + height as i32 / 2;
                second.y0 = first.y1;
            }
            self.cut(image, first, search_margin, pieces, progress)?;
            return self.cut(image, second, search_margin, pieces, progress);
        }
        let window = self.with_sources(image, window, hole_px, progress)?;
        pieces.push(Piece { cell, window, hole_px });
        Ok(())
    }

    /// `window`, grown until it holds as many source pixels as its hole has pixels, or is the
    /// whole picture.
    fn with_sources(
        &self,
        image: &PixelBuf,
        mut window: IRect,
        hole_px: u64,
        progress: &mut Progress,
    ) -> Result<IRect, FillError> {
        let whole = image.size().rect();
        loop {
            progress.advance(0.0)?;
            let sources: u64 = (window.y0..window.y1)
                .into_par_iter()
                .map(|y| {
                    let opaque = |x: i32| is_visible(image, x, y);
                    let mut count = (window.x0..window.x1).filter(|&x| opaque(x)).count() as u64;
                    self.row(window, y, |x, _| count -= u64::from(opaque(x)));
                    count
                })
                .sum();
            if window == whole {
                return if sources > 0 { Ok(window) } else { Err(FillError::NothingLeft) };
            }
            if sources >= hole_px && window.size().pixels() > 0 {
                return Ok(window);
            }
            window = window.grow(window.width().max(window.height()) as i32 / 2).intersect(whole);
        }
    }

    /// Rectangles around the hole pixels: those in neighbouring cells of a grid belong together.
    pub(super) fn holes(&self) -> Vec<IRect> {
        let columns = self.rect.width().div_ceil(CELL_PX) as usize;
        let rows = self.rect.height().div_ceil(CELL_PX) as usize;
        let cell = |index: usize| {
            let at = [index % columns, index / columns].map(|place| place as i32 * CELL_PX as i32);
            let side = CELL_PX as i32;
            IRect::new(at[0], at[1], at[0] + side, at[1] + side)
                .translate(self.rect.x0, self.rect.y0)
                .intersect(self.rect)
        };
        let mut open: Vec<bool> = (0..columns * rows)
            .into_par_iter()
            .map(|index| {
                let cell = cell(index);
                let mut any = false;
                (cell.y0..cell.y1).for_each(|y| self.row(cell, y, |_, _| any = true));
                any
            })
            .collect();
        let mut holes = Vec::new();
        for first in 0..open.len() {
            if !std::mem::take(&mut open[first]) {
                continue;
            }
            let (mut hole, mut pending) = (IRect::EMPTY, vec![first]);
            while let Some(index) = pending.pop() {
                hole = hole.union(cell(index));
                let (x, y) = (index % columns, index / columns);
                for y in y.saturating_sub(1)..(y + 2).min(rows) {
                    for x in x.saturating_sub(1)..(x + 2).min(columns) {
                        if std::mem::take(&mut open[y * columns + x]) {
                            pending.push(y * columns + x);
                        }
                    }
                }
            }
            holes.push(hole);
        }
        holes
    }
}

/// Whether a pixel of the picture has a colour.
pub(super) fn is_visible(image: &PixelBuf, x: i32, y: i32) -> bool {
    image.channels() == 1 || image.samples().get(image.index(x as u32, y as u32) + 3) > 0
}

/// The smallest rectangle holding the samples of a one-channel picture that `is_in` accepts.
fn bounds<S: Sync>(samples: &[S], width: usize, is_in: impl Fn(&S) -> bool + Sync) -> IRect {
    samples
        .par_chunks(width.max(1))
        .enumerate()
        .filter_map(|(y, row)| {
            let x0 = row.iter().position(&is_in)? as i32;
            let x1 = row.iter().rposition(&is_in)? as i32 + 1;
            Some(IRect::new(x0, y as i32, x1, y as i32 + 1))
        })
        .reduce(|| IRect::EMPTY, IRect::union)
}
