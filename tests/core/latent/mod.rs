//! Latent arithmetic: codes, edits, directions and their files.

mod drag;
mod edits;
mod files;
mod find;
mod import;
mod invert;
mod ways;

use ganvas::latent::random::normal_latent;
use ganvas::latent::{Code, Direction, Provenance};

/// A SHA-256 that no file has.
pub const MODEL: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A code of random rows.
pub fn code(seed: u64, rows: usize, dim: usize) -> Code {
    Code::new(rows, normal_latent(seed, rows * dim, 1.0), MODEL).unwrap()
}

/// A direction of one random row.
pub fn direction(name: &str, seed: u64, dim: usize) -> Direction {
    Direction::new(name, dim, normal_latent(seed, dim, 1.0), Provenance::default()).unwrap()
}

pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

pub fn assert_near(have: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(have.len(), want.len());
    for (have, want) in have.iter().zip(want) {
        assert!((f64::from(*have) - want).abs() <= tolerance, "{have} instead of {want}");
    }
}
