//! Thumbnails of recent files, made one after the other on a thread of their own.

mod kept;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Read, read};
use super::jobs::{Latest, Wake};
use super::observe::to_srgb8;
use crate::compose;
use crate::geom::Size;

/// Longer side of a thumbnail, in pixels: fine on a screen of 200 %.
const SIDE_PX: u32 = 320;
/// Files larger than this show no thumbnail: reading them would take longer than looking.
const MAX_BYTES: u64 = 256 << 20;

/// A recent file as it is now: RGBA bytes in sRGB.
#[derive(Clone, Debug)]
pub struct Preview {
    pub pixels: Arc<Vec<u8>>,
    pub size: [usize; 2],
    /// Of the picture itself.
    pub picture: Size,
}

/// What is known of a file.
#[derive(Clone, Debug)]
pub enum Known {
    Preview(Preview),
    /// There, but not to be shown.
    Unreadable,
    Missing,
}

pub struct RecentThumbs {
    worker: Latest<Ask, (PathBuf, Known)>,
    /// Where thumbnails are kept; `None` keeps none.
    folder: Option<PathBuf>,
    waiting: Option<PathBuf>,
    known: HashMap<PathBuf, Known>,
}

struct Ask {
    path: PathBuf,
    folder: Option<PathBuf>,
}

impl RecentThumbs {
    pub fn spawn(wake: &Wake) -> Result<Self, std::io::Error> {
        let worker = Latest::spawn("recent files", wake.clone(), |ask: Ask| {
            let known = look(&ask.path, ask.folder.as_deref());
            (ask.path, known)
        })?;
        Ok(Self { worker, folder: None, waiting: None, known: HashMap::new() })
    }

    /// Keeps thumbnails in `folder` from start to start.
    pub fn keep_in(&mut self, folder: Option<PathBuf>) {
        self.folder = folder;
    }

    pub fn get(&self, path: &Path) -> Option<&Known> {
        self.known.get(path)
    }

    /// Takes answers and asks for the next of `files`; called while they are shown.
    pub fn update(&mut self, files: &[PathBuf]) {
        while let Some((path, known)) = self.worker.answer() {
            self.known.insert(path, known);
            self.waiting = None;
        }
        if self.waiting.is_some() {
            return;
        }
        if let Some(next) = files.iter().find(|path| !self.known.contains_key(*path)) {
            self.waiting = Some(next.clone());
            self.worker.ask(Ask { path: next.clone(), folder: self.folder.clone() });
        }
    }

    /// Looks again at a file that was written since.
    pub fn forget(&mut self, path: &Path) {
        self.known.remove(path);
    }
}

fn look(path: &Path, folder: Option<&Path>) -> Known {
    let facts = match std::fs::metadata(path) {
        Err(_) => return Known::Missing,
        Ok(facts) if !facts.is_file() || facts.len() > MAX_BYTES => return Known::Unreadable,
        Ok(facts) => facts,
    };
    let place = folder.map(|folder| kept::place(folder, path, &facts));
    if let Some(preview) = place.as_deref().and_then(kept::load) {
        return Known::Preview(preview);
    }
    let Ok(Read { document, .. }) = read(path) else { return Known::Unreadable };
    let picture = document.size;
    let seen = compose::thumbnail(&document, SIDE_PX);
    let size = [seen.size().width as usize, seen.size().height as usize];
    let pixels = Arc::new(to_srgb8(&seen, &document.profile));
    let preview = Preview { pixels, size, picture };
    if let Some(Err(reason)) = place.map(|place| kept::store(&place, &preview)) {
        tracing::debug!(%reason, "a thumbnail is not kept");
    }
    Known::Preview(preview)
}
