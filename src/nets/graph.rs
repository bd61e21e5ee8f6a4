//! A network as data: what flows into what, with the official parameter names.
//!
//! Each architecture writes its graph once. From it follow the tensors a checkpoint must hold,
//! the arithmetic and memory a picture costs, how far a pixel sees, and the two executors: the
//! processor's own ([`super::cpu`]) and the tensor library's (`super::tensor`).
//!
//! Values are pictures `[channels, height, width]`; a vector is a picture of one pixel. Channels
//! are known while the graph is built, sides when it runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Planes;
pub use super::layer::{Act, Conv, Edge, Grid, Layout, Resample, Sides, Target};

/// One value of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Value(pub(super) usize);

impl Value {
    /// The place of its node among [`Graph::nodes`].
    pub const fn index(self) -> usize {
        self.0
    }
}

/// What a node does with its inputs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Op {
    /// What the network is given.
    Input,
    /// A parameter as a picture: its last two sides are height and width; a list is a vector, a
    /// single number one of one.
    Param {
        name: String,
        shape: Vec<usize>,
    },
    /// Numbers that belong to the definition and to no file.
    Constant(Planes),
    Conv(Conv),
    Act(Act),
    /// One slope a channel for negative numbers.
    PRelu {
        slope: String,
    },
    /// With the statistics of training: `<name>.{weight,bias,running_mean,running_var}`.
    BatchNorm {
        name: String,
        eps: f32,
    },
    /// With the mean and biased variance of each channel over the picture; then times `scale`
    /// plus `shift`, if they are named, or the second and third input, if there are any.
    InstanceNorm {
        eps: f32,
        affine: Option<(String, String)>,
    },
    /// With the mean and biased variance over the pixels of `groups` runs of channels; parameters
    /// `<name>.{weight,bias}` (Wu and He 2018).
    GroupNorm {
        name: String,
        groups: usize,
        eps: f32,
    },
    /// With the statistics of a truncation in `0..=1`, the second input: rows of
    /// `<name>.{running_means,running_vars}`, `[rows, channels]`, chosen as BigGAN's published
    /// code does. Then times the third input plus the fourth.
    TruncatedNorm {
        name: String,
        rows: usize,
        eps: f32,
    },
    /// At each pixel of the first input a mean of the third's pixels, which count as softmax says
    /// of the products of the first's vector with the second's (Zhang et al. 2019, SAGAN).
    Attention,
    /// At each pixel a blend of the picture's own patches, by how well what surrounds it fits what
    /// surrounds them; the second input, eight times as fine as every second pixel, is 0 where
    /// patches may come from (Yu et al. 2018, with the scores of neighbours added).
    ContextualAttention,
    /// Logits of the channels to probabilities that add up to 1 at each pixel.
    Softmax,
    /// Each pixel over the root of its channels' mean square plus `eps`.
    PixelNorm {
        eps: f32,
    },
    /// Of a vector of styles: one over the root of `Σ (weight · style)² + eps` for each result
    /// channel of `weight`, `[out, in, height, width]`. What a convolution with `weight` makes of
    /// channels times their styles has unit variance after it (StyleGAN2).
    Demodulate {
        weight: String,
        shape: [usize; 4],
        eps: f32,
    },
    /// `x · factor + offset`
    Scale {
        factor: f32,
        offset: f32,
    },
    Clamp {
        low: f32,
        high: f32,
    },
    /// Sides or channels of one stand for those of the other where they are 1.
    Add,
    Sub,
    Mul,
    /// First input times the factor, plus the second.
    AddScaled(f32),
    /// Channels one after the other.
    Concat,
    /// Channels `from..from + len`.
    Slice {
        from: usize,
        len: usize,
    },
    /// Zero channels at the end.
    PadChannels(usize),
    Nearest {
        times: usize,
    },
    Bilinear {
        target: Target,
        grid: Grid,
    },
    MaxPool {
        side: usize,
        stride: usize,
        pad: Sides,
    },
    /// Padding is not counted.
    AvgPool {
        side: usize,
        stride: usize,
        pad: Sides,
    },
    /// The mean of each channel: a vector.
    GlobalMean,
    /// One more channel: the mean deviation of a number over a group of that many pictures of a
    /// batch, those that lie `batch / group` apart; all of them where the group does not divide
    /// the batch (Karras et al. 2018). A picture by itself deviates by nothing.
    MinibatchDeviation {
        group: usize,
    },
    /// `[c·s², h, w]` to `[c, h·s, w·s]`: channel `c·s² + dy·s + dx` goes to offset `(dy, dx)`.
    PixelShuffle(usize),
    /// The inverse.
    PixelUnshuffle(usize),
    /// `[s²·c, h, w]` to `[c, h·s, w·s]`: channel `(dy·s + dx)·c + k` goes to offset `(dy, dx)`,
    /// as TensorFlow orders them.
    DepthToSpace(usize),
    Pad {
        pad: Sides,
        edge: Edge,
    },
    /// Without so many pixels at each side.
    Crop(usize),
    Resample(Resample),
    /// Zeros around, to the size of the second input; the odd pixel at the bottom and right.
    PadLike,
    /// A vector at every pixel of the second input's size.
    Spread,
    /// Real Fourier transform over the picture, orthonormal: `[c, h, w]` to
    /// `[2c, h, w/2 + 1]`, real and imaginary channels alternating.
    Rfft2,
    /// The inverse, to the size of the second input.
    Irfft2,
}

