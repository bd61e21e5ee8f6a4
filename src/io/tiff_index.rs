//! TIFFs whose samples the decoder hands over without saying what they mean: palettes (TIFF 6.0,
//! section 5) and grey with alpha (section 18).

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits as TiffLimits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::Format;
use super::decoded::{ColorModel, to_rgba};
use super::open::{DecodeError, Limits};
use crate::geom::Size;
use crate::pixels::{PixelBuf, Sample, Samples};

const FORMAT: Format = Format::Tiff;
const PHOTOMETRIC: u16 = 262;
const GRAY: u16 = 1;
const PALETTE: u16 = 3;

/// A picture of one of these kinds.
pub(super) struct Indexed {
    pub pixels: PixelBuf,
    pub model: ColorModel,
    /// Bits a sample in the file.
    pub bits: u32,
    pub icc: Option<Vec<u8>>,
    pub xmp: Option<Vec<u8>>,
}

/// Reads `bytes` where it is of one of these kinds; `None` leaves it to the ordinary way.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Option<Result<Indexed, DecodeError>> {
    if let Some(place) = palette_place(bytes) {
        // The decoder reads indices only where they are said to be grey.
        let mut grey = bytes.to_vec();
        let value = if bytes[0] == b'I' { GRAY.to_le_bytes() } else { GRAY.to_be_bytes() };
        grey[place..place + 2].copy_from_slice(&value);
        return Some(read(&grey, limits, true));
    }
    let kind = Decoder::new(Cursor::new(bytes)).ok()?.colortype().ok()?;
    let is_gray_alpha = matches!(kind, ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 });
    is_gray_alpha.then(|| read(bytes, limits, false))
}

/// Where the first directory says that the samples are indices of a palette.
fn palette_place(bytes: &[u8]) -> Option<usize> {
    let little = bytes.starts_with(b"II*\0");
    if !little && !bytes.starts_with(b"MM\0*") {
        return None;
    }
    let short = |at: usize| {
        let pair = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let four = bytes.get(4..8)?.try_into().ok()?;
    let first = if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) } as usize;
    (0..usize::from(short(first)?))
        .map(|index| first + 2 + 12 * index)
        .find(|entry| short(*entry) == Some(PHOTOMETRIC))
        .map(|entry| entry + 8)
        .filter(|place| short(*place) == Some(PALETTE))
}

fn damaged(cause: &TiffError) -> DecodeError {
    match cause {
        TiffError::UnsupportedError(reason) => {
            DecodeError::Unsupported { format: FORMAT, reason: reason.to_string() }
        }
        _ => DecodeError::Damaged { format: FORMAT, reason: cause.to_string() },
    }
}

fn unsupported(reason: &str) -> DecodeError {
    DecodeError::Unsupported { format: FORMAT, reason: reason.into() }
}

fn read(bytes: &[u8], limits: &Limits, palette: bool) -> Result<Indexed, DecodeError> {
    let failed = |cause: TiffError| damaged(&cause);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(failed)?;
    let (width, height) = decoder.dimensions().map_err(failed)?;
    let size = Size::new(width, height);
    // Both turn into RGBA, palettes of 16 bits as the format stores them.
    limits.check(size, 8)?;
    let mut tiff_limits = TiffLimits::default();
    tiff_limits.decoding_buffer_size = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    decoder = decoder.with_limits(tiff_limits);
    let number = |tag| decoder_number(bytes, tag);
    if number(Tag::PlanarConfiguration).unwrap_or(1) != 1 {
        return Err(unsupported("samples stored in planes"));
    }
    let bits = u32::from(number(Tag::BitsPerSample).unwrap_or(1));
    let icc = decoder.get_tag_u8_vec(Tag::IccProfile).ok().filter(|icc| !icc.is_empty());
    let xmp = decoder.get_tag_u8_vec(Tag::Unknown(700)).ok();
    let extra = number(Tag::ExtraSamples);
    let map =
        if palette { Some(decoder.get_tag_u16_vec(Tag::ColorMap).map_err(failed)?) } else { None };
    let samples = match decoder.read_image().map_err(failed)? {
        DecodingResult::U8(samples) => Samples::U8(samples),
        DecodingResult::U16(samples) => Samples::U16(samples),
        _ => return Err(unsupported("samples that are no plain numbers")),
    };
    let missing = || DecodeError::Damaged { format: FORMAT, reason: "pixels missing".to_owned() };
    let (pixels, model) = match map {
        Some(map) => {
            let indices = indices(size, bits, &samples)
                .ok_or_else(|| unsupported("a palette of more than 256 colours"))?;
            (coloured(size, bits, &map, &indices).ok_or_else(missing)?, ColorModel::Palette)
        }
        None => {
            let mut pixels = to_rgba(size, 2, samples).ok_or_else(missing)?;
            match extra {
                // Straight alpha.
                Some(2) => {}
                Some(1) => straighten(&mut pixels),
                // Data of another kind: nothing is transparent.
                _ => make_opaque(&mut pixels),
            }
            (pixels, ColorModel::GrayAlpha)
        }
    };
    Ok(Indexed { pixels, model, bits, icc, xmp })
}

