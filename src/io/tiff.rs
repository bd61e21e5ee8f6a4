//! TIFF 6.0 with 8, 16 or 32-bit float samples in, 8 or 16 bits out, deflated.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::tiff::TiffDecoder;
use tiff::encoder::colortype::{self, ColorType};
use tiff::encoder::{Compression, DirectoryEncoder, Rational, TiffEncoder, TiffKindStandard};
use tiff::tags::{ExtraSamples, Predictor, ResolutionUnit, Tag, Type};

use super::decoded::{Channels, ColorModel, Decoded, Raw, to_rgba};
use super::exif::{DESCRIPTIVE, EXIF_IFD, Entry, Exif, GPS_IFD, kind_size};
use super::open::{DecodeError, Limits};
use super::simple::error;
use super::{Format, Notice, tiff_index};
use crate::document::Metadata;
use crate::geom::Size;
use crate::pixels::{PixelBuf, Sample, Samples};

const FORMAT: Format = Format::Tiff;
/// XMP's field (Adobe, XMP Specification part 3).
const XMP: u16 = 700;
/// IPTC's field (Adobe, PageMaker 6.0 TIFF Technical Notes).
const IPTC: u16 = 33_723;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let mut decoded = match tiff_index::decode(bytes, limits) {
        Some(read) => {
            let read = read?;
            let (size, raw) = (read.pixels.size(), Raw::Rgba(read.pixels));
            let mut decoded = Decoded::new(size, raw, read.model, read.bits);
            (decoded.icc, decoded.xmp) = (read.icc, read.xmp);
            decoded
        }
        None => decode_plain(bytes, limits)?,
    };
    if let Some(file) = Exif::parse(bytes) {
        decoded.exif = file.descriptive_block();
        decoded.orientation = file.orientation();
        decoded.pixels_per_inch = file.pixels_per_inch();
        decoded.iptc = file.first().unwrap_or_default().iter().find_map(|entry| {
            // Some writers state 4-byte numbers, whose bytes may be turned: those are left.
            let bytes = matches!(entry.kind, 1 | 7) && entry.tag == IPTC;
            bytes.then(|| file.value(entry).to_vec())
        });
    }
    Ok(decoded)
}

/// All that the decoder understands itself.
fn decode_plain(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let failed = |cause: image::ImageError| error(FORMAT, &cause);
    let mut decoder = TiffDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    let color = decoder.color_type();
    let channels = usize::from(color.channel_count());
    let sample_bytes = usize::from(color.bytes_per_pixel()) / channels.max(1);
    limits.check(size, 4 * sample_bytes)?;
    let original = decoder.original_color_type();
    let cmyk =
        matches!(original, image::ExtendedColorType::Cmyk8 | image::ExtendedColorType::Cmyk16);
    let model = match (cmyk, channels) {
        (true, _) => ColorModel::Cmyk,
        (_, 1) => ColorModel::Gray,
        (_, 2) => ColorModel::GrayAlpha,
        (_, 3) => ColorModel::Rgb,
        _ => ColorModel::Rgba,
    };
    let icc = decoder.icc_profile().unwrap_or_default().filter(|icc| !icc.is_empty() && !cmyk);
    let xmp = decoder.xmp_metadata().unwrap_or_default();
    // Only now: the decoder measures the values of tags, too, by what the pixels may take.
    let mut image_limits = image::Limits::no_limits();
    // CMYK is decoded to four samples and then to three.
    image_limits.max_alloc = Some(limits.max_bytes.saturating_mul(2));
    decoder.set_limits(image_limits).map_err(failed)?;

    let count = size.pixels() as usize * channels;
    let mut notices = Vec::new();
    let samples = match sample_bytes {
        1 => {
            let mut samples = vec![0u8; count];
            decoder.read_image(&mut samples).map_err(failed)?;
            Samples::U8(samples)
        }
        2 => {
            let mut samples = vec![0u16; count];
            decoder.read_image(bytemuck::cast_slice_mut(&mut samples)).map_err(failed)?;
            Samples::U16(samples)
        }
        _ => {
            let mut samples = vec![0f32; count];
            decoder.read_image(bytemuck::cast_slice_mut(&mut samples)).map_err(failed)?;
            notices.push(Notice::ReducedFromFloat);
            Samples::U16(samples.into_iter().map(u16::from_f32).collect())
        }
    };
    if cmyk {
        notices.push(Notice::ConvertedToSrgb { from: "CMYK".into() });
    }
    let pixels = to_rgba(size, channels, samples)
        .ok_or_else(|| DecodeError::Damaged { format: FORMAT, reason: "pixels missing".into() })?;
    let model = if cmyk { ColorModel::Rgb } else { model };
    let mut decoded = Decoded::new(size, Raw::Rgba(pixels), model, 8 * sample_bytes as u32);
    decoded.icc = icc;
    decoded.xmp = xmp;
    decoded.notices = notices;
    Ok(decoded)
}

