//! The generator of BigGAN-deep (Brock et al., "Large Scale GAN Training for High Fidelity Natural
//! Image Synthesis", 2019), named as in pytorch-pretrained-biggan.
//!
//! A row of W is what conditions one block: a latent, the embedding of a class, and the truncation,
//! which chooses the statistics of the norms. Weights are those that spectral norm has divided.

use super::blueprint::{Blueprint, LatentSpace, Style};
use super::graph::{Act, Conv, Graph, Layout, Value};

/// Of every norm.
const EPS: f32 = 1e-4;
/// Side of the first picture.
const FIRST: usize = 4;
/// Beyond this latents are drawn again.
const LIMIT: f64 = 2.0;

/// Four convolutions beside a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigGanBlock {
    pub doubles: bool,
    /// Channels that come in.
    pub from: usize,
    /// Channels that go out: as many, or half.
    pub to: usize,
}

/// A fully connected layer to 4×4 pixels, residual blocks with conditional norms, one attention
/// between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigGanDeep {
    /// Numbers in a latent.
    pub z_dim: usize,
    /// Numbers that stand for a class.
    pub class_dim: usize,
    pub classes: usize,
    pub blocks: Vec<BigGanBlock>,
    /// Number of the block before which attention stands.
    pub attention: Option<usize>,
    /// Truncations from 0 to 1 for which there are statistics.
    pub statistics: usize,
}

/// What conditions a block.
#[derive(Clone, Copy)]
struct Condition {
    /// Latent and class.
    numbers: Value,
    truncation: Value,
}

impl BigGanDeep {
    /// Numbers in a row of W without the truncation.
    const fn condition(&self) -> usize {
        self.z_dim + self.class_dim
    }

    /// One row for the first layer and one for each block.
    fn rows(&self) -> usize {
        self.blocks.len() + 1
    }

    /// Side of what each block makes.
    fn sides(&self) -> Vec<usize> {
        let doubled = |side: &mut usize, block: &BigGanBlock| {
            *side <<= usize::from(block.doubles);
            Some(*side)
        };
        self.blocks.iter().scan(FIRST, doubled).collect()
    }

    /// Side of the picture.
    pub fn side(&self) -> usize {
        self.sides().last().copied().unwrap_or(FIRST)
    }

    /// The name of block `block` of the list that also holds the attention.
    fn block_name(&self, block: usize) -> String {
        let is_later = self.attention.is_some_and(|before| before <= block);
        format!("generator.layers.{}", block + usize::from(is_later))
    }

