//! What a graph costs and how far its pixels see, from its shapes.

use super::graph::{Conv, Graph, Grid, Node, Op, Target, Value};

/// Height and width of a value.
pub type Side = [usize; 2];

/// What one run takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Multiply and add as two, of the plain convolutions.
    pub flops: f64,
    /// The most memory that values take at once, as 32-bit floats.
    pub peak_bytes: f64,
}

/// The result's sides of a window of `reach` pixels that moves by `stride`.
const fn slide(side: usize, reach: usize, stride: usize) -> usize {
    if side < reach { 0 } else { (side - reach) / stride + 1 }
}

/// The two samples and the weight of the second, for each result along one axis.
pub(super) fn bilinear_taps(from: usize, to: usize, grid: Grid) -> Vec<(usize, usize, f32)> {
    let last = from.saturating_sub(1);
    (0..to)
        .map(|at| {
            let place = match grid {
                Grid::HalfPixel => {
                    ((at as f32 + 0.5) * (from as f32 / to as f32) - 0.5).clamp(0.0, last as f32)
                }
                Grid::Corners if to > 1 => at as f32 * (last as f32 / (to - 1) as f32),
                Grid::Corners => 0.0,
            };
            let low = (place as usize).min(last);
            (low, (low + 1).min(last), place - low as f32)
        })
        .collect()
}

/// How much a row of statistics that lies `distance` rows from a truncation counts: all where they
/// meet. Between two rows the *farther* one counts more: a slip in the published code of BigGAN,
/// with which its pictures were made.
pub(super) fn statistics_share(distance: f64) -> f64 {
    match distance.abs() {
        near if near < SAME_ROW => 1.0,
        between if between < 1.0 - SAME_ROW => between,
        _ => 0.0,
    }
}

/// Rows apart at which a truncation, as a 32-bit float, still is that of a row.
pub(super) const SAME_ROW: f64 = 1e-4;

/// Height and width of a parameter that is a picture.
pub(super) fn sides_of(shape: &[usize]) -> Side {
    match shape {
        [.., height, width] => [*height, *width],
        _ => [1, 1],
    }
}

impl Conv {
    /// The sides of the result.
    pub fn output(&self, [height, width]: Side) -> Side {
        let [top, bottom, left, right] = self.pad;
        let axis = |side: usize, kernel: usize, before: usize, after: usize| {
            let reach = (kernel - 1) * self.dilation + 1;
            if self.transposed {
                let full = (side.max(1) - 1) * self.stride + reach + self.output_pad;
                full.saturating_sub(before + after)
            } else {
                slide(side + before + after, reach, self.stride)
            }
        };
        [axis(height, self.kernel[0], top, bottom), axis(width, self.kernel[1], left, right)]
    }
}

impl Node {
    /// The sides of the result, from those of the inputs.
    pub fn output(&self, inputs: &[Side]) -> Side {
        let first = inputs.first().copied().unwrap_or([1, 1]);
        let second = inputs.get(1).copied().unwrap_or(first);
        let [height, width] = first;
        match &self.op {
            Op::Param { shape, .. } => sides_of(shape),
            Op::Constant(planes) => [planes.height, planes.width],
            Op::Conv(conv) => conv.output(first),
            Op::Add | Op::Sub | Op::Mul | Op::AddScaled(_) => {
                [height.max(second[0]), width.max(second[1])]
            }
            Op::Nearest { times } | Op::Bilinear { target: Target::Times(times), .. } => {
                [height * times, width * times]
            }
            Op::Bilinear { target: Target::Fixed(height, width), .. } => [*height, *width],
            Op::Bilinear { target: Target::Like, .. } | Op::PadLike | Op::Spread | Op::Irfft2 => {
                second
            }
            Op::MaxPool { side, stride, pad: [top, bottom, left, right] }
            | Op::AvgPool { side, stride, pad: [top, bottom, left, right] } => [
                slide(height + top + bottom, *side, *stride),
                slide(width + left + right, *side, *stride),
            ],
            Op::GlobalMean => [1, 1],
            Op::PixelShuffle(side) | Op::DepthToSpace(side) => [height * side, width * side],
            Op::PixelUnshuffle(side) => [height / side, width / side],
            Op::Pad { pad: [top, bottom, left, right], .. } => {
                [height + top + bottom, width + left + right]
            }
            Op::Crop(by) => first.map(|side| side.saturating_sub(2 * by)),
            Op::Resample(resample) => resample.output(first),
            Op::Demodulate { .. } => [1, 1],
            Op::Rfft2 => [height, width / 2 + 1],
            _ => first,
        }
    }

    /// Multiply-adds of a convolution as two each, for results of these sides.
    fn flops(&self, [in_height, in_width]: Side, [height, width]: Side) -> f64 {
        let Op::Conv(conv) = &self.op else { return 0.0 };
        let kernel = (conv.kernel[0] * conv.kernel[1]) as f64;
        let channels = (conv.channels_in / conv.groups * conv.channels_out) as f64;
        let places = if conv.transposed { in_height * in_width } else { height * width };
        2.0 * kernel * channels * places as f64
    }
}

