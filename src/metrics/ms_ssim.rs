//! Structural similarity on several scales (Wang, Simoncelli and Bovik 2003).

use rayon::prelude::*;

use super::ssim::{C1, C2, RADIUS, bell};
use super::{MetricsError, luma};
use crate::pixels::PixelBuf;

/// Exponent of each scale, the finest first.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
/// Side of the window.
const WINDOW: usize = 2 * RADIUS as usize + 1;
/// The shortest side with room for a window on the coarsest scale.
const MIN_SIDE: u32 = (WINDOW as u32 - 1) * (1 << (WEIGHTS.len() - 1)) + 1;

/// The similarity of the luma of two pictures of one size, `0..=1`: contrast and structure on
/// each of five scales, brightness on the coarsest; windows lie wholly inside, each scale is the
/// mean of 2×2 pixels of the one before, with an odd last row or column repeated.
///
/// # Errors
/// Where the pictures differ in size or a side has fewer than 161 pixels.
pub fn ms_ssim(a: &PixelBuf, b: &PixelBuf) -> Result<f64, MetricsError> {
    let size = a.size();
    if b.size() != size {
        return Err(MetricsError::Sizes(size, b.size()));
    }
    if size.width.min(size.height) < MIN_SIDE {
        return Err(MetricsError::TooSmall { size, need: MIN_SIDE });
    }
    let width = size.width as usize;
    let mut pair = [a, b].map(|image| Plane { width, data: wide(&luma(image)) });
    let mut similarity = 1.0;
    for (scale, weight) in WEIGHTS.into_iter().enumerate() {
        if scale > 0 {
            pair = pair.map(|plane| plane.halved());
        }
        let [brightness, structure] = similarities(&pair);
        let value = if scale + 1 == WEIGHTS.len() { brightness } else { structure };
        // Opposite structure has no root.
        similarity *= value.max(0.0).powf(weight);
    }
    Ok(similarity)
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

struct Plane {
    width: usize,
    data: Vec<f64>,
}

impl Plane {
    /// The mean of 2×2 pixels each.
    fn halved(self) -> Self {
        let (width, height) = (self.width, self.data.len() / self.width);
        let at = |x: usize, y: usize| self.data[y.min(height - 1) * width + x.min(width - 1)];
        let mean =
            |x: usize, y: usize| (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0;
        let rows = (0..height).step_by(2);
        let data = rows.flat_map(|y| (0..width).step_by(2).map(move |x| (x, y)));
        Self { width: width.div_ceil(2), data: data.map(|(x, y)| mean(x, y)).collect() }
    }

    /// The means of a function of two planes under the windows that fit.
    fn filtered(a: &Self, b: &Self, of: impl Fn(f64, f64) -> f64 + Sync) -> Vec<f64> {
        let bell = bell();
        let total: f64 = bell.iter().sum();
        let kernel: Vec<f64> = bell.iter().map(|weight| weight / total).collect();
        let inner = a.width + 1 - WINDOW;
        let along: Vec<f64> = a
            .data
            .par_chunks_exact(a.width)
            .zip(b.data.par_chunks_exact(a.width))
            .flat_map_iter(|(a, b)| {
                let row: Vec<f64> = a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect();
                let sums = row.windows(WINDOW).map(|window| weighted(&kernel, window.iter()));
                sums.collect::<Vec<_>>()
            })
            .collect();
        let rows = a.data.len() / a.width + 1 - WINDOW;
        let down = |at: usize| weighted(&kernel, along[at..].iter().step_by(inner));
        (0..rows * inner).into_par_iter().map(down).collect()
    }
}

fn weighted<'a>(kernel: &[f64], values: impl Iterator<Item = &'a f64>) -> f64 {
    kernel.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

/// The means of the whole similarity and of contrast and structure alone.
fn similarities([a, b]: &[Plane; 2]) -> [f64; 2] {
    let mean_a = Plane::filtered(a, b, |a, _| a);
    let mean_b = Plane::filtered(a, b, |_, b| b);
    let square_a = Plane::filtered(a, b, |a, _| a * a);
    let square_b = Plane::filtered(a, b, |_, b| b * b);
    let product = Plane::filtered(a, b, |a, b| a * b);
    let mut sums = [0.0; 2];
    for at in 0..mean_a.len() {
        let (ma, mb) = (mean_a[at], mean_b[at]);
        let (va, vb) = (square_a[at] - ma * ma, square_b[at] - mb * mb);
        let structure = (2.0 * (product[at] - ma * mb) + C2) / (va + vb + C2);
        sums[0] += (2.0 * ma * mb + C1) / (ma * ma + mb * mb + C1) * structure;
        sums[1] += structure;
    }
    sums.map(|sum| sum / mean_a.len() as f64)
}
