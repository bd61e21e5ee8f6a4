//! A coarse mask follows the picture's edges: the guided filter of He, Sun and Tang (2010) with
//! the colours as guide, in the form of He and Sun (2015): the coefficients are found on a
//! smaller guide and applied to every pixel of the picture.

use super::grid::{Grid, each_row};
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
