//! Project files (`.ganvas`): a document as it is, with layers, masks, recipes and history's
//! present.
//!
//! A zip archive of stored entries: `mimetype` first, so that the file says what it is,
//! `document.json` (the layout of [`record`], version 1), PNGs with the exact samples of layers,
//! masks and selection, the ICC profile, EXIF, XMP and IPTC as they were, latent codes, and what
//! generators were tuned by.
//! Layer ids are of a running program and are not kept. The same document gives the same bytes.

mod codes;
mod image;
mod read;
mod record;
mod write;
mod zip;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use read::{Project, open};
pub use write::save;

use super::save::SaveError;

/// Extension of project files.
pub const EXTENSION: &str = "ganvas";

const MIME_ENTRY: &str = "mimetype";
const MIME: &str = "application/x-ganvas-project";
const DOCUMENT_ENTRY: &str = "document.json";

/// Why a project cannot be read or written. Each says what is wrong in one sentence; the path
/// comes last.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("cannot read the project: {source}: {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the project is damaged: {reason}: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("the project is refused: {reason}: {}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error(
        "the project is of version {version}, and this program reads version {}: {}",
        record::VERSION, path.display()
    )]
    Version { path: PathBuf, version: u64 },
    #[error(transparent)]
    Write(#[from] SaveError),
    #[error("the project was not saved: {reason}: {}", path.display())]
    Unsavable { path: PathBuf, reason: String },
    #[error("cancelled")]
    Cancelled,
}

/// What is wrong, before the path is known.
#[derive(Debug)]
enum Fault {
    Io(std::io::Error),
    Damaged(String),
    Refused(String),
    Version(u64),
    Cancelled,
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Latent codes of one project may have as many bytes.
const MAX_CODES_BYTES: u64 = 64 << 20;

/// Tunings of generators of one project may have as many bytes.
const MAX_TUNINGS_BYTES: u64 = 1 << 30;

/// Whether so many may be in one project.
fn check_tunings<'a>(files: impl Iterator<Item = &'a Arc<[u8]>>) -> Result<(), Fault> {
    if files.map(|file| file.len() as u64).sum::<u64>() > MAX_TUNINGS_BYTES {
        let reason = format!("its tuned generators have more than {MAX_TUNINGS_BYTES} bytes");
        return Err(Fault::Refused(reason));
    }
    Ok(())
}

/// Whether a file is a project, by its name.
pub fn is_project(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION))
}
