//! Pixel storage: contiguous buffers for computing, copy-on-write tiles for documents.
//!
//! Colour is RGBA with straight (not premultiplied) alpha, encoded in the document's working
//! profile; masks and selections have one channel. Samples have 8 or 16 bits.

mod buf;
mod sheet;
mod tiles;

pub use buf::{PixelBuf, Samples};
pub use sheet::contact_sheet;
pub use tiles::{SQUARE, TILE, Tile, TiledImage};

use serde::{Deserialize, Serialize};

/// Bits per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    #[default]
    U8,
    U16,
}

impl Depth {
    /// The sample value that stands for 1.0.
    pub const fn max(self) -> u16 {
        match self {
            Self::U8 => 255,
            Self::U16 => 65_535,
        }
    }

    pub const fn bits(self) -> u32 {
        match self {
            Self::U8 => 8,
            Self::U16 => 16,
        }
    }

    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
        }
    }
}

/// A sample type: `u8` or `u16`. Generic code over both depths is written once against this.
pub trait Sample: Copy + Send + Sync + PartialEq + std::fmt::Debug + 'static {
    const DEPTH: Depth;
    const MAX: f32;

    fn to_f32(self) -> f32;

    /// Rounds to nearest and clamps; NaN becomes 0.
    fn from_f32(value: f32) -> Self;
    fn to_u16(self) -> u16;

    /// Truncates: the caller passes a value of this depth's own range.
    fn from_u16(value: u16) -> Self;
}

impl Sample for u8 {
    const DEPTH: Depth = Depth::U8;
    const MAX: f32 = 255.0;

    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(self) * (1.0 / 255.0)
    }

    #[inline]
    fn from_f32(value: f32) -> Self {
        (value * 255.0 + 0.5) as u8
    }

    #[inline]
    fn to_u16(self) -> u16 {
        u16::from(self)
    }

    #[inline]
    fn from_u16(value: u16) -> Self {
        value as u8
    }
}

impl Sample for u16 {
    const DEPTH: Depth = Depth::U16;
    const MAX: f32 = 65_535.0;

    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(self) * (1.0 / 65_535.0)
    }

    #[inline]
    fn from_f32(value: f32) -> Self {
        (value * 65_535.0 + 0.5) as u16
    }

    #[inline]
    fn to_u16(self) -> u16 {
        self
    }

    #[inline]
    fn from_u16(value: u16) -> Self {
        value
    }
}
