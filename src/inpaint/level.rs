//! One level of the pyramid over a window: colours, what is known, and the features compared.

use rayon::prelude::*;

use super::region::{Region, is_visible};
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
const TEXTURE_SCALE: f32 = 1500.0;
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
    pub(super) fn finest(image: &PixelBuf, region: &Region, window: IRect, done: &[IRect]) -> Self {
        let (width, height) = (window.width() as usize, window.height() as usize);
        let len = width * height;
        let (mut colour, mut hole, mut usable) =
            (vec![[0.0; 4]; len], vec![false; len], vec![false; len]);
        colour
            .par_chunks_mut(width)
            .zip(hole.par_chunks_mut(width).zip(usable.par_chunks_mut(width)))
            .zip(window.y0..window.y1)
            .for_each(|((colour, (hole, usable)), y)| {
                for (at, x) in (window.x0..window.x1).enumerate() {
                    let [r, g, b, a] = image.pixel_f32(x as u32, y as u32);
                    colour[at] = [r * a, g * a, b * a, a];
                    usable[at] = is_visible(image, x, y);
                }
                region.row(window, y, |x, _| {
                    let at = (x - window.x0) as usize;
                    usable[at] = false;
                    hole[at] = !done.iter().any(|cell| cell.contains(x, y));
                });
            });
        let mut level =
            Self { width, height, colour, texture: Vec::new(), hole, usable, features: Vec::new() };
        level.texture = level.amount_of_texture();
        level.features = vec![[0; FEATURES]; len];
        level
    }

    /// Mean of the absolute forward differences of known luma in a square around each pixel.
    fn amount_of_texture(&self) -> Vec<f32> {
        let (width, height) = (self.width, self.height);
        // Sum and count along rows, then along columns.
        let mut rows = vec![[0.0f32; 2]; width * height];
        rows.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            let below = if y + 1 < height { y + 1 } else { y } * width;
            let at = y * width;
            let gradients: Vec<[f32; 2]> = (0..width)
                .map(|x| {
                    let right = if x + 1 < width { x + 1 } else { x };
                    let three = [at + x, at + right, below + x];
                    if three.iter().any(|&place| self.hole[place]) {
                        return [0.0; 2];
                    }
                    let [here, right, below] = three.map(|place| luma(self.colour[place]));
                    [(right - here).abs() + (below - here).abs(), 1.0]
                })
                .collect();
            sum_along(row, |x| gradients[x]);
        });
        let mut texture = vec![0.0; width * height];
        texture.par_chunks_mut(width).enumerate().for_each(|(y, to)| {
            let from = y.saturating_sub(TEXTURE_RADIUS)..(y + TEXTURE_RADIUS + 1).min(height);
            for (x, to) in to.iter_mut().enumerate() {
                let mut sum = [0.0f32; 2];
                for row in from.clone() {
                    let part = rows[row * width + x];
                    sum = [sum[0] + part[0], sum[1] + part[1]];
                }
                *to = sum[0] / sum[1].max(1.0);
            }
        });
        texture
    }

    /// Half the size: means over what is known, weighted 1 3 3 1 each way.
    pub(super) fn coarser(&self) -> Self {
        const TAPS: [f32; 4] = [1.0, 3.0, 3.0, 1.0];
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let len = width * height;
        let mut pixels = vec![([0.0f32; 4], 0.0f32, false, false); len];
        pixels.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            for (x, to) in row.iter_mut().enumerate() {
                let (mut colour, mut texture, mut weights) = ([0.0; 4], 0.0, 0.0f32);
                let (mut hole, mut usable) = (false, true);
                for (j, v) in TAPS.iter().enumerate() {
                    for (i, h) in TAPS.iter().enumerate() {
                        let column = (2 * x + i).saturating_sub(1).min(self.width - 1);
                        let line = (2 * y + j).saturating_sub(1).min(self.height - 1);
                        let at = line * self.width + column;
                        if (1..3).contains(&i) && (1..3).contains(&j) {
                            hole |= self.hole[at];
                            usable &= self.usable[at];
                        }
                        if !self.hole[at] {
                            let weight = h * v;
                            for (sum, value) in colour.iter_mut().zip(self.colour[at]) {
                                *sum += weight * value;
                            }
                            texture += weight * self.texture[at];
                            weights += weight;
                        }
                    }
                }
                let scale = 1.0 / weights.max(1.0);
                *to = (colour.map(|sum| sum * scale), texture * scale, hole, usable);
            }
        });
        Self {
            width,
            height,
            colour: pixels.iter().map(|pixel| pixel.0).collect(),
            texture: pixels.iter().map(|pixel| pixel.1).collect(),
            hole: pixels.iter().map(|pixel| pixel.2).collect(),
            usable: pixels.iter().map(|pixel| pixel.3).collect(),
            features: vec![[0; FEATURES]; len],
        }
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
        let (x0, x1) = (rect.x0 as usize, rect.x1 as usize);
        let (width, height, colour, texture) =
            (self.width, self.height, &self.colour, &self.texture);
        self.features
            .par_chunks_mut(width)
            .enumerate()
            .skip(rect.y0 as usize)
            .take(rect.height() as usize)
            .for_each(|(y, row)| {
                let (above, below) = (y.saturating_sub(1) * width, (y + 1).min(height - 1) * width);
                let at = y * width;
                for x in x0..x1 {
                    let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                    let here = colour[at + x];
                    let value = luma(here);
                    let along = luma(colour[at + right]) - luma(colour[at + left]);
                    let across = luma(colour[below + x]) - luma(colour[above + x]);
                    row[x] = [
                        value * LUMA_SCALE,
                        (here[0] - here[1]) * CHROMA_SCALE,
                        (here[2] - value) * CHROMA_SCALE,
                        along * GRADIENT_SCALE,
                        across * GRADIENT_SCALE,
                        texture[at + x] * TEXTURE_SCALE - (1.0 - here[3]) * ALPHA_SCALE,
                    ]
                    .map(|value| value.round() as i16);
                }
            });
    }

    /// Distance of each hole pixel to the known, by the 5-7-11 chamfer's simpler kin (1, √2).
    pub(super) fn depth(&self) -> Vec<f32> {
        const DIAGONAL: f32 = std::f32::consts::SQRT_2;
        let (width, height) = (self.width, self.height);
        let mut depth: Vec<f32> =
            self.hole.iter().map(|&hole| if hole { f32::MAX } else { 0.0 }).collect();
        let mut relax = |x: usize, y: usize, dy: isize, dx: isize| {
            let at = y * width + x;
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
        for y in 0..height {
            (0..width).for_each(|x| relax(x, y, -1, -1));
        }
        for y in (0..height).rev() {
            (0..width).rev().for_each(|x| relax(x, y, 1, 1));
        }
        depth
    }
}

/// `row[x]` = sum of `value` over a window of [`TEXTURE_RADIUS`] around `x`.
fn sum_along(row: &mut [[f32; 2]], value: impl Fn(usize) -> [f32; 2]) {
    let width = row.len();
    for (x, to) in row.iter_mut().enumerate() {
        for at in x.saturating_sub(TEXTURE_RADIUS)..(x + TEXTURE_RADIUS + 1).min(width) {
            let [sum, count] = value(at);
            *to = [to[0] + sum, to[1] + count];
        }
    }
}
