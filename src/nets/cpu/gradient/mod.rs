//! Graphs backwards on the processor: the gradient of a number by everything that led to it.
//!
//! The forward run keeps the values that derivatives need; the backward run goes through the nodes
//! in reverse (Linnainmaa's reverse mode) and adds up what each value's readers send back. A
//! convolution runs backwards as another convolution, on the same kernels.

mod conv;
mod local;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use self::conv::weight_gradient;
pub(super) use self::local::{reduced, reduced_product};
use super::conv::Kernel;
use super::map::Map;
use super::{
    Fusion, Parts, Processor, Step, Stop, attention, backward, elementwise, joined, spatial,
    threads,
};
use crate::nets::graph::{Edge, Graph, Op, Value};
use crate::nets::{Planes, Side, Source, Stopped};

/// Why a graph cannot run backwards.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GradientError<E> {
    /// By the name that the operation has in the code.
    #[error("{0} has no derivative here")]
    Unsupported(String),
    #[error(transparent)]
    Source(E),
}

/// A graph that is ready to run both ways.
pub struct Differentiable {
    forward: Processor,
    /// Of each convolution whose input has a gradient.
    adjoints: Vec<Option<Kernel>>,
    /// Weights of which gradients are wanted and that their own derivatives need.
    weights: BTreeMap<String, Vec<f32>>,
    wanted: BTreeSet<String>,
    /// Whether a value depends on an input or a wanted parameter.
    is_active: Vec<bool>,
}

/// What a forward run leaves for the backward run.
pub struct Trace {
    values: Vec<Parts>,
    sides: Vec<Side>,
    pub outputs: Vec<Planes>,
}

/// Of one number, by everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradients {
    /// In the order of the inputs and of their size.
    pub inputs: Vec<Planes>,
    /// Of the wanted parameters, as they are stored.
    pub params: BTreeMap<String, Vec<f32>>,
}

