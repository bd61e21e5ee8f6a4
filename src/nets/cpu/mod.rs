//! Runs a graph on the processor.
//!
//! A graph is prepared once: weights are transformed for their kernels, norms with fixed
//! statistics become part of the convolution before them, and so do activations that are a slope
//! and a ceiling; a concatenation is a list of maps and copies nothing. Exact within rounding of
//! the tensor library's results; several times faster than its own convolution.

mod attention;
pub(super) mod backward;
mod contextual;
pub(super) mod conv;
mod curves;
mod depthwise;
mod direct;
mod elementwise;
pub(super) mod epilogue;
mod few;
mod fourier;
mod fuse;
pub mod gradient;
mod group;
pub(super) mod map;
mod modulate;
mod pointwise;
mod resample;
mod separable;
mod spare;
pub(super) mod spatial;
mod statistics;
mod threads;
mod tiled;
mod winograd;

use std::sync::Arc;

use pulp::{Arch, WithSimd};

use self::epilogue::Modulation;
use self::fuse::{
    Before, Block, Fused, Fusion, Plan, Residual, batch_norm, between, block, fuse, relu_after,
};
use self::group::GroupNorm;
use self::map::Map;
use self::modulate::Demodulation;
use self::resample::{Filter, Filtered};
use self::separable::Separable;
use self::statistics::Statistics;
use super::cost::sides_of;
use super::graph::{Graph, Op, Value};
use super::layer::DEVIATION_EPS;
use super::{Planes, Probe, Source, Stopped};

/// Asked now and then; `true` ends a run early.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Runs `op` with the widest vectors that this processor has and this build knows.
fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return pulp::Simd::vectorize(simd, op);
    }
    Arch::new().dispatch(op)
}

/// A prepared node.
enum Step {
    Conv(Box<Fused>),
    Block(Box<Separable>, Option<Residual>),
    Param(Arc<Map>),
    PRelu(Vec<f32>),
    /// Factors and offsets of the channels.
    ChannelAffine(Vec<f32>, Vec<f32>),
    /// With a ReLU where the last is true.
    InstanceNorm(f32, Option<(Vec<f32>, Vec<f32>)>, bool),
    /// With a ReLU where the last is true.
    TruncatedNorm(Statistics, bool),
    Demodulate(Demodulation),
    GroupNorm(GroupNorm),
    Resample(Filter),
    Filtered(Box<Filtered>),
    /// Done by the step that made this value.
    Fused(Value),
    Plain(Op),
}

/// A graph that is ready to run.
pub struct Processor {
    graph: Graph,
    steps: Vec<Step>,
    /// Whether a value is that of its node, and not already what a later, fused one makes of it.
    whole: Vec<bool>,
    last_uses: Vec<usize>,
    /// Keeps the memory of a run's maps for the next run.
    _memory: spare::Keep,
}

/// A value: maps whose channels follow one another.
type Parts = Vec<Arc<Map>>;

