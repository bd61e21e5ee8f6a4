//! Training: losses by hand, gradients of gradients and steps beside PyTorch's, runs that go on.

mod arithmetic;
mod data;
mod paths;
mod runs;

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use ganvas::checkpoint::Checkpoint;
use ganvas::train::{Config, Discriminator};

/// Tensors of `tests/fixtures/train`, made by its script.
struct Fixture(Checkpoint);

impl Fixture {
    fn open(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join(format!("tests/fixtures/train/{name}.safetensors"));
        Self(Checkpoint::open(&path).unwrap())
    }

    fn list(&self, name: &str) -> Vec<f32> {
        self.0.read_f32(name).unwrap()
    }

    fn pictures(&self, name: &str) -> Tensor<4> {
        let shape: [usize; 4] = self.0.shapes()[name].clone().try_into().unwrap();
        let data = TensorData::new(self.list(name), shape);
        Tensor::<4>::from_data(data, &Device::flex()).autodiff()
    }

    /// What is called `group/…`, by the rest of the name.
    fn group(&self, group: &str) -> HashMap<String, Vec<f32>> {
        let of_group = |name: String| {
            let leaf = name.strip_prefix(group)?.strip_prefix('/')?.to_owned();
            Some((leaf, self.list(&name)))
        };
        self.0.shapes().into_keys().filter_map(of_group).collect()
    }

    /// The judge of a run with the parameters of the file.
    fn judge(&self, config: &Config) -> Discriminator {
        let (_, _, mut judge) = config.players(&Device::flex());
        let params = self.group("p");
        for name in judge.weights.learnt().clone() {
            let known = params.get(&name).unwrap_or_else(|| panic!("no {name}")).clone();
            assert!(judge.weights.write(&name, known), "{name}");
        }
        assert_eq!(judge.weights.learnt().len(), params.len());
        judge.load(&judge.weights.constant());
        judge
    }
}

fn list(tensor: &Tensor<1>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

/// Distance over length.
fn relative(is: &[f32], want: &[f32]) -> f64 {
    assert_eq!(is.len(), want.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let apart = square(&mut is.iter().zip(want).map(|(a, b)| f64::from(a - b)));
    let length = square(&mut want.iter().map(|x| f64::from(*x)));
    (apart / length.max(1e-30)).sqrt()
}
