//! Tiled images as PNG entries: every sample as it is, cut to what differs from the fill.

use std::io::Cursor;

use super::Fault;
use super::record::{Channels, ImageRecord, PixelsRecord};
use crate::geom::{IRect, Size};
use crate::pixels::{Depth, PixelBuf, Samples, TiledImage};

/// No deflate stream expands further (RFC 1951: 258 bytes from 2 bits).
const MAX_EXPANSION: u64 = 1032;

/// The description of an image and the PNG for `entry`, which is empty where the description
/// names none: the image shows nothing but its fill.
pub(super) fn store(
    image: &TiledImage,
    origin: (i32, i32),
    entry: &str,
) -> Result<(ImageRecord, Vec<u8>), Fault> {
    let area = content(image);
    let mut record = ImageRecord { size: image.size(), origin, fill: image.fill(), pixels: None };
    if area.is_empty() {
        return Ok((record, Vec::new()));
    }
    let png = encode(image.read(area)).map_err(|err| Fault::Damaged(err.to_string()))?;
    record.pixels = Some(PixelsRecord { entry: entry.into(), area });
    Ok((record, png))
}

/// The smallest rectangle outside of which the image shows its fill.
fn content(image: &TiledImage) -> IRect {
    let fill = &image.fill()[..image.channels()];
    image
        .tiles_in(image.size().rect())
        .filter(|&(column, row)| image.tile(column, row).is_some())
        .fold(IRect::EMPTY, |area, (column, row)| {
            let rect = image.tile_rect(column, row);
            // A tile that lies inside already adds nothing.
            if area.intersect(rect) == rect {
                return area;
            }
            area.union(filled(&image.read(rect), fill).translate(rect.x0, rect.y0))
        })
}

/// The smallest rectangle with all pixels that differ from `fill`.
fn filled(pixels: &PixelBuf, fill: &[u16]) -> IRect {
    let (width, channels) = (pixels.size().width as usize, pixels.channels());
    let differs = |index: usize| {
        let samples = pixels.samples();
        (0..channels).any(|channel| samples.get(index * channels + channel) != fill[channel])
    };
    (0..pixels.size().pixels() as usize).filter(|&index| differs(index)).fold(
        IRect::EMPTY,
        |area, index| {
            let (x, y) = ((index % width) as i32, (index / width) as i32);
            area.union(IRect::new(x, y, x + 1, y + 1))
        },
    )
}

fn encode(pixels: PixelBuf) -> Result<Vec<u8>, png::EncodingError> {
    let mut info = png::Info::with_size(pixels.size().width, pixels.size().height);
    (info.color_type, info.bit_depth) = kind(pixels.channels(), pixels.depth());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::with_info(&mut bytes, info)?;
    // A project is written often and seldom sent.
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    let mut samples = pixels.into_samples();
    if let Samples::U16(samples) = &mut samples {
        samples.iter_mut().for_each(|sample| *sample = sample.to_be());
    }
    writer.write_image_data(samples.as_bytes())?;
    writer.finish()?;
    Ok(bytes)
}

const fn kind(channels: usize, depth: Depth) -> (png::ColorType, png::BitDepth) {
    let color = if channels == 4 { png::ColorType::Rgba } else { png::ColorType::Grayscale };
    let bits = match depth {
        Depth::U8 => png::BitDepth::Eight,
        Depth::U16 => png::BitDepth::Sixteen,
    };
    (color, bits)
}

/// The image of a description; `read` gives the bytes of an entry.
pub(super) fn load(
    record: &ImageRecord,
    channels: Channels,
    depth: Depth,
    read: impl FnOnce(&str) -> Result<Vec<u8>, Fault>,
) -> Result<TiledImage, Fault> {
    let channels = channels.count();
    let mut image = TiledImage::new(record.size, channels, depth, record.fill);
    if let Some(PixelsRecord { entry, area }) = &record.pixels {
        let bytes = read(entry)?;
        let pixels = decode(&bytes, area.size(), channels, depth)
            .map_err(|reason| Fault::Damaged(format!("its entry '{entry}' {reason}")))?;
        image.write(&pixels, (area.x0, area.y0));
    }
    Ok(image)
}

/// A PNG of exactly this extent and kind.
fn decode(bytes: &[u8], size: Size, channels: usize, depth: Depth) -> Result<PixelBuf, String> {
    let broken = |err: png::DecodingError| format!("is no whole PNG: {err}");
    let raw = size.pixels() * (channels * depth.bytes()) as u64;
    if raw > bytes.len() as u64 * MAX_EXPANSION {
        return Err("is too short for its pixels".into());
    }
    // Besides the pixels no chunk of it is needed.
    let limits = png::Limits { bytes: raw as usize + (1 << 20) };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let have = Size::new(info.width, info.height);
    if have != size {
        return Err(format!("is {have} and not {size}"));
    }
    if (info.color_type, info.bit_depth) != kind(channels, depth) || info.trns.is_some() {
        return Err("has other channels or another depth than its document says".into());
    }
    let mut samples = Samples::zeroed(size.pixels() as usize * channels, depth);
    match &mut samples {
        Samples::U8(samples) => reader.next_frame(samples).map_err(broken)?,
        Samples::U16(samples) => {
            let frame = reader.next_frame(bytemuck::cast_slice_mut(samples)).map_err(broken)?;
            samples.iter_mut().for_each(|sample| *sample = u16::from_be(*sample));
            frame
        }
    };
    reader.finish().map_err(broken)?;
    PixelBuf::from_samples(size, channels, samples).ok_or_else(|| "has no pixels".into())
}
