//! Inception-v3 (Szegedy et al. 2016), whose features and classes metrics of generators compare:
//! torchvision's network and the one of 2015 on which FID is defined, in pytorch-fid's naming.

use super::graph::{Conv, Edge, Graph, Grid, Op, Target, Value};

/// Side at which the network sees a picture.
const SIDE: usize = 299;
/// Of the batch norms.
const EPS: f32 = 1e-3;

/// Whose network it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InceptionVariant {
    /// Means beside a convolution count the zeros outside.
    Torchvision,
    /// TensorFlow's network of 2015: they do not, and the last block takes the largest number
    /// instead of the mean.
    Fid,
}

/// Features and classes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inception {
    /// Channels that stand for 16 of the published network, which has multiples of 16 everywhere.
    pub sixteen: usize,
    pub classes: usize,
}

impl Inception {
    /// Classes of the network of 2015; the last eight are no classes of ImageNet.
    pub const FID_CLASSES: usize = 1008;

    /// Numbers of the features: 2048 in the published network.
    pub const fn features(&self) -> usize {
        128 * self.sixteen
    }

    pub const fn variant(&self) -> InceptionVariant {
        if self.classes == Self::FID_CLASSES {
            InceptionVariant::Fid
        } else {
            InceptionVariant::Torchvision
        }
    }

    /// RGB in `-1..=1`, `[3, h, w]` of any size, which is resampled here as pytorch-fid does
    /// (bilinear, pixels as areas, nothing smoothed before), to the features `[features, 1, 1]`
    /// after the last mean, and one logit a class without its bias, as Salimans et al. (2016)
    /// take it.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let target = Target::Fixed(SIDE, SIDE);
        let x = g.unary(picture, Op::Bilinear { target, grid: Grid::HalfPixel });
        let mut b = Builder { g, sixteen: self.sixteen, variant: self.variant() };
        let x = b.basic(x, "Conv2d_1a_3x3", 2, [3, 3], 2, [0, 0]);
        let x = b.basic(x, "Conv2d_2a_3x3", 2, [3, 3], 1, [0, 0]);
        let x = b.basic(x, "Conv2d_2b_3x3", 4, [3, 3], 1, [1, 1]);
        let x = b.g.max_pool(x, 3, 2, [0; 4]);
        let x = b.basic(x, "Conv2d_3b_1x1", 5, [1, 1], 1, [0, 0]);
        let x = b.basic(x, "Conv2d_4a_3x3", 12, [3, 3], 1, [0, 0]);
        let mut x = b.g.max_pool(x, 3, 2, [0; 4]);
        for (name, pooled) in [("Mixed_5b", 2), ("Mixed_5c", 4), ("Mixed_5d", 4)] {
            x = b.fine(x, name, pooled);
        }
        x = b.halved_to_middle(x, "Mixed_6a");
        for (name, inner) in [("Mixed_6b", 8), ("Mixed_6c", 10), ("Mixed_6d", 10), ("Mixed_6e", 12)]
        {
            x = b.middle(x, name, inner);
        }
        x = b.halved_to_coarse(x, "Mixed_7a");
        x = b.coarse(x, "Mixed_7b", false);
        x = b.coarse(x, "Mixed_7c", self.variant() == InceptionVariant::Fid);
        let mut g = b.g;
        let features = g.global_mean(x);
        g.name(features, "output");
        g.output(features);
        let head = Conv::linear("fc", self.features(), self.classes).no_bias();
        let logits = g.conv(features, head);
        g.name(logits, "output1");
        g.output(logits);
        g
    }
}

struct Builder {
    g: Graph,
    sixteen: usize,
    variant: InceptionVariant,
}

impl Builder {
    /// A convolution to `sixteens` times 16 channels, its norm and ReLU; kernel and padding are
    /// height and width.
    fn basic(
        &mut self,
        x: Value,
        name: &str,
        sixteens: usize,
        kernel: [usize; 2],
        stride: usize,
        [down, along]: [usize; 2],
    ) -> Value {
        let (from, to) = (self.g.channels(x), sixteens * self.sixteen);
        let conv = Conv::new(&format!("{name}.conv"), from, to, 1).no_bias().stride(stride);
        let conv = Conv { kernel, ..conv.pad([down, down, along, along]) };
        let x = self.g.conv(x, conv);
        let x = self.g.batch_norm(x, &format!("{name}.bn"), EPS);
        let x = self.g.relu(x);
        self.g.name(x, name)
    }

    /// Several one after the other: last part of the name, sixteens, kernel, padding.
    fn row(&mut self, mut x: Value, block: &str, layers: &[Layer]) -> Value {
        for &(name, sixteens, kernel) in layers {
            let pad = kernel.map(|side| side / 2);
            x = self.basic(x, &format!("{block}.{name}"), sixteens, kernel, 1, pad);
        }
        x
    }