/// Encodes RGBA `pixels` with as few channels as they need.
pub(super) fn encode(
    pixels: &PixelBuf,
    icc: Option<&[u8]>,
    metadata: &Metadata,
) -> Result<Vec<u8>, String> {
    let channels = match Channels::needed(pixels, icc.is_none()) {
        // Grey with alpha is rare enough in TIFF for readers to stumble over it.
        Channels::GrayAlpha => Channels::Rgba,
        channels => channels,
    };
    let size = pixels.size();
    let encoded = match (channels.pack(pixels), channels) {
        (Samples::U8(data), Channels::Gray) => {
            write::<colortype::Gray8>(&data, size, icc, metadata)
        }
        (Samples::U8(data), Channels::Rgb) => write::<colortype::RGB8>(&data, size, icc, metadata),
        (Samples::U8(data), _) => write::<colortype::RGBA8>(&data, size, icc, metadata),
        (Samples::U16(data), Channels::Gray) => {
            write::<colortype::Gray16>(&data, size, icc, metadata)
        }
        (Samples::U16(data), Channels::Rgb) => {
            write::<colortype::RGB16>(&data, size, icc, metadata)
        }
        (Samples::U16(data), _) => write::<colortype::RGBA16>(&data, size, icc, metadata),
    };
    encoded.map_err(|cause| cause.to_string())
}

fn write<C: ColorType>(
    data: &[C::Inner],
    size: Size,
    icc: Option<&[u8]>,
    metadata: &Metadata,
) -> tiff::TiffResult<Vec<u8>>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut encoded = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut encoded)?
        .with_compression(Compression::Deflate(tiff::encoder::DeflateLevel::Fast))
        .with_predictor(Predictor::Horizontal);
    let exif = metadata.exif.as_deref().and_then(Exif::parse);
    let mut links = Vec::new();
    for tag in [EXIF_IFD, GPS_IFD] {
        let entries = exif.as_ref().and_then(|exif| Some((exif, exif.sub_directory(tag)?)));
        if let Some((exif, entries)) = entries.filter(|(_, entries)| !entries.is_empty()) {
            let mut directory = encoder.extra_directory()?;
            copy_entries(&mut directory, exif, &entries)?;
            links.push((tag, directory.finish_with_offsets()?.offset));
        }
    }
    let mut image = encoder.new_image::<C>(size.width, size.height)?;
    if let Some((x, y)) = metadata.pixels_per_inch {
        let rational = |value: f32| Rational { n: (value * 1000.0).round() as u32, d: 1000 };
        image.resolution_unit(ResolutionUnit::Inch);
        image.x_resolution(rational(x));
        image.y_resolution(rational(y));
    }
    let directory = image.encoder();
    if C::BITS_PER_SAMPLE.len() == 4 {
        // Straight, not premultiplied alpha.
        directory.write_tag(Tag::ExtraSamples, ExtraSamples::UnassociatedAlpha.to_u16())?;
    }
    if let Some(exif) = &exif {
        let entries: Vec<_> = exif
            .first()
            .unwrap_or_default()
            .into_iter()
            .filter(|entry| DESCRIPTIVE.contains(&entry.tag))
            .collect();
        copy_entries(directory, exif, &entries)?;
    }
    for (tag, offset) in links {
        directory.write_tag(Tag::from_u16_exhaustive(tag), offset)?;
    }
    if let Some(icc) = icc {
        directory.write_tag(Tag::IccProfile, icc)?;
    }
    if let Some(xmp) = metadata.xmp.as_deref() {
        directory.write_tag(Tag::from_u16_exhaustive(XMP), xmp)?;
    }
    if let Some(iptc) = metadata.iptc.as_deref() {
        let written = directory.write_entry_bytes(Type::UNDEFINED, iptc)?;
        let mut one = tiff::Directory::empty();
        one.extend([(Tag::from_u16_exhaustive(IPTC), written)]);
        directory.extend_from(&one);
    }
    image.write_data(data)?;
    Ok(encoded.into_inner())
}

/// Copies directory records, their numbers turned to this machine's byte order, in which the
/// encoder writes.
fn copy_entries<W: std::io::Write + std::io::Seek>(
    directory: &mut DirectoryEncoder<'_, W, TiffKindStandard>,
    exif: &Exif,
    entries: &[Entry],
) -> tiff::TiffResult<()> {
    for entry in entries {
        // Directories within (interoperability) and maker notes would point nowhere.
        let movable = !matches!(entry.tag, 0xa005 | 0x927c);
        let (Some(kind), Some(len), true) =
            (Type::from_u16(entry.kind), kind_size(entry.kind), movable)
        else {
            continue;
        };
        let mut data = exif.value(entry).to_vec();
        if exif.is_big_endian() != cfg!(target_endian = "big") {
            // Rationals are two numbers of four bytes, a double one of eight.
            let unit = if matches!(entry.kind, 5 | 10) { 4 } else { len };
            data.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        let written = directory.write_entry_bytes(kind, &data)?;
        let mut one = tiff::Directory::empty();
        one.extend([(Tag::from_u16_exhaustive(entry.tag), written)]);
        directory.extend_from(&one);
    }
    Ok(())
}
