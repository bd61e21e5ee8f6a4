//! DeepLabv3+ (Chen et al. 2018), over MobileNetV2 or ResNet, as VainF's DeepLabV3Plus-Pytorch
//! names it: a decoder joins the pyramid's features with finer ones of the backbone's beginning.
//!
//! Two output strides have the same tensors. This is 16, with which the paper's networks and the
//! published files of that code were trained.

use super::backbone::Resnet;
use super::deeplab::{EPS, layer, pyramid};
use super::graph::{Act, Conv, Edge, Graph, Grid, Value};

/// How far the kernels of the pyramid are spread.
const RATES: [usize; 3] = [6, 12, 18];

/// What makes features of a picture, coarse and fine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlusBackbone {
    Mobile(MobileV2),
    Resnet(Resnet),
}

/// Atrous spatial pyramid pooling and a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeepLabPlus {
    pub backbone: PlusBackbone,
    /// Channels of the pyramid and the decoder.
    pub features: usize,
    /// Channels that are left of the fine features.
    pub fine: usize,
    pub classes: usize,
}

impl DeepLabPlus {
    /// RGB less ImageNet's mean over its deviation, `[3, h, w]`, to logits of the classes,
    /// `[classes, h, w]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let input = g.input(3);
        let [fine, coarse] = match &self.backbone {
            PlusBackbone::Mobile(mobile) => mobile.add(&mut g, input),
            PlusBackbone::Resnet(resnet) => {
                let [fine, _, _, coarse] = resnet.add(&mut g, input, [false, false, true]);
                [fine, coarse]
            }
        };
        let names = ["classifier.project.0", "classifier.project.1"];
        let fine = layer(&mut g, fine, names, self.fine, 1, 1);
        g.name(fine, "classifier.project");
        let coarse = pyramid(&mut g, coarse, "classifier.aspp", self.features, RATES);
        g.name(coarse, "classifier.aspp");
        let coarse = g.bilinear_like(coarse, fine, Grid::HalfPixel);
        let both = g.concat(&[fine, coarse]);
        let names = ["classifier.classifier.0", "classifier.classifier.1"];
        let x = layer(&mut g, both, names, self.features, 3, 1);
        let last = Conv::new("classifier.classifier.3", self.features, self.classes, 1);
        let x = g.conv(x, last);
        g.name(x, "classifier");
        let x = g.bilinear_like(x, input, Grid::HalfPixel);
        g.name(x, "output");
        g.output(x);
        g
    }
}

/// MobileNetV2 (Sandler et al. 2018) without its last layer, of any width, whose last stages are
/// dilated. As that code has it, a block pads before it expands, and the first layer not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MobileV2 {
    /// Channels of the first layer.
    pub first: usize,
    /// Channels in the middle and at the end of each block of [`MobileV2::BLOCKS`].
    pub blocks: Vec<[usize; 2]>,
}

impl MobileV2 {
    /// Stride and dilation of each block.
    pub const BLOCKS: [[usize; 2]; 17] = [
        [1, 1],
        [2, 1],
        [1, 1],
        [2, 1],
        [1, 1],
        [1, 1],
        [2, 1],
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 2],
        [1, 2],
        [1, 2],
    ];
    /// Layers, the first included, before the fine features are taken.
    const FINE: usize = 4;

    /// The name of a layer by its number, the first one's is 0.
    pub fn layer_name(number: usize) -> String {
        let part = if number < Self::FINE { "low" } else { "high" };
        format!("backbone.{part}_level_features.{number}")
    }

    /// Fine and coarse features.
    fn add(&self, g: &mut Graph, input: Value) -> [Value; 2] {
        let name = Self::layer_name(0);
        let first = Conv::new(&format!("{name}.0"), 3, self.first, 3).stride(2).pad([0; 4]);
        let mut x = norm_act(g, input, first, &format!("{name}.1"), true);
        let mut fine = x;
        for (number, (&channels, fixed)) in (1..).zip(self.blocks.iter().zip(Self::BLOCKS)) {
            let name = Self::layer_name(number);
            x = block(g, x, &format!("{name}.conv"), channels, fixed);
            g.name(x, name);
            if number + 1 == Self::FINE {
                fine = x;
            }
        }
        [fine, x]
    }
}

fn block(
    g: &mut Graph,
    input: Value,
    name: &str,
    [middle, to]: [usize; 2],
    [stride, dilation]: [usize; 2],
) -> Value {
    let from = g.channels(input);
    let mut x = g.pad(input, [dilation; 4], Edge::Zero);
    let mut number = 0;
    if middle != from {
        let conv = Conv::new(&format!("{name}.0.0"), from, middle, 1);
        x = norm_act(g, x, conv, &format!("{name}.0.1"), true);
        number = 1;
    }
    let conv = Conv::new(&format!("{name}.{number}.0"), middle, middle, 3).depthwise();
    let conv = conv.dilation(dilation).stride(stride).pad([0; 4]);
    x = norm_act(g, x, conv, &format!("{name}.{number}.1"), true);
    let conv = Conv::new(&format!("{name}.{}", number + 1), middle, to, 1);
    x = norm_act(g, x, conv, &format!("{name}.{}", number + 2), false);
    if stride == 1 && from == to { g.add(x, input) } else { x }
}

/// A convolution without bias, norm and, where it `acts`, an activation.
fn norm_act(g: &mut Graph, x: Value, conv: Conv, norm: &str, acts: bool) -> Value {
    let x = g.conv(x, conv.no_bias());
    let x = g.batch_norm(x, norm, EPS);
    if acts { g.act(x, Act::Relu6) } else { x }
}
