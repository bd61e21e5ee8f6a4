//! From a file to pixels in a working profile.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};

use super::decoded::{ColorModel, Decoded, Raw};
use super::guard::guarded;
use super::{Format, Notice, jpeg, metadata, png, simple, tiff, webp};
use crate::color::{IccModel, ProfileError, WorkingProfile, convert, describe_icc};
use crate::document::Metadata;
use crate::geom::{MAX_PIXELS, MAX_SIDE, Size};
use crate::ops::{self, OpContext};
use crate::params::Params;
use crate::pixels::{PixelBuf, Samples};

/// What a file may ask for. Checked from its headers before anything is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest width or height in pixels.
    pub max_side: u32,
    pub max_pixels: u64,
    /// Largest decoded picture (RGBA), in bytes.
    pub max_bytes: u64,
    /// Largest file, in bytes.
    pub max_file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_side: MAX_SIDE,
            max_pixels: MAX_PIXELS,
            max_bytes: 2 << 30,
            max_file_bytes: 2 << 30,
        }
    }
}

impl Limits {
    /// Refuses an extent whose pixels of `bytes_per_pixel` would be too many or too large.
    pub(super) fn check(&self, size: Size, bytes_per_pixel: usize) -> Result<(), DecodeError> {
        if size.is_empty() {
            return Err(DecodeError::NoPixels);
        }
        let too_long = size.width > self.max_side || size.height > self.max_side;
        if too_long || size.pixels() > self.max_pixels {
            return Err(DecodeError::TooLarge {
                size,
                max_side: self.max_side,
                max_megapixels: self.max_pixels >> 20,
            });
        }
        let bytes = size.pixels() * bytes_per_pixel as u64;
        // Asking the allocator first turns exhaustion into an error instead of an abort.
        let refused = || Vec::<u8>::new().try_reserve_exact(bytes as usize).is_err();
        if bytes > self.max_bytes || refused() {
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(DecodeError::TooMuchMemory {
                size,
                need_mib: mebibytes(bytes),
                limit_mib: mebibytes(self.max_bytes),
            });
        }
        Ok(())
    }
}

/// Why a file's content is not a picture that can be opened.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("it cannot be read: {0}")]
    Io(#[source] std::io::Error),
    #[error("it is a folder")]
    Folder,
    #[error("it is no regular file")]
    NotAFile,
    #[error("the file is empty")]
    Empty,
    #[error("the file has {bytes} bytes, more than the limit of {limit}")]
    FileTooLarge { bytes: u64, limit: u64 },
    #[error("it is no PNG, JPEG, WebP, TIFF, BMP or GIF picture")]
    UnknownFormat,
    #[error("it states an extent of 0 pixels")]
    NoPixels,
    #[error("{size} pixels are too many; the limits are {max_side} a side and {max_megapixels} Mi")]
    TooLarge { size: Size, max_side: u32, max_megapixels: u64 },
    #[error("{size} pixels would take {need_mib} MiB; the limit is {limit_mib} MiB")]
    TooMuchMemory { size: Size, need_mib: u64, limit_mib: u64 },
    #[error("the {0} data ends early: the file is truncated")]
    Truncated(Format),
    #[error("the {format} data is damaged: {reason}")]
    Damaged { format: Format, reason: String },
    #[error("this kind of {format} is not supported: {reason}")]
    Unsupported { format: Format, reason: String },
}

/// A file that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open '{}': {cause}", path.display())]
pub struct OpenError {
    #[source]
    pub cause: DecodeError,
    pub path: PathBuf,
}

/// What a file was before it became pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub format: Format,
    /// Extent as stored, before the orientation was applied.
    pub stored_size: Size,
    pub model: ColorModel,
    /// Bits a channel.
    pub bits: u32,
    /// EXIF orientation, 1 to 8.
    pub orientation: u16,
    /// What the file's colour profile calls itself.
    pub profile: Option<String>,
    pub frames: u32,
    pub file_bytes: u64,
}

/// Bytes that tell any format.
const HEAD: u64 = 64;

