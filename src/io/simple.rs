//! The formats without colour management or metadata: BMP in and out, GIF in.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::bmp::{BmpDecoder, BmpEncoder};
use image::codecs::gif::GifDecoder;

use super::Format;
use super::decoded::{Channels, ColorModel, Decoded, Raw, to_rgba};
use super::open::{DecodeError, Limits};
use crate::geom::Size;
use crate::pixels::{PixelBuf, Samples};

pub(super) fn decode_bmp(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(|e| error(Format::Bmp, &e))?;
    let palette = decoder.get_palette().is_some();
    read(decoder, Format::Bmp, limits, palette)
}

pub(super) fn decode_gif(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let decoder = GifDecoder::new(Cursor::new(bytes)).map_err(|e| error(Format::Gif, &e))?;
    let mut decoded = read(decoder, Format::Gif, limits, true)?;
    decoded.frames = count_gif_frames(bytes);
    Ok(decoded)
}

fn read(
    mut decoder: impl ImageDecoder,
    format: Format,
    limits: &Limits,
    palette: bool,
) -> Result<Decoded, DecodeError> {
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    limits.check(size, 4)?;
    let mut image_limits = image::Limits::no_limits();
    image_limits.max_alloc = Some(limits.max_bytes);
    decoder.set_limits(image_limits).map_err(|e| error(format, &e))?;
    let channels = usize::from(decoder.color_type().channel_count());
    let model = match (palette, channels) {
        (true, _) => ColorModel::Palette,
        (false, 1) => ColorModel::Gray,
        (false, 2) => ColorModel::GrayAlpha,
        (false, 3) => ColorModel::Rgb,
        (false, _) => ColorModel::Rgba,
    };
    let mut samples = vec![0; size.pixels() as usize * channels];
    if decoder.total_bytes() != samples.len() as u64 {
        let reason = "samples of more than 8 bits".into();
        return Err(DecodeError::Unsupported { format, reason });
    }
    decoder.read_image(&mut samples).map_err(|e| error(format, &e))?;
    let pixels = to_rgba(size, channels, Samples::U8(samples))
        .ok_or_else(|| DecodeError::Damaged { format, reason: "pixels missing".into() })?;
    Ok(Decoded::new(size, Raw::Rgba(pixels), model, 8))
}

pub(super) fn error(format: Format, error: &image::ImageError) -> DecodeError {
    use image::ImageError;
    match error {
        ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated(format)
        }
        ImageError::Unsupported(cause) => {
            DecodeError::Unsupported { format, reason: cause.to_string() }
        }
        cause => DecodeError::Damaged { format, reason: cause.to_string() },
    }
}

/// Counts image descriptors by walking the blocks (GIF89a, appendix B).
fn count_gif_frames(bytes: &[u8]) -> u32 {
    fn table_len(flags: u8) -> usize {
        if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
    }
    fn skip_sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            let len = usize::from(*bytes.get(at)?);
            at += 1 + len;
            if len == 0 {
                return Some(at);
            }
        }
    }
    let mut frames = 0;
    let mut at = 13 + bytes.get(10).map_or(0, |flags| table_len(*flags));
    loop {
        let next = match bytes.get(at) {
            Some(0x21) => skip_sub_blocks(bytes, at + 2),
            Some(0x2c) => {
                frames += 1;
                let flags = bytes.get(at + 9).copied().unwrap_or(0);
                skip_sub_blocks(bytes, at + 11 + table_len(flags))
            }
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return frames.max(1),
        }
    }
}

/// Encodes 8-bit RGBA `pixels`.
pub(super) fn encode_bmp(pixels: &PixelBuf) -> Result<Vec<u8>, String> {
    let channels = match Channels::needed(pixels, false) {
        Channels::Rgba | Channels::GrayAlpha => Channels::Rgba,
        _ => Channels::Rgb,
    };
    let color = match channels {
        Channels::Rgba => image::ExtendedColorType::Rgba8,
        _ => image::ExtendedColorType::Rgb8,
    };
    let Size { width, height } = pixels.size();
    let mut encoded = Vec::new();
    BmpEncoder::new(&mut encoded)
        .encode(channels.pack(pixels).as_bytes(), width, height, color)
        .map_err(|error| error.to_string())?;
    Ok(encoded)
}