/// A node: an operation on earlier values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<Value>,
    pub channels: usize,
    /// The name of a layer, for comparisons.
    pub name: Option<String>,
}

/// Official names and shapes.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) inputs: Vec<Value>,
    pub(super) outputs: Vec<Value>,
}

impl Graph {
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of pictures and vectors that the network is given.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// Channels of what the network is given.
    pub fn input_channels(&self) -> Vec<usize> {
        self.inputs.iter().map(|value| self.channels(*value)).collect()
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }

    pub fn channels(&self, value: Value) -> usize {
        self.nodes[value.0].channels
    }

    fn push(&mut self, op: Op, inputs: &[Value], channels: usize) -> Value {
        self.nodes.push(Node { op, inputs: inputs.to_vec(), channels, name: None });
        Value(self.nodes.len() - 1)
    }

    /// One more picture or vector that the network is given.
    pub fn input(&mut self, channels: usize) -> Value {
        let value = self.push(Op::Input, &[], channels);
        self.inputs.push(value);
        value
    }

    /// A parameter as a picture.
    pub fn param(&mut self, name: &str, shape: &[usize]) -> Value {
        let channels = match shape {
            [len] => *len,
            [planes @ .., _, _] => planes.iter().product(),
            [] => 1,
        };
        self.push(Op::Param { name: name.into(), shape: shape.to_vec() }, &[], channels)
    }

    /// Numbers that belong to the definition.
    pub fn constant(&mut self, planes: Planes) -> Value {
        let channels = planes.channels;
        self.push(Op::Constant(planes), &[], channels)
    }

    /// One more result.
    pub fn output(&mut self, value: Value) {
        self.outputs.push(value);
    }

