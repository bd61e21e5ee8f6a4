//! DeepLabv3 (Chen et al. 2017) as torchvision names it, over MobileNetV3-large or ResNet.

use super::backbone::{Mobile, Resnet};
use super::graph::{Conv, Graph, Grid, Value};

/// Of the batch norms outside MobileNet.
pub(super) const EPS: f32 = 1e-5;
/// How far the kernels of the pyramid are spread.
const RATES: [usize; 3] = [12, 24, 36];

/// What makes features of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backbone {
    Mobile(Mobile),
    Resnet(Resnet),
}

/// Atrous spatial pyramid pooling over a backbone whose last stages are dilated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeepLab {
    pub backbone: Backbone,
    /// Channels of the pyramid.
    pub features: usize,
    pub classes: usize,
}

impl DeepLab {
    /// RGB less ImageNet's mean over its deviation, `[3, h, w]`, to logits of the classes,
    /// `[classes, h, w]`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let input = g.input(3);
        let x = match &self.backbone {
            Backbone::Mobile(mobile) => mobile.add(&mut g, input),
            Backbone::Resnet(resnet) => resnet.add(&mut g, input, [false, true, true])[3],
        };
        g.name(x, "backbone");
        let x = pyramid(&mut g, x, "classifier.0", self.features, RATES);
        g.name(x, "classifier.0");
        let x = layer(&mut g, x, ["classifier.1", "classifier.2"], self.features, 3, 1);
        let x = g.conv(x, Conv::new("classifier.4", self.features, self.classes, 1));
        g.name(x, "classifier.4");
        let x = g.bilinear_like(x, input, Grid::HalfPixel);
        g.name(x, "output");
        g.output(x);
        g
    }
}

/// The same features seen at several scales: `channels` at each and in the end, kernels spread by
/// `rates`; names under `root`.
pub(super) fn pyramid(
    g: &mut Graph,
    x: Value,
    root: &str,
    channels: usize,
    rates: [usize; 3],
) -> Value {
    let name = |branch: usize, layer: usize| format!("{root}.convs.{branch}.{layer}");
    let mut branches = vec![layer(g, x, [&name(0, 0), &name(0, 1)], channels, 1, 1)];
    for (branch, rate) in (1..).zip(rates) {
        let names = [&*name(branch, 0), &*name(branch, 1)];
        branches.push(layer(g, x, names, channels, 3, rate));
    }
    let mean = g.global_mean(x);
    let mean = layer(g, mean, [&name(4, 1), &name(4, 2)], channels, 1, 1);
    branches.push(g.spread(mean, x));
    let all = g.concat(&branches);
    let [conv, norm] = [format!("{root}.project.0"), format!("{root}.project.1")];
    layer(g, all, [&conv, &norm], channels, 1, 1)
}

/// A convolution to `channels` without bias, norm and activation.
pub(super) fn layer(
    g: &mut Graph,
    x: Value,
    [conv, norm]: [&str; 2],
    channels: usize,
    side: usize,
    rate: usize,
) -> Value {
    let conv = Conv::new(conv, g.channels(x), channels, side).dilation(rate).no_bias();
    let x = g.conv(x, conv);
    let x = g.batch_norm(x, norm, EPS);
    g.relu(x)
}
