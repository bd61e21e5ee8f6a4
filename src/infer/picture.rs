//! Pictures on their way into networks and back.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use rayon::prelude::*;

use super::plan;
use super::worker::{Context, End};
use crate::color::{ProfileMap, WorkingProfile};
use crate::geom::{IRect, Size};
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf, Samples};
use crate::zoo::{Capability, Extent, Range};

/// Pixels made between two looks at whether to go on.
const PORTION: usize = 1 << 18;

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

/// A colour for each pixel, by its number row by row, as planes.
pub(super) fn each_pixel(
    size: Size,
    context: &Context<'_>,
    of: impl Fn(usize) -> [f32; 3] + Sync,
) -> Result<Planes, End> {
    let (width, height) = (size.width as usize, size.height as usize);
    let area = width * height;
    let mut pixels: Vec<[f32; 3]> = Vec::with_capacity(area);
    while pixels.len() < area {
        context.check()?;
        let portion = pixels.len()..(pixels.len() + PORTION).min(area);
        pixels.par_extend(portion.into_par_iter().map(&of));
    }
    let data = (0..3).flat_map(|channel| pixels.iter().map(move |pixel| pixel[channel]));
    Ok(Planes { channels: 3, height, width, data: data.collect() })
}

/// A picture at another size, as sRGB planes.
pub(super) fn read_resized(
    source: &PixelBuf,
    size: Size,
    map: &ProfileMap,
) -> Result<Planes, String> {
    if source.size() == size {
        return Ok(read_planes(source, size.rect(), map));
    }
    let resized = resize_lanczos3(&source.to_depth(Depth::U16), size)?;
    Ok(read_planes(&resized, size.rect(), map))
}

/// sRGB planes as an opaque picture.
pub(super) fn to_picture(planes: &Planes, map: &ProfileMap, depth: Depth) -> PixelBuf {
    let size = Size::new(planes.width as u32, planes.height as u32);
    let mut picture = PixelBuf::new(size, 4, depth);
    let area = planes.width * planes.height;
    for at in 0..area {
        let [r, g, b] = map.of_srgb([0, 1, 2].map(|channel| planes.data[channel * area + at]));
        let (x, y) = ((at % planes.width) as u32, (at / planes.width) as u32);
        picture.set_pixel_f32(x, y, [r, g, b, 1.0]);
    }
    picture
}

/// Numbers of a picture in `0..=1` as a network of this range wants them.
pub(super) fn to_range(planes: &mut Planes, range: Range) {
    let area = (planes.height * planes.width).max(1);
    for (channel, plane) in planes.data.chunks_exact_mut(area).enumerate() {
        plane.iter_mut().for_each(|value| *value = range.of_unit(*value, channel));
    }
}

/// What a network of this range made as a picture in `0..=1`, which must be one of `size`.
pub(super) fn from_range(mut planes: Planes, range: Range, size: Size) -> Result<Planes, String> {
    let (height, width) = (size.height as usize, size.width as usize);
    if planes.channels != 3 || planes.height < height || planes.width < width {
        return Err("the network answered with a picture of another size".into());
    }
    planes.data.iter_mut().for_each(|value| *value = range.to_unit(*value));
    Ok(planes.crop(height, width))
}

/// What a generator drew as sRGB in `0..=1`.
pub(super) fn in_unit(picture: Planes) -> Result<Planes, End> {
    let size = Size::new(picture.width as u32, picture.height as u32);
    if !size.is_acceptable() {
        return Err(End::Failed(format!("the network drew a picture of {size}")));
    }
    from_range(picture, Range::Signed, size).map_err(End::Failed)
}

/// [`in_unit`], and the same as RGBA in sRGB, opaque, 8 bits.
pub(super) fn drawn_picture(picture: Planes) -> Result<(Planes, PixelBuf), End> {
    let planes = in_unit(picture)?;
    let picture = to_picture(&planes, &ProfileMap::new(&WorkingProfile::srgb()), Depth::U8);
    Ok((planes, picture))
}

/// The size at which a network sees a picture of `size`: its own, or on its grid with the longest
/// side bounded.
pub(super) fn seen_size(size: Size, capability: &Capability, longest: u32) -> Size {
    if let Extent::Fixed([height, width]) = capability.extent {
        return Size::new(width as u32, height as u32);
    }
    let shrink = longest as f32 / size.width.max(size.height) as f32;
    let scaled = plan::scaled(size, shrink.min(1.0));
    let grid = |side: u32| side.next_multiple_of(capability.multiple.max(1));
    Size::new(grid(scaled.width), grid(scaled.height))
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
