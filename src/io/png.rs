//! PNG (W3C, third edition): every colour type and depth, interlaced or not.

use std::borrow::Cow;
use std::io::{BufRead, Cursor, Seek, Write};

use super::decoded::{Channels, ColorModel, Decoded, Raw, depth_for, to_rgba};
use super::open::{DecodeError, Limits};
use super::{Format, Notice};
use crate::color;
use crate::document::Metadata;
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf, Samples};

const FORMAT: Format = Format::Png;
const XMP_KEYWORD: &str = "XML:com.adobe.xmp";
const INCHES_PER_METRE: f32 = 39.370_08;
/// Largest compressed text or profile that is unpacked, in bytes.
const MAX_TEXT: usize = 16 << 20;
/// No deflate stream expands further (RFC 1951: 258 bytes from 2 bits).
const MAX_EXPANSION: u64 = 1032;

pub(super) fn error(error: png::DecodingError) -> DecodeError {
    match error {
        png::DecodingError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated(FORMAT)
        }
        cause => DecodeError::Damaged { format: FORMAT, reason: cause.to_string() },
    }
}

/// A decoder that yields grey and alpha, or RGBA.
pub(super) fn decoder<R: BufRead + Seek>(bytes: R, limits: &Limits) -> png::Decoder<R> {
    let budget = png::Limits { bytes: usize::try_from(limits.max_bytes).unwrap_or(usize::MAX) };
    let mut decoder = png::Decoder::new_with_limits(bytes, budget);
    decoder.set_ignore_text_chunk(false);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
    decoder
}

