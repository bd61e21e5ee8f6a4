//! A part of a photo that may reach beyond it.

use super::PortraitError;
use crate::geom::{IRect, Size};
use crate::ops;
use crate::params::Value;
use crate::pixels::{Depth, PixelBuf};

/// Deviation of the blur far outside, in photo pixels. The crops that generators learnt from were
/// made so.
const BLUR_PX: f64 = 4.0;
/// Distance from the photo at which only the blur is left, in pixels.
const FADE_PX: f32 = 16.0;

/// `region` of `photo` as opaque 16-bit pixels, transparency as black. Beyond the edges the photo
/// is reflected about its outermost pixels and fades into its blur.
pub(super) fn canvas(photo: &PixelBuf, region: IRect) -> Result<PixelBuf, PortraitError> {
    let size = region.size();
    if !size.is_acceptable() || photo.size().is_empty() {
        return Err(PortraitError::Crop { side_px: size.width.max(size.height).into() });
    }
    let mut canvas = PixelBuf::new(size, 4, Depth::U16);
    let (columns, rows) = (photo.size().width, photo.size().height);
    for y in 0..size.height {
        let from_y = reflected(region.y0 + y as i32, rows);
        for x in 0..size.width {
            let [r, g, b, a] = photo.pixel_f32(reflected(region.x0 + x as i32, columns), from_y);
            canvas.set_pixel_f32(x, y, [r * a, g * a, b * a, 1.0]);
        }
    }
    if photo.size().rect().contains_rect(region) {
        return Ok(canvas);
    }
    let blurred = ops::perform("gaussian_blur", &[("sigma", Value::Float(BLUR_PX))], &canvas)?;
    for y in 0..size.height {
        for x in 0..size.width {
            let away =
                |place: i32, side: u32| (-place).max(place - (side as i32 - 1)).max(0) as f32;
            let distance =
                away(region.x0 + x as i32, columns).hypot(away(region.y0 + y as i32, rows));
            if distance > 0.0 {
                let share = (distance / FADE_PX).min(1.0);
                let (sharp, soft) = (canvas.pixel_f32(x, y), blurred.pixel_f32(x, y));
                let mixed = |channel| sharp[channel] + share * (soft[channel] - sharp[channel]);
                canvas.set_pixel_f32(x, y, std::array::from_fn(mixed));
            }
        }
    }
    Ok(canvas)
}

/// The picture at another size by Lanczos' filter.
pub(super) fn resized(picture: &PixelBuf, to: Size) -> Result<PixelBuf, PortraitError> {
    let values = [("width", Value::Int(to.width.into())), ("height", Value::Int(to.height.into()))];
    Ok(ops::perform("resize", &values, picture)?)
}

/// The place inside `0..side` that a mirror in the first and the last pixel shows at `place`.
fn reflected(place: i32, side: u32) -> u32 {
    let last = side as i32 - 1;
    if last == 0 {
        return 0;
    }
    let place = place.rem_euclid(2 * last);
    place.min(2 * last - place) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_repeat_no_pixel() {
        let seen: Vec<u32> = (-4..8).map(|place| reflected(place, 4)).collect();
        assert_eq!(seen, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(reflected(-3, 1), 0);
    }

    #[test]
    fn inside_the_photo_nothing_is_touched() {
        let photo = PixelBuf::filled(Size::new(9, 7), 4, Depth::U8, [10, 200, 30, 255]);
        let part = canvas(&photo, IRect::new(2, 1, 6, 5)).unwrap();
        assert_eq!(part, photo.crop(IRect::new(2, 1, 6, 5)).to_depth(Depth::U16));
        let glass = PixelBuf::filled(Size::new(9, 7), 4, Depth::U8, [255, 255, 255, 0]);
        assert_eq!(
            canvas(&glass, IRect::new(0, 0, 2, 2)).unwrap().pixel_f32(1, 1),
            [0.0, 0.0, 0.0, 1.0]
        );
    }
}
