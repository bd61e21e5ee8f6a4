//! Pictures, projects and masks of the command line.

use std::error::Error;
use std::path::Path;

use super::report::{self, Failure};
use crate::color::WorkingProfile;
use crate::compose;
use crate::document::Metadata;
use crate::io::project::{self, Project, is_project};
use crate::io::{self, DigitalSource, Limits, Notice, Opened};
use crate::pixels::PixelBuf;

/// What the caller gave cannot be used.
pub(super) fn unusable(error: &dyn Error) -> Failure {
    Failure::input(report::sentence(error))
}

/// A picture to work on.
pub(super) struct Picture {
    /// RGBA, encoded in `profile`.
    pub pixels: PixelBuf,
    pub profile: WorkingProfile,
    pub metadata: Metadata,
    pub notices: Vec<Notice>,
    /// What a project says of networks that drew in it.
    pub label: Option<DigitalSource>,
}

/// Opens a picture of the command line, or a project with its layers joined.
pub(super) fn open(path: &Path) -> Result<Picture, Failure> {
    if is_project(path) {
        let Project { document, .. } = open_project(path)?;
        return Ok(Picture {
            pixels: compose::flatten(&document, document.size.rect()),
            label: DigitalSource::of(&document),
            metadata: (*document.metadata).clone(),
            profile: document.profile,
            notices: Vec::new(),
        });
    }
    let Opened { pixels, profile, metadata, notices, .. } = open_file(path)?;
    Ok(Picture { pixels, profile, metadata, notices, label: None })
}

/// Opens a picture file with all that is known of it.
pub(super) fn open_file(path: &Path) -> Result<Opened, Failure> {
    io::open(path, &Limits::default()).map_err(|error| unusable(&error))
}

pub(super) fn open_project(path: &Path) -> Result<Project, Failure> {
    project::open(path).map_err(|error| unusable(&error))
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
