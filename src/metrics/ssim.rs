//! Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004).

use rayon::prelude::*;

use super::{is_in, luma};
use crate::pixels::PixelBuf;

/// Half the window; its bell has a standard deviation of 1.5 pixels.
pub(super) const RADIUS: i64 = 5;
const SIGMA: f64 = 1.5;
pub(super) const C1: f64 = 0.01 * 0.01;
pub(super) const C2: f64 = 0.03 * 0.03;

/// The mean structural similarity of the luma of two pictures of one size over the masked pixels,
/// up to 1. Windows are cut at the border. NaN where nothing is masked.
pub fn ssim(a: &PixelBuf, b: &PixelBuf, mask: &PixelBuf) -> f64 {
    let (width, height) = (i64::from(a.size().width), i64::from(a.size().height));
    let (a, b) = (luma(a), luma(b));
    let bell = bell();
    let at_pixel = |x: i64, y: i64| {
        // Sums of weight, a, b, a², b² and a b.
        let mut sums = [0.0f64; 6];
        for row in (y - RADIUS).max(0)..(y + RADIUS + 1).min(height) {
            for column in (x - RADIUS).max(0)..(x + RADIUS + 1).min(width) {
                let weight =
                    bell[(row - y + RADIUS) as usize] * bell[(column - x + RADIUS) as usize];
                let at = (row * width + column) as usize;
                let (a, b) = (f64::from(a[at]), f64::from(b[at]));
                for (sum, value) in sums.iter_mut().zip([1.0, a, b, a * a, b * b, a * b]) {
                    *sum += weight * value;
                }
            }
        }
        let [weight, rest @ ..] = sums;
        let [ma, mb, aa, bb, ab] = rest.map(|sum| sum / weight);
        let (va, vb, cov) = (aa - ma * ma, bb - mb * mb, ab - ma * mb);
        (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
    };
    // Row sums first, so that the result does not depend on the number of threads.
    let rows: Vec<(f64, u64)> = (0..height)
        .into_par_iter()
        .map(|y| {
            (0..width)
                .filter(|&x| is_in(mask, x as u32, y as u32))
                .fold((0.0, 0), |(sum, count), x| (sum + at_pixel(x, y), count + 1))
        })
        .collect();
    let (sum, count) = rows.iter().fold((0.0, 0), |all, row| (all.0 + row.0, all.1 + row.1));
    sum / count as f64
}

/// Weights of the window along one axis, not normalised.
pub(super) fn bell() -> Vec<f64> {
    (-RADIUS..=RADIUS).map(|x| (-0.5 * (x as f64 / SIGMA).powi(2)).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::pixels::{Depth, Samples};

    fn hashed(seed: u32) -> PixelBuf {
        let value = |at: u32| (((at * 2_654_435 + seed * 977) >> 7) % (200 + seed)) as u8;
        let samples = Samples::U8((0..40 * 32).map(value).collect());
        PixelBuf::from_samples(Size::new(40, 32), 1, samples).unwrap()
    }

    /// scikit-image's `structural_similarity` with `gaussian_weights=True, sigma=1.5,
    /// use_sample_covariance=False, data_range=255`, whose mean leaves out a rim of 5 pixels.
    #[test]
    fn agrees_with_scikit_image() {
        let (a, other) = (hashed(3), hashed(40));
        let mut b = a.clone();
        for (x, y) in super::super::places(a.size()) {
            let at = a.index(x, y);
            let mixed = (3 * a.samples().get(at) + other.samples().get(at)) / 4;
            b.set_pixel_f32(x, y, [f32::from(mixed) / 255.0; 4]);
        }
        let mut mask = PixelBuf::new(Size::new(40, 32), 1, Depth::U8);
        mask.blit(&PixelBuf::filled(Size::new(30, 22), 1, Depth::U8, [255; 4]), (5, 5));
        let similarity = ssim(&a, &b, &mask);
        assert!((similarity - 0.908930).abs() < 1e-5, "{similarity}");
        assert!((ssim(&a, &a, &mask) - 1.0).abs() < 1e-9);
    }
}
