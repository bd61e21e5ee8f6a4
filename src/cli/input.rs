//! Pictures and masks of the command line.

use std::error::Error;
use std::path::Path;

use super::report::{self, Failure};
use crate::io::{self, Limits, Opened};
use crate::pixels::PixelBuf;

/// What the caller gave cannot be used.
pub(super) fn unusable(error: &dyn Error) -> Failure {
    Failure::input(report::sentence(error))
}

/// Opens a picture of the command line.
pub(super) fn open(path: &Path) -> Result<Opened, Failure> {
    io::open(path, &Limits::default()).map_err(|error| unusable(&error))
}

/// A picture as mask for the picture at `of`: its luminance, transparent parts black.
pub(super) fn open_mask(path: &Path, of: &Path, picture: &PixelBuf) -> Result<PixelBuf, Failure> {
    let opened = io::open(path, &Limits::default())
        .map_err(|error| Failure::input(format!("the mask: {}", report::sentence(&error))))?;
    let (have, want) = (opened.pixels.size(), picture.size());
    if have != want {
        let (mask, of) = (path.display(), of.display());
        let sentence = format!("the mask '{mask}' is {have}, but '{of}' is {want}");
        return Err(Failure::input(sentence));
    }
    Ok(io::luminance_mask(&opened.pixels))
}