/// An opened picture.
#[derive(Clone, Debug)]
pub struct Opened {
    /// RGBA of 8 or 16 bits as deep as the file, upright, encoded in `profile`.
    pub pixels: PixelBuf,
    pub profile: WorkingProfile,
    /// As kept by a document: orientation reset.
    pub metadata: Metadata,
    pub notices: Vec<Notice>,
    pub source: Source,
}

/// Opens a picture file.
///
/// Colours stay as they are in the file where its profile is an RGB matrix profile; others are
/// converted to sRGB with a notice. The EXIF orientation is applied.
pub fn open(path: &Path, limits: &Limits) -> Result<Opened, OpenError> {
    open_file(path, limits).map_err(|cause| OpenError { cause, path: path.into() })
}

fn open_file(path: &Path, limits: &Limits) -> Result<Opened, DecodeError> {
    let (mut file, len) = file_within(path, limits)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).map_err(DecodeError::Io)?;
    if Format::from_bytes(&head) != Some(Format::Png) {
        return decode(&rest_of(file, head, len, limits)?, limits);
    }
    // A large one is nearly as large as its pixels: it need not be in memory beside them.
    file.rewind().map_err(DecodeError::Io)?;
    let file = BufReader::with_capacity(1 << 20, file);
    decode_guarded(Format::Png, len, || png::decode_from(file, len, limits))
}

/// The whole file.
pub(super) fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let (file, len) = file_within(path, limits)?;
    rest_of(file, Vec::new(), len, limits)
}

/// A file and its length.
fn file_within(path: &Path, limits: &Limits) -> Result<(File, u64), DecodeError> {
    // Pipes and devices may have no end, and opening some of them waits: look first.
    let facts = std::fs::metadata(path).map_err(DecodeError::Io)?;
    if facts.is_dir() {
        return Err(DecodeError::Folder);
    }
    if !facts.is_file() {
        return Err(DecodeError::NotAFile);
    }
    let limit = limits.max_file_bytes;
    if facts.len() > limit {
        return Err(DecodeError::FileTooLarge { bytes: facts.len(), limit });
    }
    Ok((File::open(path).map_err(DecodeError::Io)?, facts.len()))
}

/// `head` and what follows it in `file`, `len` bytes together unless the file has grown since.
fn rest_of(file: File, head: Vec<u8>, len: u64, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = head;
    bytes.reserve_exact((len as usize + 1).saturating_sub(bytes.len()));
    let most = (limits.max_file_bytes + 1).saturating_sub(bytes.len() as u64);
    file.take(most).read_to_end(&mut bytes).map_err(DecodeError::Io)?;
    Ok(bytes)
}

/// Opens a picture from memory; see [`open`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Opened, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let format = Format::from_bytes(bytes).ok_or(DecodeError::UnknownFormat)?;
    let read = match format {
        Format::Png => png::decode,
        Format::Jpeg => jpeg::decode,
        Format::WebP => webp::decode,
        Format::Tiff => tiff::decode,
        Format::Bmp => simple::decode_bmp,
        Format::Gif => simple::decode_gif,
    };
    decode_guarded(format, bytes.len() as u64, || read(bytes, limits))
}

fn decode_guarded(
    format: Format,
    file_bytes: u64,
    read: impl FnOnce() -> Result<Decoded, DecodeError>,
) -> Result<Opened, DecodeError> {
    guarded(|| finish(read()?, format, file_bytes))
        .unwrap_or_else(|reason| Err(DecodeError::Damaged { format, reason }))
}

/// Colour management, metadata and orientation, in this order.
fn finish(decoded: Decoded, format: Format, file_bytes: u64) -> Result<Opened, DecodeError> {
    let mut notices = decoded.notices;
    if decoded.frames > 1 || format == Format::Gif && decoded.frames != 1 {
        notices.push(Notice::FirstFrameOnly { frames: decoded.frames });
    }
    let profile_name =
        decoded.icc.as_deref().and_then(|icc| describe_icc(icc).ok()).map(|(_, name)| name);
    let icc = decoded.icc.filter(|icc| !icc.is_empty());
    let (pixels, profile) =
        manage_colour(decoded.raw, decoded.size, decoded.model, icc.as_deref(), &mut notices)
            .ok_or_else(|| DecodeError::Damaged { format, reason: "pixels missing".into() })?;
    let found = metadata::Found {
        exif: decoded.exif,
        xmp: decoded.xmp,
        iptc: decoded.iptc,
        orientation: decoded.orientation,
        pixels_per_inch: decoded.pixels_per_inch,
    };
    let (mut metadata, orientation) = metadata::keep(found, &mut notices);
    let pixels =
        upright(pixels, orientation).map_err(|reason| DecodeError::Damaged { format, reason })?;
    if orientation >= 5 {
        metadata.pixels_per_inch = metadata.pixels_per_inch.map(|(x, y)| (y, x));
    }
    let source = Source {
        format,
        stored_size: decoded.size,
        model: decoded.model,
        bits: decoded.bits,
        orientation,
        profile: profile_name,
        frames: decoded.frames,
        file_bytes,
    };
    Ok(Opened { pixels, profile, metadata, notices, source })
}

