//! JPEG (ITU-R T.81): baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK.

use image::codecs::jpeg::{PixelDensity, PixelDensityUnit};
use img_parts::ImageICC;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::decoded::{Channels, ColorModel, Decoded, Raw, to_rgba};
use super::open::{DecodeError, Limits};
use super::{Format, Notice, iptc, jpeg_strips};
use crate::document::Metadata;
use crate::geom::Size;
use crate::pixels::{PixelBuf, Samples};

const FORMAT: Format = Format::Jpeg;
/// Bytes a segment can hold behind its length.
const SEGMENT: usize = 65_533;
const EXIF_HEADER: &[u8] = b"Exif\0\0";
const XMP_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// Further parts of a large XMP packet (Adobe, XMP Specification part 3, 1.1.3.1).
const EXTENDED_XMP_HEADER: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const RESOURCE_HEADER: &[u8] = b"Photoshop 3.0\0";
/// A picture with a gain map for brighter screens: ISO 21496-1, or XMP as Adobe and Apple write
/// it.
const GAIN_MAP_HEADER: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";
const GAIN_MAP_NAMES: [&[u8]; 2] = [b"hdr-gain-map/", b"HDRGainMap"];
/// A profile comes in at most 255 segments, each with a header of 14 bytes.
const MAX_ICC: usize = 255 * (SEGMENT - 14);

/// What the segments say before any pixel is decoded.
#[derive(Debug, Default, PartialEq)]
struct Header {
    size: Size,
    bits: u32,
    components: u8,
    /// The colour transform of Adobe's segment: 0 none, 1 YCbCr, 2 YCCK.
    adobe: Option<u8>,
    pixels_per_inch: Option<(f32, f32)>,
    /// Photoshop's image resource blocks, joined from their segments.
    resources: Vec<u8>,
    has_extended_xmp: bool,
    has_gain_map: bool,
    /// Whether the data goes on to its end marker.
    complete: bool,
}

/// Walks the segments of a file. `None` where there is no frame header.
fn scan(bytes: &[u8]) -> Option<Header> {
    let mut header = Header::default();
    let mut at = 2;
    // To the next marker: over entropy-coded data, restart markers and fill bytes.
    while let Some(marker_at) = next_marker(bytes, at) {
        let marker = bytes[marker_at];
        at = marker_at + 1;
        if marker == 0xd9 {
            header.complete = true;
            break;
        }
        if marker == 0xd8 || marker == 0x01 {
            continue;
        }
        let Some(len) = bytes.get(at..at + 2) else { break };
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        let Some(body) = bytes.get(at + 2..at + len.max(2)) else { break };
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && body.len() >= 6 => {
                let word = |at: usize| u32::from(u16::from_be_bytes([body[at], body[at + 1]]));
                header.bits = u32::from(body[0]);
                header.size = Size::new(word(3), word(1));
                header.components = body[5];
            }
            0xe0 if body.starts_with(b"JFIF\0") && body.len() >= 12 => {
                let word = |at: usize| f32::from(u16::from_be_bytes([body[at], body[at + 1]]));
                let factor = match body[7] {
                    1 => Some(1.0),
                    2 => Some(2.54),
                    _ => None,
                };
                header.pixels_per_inch = factor.map(|f| (word(8) * f, word(10) * f));
            }
            0xe1 if body.starts_with(EXTENDED_XMP_HEADER) => header.has_extended_xmp = true,
            0xe1 if body.starts_with(XMP_HEADER) => {
                header.has_gain_map |= GAIN_MAP_NAMES.iter().any(|name| contains(body, name));
            }
            0xe2 => header.has_gain_map |= body.starts_with(GAIN_MAP_HEADER),
            0xed => {
                header.resources.extend(body.strip_prefix(RESOURCE_HEADER).unwrap_or_default());
            }
            0xee if body.starts_with(b"Adobe") => header.adobe = body.get(11).copied(),
            _ => {}
        }
        at += len.max(2);
    }
    (header.components > 0).then_some(header)
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word)
}

