//! The generator of StyleGAN3 (Karras et al., "Alias-Free Generative Adversarial Networks", 2021),
//! configurations T (translation) and R (rotation), named as in its PyTorch version.
//!
//! The published code divides weights and styles by their root mean squares before it modulates and
//! demodulates. Demodulation cancels both, so they are left out.

use std::f32::consts::{SQRT_2, TAU};

use super::Planes;
use super::blueprint::{Blueprint, LatentSpace, Style};
use super::graph::{Act, Conv, Graph, Layout, Op, Resample, Value};
use super::mapping::{Mapping, SLOPE, equalised, equaliser, style};

/// Of demodulation: nothing beside the sum, whatever the scale of weights and styles.
const EPS: f32 = 1e-30;
/// Sampling rate of the leaky ReLU over that of its neighbours.
const OVERSAMPLING: usize = 2;

/// A layer of the synthesis, as its name has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Of the result, in pixels, with its margins.
    pub side: usize,
    /// Of the result.
    pub channels: usize,
}

/// Fully connected layers from a latent to a style; Fourier features that a style moves and turns,
/// convolutions that styles modulate, and between filters leaky ReLUs at a higher sampling rate.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleGan3 {
    pub mapping: Mapping,
    /// The last one makes the picture.
    pub stages: Vec<Stage>,
    /// Pixels around the picture in all but the last two stages.
    pub margin: usize,
    /// Side of the kernels: 3 in configuration T, 1 in R.
    pub kernel: usize,
    /// Numbers of a filter over its factor.
    pub taps: usize,
    /// So many stages, from the first on, have a filter that is no product of two: none in
    /// configuration T.
    pub radial: usize,
    /// Highest frequency of the Fourier features, per side of the picture.
    pub cutoff: f32,
    /// What activations are cut at.
    pub clamp: Option<f32>,
    /// Factor on the picture.
    pub output_scale: f32,
}

/// A [`Stage`] between its neighbours.
struct Layer {
    name: String,
    from: usize,
    to: usize,
    /// Sides of what goes in and what comes out.
    sides: [usize; 2],
    /// Sampling rates, likewise.
    rates: [usize; 2],
    /// The last one: a matrix without filters and activation.
    is_to_rgb: bool,
    /// Whether the filter after the activation is no product of two.
    is_radial: bool,
}

impl StyleGan3 {
    /// Side of the picture.
    pub fn side(&self) -> usize {
        self.stages.last().map_or(0, |stage| stage.side)
    }

    /// Pixels per side of the picture at which stage `at` samples.
    fn rate(&self, at: usize) -> usize {
        let margins = if at + 2 < self.stages.len() { 2 * self.margin } else { 0 };
        self.stages.get(at).map_or(0, |stage| stage.side.saturating_sub(margins))
    }

    fn layers(&self) -> Vec<Layer> {
        let layer = |(at, stage): (usize, &Stage)| {
            let before = at.saturating_sub(1);
            let Stage { side, channels } = self.stages[before];
            Layer {
                name: format!("synthesis.L{at}_{}_{}", stage.side, stage.channels),
                from: channels,
                to: stage.channels,
                sides: [side, stage.side],
                rates: [self.rate(before), self.rate(at)],
                is_to_rgb: at + 1 == self.stages.len(),
                is_radial: at < self.radial,
            }
        };
        self.stages.iter().enumerate().map(layer).collect()
    }

