//! Magenta's arbitrary style transfer (Ghiasi et al. 2017) in its small mobile form: one network
//! reads a style vector from a picture, the other restyles by it.

use super::graph::{Act, Conv, Graph, Value};
use super::transfer::{EPS, Place, Transfer};

/// MobileNetV2's stages (Sandler et al. 2018): channels, blocks, stride of the first block.
const STAGES: [(usize, usize, usize); 7] =
    [(16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)];
/// How much wider the middle of a block is than its input, except in the first block.
const EXPANSION: usize = 6;
/// Channels of the last feature map.
const LAST: usize = 1280;

/// MobileNetV2 with its norms folded in, averaged to a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StylePredictor {
    /// Numbers of a style vector.
    pub numbers: usize,
}

impl StylePredictor {
    /// RGB in `0..=1`, `[3, 256, 256]`, to a style vector `[numbers]`.
    pub fn graph(&self) -> Graph {
        let (mut g, mean, _) = Self::trunk();
        let head = Conv::new("", LAST, self.numbers, 1);
        let x = layer(&mut g, mean, "mobilenet_conv.Conv", head, false);
        g.name(x, "output");
        g.output(x);
        g
    }

    /// The same up to what the style vector is read from: the mean of the last feature map,
    /// `[1280]`, then the last feature map of each size from a quarter of the sides on.
    pub fn features(&self) -> Graph {
        let (mut g, mean, ends) = Self::trunk();
        g.output(mean);
        ends.into_iter().for_each(|end| g.output(end));
        g
    }

    /// The mean of the last feature map, and the last map of each size.
    fn trunk() -> (Graph, Value, Vec<Value>) {
        let mut g = Graph::new();
        let picture = g.input(3);
        let mut x = layer(&mut g, picture, "MobilenetV2.Conv", spatial(3, 32, 2), true);
        let mut number = 0;
        let mut ends = Vec::new();
        for (channels, blocks, stride) in STAGES {
            for block in 0..blocks {
                let name = match number {
                    0 => "MobilenetV2.expanded_conv".to_owned(),
                    number => format!("MobilenetV2.expanded_conv_{number}"),
                };
                let expansion = if number == 0 { 1 } else { EXPANSION };
                let stride = if block == 0 { stride } else { 1 };
                if stride == 2 && number > 1 {
                    ends.push(x);
                }
                x = bottleneck(&mut g, x, &name, channels, expansion, stride);
                g.name(x, name);
                number += 1;
            }
        }
        ends.push(x);
        let from = g.channels(x);
        x = layer(&mut g, x, "MobilenetV2.Conv_1", Conv::new("", from, LAST, 1), true);
        let mean = g.global_mean(x);
        (g, mean, ends)
    }
}

/// A 3×3 convolution, padded as TensorFlow does for even sides.
fn spatial(from: usize, to: usize, stride: usize) -> Conv {
    let conv = Conv::new("", from, to, 3).stride(stride);
    if stride == 2 { conv.pad([0, 1, 0, 1]) } else { conv }
}

fn layer(g: &mut Graph, x: Value, name: &str, conv: Conv, is_activated: bool) -> Value {
    let (weight, bias) = (format!("{name}.weight"), Some(format!("{name}.bias")));
    let x = g.conv(x, Conv { weight, bias, ..conv });
    if is_activated { g.act(x, Act::Relu6) } else { x }
}

/// Widen, filter each channel by itself, narrow.
fn bottleneck(
    g: &mut Graph,
    x: Value,
    name: &str,
    to: usize,
    expansion: usize,
    stride: usize,
) -> Value {
    let from = g.channels(x);
    let wide = from * expansion;
    let mut inner = x;
    if expansion > 1 {
        inner = layer(g, inner, &format!("{name}.expand"), Conv::new("", from, wide, 1), true);
    }
    let depthwise = spatial(wide, wide, stride).depthwise();
    inner = layer(g, inner, &format!("{name}.depthwise"), depthwise, true);
    inner = layer(g, inner, &format!("{name}.project"), Conv::new("", wide, to, 1), false);
    if stride == 1 && from == to { g.add(inner, x) } else { inner }
}

/// A transfer network whose later norms take factors and offsets from the style vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleTransformer {
    /// Numbers of a style vector.
    pub numbers: usize,
    /// Channels after each contracting layer.
    pub contract: [usize; 3],
    /// Residual blocks.
    pub blocks: usize,
    /// Channels after the first two expanding layers.
    pub expand: [usize; 2],
}

impl StyleTransformer {
    /// RGB in `0..=1`, `[3, h, w]` with sides that are multiples of 4, and a style vector
    /// `[numbers]`, to the restyled picture.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let style = g.input(self.numbers);
        let Self { contract, blocks, expand, .. } = *self;
        Transfer { contract, blocks, expand }.build(&mut g, picture, &mut |g, x, place, conv| {
            let name = match place {
                Place::Contract(number) => format!("transformer.contract.conv{}", number + 1),
                Place::Residual(block, number) => {
                    format!("transformer.residual.residual{}.conv{}", block + 1, number + 1)
                }
                Place::Expand(number) => format!("transformer.expand.conv{}.conv", number + 1),
            };
            let channels = conv.channels_out;
            let x = layer(g, x, &name, conv, false);
            if matches!(place, Place::Contract(_)) {
                return x;
            }
            let [scale, shift] = ["gamma", "beta"].map(|leaf| {
                let own = format!("style_params.{name}.StyleNorm.{leaf}");
                g.conv(style, Conv::new(&own, self.numbers, channels, 1))
            });
            g.instance_norm_by(x, scale, shift, EPS)
        });
        g
    }
}