impl Differentiable {
    /// Reads every parameter from `source`. Gradients are made of the inputs and of the `wanted`
    /// parameters: weights and biases of convolutions, and parameters that are pictures.
    ///
    /// # Errors
    /// Where an operation between these and the results has no derivative here, and those of
    /// `source`.
    pub fn new<E>(
        graph: Graph,
        wanted: BTreeSet<String>,
        source: Source<'_, E>,
    ) -> Result<Self, GradientError<E>> {
        let mut is_active: Vec<bool> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let wants = |name: &String| wanted.contains(name);
            let own = match &node.op {
                Op::Input => true,
                Op::Param { name, .. } | Op::Demodulate { weight: name, .. } => wants(name),
                Op::Conv(conv) => wants(&conv.weight) || conv.bias.as_ref().is_some_and(wants),
                _ => false,
            };
            let active = own || node.inputs.iter().any(|value| is_active[value.0]);
            if active && !is_supported(&node.op) {
                return Err(GradientError::Unsupported(format!("{:?}", node.op)));
            }
            is_active.push(active);
        }
        let mut forward =
            Processor::prepare(graph, source, Fusion::None).map_err(GradientError::Source)?;
        let mut adjoints: Vec<Option<Kernel>> = Vec::new();
        let mut weights = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for (index, node) in forward.graph.nodes.iter().enumerate() {
            let mut adjoint = None;
            if is_active[index] {
                kept.extend(keeps(&node.op, Value(index), &node.inputs, &wanted));
            }
            match &node.op {
                Op::Conv(conv) if node.inputs.iter().any(|value| is_active[value.0]) => {
                    let weight = source(&conv.weight).map_err(GradientError::Source)?;
                    adjoint = Some(conv::adjoint(conv, &weight));
                }
                Op::Demodulate { weight, .. } if wanted.contains(weight) => {
                    let values = source(weight).map_err(GradientError::Source)?;
                    weights.insert(weight.clone(), values);
                }
                _ => {}
            }
            adjoints.push(adjoint);
        }
        for value in kept {
            forward.last_uses[value.0] = usize::MAX;
        }
        Ok(Self { forward, adjoints, weights, wanted, is_active })
    }

    /// Runs the network on `inputs` and keeps what derivatives need.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile.
    pub fn run(&self, inputs: &[Planes], stop: Stop<'_>) -> Result<Trace, Stopped> {
        let values = threads::share(|| self.forward.execute(inputs, stop, None))?;
        let given: Vec<Side> = inputs.iter().map(|planes| [planes.height, planes.width]).collect();
        let planes = |value: &Value| joined(&values[value.0]).to_planes();
        let outputs = self.forward.graph.outputs.iter().map(planes).collect();
        Ok(Trace { outputs, sides: self.forward.graph.sides(&given), values })
    }

    /// From the gradient of a number by each result to that by inputs and wanted parameters.
    ///
    /// # Errors
    /// [`Stopped`] when `stop` answered true meanwhile.
    pub fn backward(
        &self,
        trace: &Trace,
        outputs: &[Planes],
        stop: Stop<'_>,
    ) -> Result<Gradients, Stopped> {
        threads::share(|| self.walk_back(trace, outputs, stop))
    }

    fn walk_back(
        &self,
        trace: &Trace,
        outputs: &[Planes],
        stop: Stop<'_>,
    ) -> Result<Gradients, Stopped> {
        let graph = &self.forward.graph;
        let mut run = Run {
            of: self,
            trace,
            gradients: vec![None; graph.nodes.len()],
            params: BTreeMap::new(),
        };
        for (value, planes) in graph.outputs.iter().zip(outputs) {
            run.add(*value, Map::from_planes(planes));
        }
        let mut inputs = BTreeMap::new();
        for index in (0..graph.nodes.len()).rev() {
            if stop() {
                return Err(Stopped);
            }
            let Some(gradient) = run.gradients[index].take() else { continue };
            if graph.nodes[index].op == Op::Input {
                inputs.insert(index, gradient.to_planes());
            } else {
                run.step(index, gradient, stop);
            }
        }
        let zeros = |value: &Value| {
            let ([height, width], channels) = (trace.sides[value.0], graph.channels(*value));
            Planes { channels, height, width, data: vec![0.0; channels * height * width] }
        };
        let of_input = |value: &Value| inputs.remove(&value.0).unwrap_or_else(|| zeros(value));
        Ok(Gradients { inputs: graph.inputs.iter().map(of_input).collect(), params: run.params })
    }
}

/// Whether there is a derivative.
fn is_supported(op: &Op) -> bool {
    match op {
        Op::Conv(conv) => conv::is_supported(conv),
        Op::Pad { edge, .. } => *edge == Edge::Zero,
        Op::InstanceNorm { .. }
        | Op::Bilinear { .. }
        | Op::Softmax
        | Op::ContextualAttention
        | Op::PadLike
        | Op::Rfft2
        | Op::Irfft2 => false,
        _ => true,
    }
}

/// The values that the derivative of a node needs.
fn keeps(op: &Op, own: Value, inputs: &[Value], wanted: &BTreeSet<String>) -> Vec<Value> {
    match op {
        Op::Act(_)
        | Op::GroupNorm { .. }
        | Op::PRelu { .. }
        | Op::PixelNorm { .. }
        | Op::MaxPool { .. }
        | Op::Mul => inputs.to_vec(),
        Op::Attention | Op::TruncatedNorm { .. } => inputs.to_vec(),
        Op::Clamp { .. } => vec![own],
        Op::Demodulate { .. } => vec![inputs[0], own],
        Op::Conv(conv) if wanted.contains(&conv.weight) => inputs.to_vec(),
        _ => Vec::new(),
    }
}

/// One backward run.
struct Run<'a> {
    of: &'a Differentiable,
    trace: &'a Trace,
    gradients: Vec<Option<Map>>,
    params: BTreeMap<String, Vec<f32>>,
}

