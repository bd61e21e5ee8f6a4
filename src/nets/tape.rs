//! MediaPipe's networks as they are stored: each operation has a number, in the order of
//! execution, and a layer's tensors are called by it (`001.weight`, `001.bias`).

use super::graph::{Act, Conv, Graph, Grid, Value};

/// A graph that numbers its operations.
#[derive(Default)]
pub(super) struct Tape {
    graph: Graph,
    count: usize,
}

impl Tape {
    pub fn input(&mut self, channels: usize) -> Value {
        self.graph.input(channels)
    }

    /// The numbers of the next operation.
    fn next(&mut self) -> String {
        self.count += 1;
        format!("{:03}", self.count)
    }

    /// Calls a value by the number of the operation that was counted last.
    fn named(&mut self, value: Value) -> Value {
        self.graph.name(value, format!("{:03}", self.count))
    }

    /// The last operations of a network keep the names that comparisons expect.
    pub fn finish(mut self, outputs: &[Value]) -> Graph {
        for (index, value) in outputs.iter().enumerate() {
            self.graph.name(*value, output_name(index));
            self.graph.output(*value);
        }
        self.graph
    }

    pub fn channels(&self, x: Value) -> usize {
        self.graph.channels(x)
    }

    /// A convolution to `channels` with `SAME` padding.
    pub fn conv(&mut self, x: Value, channels: usize, side: usize, stride: usize) -> Value {
        let conv = Conv::new(&self.next(), self.channels(x), channels, side).same(stride);
        let value = self.graph.conv(x, conv);
        self.named(value)
    }

    pub fn pointwise(&mut self, x: Value, channels: usize) -> Value {
        self.conv(x, channels, 1, 1)
    }

    pub fn depthwise(&mut self, x: Value, side: usize, stride: usize) -> Value {
        let channels = self.channels(x);
        let conv = Conv::new(&self.next(), channels, channels, side).same(stride).depthwise();
        let value = self.graph.conv(x, conv);
        self.named(value)
    }

    /// Doubles the sides: a transposed convolution of side 2.
    pub fn double(&mut self, x: Value, channels: usize) -> Value {
        let conv = Conv::transposed(&self.next(), self.channels(x), channels, 2, 2);
        let value = self.graph.conv(x, conv);
        self.named(value)
    }

    /// A valid convolution that leaves one pixel of `side` × `side`.
    pub fn gather(&mut self, x: Value, channels: usize, side: usize) -> Value {
        let conv = Conv::new(&self.next(), self.channels(x), channels, side).pad([0; 4]);
        let value = self.graph.conv(x, conv);
        self.named(value)
    }

    pub fn act(&mut self, x: Value, act: Act) -> Value {
        self.next();
        let value = self.graph.act(x, act);
        self.named(value)
    }

    pub fn prelu(&mut self, x: Value) -> Value {
        let name = self.next();
        let value = self.graph.prelu(x, &name);
        self.named(value)
    }

    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.next();
        let value = self.graph.add(a, b);
        self.named(value)
    }

    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        self.next();
        let value = self.graph.mul(a, b);
        self.named(value)
    }

    pub fn mean(&mut self, x: Value) -> Value {
        self.next();
        let value = self.graph.global_mean(x);
        self.named(value)
    }

    /// Halves the sides.
    pub fn max_pool(&mut self, x: Value) -> Value {
        self.next();
        let value = self.graph.max_pool(x, 2, 2, [0; 4]);
        self.named(value)
    }

    /// Doubles the sides.
    pub fn bilinear(&mut self, x: Value) -> Value {
        self.next();
        let value = self.graph.bilinear(x, 2, Grid::HalfPixel);
        self.named(value)
    }

    /// Zero channels at the end, where there are too few: an operation only then.
    pub fn widen(&mut self, x: Value, channels: usize) -> Value {
        let more = channels - self.channels(x);
        if more == 0 {
            return x;
        }
        self.next();
        let value = self.graph.pad_channels(x, more);
        self.named(value)
    }

    /// Squeeze and excite: the picture times a weight a channel that its means decide.
    pub fn excite(&mut self, of: Value, by: Value, inner: usize) -> Value {
        let channels = self.channels(by);
        let mut weight = self.mean(by);
        weight = self.pointwise(weight, inner);
        weight = self.act(weight, Act::Relu);
        weight = self.pointwise(weight, channels);
        weight = self.act(weight, Act::Sigmoid);
        self.mul(of, weight)
    }
}

/// What comparisons call output number `index`.
pub(super) fn output_name(index: usize) -> String {
    if index == 0 { "output".into() } else { format!("output{index}") }
}
