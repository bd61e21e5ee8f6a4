//! Generators as those see them who change codes on their way to a picture.
//!
//! A latent `z` becomes a row of W by the mapping; each layer of the synthesis reads one row of
//! the W+ code, which may all be the same, and adds noise of its own. Networks without a mapping
//! have one row, the latent itself. No tensors here: networks run through [`Run`].

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::worker::NetworkError;
use crate::latent::random::{Normal, normal_latent};
use crate::latent::{Code, Noise};
use crate::nets::cpu::gradient::Differentiable;
use crate::nets::cpu::{Processor, Stop};
use crate::nets::graph::{Graph, Layout, Value};
use crate::nets::{Blueprint, LatentSpace, Planes, Source};
pub use crate::zoo::{Parameters, parameters};

/// Latents that make up the mean of W where a file holds none.
const MEAN_LATENTS: usize = 4096;
/// Columns of the picture as which many latents are mapped at once.
const COLUMNS: usize = 64;

/// The weights of a layer that reads a row of W+.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleWeights {
    pub row: usize,
    pub channels: usize,
    /// `[channels, w_dim]`, as stored.
    pub weight: Vec<f32>,
}

/// What of a drawing a loss looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `[3, side, side]`, nominally `-1..=1`.
    Picture,
    /// What the level of the synthesis that draws at this side in pixels hands to the next.
    Features { side: usize },
}

/// A drawing's loss and where it falls.
#[derive(Clone, Debug, PartialEq)]
pub struct Slopes {
    /// The part that the loss looked at.
    pub drawn: Planes,
    pub loss: f64,
    /// Of the loss by the code, `[rows, w_dim]`.
    pub by_code: Vec<f32>,
    /// Of the loss by the noises.
    pub by_noise: Vec<Planes>,
}

/// A generator that is ready to draw.
pub trait Generator {
    fn space(&self) -> &LatentSpace;

