//! Files in and out: decoding with limits, orientation, colour profiles, metadata, and writing
//! that leaves either the whole new file or the old one.
//!
//! One file a format: `decode` from bytes to [`decoded::Decoded`], `encode` back. What all
//! formats share (orientation, profiles, metadata policy, temporary files) is in [`open`] and
//! [`save`]. Moving pictures come and go frame by frame in [`animation`], or as [`numbered`]
//! files; [`film`] is where a name sends them.
//! Documents with their layers are kept in [`project`] files.

pub mod animation;
mod decoded;
mod exif;
pub mod film;
mod guard;
mod iptc;
mod jpeg;
mod jpeg_strips;
mod mask;
mod metadata;
pub mod numbered;
mod open;
mod png;
pub mod project;
mod provenance;
pub mod samples;
mod save;
mod simple;
mod tiff;
mod tiff_index;
mod webp;

use std::fmt;
use std::path::Path;

pub use decoded::ColorModel;
pub use mask::luminance_mask;
pub use metadata::{MetadataPolicy, exif_summary};
pub use open::{DecodeError, Limits, OpenError, Opened, Source, decode, open};
pub use provenance::DigitalSource;
pub use save::{
    SaveError, SaveOptions, check_place, check_target, encode_to_vec, save, write_whole,
};

use serde::{Deserialize, Serialize};

use crate::pixels::Depth;

/// A picture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Png,
    Jpeg,
    WebP,
    Tiff,
    Bmp,
    Gif,
}

impl Format {
    pub const ALL: [Self; 6] =
        [Self::Png, Self::Jpeg, Self::WebP, Self::Tiff, Self::Bmp, Self::Gif];
    /// What [`save`] writes.
    pub const WRITABLE: [Self; 5] = [Self::Png, Self::Jpeg, Self::WebP, Self::Tiff, Self::Bmp];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
        }
    }

    /// File name extensions, the usual one first.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::WebP => &["webp"],
            Self::Tiff => &["tif", "tiff"],
            Self::Bmp => &["bmp", "dib"],
            Self::Gif => &["gif"],
        }
    }

    /// The format a file name asks for.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.extensions().contains(&extension.as_str()))
    }

    /// The format of a file's first bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        if starts(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if starts(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") {
            Some(Self::Tiff)
        } else if starts(b"BM") {
            Some(Self::Bmp)
        } else if starts(b"GIF87a") || starts(b"GIF89a") {
            Some(Self::Gif)
        } else {
            None
        }
    }

    /// The most bits a channel can have in a file of this format.
    pub const fn max_depth(self) -> Depth {
        match self {
            Self::Png | Self::Tiff => Depth::U16,
            _ => Depth::U8,
        }
    }

    pub const fn has_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }

    /// Whether a colour profile can be stored.
    pub const fn has_profile(self) -> bool {
        !matches!(self, Self::Bmp | Self::Gif)
    }

    /// Largest width or height that a file of this format can state, in pixels.
    pub const fn max_side(self) -> u32 {
        match self {
            Self::WebP => 16_383,
            _ => crate::geom::MAX_SIDE,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something a user should know about a file that was nevertheless read or written.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Only the first of several frames is shown.
    FirstFrameOnly { frames: u32 },
    /// Colours were converted to sRGB on load; `from` names what they were.
    ConvertedToSrgb { from: String },
    /// A profile that could not be used; colours are taken as sRGB.
    ProfileIgnored { reason: String },
    /// Floating-point samples were brought to 16 bit.
    ReducedFromFloat,
    /// Metadata that could not be read or kept.
    MetadataLost { what: &'static str, reason: String },
    /// Transparency was laid on white.
    AlphaFlattened { format: Format },
    /// 16-bit samples were rounded to 8.
    DepthReduced { format: Format },
    /// Colours were converted to sRGB because no profile is written along.
    SavedAsSrgb { from: String },
    /// A quality was asked for that a lossless format has no use for.
    Lossless { format: Format },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstFrameOnly { frames: 0 | 1 } => {
                f.write_str("the file is an animation: only its first frame is used")
            }
            Self::FirstFrameOnly { frames } => {
                write!(f, "the file has {frames} frames: only the first is used")
            }
            Self::ConvertedToSrgb { from } => {
                write!(f, "colours were converted from {from} to sRGB")
            }
            Self::ProfileIgnored { reason } => {
                write!(f, "the colour profile is not used ({reason}): colours are taken as sRGB")
            }
            Self::ReducedFromFloat => {
                f.write_str("floating-point samples were clipped to 0…1 and rounded to 16 bit")
            }
            Self::MetadataLost { what, reason } => write!(f, "{what} is not kept: {reason}"),
            Self::AlphaFlattened { format } => {
                write!(f, "{format} has no transparency: the picture was laid on white")
            }
            Self::DepthReduced { format } => {
                write!(f, "{format} holds 8 bits a channel: 16-bit values were rounded")
            }
            Self::SavedAsSrgb { from } => {
                write!(f, "colours were converted from {from} to sRGB, as no profile is written")
            }
            Self::Lossless { format } => {
                write!(f, "{format} is written without loss: the quality has no effect")
            }
        }
    }
}
