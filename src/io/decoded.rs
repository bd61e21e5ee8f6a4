//! What a format's decoder hands over: pixels as the file stores them, before orientation and
//! colour management.

use serde::Serialize;

use super::Notice;
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf, Samples};

/// How a file stores colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorModel {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Palette,
    Cmyk,
}

impl ColorModel {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gray => "grey",
            Self::GrayAlpha => "grey with alpha",
            Self::Rgb => "RGB",
            Self::Rgba => "RGB with alpha",
            Self::Palette => "palette",
            Self::Cmyk => "CMYK",
        }
    }

    pub const fn is_gray(self) -> bool {
        matches!(self, Self::Gray | Self::GrayAlpha)
    }
}

/// Samples of a decoded file.
pub(super) enum Raw {
    /// RGBA, straight alpha.
    Rgba(PixelBuf),
    /// Interleaved ink amounts of 8 bits, 0 = no ink, for [`Decoded::size`].
    Cmyk(Vec<u8>),
}

/// A decoded file.
pub(super) struct Decoded {
    pub size: Size,
    pub raw: Raw,
    pub model: ColorModel,
    /// Bits a channel in the file, which may be fewer than the samples have here.
    pub bits: u32,
    pub frames: u32,
    pub icc: Option<Vec<u8>>,
    pub exif: Option<Vec<u8>>,
    pub xmp: Option<Vec<u8>>,
    /// IPTC-IIM records.
    pub iptc: Option<Vec<u8>>,
    /// EXIF orientation where the container states it outside of EXIF.
    pub orientation: Option<u16>,
    pub pixels_per_inch: Option<(f32, f32)>,
    pub notices: Vec<Notice>,
}

impl Decoded {
    pub(super) const fn new(size: Size, raw: Raw, model: ColorModel, bits: u32) -> Self {
        Self {
            size,
            raw,
            model,
            bits,
            frames: 1,
            icc: None,
            exif: None,
            xmp: None,
            iptc: None,
            orientation: None,
            pixels_per_inch: None,
            notices: Vec::new(),
        }
    }
}

/// Interleaved samples of 1 to 4 channels (grey, grey and alpha, RGB, RGBA) as RGBA. `None` where
/// their number does not fit `size`.
pub(super) fn to_rgba(size: Size, channels: usize, samples: Samples) -> Option<PixelBuf> {
    if samples.len() as u64 != size.pixels() * channels as u64 {
        return None;
    }
    let samples = match samples {
        samples if channels == 4 => samples,
        Samples::U8(samples) => Samples::U8(spread(samples, channels, u8::MAX)),
        Samples::U16(samples) => Samples::U16(spread(samples, channels, u16::MAX)),
    };
    PixelBuf::from_samples(size, 4, samples)
}

/// In place, last pixel first, so that a large picture is in memory once.
fn spread<T: Copy + Default>(mut samples: Vec<T>, channels: usize, opaque: T) -> Vec<T> {
    let pixels = samples.len() / channels.max(1);
    samples.resize(pixels * 4, T::default());
    for pixel in (0..pixels).rev() {
        let from = pixel * channels;
        let rgba = match channels {
            1 => [samples[from], samples[from], samples[from], opaque],
            2 => [samples[from], samples[from], samples[from], samples[from + 1]],
            _ => [samples[from], samples[from + 1], samples[from + 2], opaque],
        };
        samples[pixel * 4..][..4].copy_from_slice(&rgba);
    }
    samples
}

/// The channels a file needs for these pixels: whether any pixel is transparent, and whether all
/// are grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    pub(super) fn needed(pixels: &PixelBuf, gray_allowed: bool) -> Self {
        match (gray_allowed && pixels.is_gray(), pixels.has_transparency()) {
            (true, false) => Self::Gray,
            (true, true) => Self::GrayAlpha,
            (false, false) => Self::Rgb,
            (false, true) => Self::Rgba,
        }
    }

    pub(super) const fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// The samples of `pixels` (RGBA) that these channels keep.
    pub(super) fn pack(self, pixels: &PixelBuf) -> Samples {
        match pixels.samples() {
            Samples::U8(samples) => Samples::U8(self.pick(samples)),
            Samples::U16(samples) => Samples::U16(self.pick(samples)),
        }
    }

    fn pick<T: Copy + Default>(self, from: &[T]) -> Vec<T> {
        let count = self.count();
        let mut to = vec![T::default(); from.len() / 4 * count];
        let pairs = to.chunks_exact_mut(count).zip(from.chunks_exact(4));
        match self {
            Self::Gray => pairs.for_each(|(to, from)| to[0] = from[0]),
            Self::GrayAlpha => pairs.for_each(|(to, from)| to.copy_from_slice(&[from[0], from[3]])),
            Self::Rgb => pairs.for_each(|(to, from)| to.copy_from_slice(&from[..3])),
            Self::Rgba => to.copy_from_slice(from),
        }
        to
    }
}

/// Depth that holds `bits` a channel.
pub(super) const fn depth_for(bits: u32) -> Depth {
    if bits > 8 { Depth::U16 } else { Depth::U8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_go_to_rgba_and_back() {
        let size = Size::new(2, 1);
        for (channels, samples) in
            [(1, vec![3, 9]), (2, vec![3, 7, 9, 255]), (3, vec![1, 2, 3, 4, 5, 6])]
        {
            let rgba = to_rgba(size, channels, Samples::U8(samples.clone())).unwrap();
            let needed = Channels::needed(&rgba, true);
            assert_eq!(needed.count(), channels);
            assert_eq!(needed.pack(&rgba), Samples::U8(samples));
        }
        assert!(to_rgba(size, 3, Samples::U8(vec![0; 5])).is_none());
        let gray = to_rgba(size, 1, Samples::U8(vec![3, 9])).unwrap();
        assert_eq!(Channels::needed(&gray, false), Channels::Rgb);
    }
}
