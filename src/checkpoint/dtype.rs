//! Number types of stored tensors.

use half::{bf16, f16};

/// Type of one stored element; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    Bool,
    U8,
    I8,
    U16,
    I16,
    F16,
    Bf16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

impl Dtype {
    pub const fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Every element as a 32-bit float; integers beyond 24 bits are rounded.
    pub(super) fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Bool => each(bytes, |[byte]: [u8; 1]| f32::from(u8::from(byte != 0))),
            Self::U8 => each(bytes, |[byte]: [u8; 1]| f32::from(byte)),
            Self::I8 => each(bytes, |b| f32::from(i8::from_le_bytes(b))),
            Self::U16 => each(bytes, |b| f32::from(u16::from_le_bytes(b))),
            Self::I16 => each(bytes, |b| f32::from(i16::from_le_bytes(b))),
            Self::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Self::U32 => each(bytes, |b| u32::from_le_bytes(b) as f32),
            Self::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::U64 => each(bytes, |b| u64::from_le_bytes(b) as f32),
            Self::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], element: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| element(*chunk)).collect()
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        })
    }
}
