//! Fills a module from a checkpoint, strictly in both directions.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::zoo::Detected;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the network needs '{0}', which the checkpoint lacks")]
    Missing(String),
    #[error("'{name}' has the shape {have:?}, the network needs {want:?}")]
    Shape { name: String, have: Vec<usize>, want: Vec<usize> },
    #[error("the network has no place for '{0}'")]
    Unused(String),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Replaces every parameter of `module` by the checkpoint's. `official` turns a path in the
/// module into the official tensor name.
pub fn load<M: Module>(
    module: M,
    official: fn(&str) -> String,
    checkpoint: &Checkpoint,
    detected: &Detected,
    device: &Device,
) -> Result<M, LoadError> {
    let shapes = detected.spec.tensors();
    let waiting = detected.names.clone();
    let mut filler =
        Filler { official, checkpoint, device, shapes, waiting, path: Vec::new(), error: None };
    let module = module.map(&mut filler);
    match (filler.error, filler.waiting.into_keys().next()) {
        (Some(error), _) => Err(error),
        (None, Some(name)) => Err(LoadError::Unused(name)),
        (None, None) => Ok(module),
    }
}

struct Filler<'a> {
    official: fn(&str) -> String,
    checkpoint: &'a Checkpoint,
    device: &'a Device,
    /// Official name → shape.
    shapes: BTreeMap<String, Vec<usize>>,
    /// Official name → name in the file, for what was not used yet.
    waiting: BTreeMap<String, String>,
    path: Vec<String>,
    error: Option<LoadError>,
}

impl Filler<'_> {
    /// The official name of the parameter at the current path. Norms and slopes call their
    /// parameters by the letters of their papers, the official files do not.
    fn name(&self) -> String {
        let mut path = self.path.clone();
        if let Some(leaf) = path.last_mut() {
            match leaf.as_str() {
                "gamma" | "alpha" => *leaf = "weight".into(),
                "beta" => *leaf = "bias".into(),
                _ => {}
            }
        }
        (self.official)(&path.join("."))
    }

    fn read<const D: usize>(&mut self, want: &[usize]) -> Result<Tensor<D>, LoadError> {
        let name = self.name();
        let Some(stored) = self.waiting.remove(&name) else {
            return Err(LoadError::Missing(name));
        };
        match self.shapes.get(&name) {
            Some(have) if have == want => {}
            have => {
                let have = have.cloned().unwrap_or_default();
                return Err(LoadError::Shape { name, have, want: want.to_vec() });
            }
        }
        let values = self.checkpoint.read_f32(&stored)?;
        Ok(Tensor::from_data(TensorData::new(values, want.to_vec()), self.device))
    }
}

impl ModuleMapper for Filler<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let want: Vec<usize> = param.lazy_shape().iter().copied().collect();
        match self.read(&want) {
            Ok(tensor) => Param::initialized(param.id, tensor),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

/// One parameter of the detected network by official name, for networks that are no modules.
pub fn read_official(
    checkpoint: &Checkpoint,
    detected: &Detected,
    name: &str,
) -> Result<Vec<f32>, LoadError> {
    let stored = detected.names.get(name).ok_or_else(|| LoadError::Missing(name.to_owned()))?;
    Ok(checkpoint.read_f32(stored)?)
}
