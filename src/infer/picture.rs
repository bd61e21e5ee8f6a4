//! Pictures on their way into networks and back.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::profile_map::ProfileMap;
use crate::geom::{IRect, Size};
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf, Samples};

/// The colour inside `rect` as sRGB planes.
pub(super) fn read_planes(source: &PixelBuf, rect: IRect, map: &ProfileMap) -> Planes {
    let (width, height) = (rect.width() as usize, rect.height() as usize);
    let mut data = vec![0.0; 3 * width * height];
    let (red, rest) = data.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    for y in 0..height {
        for x in 0..width {
            let [r, g, b, _] =
                source.pixel_f32(rect.x0 as u32 + x as u32, rect.y0 as u32 + y as u32);
            let at = y * width + x;
            [red[at], green[at], blue[at]] = map.to_srgb([r, g, b]);
        }
    }
    Planes { channels: 3, height, width, data }
}

/// Lanczos3 on encoded values, of a 16-bit picture.
pub(super) fn resize_lanczos3(source: &PixelBuf, target: Size) -> Result<PixelBuf, String> {
    let kind = if source.channels() == 4 { PixelType::U16x4 } else { PixelType::U16 };
    let from = source.size();
    let mut out = PixelBuf::new(target, source.channels(), Depth::U16);
    let bytes: &mut [u8] = match out.samples_mut() {
        Samples::U16(samples) => bytemuck::cast_slice_mut(samples),
        Samples::U8(samples) => samples,
    };
    let view = ImageRef::new(from.width, from.height, source.samples().as_bytes(), kind)
        .map_err(|err| err.to_string())?;
    let mut into = Image::from_slice_u8(target.width, target.height, bytes, kind)
        .map_err(|err| err.to_string())?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(false);
    Resizer::new().resize(&view, &mut into, &options).map_err(|err| err.to_string())?;
    Ok(out)
}