impl Processor {
    /// Reads every parameter from `source`.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn new<E>(graph: Graph, source: Source<'_, E>) -> Result<Self, E> {
        Self::prepare(graph, source, Fusion::Full)
    }

    /// With every named value kept apart, so that it can be compared.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn unfused<E>(graph: Graph, source: Source<'_, E>) -> Result<Self, E> {
        Self::prepare(graph, source, Fusion::Unnamed)
    }

    fn prepare<E>(graph: Graph, source: Source<'_, E>, fusion: Fusion) -> Result<Self, E> {
        let (parts, sides) = (parts(&graph), fuse::sides(&graph));
        let plan = Plan { graph: &graph, fusion, parts: &parts, sides: &sides };
        let mut steps: Vec<Option<Step>> = (0..graph.nodes.len()).map(|_| None).collect();
        let mut whole = vec![true; graph.nodes.len()];
        for index in 0..graph.nodes.len() {
            if steps[index].is_some() {
                continue;
            }
            let node = &graph.nodes[index];
            let step = match &node.op {
                Op::Conv(conv) => {
                    let (step, nodes, residual) = match block(plan, index, source)? {
                        Some(Block { separable, residual, nodes }) => {
                            (Step::Block(Box::new(separable), residual), nodes, residual)
                        }
                        None => {
                            let fused = fuse(plan, conv, (index, index), source)?;
                            let (nodes, residual) = (fused.nodes.clone(), fused.residual);
                            (Step::Conv(Box::new(fused)), nodes, residual)
                        }
                    };
                    take_over(index, &nodes, &mut steps, &mut whole);
                    if let Some(Residual { value, wider: Some((_, node)) }) = residual {
                        steps[node] = Some(Step::Fused(value));
                        whole[node] = false;
                    }
                    step
                }
                Op::Param { name, shape } => {
                    let [height, width] = sides_of(shape);
                    let planes =
                        Planes { channels: node.channels, height, width, data: source(name)? };
                    Step::Param(Arc::new(Map::from_planes(&planes)))
                }
                Op::Constant(planes) => Step::Param(Arc::new(Map::from_planes(planes))),
                Op::PRelu { slope } => Step::PRelu(source(slope)?),
                Op::BatchNorm { name, eps } => {
                    let (factors, offsets) = batch_norm(name, *eps, source)?;
                    Step::ChannelAffine(factors, offsets)
                }
                Op::GroupNorm { name, groups, eps } => {
                    let (weight, bias) =
                        (source(&format!("{name}.weight"))?, source(&format!("{name}.bias"))?);
                    Step::GroupNorm(GroupNorm { groups: *groups, eps: *eps, weight, bias })
                }
                Op::InstanceNorm { .. } | Op::TruncatedNorm { .. } => {
                    let relu = relu_after(&graph, index, fusion);
                    take_over(index, relu.as_slice(), &mut steps, &mut whole);
                    let has_relu = relu.is_some();
                    match &node.op {
                        Op::InstanceNorm { eps, affine } => {
                            let affine = match affine {
                                Some((scale, shift)) => Some((source(scale)?, source(shift)?)),
                                None => None,
                            };
                            Step::InstanceNorm(*eps, affine, has_relu)
                        }
                        Op::TruncatedNorm { name, rows, eps } => {
                            let statistics = Statistics::read(name, *rows, *eps, source)?;
                            Step::TruncatedNorm(statistics, has_relu)
                        }
                        op => Step::Plain(op.clone()),
                    }
                }
                Op::Demodulate { weight, shape, eps } => {
                    Step::Demodulate(Demodulation::new(&source(weight)?, *shape, *eps))
                }
                Op::Resample(plan) => {
                    let up = Filter::new(plan, &source(&plan.filter)?);
                    if let Some((between, down, nodes)) = between(&graph, index, fusion) {
                        take_over(index, &nodes, &mut steps, &mut whole);
                        let down = Filter::new(down, &source(&down.filter)?);
                        Step::Filtered(Box::new(Filtered { up, between, down }))
                    } else {
                        Step::Resample(up)
                    }
                }
                op => Step::Plain(op.clone()),
            };
            steps[index] = Some(step);
        }
        let steps = steps.into_iter().flatten().collect();
        Ok(Self {
            last_uses: graph.last_uses(),
            graph,
            steps,
            whole,
            _memory: spare::Keep::begin(),
        })
    }

    /// Memory of the prepared weights.
    pub fn weight_bytes(&self) -> u64 {
        let bytes = |step: &Step| match step {
            Step::Conv(fused) => fused.kernel.bytes(),
            Step::Block(separable, _) => separable.bytes(),
            _ => 0,
        };
        self.steps.iter().map(bytes).sum()
    }

    /// Runs the network on `inputs`, one a declared input, in their order.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile.
    pub fn run(&self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, Stopped> {
        threads::share(|| Ok(self.results(&self.execute(inputs, stop, None)?)))
    }

    /// [`Processor::run`] that shows `probe` every named value that is not part of a larger step.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile.
    pub fn run_observed(
        &self,
        inputs: &[Planes],
        stop: Stop<'_>,
        probe: Probe<'_>,
    ) -> Result<Vec<Planes>, Stopped> {
        Ok(self.results(&self.execute(inputs, stop, Some(probe))?))
    }

    fn results(&self, values: &[Parts]) -> Vec<Planes> {
        let planes = |value: &Value| joined(&values[value.0]).to_planes();
        self.graph.outputs.iter().map(planes).collect()
    }

    /// Every value that outlives its last use.
    fn execute(
        &self,
        inputs: &[Planes],
        stop: Stop<'_>,
        mut probe: Option<Probe<'_>>,
    ) -> Result<Vec<Parts>, Stopped> {
        let mut given = inputs.iter();
        let mut values: Vec<Parts> = Vec::with_capacity(self.steps.len());
        for (index, step) in self.steps.iter().enumerate() {
            if stop() {
                return Err(Stopped);
            }
            let node = &self.graph.nodes[index];
            let result = match step {
                Step::Plain(Op::Input) => {
                    let map = given.next().map(Map::from_planes);
                    vec![Arc::new(map.unwrap_or_else(|| Map::zeros(0, 0, 0)))]
                }
                Step::Param(map) => vec![map.clone()],
                step => self.step(step, &node.inputs, index, &mut values, stop),
            };
            values.push(result);
            if let (Some(name), true, Some(probe)) = (&node.name, self.whole[index], &mut probe) {
                probe(name, &joined(&values[index]).to_planes());
            }
            for value in &node.inputs {
                if self.last_uses[value.0] == index {
                    values[value.0].clear();
                }
            }
        }
        if stop() { Err(Stopped) } else { Ok(values) }
    }

    /// The first input of node `index`, taken over where nobody else needs it.
    fn take(&self, value: Value, index: usize, values: &mut [Parts]) -> Parts {
        if self.last_uses[value.0] == index {
            std::mem::take(&mut values[value.0])
        } else {
            values[value.0].clone()
        }
    }

    fn step(
        &self,
        step: &Step,
        inputs: &[Value],
        index: usize,
        values: &mut [Parts],
        stop: Stop<'_>,
    ) -> Parts {
        let sides = |value: Option<&Value>| {
            let map = value.and_then(|value| values[value.0].first());
            map.map_or([1, 1], |map| [map.height, map.width])
        };
        let (first, second) = (sides(inputs.first()), sides(inputs.get(1)));
        let to = self.graph.nodes[index].output(&[first, second]);
        let Some(&x) = inputs.first() else { return Parts::new() };
        // On a map of one's own: in place where possible.
        let change = |values: &mut [Parts], of: &dyn Fn(&mut Map)| -> Parts {
            let mut parts = self.take(x, index, values);
            parts.iter_mut().for_each(|map| of(Arc::make_mut(map)));
            parts
        };
        let change_joined = |values: &mut [Parts], of: &dyn Fn(&mut Map)| -> Parts {
            let parts = self.take(x, index, values);
            let mut map = if parts.len() == 1 { parts[0].clone() } else { joined(&parts) };
            drop(parts);
            of(Arc::make_mut(&mut map));
            vec![map]
        };
        let fresh = |map: Map| vec![Arc::new(map)];
        match step {
            Step::Fused(value) => self.take(*value, index, values),
            Step::Param(_) => self.take(x, index, values),
            Step::Block(separable, residual) => {
                let added = residual.map(|residual| residual.map(values));
                let modulation = added.as_deref().map(Modulation::residual);
                fresh(separable.run(&maps_of(&values[x.0]), modulation, stop))
            }
            Step::Conv(fused) => {
                let maps = maps_of(&values[x.0]);
                // What modulates is one map each: a vector, or what has one channel.
                let one = |value: &Value| values[value.0].first().map(AsRef::as_ref);
                let vectors;
                let residual = fused.residual.map(|residual| residual.map(values));
                let mut modulation =
                    Modulation { residual: residual.as_deref(), ..Modulation::default() };
                match &fused.before {
                    Before::Nothing => {}
                    Before::Demodulated(factors, added) => {
                        modulation.factors = one(factors);
                        modulation.added = added.as_ref().and_then(one);
                    }
                    Before::Normal(inputs, statistics, bias) => {
                        let maps = inputs.map(|value| joined(&values[value.0]));
                        let maps: [&Map; 3] = std::array::from_fn(|at| maps[at].as_ref());
                        vectors = statistics.affine(maps, Some(bias));
                        modulation.factors = Some(&vectors[0]);
                        modulation.offsets = Some(&vectors[1]);
                    }
                }
                let is_plain = matches!(fused.before, Before::Nothing) && residual.is_none();
                let modulation = (!is_plain).then_some(modulation);
                fresh(fused.kernel.run_modulated(&maps, modulation, stop))
            }
            Step::PRelu(slopes) => change_joined(values, &|map| elementwise::prelu(map, slopes)),
            Step::ChannelAffine(factors, offsets) => change_joined(values, &|map| {
                elementwise::channel_affine(map, factors, offsets, false);
            }),
            Step::InstanceNorm(eps, affine, has_relu) => {
                let affine = affine.clone().or_else(|| {
                    let [_, scale, shift] = inputs else { return None };
                    let vector = |value: &Value| joined(&values[value.0]).pixel(0, 0).to_vec();
                    Some((vector(scale), vector(shift)))
                });
                let affine = affine.as_ref().map(|(a, b)| (a.as_slice(), b.as_slice()));
                change_joined(values, &|map| {
                    elementwise::instance_norm(map, *eps, affine, *has_relu);
                })
            }
            Step::GroupNorm(norm) => change_joined(values, &|map| norm.run(map)),
            Step::TruncatedNorm(statistics, has_relu) => {
                let maps: [Arc<Map>; 3] =
                    std::array::from_fn(|at| joined(&values[inputs[at + 1].0]));
                let maps = std::array::from_fn(|at| maps[at].as_ref());
                let [factors, offsets] = statistics.affine(maps, None);
                let (factors, offsets) = (factors.pixel(0, 0), offsets.pixel(0, 0));
                change_joined(values, &|map| {
                    elementwise::channel_affine(map, factors, offsets, *has_relu);
                })
            }
            Step::Demodulate(kernel) => fresh(kernel.run(&joined(&values[x.0]))),
            Step::Resample(filter) => fresh(filter.run(&joined(&values[x.0]))),
            Step::Filtered(filtered) => fresh(filtered.run(&joined(&values[x.0]))),
            Step::Plain(op) => match op {
                Op::Act(act) => change(values, &|map| elementwise::act(map, *act)),
                Op::Scale { factor, offset } => {
                    change(values, &|map| elementwise::scale(map, *factor, *offset))
                }
                Op::Clamp { low, high } => {
                    change(values, &|map| elementwise::clamp(map, *low, *high))
                }
                Op::ContextualAttention => {
                    let [map, mask] = [0, 1].map(|at: usize| joined(&values[inputs[at].0]));
                    fresh(contextual::run(&map, &mask, stop))
                }
                Op::Softmax => change_joined(values, &elementwise::softmax),
                Op::PixelNorm { eps } => {
                    change_joined(values, &|map| elementwise::pixel_norm(map, *eps))
                }
                Op::Attention => {
                    let maps: [Arc<Map>; 3] =
                        std::array::from_fn(|at| joined(&values[inputs[at].0]));
                    fresh(attention::run(&maps[0], &maps[1], &maps[2], stop))
                }
                Op::Concat => inputs.iter().flat_map(|v| values[v.0].clone()).collect(),
                Op::Nearest { times } => {
                    values[x.0].iter().map(|map| Arc::new(spatial::nearest(map, *times))).collect()
                }
                Op::Add | Op::Sub | Op::Mul | Op::AddScaled(_) => {
                    let b = joined(&values[inputs[1].0]);
                    let a = joined(&self.take(x, index, values));
                    let a = Arc::unwrap_or_clone(a);
                    fresh(match *op {
                        Op::Sub => elementwise::combine(a, &b, |a, b| a - b),
                        Op::Mul => elementwise::combine(a, &b, |a, b| a * b),
                        Op::AddScaled(factor) => {
                            elementwise::combine(a, &b, move |a, b| a * factor + b)
                        }
                        _ => elementwise::combine(a, &b, |a, b| a + b),
                    })
                }
                op => fresh(spatial_op(op, &joined(&values[x.0]), to)),
            },
        }
    }
}

