//! Safetensors files of ours with one JSON value in the metadata, written and read whole.

use std::collections::HashMap;

use ::safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use half::f16;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a file cannot be written or is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no {what}: {reason}")]
pub struct ContainerError {
    /// What it was to be.
    pub what: &'static str,
    pub reason: String,
}

/// The metadata key under which the value is kept.
const KEY: &str = "ganvas";

/// A tensor to write: name, shape, elements row by row.
pub type Tensor<'a> = (String, Vec<usize>, &'a [f32]);

/// The bytes of a file with `tensors` and `about`; the same input gives the same bytes.
pub fn write(
    what: &'static str,
    tensors: &[Tensor<'_>],
    about: &impl Serialize,
) -> Result<Vec<u8>, ContainerError> {
    write_as(Dtype::F32, what, tensors, about)
}

/// [`write`] in half the room: numbers are rounded to 11 bits.
pub fn write_half(
    what: &'static str,
    tensors: &[Tensor<'_>],
    about: &impl Serialize,
) -> Result<Vec<u8>, ContainerError> {
    write_as(Dtype::F16, what, tensors, about)
}

fn write_as(
    dtype: Dtype,
    what: &'static str,
    tensors: &[Tensor<'_>],
    about: &impl Serialize,
) -> Result<Vec<u8>, ContainerError> {
    let bad = |err: &dyn std::fmt::Display| ContainerError { what, reason: err.to_string() };
    // What would not be read again must not take the place of what would.
    let is_half = dtype == Dtype::F16;
    let is_held = |value: f32| value.is_finite() && (!is_half || f16::from_f32(value).is_finite());
    let is_bad = |(_, _, values): &&Tensor<'_>| !values.iter().all(|value| is_held(*value));
    if let Some((name, ..)) = tensors.iter().find(is_bad) {
        return Err(bad(&format!("'{name}' holds a number that is not finite")));
    }
    let bytes_of = |values: &[f32]| -> Vec<u8> {
        match is_half {
            true => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
            false => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    };
    let data: Vec<Vec<u8>> = tensors.iter().map(|(_, _, values)| bytes_of(values)).collect();
    let views = tensors
        .iter()
        .zip(&data)
        .map(|((name, shape, _), bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>();
    let views = views.map_err(|err: ::safetensors::SafeTensorError| bad(&err))?;
    let about = serde_json::to_string(about).map_err(|err| bad(&err))?;
    let metadata = HashMap::from([(KEY.to_owned(), about)]);
    serialize(views, Some(metadata)).map_err(|err| bad(&err))
}

/// Shapes and elements by name.
pub type Stored = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// A file that was read: tensors by name, each with its shape.
pub struct Contents<A> {
    pub about: A,
    what: &'static str,
    tensors: Stored,
}

/// Reads what [`write`] wrote. Every tensor must be of 32-bit floats and finite.
pub fn read<A: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    max_bytes: usize,
) -> Result<Contents<A>, ContainerError> {
    read_as(Dtype::F32, what, bytes, max_bytes)
}

/// Reads what [`write_half`] wrote. Every tensor must be of 16-bit floats and finite.
pub fn read_half<A: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    max_bytes: usize,
) -> Result<Contents<A>, ContainerError> {
    read_as(Dtype::F16, what, bytes, max_bytes)
}

fn read_as<A: DeserializeOwned>(
    dtype: Dtype,
    what: &'static str,
    bytes: &[u8],
    max_bytes: usize,
) -> Result<Contents<A>, ContainerError> {
    let bad = |reason: String| ContainerError { what, reason };
    if bytes.len() > max_bytes {
        return Err(bad(format!("{} bytes are more than one may have", bytes.len())));
    }
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|err| bad(err.to_string()))?;
    let about = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let about = about.ok_or_else(|| bad(format!("its metadata has no '{KEY}'")))?;
    let about = serde_json::from_str(about).map_err(|err| bad(err.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|err| bad(err.to_string()))?;
    let mut tensors = HashMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != dtype {
            return Err(bad(format!("'{name}' is {:?} and not {dtype:?}", view.dtype())));
        }
        let stored = if dtype == Dtype::F16 { super::Dtype::F16 } else { super::Dtype::F32 };
        let values = stored.to_f32(view.data());
        if values.iter().any(|value| !value.is_finite()) {
            return Err(bad(format!("'{name}' holds a number that is not finite")));
        }
        tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
    }
    Ok(Contents { about, what, tensors })
}

impl<A> Contents<A> {
    /// Takes a tensor of two axes: rows, columns, elements.
    pub fn matrix(&mut self, name: &str) -> Result<(usize, usize, Vec<f32>), ContainerError> {
        match self.tensors.remove(name) {
            Some((shape, values)) if shape.len() == 2 => Ok((shape[0], shape[1], values)),
            Some((shape, _)) => Err(self.bad(format!("'{name}' has the shape {shape:?}"))),
            None => Err(self.bad(format!("it has no tensor '{name}'"))),
        }
    }

    /// Takes a tensor of one axis, if there is one of that name.
    pub fn vector(&mut self, name: &str) -> Result<Option<Vec<f32>>, ContainerError> {
        match self.tensors.remove(name) {
            Some((shape, values)) if shape.len() == 1 => Ok(Some(values)),
            Some((shape, _)) => Err(self.bad(format!("'{name}' has the shape {shape:?}"))),
            None => Ok(None),
        }
    }

    /// Takes every tensor that is left: shape and elements by name.
    pub fn rest(self) -> (A, Stored) {
        (self.about, self.tensors)
    }

    /// Fails where tensors are left that nobody took.
    pub fn finish(self) -> Result<A, ContainerError> {
        match self.tensors.keys().min() {
            Some(name) => Err(self.bad(format!("it has an unknown tensor '{name}'"))),
            None => Ok(self.about),
        }
    }

    fn bad(&self, reason: String) -> ContainerError {
        ContainerError { what: self.what, reason }
    }
}
