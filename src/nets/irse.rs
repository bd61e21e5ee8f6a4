//! IR-SE: the residual network of ArcFace (Deng et al., "ArcFace: Additive Angular Margin Loss for
//! Deep Face Recognition", 2019) with squeeze-and-excitation (Hu et al. 2018), and the encoders
//! into StyleGAN2's W+ that are built on it: pSp's `GradualStyleEncoder` (Richardson et al.,
//! "Encoding in Style", 2021) and e4e's `Encoder4Editing` (Tov et al., "Designing an Encoder for
//! StyleGAN Image Manipulation", 2021).

use super::graph::{Act, Conv, Graph, Grid, Value};

/// Of batch norm.
const EPS: f32 = 1e-5;
/// Channels of a unit for each that its factors are squeezed to.
const SQUEEZE: usize = 16;
/// Slope of the leaky ReLU in the encoders' heads.
const SLOPE: f32 = 0.01;

/// Units of one width; the first halves the sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IrStage {
    /// Channels, a multiple of 16.
    pub width: usize,
    pub units: usize,
}

/// The trunk: a convolution and stages of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IrTrunk {
    /// Channels of the convolution.
    pub first: usize,
    pub stages: Vec<IrStage>,
}

impl IrTrunk {
    /// RGB in `-1..=1` to what each stage makes of it; names begin with `root`.
    fn add(&self, g: &mut Graph, picture: Value, root: &str) -> Vec<Value> {
        let first = Conv::new(&format!("{root}input_layer.0"), 3, self.first, 3).no_bias();
        let x = g.conv(picture, first);
        let x = g.batch_norm(x, &format!("{root}input_layer.1"), EPS);
        let mut x = g.prelu(x, &format!("{root}input_layer.2"));
        g.name(x, format!("{root}input_layer"));
        let mut at = 0;
        let mut ends = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            for unit in 0..stage.units {
                x = add_unit(g, x, &format!("{root}body.{at}"), stage.width, unit == 0);
                at += 1;
            }
            ends.push(x);
        }
        ends
    }
}

/// A unit: two convolutions whose channels are weighed, and a way around them.
fn add_unit(g: &mut Graph, x: Value, name: &str, to: usize, halves: bool) -> Value {
    let (from, stride) = (g.channels(x), if halves { 2 } else { 1 });
    let around = if from == to {
        // Every second pixel.
        if halves { g.max_pool(x, 1, 2, [0; 4]) } else { x }
    } else {
        let skip = Conv::new(&format!("{name}.shortcut_layer.0"), from, to, 1).no_bias();
        let skip = g.conv(x, skip.stride(stride));
        g.batch_norm(skip, &format!("{name}.shortcut_layer.1"), EPS)
    };
    let layer = |index: usize| format!("{name}.res_layer.{index}");
    let x = g.batch_norm(x, &layer(0), EPS);
    let x = g.conv(x, Conv::new(&layer(1), from, to, 3).no_bias());
    let x = g.prelu(x, &layer(2));
    let x = g.conv(x, Conv::new(&layer(3), to, to, 3).no_bias().stride(stride));
    let x = g.batch_norm(x, &layer(4), EPS);
    let factors = g.global_mean(x);
    let squeezed = to / SQUEEZE;
    let fc1 = Conv::new(&format!("{}.fc1", layer(5)), to, squeezed, 1).no_bias();
    let factors = g.conv(factors, fc1);
    let factors = g.relu(factors);
    let fc2 = Conv::new(&format!("{}.fc2", layer(5)), squeezed, to, 1).no_bias();
    let factors = g.conv(factors, fc2);
    let factors = g.act(factors, Act::Sigmoid);
    let x = g.mul(x, factors);
    let x = g.add(x, around);
    g.name(x, name)
}

/// A descriptor of faces, `model_ir_se50.pth` of the encoders' authors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IrSe {
    pub trunk: IrTrunk,
    /// Side of the picture in pixels, a multiple of two for each stage.
    pub side: usize,
    /// Numbers of the descriptor.
    pub size: usize,
}

impl IrSe {
    /// Side of the last stage.
    const fn last_side(&self) -> usize {
        self.side >> self.trunk.stages.len()
    }

