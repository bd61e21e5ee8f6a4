//! Runs a graph on the tensor library's devices: graphics cards, and its own processor backend
//! as a second opinion in tests.

use std::cell::RefCell;
mod contextual;
mod fourier;
mod resample;

use std::collections::BTreeMap;

use burn::tensor::module::{
    adaptive_avg_pool2d, avg_pool2d, conv_transpose2d, conv2d, interpolate, max_pool2d,
};
use burn::tensor::ops::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions,
    MaxPoolOptions,
};
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::cost::SAME_ROW;
use super::graph::{Act, Conv, Edge, Graph, Grid, Layout, Node, Op, Sides};
use super::layer::{DEVIATION_EPS, LEAST_ROOT};
pub use super::tangent::Moving;
use super::{Planes, Source};

/// A graph with its parameters on a device.
pub struct OnDevice {
    graph: Graph,
    device: Device,
    params: BTreeMap<String, Tensor<1>>,
    last_uses: Vec<usize>,
    /// Where batch norm takes its statistics from the batch, they are left here.
    seen: Option<RefCell<Moments>>,
}

/// What a batch norm has seen.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Of each channel.
    pub mean: Tensor<1>,
    /// Biased, of each channel.
    pub variance: Tensor<1>,
    /// Numbers of a channel.
    pub count: usize,
}

/// By the name of the batch norm.
pub type Moments = BTreeMap<String, Moment>;

/// Sees the tensor of each named layer.
pub type TensorProbe<'a> = &'a mut dyn FnMut(&str, &Tensor<4>);

