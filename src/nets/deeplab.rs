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
            Backbone::Resnet(resnet) => resnet.add(&mut g, input),
        };
        g.name(x, "backbone");
        let x = self.pyramid(&mut g, x);
        g.name(x, "classifier.0");
        let x = self.layer(&mut g, x, ["classifier.1", "classifier.2"], 3, 1);
        let x = g.conv(x, Conv::new("classifier.4", self.features, self.classes, 1));
        g.name(x, "classifier.4");
        let x = g.bilinear_like(x, input, Grid::HalfPixel);
        g.name(x, "output");
        g.output(x);
        g
    }

    /// The same features seen at several scales.
    fn pyramid(&self, g: &mut Graph, x: Value) -> Value {
        let name = |branch: usize, layer: usize| format!("classifier.0.convs.{branch}.{layer}");
        let mut branches = vec![self.layer(g, x, [&name(0, 0), &name(0, 1)], 1, 1)];
        for (branch, rate) in (1..).zip(RATES) {
            let names = [&*name(branch, 0), &*name(branch, 1)];
            branches.push(self.layer(g, x, names, 3, rate));
        }
        let mean = g.global_mean(x);
        let mean = self.layer(g, mean, [&name(4, 1), &name(4, 2)], 1, 1);
        branches.push(g.spread(mean, x));
        let all = g.concat(&branches);
        self.layer(g, all, ["classifier.0.project.0", "classifier.0.project.1"], 1, 1)
    }

    /// A convolution without bias, norm and activation.
    fn layer(
        &self,
        g: &mut Graph,
        x: Value,
        [conv, norm]: [&str; 2],
        side: usize,
        rate: usize,
    ) -> Value {
        let conv = Conv::new(conv, g.channels(x), self.features, side).dilation(rate).no_bias();
        let x = g.conv(x, conv);
        let x = g.batch_norm(x, norm, EPS);
        g.relu(x)
    }
}
