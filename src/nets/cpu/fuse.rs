//! What a convolution does along with the nodes after it.

use super::conv::{Kernel, WINOGRAD_CHANNELS, takes_modulation};
use super::depthwise::Depthwise;
use super::epilogue::Epilogue;
use super::pointwise::Pointwise;
use super::resample::Between;
use super::separable::Separable;
use super::statistics::Statistics;
use crate::nets::Source;
use crate::nets::graph::{Act, Conv, Graph, Layout, Node, Op, Resample, Value};

/// Sizes for which sides are compared: every remainder of a picture that is halved six times.
const PROBES: usize = 64;
const LEAST_PROBE: usize = 256;

/// Which nodes become part of the convolution before them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fusion {
    Full,
    /// Named values are kept apart.
    Unnamed,
    None,
}

/// A convolution with what it took over.
pub struct Fused {
    pub kernel: Kernel,
    pub before: Before,
    pub residual: Option<Residual>,
    /// The nodes that are done, in order.
    pub nodes: Vec<usize>,
}

/// What comes before the bias and differs from run to run; earlier nodes make it.
pub enum Before {
    Nothing,
    /// Factors of the channels, and a picture that is added to each.
    Demodulated(Value, Option<Value>),
    /// Truncation, scale and shift of a norm, and the bias that comes before it.
    Normal([Value; 3], Statistics, Vec<f32>),
}

/// What is added after the bias: a value that is there already.
#[derive(Clone, Copy)]
pub struct Residual {
    pub value: Value,
    /// Zero channels that it gets at its end first, and the node that is there for that.
    pub wider: Option<(usize, usize)>,
}

/// Convolutions that are done at once, with what they took over.
pub struct Block {
    pub separable: Separable,
    pub residual: Option<Residual>,
    pub nodes: Vec<usize>,
}

/// The graph as it is fused.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub graph: &'a Graph,
    pub fusion: Fusion,
    /// Channels of the maps that make up each value.
    pub parts: &'a [Vec<usize>],
    /// For each value the sides it has in pictures of many sizes.
    pub sides: &'a [Vec<[usize; 2]>],
}

/// The convolution of node `index`, where that is one of this kind.
fn conv_at(graph: &Graph, index: usize, is_so: fn(&Conv) -> bool) -> Option<&Conv> {
    match &graph.nodes[index].op {
        Op::Conv(conv) if is_so(conv) => Some(conv),
        _ => None,
    }
}

/// The convolution of node `index` with the depthwise one after it and the 1×1 one after that, or
/// a depthwise one with a 1×1 one: where they are so, and nothing but the block reads between.
pub fn block<E>(plan: Plan<'_>, index: usize, source: Source<'_, E>) -> Result<Option<Block>, E> {
    let Plan { graph, fusion, .. } = plan;
    let mut nodes = Vec::new();
    let mut middle = Some(index);
    let mut expand = None;
    if let Some(conv) = conv_at(graph, index, Pointwise::fit) {
        // Whether a block begins here shows before any weight is read.
        let mut follows = chain(graph, index, fusion).into_iter();
        let next = follows.find(|node| conv_at(graph, *node, |_| true).is_some());
        if next.and_then(|next| conv_at(graph, next, Depthwise::fit)).is_none() {
            return Ok(None);
        }
        let fused = fuse(plan, conv, (index, index), source)?;
        nodes.extend(&fused.nodes);
        expand = match (fused.is_plain(), fused.kernel) {
            (true, Kernel::Pointwise(kernel)) => Some(kernel),
            _ => return Ok(None),
        };
        middle = chain(graph, nodes.last().copied().unwrap_or(index), fusion).first().copied();
        nodes.extend(middle);
    }
    let middle = middle.and_then(|at| Some((at, conv_at(graph, at, Depthwise::fit)?)));
    let Some((middle, conv)) = middle else { return Ok(None) };
    let fused = fuse(plan, conv, (middle, index), source)?;
    nodes.extend(&fused.nodes);
    let (true, Kernel::Depthwise(depthwise)) = (fused.is_plain(), fused.kernel) else {
        return Ok(None);
    };
    let last = chain(graph, nodes.last().copied().unwrap_or(index), fusion).first().copied();
    let last = last.and_then(|at| Some((at, conv_at(graph, at, Pointwise::fit)?)));
    let Some((last, conv)) = last else { return Ok(None) };
    nodes.push(last);
    let fused = fuse(plan, conv, (last, index), source)?;
    nodes.extend(&fused.nodes);
    let (Kernel::Pointwise(project), Before::Nothing) = (fused.kernel, fused.before) else {
        return Ok(None);
    };
    let separable = Separable::new(expand, depthwise, project);
    Ok(separable.map(|separable| Block { separable, residual: fused.residual, nodes }))
}

