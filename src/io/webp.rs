//! WebP: lossy and lossless in, lossless out.

use std::io::Cursor;

use super::Format;
use super::decoded::{Channels, ColorModel, Decoded, Raw, to_rgba};
use super::open::{DecodeError, Limits};
use crate::document::Metadata;
use crate::geom::Size;
use crate::pixels::{PixelBuf, Samples};

const FORMAT: Format = Format::WebP;

fn error(error: image_webp::DecodingError) -> DecodeError {
    match error {
        image_webp::DecodingError::IoError(cause)
            if cause.kind() == std::io::ErrorKind::UnexpectedEof =>
        {
            DecodeError::Truncated(FORMAT)
        }
        cause => DecodeError::Damaged { format: FORMAT, reason: cause.to_string() },
    }
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    // The container states its own length.
    let stated = bytes.get(4..8).and_then(|len| len.try_into().ok()).map(u32::from_le_bytes);
    if stated.is_none_or(|len| u64::from(len) + 8 > bytes.len() as u64 + 1) {
        return Err(DecodeError::Truncated(FORMAT));
    }
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(error)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    limits.check(size, 4)?;
    decoder.set_memory_limit(usize::try_from(limits.max_bytes).unwrap_or(usize::MAX));
    let (channels, model) =
        if decoder.has_alpha() { (4, ColorModel::Rgba) } else { (3, ColorModel::Rgb) };
    let mut samples = vec![0; size.pixels() as usize * channels];
    decoder.read_image(&mut samples).map_err(error)?;
    let pixels = to_rgba(size, channels, Samples::U8(samples))
        .ok_or_else(|| DecodeError::Damaged { format: FORMAT, reason: "pixels missing".into() })?;
    let mut decoded = Decoded::new(size, Raw::Rgba(pixels), model, 8);
    if decoder.is_animated() {
        decoded.frames = decoder.num_frames().max(1);
    }
    // A broken block beside good pixels costs the block only.
    decoded.icc = decoder.icc_profile().unwrap_or_default();
    decoded.exif = decoder.exif_metadata().unwrap_or_default();
    decoded.xmp = decoder.xmp_metadata().unwrap_or_default();
    Ok(decoded)
}

/// Encodes 8-bit RGBA `pixels` without loss.
pub(super) fn encode(
    pixels: &PixelBuf,
    icc: Option<&[u8]>,
    metadata: &Metadata,
) -> Result<Vec<u8>, String> {
    let channels = Channels::needed(pixels, icc.is_none());
    let color = match channels {
        Channels::Gray => image_webp::ColorType::L8,
        Channels::GrayAlpha => image_webp::ColorType::La8,
        Channels::Rgb => image_webp::ColorType::Rgb8,
        Channels::Rgba => image_webp::ColorType::Rgba8,
    };
    let mut encoded = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut encoded);
    let bytes = |block: Option<&[u8]>| block.map(<[u8]>::to_vec).unwrap_or_default();
    encoder.set_icc_profile(bytes(icc));
    encoder.set_exif_metadata(bytes(metadata.exif.as_deref()));
    encoder.set_xmp_metadata(bytes(metadata.xmp.as_deref()));
    let Size { width, height } = pixels.size();
    encoder
        .encode(channels.pack(pixels).as_bytes(), width, height, color)
        .map_err(|error| error.to_string())?;
    Ok(encoded)
}
