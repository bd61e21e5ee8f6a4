//! LaMa, large mask inpainting with fast Fourier convolutions (Suvorov et al. 2022; its
//! `FFCResNetGenerator`).

use super::graph::{Act, Conv, Edge, Graph, Value};

/// Of PyTorch's batch norm.
const EPS: f32 = 1e-5;
/// Channels beyond which layers do not widen.
const MAX_FEATURES: usize = 1024;

/// Residual blocks with a local branch, 3×3 convolutions, and a global one, convolutions in the
/// frequency domain, between layers that halve and double the sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lama {
    /// Channels after the first layer; each halving doubles them.
    pub features: usize,
    /// Halvings.
    pub downs: usize,
    /// Residual blocks.
    pub blocks: usize,
    /// Channels of the global branch.
    pub global: usize,
}

/// The local branch and, in the middle, the global one.
#[derive(Clone, Copy)]
struct Branches {
    local: Value,
    global: Option<Value>,
}

impl Lama {
    /// Channels after `downs` halvings.
    fn channels(&self, downs: usize) -> usize {
        (self.features << downs.min(16)).min(MAX_FEATURES)
    }

    /// A picture, RGB in `0..=1`, `[3, h, w]`, and its mask, 1 where it is to be filled, else 0,
    /// `[1, h, w]`, sides multiples of `2^downs`; to the whole picture, `[3, h, w]`, in `0..=1`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let (picture, mask) = (g.input(3), g.input(1));
        let known = g.scale(mask, -1.0, 1.0);
        let picture = g.mul(picture, known);
        let seen = g.concat(&[picture, mask]);
        let first = Conv::new("model.1.ffc.convl2l", 4, self.features, 7).edge(Edge::Reflect);
        let mut x = g.conv(seen, first.no_bias());
        x = norm_relu(&mut g, x, "model.1.bn_l");
        for down in 1..self.downs {
            let (name, to) = (format!("model.{}", down + 1), self.channels(down));
            x = reflect(&mut g, x, &format!("{name}.ffc.convl2l"), to, 2);
            x = norm_relu(&mut g, x, &format!("{name}.bn_l"));
        }
        g.name(x, "encoded");
        let mut x = self.split(&mut g, x);
        for block in 0..self.blocks {
            let name = format!("model.{}", self.downs + 2 + block);
            let y = self.fourier(&mut g, x, &format!("{name}.conv1"));
            let y = self.fourier(&mut g, y, &format!("{name}.conv2"));
            x.local = g.add(x.local, y.local);
            x.global = match (x.global, y.global) {
                (Some(own), Some(more)) => Some(g.add(own, more)),
                _ => None,
            };
            g.name(x.local, name);
        }
        let parts: Vec<Value> = [Some(x.local), x.global].into_iter().flatten().collect();
        let mut x = g.concat(&parts);
        let after = self.downs + self.blocks + 3;
        for up in 0..self.downs {
            let at = after + 3 * up;
            let (from, to) = (self.channels(self.downs - up), self.channels(self.downs - up - 1));
            let conv = Conv::transposed(&format!("model.{at}"), from, to, 3, 2);
            x = g.conv(x, conv.pad([1; 4]).output_pad(1));
            x = norm_relu(&mut g, x, &format!("model.{}", at + 1));
            g.name(x, format!("model.{}", at + 2));
        }
        let last = format!("model.{}", after + 3 * self.downs + 1);
        x = g.conv(x, Conv::new(&last, self.features, 3, 7).edge(Edge::Reflect));
        x = g.act(x, Act::Sigmoid);
        g.name(x, "output");
        g.output(x);
        g
    }

    /// The last halving, into both branches.
    fn split(&self, g: &mut Graph, x: Value) -> Branches {
        let name = format!("model.{}", self.downs + 1);
        let local = self.channels(self.downs) - self.global;
        let mut branch = |to: usize, conv: &str, norm: &str| {
            let x = reflect(g, x, &format!("{name}.ffc.{conv}"), to, 2);
            norm_relu(g, x, &format!("{name}.{norm}"))
        };
        Branches {
            local: branch(local, "convl2l", "bn_l"),
            global: (self.global > 0).then(|| branch(self.global, "convl2g", "bn_g")),
        }
    }

    /// A fast Fourier convolution: both branches feed both.
    fn fourier(&self, g: &mut Graph, x: Branches, name: &str) -> Branches {
        let channels = g.channels(x.local);
        let mut local = reflect(g, x.local, &format!("{name}.ffc.convl2l"), channels, 1);
        let global = x.global.map(|global| {
            let crossed = reflect(g, global, &format!("{name}.ffc.convg2l"), channels, 1);
            local = g.add(local, crossed);
            let crossed = reflect(g, x.local, &format!("{name}.ffc.convl2g"), self.global, 1);
            let spectral = self.spectral(g, global, &format!("{name}.ffc.convg2g"));
            let sum = g.add(crossed, spectral);
            norm_relu(g, sum, &format!("{name}.bn_g"))
        });
        Branches { local: norm_relu(g, local, &format!("{name}.bn_l")), global }
    }

    /// A convolution of 1×1 in the frequency domain, on half the channels.
    fn spectral(&self, g: &mut Graph, x: Value, name: &str) -> Value {
        let (channels, half) = (self.global, self.global / 2);
        let x = g.conv(x, Conv::new(&format!("{name}.conv1.0"), channels, half, 1).no_bias());
        let x = norm_relu(g, x, &format!("{name}.conv1.1"));
        let waves = g.rfft2(x);
        let unit = Conv::new(&format!("{name}.fu.conv_layer"), 2 * half, 2 * half, 1);
        let waves = g.conv(waves, unit.no_bias());
        let waves = norm_relu(g, waves, &format!("{name}.fu.bn"));
        let back = g.irfft2(waves, x);
        let sum = g.add(x, back);
        g.conv(sum, Conv::new(&format!("{name}.conv2"), half, channels, 1).no_bias())
    }
}

/// A 3×3 convolution without bias over a mirrored edge.
fn reflect(g: &mut Graph, x: Value, name: &str, to: usize, stride: usize) -> Value {
    let conv = Conv::new(name, g.channels(x), to, 3).stride(stride).edge(Edge::Reflect);
    g.conv(x, conv.no_bias())
}

fn norm_relu(g: &mut Graph, x: Value, name: &str) -> Value {
    let x = g.batch_norm(x, name, EPS);
    g.relu(x)
}
