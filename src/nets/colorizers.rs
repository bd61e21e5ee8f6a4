//! The colourisers of Zhang et al. as in their PyTorch release: "Colorful Image Colorization"
//! (ECCV 2016), which says how likely each of many colours is, and "Real-Time User-Guided Image
//! Colorization with Learned Deep Priors" (SIGGRAPH 2017), here without a user's hints.

use super::graph::{Act, Conv, Graph, Grid, Value};

/// Of batch norm.
const EPS: f32 = 1e-5;
/// A lightness in `0..=100` becomes `-0.5..=0.5`.
const LIGHTNESS: (f32, f32) = (0.01, -0.5);
/// A colour of 1 as a and b.
const CHROMA: f32 = 110.0;

/// A U-Net whose colours are regressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiggraphColorizer {
    /// Channels at whole sides, halves, quarters and eighths.
    pub widths: [usize; 4],
    /// Channels before the colours.
    pub last: usize,
}

/// A network whose colours are the mean of bins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EccvColorizer {
    /// Channels at whole sides, halves, quarters and eighths.
    pub widths: [usize; 4],
    pub bins: usize,
}

impl SiggraphColorizer {
    /// Lightness, `[1, height, width]` in `0..=100`, to a and b of L*a*b*, `[2, height, width]`;
    /// sides are multiples of 8.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let [whole, half, quarter, eighth] = self.widths;
        let lightness = lightness(&mut g);
        // No colour is a hint, and nowhere is one.
        let x = g.pad_channels(lightness, 3);
        let first = Row::new(&[whole; 2]).add(&mut g, x, "model1");
        let x = every_second(&mut g, first);
        let second = Row::new(&[half; 2]).add(&mut g, x, "model2");
        let x = every_second(&mut g, second);
        let third = Row::new(&[quarter; 3]).add(&mut g, x, "model3");
        let x = every_second(&mut g, third);
        let mut x = middle(&mut g, x, eighth);
        for (name, short, skipped, to, inner) in [
            ("model8", "model3short8", third, quarter, 2),
            ("model9", "model2short9", second, half, 1),
        ] {
            let sum = joined(&mut g, x, skipped, name, short, to);
            x = Row { first: 1, ..Row::new(&vec![to; inner]) }.add(&mut g, sum, name);
        }
        let x = joined(&mut g, x, first, "model10", "model1short10", self.last);
        let x = g.conv(x, Conv::new("model10.1", self.last, self.last, 3));
        let x = g.act(x, Act::Leaky(0.2));
        g.name(x, "model10");
        let x = g.conv(x, Conv::new("model_out.0", self.last, 2, 1));
        let x = g.act(x, Act::Tanh);
        finish(&mut g, x);
        g
    }
}

impl EccvColorizer {
    /// As [`SiggraphColorizer::graph`].
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let [whole, half, quarter, eighth] = self.widths;
        let mut x = lightness(&mut g);
        for (name, width, count) in
            [("model1", whole, 2), ("model2", half, 2), ("model3", quarter, 3)]
        {
            x = Row { stride: 2, ..Row::new(&vec![width; count]) }.add(&mut g, x, name);
        }
        x = middle(&mut g, x, eighth);
        let up = Conv::transposed("model8.0", eighth, quarter, 4, 2).pad([1; 4]);
        x = g.conv(x, up);
        x = g.relu(x);
        for index in [2, 4] {
            x = g.conv(x, Conv::new(&format!("model8.{index}"), quarter, quarter, 3));
            x = g.relu(x);
        }
        x = g.conv(x, Conv::new("model8.6", quarter, self.bins, 1));
        g.name(x, "model8");
        x = g.softmax(x);
        x = g.conv(x, Conv::new("model_out", self.bins, 2, 1).no_bias());
        x = g.bilinear(x, 4, Grid::HalfPixel);
        finish(&mut g, x);
        g
    }
}

/// Convolutions of 3×3 with a ReLU after each, then batch norm; numbered as layers are.
struct Row<'a> {
    widths: &'a [usize],
    /// Number of the first convolution.
    first: usize,
    /// Of the last convolution.
    stride: usize,
    dilation: usize,
}

impl<'a> Row<'a> {
    const fn new(widths: &'a [usize]) -> Self {
        Self { widths, first: 0, stride: 1, dilation: 1 }
    }

    fn add(&self, g: &mut Graph, mut x: Value, name: &str) -> Value {
        let number = |index: usize| self.first + 2 * index;
        let last = self.widths.len() - 1;
        for (index, &to) in self.widths.iter().enumerate() {
            let from = g.channels(x);
            let conv = Conv::new(&format!("{name}.{}", number(index)), from, to, 3);
            let stride = if index == last { self.stride } else { 1 };
            x = g.conv(x, conv.dilation(self.dilation).stride(stride));
            x = g.relu(x);
        }
        x = g.batch_norm(x, &format!("{name}.{}", number(last + 1)), EPS);
        g.name(x, name)
    }
}

/// Adds the input, and what networks are given of it.
fn lightness(g: &mut Graph) -> Value {
    let lightness = g.input(1);
    g.scale(lightness, LIGHTNESS.0, LIGHTNESS.1)
}

/// The four rows at eighths.
fn middle(g: &mut Graph, mut x: Value, width: usize) -> Value {
    for (name, dilation) in [("model4", 1), ("model5", 2), ("model6", 2), ("model7", 1)] {
        x = Row { dilation, ..Row::new(&[width; 3]) }.add(g, x, name);
    }
    x
}

fn every_second(g: &mut Graph, x: Value) -> Value {
    g.max_pool(x, 1, 2, [0; 4])
}

/// `x` twice as large, and what was skipped, activated.
fn joined(g: &mut Graph, x: Value, skipped: Value, name: &str, short: &str, to: usize) -> Value {
    let up = Conv::transposed(&format!("{name}up.0"), g.channels(x), to, 4, 2).pad([1; 4]);
    let up = g.conv(x, up);
    let short = Conv::new(&format!("{short}.0"), g.channels(skipped), to, 3);
    let short = g.conv(skipped, short);
    let sum = g.add(up, short);
    g.relu(sum)
}

fn finish(g: &mut Graph, x: Value) {
    let output = g.scale(x, CHROMA, 0.0);
    g.name(output, "output");
    g.output(output);
}
