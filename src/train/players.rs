//! The two networks.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::config::{Arch, Config};
use super::init::{self, Start};
use super::randomness::{Purpose, Randomness};
use super::weights::{Weights, list};
use crate::nets::graph::{Act, Conv, Graph};
use crate::nets::tensor::{Moment, Moments, Moving, OnDevice};
use crate::nets::{Blueprint, LatentSpace};

/// Momentum of running statistics, as PyTorch has it.
const MOMENTUM: f64 = 0.1;
/// Hidden layers of the playground's networks.
const HIDDEN: usize = 3;
/// Stays of the mean of W at a step.
const MEAN_BETA: f64 = 0.995;

type Params = BTreeMap<String, Tensor<1>>;

/// What makes pictures.
pub struct Generator {
    pub space: LatentSpace,
    mapping: Option<OnDevice>,
    synthesis: OnDevice,
    pub weights: Weights,
}

/// What tells real pictures from made ones.
pub struct Discriminator {
    network: OnDevice,
    pub weights: Weights,
}

impl Config {
    /// The generator that learns, the one that averages it and draws as it will when it is used,
    /// and the judge, as they begin.
    pub fn players(&self, device: &Device) -> (Generator, Generator, Discriminator) {
        let (generator, judge, starts) = match self.arch {
            Arch::Dcgan => {
                let (generator, judge) = self.dcgan();
                (generator.blueprint(), judge.graph(), [Start::Dcgan; 2])
            }
            Arch::StyleGan2 => {
                let (generator, judge) = self.stylegan2();
                let rate = generator.mapping_rate;
                let starts = [rate, 1.0].map(|mapping_rate| Start::StyleGan2 { mapping_rate });
                (generator.blueprint(), judge.graph(), starts)
            }
            Arch::Points => {
                let width = self.channel_base;
                let generator = of_points(self.z_dim, width, 2);
                (generator, perceptron(2, width, 1), [Start::Linear; 2])
            }
        };
        let randomness = Randomness(self.seed);
        let new = || Generator::new(&generator, starts[0], device, randomness);
        (new().learning(), new(), Discriminator::new(judge, starts[1], device, randomness))
    }
}

/// Fully connected layers from vectors to vectors.
fn perceptron(from: usize, width: usize, to: usize) -> Graph {
    let mut g = Graph::new();
    let mut x = g.input(from);
    for layer in 0..HIDDEN {
        let channels = g.channels(x);
        x = g.conv(x, Conv::linear(&format!("layer{layer}"), channels, width));
        x = g.act(x, Act::Leaky(0.2));
    }
    let x = g.conv(x, Conv::linear(&format!("layer{HIDDEN}"), width, to));
    g.name(x, "output");
    g.output(x);
    g
}

fn of_points(z_dim: usize, width: usize, to: usize) -> Blueprint {
    let space = LatentSpace {
        z_dim,
        w_dim: z_dim,
        has_w: false,
        classes: 0,
        row_sides: vec![1],
        noise: Vec::new(),
        side: 1,
        ..LatentSpace::default()
    };
    let synthesis = perceptron(z_dim, width, to);
    let (features, noise, styles) = (Vec::new(), Vec::new(), Vec::new());
    Blueprint { space, mapping: None, synthesis, features, mean: None, noise, styles }
}

/// Normal weights of a network that is not to learn, whose layers keep the size of numbers
/// (He et al. 2015).
pub(super) fn kernels(graph: &Graph, device: &Device, randomness: Randomness) -> Params {
    let mut normal = randomness.normal(Purpose::Start, u64::MAX);
    let kernel = |(name, shape): (String, Vec<usize>)| {
        let len: usize = shape.iter().product();
        let scale = (2.0 * shape[0] as f64 / len.max(1) as f64).sqrt();
        let numbers = normal.by_ref().take(len).map(|x| (x * scale) as f32).collect();
        (name, list(numbers, device))
    };
    graph.params().into_iter().map(kernel).collect()
}

/// Numbers of `n` vectors as pictures of one pixel.
fn vectors(numbers: Vec<f32>, n: usize, device: &Device) -> Tensor<4> {
    let len = numbers.len() / n.max(1);
    Tensor::<4>::from_data(TensorData::new(numbers, [n, len, 1, 1]), device).autodiff()
}

/// The parameters that a network knows.
fn hand_over(network: &mut OnDevice, params: &Params) {
    for (name, value) in network.params_mut() {
        if let Some(new) = params.get(name) {
            *value = new.clone();
        }
    }
}

impl Generator {
    fn new(blueprint: &Blueprint, start: Start, device: &Device, randomness: Randomness) -> Self {
        let Blueprint { space, mapping, synthesis, mean, noise, .. } = blueprint.clone();
        let mut shapes = synthesis.params();
        shapes.extend(mapping.iter().flat_map(Graph::params));
        shapes.extend(mean.map(|name| (name, vec![space.w_dim])));
        shapes.extend(noise.into_iter().zip(space.noise.iter().map(|side| side.to_vec())));
        let weights = init::weights(shapes, start, device, randomness, 0);
        let on = device.clone().autodiff();
        let params = weights.constant();
        let network = |graph: Graph| {
            let own = graph.params().into_keys();
            let own = own.filter_map(|name| Some((name.clone(), params.get(&name)?.clone())));
            let own = own.collect();
            OnDevice::of_params(graph, &on, own)
        };
        let (mapping, synthesis) = (mapping.map(network), network(synthesis));
        Self { space, mapping, synthesis, weights }
    }

    /// Batch norm sees the batch.
    fn learning(self) -> Self {
        Self { synthesis: self.synthesis.learning(), ..self }
    }

