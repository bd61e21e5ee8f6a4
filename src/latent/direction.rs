//! A direction in W: what to add to a code to change its picture in one respect.

use serde::{Deserialize, Serialize};

use super::code::{MAX_DIM, MAX_ROWS};
use super::packed::Packed;
use super::{LatentError, Pca, Rows, check};

/// Longest name in characters.
const MAX_NAME_CHARS: usize = 80;

/// What strength 1 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// One standard deviation of W along the direction.
    Sigma,
    /// The vector as it came; how far codes vary along it is not known.
    Vector,
}

/// Where a direction comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// `sefa`, `pca`, `ridge`, `svm`, `trained`, `import`, …
    pub method: String,
    /// SHA-256 of the weights file it was found in, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// For people: the file, the labels, the layers looked at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
}

/// A named vector of one row, the same for every row, or of a whole code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Direction {
    name: String,
    dim: usize,
    vector: Vec<f32>,
    /// The rows it acts on by itself.
    pub rows: Rows,
    pub unit: Unit,
    /// A slider goes from minus to plus this strength.
    pub range: f32,
    pub provenance: Provenance,
}

/// The serialised form. In a file the vector is a tensor and missing here.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub name: String,
    pub dim: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<Packed>,
    pub rows: Rows,
    pub unit: Unit,
    pub range: f32,
    pub provenance: Provenance,
}

impl Direction {
    /// Strengths that a slider offers where nothing else is known.
    pub const RANGE: f32 = 3.0;

    /// A direction that acts on every row, in units of `vector`: `dim` numbers, or those of each
    /// row one after the other.
    ///
    /// # Errors
    /// Where the name is empty, too long or holds `,`, `=` or control characters, and where the
    /// vector is not whole rows of finite numbers or is zero.
    pub fn new(
        name: &str,
        dim: usize,
        vector: Vec<f32>,
        provenance: Provenance,
    ) -> Result<Self, LatentError> {
        let what = format!("direction '{}'", name.chars().take(MAX_NAME_CHARS).collect::<String>());
        let bad_char = |c: char| c.is_control() || matches!(c, ',' | '=');
        if name.trim() != name
            || name.is_empty()
            || name.chars().count() > MAX_NAME_CHARS
            || name.contains(bad_char)
        {
            let reason = format!("{what} needs a short name without ',' and '='");
            return Err(LatentError::file("direction", reason));
        }
        let rows = vector.len() / dim.max(1);
        if !(1..=MAX_ROWS).contains(&rows) || !(1..=MAX_DIM).contains(&dim) {
            return Err(LatentError::Bounds { what: "a direction", rows, dim });
        }
        check(&what, &vector, rows * dim)?;
        if vector.iter().all(|value| *value == 0.0) {
            return Err(LatentError::Unsolvable("a direction must not be zero"));
        }
        let (rows, unit, range) = (Rows::ALL, Unit::Vector, Self::RANGE);
        Ok(Self { name: name.into(), dim, vector, rows, unit, range, provenance })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same direction under another name.
    ///
    /// # Errors
    /// As [`Direction::new`].
    pub fn renamed(&self, name: &str) -> Result<Self, LatentError> {
        let Self { name, .. } =
            Self::new(name, self.dim, self.vector.clone(), Provenance::default())?;
        Ok(Self { name, ..self.clone() })
    }

    /// Numbers a row.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// One row, or every row one after the other.
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// Whether it fits codes of `rows` rows of `dim` numbers.
    pub const fn fits(&self, rows: usize, dim: usize) -> bool {
        self.dim == dim && (self.vector.len() == dim || self.vector.len() == rows * dim)
    }

    /// The same direction in units of standard deviations of `pca`. One of several rows is
    /// measured by its longest row.
    ///
    /// # Errors
    /// Where codes do not vary along it, or `pca` is of another W.
    pub fn in_sigma(mut self, pca: &Pca) -> Result<Self, LatentError> {
        check("the mean of W", pca.mean(), self.dim)?;
        let length = |row: &[f32]| row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        let longest = self
            .vector
            .chunks_exact(self.dim)
            .max_by(|a, b| length(a).total_cmp(&length(b)))
            .unwrap_or_default();
        let scale = f64::from(pca.sigma_along(longest)) / length(longest);
        if !(scale.is_finite() && scale > 0.0) {
            return Err(LatentError::Unsolvable("codes do not vary along this direction"));
        }
        self.vector.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
        self.unit = Unit::Sigma;
        Ok(self)
    }

    /// What strength 1 adds to a code of `rows` rows, 0 outside of `only`.
    ///
    /// # Errors
    /// Where it does not fit such codes.
    pub fn expanded(&self, rows: usize, only: Rows) -> Result<Vec<f32>, LatentError> {
        if !self.fits(rows, self.dim) {
            let what = format!("direction '{}'", self.name);
            return Err(LatentError::Length {
                what,
                have: self.vector.len(),
                want: rows * self.dim,
            });
        }
        let acts = only.within(rows);
        let mut whole: Vec<f32> =
            self.vector.iter().copied().cycle().take(rows * self.dim).collect();
        for (row, values) in whole.chunks_exact_mut(self.dim).enumerate() {
            if !acts.contains(&row) {
                values.fill(0.0);
            }
        }
        Ok(whole)
    }

    /// Everything but the vector.
    pub(super) fn about(&self) -> Stored {
        Stored {
            name: self.name.clone(),
            dim: self.dim,
            vector: None,
            rows: self.rows,
            unit: self.unit,
            range: self.range,
            provenance: self.provenance.clone(),
        }
    }
}

impl From<Direction> for Stored {
    fn from(direction: Direction) -> Self {
        Self { vector: Some(Packed(direction.vector.clone())), ..direction.about() }
    }
}

impl TryFrom<Stored> for Direction {
    type Error = LatentError;

    fn try_from(stored: Stored) -> Result<Self, LatentError> {
        let Packed(vector) = stored.vector.unwrap_or(Packed(Vec::new()));
        let Stored { name, dim, rows, unit, range, provenance, .. } = stored;
        if !(range.is_finite() && range > 0.0) {
            return Err(LatentError::NotFinite { what: format!("the range of '{name}'") });
        }
        Ok(Self { rows, unit, range, ..Self::new(&name, dim, vector, provenance)? })
    }
}
