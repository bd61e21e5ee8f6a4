//! Several pictures, wherever a name sends them: into an animation or into numbered files.

use std::path::{Path, PathBuf};

use super::animation::{self, About, Container, Frame};
use super::numbered::Numbered;
use super::save::{SaveError, SaveOptions, check_place, check_target, save};
use super::{Format, Notice};

/// Where several pictures go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Film {
    Animation(Container, PathBuf),
    Numbered(Numbered),
}

impl Film {
    /// What a name asks for; `None` for one picture. A PNG may hold either, and does where
    /// `has_frames`.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn of(path: &Path, has_frames: bool) -> Result<Option<Self>, SaveError> {
        if let Some(pattern) = Numbered::parse(path) {
            check_target(&pattern.file(0))?;
            return Ok(Some(Self::Numbered(pattern)));
        }
        let is_png = Format::from_path(path) == Some(Format::Png);
        let container = Container::from_path(path);
        let Some(container) = container.or((is_png && has_frames).then_some(Container::Apng))
        else {
            return Ok(None);
        };
        check_place(path)?;
        Ok(Some(Self::Animation(container, path.into())))
    }

    /// The format of what is written.
    pub fn format(&self) -> Format {
        match self {
            Self::Animation(container, _) => container.format(),
            Self::Numbered(pattern) => Format::from_path(&pattern.file(0)).unwrap_or(Format::Png),
        }
    }

    /// Writes frames, numbered ones from 1 on; the container that `about` names is not asked.
    /// An animation is there whole or not at all; numbered files stay as far as they came.
    ///
    /// # Errors
    /// Those of [`animation::write`] and [`save`], and the first error among `frames`.
    pub fn write<E: From<SaveError>>(
        &self,
        about: About,
        options: &SaveOptions,
        frames: impl Iterator<Item = Result<Frame, E>>,
    ) -> Result<Vec<Notice>, E> {
        match self {
            Self::Animation(container, path) => {
                let about = About { container: *container, ..about };
                animation::write(path, &about, options, frames)
            }
            Self::Numbered(pattern) => {
                let options = SaveOptions { format: self.format(), ..*options };
                let mut notices = Vec::new();
                for (at, frame) in frames.enumerate() {
                    let (file, frame) = (pattern.file(at as u64 + 1), frame?);
                    let (profile, metadata) = (&about.profile, &about.metadata);
                    add(&mut notices, save(&file, &frame.pixels, profile, metadata, &options)?);
                }
                Ok(notices)
            }
        }
    }
}

/// Adds what has not been said.
pub fn add(notices: &mut Vec<Notice>, more: Vec<Notice>) {
    for notice in more {
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }
}