    /// The whole network: a latent `[z_dim, 1, 1]`, and a class as one-hot `[classes, 1, 1]` where
    /// there are any, to a picture `[3, side, side]`, in `-1..=1` but not clamped.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let w = self.mapping.add(&mut g);
        self.draw(&mut g, &vec![w; self.stages.len() + 1]);
        g
    }

    /// The same in parts. The Fourier features read the first row of W+.
    pub fn blueprint(&self) -> Blueprint {
        let Mapping { z_dim, w_dim, classes, .. } = self.mapping;
        let layers = self.layers();
        let mut synthesis = Graph::new();
        let rows: Vec<Value> = (0..=layers.len()).map(|_| synthesis.input(w_dim)).collect();
        let features = self.draw(&mut synthesis, &rows);
        let readers = layers.iter().map(|layer| (layer.name.as_str(), layer.from));
        let style = |(row, (name, channels)): (usize, (&str, usize))| Style {
            row,
            weight: format!("{name}.affine.weight"),
            layout: Layout::OutIn,
            channels,
        };
        Blueprint {
            space: LatentSpace {
                z_dim,
                w_dim,
                has_w: true,
                classes,
                row_sides: [self.rate(0)]
                    .into_iter()
                    .chain(layers.iter().map(|layer| layer.rates[1]))
                    .collect(),
                side: self.side(),
                ..LatentSpace::default()
            },
            mapping: Some(self.mapping.graph()),
            synthesis,
            features,
            mean: Some("mapping.w_avg".into()),
            noise: Vec::new(),
            styles: [(INPUT, 4)].into_iter().chain(readers).enumerate().map(style).collect(),
        }
    }

    /// Adds the picture that the rows of W+ stand for, and makes it the output; the features after
    /// each stage but the last, without margins.
    fn draw(&self, g: &mut Graph, rows: &[Value]) -> Vec<Value> {
        let factor = equaliser(self.mapping.w_dim);
        let mut rows =
            rows.iter().map(|w| g.scale(*w, factor, 0.0)).collect::<Vec<_>>().into_iter();
        let mut features = Vec::new();
        let Some(first) = rows.next() else { return features };
        let mut x = self.features(g, first);
        g.name(x, INPUT);
        for (layer, row) in self.layers().iter().zip(rows) {
            x = self.layer(g, layer, x, row);
            g.name(x, layer.name.clone());
            let margin = (layer.sides[1] - layer.rates[1]) / 2;
            match (layer.is_to_rgb, margin) {
                (true, _) => {}
                (false, 0) => features.push(x),
                (false, margin) => features.push(g.unary(x, Op::Crop(margin))),
            }
        }
        let picture = g.scale(x, self.output_scale, 0.0);
        g.name(picture, "output");
        g.output(picture);
        features
    }

    /// Waves over the plane, which a style turns and moves, and a matrix of their channels; `row`
    /// is equalised.
    fn features(&self, g: &mut Graph, row: Value) -> Value {
        let [side, rate] = [self.stages.first().map_or(0, |stage| stage.side), self.rate(0)];
        let channels = self.stages.first().map_or(0, |stage| stage.channels);
        // Cosine and sine of an angle, and a way, in units of the length of the first two.
        let motion = style(g, row, INPUT, 4);
        let turn = [0, 1].map(|at| g.slice(motion, at, 1));
        let [cosine, sine] = turn.map(|part| g.mul(part, part));
        let square = g.add(cosine, sine);
        let inverse = g.act(square, Act::Rsqrt);
        let motion = g.mul(motion, inverse);
        let moved = |g: &mut Graph, points: Planes| {
            let points = g.constant(points);
            let transform = Conv {
                weight: format!("{INPUT}.transform"),
                ..Conv::linear(INPUT, 3, 3).no_bias()
            };
            let points = g.conv(points, transform);
            let [place, weight] = [(0, 2), (2, 1)].map(|(from, len)| g.slice(points, from, len));
            let way = g.slice(motion, 2, 2);
            let way = g.mul(way, weight);
            let place = g.sub(place, way);
            let [x, y] = [0, 1].map(|at| g.slice(place, at, 1));
            let [cosine, sine] = [0, 1].map(|at| g.slice(motion, at, 1));
            let back = g.scale(sine, -1.0, 0.0);
            let [column, row] = [[cosine, back], [sine, cosine]].map(|[by_x, by_y]| {
                let (by_x, by_y) = (g.mul(x, by_x), g.mul(y, by_y));
                g.add(by_x, by_y)
            });
            g.concat(&[column, row])
        };
        let waves = Conv {
            weight: format!("{INPUT}.freqs"),
            bias: Some(format!("{INPUT}.phases")),
            ..Conv::linear(INPUT, 2, channels)
        };
        let points = moved(g, grid(side, rate));
        let x = g.conv(points, waves.clone());
        let x = g.scale(x, TAU, 0.0);
        let x = g.act(x, Act::Sine);
        // How frequent waves became, from what either axis counts; too frequent ones are damped.
        let axes = Planes { channels: 3, height: 1, width: 2, data: vec![1., 0., 0., 1., 0., 0.] };
        let axes = moved(g, axes);
        let frequency = g.conv(axes, waves.no_bias());
        let square = g.mul(frequency, frequency);
        let square = g.global_mean(square);
        let square = g.scale(square, 2.0, 0.0);
        let inverse = g.act(square, Act::Rsqrt);
        let frequency = g.mul(square, inverse);
        let room = rate as f32 / 2.0 - self.cutoff;
        let amplitude = g.scale(frequency, -1.0 / room, 1.0 + self.cutoff / room);
        let amplitude = g.unary(amplitude, Op::Clamp { low: 0.0, high: 1.0 });
        let x = g.mul(x, amplitude);
        equalised(g, x, Conv::linear(INPUT, channels, channels).no_bias(), 1.0)
    }

    /// A modulated convolution and its activation between filters; `row` is equalised.
    fn layer(&self, g: &mut Graph, layer: &Layer, x: Value, row: Value) -> Value {
        let Layer { name, from, to, is_to_rgb, .. } = layer;
        let style = style(g, row, name, *from);
        let magnitude = g.param(&format!("{name}.magnitude_ema"), &[]);
        let gain = g.act(magnitude, Act::Rsqrt);
        let input = g.mul(style, gain);
        if *is_to_rgb {
            let input = g.scale(input, equaliser(*from), 0.0);
            let x = g.mul(x, input);
            let x = g.conv(x, Conv::new(name, *from, *to, 1));
            return self.clamp(g, x);
        }
        let conv = Conv::new(name, *from, *to, self.kernel).no_bias().pad([self.kernel - 1; 4]);
        let shape = [*to, *from, self.kernel, self.kernel];
        let factors = g.demodulate(style, &conv.weight, shape, EPS);
        let bias = g.param(&format!("{name}.bias"), &[*to]);
        let x = g.mul(x, input);
        let x = g.conv(x, conv);
        let x = g.mul(x, factors);
        let x = g.add(x, bias);
        let [up, down] = self.filters(layer);
        let x = g.resample(x, up);
        let x = g.act(x, Act::Leaky(SLOPE));
        let x = g.scale(x, SQRT_2, 0.0);
        let x = self.clamp(g, x);
        g.resample(x, down)
    }

    /// The filters before and after an activation.
    fn filters(&self, layer: &Layer) -> [Resample; 2] {
        let Layer { name, sides: [side_in, side], rates, .. } = layer;
        let rate = rates[0].max(rates[1]) * OVERSAMPLING;
        let [up, down] = rates.map(|own| (rate / own.max(1)).max(1));
        let [size_up, size_down] = [up, down].map(|factor| factor * self.taps);
        // What the results need, less what there is, and half of it before: pixels lie in the
        // middle of their areas.
        let needs = (side.max(&1) - 1) * down + size_up + size_down - 1;
        let all = needs as isize - ((side_in + self.kernel - 1) * up) as isize;
        let before = (all + up as isize).div_euclid(2);
        let pad = [before, all - before, before, all - before];
        let gain = (up * up) as f32;
        let filter = Resample::separable(&format!("{name}.up_filter"), size_up);
        let filter_down = format!("{name}.down_filter");
        let down_plan = if layer.is_radial {
            Resample::new(&filter_down, [size_down; 2])
        } else {
            Resample::separable(&filter_down, size_down)
        };
        [Resample { up, pad, gain, ..filter }, Resample { down, ..down_plan }]
    }

    fn clamp(&self, g: &mut Graph, x: Value) -> Value {
        match self.clamp {
            Some(clamp) => g.unary(x, Op::Clamp { low: -clamp, high: clamp }),
            None => x,
        }
    }
}

/// The Fourier features.
const INPUT: &str = "synthesis.input";

/// Where the pixels of a square lie, in sides of the picture from its middle: columns, rows, ones.
fn grid(side: usize, rate: usize) -> Planes {
    let place = |at: usize| (at as f32 + 0.5 - side as f32 / 2.0) / rate.max(1) as f32;
    let area = side * side;
    let columns = (0..area).map(|at| place(at % side));
    let rows = (0..area).map(|at| place(at / side));
    let data = columns.chain(rows).chain(std::iter::repeat_n(1.0, area)).collect();
    Planes { channels: 3, height: side, width: side, data }
}
