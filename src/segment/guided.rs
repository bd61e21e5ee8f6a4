//! A coarse mask follows the picture's edges: the guided filter of He, Sun and Tang (2010) with
//! the colours as guide, in the form of He and Sun (2015): the coefficients are found on a
//! smaller guide and applied to every pixel of the picture.

use rayon::prelude::*;

use crate::geom::Size;
use crate::nets::cpu::Stop;
use crate::nets::{Planes, Stopped};
use crate::pixels::{Depth, PixelBuf, Samples};

/// Guide pixels along one pixel of the mask: enough to see where in it an edge runs.
const GUIDE_PER_MASK: usize = 4;
/// Radius of the windows in pixels of the mask: an edge is known to about that.
const RADIUS: f64 = 2.0;
/// Variance of colour (of `0..=1`) that counts as an edge rather than as noise.
const EPS: f32 = 4e-4;
/// Mask values up to the first become 0, from the second 1: windows across an edge leave a veil.
const CLEAN: [f32; 2] = [0.1, 0.9];

/// Numbers for each pixel, row by row.
struct Grid<const N: usize> {
    width: usize,
    values: Vec<[f32; N]>,
}

impl<const N: usize> Grid<N> {
    fn height(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    fn build(
        [width, height]: [usize; 2],
        stop: Stop<'_>,
        of: impl Fn(usize, usize) -> [f32; N] + Sync,
    ) -> Result<Self, Stopped> {
        let mut values = vec![[0.0; N]; width * height];
        each_row(&mut values, width, stop, |y, row| {
            row.iter_mut().enumerate().for_each(|(x, to)| *to = of(x, y));
        })?;
        Ok(Self { width, values })
    }

    fn map<const M: usize>(
        &self,
        stop: Stop<'_>,
        of: impl Fn(&[f32; N]) -> [f32; M] + Sync,
    ) -> Result<Grid<M>, Stopped> {
        let sides = [self.width, self.height()];
        Grid::build(sides, stop, |x, y| of(&self.values[y * self.width + x]))
    }

    fn transposed(&self, stop: Stop<'_>) -> Result<Self, Stopped> {
        let sides = [self.height(), self.width];
        Self::build(sides, stop, |x, y| self.values[x * self.width + y])
    }

    /// The mean over windows of `2 radius + 1` in each row, cut at its ends.
    fn mean_along_rows(&self, radius: usize, stop: Stop<'_>) -> Result<Self, Stopped> {
        let width = self.width;
        let mut values = vec![[0.0; N]; self.values.len()];
        each_row(&mut values, width, stop, |y, to| {
            let from = &self.values[y * width..][..width];
            let mut sum = [0.0f64; N];
            let add = |sum: &mut [f64; N], value: &[f32; N], sign: f64| {
                sum.iter_mut().zip(value).for_each(|(sum, v)| *sum += sign * f64::from(*v));
            };
            from.iter().take(radius).for_each(|value| add(&mut sum, value, 1.0));
            for (x, to) in to.iter_mut().enumerate() {
                if let Some(entering) = from.get(x + radius) {
                    add(&mut sum, entering, 1.0);
                }
                if x > radius {
                    add(&mut sum, &from[x - radius - 1], -1.0);
                }
                let count = (x + radius + 1).min(width) - x.saturating_sub(radius);
                *to = sum.map(|sum| (sum / count as f64) as f32);
            }
        })?;
        Ok(Self { width, values })
    }

    /// The mean over square windows.
    fn mean(&self, radius: usize, stop: Stop<'_>) -> Result<Self, Stopped> {
        let along = self.mean_along_rows(radius, stop)?.transposed(stop)?;
        along.mean_along_rows(radius, stop)?.transposed(stop)
    }

    /// The value at continuous indices, where whole numbers are pixel centres.
    fn bilinear(&self, x: f64, y: f64) -> [f32; N] {
        let tap = |at: f64, len: usize| {
            let at = at.clamp(0.0, len as f64 - 1.0);
            let low = at as usize;
            (low, (low + 1).min(len - 1), (at - low as f64) as f32)
        };
        let ((left, right, along), (top, bottom, down)) =
            (tap(x, self.width), tap(y, self.height()));
        let at = |x: usize, y: usize| &self.values[y * self.width + x];
        let (a, b, c, d) = (at(left, top), at(right, top), at(left, bottom), at(right, bottom));
        std::array::from_fn(|n| {
            let (above, below) = (a[n] + (b[n] - a[n]) * along, c[n] + (d[n] - c[n]) * along);
            above + (below - above) * down
        })
    }
}

/// `work` on each row and its number, in parallel, unless `stop` answers true before one.
fn each_row<T: Send>(
    values: &mut [T],
    width: usize,
    stop: Stop<'_>,
    work: impl Fn(usize, &mut [T]) + Sync,
) -> Result<(), Stopped> {
    values.par_chunks_mut(width.max(1)).enumerate().try_for_each(|(y, row)| {
        if stop() {
            return Err(Stopped);
        }
        work(y, row);
        Ok(())
    })
}

/// The mask, one channel in `0..=1` that lies over the whole of `image` (encoded sRGB), as a soft
/// mask of the picture's size with 8 bits whose edges are those of the picture.
///
/// # Errors
/// [`Stopped`] when `stop`, which is asked before each row of each step, answered true.
pub fn refine(mask: &Planes, image: &PixelBuf, stop: Stop<'_>) -> Result<PixelBuf, Stopped> {
    let size = image.size();
    if size.is_empty() || mask.data.is_empty() {
        return Ok(PixelBuf::new(size, 1, Depth::U8));
    }
    let (width, height) = (size.width as usize, size.height as usize);
    let factor = (width.max(height) / (GUIDE_PER_MASK * mask.width.max(mask.height))).max(1);
    let guide = shrunk(image, factor, stop)?;
    let (columns, rows) = (guide.width, guide.height());
    let mask = Grid { width: mask.width, values: mask.data.iter().map(|value| [*value]).collect() };
    let (x_step, y_step) = (
        mask.width as f64 * factor as f64 / width as f64,
        mask.height() as f64 * factor as f64 / height as f64,
    );
    let coarse = Grid::build([columns, rows], stop, |x, y| {
        mask.bilinear((x as f64 + 0.5) * x_step - 0.5, (y as f64 + 0.5) * y_step - 0.5)
    })?;
    let radius = (RADIUS / x_step.max(y_step)).ceil().max(1.0) as usize;
    let coefficients = coefficients(&guide, &coarse, radius, stop)?.mean(radius, stop)?;
    let mut samples = vec![0u8; width * height];
    each_row(&mut samples, width, stop, |y, row| {
        let at = |place: usize| (place as f64 + 0.5) / factor as f64 - 0.5;
        for (x, to) in row.iter_mut().enumerate() {
            let [r, g, b, offset] = coefficients.bilinear(at(x), at(y));
            let [red, green, blue, _] = image.pixel_f32(x as u32, y as u32);
            let value = r * red + g * green + b * blue + offset;
            let clean = ((value - CLEAN[0]) / (CLEAN[1] - CLEAN[0])).clamp(0.0, 1.0);
            *to = (clean * 255.0 + 0.5) as u8;
        }
    })?;
    Ok(PixelBuf::from_samples(size, 1, Samples::U8(samples))
        .unwrap_or_else(|| PixelBuf::new(size, 1, Depth::U8)))
}

/// RGB means of blocks of `factor` × `factor` pixels.
fn shrunk(image: &PixelBuf, factor: usize, stop: Stop<'_>) -> Result<Grid<3>, Stopped> {
    let Size { width, height } = image.size();
    let (width, height) = (width as usize, height as usize);
    Grid::build([width.div_ceil(factor), height.div_ceil(factor)], stop, |column, row| {
        let ys = row * factor..((row + 1) * factor).min(height);
        let xs = column * factor..((column + 1) * factor).min(width);
        let count = (ys.len() * xs.len()) as f32;
        let mut sum = [0.0; 3];
        for (x, y) in ys.flat_map(|y| xs.clone().map(move |x| (x, y))) {
            let pixel = image.pixel_f32(x as u32, y as u32);
            sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        sum.map(|sum| sum / count)
    })
}

/// The linear function of the colour that fits the mask best in each window: factors of red,
/// green and blue, and an offset (equations 19 and 20 of He et al.).
fn coefficients(
    guide: &Grid<3>,
    mask: &Grid<1>,
    radius: usize,
    stop: Stop<'_>,
) -> Result<Grid<4>, Stopped> {
    let products = Grid::build([guide.width, guide.height()], stop, |x, y| {
        let at = y * guide.width + x;
        let ([r, g, b], [p]) = (guide.values[at], mask.values[at]);
        [r, g, b, p, r * p, g * p, b * p, r * r, r * g, r * b, g * g, g * b, b * b]
    })?;
    products.mean(radius, stop)?.map(stop, |&[r, g, b, p, rp, gp, bp, rr, rg, rb, gg, gb, bb]| {
        let with_mask = [rp - r * p, gp - g * p, bp - b * p];
        let (xx, yy, zz) = (rr - r * r + EPS, gg - g * g + EPS, bb - b * b + EPS);
        let (xy, xz, yz) = (rg - r * g, rb - r * b, gb - g * b);
        // The inverse of a symmetric matrix by its cofactors.
        let cofactors = [
            [yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy],
            [xz * yz - xy * zz, xx * zz - xz * xz, xy * xz - xx * yz],
            [xy * yz - xz * yy, xy * xz - xx * yz, xx * yy - xy * xy],
        ];
        let determinant = xx * cofactors[0][0] + xy * cofactors[0][1] + xz * cofactors[0][2];
        let factors = cofactors
            .map(|row| row.iter().zip(with_mask).map(|(c, v)| c * v).sum::<f32>() / determinant);
        let offset = p - factors[0] * r - factors[1] * g - factors[2] * b;
        [factors[0], factors[1], factors[2], offset]
    })
}