/// The bytes of a picture, most significant first, as samples.
pub(super) fn samples(bytes: Vec<u8>, depth: png::BitDepth) -> Samples {
    if depth != png::BitDepth::Sixteen {
        return Samples::U8(bytes);
    }
    let pairs = bytes.chunks_exact(2);
    Samples::U16(pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    decode_from(Cursor::new(bytes), bytes.len() as u64, limits)
}

/// From a file of `file_bytes`, of which never more than a part is in memory.
pub(super) fn decode_from<R: BufRead + Seek>(
    file: R,
    file_bytes: u64,
    limits: &Limits,
) -> Result<Decoded, DecodeError> {
    let mut decoder = decoder(file, limits);
    let info = decoder.read_header_info().map_err(error)?;
    let size = Size::new(info.width, info.height);
    let bits = info.bit_depth as u32;
    limits.check(size, 4 * depth_for(bits).bytes())?;
    let stored_bits = size.pixels() * info.color_type.samples() as u64 * u64::from(bits);
    if stored_bits / 8 > file_bytes.saturating_mul(MAX_EXPANSION) {
        return Err(DecodeError::Truncated(FORMAT));
    }
    let mut reader = decoder.read_info().map_err(error)?;
    let model = match (reader.info().color_type, reader.info().trns.is_some()) {
        (png::ColorType::Indexed, _) => ColorModel::Palette,
        (png::ColorType::Grayscale, false) => ColorModel::Gray,
        (png::ColorType::Grayscale, true) | (png::ColorType::GrayscaleAlpha, _) => {
            ColorModel::GrayAlpha
        }
        (png::ColorType::Rgb, false) => ColorModel::Rgb,
        (png::ColorType::Rgb, true) | (png::ColorType::Rgba, _) => ColorModel::Rgba,
    };
    let (out_color, out_bits) = reader.output_color_type();
    let len = reader
        .output_buffer_size()
        .ok_or_else(|| DecodeError::Damaged { format: FORMAT, reason: "it is too large".into() })?;
    let channels = out_color.samples();
    let samples = if out_bits == png::BitDepth::Sixteen {
        let mut samples = vec![0u16; len / 2];
        reader.next_frame(bytemuck::cast_slice_mut(&mut samples)).map_err(error)?;
        for sample in &mut samples {
            *sample = u16::from_be(*sample);
        }
        Samples::U16(samples)
    } else {
        let mut samples = vec![0u8; len];
        reader.next_frame(&mut samples).map_err(error)?;
        Samples::U8(samples)
    };
    // Text may follow the pixels; what is broken there costs the text only.
    let text_error = reader.finish().err();
    let pixels = to_rgba(size, channels, samples)
        .ok_or_else(|| DecodeError::Damaged { format: FORMAT, reason: "pixels missing".into() })?;

    let mut decoded = Decoded::new(size, Raw::Rgba(pixels), model, bits);
    read_metadata(reader.info(), &mut decoded);
    if let Some(png::DecodingError::IoError(_)) = text_error {
        return Err(DecodeError::Truncated(FORMAT));
    }
    Ok(decoded)
}

/// The colour profile that a file states in one way or another.
pub(super) fn stored_icc(info: &png::Info) -> Option<Vec<u8>> {
    if let Some(icc) = &info.icc_profile {
        return Some(icc.to_vec());
    }
    // Display P3 in code points (ITU-T H.273): primaries 12, transfer 13.
    let points = info.coding_independent_code_points.filter(|_| info.srgb.is_none());
    let is_p3 =
        points.is_some_and(|points| points.color_primaries == 12 && points.transfer_function == 13);
    is_p3.then(color::display_p3_icc)
}

fn read_metadata(info: &png::Info, decoded: &mut Decoded) {
    decoded.icc = stored_icc(info);
    decoded.exif = info.exif_metadata.as_ref().map(|exif| exif.to_vec());
    decoded.xmp = info.utf8_text.iter().find(|text| text.keyword == XMP_KEYWORD).and_then(|text| {
        let mut text = text.clone();
        text.decompress_text_with_limit(MAX_TEXT).ok()?;
        text.get_text().ok().map(String::into_bytes)
    });
    decoded.pixels_per_inch = info.pixel_dims.and_then(|dims| match dims.unit {
        png::Unit::Meter => {
            let per_inch = |value: u32| value as f32 / INCHES_PER_METRE;
            Some((per_inch(dims.xppu), per_inch(dims.yppu)))
        }
        png::Unit::Unspecified => None,
    });
    if let Some(animation) = info.animation_control {
        decoded.frames = animation.num_frames.max(1);
    }
}

/// Encodes RGBA `pixels` with as few channels as they need.
pub(super) fn encode(
    pixels: &PixelBuf,
    icc: Option<&[u8]>,
    metadata: &Metadata,
    notices: &mut Vec<Notice>,
) -> Result<Vec<u8>, String> {
    // An RGB profile does not go with grey samples.
    let channels = Channels::needed(pixels, icc.is_none());
    let text = |error: png::EncodingError| error.to_string();
    let mut encoded = Vec::new();
    let encoder = encoder(&mut encoded, pixels, channels, icc, metadata, notices)?;
    let mut writer = encoder.write_header().map_err(text)?;
    let mut packed = channels.pack(pixels);
    if let Samples::U16(samples) = &mut packed {
        for sample in samples {
            *sample = sample.to_be();
        }
    }
    writer.write_image_data(packed.as_bytes()).map_err(text)?;
    writer.finish().map_err(text)?;
    Ok(encoded)
}

/// An encoder for pictures like `pixels` that has everything but these.
pub(super) fn encoder<'a, W: Write>(
    out: W,
    pixels: &PixelBuf,
    channels: Channels,
    icc: Option<&'a [u8]>,
    metadata: &'a Metadata,
    notices: &mut Vec<Notice>,
) -> Result<png::Encoder<'a, W>, String> {
    let mut info = png::Info::with_size(pixels.size().width, pixels.size().height);
    info.color_type = match channels {
        Channels::Gray => png::ColorType::Grayscale,
        Channels::GrayAlpha => png::ColorType::GrayscaleAlpha,
        Channels::Rgb => png::ColorType::Rgb,
        Channels::Rgba => png::ColorType::Rgba,
    };
    info.bit_depth = match pixels.depth() {
        Depth::U8 => png::BitDepth::Eight,
        Depth::U16 => png::BitDepth::Sixteen,
    };
    info.icc_profile = icc.map(Cow::Borrowed);
    info.exif_metadata = metadata.exif.as_deref().map(Cow::Borrowed);
    info.pixel_dims = metadata.pixels_per_inch.map(|(x, y)| png::PixelDimensions {
        xppu: (x * INCHES_PER_METRE).round() as u32,
        yppu: (y * INCHES_PER_METRE).round() as u32,
        unit: png::Unit::Meter,
    });
    let text = |error: png::EncodingError| error.to_string();
    let mut encoder = png::Encoder::with_info(out, info).map_err(text)?;
    match metadata.xmp.as_deref().map(std::str::from_utf8) {
        Some(Ok(xmp)) => {
            encoder.add_itxt_chunk(XMP_KEYWORD.into(), xmp.into()).map_err(text)?;
        }
        Some(Err(_)) => {
            let reason = "it is not UTF-8".into();
            notices.push(Notice::MetadataLost { what: "the XMP packet", reason });
        }
        None => {}
    }
    Ok(encoder)
}
