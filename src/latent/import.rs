//! Directions in the files of others.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::direction_set::{DirectionSet, MAX_DIRECTIONS};
use super::{Direction, LatentError, Pca, Provenance, Rows, Unit};
use crate::checkpoint::{Checkpoint, CheckpointError};

const WHAT: &str = "set of directions";

/// The directions in `file` (safetensors, PyTorch or NumPy) for codes of `rows` rows of `dim`
/// numbers, of the model `model` (SHA-256) where that is known. `stem` names what has no name.
///
/// Understood are our trainer's files (`attr.NAME`, `sefa`, `pca`, and the spread of W; `notes`
/// is the JSON beside it, which knows the layers), a vector `[dim]`, `[1, dim]` or `[rows, dim]`,
/// several `[n, dim]`, `[n, 1, dim]` or `[n, rows, dim]`, and closed-form factors in the columns
/// of `eigvec`.
///
/// # Errors
/// Where a tensor is none of these.
pub fn import(
    file: &Checkpoint,
    stem: &str,
    (rows, dim): (usize, usize),
    model: Option<&str>,
    notes: Option<&str>,
) -> Result<DirectionSet, LatentError> {
    let shapes = file.shapes();
    let mut importer = Importer { file, set: DirectionSet::new(dim), rows, model };
    if shapes.keys().any(|name| name.starts_with("attr.")) {
        importer.trained(&shapes, notes)?;
    } else {
        let several = shapes.len() > 1;
        for (name, shape) in &shapes {
            importer.foreign(if several { name } else { stem }, name, shape)?;
        }
    }
    Ok(importer.set)
}

/// What the trainer's JSON says of a direction; much more stands there.
#[derive(Default, Deserialize)]
struct Notes {
    attributes: BTreeMap<String, Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    text: String,
    /// The first row and the one after the last.
    suggested_layers: [u16; 2],
}

struct Importer<'a> {
    file: &'a Checkpoint,
    set: DirectionSet,
    rows: usize,
    model: Option<&'a str>,
}

impl Importer<'_> {
    fn trained(
        &mut self,
        shapes: &BTreeMap<String, Vec<usize>>,
        notes: Option<&str>,
    ) -> Result<(), LatentError> {
        let dim = self.set.dim();
        let notes: Notes = match notes {
            Some(text) => serde_json::from_str(text).map_err(|err| bad(err.to_string()))?,
            None => Notes::default(),
        };
        for (name, shape) in shapes {
            let attribute = name.strip_prefix("attr.");
            match (name.as_str(), attribute, shape.as_slice()) {
                (_, Some(attribute), &[have]) if have == dim => {
                    let note = notes.attributes.get(attribute);
                    let rows = note.map_or(Rows::ALL, |note| {
                        Rows::new(note.suggested_layers[0], note.suggested_layers[1])
                    });
                    let details = note.map_or("", |note| &note.text);
                    let vector = self.read(name)?;
                    self.add(label(attribute), vector, "trained", details, Unit::Sigma, rows)?;
                }
                ("sefa" | "pca", _, &[_, have]) if have == dim => {
                    for (vector, index) in self.read(name)?.chunks_exact(dim).zip(1..) {
                        let label = format!("{name} {index}");
                        self.add(&label, vector.to_vec(), name, "", Unit::Sigma, Rows::ALL)?;
                    }
                }
                ("w_avg" | "w_mean" | "w_std" | "pca_vectors" | "pca_sigma", ..) => {}
                _ => return Err(bad(format!("'{name}' has the shape {shape:?}"))),
            }
        }
        if ["w_mean", "pca_vectors", "pca_sigma"].iter().all(|name| shapes.contains_key(*name)) {
            let [mean, components, sigma] = ["w_mean", "pca_vectors", "pca_sigma"];
            let pca = Pca::new(self.read(mean)?, self.read(components)?, self.read(sigma)?)?;
            self.set.set_pca(pca)?;
        }
        Ok(())
    }

    fn foreign(&mut self, label: &str, name: &str, shape: &[usize]) -> Result<(), LatentError> {
        let (rows, dim) = (self.rows, self.set.dim());
        let mut values = self.read(name)?;
        let each = match *shape {
            [have, count] if name == "eigvec" && have == dim => {
                values = (0..dim * count).map(|at| values[at % dim * count + at / dim]).collect();
                dim
            }
            [have] | [1, have] | [_, have] | [_, 1, have] if have == dim => {
                if shape == [rows, dim] { rows * dim } else { dim }
            }
            [_, have_rows, have] if (have_rows, have) == (rows, dim) => rows * dim,
            _ => {
                let reason = format!("'{name}' has the shape {shape:?}; codes have {rows}×{dim}");
                return Err(bad(reason));
            }
        };
        let count = values.len() / each;
        for (vector, index) in values.chunks_exact(each).zip(1..) {
            let label = if count == 1 { label.to_owned() } else { format!("{label} {index}") };
            let (details, rows) = (self.file_name(), Rows::ALL);
            self.add(&label, vector.to_vec(), "import", &details, Unit::Vector, rows)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        label: &str,
        vector: Vec<f32>,
        method: &str,
        details: &str,
        unit: Unit,
        rows: Rows,
    ) -> Result<(), LatentError> {
        let provenance = Provenance {
            method: method.into(),
            model: self.model.map(str::to_owned),
            details: details.into(),
        };
        let label: String =
            label.chars().map(|c| if matches!(c, ',' | '=') { ' ' } else { c }).collect();
        let mut direction = Direction::new(label.trim(), self.set.dim(), vector, provenance)?;
        (direction.rows, direction.unit) = (rows, unit);
        self.set.add(direction)
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, LatentError> {
        let elements: usize = self.file.shapes().get(name).map_or(0, |s| s.iter().product());
        if elements > MAX_DIRECTIONS * self.rows * self.set.dim() {
            return Err(bad(format!("'{name}' is too large")));
        }
        self.file.read_f32(name).map_err(|err: CheckpointError| bad(err.to_string()))
    }

    fn file_name(&self) -> String {
        self.file.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// What an attribute of the trainer is called in a program that people use: a picture shows a
/// presentation, not what somebody is.
fn label(attribute: &str) -> &str {
    match attribute {
        "gender" => "masculine",
        other => other,
    }
}

fn bad(reason: String) -> LatentError {
    LatentError::file(WHAT, reason)
}