impl OnDevice {
    /// Reads every parameter from `source`.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn new<E>(graph: Graph, device: &Device, source: Source<'_, E>) -> Result<Self, E> {
        let mut params = BTreeMap::new();
        for name in graph.params().into_keys() {
            let values = source(&name)?;
            let len = values.len();
            params.insert(name, Tensor::from_data(TensorData::new(values, [len]), device));
        }
        Ok(Self::of_params(graph, device, params))
    }

    /// With parameters as lists of numbers; each name of the graph must be there.
    pub fn of_params(graph: Graph, device: &Device, params: BTreeMap<String, Tensor<1>>) -> Self {
        let last_uses = graph.last_uses();
        Self { last_uses, graph, device: device.clone(), params, seen: None }
    }

    /// Batch norm takes its statistics from the batch, as while a network learns.
    pub fn learning(self) -> Self {
        Self { seen: Some(RefCell::default()), ..self }
    }

    /// What batch norm has seen since it was last asked.
    pub fn take_moments(&self) -> Moments {
        self.seen.as_ref().map(RefCell::take).unwrap_or_default()
    }

    pub(super) const fn graph(&self) -> &Graph {
        &self.graph
    }

    pub const fn params(&self) -> &BTreeMap<String, Tensor<1>> {
        &self.params
    }

    pub const fn params_mut(&mut self) -> &mut BTreeMap<String, Tensor<1>> {
        &mut self.params
    }

    /// Planes as a tensor of one picture on the device.
    pub fn upload(&self, planes: &Planes) -> Tensor<4> {
        let shape = [1, planes.channels, planes.height, planes.width];
        Tensor::from_data(TensorData::new(planes.data.clone(), shape), &self.device)
    }

    /// Runs the network on one tensor a declared input, `[1, channels, height, width]`, until
    /// `stop` answers true; then there are no results.
    pub fn run(&self, inputs: Vec<Tensor<4>>, stop: &dyn Fn() -> bool) -> Vec<Tensor<4>> {
        self.run_observed(inputs, stop, &mut |_, _| {})
    }

    /// [`OnDevice::run`] that shows `probe` every named value.
    pub fn run_observed(
        &self,
        inputs: Vec<Tensor<4>>,
        stop: &dyn Fn() -> bool,
        probe: TensorProbe<'_>,
    ) -> Vec<Tensor<4>> {
        let mut given = inputs.into_iter();
        let mut values: Vec<Option<Tensor<4>>> = Vec::with_capacity(self.graph.nodes.len());
        for (index, node) in self.graph.nodes.iter().enumerate() {
            if stop() {
                return Vec::new();
            }
            let from: Vec<Tensor<4>> =
                node.inputs.iter().filter_map(|value| values[value.0].clone()).collect();
            for value in &node.inputs {
                if self.last_uses[value.0] == index {
                    values[value.0] = None;
                }
            }
            let result = match &node.op {
                Op::Input => given.next(),
                Op::Constant(_) | Op::Param { .. } => self.leaf(node),
                op => self.apply(op, from),
            };
            if let (Some(name), Some(result)) = (&node.name, &result) {
                probe(name, result);
            }
            values.push(result);
        }
        self.graph.outputs.iter().filter_map(|value| values[value.0].take()).collect()
    }

    /// What follows from no other value: a parameter or a constant.
    pub(super) fn leaf(&self, node: &Node) -> Option<Tensor<4>> {
        match &node.op {
            Op::Constant(planes) => Some(self.upload(planes)),
            Op::Param { name, shape } => self.param(name).map(|values| {
                let [height, width] = super::cost::sides_of(shape);
                values.reshape([1, node.channels, height, width])
            }),
            _ => None,
        }
    }

    /// Of a vector with a number an input channel: the sum of these, each times the square of its
    /// weights, for each result channel.
    pub(super) fn energies(
        &self,
        weight: &str,
        [out, from, rows, columns]: [usize; 4],
        x: Tensor<4>,
    ) -> Option<Tensor<4>> {
        let weight = self.param(weight)?.reshape([out, from, rows * columns]);
        let squares: Tensor<4> = weight.powf_scalar(2.0).sum_dim(2).reshape([out, from, 1, 1]);
        let options = ConvOptions::new([1; 2], [0; 2], [1; 2], 1);
        Some(conv2d(x, squares, None, options))
    }

    /// A parameter by name; present by construction.
    fn param(&self, name: &str) -> Option<Tensor<1>> {
        self.params.get(name).cloned()
    }

    /// A parameter with one number a channel, to be broadcast.
    fn channels(&self, name: &str) -> Option<Tensor<4>> {
        let values = self.param(name)?;
        let [len] = values.dims();
        Some(values.reshape([1, len, 1, 1]))
    }

    pub(super) fn apply(&self, op: &Op, from: Vec<Tensor<4>>) -> Option<Tensor<4>> {
        let mut from = from.into_iter();
        if *op == Op::Concat {
            return Some(Tensor::cat(from.collect(), 1));
        }
        let x = from.next()?;
        let second = from.next();
        let [batch, channels, height, width] = x.dims();
        Some(match op {
            Op::Input | Op::Param { .. } | Op::Constant(_) | Op::Concat => x,
            Op::Conv(conv) => self.conv(conv, x)?,
            Op::Act(act) => activate(x, *act),
            Op::PRelu { slope } => {
                let slope = self.channels(slope)?;
                x.clone().clamp_min(0.0) + x.clamp_max(0.0) * slope
            }
            Op::BatchNorm { name, eps } => {
                let read = |leaf: &str| self.channels(&format!("{name}.{leaf}"));
                let (mean, variance) = match &self.seen {
                    None => (read("running_mean")?, read("running_var")?),
                    Some(seen) => {
                        let mean = over_pixels(x.clone().mean_dim(0));
                        let square = (x.clone() - mean.clone()).powi_scalar(2);
                        let variance = over_pixels(square.mean_dim(0));
                        let list = |x: &Tensor<4>| x.clone().inner().reshape([channels]);
                        let (count, own) = (batch * height * width, list(&mean));
                        let moment = Moment { mean: own, variance: list(&variance), count };
                        seen.borrow_mut().insert(name.clone(), moment);
                        (mean, variance)
                    }
                };
                (x - mean) / (variance + *eps).sqrt() * read("weight")? + read("bias")?
            }
            Op::InstanceNorm { eps, affine } => {
                let centred = x.clone() - over_pixels(x);
                let variance = over_pixels(centred.clone().powf_scalar(2.0));
                let normal = centred / (variance + *eps).sqrt();
                match (affine, second, from.next()) {
                    (Some((scale, shift)), ..) => {
                        normal * self.channels(scale)? + self.channels(shift)?
                    }
                    (None, Some(scale), Some(shift)) => normal * scale + shift,
                    _ => normal,
                }
            }
            Op::GroupNorm { name, groups, eps } => {
                let grouped: Tensor<3> =
                    x.reshape([batch, *groups, channels / groups * height * width]);
                let centred = grouped.clone() - grouped.mean_dim(2);
                let variance = centred.clone().powi_scalar(2).mean_dim(2);
                let normal: Tensor<4> =
                    (centred / (variance + *eps).sqrt()).reshape([batch, channels, height, width]);
                let read = |leaf: &str| self.channels(&format!("{name}.{leaf}"));
                normal * read("weight")? + read("bias")?
            }
            Op::TruncatedNorm { name, rows, eps } => {
                let (scale, shift) = (from.next()?, from.next()?);
                let shares = self.statistics_shares(second?, *rows);
                let read = |leaf: &str| -> Option<Tensor<4>> {
                    let table = self.param(&format!("{name}.{leaf}"))?;
                    let table: Tensor<2> = table.reshape([*rows, channels]);
                    Some(shares.clone().matmul(table).reshape([batch, channels, 1, 1]))
                };
                let deviation = (read("running_vars")? + *eps).sqrt();
                (x - read("running_means")?) / deviation * scale + shift
            }
            Op::Attention => {
                let (keys, values) = (second?, from.next()?);
                let [_, out, rows, columns] = values.dims();
                let many = rows * columns;
                let queries: Tensor<3> = x.reshape([batch, channels, height * width]);
                let keys: Tensor<3> = keys.reshape([batch, channels, many]);
                let shares = activation::softmax(queries.swap_dims(1, 2).matmul(keys), 2);
                let values: Tensor<3> = values.reshape([batch, out, many]); // [n, c, keys]
                values.matmul(shares.swap_dims(1, 2)).reshape([batch, out, height, width])
            }
            Op::ContextualAttention => self.contextual_attention(x, second?),
            Op::Softmax => activation::softmax(x, 1),
            Op::PixelNorm { eps } => {
                let square = x.clone().powf_scalar(2.0).mean_dim(1);
                x / (square + *eps).sqrt()
            }
            Op::Demodulate { weight, shape, eps } => {
                (self.energies(weight, *shape, x.powf_scalar(2.0))? + *eps).sqrt().recip()
            }
            Op::Scale { factor, offset } => x * *factor + *offset,
            Op::Clamp { low, high } => x.clamp(*low, *high),
            Op::Add => x + second?,
            Op::Sub => x - second?,
            Op::Mul => x * second?,
            Op::AddScaled(factor) => x * *factor + second?,
            Op::Slice { from, len } => x.narrow(1, *from, *len),
            Op::PadChannels(more) => {
                let zeros = Tensor::zeros([batch, *more, height, width], &self.device);
                Tensor::cat(vec![x, zeros], 1)
            }
            Op::Nearest { times } => {
                let options = InterpolateOptions::new(InterpolateMode::Nearest)
                    .with_output_size([height * times, width * times]);
                interpolate(x, options)
            }
            Op::Bilinear { target, grid } => {
                let size = match target {
                    super::graph::Target::Times(times) => [height * times, width * times],
                    super::graph::Target::Fixed(height, width) => [*height, *width],
                    super::graph::Target::Like => side_of(&second?),
                };
                self.bilinear(x, size, *grid)
            }
            Op::MaxPool { side, stride, pad } => {
                let options = MaxPoolOptions::new([*side; 2]).with_stride([*stride; 2]);
                max_pool2d(x, options.with_padding_pairs(pairs(*pad)))
            }
            Op::AvgPool { side, stride, pad } => {
                let options = AvgPoolOptions::new([*side; 2]).with_stride([*stride; 2]);
                let options = options.with_padding_pairs(pairs(*pad));
                avg_pool2d(x, options.with_count_include_pad(false))
            }
            Op::GlobalMean => adaptive_avg_pool2d(x, [1, 1]),
            Op::MinibatchDeviation { group } => {
                let group = if batch % group == 0 { *group } else { batch };
                let (sets, len) = (batch / group, channels * height * width);
                let grouped: Tensor<3> = x.clone().reshape([group, sets, len]);
                let centred = grouped.clone() - grouped.mean_dim(0);
                let deviation = (centred.powi_scalar(2).mean_dim(0) + DEVIATION_EPS).sqrt();
                let deviation = deviation.mean_dim(2).expand([group, sets, 1]);
                let deviation: Tensor<4> = deviation.reshape([batch, 1, 1, 1]);
                Tensor::cat(vec![x, deviation.expand([batch, 1, height, width])], 1)
            }
            Op::PixelShuffle(side) => {
                let channels = channels / (side * side);
                x.reshape([batch, channels, *side, *side, height, width]) // [n, c, dy, dx, h, w]
                    .permute([0, 1, 4, 2, 5, 3]) // [n, c, h, dy, w, dx]
                    .reshape([batch, channels, height * side, width * side])
            }
            Op::PixelUnshuffle(side) => {
                let (height, width) = (height / side, width / side);
                x.reshape([batch, channels, height, *side, width, *side]) // [n, c, h, dy, w, dx]
                    .permute([0, 1, 3, 5, 2, 4]) // [n, c, dy, dx, h, w]
                    .reshape([batch, channels * side * side, height, width])
            }
            Op::DepthToSpace(side) => {
                let channels = channels / (side * side);
                x.reshape([batch, *side, *side, channels, height, width]) // [n, dy, dx, c, h, w]
                    .permute([0, 3, 4, 1, 5, 2]) // [n, c, h, dy, w, dx]
                    .reshape([batch, channels, height * side, width * side])
            }
            Op::Pad { pad, edge } => pad_edge(x, *pad, *edge, &self.device),
            Op::Crop(by) => x.narrow(2, *by, height - 2 * by).narrow(3, *by, width - 2 * by),
            Op::Resample(plan) => self.resample(plan, x)?,
            Op::PadLike => {
                let [to_height, to_width] = side_of(&second?);
                let (rows, columns) = (to_height - height, to_width - width);
                let (top, left) = (rows / 2, columns / 2);
                pad_with(x, [top, rows - top, left, columns - left], 0.0, &self.device)
            }
            Op::Spread => {
                let [height, width] = side_of(&second?);
                x.expand([batch, channels, height, width])
            }
            Op::Rfft2 => self.rfft2(x),
            Op::Irfft2 => {
                let [height, width] = side_of(&second?);
                self.irfft2(x, height, width)
            }
        })
    }

    /// How much each of `rows` rows of statistics counts at a truncation: `[batch, rows]`. See
    /// [`super::cost::statistics_share`].
    fn statistics_shares(&self, truncation: Tensor<4>, rows: usize) -> Tensor<2> {
        let [batch, ..] = truncation.dims();
        let numbers: Vec<f32> = (0..rows).map(|row| row as f32).collect();
        let numbers = Tensor::<1>::from_data(TensorData::new(numbers, [rows]), &self.device);
        let place: Tensor<2> = truncation.reshape([batch, 1]).clamp(0.0, 1.0) * (rows as f32 - 1.0);
        let distance = (place - numbers.reshape([1, rows])).abs();
        let same = distance.clone().lower_elem(SAME_ROW).float();
        let between = distance.clone().lower_elem(1.0 - SAME_ROW).float() - same.clone();
        same + between * distance
    }

    fn conv(&self, conv: &Conv, x: Tensor<4>) -> Option<Tensor<4>> {
        let weight = self.param(&conv.weight)?;
        let (from, to) = (conv.channels_in, conv.channels_out);
        let weight: Tensor<4> = match conv.layout {
            Layout::InOut => weight.reshape([from, to, 1, 1]).swap_dims(0, 1),
            Layout::OutIn => weight.reshape([to, from, 1, 1]),
            Layout::Kernel | Layout::OutFirst => {
                let shape: [usize; 4] = conv.weight_shape().try_into().ok()?;
                let weight = weight.reshape(shape);
                // The tensor library wants transposed kernels the other way round.
                let turns = conv.transposed && conv.layout == Layout::OutFirst;
                if turns { weight.swap_dims(0, 1) } else { weight }
            }
        };
        let bias = conv.bias.as_ref().and_then(|name| self.param(name));
        let [top, _, left, _] = conv.pad;
        if conv.transposed {
            let options = ConvTransposeOptions::new(
                [conv.stride; 2],
                [top, left],
                [conv.output_pad; 2],
                [conv.dilation; 2],
                conv.groups,
            );
            return Some(conv_transpose2d(x, weight, bias, options));
        }
        let (x, padding) = match conv.edge {
            Edge::Zero => (x, pairs(conv.pad)),
            edge => (pad_edge(x, conv.pad, edge, &self.device), [(0, 0); 2]),
        };
        let (stride, dilation) = ([conv.stride; 2], [conv.dilation; 2]);
        let options = ConvOptions::new_with_padding(stride, padding, dilation, conv.groups);
        Some(conv2d(x, weight, bias, options))
    }

    /// Two matrix products, exact at any size and grid on every device.
    fn bilinear(&self, x: Tensor<4>, [to_height, to_width]: [usize; 2], grid: Grid) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let rows = self.matrix(&resampling(height, to_height, grid), [to_height, height]);
        let columns = self.matrix(&resampling(width, to_width, grid), [to_width, width]);
        rows.matmul(x).matmul(columns.swap_dims(2, 3))
    }

    fn matrix(&self, values: &[f32], [rows, columns]: [usize; 2]) -> Tensor<4> {
        let data = TensorData::new(values.to_vec(), [1, 1, rows, columns]);
        Tensor::from_data(data, &self.device)
    }
}