impl Run<'_> {
    fn is_active(&self, value: Value) -> bool {
        self.of.is_active[value.0]
    }

    fn value(&self, value: Value) -> Arc<Map> {
        joined(&self.trace.values[value.0])
    }

    /// Height, width and channels of a value.
    fn size(&self, value: Value) -> (Side, usize) {
        (self.trace.sides[value.0], self.of.forward.graph.channels(value))
    }

    /// Adds to the gradient of a value.
    fn add(&mut self, value: Value, more: Map) {
        match &mut self.gradients[value.0] {
            Some(sum) => backward::add_scaled(sum, &more, 1.0),
            none => *none = Some(more),
        }
    }

    fn add_param(&mut self, name: &str, more: impl Iterator<Item = f32>) {
        match self.params.get_mut(name) {
            Some(sum) => sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more),
            None => drop(self.params.insert(name.to_owned(), more.collect())),
        }
    }

    /// Sends the gradient of node `index` to what it reads.
    fn step(&mut self, index: usize, gradient: Map, stop: Stop<'_>) {
        let node = &self.of.forward.graph.nodes[index];
        let inputs = &node.inputs;
        let first = inputs.first().copied();
        let is_wanted = |name: &String| self.of.wanted.contains(name);
        match &node.op {
            Op::Param { name, .. } => {
                if is_wanted(name) {
                    self.add_param(name, gradient.to_planes().data.into_iter());
                }
            }
            Op::Conv(conv) => {
                if is_wanted(&conv.weight) {
                    let input = self.value(inputs[0]);
                    let weight = conv::weight_gradient(conv, &input, &gradient, stop);
                    self.add_param(&conv.weight, weight.into_iter());
                }
                if let Some(bias) = conv.bias.as_ref().filter(|bias| is_wanted(bias)) {
                    let sums = local::reduced(gradient.clone(), [1, 1], conv.channels_out);
                    self.add_param(bias, sums.to_planes().data.into_iter());
                }
                if let Some(adjoint) = &self.of.adjoints[index] {
                    let (side, _) = self.size(inputs[0]);
                    self.add(inputs[0], adjoint.run_to(&[&gradient], side, stop));
                }
            }
            Op::Demodulate { weight, .. } => {
                let Step::Demodulate(kernel) = &self.of.forward.steps[index] else { return };
                let (styles, factors) = (self.value(inputs[0]), self.value(Value(index)));
                if let Some(values) = self.of.weights.get(weight) {
                    let mut sum = vec![0.0; values.len()];
                    kernel.add_weight_gradient(values, [&styles, &factors, &gradient], &mut sum);
                    self.add_param(weight, sum.into_iter());
                }
                if self.is_active(inputs[0]) {
                    self.add(inputs[0], kernel.backward(&styles, &factors, &gradient));
                }
            }
            Op::Mul => {
                for (own, other) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                    if self.is_active(own) {
                        let (side, channels) = self.size(own);
                        let other = self.value(other);
                        let more = local::reduced_product(&gradient, &other, side, channels);
                        self.add(own, more);
                    }
                }
            }
            Op::Add | Op::Sub | Op::AddScaled(_) => {
                let (a, b) = match node.op {
                    Op::Sub => (1.0, -1.0),
                    Op::AddScaled(factor) => (factor, 1.0),
                    _ => (1.0, 1.0),
                };
                for (value, factor) in [(inputs[0], a), (inputs[1], b)] {
                    if self.is_active(value) {
                        let (side, channels) = self.size(value);
                        let mut more = local::reduced(gradient.clone(), side, channels);
                        if factor != 1.0 {
                            elementwise::scale(&mut more, factor, 0.0);
                        }
                        self.add(value, more);
                    }
                }
            }
            Op::Concat => {
                let mut from = 0;
                for value in inputs {
                    let (_, channels) = self.size(*value);
                    if self.is_active(*value) {
                        self.add(*value, elementwise::slice(&gradient, from, channels));
                    }
                    from += channels;
                }
            }
            Op::Attention | Op::TruncatedNorm { .. } => self.on_many(index, gradient, stop),
            op => {
                let Some(input) = first.filter(|input| self.is_active(*input)) else { return };
                let more = self.unary(op, index, input, gradient);
                self.add(input, more);
            }
        }
    }

    /// Back through an operation on several values that none of the others is like.
    fn on_many(&mut self, index: usize, gradient: Map, stop: Stop<'_>) {
        let inputs = &self.of.forward.graph.nodes[index].inputs;
        let maps: Vec<Arc<Map>> = inputs.iter().map(|value| self.value(*value)).collect();
        let back = match (&self.of.forward.steps[index], &maps[..]) {
            (Step::TruncatedNorm(statistics, _), [x, truncation, scale, shift]) => {
                let back = statistics.backward([x, truncation, scale, shift], gradient);
                [inputs[0], inputs[2], inputs[3]].into_iter().zip(back)
            }
            (_, [queries, keys, values]) => {
                let back = attention::backward([queries, keys, values], &gradient, stop);
                [inputs[0], inputs[1], inputs[2]].into_iter().zip(back)
            }
            _ => return,
        };
        for (value, more) in back {
            if self.is_active(value) {
                self.add(value, more);
            }
        }
    }

    /// Back through an operation on one value.
    fn unary(&self, op: &Op, index: usize, input: Value, mut gradient: Map) -> Map {
        let (side, channels) = self.size(input);
        match op {
            Op::Act(act) => local::act(gradient, &self.value(input), *act),
            Op::GroupNorm { .. } => match &self.of.forward.steps[index] {
                Step::GroupNorm(norm) => norm.backward(&self.value(input), gradient),
                _ => gradient,
            },
            Op::PRelu { .. } => match &self.of.forward.steps[index] {
                Step::PRelu(slopes) => local::prelu(gradient, &self.value(input), slopes),
                _ => gradient,
            },
            Op::Clamp { low, high } => {
                local::clamp(gradient, &self.value(Value(index)), *low, *high)
            }
            Op::PixelNorm { eps } => local::pixel_norm(gradient, &self.value(input), *eps),
            Op::Scale { factor, .. } => {
                elementwise::scale(&mut gradient, *factor, 0.0);
                gradient
            }
            Op::BatchNorm { .. } => {
                if let Step::ChannelAffine(factors, _) = &self.of.forward.steps[index] {
                    elementwise::channel_affine(
                        &mut gradient,
                        factors,
                        &vec![0.0; factors.len()],
                        false,
                    );
                }
                gradient
            }
            Op::Resample(_) => match &self.of.forward.steps[index] {
                Step::Resample(filter) => filter.backward(&gradient, side),
                _ => gradient,
            },
            Op::Crop(by) => spatial::pad(&gradient, [*by; 4], Edge::Zero),
            Op::Nearest { times } => local::nearest(&gradient, *times),
            Op::MaxPool { side, stride, pad } => {
                backward::max_pool_backward(&self.value(input), &gradient, [*side, *stride], *pad)
            }
            Op::AvgPool { side: window, stride, pad } => {
                local::avg_pool(&gradient, [*window, *stride], *pad, side)
            }
            Op::GlobalMean => {
                elementwise::scale(&mut gradient, 1.0 / (side[0] * side[1]).max(1) as f32, 0.0);
                spatial::spread(&gradient, side)
            }
            Op::Spread => local::reduced(gradient, side, channels),
            Op::PixelShuffle(times) => spatial::pixel_unshuffle(&gradient, *times),
            Op::PixelUnshuffle(times) => spatial::pixel_shuffle(&gradient, *times),
            Op::DepthToSpace(times) => spatial::space_to_depth(&gradient, *times),
            Op::Slice { from, .. } => {
                let (before, after) = (*from, channels - from - gradient.channels);
                let none = Map::zeros(side[0], side[1], before);
                let parts: &[&Map] = if before > 0 { &[&none, &gradient] } else { &[&gradient] };
                elementwise::pad_channels(&elementwise::join(parts), after)
            }
            Op::PadChannels(_) | Op::MinibatchDeviation { .. } => {
                elementwise::slice(&gradient, 0, channels)
            }
            Op::Pad { pad, .. } => spatial::crop(&gradient, [pad[0], pad[2]], side),
            // Whatever else is refused when the graph is prepared.
            _ => gradient,
        }
    }
}
