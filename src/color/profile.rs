//! The working profile of a document: an RGB matrix/curve ICC profile.

use std::sync::Arc;

use super::Transfer;

/// Row-major identity.
pub(super) const IDENTITY: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Why an ICC profile cannot serve as a working profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("the ICC profile is damaged: {0}")]
    Damaged(String),
    #[error("the ICC profile is not an RGB matrix/curve profile")]
    Unsupported,
}

/// An RGB matrix/curve profile. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkingProfile {
    /// Human-readable name, such as `sRGB` or `Display P3`.
    pub name: Arc<str>,
    /// The profile's own bytes, written back on export; `None` stands for untagged sRGB.
    pub icc: Option<Arc<[u8]>>,
    /// Encoded working values ↔ linear light.
    pub transfer: Transfer,
    /// Row-major 3×3 matrix from linear working RGB to linear sRGB (D50-adapted on both sides).
    pub to_linear_srgb: [[f32; 3]; 3],
}

impl WorkingProfile {
    /// Untagged sRGB.
    pub fn srgb() -> Self {
        Self { name: "sRGB".into(), icc: None, transfer: Transfer::SRGB, to_linear_srgb: IDENTITY }
    }

    /// Whether pixels can be shown as sRGB without conversion.
    pub fn is_srgb(&self) -> bool {
        self.transfer == Transfer::SRGB
            && self
                .to_linear_srgb
                .iter()
                .flatten()
                .zip(IDENTITY.iter().flatten())
                .all(|(have, want)| (have - want).abs() < 2e-3)
    }

    /// Encoded working RGB to encoded sRGB, both nominally in `0..=1`; not clamped.
    pub fn to_srgb(&self, rgb: [f32; 3]) -> [f32; 3] {
        let linear = rgb.map(|value| self.transfer.decode(value));
        self.to_linear_srgb
            .map(|row| row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2])
            .map(|value| Transfer::SRGB.encode(value))
    }
}

/// The inverse of a 3×3 matrix, row-major, by cofactors; `None` where the determinant vanishes.
pub fn inverse(m: [[f32; 3]; 3]) -> Option<[[f32; 3]; 3]> {
    let m = m.map(|row| row.map(f64::from));
    let cofactor = |row: usize, column: usize| {
        let (r0, r1) = ((row + 1) % 3, (row + 2) % 3);
        let (c0, c1) = ((column + 1) % 3, (column + 2) % 3);
        m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]
    };
    let det: f64 = (0..3).map(|column| m[0][column] * cofactor(0, column)).sum();
    if det.abs() < 1e-9 || !det.is_finite() {
        return None;
    }
    Some(std::array::from_fn(|row| {
        std::array::from_fn(|column| (cofactor(column, row) / det) as f32)
    }))
}

impl Default for WorkingProfile {
    fn default() -> Self {
        Self::srgb()
    }
}