    /// The mean of 3×3 pixels around each, then a convolution.
    fn pooled(&mut self, x: Value, block: &str, sixteens: usize) -> Value {
        let x = match self.variant {
            InceptionVariant::Fid => self.g.avg_pool(x, 3, 1, [1; 4]),
            InceptionVariant::Torchvision => {
                let x = self.g.pad(x, [1; 4], Edge::Zero);
                self.g.avg_pool(x, 3, 1, [0; 4])
            }
        };
        self.row(x, block, &[("branch_pool", sixteens, [1, 1])])
    }

    fn joined(&mut self, branches: &[Value], name: &str) -> Value {
        let x = self.g.concat(branches);
        self.g.name(x, name)
    }

    /// 35×35 pixels.
    fn fine(&mut self, x: Value, name: &str, pooled: usize) -> Value {
        let double = [
            ("branch3x3dbl_1", 4, [1, 1]),
            ("branch3x3dbl_2", 6, [3, 3]),
            ("branch3x3dbl_3", 6, [3, 3]),
        ];
        let branches = [
            self.row(x, name, &[("branch1x1", 4, [1, 1])]),
            self.row(x, name, &[("branch5x5_1", 3, [1, 1]), ("branch5x5_2", 4, [5, 5])]),
            self.row(x, name, &double),
            self.pooled(x, name, pooled),
        ];
        self.joined(&branches, name)
    }

    /// From 35×35 to 17×17.
    fn halved_to_middle(&mut self, x: Value, name: &str) -> Value {
        let inner =
            self.row(x, name, &[("branch3x3dbl_1", 4, [1, 1]), ("branch3x3dbl_2", 6, [3, 3])]);
        let branches = [
            self.basic(x, &format!("{name}.branch3x3"), 24, [3, 3], 2, [0, 0]),
            self.basic(inner, &format!("{name}.branch3x3dbl_3"), 6, [3, 3], 2, [0, 0]),
            self.g.max_pool(x, 3, 2, [0; 4]),
        ];
        self.joined(&branches, name)
    }

    /// 17×17 pixels.
    fn middle(&mut self, x: Value, name: &str, inner: usize) -> Value {
        let single = [
            ("branch7x7_1", inner, [1, 1]),
            ("branch7x7_2", inner, [1, 7]),
            ("branch7x7_3", 12, [7, 1]),
        ];
        let double = [
            ("branch7x7dbl_1", inner, [1, 1]),
            ("branch7x7dbl_2", inner, [7, 1]),
            ("branch7x7dbl_3", inner, [1, 7]),
            ("branch7x7dbl_4", inner, [7, 1]),
            ("branch7x7dbl_5", 12, [1, 7]),
        ];
        let branches = [
            self.row(x, name, &[("branch1x1", 12, [1, 1])]),
            self.row(x, name, &single),
            self.row(x, name, &double),
            self.pooled(x, name, 12),
        ];
        self.joined(&branches, name)
    }

    /// From 17×17 to 8×8.
    fn halved_to_coarse(&mut self, x: Value, name: &str) -> Value {
        let square = self.row(x, name, &[("branch3x3_1", 12, [1, 1])]);
        let cross = [
            ("branch7x7x3_1", 12, [1, 1]),
            ("branch7x7x3_2", 12, [1, 7]),
            ("branch7x7x3_3", 12, [7, 1]),
        ];
        let cross = self.row(x, name, &cross);
        let branches = [
            self.basic(square, &format!("{name}.branch3x3_2"), 20, [3, 3], 2, [0, 0]),
            self.basic(cross, &format!("{name}.branch7x7x3_4"), 12, [3, 3], 2, [0, 0]),
            self.g.max_pool(x, 3, 2, [0; 4]),
        ];
        self.joined(&branches, name)
    }

    /// 8×8 pixels.
    fn coarse(&mut self, x: Value, name: &str, takes_largest: bool) -> Value {
        let single = self.row(x, name, &[("branch3x3_1", 24, [1, 1])]);
        let double =
            self.row(x, name, &[("branch3x3dbl_1", 28, [1, 1]), ("branch3x3dbl_2", 24, [3, 3])]);
        let last = if takes_largest {
            let x = self.g.max_pool(x, 3, 1, [1; 4]);
            self.row(x, name, &[("branch_pool", 12, [1, 1])])
        } else {
            self.pooled(x, name, 12)
        };
        let branches = [
            self.row(x, name, &[("branch1x1", 20, [1, 1])]),
            self.row(single, name, &[("branch3x3_2a", 24, [1, 3])]),
            self.row(single, name, &[("branch3x3_2b", 24, [3, 1])]),
            self.row(double, name, &[("branch3x3dbl_3a", 24, [1, 3])]),
            self.row(double, name, &[("branch3x3dbl_3b", 24, [3, 1])]),
            last,
        ];
        self.joined(&branches, name)
    }
}

/// Last part of the name, sixteens of channels, kernel.
type Layer = (&'static str, usize, [usize; 2]);
