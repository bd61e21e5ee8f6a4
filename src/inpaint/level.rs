//! One level of the pyramid over a window: colours, what is known, and the features compared.

use rayon::prelude::*;

use super::region::{Region, is_visible};
use super::{FillError, Progress};
use crate::geom::IRect;
use crate::pixels::PixelBuf;

/// Numbers of a pixel that are compared: luma, two colour differences, the luma's gradient along
/// x and y, and the amount of texture.
pub(super) const FEATURES: usize = 6;
pub(super) type Feature = [i16; FEATURES];

/// Feature units of a step from black to white.
const LUMA_SCALE: f32 = 1000.0;
/// Colour differences weigh less than luma, as they do to the eye.
const CHROMA_SCALE: f32 = 600.0;
/// Of the luma's central difference.
const GRADIENT_SCALE: f32 = 500.0;
/// Of the mean absolute gradient around a pixel.
const TEXTURE_SCALE: f32 = 2200.0;
/// How far a transparent pixel is from an opaque one.
const ALPHA_SCALE: f32 = 500.0;
/// The amount of texture is a mean over a square of this radius.
const TEXTURE_RADIUS: usize = 2;

/// Premultiplied red, green, blue and alpha as encoded, 0..=1.
pub(super) type Colour = [f32; 4];

pub(super) fn luma(colour: Colour) -> f32 {
    0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
}

/// Pictures of one size, row by row. Hole pixels hold the present estimate.
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colour: Vec<Colour>,
    /// Mean absolute gradient of the luma of the finest level around each pixel.
    pub(super) texture: Vec<f32>,
    /// To be completed.
    pub(super) hole: Vec<bool>,
    /// May be copied from: outside every hole, also of those completed before, and visible.
    pub(super) usable: Vec<bool>,
    pub(super) features: Vec<Feature>,
}

impl Level {
    /// The finest level: `window` of the picture. Of the region's pixels those in `done` are
    /// complete already.
    pub(super) fn finest(
        image: &PixelBuf,
        region: &Region,
        window: IRect,
        done: &[IRect],
        progress: &mut Progress,
    ) -> Result<Self, FillError> {
        let (width, height) = (window.width() as usize, window.height() as usize);
        let place = |x: usize, y: usize| (window.x0 + x as i32, window.y0 + y as i32);
        let colour = map_pixels(width, height, progress, |x, y| {
            let (x, y) = place(x, y);
            let [r, g, b, a] = image.pixel_f32(x as u32, y as u32);
            [r * a, g * a, b * a, a]
        })?;
        let usable = map_pixels(width, height, progress, |x, y| {
            let (x, y) = place(x, y);
            region.weight(x, y) == 0 && is_visible(image, x, y)
        })?;
        let hole = map_pixels(width, height, progress, |x, y| {
            let (x, y) = place(x, y);
            region.weight(x, y) > 0 && !done.iter().any(|cell| cell.contains(x, y))
        })?;
        let (texture, features) = (Vec::new(), Vec::new());
        let mut level = Self { width, height, colour, texture, hole, usable, features };
        level.texture = level.amount_of_texture(progress)?;
        level.features = map_pixels(width, height, progress, |x, y| level.feature(x, y))?;
        Ok(level)
    }

