//! Small classifiers of torchvision whose activations LPIPS compares (Zhang et al. 2018): AlexNet
//! (Krizhevsky 2014) and SqueezeNet 1.1 (Iandola et al. 2016).

use super::graph::{Conv, Graph, Value};

/// The five convolutions of AlexNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlexNet {
    /// Channels after each.
    pub widths: [usize; 5],
}

impl AlexNet {
    /// Place in the row of modules, side of the kernel, stride, padding, and whether a pooling
    /// comes before.
    pub const LAYERS: [(usize, usize, usize, usize, bool); 5] = [
        (0, 11, 4, 2, false),
        (3, 5, 1, 2, true),
        (6, 3, 1, 1, true),
        (8, 3, 1, 1, false),
        (10, 3, 1, 1, false),
    ];

    /// RGB less [`super::VGG_MEAN`] over [`super::VGG_DEVIATION`], `[3, h, w]`, to the five
    /// activations, a result each.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let mut x = g.input(3);
        for (stage, ((place, side, stride, pad, pooled), to)) in
            Self::LAYERS.into_iter().zip(self.widths).enumerate()
        {
            if pooled {
                x = g.max_pool(x, 3, 2, [0; 4]);
            }
            let conv = Conv::new(&format!("features.{place}"), g.channels(x), to, side);
            x = g.conv(x, conv.stride(stride).pad([pad; 4]));
            x = g.relu(x);
            yields(&mut g, x, stage);
        }
        g
    }
}

/// SqueezeNet 1.1 up to its last fire module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqueezeNet {
    /// Channels of the first convolution.
    pub first: usize,
    pub fires: [Fire; 8],
}

/// Channels of a fire module: squeezed, then widened by 1×1 and by 3×3 kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fire {
    pub squeezed: usize,
    pub one: usize,
    pub three: usize,
}

impl SqueezeNet {
    /// Places of the fire modules in the row; those that follow a pooling.
    pub const PLACES: [usize; 8] = [3, 4, 6, 7, 9, 10, 11, 12];
    const POOLED: [usize; 3] = [3, 6, 9];
    /// Last modules of the parts that LPIPS compares, after the first convolution.
    const ENDS: [usize; 6] = [4, 7, 9, 10, 11, 12];

    /// RGB less [`super::VGG_MEAN`] over [`super::VGG_DEVIATION`], `[3, h, w]`, to the seven
    /// activations, a result each.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let first = Conv::new("features.0", 3, self.first, 3).stride(2).pad([0; 4]);
        let mut x = g.conv(picture, first);
        x = g.relu(x);
        yields(&mut g, x, 0);
        let mut stage = 1;
        for (place, fire) in Self::PLACES.into_iter().zip(self.fires) {
            if Self::POOLED.contains(&place) {
                // Windows that reach over the edge count, too ("ceil mode").
                x = g.max_pool(x, 3, 2, [0, 1, 0, 1]);
            }
            x = fire.add(&mut g, x, &format!("features.{place}"));
            if Self::ENDS.contains(&place) {
                yields(&mut g, x, stage);
                stage += 1;
            }
        }
        g
    }
}

impl Fire {
    fn add(self, g: &mut Graph, x: Value, name: &str) -> Value {
        let from = g.channels(x);
        let squeezed = g.conv(x, Conv::new(&format!("{name}.squeeze"), from, self.squeezed, 1));
        let squeezed = g.relu(squeezed);
        let widened = [("expand1x1", self.one, 1), ("expand3x3", self.three, 3)];
        let widened = widened.map(|(leaf, to, side)| {
            let conv = Conv::new(&format!("{name}.{leaf}"), self.squeezed, to, side);
            let wide = g.conv(squeezed, conv);
            g.relu(wide)
        });
        g.concat(&widened)
    }
}

/// Makes the value a result, called as results are.
fn yields(g: &mut Graph, value: Value, stage: usize) {
    let name = if stage == 0 { "output".to_owned() } else { format!("output{stage}") };
    g.name(value, name);
    g.output(value);
}
