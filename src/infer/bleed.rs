//! Gives invisible pixels the colour of their visible neighbours.
//!
//! What lies under zero alpha is arbitrary, mostly black; a network would draw its edge into the
//! visible part. The fill is the pull-push pyramid of Gortler et al., "The Lumigraph" (1996).

use crate::geom::Size;
use crate::pixels::PixelBuf;

/// One pyramid level: colour weighted by alpha, and the weight.
struct Level {
    size: Size,
    pixels: Vec<[f32; 4]>,
}

impl Level {
    fn at(&self, x: u32, y: u32) -> [f32; 4] {
        self.pixels[y as usize * self.size.width as usize + x as usize]
    }

    /// Sums of 2×2 pixels; the weight is capped at 1, so that near colours outweigh many far
    /// ones.
    fn pull(&self) -> Self {
        let size = Size::new(self.size.width.div_ceil(2), self.size.height.div_ceil(2));
        let mut pixels = Vec::with_capacity(size.pixels() as usize);
        for y in 0..size.height {
            for x in 0..size.width {
                let mut sum = [0.0f32; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (x, y) = (2 * x + dx, 2 * y + dy);
                    if x < self.size.width && y < self.size.height {
                        let pixel = self.at(x, y);
                        sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                    }
                }
                let shrink = if sum[3] > 1.0 { 1.0 / sum[3] } else { 1.0 };
                pixels.push(sum.map(|value| value * shrink));
            }
        }
        Self { size, pixels }
    }
}

/// The picture with the colour of pixels of zero alpha replaced; visible pixels are untouched.
pub(super) fn bleed_color(source: &PixelBuf) -> PixelBuf {
    let size = source.size();
    let mut pixels = Vec::with_capacity(size.pixels() as usize);
    for y in 0..size.height {
        for x in 0..size.width {
            let [r, g, b, a] = source.pixel_f32(x, y);
            pixels.push([r * a, g * a, b * a, a]);
        }
    }
    let mut levels = vec![Level { size, pixels }];
    while let Some(last) = levels.last()
        && (last.size.width > 1 || last.size.height > 1)
    {
        let next = last.pull();
        levels.push(next);
    }
    // Push: each empty pixel takes the colour of the pixel above it, coarse to fine.
    for index in (1..levels.len()).rev() {
        let (fine, coarse) = levels.split_at_mut(index);
        let (Some(fine), Some(coarse)) = (fine.last_mut(), coarse.first()) else { continue };
        for y in 0..fine.size.height {
            for x in 0..fine.size.width {
                let at = y as usize * fine.size.width as usize + x as usize;
                if fine.pixels[at][3] <= 0.0 {
                    fine.pixels[at] = coarse.at(x / 2, y / 2);
                }
            }
        }
    }
    let mut out = source.clone();
    for y in 0..size.height {
        for x in 0..size.width {
            let [r, g, b, weight] = levels[0].at(x, y);
            let alpha = source.pixel_f32(x, y)[3];
            if alpha <= 0.0 && weight > 0.0 {
                out.set_pixel_f32(x, y, [r / weight, g / weight, b / weight, alpha]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::Depth;

    #[test]
    fn invisible_pixels_take_the_neighbouring_colour() {
        let mut picture = PixelBuf::new(Size::new(9, 5), 4, Depth::U8);
        picture.set_pixel_f32(4, 2, [1.0, 0.5, 0.0, 1.0]);
        let bled = bleed_color(&picture);
        for (x, y) in [(0, 0), (8, 4), (3, 2)] {
            let [r, g, b, a] = bled.pixel_f32(x, y);
            assert!(r > 0.99 && (g - 0.5).abs() < 0.01 && b < 0.01 && a == 0.0, "{x},{y}");
        }
        assert_eq!(bled.pixel_f32(4, 2), picture.pixel_f32(4, 2));
    }

    #[test]
    fn nothing_visible_changes_nothing() {
        let picture = PixelBuf::new(Size::new(7, 3), 4, Depth::U16);
        assert_eq!(bleed_color(&picture), picture);
    }
}