    /// Mean of the absolute forward differences of known luma in a square around each pixel.
    fn amount_of_texture(&self, progress: &mut Progress) -> Result<Vec<f32>, FillError> {
        let (width, height) = (self.width, self.height);
        let around = |center: usize, size: usize| {
            center.saturating_sub(TEXTURE_RADIUS)..(center + TEXTURE_RADIUS + 1).min(size)
        };
        // The difference and 1, or nothing, where a hole is touched.
        let gradients = map_pixels(width, height, progress, |x, y| {
            let at = y * width + x;
            let right = if x + 1 < width { at + 1 } else { at };
            let below = if y + 1 < height { at + width } else { at };
            if [at, right, below].iter().any(|&place| self.hole[place]) {
                return [0.0; 2];
            }
            let [here, right, below] = [at, right, below].map(|place| luma(self.colour[place]));
            [(right - here).abs() + (below - here).abs(), 1.0]
        })?;
        let rows = map_pixels(width, height, progress, |x, y| {
            let parts = around(x, width).map(|column| gradients[y * width + column]);
            parts.fold([0.0f32; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]])
        })?;
        map_pixels(width, height, progress, |x, y| {
            let parts = around(y, height).map(|row| rows[row * width + x]);
            let [sum, count] =
                parts.fold([0.0f32; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
            sum / count.max(1.0)
        })
    }

    /// Half the size: means over what is known, weighted 1 3 3 1 each way.
    pub(super) fn coarser(&self, progress: &mut Progress) -> Result<Self, FillError> {
        const TAPS: [f32; 4] = [1.0, 3.0, 3.0, 1.0];
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let means = map_pixels(width, height, progress, |x, y| {
            let (mut sums, mut weights) = ([0.0f32; 5], 0.0f32);
            for (j, v) in TAPS.iter().enumerate() {
                for (i, h) in TAPS.iter().enumerate() {
                    let column = (2 * x + i).saturating_sub(1).min(self.width - 1);
                    let line = (2 * y + j).saturating_sub(1).min(self.height - 1);
                    let at = line * self.width + column;
                    if !self.hole[at] {
                        let [r, g, b, a] = self.colour[at];
                        for (sum, value) in sums.iter_mut().zip([r, g, b, a, self.texture[at]]) {
                            *sum += h * v * value;
                        }
                        weights += h * v;
                    }
                }
            }
            sums.map(|sum| sum / weights.max(1.0))
        })?;
        let below = |x: usize, y: usize| {
            let columns = [2 * x, (2 * x + 1).min(self.width - 1)];
            let rows = [2 * y, (2 * y + 1).min(self.height - 1)];
            rows.into_iter().flat_map(move |y| columns.map(|x| y * self.width + x))
        };
        let hole = map_pixels(width, height, progress, |x, y| below(x, y).any(|at| self.hole[at]))?;
        let usable =
            map_pixels(width, height, progress, |x, y| below(x, y).all(|at| self.usable[at]))?;
        let mut level = Self {
            width,
            height,
            colour: means.iter().map(|&[r, g, b, a, _]| [r, g, b, a]).collect(),
            texture: means.iter().map(|mean| mean[4]).collect(),
            hole,
            usable,
            features: Vec::new(),
        };
        level.features = map_pixels(width, height, progress, |x, y| level.feature(x, y))?;
        Ok(level)
    }

    pub(super) fn rect(&self) -> IRect {
        IRect::new(0, 0, self.width as i32, self.height as i32)
    }

    /// The smallest rectangle with all hole pixels.
    pub(super) fn hole_rect(&self) -> IRect {
        let mut rect = IRect::EMPTY;
        for (row, y) in self.hole.chunks_exact(self.width).zip(0..) {
            if let Some(x0) = row.iter().position(|&hole| hole) {
                let x1 = row.iter().rposition(|&hole| hole).unwrap_or(x0);
                rect = rect.union(IRect::new(x0 as i32, y, x1 as i32 + 1, y + 1));
            }
        }
        rect
    }

    /// Computes the features inside `rect` from the colours.
    pub(super) fn refresh(&mut self, rect: IRect) {
        let rect = rect.intersect(self.rect());
        let mut features = std::mem::take(&mut self.features);
        let rows = features.par_chunks_mut(self.width).enumerate();
        rows.skip(rect.y0 as usize).take(rect.height() as usize).for_each(|(y, row)| {
            let columns = row.iter_mut().enumerate().skip(rect.x0 as usize);
            for (x, to) in columns.take(rect.width() as usize) {
                *to = self.feature(x, y);
            }
        });
        self.features = features;
    }

    fn feature(&self, x: usize, y: usize) -> Feature {
        let (width, at) = (self.width, y * self.width);
        let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
        let above = y.saturating_sub(1) * width;
        let below = (y + 1).min(self.height - 1) * width;
        let here = self.colour[at + x];
        let value = luma(here);
        let along = luma(self.colour[at + right]) - luma(self.colour[at + left]);
        let across = luma(self.colour[below + x]) - luma(self.colour[above + x]);
        [
            value * LUMA_SCALE,
            (here[0] - here[1]) * CHROMA_SCALE,
            (here[2] - value) * CHROMA_SCALE,
            along * GRADIENT_SCALE,
            across * GRADIENT_SCALE,
            self.texture[at + x] * TEXTURE_SCALE - (1.0 - here[3]) * ALPHA_SCALE,
        ]
        .map(|value| value.round() as i16)
    }

    /// Distance of each hole pixel to the known, by steps of 1 and √2.
    pub(super) fn depth(&self, progress: &mut Progress) -> Result<Vec<f32>, FillError> {
        const DIAGONAL: f32 = std::f32::consts::SQRT_2;
        let (width, height) = (self.width, self.height);
        let mut depth: Vec<f32> =
            self.hole.iter().map(|&hole| if hole { f32::MAX } else { 0.0 }).collect();
        let mut relax = |x: usize, y: usize, dy: isize, dx: isize| {
            let at = y * width + x;
            if depth[at] == 0.0 {
                return;
            }
            let mut best = depth[at];
            for (i, j, step) in
                [(dx, 0, 1.0), (-dx, dy, DIAGONAL), (0, dy, 1.0), (dx, dy, DIAGONAL)]
            {
                let (column, row) = (x as isize + i, y as isize + j);
                if (0..width as isize).contains(&column) && (0..height as isize).contains(&row) {
                    best = best.min(depth[row as usize * width + column as usize] + step);
                }
            }
            depth[at] = best;
        };
        let portion = (PORTION / width.max(1)).max(1);
        for y in 0..height {
            (0..width).for_each(|x| relax(x, y, -1, -1));
            if y % portion == 0 {
                progress.advance(0.0)?;
            }
        }
        for y in (0..height).rev() {
            (0..width).rev().for_each(|x| relax(x, y, 1, 1));
            if y % portion == 0 {
                progress.advance(0.0)?;
            }
        }
        Ok(depth)
    }
}

/// Pixels computed between two looks at whether to go on.
const PORTION: usize = 1 << 18;

/// `work(x, y)` for every pixel, row by row.
fn map_pixels<T: Send>(
    width: usize,
    height: usize,
    progress: &mut Progress,
    work: impl Fn(usize, usize) -> T + Sync,
) -> Result<Vec<T>, FillError> {
    let len = width * height;
    let mut out = Vec::with_capacity(len);
    while out.len() < len {
        let portion = out.len()..(out.len() + PORTION).min(len);
        let pixels = portion.into_par_iter().with_min_len(4096);
        out.par_extend(pixels.map(|at| work(at % width, at / width)));
        progress.advance(0.0)?;
    }
    Ok(out)
}
