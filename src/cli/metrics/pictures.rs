//! The pictures of a folder.

use std::path::{Path, PathBuf};

use super::super::report::{self, Failure};
use crate::color::{WorkingProfile, convert};
use crate::infer::features::Skipped;
use crate::io::{self, Format, Limits};
use crate::pixels::PixelBuf;

/// Files that are named of those that were left out.
const NAMED: usize = 3;

/// A picture itself, or those of a folder by the names of the formats that are read, in the order
/// of their names, at most `count`.
pub(super) fn list(path: &Path, count: Option<u64>) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |cause: String| Failure::input(format!("{}: {cause}", path.display()));
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| refuse(error.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| Format::from_path(file).is_some() && file.is_file())
        .collect();
    files.sort();
    files.truncate(count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
    if files.is_empty() { Err(refuse("the folder holds no pictures".into())) } else { Ok(files) }
}

/// A picture in sRGB.
///
/// # Errors
/// A sentence that names the file.
pub(super) fn read(path: &Path) -> Result<PixelBuf, String> {
    let opened = io::open(path, &Limits::default()).map_err(|error| report::sentence(&error))?;
    let mut pixels = opened.pixels;
    if !opened.profile.is_srgb() {
        convert::to_srgb(&opened.profile, &mut pixels)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(pixels)
}

/// As networks want to read it.
pub(super) fn read_with_profile(path: &Path) -> Result<(PixelBuf, WorkingProfile), String> {
    let opened = io::open(path, &Limits::default()).map_err(|error| report::sentence(&error))?;
    Ok((opened.pixels, opened.profile))
}

/// Says what was left out.
pub(super) fn note_skipped(skipped: &Skipped) {
    for (_, reason) in skipped.first.iter().take(NAMED) {
        report::note(format!("left out: {reason}"));
    }
    if skipped.count > NAMED {
        report::note(format!("left out: {} more", skipped.count - NAMED));
    }
}