/// The kernel of node `index`, `conv`, with as much of what follows as it can do itself, from
/// values that are there before node `begin`.
pub fn fuse<E>(
    plan: Plan<'_>,
    conv: &Conv,
    (index, begin): (usize, usize),
    source: Source<'_, E>,
) -> Result<Fused, E> {
    let Plan { graph, fusion, .. } = plan;
    let chain = chain(graph, index, fusion);
    let mut conv = conv.clone();
    let mut weight = source(&conv.weight)?;
    let mut bias = match &conv.bias {
        Some(bias) => source(bias)?,
        None => vec![0.0; conv.channels_out],
    };
    let mut done = 0;
    let next = |done: usize| chain.get(done).map(|at| &graph.nodes[*at]);
    // The second input of the next node, where that is made before the convolution.
    let other = |done: usize, before: Value| {
        let [first, other] = next(done)?.inputs[..] else { return None };
        (first == before && other.0 < begin).then_some(other)
    };
    let value = |done: usize| Value(done.checked_sub(1).map_or(index, |last| chain[last]));
    if let Some(Op::Slice { from, len }) = next(done).map(|node| &node.op)
        && conv.groups == 1
        && conv.layout == Layout::Kernel
        && !conv.transposed
    {
        let row = weight_row(&conv);
        weight = weight[from * row..(from + len) * row].to_vec();
        bias = bias[*from..from + len].to_vec();
        conv.channels_out = *len;
        done += 1;
    }
    if let Some(Op::BatchNorm { name, eps }) = next(done).map(|node| &node.op)
        && !conv.transposed
    {
        let (factors, offsets) = batch_norm(name, *eps, source)?;
        let rows = weight.chunks_exact_mut((weight_row(&conv)).max(1));
        for (row, factor) in rows.zip(&factors) {
            row.iter_mut().for_each(|weight| *weight *= factor);
        }
        for ((bias, factor), offset) in bias.iter_mut().zip(&factors).zip(&offsets) {
            *bias = *bias * factor + offset;
        }
        done += 1;
    }
    if let Some(Op::Resample(plan)) = next(done).map(|node| &node.op)
        && let Some(both) = doubled(&conv, plan)
    {
        weight = smoothed(&weight, &source(&plan.filter)?, plan.gain);
        conv = both;
        done += 1;
    }
    let mut before = Before::Nothing;
    if let Some(Op::TruncatedNorm { name, rows, eps }) = next(done).map(|node| &node.op)
        && let Some([x, vectors @ ..]) = next(done).map(|node| &node.inputs[..])
        && let [truncation, scale, shift] = *vectors
        && *x == value(done)
        && vectors.iter().all(|vector| vector.0 < begin)
        && takes_modulation(&conv)
    {
        let statistics = Statistics::read(name, *rows, *eps, source)?;
        let none = vec![0.0; bias.len()];
        let bias = std::mem::replace(&mut bias, none);
        before = Before::Normal([truncation, scale, shift], statistics, bias);
        done += 1;
    }
    if let Some(Op::Mul) = next(done).map(|node| &node.op)
        && matches!(before, Before::Nothing)
        && let Some(factors) = other(done, value(done))
        && is_owed(graph, factors)
        && takes_modulation(&conv)
    {
        done += 1;
        let is_add = next(done).is_some_and(|node| node.op == Op::Add);
        let added = other(done, value(done));
        let added = added.filter(|added| is_add && graph.channels(*added) == 1);
        before = Before::Demodulated(factors, added);
        done += usize::from(added.is_some());
    }
    if let Some(Op::Add) = next(done).map(|node| &node.op)
        && let Some(added) = other(done, value(done))
        && let Op::Param { name, shape } = &graph.nodes[added.0].op
        && *shape == [conv.channels_out]
    {
        bias.iter_mut().zip(source(name)?).for_each(|(bias, more)| *bias += more);
        done += 1;
    }
    let mut residual = None;
    if let Some(at) = chain.get(done)
        && graph.nodes[*at].op == Op::Add
        && takes_modulation(&conv)
    {
        residual = plan.residual(*at, value(done), begin);
        done += usize::from(residual.is_some());
    }
    let mut epilogue = Epilogue::new(&bias);
    loop {
        let with = match next(done).map(|node| &node.op) {
            Some(Op::Act(act)) => epilogue.with_act(*act),
            Some(Op::PRelu { slope }) => epilogue.with_slopes(&source(slope)?),
            Some(Op::Scale { factor, offset: 0.0 }) => epilogue.with_gain(*factor),
            Some(Op::Clamp { low, high }) => epilogue.with_bounds(*low, *high),
            _ => Err(epilogue),
        };
        match with {
            Ok(with) => {
                epilogue = with;
                done += 1;
            }
            Err(same) => {
                epilogue = same;
                break;
            }
        }
    }
    let parts = &plan.parts[graph.nodes[index].inputs[0].0];
    let kernel = Kernel::new(&conv, &weight, parts, epilogue);
    Ok(Fused { kernel, before, residual, nodes: chain[..done].to_vec() })
}

