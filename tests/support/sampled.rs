//! Weights and pictures that are computed from a rule here and in `tests/fixtures/recipe.py`, and
//! the few numbers of each layer that were recorded there.

use std::path::Path;

use ganvas::checkpoint::Checkpoint;
use ganvas::latent::random::SplitMix64;
use ganvas::nets::Planes;
use ganvas::zoo::{Detected, Shapes, Spec, open_network};
use safetensors::tensor::{Dtype, TensorView, serialize};
use tempfile::TempDir;

use crate::recorded::root;

/// Largest difference, relative to the largest number of a layer.
const TOLERANCE: f32 = 1e-4;

/// Uniform in `-1..=1`.
pub fn recipe(name: &str, count: usize) -> Vec<f64> {
    let hash = |seed: u64, byte: u8| (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    let mut random = SplitMix64::new(name.bytes().fold(0xCBF2_9CE4_8422_2325, hash));
    (0..count).map(|_| (random.bits() >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0).collect()
}

pub fn parameter(name: &str, shape: &[usize]) -> Vec<f32> {
    let fan_in: usize = shape.iter().skip(1).product();
    let gain = (6.0 / fan_in as f64).sqrt();
    let is_filter = name.ends_with("_filter");
    let is_factor = [".weight", "running_var", "magnitude_ema"].iter().any(|l| name.ends_with(l));
    let mut numbers = recipe(name, shape.iter().product());
    for u in &mut numbers {
        *u = match shape.len() {
            _ if is_filter => 1.0 + 0.3 * *u,
            2.. => *u * gain,
            _ if is_factor => 1.0 + 0.3 * *u,
            _ => 0.1 * *u,
        };
    }
    // Filters add up to one; the mapping of StyleGAN3 learns slowly.
    let sum: f64 = numbers.iter().sum();
    let factor = match name {
        _ if is_filter => 1.0 / sum,
        _ if name.starts_with("mapping.fc") => 100.0,
        _ => 1.0,
    };
    numbers.into_iter().map(|u| (u * factor) as f32).collect()
}

pub fn planes(
    name: &str,
    [channels, height, width]: [usize; 3],
    of: impl Fn(f64) -> f64,
) -> Planes {
    let data = recipe(name, channels * height * width);
    let data = data.into_iter().map(|u| of(u) as f32).collect();
    Planes { channels, height, width, data }
}

/// Writes a checkpoint with these tensors, each under `key`.
pub fn write_checkpoint(path: &Path, key: &str, shapes: &Shapes) {
    let stored: Vec<(String, &[usize], Vec<u8>)> = shapes
        .iter()
        .map(|(name, shape)| {
            let bytes = parameter(name, shape).into_iter().flat_map(f32::to_le_bytes).collect();
            (format!("{key}{name}"), shape.as_slice(), bytes)
        })
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
    });
    std::fs::write(path, serialize(views, None).unwrap()).unwrap();
}

/// Numbers of layers under `<network>.<layer>`.
pub struct Sampled(pub Checkpoint);

impl Sampled {
    /// The file at `path` below the folder of fixtures.
    pub fn open(path: &str) -> Self {
        Self(Checkpoint::open(&root().join("tests/fixtures").join(path)).unwrap())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.shapes().contains_key(name)
    }

    /// Compares the numbers that were recorded of a value.
    pub fn compare(&self, name: &str, have: &Planes) {
        let recorded = self.0.read_f32(name).unwrap();
        let (top, samples) = recorded.split_last().unwrap();
        for (at, want) in samples.iter().enumerate() {
            let have = have.data[at * have.data.len() / samples.len()];
            assert!((have - want).abs() <= TOLERANCE * top, "{name} {at}: {have} not {want}");
        }
        let largest = have.data.iter().fold(0.0f32, |top, value| top.max(value.abs()));
        assert!((largest - top).abs() <= TOLERANCE * top, "{name}: {largest} not {top}");
    }
}

/// A network with computed weights whose layers were recorded.
pub struct Computed {
    /// Of the record.
    file: String,
    /// What the record calls it.
    pub name: &'static str,
    pub spec: Spec,
    shapes: Shapes,
    pub inputs: Vec<Planes>,
}

impl Computed {
    /// `kind` names the record, `shapes` are those of the published file.
    pub fn new(
        kind: &str,
        name: &'static str,
        spec: Spec,
        shapes: Shapes,
        inputs: Vec<Planes>,
    ) -> Self {
        Self { file: format!("nets/computed-{kind}.safetensors"), name, spec, shapes, inputs }
    }

    /// The file with what was recorded.
    pub fn recorded(&self) -> Sampled {
        Sampled::open(&self.file)
    }

    /// Its checkpoint, wrapped as training scripts do, through the real loader; the folder in which
    /// it is goes with the last.
    pub fn open(&self) -> (Checkpoint, Detected, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.safetensors");
        write_checkpoint(&path, "params_ema.", &self.shapes);
        let (checkpoint, detected) = open_network(&path).unwrap();
        assert_eq!(detected.spec, self.spec, "{}", self.name);
        (checkpoint, detected, folder)
    }

    /// Compares the layers that `run` shows with those that were recorded, all of them.
    pub fn compare(&self, run: impl FnOnce(&mut dyn FnMut(&str, &Planes))) {
        let (recorded, name) = (self.recorded(), self.name);
        let mut compared = 0;
        run(&mut |layer, value| {
            let stored = format!("{name}.{layer}");
            if recorded.has(&stored) {
                recorded.compare(&stored, value);
                compared += 1;
            }
        });
        let of_network = |stored: &&String| stored.split_once('.').is_some_and(|(n, _)| n == name);
        assert_eq!(compared, recorded.0.shapes().keys().filter(of_network).count(), "{name}");
    }

    /// Compares a result alone.
    pub fn compare_output(&self, value: &Planes) {
        self.recorded().compare(&format!("{}.output", self.name), value);
    }
}
