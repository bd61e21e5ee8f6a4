//! Forward mode on the tensor library: how results change when inputs move.
//!
//! The tangent of each value is computed beside it (Wengert 1964). What is computed stays on the
//! tape, so that one backward run gives the derivative of a directional derivative: the second
//! derivatives that the library itself does not have. Leaky units are linear on either side, which
//! is what the reverse mode of other libraries takes them for, too.

use burn::tensor::Tensor;

use super::graph::{Act, Conv, Op};
use super::layer::DEVIATION_EPS;
use super::tensor::OnDevice;

impl OnDevice {
    /// The change of the first result per step along `tangent`, `[batch, channels, height, width]`
    /// both, at one input. `None` where an operation has no rule here: those of judges have.
    pub fn run_along(&self, input: Tensor<4>, tangent: Tensor<4>) -> Option<Tensor<4>> {
        let graph = self.graph();
        let mut values: Vec<(Tensor<4>, Tensor<4>)> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let from: Vec<&(Tensor<4>, Tensor<4>)> =
                node.inputs.iter().map(|value| &values[value.0]).collect();
            let pair = match (&node.op, from.as_slice()) {
                (Op::Input, []) => (input.clone(), tangent.clone()),
                (op, [x]) => {
                    let value = self.apply(op, vec![x.0.clone()])?;
                    let along = self.tangent(op, x)?;
                    (value, along)
                }
                (Op::Add, [a, b]) => (a.0.clone() + b.0.clone(), a.1.clone() + b.1.clone()),
                _ => return None,
            };
            values.push(pair);
        }
        let output = graph.outputs.first()?;
        Some(values.swap_remove(output.0).1)
    }

    /// The tangent of an operation's result, from its input and that one's tangent.
    fn tangent(&self, op: &Op, (x, dx): &(Tensor<4>, Tensor<4>)) -> Option<Tensor<4>> {
        let dx = dx.clone();
        Some(match op {
            Op::Conv(conv) => {
                self.apply(&Op::Conv(Conv { bias: None, ..conv.clone() }), vec![dx])?
            }
            Op::Act(Act::Leaky(slope)) => {
                let is_positive = x.clone().inner().greater_elem(0.0).float();
                dx * (is_positive * (1.0 - slope) + *slope).autodiff()
            }
            Op::Act(Act::Relu) => dx * x.clone().inner().greater_elem(0.0).float().autodiff(),
            Op::Scale { factor, .. } => dx * *factor,
            Op::Resample(_) | Op::PixelUnshuffle(_) => self.apply(op, vec![dx])?,
            Op::MinibatchDeviation { group } => {
                let [batch, channels, height, width] = x.dims();
                let group = if batch % group == 0 { *group } else { batch };
                let (sets, len) = (batch / group, channels * height * width);
                let centred = |x: Tensor<4>| {
                    let grouped: Tensor<3> = x.reshape([group, sets, len]);
                    grouped.clone() - grouped.mean_dim(0)
                };
                let (own, moved) = (centred(x.clone()), centred(dx.clone()));
                let deviation = (own.clone().powi_scalar(2).mean_dim(0) + DEVIATION_EPS).sqrt();
                let change = ((own * moved).mean_dim(0) / deviation).mean_dim(2);
                let change: Tensor<4> = change.expand([group, sets, 1]).reshape([batch, 1, 1, 1]);
                Tensor::cat(vec![dx, change.expand([batch, 1, height, width])], 1)
            }
            _ => return None,
        })
    }
}