impl Fused {
    /// Whether it needs nothing but its input.
    const fn is_plain(&self) -> bool {
        matches!(self.before, Before::Nothing) && self.residual.is_none()
    }
}

impl Plan<'_> {
    /// What node `sum` adds to `value`, where that is there before node `begin` and of the same
    /// size, whatever the picture's.
    fn residual(&self, sum: usize, value: Value, begin: usize) -> Option<Residual> {
        let [a, b] = self.graph.nodes[sum].inputs[..] else { return None };
        let other = if a == value { b } else { a };
        let is_same = self.sides[other.0] == self.sides[value.0]
            && self.graph.channels(other) == self.graph.channels(value);
        if a == b || !is_same {
            return None;
        }
        if other.0 < begin {
            return Some(Residual { value: other, wider: None });
        }
        let Node { op: Op::PadChannels(more), inputs, .. } = &self.graph.nodes[other.0] else {
            return None;
        };
        let is_own = chain(self.graph, other.0, self.fusion).first() == Some(&sum);
        let wider = Some((*more, other.0));
        (is_own && inputs[0].0 < begin).then_some(Residual { value: inputs[0], wider })
    }
}

/// For each value the sides that it has where the inputs have many: values whose sides are the same
/// in all of these are of one size.
pub fn sides(graph: &Graph) -> Vec<Vec<[usize; 2]>> {
    let mut all: Vec<Vec<[usize; 2]>> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        // Inputs do not depend on each other.
        let own = |probe: usize| [LEAST_PROBE + probe + 2 * PROBES * index; 2];
        let of = |probe: usize| {
            let inputs: Vec<_> = node.inputs.iter().map(|value| all[value.0][probe]).collect();
            match (&node.op, inputs.as_slice()) {
                (Op::Input, _) => own(probe),
                // One of them is a vector; which one only a run shows.
                (Op::Add | Op::Sub | Op::Mul | Op::AddScaled(_), [a, b])
                    if a != b && *a != [1, 1] && *b != [1, 1] =>
                {
                    own(probe)
                }
                _ => node.output(&inputs),
            }
        };
        let sides = (0..PROBES).map(of).collect();
        all.push(sides);
    }
    all
}

/// The ReLU that alone reads node `index`.
pub fn relu_after(graph: &Graph, index: usize, fusion: Fusion) -> Option<usize> {
    let next = chain(graph, index, fusion).first().copied()?;
    (graph.nodes[next].op == Op::Act(Act::Relu)).then_some(next)
}

