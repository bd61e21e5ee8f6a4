//! Directions in files: those that lie beside a model's weights, and those that people share.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::latent::{self, DirectionSet, MAX_DIRECTIONS_FILE_BYTES};
use crate::nets::LatentSpace;

/// Beside the weights of a model.
pub const FILE: &str = "directions.safetensors";
/// What the trainer of a model says of its directions.
const NOTES_FILE: &str = "directions.json";
/// Largest such text.
const MAX_NOTES_BYTES: u64 = 8 << 20;

/// The directions that came with a model; `None` where there are none.
///
/// # Errors
/// One sentence about a file that cannot be used.
pub fn beside(
    weights: &Path,
    space: &LatentSpace,
    hash: &str,
) -> Result<Option<DirectionSet>, String> {
    let file = weights.with_file_name(FILE);
    if !file.is_file() {
        return Ok(None);
    }
    read(&file, space, hash).map(Some)
}

/// The directions in a file of ours or of others, for the model of SHA-256 `hash`.
///
/// # Errors
/// One sentence that names the file.
pub fn read(file: &Path, space: &LatentSpace, hash: &str) -> Result<DirectionSet, String> {
    let bad = |reason: String| format!("'{}': {reason}", file.display());
    let len = std::fs::metadata(file).map_err(|err| bad(err.to_string()))?.len();
    if len > MAX_DIRECTIONS_FILE_BYTES as u64 {
        return Err(bad("it is too large for a set of directions".into()));
    }
    let bytes = std::fs::read(file).map_err(|err| bad(err.to_string()))?;
    if DirectionSet::looks_like(&bytes) {
        return DirectionSet::from_file(&bytes).map_err(|err| bad(err.to_string()));
    }
    let notes = file.with_file_name(NOTES_FILE);
    let is_small = std::fs::metadata(&notes).is_ok_and(|facts| facts.len() <= MAX_NOTES_BYTES);
    let notes = if is_small { std::fs::read_to_string(&notes).ok() } else { None };
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
    let checkpoint = Checkpoint::open(file).map_err(|err| bad(err.to_string()))?;
    let shape = (space.rows(), space.w_dim);
    latent::import(&checkpoint, &stem, shape, Some(hash), notes.as_deref())
        .map_err(|err| bad(err.to_string()))
}