/// The first value of a tag.
fn decoder_number(bytes: &[u8], tag: Tag) -> Option<u16> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    decoder.find_tag_unsigned_vec::<u16>(tag).ok()??.first().copied()
}

/// One index a pixel; rows of fewer than 8 bits a sample start on whole bytes.
fn indices(size: Size, bits: u32, samples: &Samples) -> Option<Vec<u8>> {
    let Samples::U8(packed) = samples else { return None };
    if bits == 8 {
        return Some(packed.clone());
    }
    if !matches!(bits, 1 | 2 | 4) {
        return None;
    }
    let width = size.width as usize;
    let row_bytes = (width * bits as usize).div_ceil(8);
    let mask = (1u8 << bits) - 1;
    let mut indices = Vec::with_capacity(size.pixels() as usize);
    for row in packed.chunks(row_bytes.max(1)) {
        indices.extend((0..width).map(|x| {
            let bit = x * bits as usize;
            let byte = row.get(bit / 8).copied().unwrap_or_default();
            (byte >> (8 - bits as usize - bit % 8)) & mask
        }));
    }
    Some(indices)
}

/// RGBA through a map of all reds, then all greens, then all blues, of 16 bits each. Maps that
/// repeat a byte twice, as those made from 8-bit colours do, give 8 bits.
fn coloured(size: Size, bits: u32, map: &[u16], indices: &[u8]) -> Option<PixelBuf> {
    let count = 1usize << bits;
    if map.len() != 3 * count || indices.len() as u64 != size.pixels() {
        return None;
    }
    let color = |index: u8| [0, 1, 2].map(|channel| map[channel * count + usize::from(index)]);
    // Some writers store bytes as they are, and others shifted by eight.
    let small = map.iter().all(|value| *value < 256);
    let bytes = small || map.iter().all(|value| value >> 8 == value & 255 || value & 255 == 0);
    let samples = if bytes {
        let byte = |value: u16| if small { value as u8 } else { (value >> 8) as u8 };
        let pixels = indices.iter().flat_map(|index| {
            let [r, g, b] = color(*index).map(byte);
            [r, g, b, u8::MAX]
        });
        Samples::U8(pixels.collect())
    } else {
        let pixels = indices.iter().flat_map(|index| {
            let [r, g, b] = color(*index);
            [r, g, b, u16::MAX]
        });
        Samples::U16(pixels.collect())
    };
    PixelBuf::from_samples(size, 4, samples)
}

/// Takes the alpha out of colours that were multiplied with it.
fn straighten(pixels: &mut PixelBuf) {
    fn run<S: Sample>(samples: &mut [S]) {
        for pixel in samples.chunks_exact_mut(4) {
            let alpha = pixel[3].to_f32();
            if alpha > 0.0 {
                let value = (pixel[0].to_f32() / alpha).min(1.0);
                pixel[..3].fill(S::from_f32(value));
            }
        }
    }
    match pixels.samples_mut() {
        Samples::U8(samples) => run(samples),
        Samples::U16(samples) => run(samples),
    }
}

fn make_opaque(pixels: &mut PixelBuf) {
    match pixels.samples_mut() {
        Samples::U8(samples) => samples.chunks_exact_mut(4).for_each(|pixel| pixel[3] = u8::MAX),
        Samples::U16(samples) => samples.chunks_exact_mut(4).for_each(|pixel| pixel[3] = u16::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_indices_start_anew_in_each_row() {
        let packed = Samples::U8(vec![0b0001_1011, 0b1100_0000, 0b1110_0100, 0b0100_0000]);
        let size = Size::new(5, 2);
        assert_eq!(indices(size, 2, &packed).unwrap(), [0, 1, 2, 3, 3, 3, 2, 1, 0, 1]);
        assert!(indices(size, 3, &packed).is_none());
    }

    #[test]
    fn a_palette_of_sixteen_bits_stays_one() {
        let size = Size::new(2, 1);
        let map = [0x0102, 0xffff, 0, 0x8000, 7, 9];
        let pixels = coloured(size, 1, &map, &[1, 0]).unwrap();
        let Samples::U16(samples) = pixels.samples() else { panic!("8 bits") };
        assert_eq!(samples[..], [0xffff, 0x8000, 9, 0xffff, 0x0102, 0, 7, 0xffff]);
        assert!(coloured(size, 1, &map[..5], &[1, 0]).is_none());
    }

    #[test]
    fn premultiplied_grey_becomes_straight() {
        let size = Size::new(2, 1);
        let mut pixels = to_rgba(size, 2, Samples::U8(vec![60, 120, 5, 0])).unwrap();
        straighten(&mut pixels);
        assert_eq!(pixels.samples(), &Samples::U8(vec![128, 128, 128, 120, 5, 5, 5, 0]));
    }
}
