//! Masks that say where pictures change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::input::{self, Picture, unusable};
use super::moving::Moving;
use super::report::Failure;
use crate::io::numbered::Numbered;
use crate::pixels::PixelBuf;

/// A mask for each picture.
pub(super) enum Masks<'a> {
    /// One for all.
    One(Arc<PixelBuf>),
    /// As many files as there are pictures of this name, in their order.
    Each(Vec<PathBuf>, &'a Path),
}

impl<'a> Masks<'a> {
    /// The mask or masks at `path` for what was opened at `of`.
    pub(super) fn open(
        path: &Path,
        of: &'a Path,
        (first, moving): &(Picture, Option<Moving>),
    ) -> Result<Self, Failure> {
        let Some((pattern, moving)) = Numbered::parse(path).zip(moving.as_ref()) else {
            return input::open_mask(path, of, &first.pixels).map(Arc::new).map(Self::One);
        };
        let numbers = pattern.existing().map_err(|error| unusable(&error))?;
        let (have, want) = (numbers.len() as u64, moving.count());
        if have != want {
            return Err(Failure::input(format!("there are {have} masks for {want} pictures")));
        }
        let files = numbers.into_iter().map(|number| pattern.file(number));
        Ok(Self::Each(files.collect(), of))
    }

    /// The mask of the picture at `place`.
    pub(super) fn of(&self, place: u64, picture: &PixelBuf) -> Result<Arc<PixelBuf>, Failure> {
        match self {
            Self::One(mask) => Ok(Arc::clone(mask)),
            Self::Each(files, of) => {
                let none = || Failure::input("there are more pictures than masks");
                let file = files.get(place as usize).ok_or_else(none)?;
                input::open_mask(file, of, picture).map(Arc::new)
            }
        }
    }
}
