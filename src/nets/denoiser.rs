//! The network of DDPM (Ho et al., "Denoising Diffusion Probabilistic Models", 2020) as
//! `UNet2DModel` of the `diffusers` library has it: it tells the noise in a picture.

use super::blueprint::LatentSpace;
use super::denoising::{active, attend, double, halve, residual, silu};
use super::graph::{Conv, Graph, Value};

/// Where the published networks attend, in pixels a side.
const ATTENDED_SIDE: usize = 16;

/// The network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denoiser {
    /// Channels at each level, the picture's own size first.
    pub channels: Vec<usize>,
    /// Residual blocks of a level on the way down; one more on the way up.
    pub layers: usize,
    /// The level whose blocks attend.
    pub attended: usize,
}

impl Denoiser {
    /// Runs for a picture: as many as DDIM's paper draws good ones with.
    pub const RUNS: usize = 50;

    /// Side of the picture in pixels. No tensor shows it: it follows from where the published
    /// networks attend.
    pub const fn side(&self) -> usize {
        ATTENDED_SIDE << self.attended
    }

    /// A latent is the noise from which a picture emerges, `[3, side, side]`; it is its one row.
    pub fn space(&self) -> LatentSpace {
        let side = self.side();
        let numbers = 3 * side * side;
        LatentSpace {
            z_dim: numbers,
            w_dim: numbers,
            row_sides: vec![side],
            side,
            // Noise of less variance is none that the network knows: truncation leaves all of it.
            class_part: 0..numbers,
            ..LatentSpace::default()
        }
    }

    /// Sines and cosines that stand for a step of the diffusion, a number a channel of the first
    /// level.
    pub fn clock(&self, step: usize) -> Vec<f32> {
        let half = self.channels.first().map_or(1, |channels| channels / 2);
        // The library's `freq_shift` of 1.
        let slowest = (half.max(2) - 1) as f64;
        let angle = |at: usize| step as f64 * (-(1e4f64).ln() * at as f64 / slowest).exp();
        let sines = (0..half).map(|at| angle(at).sin() as f32);
        sines.chain((0..half).map(|at| angle(at).cos() as f32)).collect()
    }

    /// A noisy picture, RGB, `[3, side, side]`, and [`Denoiser::clock`], a vector, to the noise in
    /// it, deviation 1.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let first = self.channels.first().copied().unwrap_or(1);
        let clock = g.input(first);
        let time = g.conv(clock, Conv::linear("time_embedding.linear_1", first, 4 * first));
        let time = silu(&mut g, time);
        let time = g.conv(time, Conv::linear("time_embedding.linear_2", 4 * first, 4 * first));
        let time = g.name(time, "time_embedding");
        let mut x = g.conv(picture, Conv::new("conv_in", 3, first, 3));
        let mut skips = vec![x];
        for (level, &to) in self.channels.iter().enumerate() {
            let name = format!("down_blocks.{level}");
            for layer in 0..self.layers {
                x = self.block(&mut g, x, &name, layer, (level, to), time);
                skips.push(x);
            }
            if level + 1 < self.channels.len() {
                x = halve(&mut g, x, &name);
                skips.push(x);
            }
        }
        let channels = g.channels(x);
        x = residual(&mut g, x, "mid_block.resnets.0", channels, Some(time));
        x = attend(&mut g, x, "mid_block.attentions.0");
        x = residual(&mut g, x, "mid_block.resnets.1", channels, Some(time));
        for (index, &to) in self.channels.iter().rev().enumerate() {
            let (name, level) = (format!("up_blocks.{index}"), self.channels.len() - 1 - index);
            for layer in 0..=self.layers {
                let Some(skip) = skips.pop() else { continue };
                x = g.concat(&[x, skip]);
                x = self.block(&mut g, x, &name, layer, (level, to), time);
            }
            if index + 1 < self.channels.len() {
                x = double(&mut g, x, &name);
            }
        }
        x = active(&mut g, x, "conv_norm_out");
        x = g.conv(x, Conv::new("conv_out", first, 3, 3));
        g.name(x, "output");
        g.output(x);
        g
    }

    /// A residual block, and attention where the level has it.
    fn block(
        &self,
        g: &mut Graph,
        x: Value,
        name: &str,
        layer: usize,
        (level, to): (usize, usize),
        time: Value,
    ) -> Value {
        let x = residual(g, x, &format!("{name}.resnets.{layer}"), to, Some(time));
        if level == self.attended { attend(g, x, &format!("{name}.attentions.{layer}")) } else { x }
    }
}
