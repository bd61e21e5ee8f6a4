//! The directions of one W, saved and shared as one file.

use serde::{Deserialize, Serialize};

use super::direction::Stored;
use super::packed::Packed;
use super::{Direction, LatentError, Pca};
use crate::checkpoint::container;

/// Most directions of a set.
pub const MAX_DIRECTIONS: usize = 512;
/// Largest file.
pub const MAX_FILE_BYTES: usize = 64 << 20;

const WHAT: &str = "set of directions";
const VERSION: u32 = 1;

/// Directions with different names for codes of `dim` numbers a row, in a person's order.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectionSet {
    dim: usize,
    directions: Vec<Direction>,
    pca: Option<Pca>,
}

/// The metadata of a file. Direction `i`'s vector is the tensor `direction.i`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    version: u32,
    dim: usize,
    directions: Vec<Stored>,
    /// Whether the tensors `pca.mean`, `pca.components` and `pca.sigma` are there.
    pca: bool,
}

impl DirectionSet {
    pub const fn new(dim: usize) -> Self {
        Self { dim, directions: Vec::new(), pca: None }
    }

    pub const fn dim(&self) -> usize {
        self.dim
    }

    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// How W spreads, where the set knows.
    pub const fn pca(&self) -> Option<&Pca> {
        self.pca.as_ref()
    }

    /// Remembers how W spreads.
    ///
    /// # Errors
    /// Where it is another W.
    pub fn set_pca(&mut self, pca: Pca) -> Result<(), LatentError> {
        super::check("the mean of W", pca.mean(), self.dim)?;
        self.pca = Some(pca);
        Ok(())
    }

    /// Adds a direction at the end.
    ///
    /// # Errors
    /// Where there is one of that name, or it is of another W, or the set is full.
    pub fn add(&mut self, direction: Direction) -> Result<(), LatentError> {
        if direction.dim() != self.dim {
            let what = format!("a row of direction '{}'", direction.name());
            return Err(LatentError::Length { what, have: direction.dim(), want: self.dim });
        }
        if self.get(direction.name()).is_ok() {
            return Err(LatentError::Twice(direction.name().into()));
        }
        if self.directions.len() == MAX_DIRECTIONS {
            return Err(LatentError::Unsolvable("a set holds at most 512 directions"));
        }
        self.directions.push(direction);
        Ok(())
    }

    /// The direction of that name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn get(&self, name: &str) -> Result<&Direction, LatentError> {
        let found = self.directions.iter().find(|direction| direction.name() == name);
        found.ok_or_else(|| LatentError::Unknown(name.into()))
    }

    /// Takes a direction out; `None` where there is none of that name.
    pub fn remove(&mut self, name: &str) -> Option<Direction> {
        let at = self.directions.iter().position(|direction| direction.name() == name)?;
        Some(self.directions.remove(at))
    }

    /// The set as a safetensors file.
    ///
    /// # Errors
    /// Only where the machine cannot hold it.
    pub fn to_file(&self) -> Result<Vec<u8>, LatentError> {
        let vectors = self.directions.iter().enumerate().map(|(index, direction)| {
            let rows = direction.vector().len() / self.dim;
            (format!("direction.{index}"), vec![rows, self.dim], direction.vector())
        });
        let mut tensors: Vec<container::Tensor<'_>> = vectors.collect();
        if let Some(pca) = &self.pca {
            let (count, [mean, components, sigma]) = (pca.sigma().len(), pca.parts());
            tensors.push(("pca.mean".into(), vec![self.dim], mean));
            tensors.push(("pca.components".into(), vec![count, self.dim], components));
            tensors.push(("pca.sigma".into(), vec![count], sigma));
        }
        let directions = self.directions.iter().map(Direction::about).collect();
        let about = About { version: VERSION, dim: self.dim, directions, pca: self.pca.is_some() };
        Ok(container::write(WHAT, &tensors, &about)?)
    }

    /// Whether a file that begins with `head` (a few hundred bytes) may be one of
    /// [`DirectionSet::to_file`]: others are for [`super::import`].
    pub fn looks_like(head: &[u8]) -> bool {
        head.get(8..).is_some_and(|header| header.starts_with(br#"{"__metadata__":{"ganvas":"#))
    }

    /// Reads a file of at most [`MAX_FILE_BYTES`]. Strict: what is not known is an error.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_file(bytes: &[u8]) -> Result<Self, LatentError> {
        let bad = |reason: String| LatentError::file(WHAT, reason);
        let mut contents = container::read::<About>(WHAT, bytes, MAX_FILE_BYTES)?;
        if contents.about.version != VERSION {
            return Err(bad(format!("version {} is unknown", contents.about.version)));
        }
        let mut set = Self::new(contents.about.dim);
        for (index, stored) in
            std::mem::take(&mut contents.about.directions).into_iter().enumerate()
        {
            let (_, columns, vector) = contents.matrix(&format!("direction.{index}"))?;
            if stored.vector.is_some() || columns != stored.dim {
                return Err(bad(format!("direction {index} is not as its tensor")));
            }
            set.add(Stored { vector: Some(Packed(vector)), ..stored }.try_into()?)?;
        }
        if contents.about.pca {
            let mean = contents.vector("pca.mean")?.unwrap_or_default();
            let (_, _, components) = contents.matrix("pca.components")?;
            let sigma = contents.vector("pca.sigma")?.unwrap_or_default();
            set.set_pca(Pca::new(mean, components, sigma)?)?;
        }
        contents.finish()?;
        Ok(set)
    }
}