    /// Rows of W, `[n, w_dim]`, of latents `[n, z_dim]`; fast for many at once. `class` is as long
    /// as there are classes, numbers that add up to 1, or so for each latent; empty for none.
    ///
    /// # Errors
    /// Where lengths do not fit, and those of the network.
    fn map(&mut self, z: &[f32], class: &[f32], stop: Stop<'_>) -> Result<Vec<f32>, NetworkError>;

    /// Rows of W, `[count, w_dim]`, of as many further latents of `normal`, whatever their class.
    ///
    /// # Errors
    /// Those of the network.
    fn sample(
        &mut self,
        normal: &mut Normal,
        count: usize,
        stop: Stop<'_>,
    ) -> Result<Vec<f32>, NetworkError> {
        let limit = self.space().limit.unwrap_or(f64::INFINITY);
        let within = normal.filter(|value| value.abs() <= limit);
        let z: Vec<f32> =
            within.take(count * self.space().z_dim).map(|value| value as f32).collect();
        let class = self.space().mean_class();
        self.map(&z, &class, stop)
    }

    /// The mean of W, `[w_dim]`. See [`LatentSpace::center`] for what truncation goes towards.
    fn mean(&self) -> &[f32];

    /// A picture `[1, height, width]` for each noise of the space.
    fn noise(&self, noise: Noise) -> Vec<Planes>;

    /// The noise of a code: its own maps, else those of its kind.
    ///
    /// # Errors
    /// Where its maps are not those of this generator.
    fn noise_of(&self, code: &Code) -> Result<Vec<Planes>, NetworkError> {
        match code.noise_maps() {
            Some(maps) => noise_planes(self.space(), maps),
            None => Ok(self.noise(code.noise)),
        }
    }

    /// The picture, `[3, side, side]` in `-1..=1` but not clamped, of a code `[rows, w_dim]` and
    /// such noises.
    ///
    /// # Errors
    /// Where lengths do not fit, and those of the network.
    fn draw(
        &mut self,
        ws: &[f32],
        noise: &[Planes],
        stop: Stop<'_>,
    ) -> Result<Planes, NetworkError>;

    /// [`Generator::draw`] with noises by kind.
    ///
    /// # Errors
    /// As there.
    fn synthesize(
        &mut self,
        ws: &[f32],
        noise: Noise,
        stop: Stop<'_>,
    ) -> Result<Planes, NetworkError> {
        let noise = self.noise(noise);
        self.draw(ws, &noise, stop)
    }

    /// The sides of [`Part::Features`], coarse to fine.
    fn feature_sides(&self) -> Vec<usize>;

    /// A part of the drawing of a code and noises as [`Generator::draw`] makes it, what `loss` says
    /// of it, and the gradient of the loss by code and noises. `loss` answers with its value and
    /// its gradient by the part. On the processor, wherever pictures are drawn.
    ///
    /// # Errors
    /// Where lengths do not fit, there is no such part, and those of the network.
    fn gradient(
        &mut self,
        part: Part,
        ws: &[f32],
        noise: &[Planes],
        loss: &mut dyn FnMut(&Planes) -> (f64, Planes),
        stop: Stop<'_>,
    ) -> Result<Slopes, NetworkError>;

    /// The synthesis from code and noises to a picture, and its parameters.
    fn synthesis(&mut self) -> (&Graph, Source<'_, String>);

    /// The layers that read the rows, in order.
    fn styles(&self) -> &[StyleWeights];
}

/// A graph that is ready to run, wherever.
pub trait Run {
    /// One picture or vector an input.
    ///
    /// # Errors
    /// Those of the device; [`NetworkError::Stopped`] when `stop` answered true.
    fn run(&self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError>;
}

impl Run for Processor {
    fn run(&self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        // Inside the pool for the whole run: entering it anew for each of hundreds of layers
        // costs a sleep and a wake-up each, which a busy machine stretches to minutes.
        rayon::scope(|_| Self::run(self, inputs, stop)).map_err(|_| NetworkError::Stopped)
    }
}

/// A generator of graphs.
pub struct LatentNetwork<R> {
    space: LatentSpace,
    mapping: Option<R>,
    synthesis: R,
    mean: Vec<f32>,
    noise: Vec<Planes>,
    styles: Vec<StyleWeights>,
    parameters: Parameters,
    graph: Graph,
    /// Of the synthesis, with their sides.
    features: BTreeMap<usize, Value>,
    /// The synthesis up to each part of which a gradient was asked for.
    both_ways: BTreeMap<Part, Differentiable>,
}

impl<R: Run> LatentNetwork<R> {
    /// `build` prepares a graph.
    ///
    /// # Errors
    /// A sentence of `parameters`.
    pub fn new(
        blueprint: Blueprint,
        mut parameters: Parameters,
        build: impl Fn(Graph, Source<'_, String>) -> Result<R, String>,
    ) -> Result<Self, String> {
        let Blueprint { space, mapping, synthesis: graph, features, mean, noise, styles } =
            blueprint;
        let source: Source<'_, String> = &mut *parameters;
        let mapping = mapping.map(|graph| build(graph, source)).transpose()?;
        let synthesis = build(graph.clone(), source)?;
        let stored = |(name, [height, width]): (&String, &[usize; 2])| {
            let data = source(name)?;
            Ok(Planes { channels: 1, height: *height, width: *width, data })
        };
        let noise = noise.iter().zip(&space.noise).map(stored).collect::<Result<_, String>>()?;
        let mut read = Vec::with_capacity(styles.len());
        for style in styles {
            let mut weight = source(&style.weight)?;
            if style.layout == Layout::InOut {
                weight = transposed(&weight, style.channels);
            }
            let weight = widened(&weight, style.channels, space.w_dim);
            read.push(StyleWeights { row: style.row, channels: style.channels, weight });
        }
        let rows = vec![[1, 1]; space.rows()];
        let sides = graph.sides(&[&rows[..], &space.noise].concat());
        let side = |value: Value| (sides[value.index()][0], value);
        let stored = mean.map(|name| source(&name)).transpose()?;
        let mean = vec![0.0; space.w_dim];
        let mut network = Self {
            space,
            mapping,
            synthesis,
            mean,
            noise,
            styles: read,
            parameters,
            features: features.into_iter().map(side).collect(),
            graph,
            both_ways: BTreeMap::new(),
        };
        match stored {
            Some(mean) => network.mean = mean,
            None if network.mapping.is_some() => {
                network.mean = network.mean_of_many().map_err(|err| err.to_string())?;
            }
            None => {}
        }
        Ok(network)
    }

    /// The mean of rows over seeds and classes.
    fn mean_of_many(&mut self) -> Result<Vec<f32>, NetworkError> {
        let rows = self.sample(&mut Normal::new(0), MEAN_LATENTS, &|| false)?;
        let mut mean = vec![0.0f64; self.space.w_dim];
        for row in rows.chunks_exact(self.space.w_dim.max(1)) {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        Ok(mean.iter().map(|sum| (sum / MEAN_LATENTS as f64) as f32).collect())
    }

    /// What draws pictures of codes.
    pub const fn runner(&self) -> &R {
        &self.synthesis
    }
}

impl LatentNetwork<Processor> {
    /// On the processor.
    ///
    /// # Errors
    /// A sentence of `parameters`.
    pub fn on_processor(blueprint: Blueprint, parameters: Parameters) -> Result<Self, String> {
        Self::new(blueprint, parameters, |graph, source| Processor::new(graph, source))
    }
}

/// `[in, out]` numbers as `[out, in]`.
fn transposed(weight: &[f32], out: usize) -> Vec<f32> {
    let from = weight.len() / out.max(1);
    (0..weight.len()).map(|at| weight[at % from * out + at / from]).collect()
}

/// `[out, in]` numbers as `[out, w_dim]`: what a layer does not read counts for nothing.
fn widened(weight: &[f32], out: usize, w_dim: usize) -> Vec<f32> {
    let from = weight.len() / out.max(1);
    let rest = vec![0.0; w_dim.saturating_sub(from)];
    weight.chunks_exact(from.max(1)).flat_map(|row| row.iter().chain(&rest)).copied().collect()
}

fn expect(what: &str, have: usize, want: usize) -> Result<(), NetworkError> {
    if have == want {
        return Ok(());
    }
    Err(NetworkError::Failed(format!("{what} has {have} numbers instead of {want}")))
}

/// Vectors `[n, len]` as a picture of `len` channels with a pixel each.
fn as_picture(vectors: &[f32], len: usize) -> Planes {
    let count = vectors.len() / len.max(1);
    let (width, height) = (COLUMNS.min(count), count.div_ceil(COLUMNS));
    let area = width * height;
    let mut data = vec![0.0; len * area];
    for (at, vector) in vectors.chunks_exact(len.max(1)).enumerate() {
        for (channel, value) in vector.iter().enumerate() {
            data[channel * area + at] = *value;
        }
    }
    Planes { channels: len, height, width, data }
}

/// Noise maps, row by row, as pictures.
pub(super) fn noise_planes(
    space: &LatentSpace,
    maps: &[Vec<f32>],
) -> Result<Vec<Planes>, NetworkError> {
    expect("the noise", maps.len(), space.noise.len())?;
    let pairs = maps.iter().zip(&space.noise);
    pairs
        .map(|(map, [height, width])| {
            expect("a noise map", map.len(), height * width)?;
            Ok(Planes { channels: 1, height: *height, width: *width, data: map.clone() })
        })
        .collect()
}

/// What a synthesis is given.
pub(super) fn inputs(
    space: &LatentSpace,
    ws: &[f32],
    noise: &[Planes],
) -> Result<Vec<Planes>, NetworkError> {
    expect("the code", ws.len(), space.rows() * space.w_dim)?;
    expect("the noise", noise.len(), space.noise.len())?;
    for (planes, [height, width]) in noise.iter().zip(&space.noise) {
        expect("a noise", planes.data.len(), height * width)?;
    }
    let rows = ws.chunks_exact(space.w_dim.max(1)).map(|row| Planes::vector(row.to_vec()));
    Ok(rows.chain(noise.iter().cloned()).collect())
}

impl<R: Run> Generator for LatentNetwork<R> {
    fn space(&self) -> &LatentSpace {
        &self.space
    }

    fn map(&mut self, z: &[f32], class: &[f32], stop: Stop<'_>) -> Result<Vec<f32>, NetworkError> {
        let LatentSpace { z_dim, w_dim, classes, .. } = self.space;
        let count = z.len() / z_dim.max(1);
        expect("the latents", z.len(), count.max(1) * z_dim)?;
        let Some(mapping) = &self.mapping else { return Ok(z.to_vec()) };
        let mut inputs = vec![as_picture(z, z_dim)];
        if classes > 0 {
            let all = if class.len() == classes { class.repeat(count) } else { class.to_vec() };
            expect("the classes", all.len(), count * classes)?;
            inputs.push(as_picture(&all, classes));
        }
        let rows = mapping.run(&inputs, stop)?.swap_remove(0);
        let area = rows.height * rows.width;
        Ok((0..count * w_dim).map(|at| rows.data[at % w_dim * area + at / w_dim]).collect())
    }

    fn mean(&self) -> &[f32] {
        &self.mean
    }

    fn noise(&self, noise: Noise) -> Vec<Planes> {
        let picture = |(layer, own): (usize, &Planes)| {
            let data = match noise {
                Noise::Const => own.data.clone(),
                // Far apart, so that neighbouring seeds share nothing.
                Noise::Random(seed) => {
                    let seed = seed.wrapping_add((layer as u64 + 1) << 48);
                    normal_latent(seed, own.data.len(), 1.0)
                }
                Noise::None => vec![0.0; own.data.len()],
            };
            Planes { data, ..*own }
        };
        self.noise.iter().enumerate().map(picture).collect()
    }

    fn draw(
        &mut self,
        ws: &[f32],
        noise: &[Planes],
        stop: Stop<'_>,
    ) -> Result<Planes, NetworkError> {
        let inputs = inputs(&self.space, ws, noise)?;
        Ok(self.synthesis.run(&inputs, stop)?.swap_remove(0))
    }

    fn feature_sides(&self) -> Vec<usize> {
        self.features.keys().copied().collect()
    }

    fn gradient(
        &mut self,
        part: Part,
        ws: &[f32],
        noise: &[Planes],
        loss: &mut dyn FnMut(&Planes) -> (f64, Planes),
        stop: Stop<'_>,
    ) -> Result<Slopes, NetworkError> {
        let inputs = inputs(&self.space, ws, noise)?;
        let network = match self.both_ways.entry(part) {
            Entry::Occupied(network) => network.into_mut(),
            Entry::Vacant(place) => {
                let graph = match part {
                    Part::Picture => self.graph.clone(),
                    Part::Features { side } => {
                        let none = || format!("nothing is drawn at {side} pixels on the way");
                        let value = self.features.get(&side);
                        self.graph.until(*value.ok_or_else(|| NetworkError::Failed(none()))?)
                    }
                };
                let network = Differentiable::new(graph, BTreeSet::new(), &mut *self.parameters);
                place.insert(network.map_err(|err| NetworkError::Failed(err.to_string()))?)
            }
        };
        let mut trace = network.run(&inputs, stop).map_err(|_| NetworkError::Stopped)?;
        let (value, by_picture) = loss(&trace.outputs[0]);
        let slopes = rayon::scope(|_| network.backward(&trace, &[by_picture], stop));
        let mut slopes = slopes.map_err(|_| NetworkError::Stopped)?.inputs;
        let by_noise = slopes.split_off(self.space.rows());
        Ok(Slopes {
            drawn: trace.outputs.swap_remove(0),
            loss: value,
            by_code: slopes.into_iter().flat_map(|row| row.data).collect(),
            by_noise,
        })
    }

    fn synthesis(&mut self) -> (&Graph, Source<'_, String>) {
        (&self.graph, &mut *self.parameters)
    }

    fn styles(&self) -> &[StyleWeights] {
        &self.styles
    }
}