    /// The network as far as `value`, which is its one result. It is given the same as the whole.
    pub fn until(&self, value: Value) -> Self {
        let mut leads = vec![false; self.nodes.len()];
        leads[value.0] = true;
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if leads[index] {
                node.inputs.iter().for_each(|input| leads[input.0] = true);
            }
        }
        let mut part = Self::new();
        let mut places = Vec::with_capacity(self.nodes.len());
        for (node, leads) in self.nodes.iter().zip(leads) {
            places.push(Value(part.nodes.len()));
            if leads || node.op == Op::Input {
                let inputs = node.inputs.iter().map(|input| places[input.0]).collect();
                part.nodes.push(Node { inputs, ..node.clone() });
            }
        }
        part.inputs = self.inputs.iter().map(|input| places[input.0]).collect();
        part.outputs = vec![places[value.0]];
        part
    }

    /// Calls the value by the name of its layer.
    pub fn name(&mut self, value: Value, name: impl Into<String>) -> Value {
        self.nodes[value.0].name = Some(name.into());
        value
    }

    pub fn conv(&mut self, x: Value, conv: Conv) -> Value {
        let channels = conv.channels_out;
        debug_assert_eq!(self.channels(x), conv.channels_in, "{}", conv.weight);
        self.push(Op::Conv(conv), &[x], channels)
    }

    pub fn act(&mut self, x: Value, act: Act) -> Value {
        self.unary(x, Op::Act(act))
    }

    pub fn relu(&mut self, x: Value) -> Value {
        self.act(x, Act::Relu)
    }

    /// `<name>.weight` holds the slopes.
    pub fn prelu(&mut self, x: Value, name: &str) -> Value {
        self.unary(x, Op::PRelu { slope: format!("{name}.weight") })
    }

    pub fn batch_norm(&mut self, x: Value, name: &str, eps: f32) -> Value {
        self.unary(x, Op::BatchNorm { name: name.into(), eps })
    }

    pub fn group_norm(&mut self, x: Value, name: &str, groups: usize, eps: f32) -> Value {
        self.unary(x, Op::GroupNorm { name: name.into(), groups, eps })
    }

    /// Without parameters.
    pub fn instance_norm(&mut self, x: Value, eps: f32) -> Value {
        self.unary(x, Op::InstanceNorm { eps, affine: None })
    }

    /// With parameters `<name>.weight` and `<name>.bias`.
    pub fn instance_norm_affine(&mut self, x: Value, name: &str, eps: f32) -> Value {
        let affine = Some((format!("{name}.weight"), format!("{name}.bias")));
        self.unary(x, Op::InstanceNorm { eps, affine })
    }

    /// Conditional: `scale` and `shift` are vectors.
    pub fn instance_norm_by(&mut self, x: Value, scale: Value, shift: Value, eps: f32) -> Value {
        let channels = self.channels(x);
        self.push(Op::InstanceNorm { eps, affine: None }, &[x, scale, shift], channels)
    }

    /// Conditional, for a truncation; all but `x` are vectors.
    pub fn truncated_norm(
        &mut self,
        [x, truncation, scale, shift]: [Value; 4],
        (name, rows): (&str, usize),
        eps: f32,
    ) -> Value {
        let (op, channels) = (Op::TruncatedNorm { name: name.into(), rows, eps }, self.channels(x));
        self.push(op, &[x, truncation, scale, shift], channels)
    }

    pub fn attention(&mut self, queries: Value, keys: Value, values: Value) -> Value {
        let channels = self.channels(values);
        self.push(Op::Attention, &[queries, keys, values], channels)
    }

    pub fn contextual_attention(&mut self, x: Value, mask: Value) -> Value {
        let channels = self.channels(x);
        self.push(Op::ContextualAttention, &[x, mask], channels)
    }

    pub fn softmax(&mut self, x: Value) -> Value {
        self.unary(x, Op::Softmax)
    }

    pub fn pixel_norm(&mut self, x: Value, eps: f32) -> Value {
        self.unary(x, Op::PixelNorm { eps })
    }

    /// The factors that a convolution with `weight`, `[out, in, height, width]`, is owed.
    pub fn demodulate(
        &mut self,
        styles: Value,
        weight: &str,
        shape: [usize; 4],
        eps: f32,
    ) -> Value {
        self.push(Op::Demodulate { weight: weight.into(), shape, eps }, &[styles], shape[0])
    }

    pub fn resample(&mut self, x: Value, resample: Resample) -> Value {
        self.unary(x, Op::Resample(resample))
    }

    /// An operation on one value that keeps the channels.
    pub fn unary(&mut self, x: Value, op: Op) -> Value {
        let channels = self.channels(x);
        self.push(op, &[x], channels)
    }

    pub fn scale(&mut self, x: Value, factor: f32, offset: f32) -> Value {
        self.unary(x, Op::Scale { factor, offset })
    }

    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.binary(Op::Add, a, b)
    }

    pub fn sub(&mut self, a: Value, b: Value) -> Value {
        self.binary(Op::Sub, a, b)
    }

    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        self.binary(Op::Mul, a, b)
    }

    /// `a · factor + b`
    pub fn add_scaled(&mut self, a: Value, factor: f32, b: Value) -> Value {
        self.binary(Op::AddScaled(factor), a, b)
    }

    fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        let channels = self.channels(a).max(self.channels(b));
        self.push(op, &[a, b], channels)
    }

    pub fn concat(&mut self, values: &[Value]) -> Value {
        let channels = values.iter().map(|value| self.channels(*value)).sum();
        self.push(Op::Concat, values, channels)
    }

    pub fn slice(&mut self, x: Value, from: usize, len: usize) -> Value {
        self.push(Op::Slice { from, len }, &[x], len)
    }

    pub fn pad_channels(&mut self, x: Value, more: usize) -> Value {
        let channels = self.channels(x) + more;
        self.push(Op::PadChannels(more), &[x], channels)
    }

    pub fn nearest(&mut self, x: Value, times: usize) -> Value {
        self.unary(x, Op::Nearest { times })
    }

    pub fn bilinear(&mut self, x: Value, times: usize, grid: Grid) -> Value {
        self.unary(x, Op::Bilinear { target: Target::Times(times), grid })
    }

    /// Resampled to the size of `like`.
    pub fn bilinear_like(&mut self, x: Value, like: Value, grid: Grid) -> Value {
        let channels = self.channels(x);
        self.push(Op::Bilinear { target: Target::Like, grid }, &[x, like], channels)
    }

    pub fn max_pool(&mut self, x: Value, side: usize, stride: usize, pad: Sides) -> Value {
        self.unary(x, Op::MaxPool { side, stride, pad })
    }

    pub fn avg_pool(&mut self, x: Value, side: usize, stride: usize, pad: Sides) -> Value {
        self.unary(x, Op::AvgPool { side, stride, pad })
    }

    pub fn global_mean(&mut self, x: Value) -> Value {
        self.unary(x, Op::GlobalMean)
    }

    pub fn minibatch_deviation(&mut self, x: Value, group: usize) -> Value {
        let channels = self.channels(x) + 1;
        self.push(Op::MinibatchDeviation { group }, &[x], channels)
    }

    pub fn pixel_shuffle(&mut self, x: Value, side: usize) -> Value {
        let channels = self.channels(x) / (side * side);
        self.push(Op::PixelShuffle(side), &[x], channels)
    }

    pub fn pixel_unshuffle(&mut self, x: Value, side: usize) -> Value {
        let channels = self.channels(x) * side * side;
        self.push(Op::PixelUnshuffle(side), &[x], channels)
    }

    pub fn depth_to_space(&mut self, x: Value, side: usize) -> Value {
        let channels = self.channels(x) / (side * side);
        self.push(Op::DepthToSpace(side), &[x], channels)
    }

    pub fn pad(&mut self, x: Value, pad: Sides, edge: Edge) -> Value {
        self.unary(x, Op::Pad { pad, edge })
    }

    pub fn pad_like(&mut self, x: Value, like: Value) -> Value {
        let channels = self.channels(x);
        self.push(Op::PadLike, &[x, like], channels)
    }

    pub fn spread(&mut self, vector: Value, like: Value) -> Value {
        let channels = self.channels(vector);
        self.push(Op::Spread, &[vector, like], channels)
    }

    pub fn rfft2(&mut self, x: Value) -> Value {
        let channels = self.channels(x) * 2;
        self.push(Op::Rfft2, &[x], channels)
    }

    pub fn irfft2(&mut self, x: Value, like: Value) -> Value {
        let channels = self.channels(x) / 2;
        self.push(Op::Irfft2, &[x, like], channels)
    }
}