    /// Uses these parameters from now on.
    pub fn load(&mut self, params: &Params) {
        if let Some(mapping) = &mut self.mapping {
            hand_over(mapping, params);
        }
        hand_over(&mut self.synthesis, params);
    }

    /// Rows of W `[n, w_dim, 1, 1]` of latents `[n, z_dim]`; the latents where there is no mapping.
    pub fn map(&self, latents: Vec<f32>) -> Tensor<4> {
        let n = latents.len() / self.space.z_dim.max(1);
        let z = vectors(latents, n, self.weights.device());
        match &self.mapping {
            Some(mapping) => mapping.run(vec![z.clone()], &|| false).pop().unwrap_or(z),
            None => z,
        }
    }

    /// Pictures `[n, channels, side, side]`, nominally in `-1..=1`, of the rows of W+, with random
    /// noise from `at`.
    pub fn draw(&self, rows: Vec<Tensor<4>>, randomness: Randomness, at: u64) -> Tensor<4> {
        let mut inputs = rows;
        let fallback = inputs[0].clone();
        inputs.extend(self.noises(fallback.dims()[0], randomness, at));
        self.synthesis.run(inputs, &|| false).pop().unwrap_or(fallback)
    }

    /// How what [`Generator::draw`] answers changes when each row moves along its direction of the
    /// same shape; `None` where the generator's operations have no rules for it.
    pub fn change_along(
        &self,
        rows: Vec<Tensor<4>>,
        directions: Vec<Tensor<4>>,
        randomness: Randomness,
        at: u64,
    ) -> Option<Tensor<4>> {
        let n = rows.first()?.dims()[0];
        let moving = |(value, direction)| Moving { value, change: Some(direction) };
        let mut inputs: Vec<Moving> = rows.into_iter().zip(directions).map(moving).collect();
        let noises = self.noises(n, randomness, at).into_iter();
        inputs.extend(noises.map(|value| Moving { value, change: None }));
        self.synthesis.run_along(inputs)
    }

    fn noises(&self, n: usize, randomness: Randomness, at: u64) -> Vec<Tensor<4>> {
        let mut normal = randomness.normal(Purpose::Noise, at);
        let noise = |[height, width]: &[usize; 2]| {
            let numbers = normal.by_ref().take(n * height * width).map(|x| x as f32).collect();
            let data = TensorData::new(numbers, [n, 1, *height, *width]);
            Tensor::<4>::from_data(data, self.weights.device()).autodiff()
        };
        self.space.noise.iter().map(noise).collect()
    }

    /// Drops the statistics of what was drawn since the last time.
    pub fn forget_moments(&self) {
        drop(self.synthesis.take_moments());
    }

    /// Keeps the running statistics of what was drawn since the last time.
    pub fn keep_moments(&mut self) {
        keep(&mut self.weights, self.synthesis.take_moments());
    }

    /// Moves the mean of W towards rows `[n, w_dim, 1, 1]`.
    pub fn keep_mean(&mut self, rows: &Tensor<4>) {
        let [_, dim, ..] = rows.dims();
        let mean = rows.clone().inner().mean_dim(0).reshape([dim]);
        self.weights
            .change("mapping.w_avg", |before| before * MEAN_BETA + mean * (1.0 - MEAN_BETA));
    }
}

impl Discriminator {
    fn new(graph: Graph, start: Start, device: &Device, randomness: Randomness) -> Self {
        let weights = init::weights(graph.params(), start, device, randomness, 1);
        let on = device.clone().autodiff();
        let network = OnDevice::of_params(graph, &on, weights.constant()).learning();
        Self { network, weights }
    }

    /// Uses these parameters from now on.
    pub fn load(&mut self, params: &Params) {
        hand_over(&mut self.network, params);
    }

    /// Logits `[n]` of pictures `[n, channels, side, side]`.
    pub fn judge(&self, pictures: Tensor<4>) -> Tensor<1> {
        self.judge_observed(pictures, &mut |_, _| {})
    }

    /// [`Discriminator::judge`] that shows `probe` every named layer.
    pub fn judge_observed(
        &self,
        pictures: Tensor<4>,
        probe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<1> {
        let n = pictures.dims()[0];
        let fallback = pictures.clone();
        let out = self.network.run_observed(vec![pictures], &|| false, probe).pop();
        out.unwrap_or(fallback).reshape([n])
    }

    /// How the sum `[1]` of the logits changes when pictures move along `direction`; `None` where
    /// the judge's operations have no tangents.
    pub fn change_along(&self, pictures: Tensor<4>, direction: Tensor<4>) -> Option<Tensor<1>> {
        let moving = Moving { value: pictures, change: Some(direction) };
        Some(self.network.run_along(vec![moving])?.sum())
    }

    /// Drops the statistics of what was judged since the last time.
    pub fn forget_moments(&self) {
        drop(self.network.take_moments());
    }

    /// Keeps the running statistics of what was judged since the last time.
    pub fn keep_moments(&mut self) {
        keep(&mut self.weights, self.network.take_moments());
    }
}

/// Running statistics as PyTorch keeps them: the variance as if over a sample.
fn keep(weights: &mut Weights, moments: Moments) {
    for (name, Moment { mean, variance, count }) in moments {
        let unbiased = count as f64 / (count.max(2) - 1) as f64;
        for (leaf, new) in [("mean", mean), ("var", variance * unbiased)] {
            weights.change(&format!("{name}.running_{leaf}"), |before| {
                before * (1.0 - MOMENTUM) + new * MOMENTUM
            });
        }
    }
}