    /// A face, RGB in `-1..=1`, `[3, side, side]`, to its descriptor, of any length.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let x = self.trunk.add(&mut g, picture, "");
        let x = x.last().copied().unwrap_or(picture);
        let x = g.batch_norm(x, "output_layer.0", EPS);
        // Channel by channel, row by row: a picture as a vector.
        let x = g.pixel_unshuffle(x, self.last_side());
        let from = g.channels(x);
        let x = g.conv(x, Conv::linear("output_layer.3", from, self.size));
        let x = g.batch_norm(x, "output_layer.4", EPS);
        g.name(x, "output");
        g.output(x);
        g
    }
}

/// A mean code that an encoder's file brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    None,
    /// One row for all.
    Row,
    Rows,
}

/// An encoder of faces into W+ with a head for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradualStyleEncoder {
    pub trunk: IrTrunk,
    /// Rows of the code: 18 for 1024 pixels.
    pub rows: usize,
    /// Side of the picture in pixels.
    pub side: usize,
    pub average: Average,
}

impl GradualStyleEncoder {
    /// The first rows that read the middle and the fine features.
    pub const MIDDLE: usize = 3;
    pub const FINE: usize = 7;

    /// Numbers of a row.
    pub fn dim(&self) -> usize {
        self.trunk.stages.last().map_or(0, |stage| stage.width)
    }

    /// Halvings that a row's head makes of its features' side.
    pub fn halvings(&self, row: usize) -> usize {
        let finer = usize::from(row >= Self::MIDDLE) + usize::from(row >= Self::FINE);
        ((self.side >> self.trunk.stages.len()) << finer).ilog2() as usize
    }

    /// A face, RGB in `-1..=1`, `[3, side, side]`, to its code `[rows · dim]` as pSp reads it, and
    /// as e4e does: then the first row is one of all, and the others tell how they differ. No
    /// tensor shows which of the two a file was trained as.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let ends = self.trunk.add(&mut g, picture, "encoder.");
        let [.., fine, middle, coarse] = ends[..] else { return g };
        let middle = self.merged(&mut g, coarse, middle, "encoder.latlayer1");
        let fine = self.merged(&mut g, middle, fine, "encoder.latlayer2");
        let heads: Vec<Value> = (0..self.rows)
            .map(|row| {
                let level = usize::from(row >= Self::MIDDLE) + usize::from(row >= Self::FINE);
                self.head(&mut g, [coarse, middle, fine][level], row)
            })
            .collect();
        let Some(&first) = heads.first() else { return g };
        let other = |g: &mut Graph, row: usize| {
            if row == 0 { first } else { g.add(first, heads[row]) }
        };
        let edited: Vec<Value> = (0..self.rows).map(|row| other(&mut g, row)).collect();
        let average = match self.average {
            Average::None => None,
            Average::Row => {
                let row = g.param("latent_avg", &[self.dim()]);
                Some(g.concat(&vec![row; self.rows]))
            }
            Average::Rows => {
                // Of one pixel a number, whatever its axes.
                let shape = [self.rows, self.dim(), 1, 1];
                Some(g.param("latent_avg", &shape))
            }
        };
        for (rows, name) in [(heads, "output"), (edited, "output1")] {
            let code = g.concat(&rows);
            let code = average.map_or(code, |average| g.add(code, average));
            g.name(code, name);
            g.output(code);
        }
        g
    }

    /// Coarse features enlarged, plus finer ones.
    fn merged(&self, g: &mut Graph, coarse: Value, fine: Value, name: &str) -> Value {
        let (from, to) = (g.channels(fine), self.dim());
        let lateral = g.conv(fine, Conv::new(name, from, to, 1));
        let large = g.bilinear_like(coarse, fine, Grid::Corners);
        g.add(large, lateral)
    }

    /// A row of the code.
    fn head(&self, g: &mut Graph, features: Value, row: usize) -> Value {
        let (name, dim) = (format!("encoder.styles.{row}"), self.dim());
        let mut x = features;
        for layer in 0..self.halvings(row) {
            let conv = Conv::new(&format!("{name}.convs.{}", 2 * layer), dim, dim, 3).stride(2);
            x = g.conv(x, conv);
            x = g.act(x, Act::Leaky(SLOPE));
        }
        // Stored as it learnt, larger by the root of its inputs.
        x = g.scale(x, 1.0 / (dim as f32).sqrt(), 0.0);
        x = g.conv(x, Conv::linear(&format!("{name}.linear"), dim, dim));
        g.name(x, name)
    }
}
