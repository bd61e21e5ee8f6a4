//! How noisy a picture is.

use crate::pixels::PixelBuf;

/// Pixels that are looked at, at most.
const SAMPLES: usize = 1 << 20;

/// The standard deviation of the noise, of a picture in `0..=1`: the median of the finest
/// diagonal wavelet coefficients over 0.6745 (Donoho and Johnstone, "Ideal spatial adaptation by
/// wavelet shrinkage", 1994), with Haar's wavelet on the mean of the colours' estimates.
pub fn noise_sigma(picture: &PixelBuf) -> f32 {
    let size = picture.size();
    let (columns, rows) = (size.width / 2, size.height / 2);
    let blocks = columns as usize * rows as usize;
    if blocks == 0 {
        return 0.0;
    }
    let step = blocks.div_ceil(SAMPLES);
    let mut sum = 0.0;
    let channels = picture.channels().min(3);
    for channel in 0..channels {
        let mut details: Vec<f32> = (0..blocks)
            .step_by(step)
            .map(|block| {
                let x = (block % columns as usize) as u32 * 2;
                let y = (block / columns as usize) as u32 * 2;
                let at = |dx, dy| picture.pixel_f32(x + dx, y + dy)[channel];
                ((at(0, 0) - at(1, 0) - at(0, 1) + at(1, 1)) / 2.0).abs()
            })
            .collect();
        let middle = details.len() / 2;
        let (_, median, _) = details.select_nth_unstable_by(middle, f32::total_cmp);
        sum += *median / 0.6745;
    }
    sum / channels.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::latent::random::normal_latent;
    use crate::pixels::Depth;

    #[test]
    fn the_noise_of_a_smooth_picture_is_found() {
        let size = Size::new(128, 96);
        for sigma in [0.0, 0.02, 0.1] {
            let noise = normal_latent(3, 3 * 128 * 96, sigma);
            let mut picture = PixelBuf::new(size, 4, Depth::U16);
            for y in 0..size.height {
                for x in 0..size.width {
                    let smooth = 0.5 + 0.1 * (x as f32 / 20.0).sin();
                    let at = (y * size.width + x) as usize * 3;
                    let rgb = [0, 1, 2].map(|channel| smooth + noise[at + channel]);
                    picture.set_pixel_f32(x, y, [rgb[0], rgb[1], rgb[2], 1.0]);
                }
            }
            let found = noise_sigma(&picture);
            assert!((found - sigma).abs() < 0.05 * sigma + 5e-4, "{found} for {sigma}");
        }
    }
}
