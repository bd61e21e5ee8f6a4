//! The tensors that a graph reads.

use super::graph::{Graph, Op, Shapes};

impl Graph {
    /// Every parameter by official name.
    pub fn params(&self) -> Shapes {
        let mut shapes = Shapes::new();
        for node in &self.nodes {
            let channels = vec![node.channels];
            match &node.op {
                Op::Conv(conv) => {
                    shapes.insert(conv.weight.clone(), conv.weight_shape());
                    if let Some(bias) = &conv.bias {
                        shapes.insert(bias.clone(), channels);
                    }
                }
                Op::Param { name, shape } => {
                    shapes.insert(name.clone(), shape.clone());
                }
                Op::Demodulate { weight, shape, .. } => {
                    shapes.insert(weight.clone(), shape.to_vec());
                }
                Op::Resample(resample) => {
                    shapes.insert(resample.filter.clone(), resample.filter_shape());
                }
                Op::PRelu { slope } => {
                    shapes.insert(slope.clone(), channels);
                }
                Op::BatchNorm { name, .. } => {
                    for leaf in ["weight", "bias", "running_mean", "running_var"] {
                        shapes.insert(format!("{name}.{leaf}"), channels.clone());
                    }
                }
                Op::GroupNorm { name, .. } => {
                    for leaf in ["weight", "bias"] {
                        shapes.insert(format!("{name}.{leaf}"), channels.clone());
                    }
                }
                Op::TruncatedNorm { name, rows, .. } => {
                    for leaf in ["running_means", "running_vars"] {
                        shapes.insert(format!("{name}.{leaf}"), vec![*rows, node.channels]);
                    }
                }
                Op::InstanceNorm { affine: Some((scale, shift)), .. } => {
                    shapes.insert(scale.clone(), channels.clone());
                    shapes.insert(shift.clone(), channels);
                }
                _ => {}
            }
        }
        shapes
    }
}