/// The place of the next marker's code at or after `at`, skipping stuffed zeros and restarts.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)? + 1;
        match *bytes.get(at)? {
            0x00 | 0xff | 0xd0..=0xd7 => {}
            _ => return Some(at),
        }
    }
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let header = scan(bytes).ok_or(DecodeError::Truncated(FORMAT))?;
    limits.check(header.size, 4)?;
    if !header.complete {
        return Err(DecodeError::Truncated(FORMAT));
    }
    if header.bits != 8 {
        let reason = format!("{} bits a sample", header.bits);
        return Err(DecodeError::Unsupported { format: FORMAT, reason });
    }
    let damaged = |reason: String| DecodeError::Damaged { format: FORMAT, reason };
    let decoder_error = |error| damaged(format!("{error:?}").trim_matches('"').to_owned());
    let size = header.size;
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(size.width as usize)
        .set_max_height(size.height as usize);
    let mut headers = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    headers.decode_headers().map_err(decoder_error)?;
    // Inks come as they are stored, their meaning is settled below; the decoder has no way from
    // stored RGB to RGBA.
    let (target, channels) = match headers.input_colorspace() {
        Some(stored @ (ColorSpace::CMYK | ColorSpace::YCCK)) => (stored, 4),
        Some(ColorSpace::RGB) => (ColorSpace::RGB, 3),
        _ => (ColorSpace::RGBA, 4),
    };
    // The conversion is chosen while headers are read: a second decoder, not another option.
    let options = options.jpeg_set_out_colorspace(target);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(decoder_error)?;
    let expected = size.pixels() as usize * channels;
    if decoder.output_buffer_size() != Some(expected) {
        return Err(damaged("its headers contradict each other".into()));
    }
    let mut samples = vec![0; expected];
    decoder.decode_into(&mut samples).map_err(decoder_error)?;

    let (raw, model) = if matches!(target, ColorSpace::CMYK | ColorSpace::YCCK) {
        ink_amounts(&mut samples, header.adobe);
        (Raw::Cmyk(samples), ColorModel::Cmyk)
    } else {
        let model = if header.components == 1 { ColorModel::Gray } else { ColorModel::Rgb };
        let pixels = to_rgba(size, channels, Samples::U8(samples))
            .ok_or_else(|| damaged("the pixels are incomplete".into()))?;
        (Raw::Rgba(pixels), model)
    };
    let mut decoded = Decoded::new(size, raw, model, 8);
    decoded.icc = decoder.icc_profile();
    decoded.exif = decoder.exif().cloned();
    decoded.xmp = decoder.xmp().cloned();
    decoded.pixels_per_inch = header.pixels_per_inch.filter(|(x, y)| *x > 1.0 && *y > 1.0);
    decoded.iptc = iptc::find(&header.resources).map(<[u8]>::to_vec);
    let mut lost = |what, reason: &str| {
        decoded.notices.push(Notice::MetadataLost { what, reason: reason.into() });
    };
    if header.has_extended_xmp {
        lost("the extended part of the XMP packet", "only its main part is");
    }
    if header.has_gain_map {
        lost("the gain map for HDR screens", "the picture is its standard rendition");
    }
    Ok(decoded)
}

/// Turns stored samples into ink amounts. Adobe stores complements, and YCCK is YCbCr (T.871) of
/// the first three of them.
fn ink_amounts(samples: &mut [u8], adobe: Option<u8>) {
    for pixel in samples.chunks_exact_mut(4) {
        if adobe == Some(2) {
            let (y, cb, cr) =
                (f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0);
            let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
            for (to, value) in pixel.iter_mut().zip(rgb) {
                *to = (value + 0.5) as u8;
            }
        }
        if adobe.is_some() {
            for value in pixel {
                *value = 255 - *value;
            }
        }
    }
}

/// Encodes opaque 8-bit RGBA `pixels`; `quality` is 1 to 100.
pub(super) fn encode(
    pixels: &PixelBuf,
    quality: u8,
    icc: Option<&[u8]>,
    metadata: &Metadata,
    notices: &mut Vec<Notice>,
) -> Result<Vec<u8>, String> {
    let channels = match Channels::needed(pixels, icc.is_none()) {
        Channels::Gray | Channels::GrayAlpha => Channels::Gray,
        Channels::Rgb | Channels::Rgba => Channels::Rgb,
    };
    let color = match channels {
        Channels::Gray => image::ExtendedColorType::L8,
        _ => image::ExtendedColorType::Rgb8,
    };
    let packed = channels.pack(pixels);
    let Size { width, height } = pixels.size();
    let density = metadata.pixels_per_inch.map(|(x, y)| PixelDensity {
        density: (x.round() as u16, y.round() as u16),
        unit: PixelDensityUnit::Inches,
    });
    let settings = jpeg_strips::Settings { quality, density, color };
    let encoded = jpeg_strips::encode(packed.as_bytes(), width, height, settings)?;
    let mut file = Jpeg::from_bytes(encoded.into()).map_err(|error| error.to_string())?;
    add_segments(&mut file, icc, metadata, notices);
    Ok(file.encoder().bytes().into())
}

/// APP1 with EXIF, APP1 with XMP and APP13 with IPTC behind JFIF's segment, then APP2 with the
/// profile in chunks.
fn add_segments(
    file: &mut Jpeg,
    icc: Option<&[u8]>,
    metadata: &Metadata,
    notices: &mut Vec<Notice>,
) {
    let resources = metadata.iptc.as_deref().map(|records| iptc::wrap(records).into());
    let blocks = [
        ("EXIF data", markers::APP1, EXIF_HEADER, &metadata.exif),
        ("the XMP packet", markers::APP1, XMP_HEADER, &metadata.xmp),
        ("IPTC data", markers::APP13, RESOURCE_HEADER, &resources),
    ];
    let mut at = 1.min(file.segments().len());
    for (what, marker, header, block) in blocks {
        let Some(block) = block else { continue };
        if header.len() + block.len() <= SEGMENT {
            let contents = [header, block].concat().into();
            file.segments_mut().insert(at, JpegSegment::new_with_contents(marker, contents));
            at += 1;
        } else {
            let reason = "it is larger than a JPEG segment".into();
            notices.push(Notice::MetadataLost { what, reason });
        }
    }
    match icc {
        Some(icc) if icc.len() <= MAX_ICC => file.set_icc_profile(Some(icc.to_vec().into())),
        Some(_) => {
            let reason = "it is larger than JPEG allows".into();
            notices.push(Notice::MetadataLost { what: "the colour profile", reason });
        }
        None => {}
    }
}