/// What stands between the enlargement of node `index` and the reduction after it, if that is a
/// leaky ReLU with a gain and bounds at most; with the reduction, and the nodes up to it.
pub fn between(
    graph: &Graph,
    index: usize,
    fusion: Fusion,
) -> Option<(Between, &Resample, Vec<usize>)> {
    let mut nodes = chain(graph, index, fusion);
    let op = |at: usize| nodes.get(at).map(|node| &graph.nodes[*node].op);
    let Some(Op::Act(Act::Leaky(slope))) = op(0) else { return None };
    let mut between = Between { slope: *slope, gain: 1.0, bounds: [f32::MIN, f32::MAX] };
    let mut done = 1;
    if let Some(Op::Scale { factor, offset: 0.0 }) = op(done) {
        between.gain = *factor;
        done += 1;
    }
    if let Some(Op::Clamp { low, high }) = op(done) {
        between.bounds = [*low, *high];
        done += 1;
    }
    let &last = nodes.get(done)?;
    let Op::Resample(down) = &graph.nodes[last].op else { return None };
    nodes.truncate(done + 1);
    Some((between, down, nodes))
}

/// Whether `value` is what a modulated convolution is owed, or a multiple of it.
fn is_owed(graph: &Graph, value: Value) -> bool {
    let node = &graph.nodes[value.0];
    match node.op {
        Op::Demodulate { .. } => true,
        Op::Scale { offset: 0.0, .. } => is_owed(graph, node.inputs[0]),
        _ => false,
    }
}

/// The nodes after `index` that alone read what is before them.
fn chain(graph: &Graph, index: usize, fusion: Fusion) -> Vec<usize> {
    let mut chain = Vec::new();
    if fusion == Fusion::None {
        return chain;
    }
    let mut at = index;
    loop {
        let is_output = graph.outputs.contains(&Value(at));
        let is_kept = fusion == Fusion::Unnamed && graph.nodes[at].name.is_some();
        let mut readers = (0..graph.nodes.len())
            .filter(|reader| graph.nodes[*reader].inputs.contains(&Value(at)));
        match (readers.next(), readers.next()) {
            (Some(next), None) if !is_output && !is_kept => {
                chain.push(next);
                at = next;
            }
            _ => return chain,
        }
    }
}

/// The transposed convolution that doubles and smooths at once, where there is one.
fn doubled(conv: &Conv, plan: &Resample) -> Option<Conv> {
    let doubles = conv.transposed
        && (conv.kernel, conv.stride, conv.dilation) == ([3; 2], 2, 1)
        && (conv.pad, conv.output_pad, conv.groups) == ([0; 4], 0, 1)
        && conv.layout == Layout::OutFirst;
    let smooths = (plan.up, plan.down, plan.pad) == (1, 1, [1; 4]) && plan.filter_shape() == [4; 2];
    let pays = conv.channels_in.min(conv.channels_out) >= WINOGRAD_CHANNELS;
    (doubles && smooths && pays).then(|| Conv { kernel: [6; 2], pad: [2; 4], ..conv.clone() })
}

/// 3×3 kernels followed by a filter of 4×4, as kernels of 6×6.
fn smoothed(weight: &[f32], filter: &[f32], gain: f32) -> Vec<f32> {
    let factor = gain / filter.iter().sum::<f32>();
    let mut result = Vec::with_capacity(weight.len() * 4);
    for kernel in weight.chunks_exact(9) {
        let mut wide = [0.0; 36];
        for (at, weight) in kernel.iter().enumerate() {
            for (place, number) in filter.iter().enumerate() {
                let (y, x) = (at / 3 + place / 4, at % 3 + place % 4);
                wide[y * 6 + x] += weight * number * factor;
            }
        }
        result.extend(wide);
    }
    result
}

/// Numbers of the weight that make one result channel.
const fn weight_row(conv: &Conv) -> usize {
    conv.channels_in / conv.groups * conv.kernel[0] * conv.kernel[1]
}

/// Factor and offset of each channel.
pub fn batch_norm<E>(
    name: &str,
    eps: f32,
    source: Source<'_, E>,
) -> Result<(Vec<f32>, Vec<f32>), E> {
    let mut read = |leaf: &str| source(&format!("{name}.{leaf}"));
    let (weight, bias) = (read("weight")?, read("bias")?);
    let (mean, variance) = (read("running_mean")?, read("running_var")?);
    let factors: Vec<f32> = weight
        .iter()
        .zip(&variance)
        .map(|(weight, variance)| weight / (variance + eps).sqrt())
        .collect();
    let offsets = bias.iter().zip(&mean).zip(&factors).map(|((bias, mean), f)| bias - mean * f);
    let offsets = offsets.collect();
    Ok((factors, offsets))
}
