//! Networks that make features for others, as torchvision names them.

use super::deeplab::EPS;
use super::graph::{Act, Conv, Graph, Value};

/// MobileNetV3-large (Howard et al. 2019) whose last stage is dilated; any width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mobile {
    /// Channels of the first layer.
    pub first: usize,
    /// Each block of [`Mobile::BLOCKS`].
    pub blocks: Vec<MobileBlock>,
    /// Channels of the last layer.
    pub last: usize,
}

/// Channels of one inverted residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MobileBlock {
    pub expanded: usize,
    /// Of the squeeze; 0 where the block has none.
    pub squeezed: usize,
    pub out: usize,
}

/// What is fixed of a block: side of the kernel, whether the activation is a hard swish, the
/// stride of the original and the dilation that stands for it.
pub type Fixed = (usize, bool, usize, usize);

impl Mobile {
    /// Of MobileNet's batch norms.
    const EPS: f32 = 1e-3;

    /// The blocks of the large network.
    pub const BLOCKS: [Fixed; 15] = [
        (3, false, 1, 1),
        (3, false, 2, 1),
        (3, false, 1, 1),
        (5, false, 2, 1),
        (5, false, 1, 1),
        (5, false, 1, 1),
        (3, true, 2, 1),
        (3, true, 1, 1),
        (3, true, 1, 1),
        (3, true, 1, 1),
        (3, true, 1, 1),
        (3, true, 1, 1),
        (5, true, 2, 2),
        (5, true, 1, 2),
        (5, true, 1, 2),
    ];

    pub(super) fn add(&self, g: &mut Graph, input: Value) -> Value {
        let first = Conv::new("backbone.0.0", 3, self.first, 3).stride(2);
        let mut x = norm_act(g, input, first, "backbone.0.1", Some(Act::HardSwish));
        for (index, (block, fixed)) in self.blocks.iter().zip(Self::BLOCKS).enumerate() {
            let name = format!("backbone.{}", index + 1);
            x = block.add(g, x, &format!("{name}.block"), fixed);
            g.name(x, name);
        }
        let name = format!("backbone.{}", self.blocks.len() + 1);
        let last = Conv::new(&format!("{name}.0"), g.channels(x), self.last, 1);
        norm_act(g, x, last, &format!("{name}.1"), Some(Act::HardSwish))
    }
}

impl MobileBlock {
    fn add(
        self,
        g: &mut Graph,
        input: Value,
        name: &str,
        (side, swish, stride, dilation): Fixed,
    ) -> Value {
        let act = if swish { Act::HardSwish } else { Act::Relu };
        let (from, expanded) = (g.channels(input), self.expanded);
        let mut layers = (0..).map(|layer| format!("{name}.{layer}"));
        let mut next = || layers.next().unwrap_or_default();
        let mut x = input;
        // A block that does not expand has no layer for it.
        if expanded != from {
            let name = next();
            let conv = Conv::new(&format!("{name}.0"), from, expanded, 1);
            x = norm_act(g, x, conv, &format!("{name}.1"), Some(act));
        }
        let layer = next();
        let conv = Conv::new(&format!("{layer}.0"), expanded, expanded, side).depthwise();
        let conv = if dilation > 1 { conv.dilation(dilation) } else { conv.stride(stride) };
        x = norm_act(g, x, conv, &format!("{layer}.1"), Some(act));
        if self.squeezed > 0 {
            let name = next();
            let mut weight = g.global_mean(x);
            weight = g.conv(weight, Conv::new(&format!("{name}.fc1"), expanded, self.squeezed, 1));
            weight = g.relu(weight);
            weight = g.conv(weight, Conv::new(&format!("{name}.fc2"), self.squeezed, expanded, 1));
            weight = g.act(weight, Act::HardSigmoid);
            x = g.mul(x, weight);
        }
        let layer = next();
        let conv = Conv::new(&format!("{layer}.0"), expanded, self.out, 1);
        x = norm_act(g, x, conv, &format!("{layer}.1"), None);
        if stride == 1 && from == self.out { g.add(x, input) } else { x }
    }
}

/// A convolution without bias, MobileNet's norm and an activation.
fn norm_act(g: &mut Graph, x: Value, conv: Conv, norm: &str, act: Option<Act>) -> Value {
    let x = g.conv(x, conv.no_bias());
    let x = g.batch_norm(x, norm, Mobile::EPS);
    match act {
        Some(act) => g.act(x, act),
        None => x,
    }
}

/// ResNet with bottlenecks (He et al. 2016) whose last stages are dilated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resnet {
    /// Channels of the first layer.
    pub first: usize,
    /// Narrow channels of the first stage; each further stage doubles them.
    pub width: usize,
    /// Blocks in each stage.
    pub blocks: [usize; 4],
}

impl Resnet {
    /// Wide channels over narrow ones.
    const EXPANSION: usize = 4;

    /// What the four stages make; `dilated` says of the last three whether a dilation stands for
    /// the stride.
    pub(super) fn add(&self, g: &mut Graph, input: Value, dilated: [bool; 3]) -> [Value; 4] {
        let first = Conv::new("backbone.conv1", 3, self.first, 7).stride(2);
        let mut x = g.conv(input, first.no_bias());
        x = g.batch_norm(x, "backbone.bn1", EPS);
        x = g.relu(x);
        x = g.max_pool(x, 3, 2, [1; 4]);
        let (mut dilation, mut stage) = (1, 0);
        self.blocks.map(|blocks| {
            let before = dilation;
            let is_dilated = stage > 0 && dilated[stage - 1];
            let stride = if stage == 0 || is_dilated { 1 } else { 2 };
            if is_dilated {
                dilation *= 2;
            }
            for block in 0..blocks {
                let name = format!("backbone.layer{}.{block}", stage + 1);
                let (stride, dilation) = if block == 0 { (stride, before) } else { (1, dilation) };
                x = bottleneck(g, x, &name, self.width << stage, stride, dilation);
            }
            stage += 1;
            g.name(x, format!("backbone.layer{stage}"))
        })
    }
}

fn bottleneck(
    g: &mut Graph,
    input: Value,
    name: &str,
    width: usize,
    stride: usize,
    dilation: usize,
) -> Value {
    let (from, to) = (g.channels(input), width * Resnet::EXPANSION);
    let layers = [
        Conv::new(&format!("{name}.conv1"), from, width, 1),
        Conv::new(&format!("{name}.conv2"), width, width, 3).dilation(dilation).stride(stride),
        Conv::new(&format!("{name}.conv3"), width, to, 1),
    ];
    let mut x = input;
    for (index, conv) in layers.into_iter().enumerate() {
        x = g.conv(x, conv.no_bias());
        x = g.batch_norm(x, &format!("{name}.bn{}", index + 1), EPS);
        if index < 2 {
            x = g.relu(x);
        }
    }
    // The first block of a stage changes the channels, and only that one.
    let own = if from != to || stride != 1 {
        let conv = Conv::new(&format!("{name}.downsample.0"), from, to, 1).stride(stride);
        let own = g.conv(input, conv.no_bias());
        g.batch_norm(own, &format!("{name}.downsample.1"), EPS)
    } else {
        input
    };
    let sum = g.add(x, own);
    g.relu(sum)
}