    /// The whole network at truncation 1: a latent `[z_dim, 1, 1]`, normal and within -2 to 2, and
    /// a class as one-hot `[classes, 1, 1]` to a picture `[3, side, side]` in `-1..=1`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let row = self.map(&mut g);
        self.draw(&mut g, &vec![row; self.rows()]);
        g
    }

    /// The same in parts.
    pub fn blueprint(&self) -> Blueprint {
        let mut mapping = Graph::new();
        let row = self.map(&mut mapping);
        mapping.output(row);
        let w_dim = self.condition() + 1;
        let mut synthesis = Graph::new();
        let rows: Vec<Value> = (0..self.rows()).map(|_| synthesis.input(w_dim)).collect();
        let features = self.draw(&mut synthesis, &rows);
        let style = |row: usize, layer: String, channels: usize| Style {
            row,
            weight: format!("{layer}.weight"),
            layout: Layout::OutIn,
            channels,
        };
        let first = self.blocks.first().map_or(0, |block| block.from) * FIRST * FIRST;
        let mut styles = vec![style(0, "generator.gen_z".into(), first)];
        for (at, block) in self.blocks.iter().enumerate() {
            for (norm, channels) in block.norms().into_iter().enumerate() {
                let name = format!("{}.bn_{norm}", self.block_name(at));
                styles.push(style(at + 1, format!("{name}.scale"), channels));
                styles.push(style(at + 1, format!("{name}.offset"), channels));
            }
        }
        Blueprint {
            space: LatentSpace {
                z_dim: self.z_dim,
                w_dim,
                has_w: true,
                classes: self.classes,
                row_sides: std::iter::once(FIRST).chain(self.sides()).collect(),
                side: self.side(),
                limit: Some(LIMIT),
                class_part: self.z_dim..self.condition(),
                truncation: Some(self.condition()),
                ..LatentSpace::default()
            },
            mapping: Some(mapping),
            synthesis,
            features,
            mean: None,
            noise: Vec::new(),
            styles,
        }
    }

    /// Adds the inputs and the row of W: latent, class and truncation 1.
    fn map(&self, g: &mut Graph) -> Value {
        let z = g.input(self.z_dim);
        let class = g.input(self.classes);
        let embed = Conv::linear("embeddings", self.classes, self.class_dim).no_bias();
        let embedded = g.conv(class, embed);
        let any = g.slice(z, 0, 1);
        let full = g.scale(any, 0.0, 1.0);
        g.concat(&[z, embedded, full])
    }

    /// Adds the picture that the rows stand for, and makes it the output; the features after each
    /// block.
    fn draw(&self, g: &mut Graph, rows: &[Value]) -> Vec<Value> {
        let conditions: Vec<Condition> = rows.iter().map(|row| self.split(g, *row)).collect();
        let channels = self.blocks.first().map_or(0, |block| block.from);
        let spread = channels * FIRST * FIRST;
        let linear = Conv::linear("generator.gen_z", self.condition(), spread);
        let x = g.conv(conditions[0].numbers, linear);
        g.name(x, "gen_z");
        let mut x = g.depth_to_space(x, FIRST);
        let mut features = Vec::with_capacity(self.blocks.len());
        for (at, block) in self.blocks.iter().enumerate() {
            if self.attention == Some(at) {
                x = attention(g, x, &format!("generator.layers.{at}"));
            }
            x = self.block(g, *block, x, conditions[at + 1], &self.block_name(at));
            features.push(x);
        }
        let channels = g.channels(x);
        let scale = g.param("generator.bn.weight", &[channels]);
        let shift = g.param("generator.bn.bias", &[channels]);
        let truncation = conditions[self.blocks.len()].truncation;
        let norm = ("generator.bn", self.statistics);
        x = g.truncated_norm([x, truncation, scale, shift], norm, EPS);
        x = g.relu(x);
        // The published network makes as many channels as come in and drops all but three.
        x = g.conv(x, Conv::new("generator.conv_to_rgb", channels, channels, 3));
        x = g.slice(x, 0, 3);
        x = g.act(x, Act::Tanh);
        g.name(x, "output");
        g.output(x);
        features
    }

    fn split(&self, g: &mut Graph, row: Value) -> Condition {
        Condition {
            numbers: g.slice(row, 0, self.condition()),
            truncation: g.slice(row, self.condition(), 1),
        }
    }

    fn block(
        &self,
        g: &mut Graph,
        block: BigGanBlock,
        input: Value,
        condition: Condition,
        name: &str,
    ) -> Value {
        let BigGanBlock { doubles, from, to } = block;
        let [_, middle, ..] = block.norms();
        // Before the convolutions, so that these can do the norms along with their sums.
        let vectors: Vec<[Value; 2]> = (0..4)
            .map(|at| {
                let mut vector = |leaf: &str| {
                    let layer = format!("{name}.bn_{at}.{leaf}");
                    let linear = Conv::linear(&layer, self.condition(), block.norms()[at]);
                    g.conv(condition.numbers, linear.no_bias())
                };
                let (scale, shift) = (vector("scale"), vector("offset"));
                [g.scale(scale, 1.0, 1.0), shift]
            })
            .collect();
        let norm = |g: &mut Graph, x: Value, at: usize| {
            let [scale, shift] = vectors[at];
            let norm = format!("{name}.bn_{at}");
            let inputs = [x, condition.truncation, scale, shift];
            let x = g.truncated_norm(inputs, (&norm, self.statistics), EPS);
            g.name(x, norm.trim_start_matches("generator."));
            g.relu(x)
        };
        let mut x = norm(g, input, 0);
        x = g.conv(x, Conv::new(&format!("{name}.conv_0"), from, middle, 1));
        x = norm(g, x, 1);
        if doubles {
            x = g.nearest(x, 2);
        }
        x = g.conv(x, Conv::new(&format!("{name}.conv_1"), middle, middle, 3));
        x = norm(g, x, 2);
        x = g.conv(x, Conv::new(&format!("{name}.conv_2"), middle, middle, 3));
        x = norm(g, x, 3);
        x = g.conv(x, Conv::new(&format!("{name}.conv_3"), middle, to, 1));
        let mut shortcut = if from == to { input } else { g.slice(input, 0, to) };
        if doubles {
            shortcut = g.nearest(shortcut, 2);
        }
        x = g.add(x, shortcut);
        g.name(x, name.trim_start_matches("generator."))
    }
}

impl BigGanBlock {
    /// Channels of its four norms.
    const fn norms(self) -> [usize; 4] {
        let middle = self.from / 4;
        [self.from, middle, middle, middle]
    }
}

/// Adds to each pixel what it has in common with others.
fn attention(g: &mut Graph, x: Value, name: &str) -> Value {
    let channels = g.channels(x);
    let conv = |g: &mut Graph, leaf: &str, x: Value, to: usize| {
        let name = format!("{name}.snconv1x1_{leaf}");
        let from = g.channels(x);
        g.conv(x, Conv::new(&name, from, to, 1).no_bias())
    };
    let queries = conv(g, "theta", x, channels / 8);
    let keys = conv(g, "phi", x, channels / 8);
    let keys = g.max_pool(keys, 2, 2, [0; 4]);
    let values = conv(g, "g", x, channels / 2);
    let values = g.max_pool(values, 2, 2, [0; 4]);
    let seen = g.attention(queries, keys, values);
    let seen = conv(g, "o_conv", seen, channels);
    let gamma = g.param(&format!("{name}.gamma"), &[1]);
    let seen = g.mul(seen, gamma);
    let sum = g.add(seen, x);
    g.name(sum, name.trim_start_matches("generator."))
}
