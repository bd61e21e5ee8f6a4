//! MI-GAN, inpainting small enough for phones (Sargsyan et al. 2023; its inference model).

use std::f32::consts::SQRT_2;

use super::graph::{Act, Conv, Graph, Op, Value};

/// Slope of the leaky ReLU.
const SLOPE: f32 = 0.2;
/// What activations are cut at.
const CLAMP: f32 = 256.0;

/// Separable convolutions down to 4×4 pixels and up again, with fixed noise on the way up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migan {
    /// Channels at sides of 4, 8, 16, … pixels.
    pub channels: Vec<usize>,
}

impl Migan {
    /// Side of the picture.
    pub fn side(&self) -> usize {
        4 << (self.channels.len() - 1)
    }

    /// A picture, RGB in `-1..=1`, `[3, side, side]`, and its mask, 1 where it is to be filled,
    /// else 0, `[1, side, side]`; to the whole picture, `[3, side, side]`, in `-1..=1`, not
    /// clamped.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let (picture, mask) = (g.input(3), g.input(1));
        let known = g.scale(mask, -1.0, 1.0);
        let masked = g.mul(picture, known);
        let centred = g.scale(known, 1.0, -0.5);
        let seen = g.concat(&[centred, masked]);
        // Encoder: the largest side first.
        let levels: Vec<(usize, usize)> =
            self.channels.iter().enumerate().map(|(at, &channels)| (4 << at, channels)).collect();
        let (largest, first) = levels.last().copied().unwrap_or((4, 1));
        let from_rgb = Conv::new(&format!("encoder.b{largest}.fromrgb"), 4, first, 1);
        let mut x = g.conv(seen, from_rgb);
        x = activate(&mut g, x);
        let mut skipped = Vec::new();
        for (at, &(side, channels)) in levels.iter().enumerate().rev() {
            let name = format!("encoder.b{side}");
            x = Separable::to(channels).add(&mut g, x, &format!("{name}.conv1"));
            skipped.push(x);
            // The smallest level neither narrows nor halves.
            let below = at.checked_sub(1).map(|below| levels[below].1);
            let conv =
                Separable { halve: below.is_some(), ..Separable::to(below.unwrap_or(channels)) };
            x = conv.add(&mut g, x, &format!("{name}.conv2"));
            g.name(x, name);
        }
        // Synthesis: the smallest side first.
        let mut image: Option<Value> = None;
        for (&(side, channels), skip) in levels.iter().zip(skipped.into_iter().rev()) {
            let name = format!("synthesis.b{side}");
            let side = (side > 4).then_some(side);
            let conv1 = Separable { double: side, noise: side, ..Separable::to(channels) };
            x = conv1.add(&mut g, x, &format!("{name}.conv1"));
            x = g.add(x, skip);
            let conv2 = Separable { noise: side, ..Separable::to(channels) };
            x = conv2.add(&mut g, x, &format!("{name}.conv2"));
            let rgb = g.conv(x, Conv::new(&format!("{name}.torgb"), channels, 3, 1));
            let sum = match (image, side) {
                (Some(image), Some(side)) => {
                    let image = double(&mut g, image, &format!("{name}.upsample"), side);
                    g.add(image, rgb)
                }
                _ => rgb,
            };
            image = Some(g.name(sum, name));
        }
        let output = image.unwrap_or(x);
        g.name(output, "output");
        g.output(output);
        g
    }
}

/// A 3×3 kernel on each channel, then a matrix over the channels, with an activation after each.
struct Separable {
    channels: usize,
    /// Between the two.
    halve: bool,
    /// After both: to this side.
    double: Option<usize>,
    /// Noise of this side before the last activation.
    noise: Option<usize>,
}

impl Separable {
    const fn to(channels: usize) -> Self {
        Self { channels, halve: false, double: None, noise: None }
    }

    fn add(&self, g: &mut Graph, x: Value, name: &str) -> Value {
        let from = g.channels(x);
        let mut x = g.conv(x, Conv::new(&format!("{name}.conv1"), from, from, 3).depthwise());
        x = activate(g, x);
        if self.halve {
            let filter = Conv::new(&format!("{name}.downsample.filter"), from, from, 4);
            x = g.conv(x, filter.depthwise().no_bias().stride(2).pad([1; 4]));
        }
        let matrix = Conv::new(&format!("{name}.conv2"), from, self.channels, 1);
        x = g.conv(x, matrix.no_bias());
        if let Some(side) = self.double {
            x = double(g, x, &format!("{name}.upsample"), side);
        }
        if let Some(side) = self.noise {
            let noise = g.param(&format!("{name}.noise_const"), &[side, side]);
            let strength = g.param(&format!("{name}.noise_strength"), &[]);
            let noise = g.mul(noise, strength);
            x = g.add(x, noise);
        }
        activate(g, x)
    }
}

/// Twice as large, to `side` pixels: every second pixel of every second row, then a smoothing
/// kernel on each channel.
fn double(g: &mut Graph, x: Value, name: &str, side: usize) -> Value {
    let channels = g.channels(x);
    let spread = g.nearest(x, 2);
    let every_second = g.param(&format!("{name}.filter_const"), &[1, 1, side, side]);
    let x = g.mul(spread, every_second);
    let filter = Conv::new(&format!("{name}.filter"), channels, channels, 4);
    g.conv(x, filter.depthwise().no_bias().pad([2, 1, 2, 1]))
}

fn activate(g: &mut Graph, x: Value) -> Value {
    let x = g.act(x, Act::Leaky(SLOPE));
    let x = g.scale(x, SQRT_2, 0.0);
    g.unary(x, Op::Clamp { low: -CLAMP, high: CLAMP })
}
