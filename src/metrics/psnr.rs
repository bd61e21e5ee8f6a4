//! Peak signal-to-noise ratio.

use super::{is_in, places};
use crate::pixels::PixelBuf;

/// The peak signal-to-noise ratio in dB over the three colours of the masked pixels of two
/// pictures of one size. Infinite where they are equal, NaN where nothing is masked.
pub fn psnr_db(a: &PixelBuf, b: &PixelBuf, mask: &PixelBuf) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (x, y) in places(a.size()).filter(|&(x, y)| is_in(mask, x, y)) {
        let (a, b) = (a.pixel_f32(x, y), b.pixel_f32(x, y));
        for (a, b) in a.iter().zip(b).take(3) {
            sum += f64::from(a - b).powi(2);
            count += 1.0;
        }
    }
    -10.0 * (sum / count).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::pixels::Depth;

    #[test]
    fn a_tenth_of_the_range_is_twenty_decibels() {
        let size = Size::new(4, 3);
        let a = PixelBuf::filled(size, 4, Depth::U16, [10_000, 20_000, 30_000, 65_535]);
        let mut b = PixelBuf::filled(size, 4, Depth::U16, [16_553, 26_553, 36_553, 65_535]);
        let mut mask = PixelBuf::filled(size, 1, Depth::U8, [255; 4]);
        assert!((psnr_db(&a, &b, &mask) - 20.0).abs() < 0.01);
        // What the mask leaves out does not count.
        b.set_pixel_f32(2, 1, [1.0; 4]);
        mask.set_pixel_f32(2, 1, [0.0; 4]);
        assert!((psnr_db(&a, &b, &mask) - 20.0).abs() < 0.01);
        assert_eq!(psnr_db(&a, &a, &mask), f64::INFINITY);
    }
}
