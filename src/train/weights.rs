//! The parameters of a network while it learns.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::nets::graph::Shapes;

/// Gradients by name of the parameter, off the tape.
pub type Slopes = BTreeMap<String, Tensor<1>>;

/// Parameters by official name, as lists of numbers.
#[derive(Clone, Debug)]
pub struct Weights {
    pub shapes: Shapes,
    /// Without derivatives.
    values: BTreeMap<String, Tensor<1>>,
    /// Those that change.
    learnt: BTreeSet<String>,
    device: Device,
}

impl Weights {
    /// `fill` gives the numbers of each shape.
    pub fn new(
        shapes: Shapes,
        learnt: BTreeSet<String>,
        device: &Device,
        mut fill: impl FnMut(&str, &[usize]) -> Vec<f32>,
    ) -> Self {
        let values = shapes.iter().map(|(name, shape)| {
            let numbers = fill(name, shape);
            (name.clone(), list(numbers, device))
        });
        Self { values: values.collect(), shapes, learnt, device: device.clone() }
    }

    pub const fn device(&self) -> &Device {
        &self.device
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.values.keys()
    }

    pub const fn learnt(&self) -> &BTreeSet<String> {
        &self.learnt
    }

    /// Keeps what is called so as it is.
    pub fn freeze(&mut self, is_frozen: impl Fn(&str) -> bool) {
        self.learnt.retain(|name| !is_frozen(name));
    }

    /// With derivatives: the learnt ones are leaves of the tape.
    pub fn tracked(&self) -> BTreeMap<String, Tensor<1>> {
        let leaf = |(name, value): (&String, &Tensor<1>)| {
            let value = value.clone().autodiff();
            let is_learnt = self.learnt.contains(name);
            (name.clone(), if is_learnt { value.require_grad() } else { value })
        };
        self.values.iter().map(leaf).collect()
    }

    /// On the tape, but as constants.
    pub fn constant(&self) -> BTreeMap<String, Tensor<1>> {
        self.values.iter().map(|(name, value)| (name.clone(), value.clone().autodiff())).collect()
    }

    /// What a backward run found for the leaves of [`Weights::tracked`].
    pub fn slopes(&self, leaves: &BTreeMap<String, Tensor<1>>, found: &Gradients) -> Slopes {
        let slope = |name: &String| Some((name.clone(), leaves.get(name)?.grad(found)?.inner()));
        self.learnt.iter().filter_map(slope).collect()
    }

    /// Replaces a parameter by what `new` makes of it.
    pub fn change(&mut self, name: &str, new: impl FnOnce(Tensor<1>) -> Tensor<1>) {
        if let Some(value) = self.values.remove(name) {
            self.values.insert(name.to_owned(), new(value));
        }
    }

    /// Moves towards `other`: `beta` of what is stays. What is not learnt is taken over.
    pub fn follow(&mut self, other: &Self, beta: f64) {
        for (name, to) in &other.values {
            let learnt = self.learnt.contains(name);
            self.change(name, |value| {
                if learnt { value * beta + to.clone() * (1.0 - beta) } else { to.clone() }
            });
        }
    }

    /// The numbers of a parameter.
    pub fn read(&self, name: &str) -> Option<Vec<f32>> {
        self.values.get(name)?.to_data().try_to_vec().ok()
    }

    /// Sets a parameter; `false` where the name or the count is another.
    pub fn write(&mut self, name: &str, numbers: Vec<f32>) -> bool {
        let Some(shape) = self.shapes.get(name) else { return false };
        if shape.iter().product::<usize>() != numbers.len() {
            return false;
        }
        self.values.insert(name.to_owned(), list(numbers, &self.device));
        true
    }
}

/// Numbers as a tensor.
pub(super) fn list(numbers: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [len]), device)
}