impl Graph {
    /// Sides of every value for inputs of the given sides.
    pub fn sides(&self, inputs: &[Side]) -> Vec<Side> {
        let mut sides: Vec<Side> = Vec::with_capacity(self.nodes.len());
        let mut given = inputs.iter();
        for node in &self.nodes {
            let from: Vec<Side> = node.inputs.iter().map(|value| sides[value.0]).collect();
            sides.push(match node.op {
                Op::Input => given.next().copied().unwrap_or([1, 1]),
                _ => node.output(&from),
            });
        }
        sides
    }

    /// Arithmetic and memory of a run.
    pub fn cost(&self, inputs: &[Side]) -> Cost {
        let sides = self.sides(inputs);
        let bytes = |index: usize| {
            let padded = self.nodes[index].channels.next_multiple_of(8);
            4.0 * (padded * sides[index][0] * sides[index][1]) as f64
        };
        let last = self.last_uses();
        let (mut cost, mut live) = (Cost::default(), 0.0);
        for (index, node) in self.nodes.iter().enumerate() {
            let from = node.inputs.first().map_or([1, 1], |value| sides[value.0]);
            cost.flops += node.flops(from, sides[index]);
            if let (Op::Attention, [queries, keys, values]) = (&node.op, &node.inputs[..]) {
                let area = |value: &Value| (sides[value.0][0] * sides[value.0][1]) as f64;
                let channels = self.channels(*queries) + self.channels(*values);
                cost.flops += 2.0 * area(queries) * area(keys) * channels as f64;
            }
            if node.op == Op::ContextualAttention {
                // Patches of 3×3 on every second pixel are compared, of 4×4 blended.
                let places = (sides[index][0] / 2 * (sides[index][1] / 2)) as f64;
                cost.flops += 2.0 * places * places * (25 * node.channels) as f64;
            }
            live += bytes(index);
            cost.peak_bytes = cost.peak_bytes.max(live);
            for dead in (0..=index).filter(|dead| last[*dead] == index) {
                live -= bytes(dead);
            }
        }
        cost
    }

    /// The index of the node that reads each value last; results outlive every node.
    pub(super) fn last_uses(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..self.nodes.len()).collect();
        for (index, node) in self.nodes.iter().enumerate() {
            for value in &node.inputs {
                last[value.0] = index;
            }
        }
        for value in &self.outputs {
            last[value.0] = usize::MAX;
        }
        last
    }

    /// Half the side of the square of input pixels that one result pixel depends on; `None`
    /// where it depends on all of them.
    pub fn reach_px(&self) -> Option<usize> {
        // Reach and distance of neighbouring pixels, both in pixels of the first input.
        let mut known: Vec<(f64, f64)> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            // Vectors and size hints reach nowhere: only the first input is a picture there.
            let pictures = match node.op {
                Op::Add | Op::Sub | Op::Mul | Op::AddScaled(_) | Op::Concat => node.inputs.len(),
                _ => node.inputs.len().min(1),
            };
            let reach = node.inputs.iter().take(pictures).map(|value| known[value.0].0);
            let reach = reach.fold(0.0, f64::max);
            let step = node.inputs.first().map_or(1.0, |value| known[value.0].1);
            known.push(match &node.op {
                Op::Conv(conv) => {
                    let side = conv.kernel[0].max(conv.kernel[1]) - 1;
                    if conv.transposed {
                        let step = step / conv.stride as f64;
                        (reach + step * side as f64, step)
                    } else {
                        let around = (side * conv.dilation).div_ceil(2) as f64;
                        (reach + step * around, step * conv.stride as f64)
                    }
                }
                Op::MaxPool { side, stride, .. } | Op::AvgPool { side, stride, .. } => {
                    (reach + step * (side / 2) as f64, step * *stride as f64)
                }
                Op::Resample(resample) => {
                    let step = step / resample.up as f64;
                    let side = resample.size[0].max(resample.size[1]);
                    (reach + step * side as f64, step * resample.down as f64)
                }
                Op::Nearest { times } => (reach, step / *times as f64),
                Op::Bilinear { target: Target::Times(times), grid: Grid::HalfPixel } => {
                    (reach + step, step / *times as f64)
                }
                Op::PixelShuffle(side) | Op::DepthToSpace(side) => (reach, step / *side as f64),
                Op::PixelUnshuffle(side) => {
                    (reach + step * (*side as f64 - 1.0), step * *side as f64)
                }
                Op::InstanceNorm { .. }
                | Op::GroupNorm { .. }
                | Op::GlobalMean
                | Op::Attention
                | Op::ContextualAttention
                | Op::Bilinear { .. }
                | Op::Rfft2
                | Op::Irfft2 => return None,
                _ => (reach, step),
            });
        }
        let reach = self.outputs.iter().map(|value| known[value.0].0).fold(0.0, f64::max);
        Some(reach.ceil() as usize)
    }
}
