//! Forward mode on the tensor library: how results change when inputs move.
//!
//! The change of each value is computed beside it (Wengert 1964). What is computed stays on the
//! tape, so that one backward run gives the derivative of a directional derivative: the second
//! derivatives that the library itself does not have. Leaky units and clamps are linear on either
//! side, which is what the reverse mode of other libraries takes them for, too.

use burn::tensor::Tensor;

use super::graph::{Act, Conv, Op};
use super::layer::DEVIATION_EPS;
use super::tensor::OnDevice;

/// A value and its change per step; `None` where it stays.
pub struct Moving {
    pub value: Tensor<4>,
    pub change: Option<Tensor<4>>,
}

impl OnDevice {
    /// The change of the first result per step of the declared inputs, all `[batch, channels,
    /// height, width]`. `None` where an operation that something moves has no rule here: those of
    /// judges and of StyleGAN2's synthesis have.
    pub fn run_along(&self, inputs: Vec<Moving>) -> Option<Tensor<4>> {
        let graph = self.graph();
        let mut given = inputs.into_iter();
        let mut values: Vec<Moving> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let from: Vec<&Moving> = node.inputs.iter().map(|value| &values[value.0]).collect();
            let moving = match &node.op {
                Op::Input => given.next()?,
                Op::Param { .. } | Op::Constant(_) => {
                    Moving { value: self.leaf(node)?, change: None }
                }
                op => {
                    let value = self.apply(op, from.iter().map(|x| x.value.clone()).collect())?;
                    let moves = from.iter().any(|x| x.change.is_some());
                    let change = if moves { Some(self.change(op, &from, &value)?) } else { None };
                    Moving { value, change }
                }
            };
            values.push(moving);
        }
        let Moving { value, change } = values.swap_remove(graph.outputs.first()?.0);
        Some(change.unwrap_or_else(|| value.zeros_like()))
    }

    /// The change of an operation's result `value`, from its inputs, of which one moves at least.
    fn change(&self, op: &Op, from: &[&Moving], value: &Tensor<4>) -> Option<Tensor<4>> {
        let both = |a: Option<Tensor<4>>, b: Option<Tensor<4>>| match (a, b) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => Some(a.or(b)?.expand(value.dims())),
        };
        let (x, dx) = match (op, from) {
            (Op::Add, [a, b]) => return both(a.change.clone(), b.change.clone()),
            (Op::Mul, [a, b]) => {
                let times = |a: &Moving, b: &Moving| Some(a.change.clone()? * b.value.clone());
                return both(times(a, b), times(b, a));
            }
            (_, [x]) => (&x.value, x.change.clone()?),
            _ => return None,
        };
        let share =
            |is_linear: Tensor<4>, other: f32| (is_linear * (1.0 - other) + other).autodiff();
        Some(match op {
            Op::Conv(conv) => {
                self.apply(&Op::Conv(Conv { bias: None, ..conv.clone() }), vec![dx])?
            }
            Op::Act(Act::Leaky(slope)) => {
                dx * share(x.clone().inner().greater_elem(0.0).float(), *slope)
            }
            Op::Act(Act::Relu) => dx * share(x.clone().inner().greater_elem(0.0).float(), 0.0),
            Op::Clamp { low, high } => {
                let x = x.clone().inner();
                let inside = x.clone().greater_elem(*low).float() * x.lower_elem(*high).float();
                dx * share(inside, 0.0)
            }
            Op::Scale { factor, .. } => dx * *factor,
            Op::Resample(_) | Op::PixelUnshuffle(_) => self.apply(op, vec![dx])?,
            Op::Demodulate { weight, shape, .. } => {
                let energy = self.energies(weight, *shape, x.clone() * dx)?;
                -value.clone().powi_scalar(3) * energy
            }
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