/// The mean of each channel of each picture.
fn over_pixels(x: Tensor<4>) -> Tensor<4> {
    x.mean_dim(3).mean_dim(2)
}

/// Padding as the tensor library wants it: rows, then columns.
const fn pairs([top, bottom, left, right]: Sides) -> [(usize, usize); 2] {
    [(top, bottom), (left, right)]
}

fn side_of(x: &Tensor<4>) -> [usize; 2] {
    let [_, _, height, width] = x.dims();
    [height, width]
}

fn activate(x: Tensor<4>, act: Act) -> Tensor<4> {
    match act {
        Act::Relu => activation::relu(x),
        Act::Relu6 => x.clamp(0.0, 6.0),
        // While learning, in parts: the library's own is some ten times slower both ways on the
        // processor.
        Act::Leaky(slope) if x.is_autodiff() => {
            activation::relu(x.clone()) * (1.0 - slope) + x * slope
        }
        Act::Leaky(slope) => activation::leaky_relu(x, f64::from(slope)),
        Act::Sigmoid => activation::sigmoid(x),
        Act::Tanh => activation::tanh(x),
        Act::HardSwish => x.clone() * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Act::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Act::Elu => x.clone().clamp_min(0.0) + (x.clamp_max(0.0).exp() - 1.0),
        Act::Sine => x.sin(),
        Act::Rsqrt => x.clamp_min(LEAST_ROOT).sqrt().recip(),
    }
}