impl Residual {
    fn map(self, values: &[Parts]) -> Arc<Map> {
        let map = joined(&values[self.value.0]);
        match self.wider {
            None => map,
            Some((more, _)) => Arc::new(elementwise::pad_channels(&map, more)),
        }
    }
}

fn maps_of(parts: &Parts) -> Vec<&Map> {
    parts.iter().map(AsRef::as_ref).collect()
}

/// Node `index` does what `nodes`, which follow it, are there for.
fn take_over(index: usize, nodes: &[usize], steps: &mut [Option<Step>], whole: &mut [bool]) {
    let mut before = index;
    for &next in nodes {
        steps[next] = Some(Step::Fused(Value(before)));
        whole[before] = false;
        before = next;
    }
}

/// Operations on one map that move pixels; `to` are the sides of the result.
fn spatial_op(op: &Op, map: &Map, to: [usize; 2]) -> Map {
    match *op {
        Op::Slice { from, len } => elementwise::slice(map, from, len),
        Op::PadChannels(more) => elementwise::pad_channels(map, more),
        Op::Bilinear { grid, .. } => spatial::bilinear(map, to, grid),
        Op::MaxPool { side, stride, pad } => spatial::max_pool(map, side, stride, to, pad),
        Op::AvgPool { side, stride, pad } => spatial::avg_pool(map, side, stride, to, pad),
        Op::GlobalMean => elementwise::global_mean(map),
        Op::MinibatchDeviation { .. } => {
            // Of one picture; the root of what keeps it from being zero.
            let (height, width) = (map.height, map.width);
            let data = vec![DEVIATION_EPS.sqrt(); height * width];
            let deviation = Planes { channels: 1, height, width, data };
            elementwise::join(&[map, &Map::from_planes(&deviation)])
        }
        Op::PixelShuffle(side) => spatial::pixel_shuffle(map, side),
        Op::PixelUnshuffle(side) => spatial::pixel_unshuffle(map, side),
        Op::DepthToSpace(side) => spatial::depth_to_space(map, side),
        Op::Pad { pad, edge } => spatial::pad(map, pad, edge),
        Op::Crop(by) => spatial::crop(map, [by; 2], to),
        Op::PadLike => spatial::pad_to(map, to),
        Op::Spread => spatial::spread(map, to),
        Op::Rfft2 => fourier::forward(map),
        Op::Irfft2 => fourier::inverse(map, to),
        // Everything else is no `Plain` step on one map.
        _ => map.clone(),
    }
}

fn joined(parts: &Parts) -> Arc<Map> {
    match parts.as_slice() {
        [map] => map.clone(),
        maps => Arc::new(elementwise::join(&maps.iter().map(AsRef::as_ref).collect::<Vec<_>>())),
    }
}

/// Channels of the maps that make up each value.
fn parts(graph: &Graph) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        parts.push(match &node.op {
            Op::Concat => node.inputs.iter().flat_map(|v| parts[v.0].clone()).collect(),
            Op::Act(_) | Op::Scale { .. } | Op::Clamp { .. } | Op::Nearest { .. } => {
                parts[node.inputs[0].0].clone()
            }
            _ => vec![node.channels],
        });
    }
    parts
}
