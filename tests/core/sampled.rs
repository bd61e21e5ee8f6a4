//! Weights and pictures that are computed from a rule here and in `tests/fixtures/recipe.py`, and
//! the few numbers of each layer that were recorded there.

use std::path::Path;

use ganvas::checkpoint::{Checkpoint, CheckpointError};
use ganvas::latent::random::SplitMix64;
use ganvas::nets::Planes;
use ganvas::nets::cpu::Processor;
use ganvas::zoo::{Shapes, Spec, open_network};
use safetensors::tensor::{Dtype, TensorView, serialize};

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
    let value = |u: f64| match shape.len() {
        2.. => u * gain,
        _ if name.ends_with(".weight") || name.ends_with("running_var") => 1.0 + 0.3 * u,
        _ => 0.1 * u,
    };
    let numbers = recipe(name, shape.iter().product());
    numbers.into_iter().map(|u| value(u) as f32).collect()
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

    /// A checkpoint with tensors of these official names and shapes, through the real loader:
    /// every layer that was recorded of `network`, and what runs in the program.
    pub fn check(&self, network: &str, shapes: &Shapes, inputs: &[Planes]) -> Spec {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.safetensors");
        write_checkpoint(&path, "params_ema.", shapes);
        let (checkpoint, detected) = open_network(&path).unwrap();
        let mut source = |name: &str| -> Result<Vec<f32>, CheckpointError> {
            checkpoint.read_f32(&detected.names[name])
        };
        let graph = detected.spec.graph();
        let unfused = Processor::unfused(graph.clone(), &mut source).unwrap();
        let fused = Processor::new(graph, &mut source).unwrap();
        let mut compared = 0;
        let mut probe = |layer: &str, value: &Planes| {
            let stored = format!("{network}.{layer}");
            if self.has(&stored) {
                self.compare(&stored, value);
                compared += 1;
            }
        };
        unfused.run_observed(inputs, &|| false, &mut probe).unwrap();
        let of_network = |name: &&String| name.split_once('.').is_some_and(|(n, _)| n == network);
        assert_eq!(compared, self.0.shapes().keys().filter(of_network).count(), "{network}");
        let made = fused.run(inputs, &|| false).unwrap();
        self.compare(&format!("{network}.output"), &made[0]);
        detected.spec
    }
}
