//! Whether a fill is as lively as what is around it.

use super::{is_in, luma, places};
use crate::pixels::PixelBuf;

/// The energy of the luma's gradient inside the mask, relative to that in a ring of `ring_px`
/// around it: 1 is as lively as the surroundings, less is blurred, more is noisy. Differences
/// across the mask's outline count for neither. NaN where the ring is flat or one of them empty.
pub fn gradient_ratio(image: &PixelBuf, mask: &PixelBuf, ring_px: u32) -> f64 {
    let (width, height) = (image.size().width, image.size().height);
    let luma = luma(image);
    let inside: Vec<bool> = places(image.size()).map(|(x, y)| is_in(mask, x, y)).collect();
    let near = grown(&grown(&inside, width as usize, 1, ring_px), width as usize, width, ring_px);
    let mut energies = [(0.0f64, 0u64); 2];
    for (x, y) in places(image.size()).filter(|&(x, y)| x + 1 < width && y + 1 < height) {
        let at = (y * width + x) as usize;
        let three = [at, at + 1, at + width as usize];
        let energy = {
            let [here, right, below] = three.map(|place| f64::from(luma[place]));
            (right - here).powi(2) + (below - here).powi(2)
        };
        let zone = if three.iter().all(|&place| inside[place]) {
            &mut energies[0]
        } else if three.iter().all(|&place| near[place] && !inside[place]) {
            &mut energies[1]
        } else {
            continue;
        };
        *zone = (zone.0 + energy, zone.1 + 1);
    }
    let [hole, ring] = energies.map(|(sum, count)| sum / count as f64);
    if ring > 0.0 { hole / ring } else { f64::NAN }
}

/// Flags set within `reach` steps of `stride` of a set one, in rows of `width`.
fn grown(flags: &[bool], width: usize, stride: u32, reach: u32) -> Vec<bool> {
    let (stride, reach) = (stride as usize, reach as usize);
    (0..flags.len())
        .map(|at| {
            (0..=reach).any(|step| {
                let is_same_line = |other: usize| stride > 1 || other / width == at / width;
                let set = |other: usize| is_same_line(other) && flags.get(other) == Some(&true);
                set(at + step * stride) || at.checked_sub(step * stride).is_some_and(set)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::pixels::Depth;

    #[test]
    fn half_the_contrast_has_a_quarter_of_the_energy() {
        let size = Size::new(60, 50);
        let mut image = PixelBuf::new(size, 1, Depth::U16);
        let mut mask = PixelBuf::new(size, 1, Depth::U8);
        for (x, y) in places(size) {
            let inside = (20..40).contains(&x) && (15..35).contains(&y);
            let contrast = if inside { 0.2 } else { 0.4 };
            let value = 0.5 + if (x + y) % 2 == 0 { contrast } else { -contrast };
            image.set_pixel_f32(x, y, [value; 4]);
            mask.set_pixel_f32(x, y, [f32::from(u8::from(inside)); 4]);
        }
        assert!((gradient_ratio(&image, &mask, 8) - 0.25).abs() < 1e-3);
        let flat = PixelBuf::new(size, 1, Depth::U8);
        assert!(gradient_ratio(&flat, &mask, 8).is_nan());
    }
}