/// A row a result, with the weights of the samples.
fn resampling(from: usize, to: usize, grid: Grid) -> Vec<f32> {
    let mut matrix = vec![0.0; from * to];
    for (row, (low, high, weight)) in
        matrix.chunks_exact_mut(from.max(1)).zip(super::cost::bilinear_taps(from, to, grid))
    {
        row[low] += 1.0 - weight;
        row[high] += weight;
    }
    matrix
}

/// Constant pixels around.
fn pad_with(x: Tensor<4>, pad: Sides, value: f32, device: &Device) -> Tensor<4> {
    let [top, bottom, left, right] = pad;
    let [batch, channels, height, width] = x.dims();
    let full =
        |rows: usize, columns: usize| Tensor::full([batch, channels, rows, columns], value, device);
    let mut parts = vec![x];
    if left > 0 {
        parts.insert(0, full(height, left));
    }
    if right > 0 {
        parts.push(full(height, right));
    }
    let wide = Tensor::cat(parts, 3);
    let width = left + width + right;
    let mut parts = vec![wide];
    if top > 0 {
        parts.insert(0, full(top, width));
    }
    if bottom > 0 {
        parts.push(full(bottom, width));
    }
    Tensor::cat(parts, 2)
}

fn pad_edge(x: Tensor<4>, pad: Sides, edge: Edge, device: &Device) -> Tensor<4> {
    if edge == Edge::Zero {
        return pad_with(x, pad, 0.0, device);
    }
    let [_, _, height, width] = x.dims();
    let places = |len: usize, before: usize, after: usize| -> Vec<i32> {
        let all = -(before as isize)..(len + after) as isize;
        all.map(|at| edge.index(at, len).unwrap_or(0) as i32).collect()
    };
    let select = |x: Tensor<4>, dim: usize, places: Vec<i32>| {
        let len = places.len();
        x.select(dim, Tensor::from_data(TensorData::new(places, [len]), device))
    };
    let [top, bottom, left, right] = pad;
    let x = select(x, 2, places(height, top, bottom));
    select(x, 3, places(width, left, right))
}