/// The pixels with the profile they are encoded in.
pub(super) fn manage_colour(
    raw: Raw,
    size: Size,
    model: ColorModel,
    icc: Option<&[u8]>,
    notices: &mut Vec<Notice>,
) -> Option<(PixelBuf, WorkingProfile)> {
    let kind = icc.map(describe_icc);
    let ignored = |error: &ProfileError| Notice::ProfileIgnored { reason: error.to_string() };
    let mut pixels = match raw {
        Raw::Cmyk(mut inks) => {
            let usable = matches!(kind, Some(Ok((IccModel::Cmyk, _))));
            let profile = icc.filter(|_| usable);
            let name = match &kind {
                Some(Ok((_, name))) if usable => format!("CMYK ({name})"),
                _ => "CMYK without a profile".into(),
            };
            let failed = convert::cmyk_to_srgb(profile, &mut inks).err();
            if let Some(error) = failed {
                notices.push(ignored(&error));
                return None;
            }
            notices.push(Notice::ConvertedToSrgb { from: name });
            let pixels = PixelBuf::from_samples(size, 4, Samples::U8(inks))?;
            return Some((pixels, WorkingProfile::srgb()));
        }
        Raw::Rgba(pixels) => pixels,
    };
    let (Some(icc), Some(kind)) = (icc, kind) else {
        return Some((pixels, WorkingProfile::srgb()));
    };
    let converted = match kind {
        Ok((IccModel::Rgb, name)) => match WorkingProfile::from_icc(icc) {
            Ok(profile) => return Some((pixels, profile)),
            Err(ProfileError::Unsupported) => convert::rgb_to_srgb(icc, &mut pixels).map(|()| name),
            Err(error) => Err(error),
        },
        Ok((IccModel::Gray, name)) if model.is_gray() => {
            convert::gray_to_srgb(icc, &mut pixels).map(|()| name)
        }
        Ok((kind, _)) => {
            let reason = format!("it is for {kind:?} and the pixels are {}", model.name());
            Err(ProfileError::Damaged(reason))
        }
        Err(error) => Err(error),
    };
    notices.push(match converted {
        Ok(from) => Notice::ConvertedToSrgb { from },
        Err(error) => ignored(&error),
    });
    Some((pixels, WorkingProfile::srgb()))
}

/// The picture as EXIF orientation `orientation` (1 to 8) wants it seen.
pub(super) fn upright(mut pixels: PixelBuf, orientation: u16) -> Result<PixelBuf, String> {
    let moves: &[(&str, &str)] = match orientation {
        2 => &[("flip", "axis=horizontal")],
        3 => &[("rotate90", "turns=2")],
        4 => &[("flip", "axis=vertical")],
        5 => &[("rotate90", "turns=1"), ("flip", "axis=horizontal")],
        6 => &[("rotate90", "turns=1")],
        7 => &[("rotate90", "turns=1"), ("flip", "axis=vertical")],
        8 => &[("rotate90", "turns=3")],
        _ => &[],
    };
    let context = OpContext::full_size(WorkingProfile::srgb());
    for (name, word) in moves {
        let op = ops::find(name).ok_or_else(|| format!("there is no operation {name}"))?;
        let params = Params::parse(op.spec().params, [*word]).map_err(|e| e.to_string())?;
        pixels = ops::apply(op, &params, &context, &pixels, None).map_err(|e| e.to_string())?;
    }
    Ok(pixels)
}
