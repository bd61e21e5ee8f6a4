//! Diffusion models as generators: a latent is the noise from which a picture emerges in several
//! runs of one network.

use super::generator::{Generator, Part, Run, Slopes, StyleWeights};
use super::worker::NetworkError;
use crate::latent::{Ddim, Noise};
use crate::nets::cpu::Stop;
use crate::nets::graph::Graph;
use crate::nets::{Denoiser, LatentSpace, Planes, Source};
use crate::zoo::Parameters;

/// A network that tells noise, and the way from noise to a picture.
pub struct DiffusionNetwork<R> {
    space: LatentSpace,
    net: Denoiser,
    runner: R,
    way: Ddim,
    mean: Vec<f32>,
    graph: Graph,
    parameters: Parameters,
}

impl<R: Run> DiffusionNetwork<R> {
    /// `build` prepares the graph.
    ///
    /// # Errors
    /// A sentence of `parameters`.
    pub fn new(
        net: Denoiser,
        mut parameters: Parameters,
        build: impl Fn(Graph, Source<'_, String>) -> Result<R, String>,
    ) -> Result<Self, String> {
        let (space, graph) = (net.space(), net.graph());
        let runner = build(graph.clone(), &mut *parameters)?;
        let mean = vec![0.0; space.w_dim];
        Ok(Self { space, net, runner, way: Ddim::new(Denoiser::RUNS), mean, graph, parameters })
    }

    /// The same in `1..=1000` steps.
    #[must_use]
    pub fn in_steps(self, steps: usize) -> Self {
        Self { way: Ddim::new(steps), ..self }
    }

    /// What tells the noise.
    pub const fn runner(&self) -> &R {
        &self.runner
    }
}

fn refused<T>(what: &str) -> Result<T, NetworkError> {
    Err(NetworkError::Failed(format!("a diffusion model draws in many runs and {what}")))
}

impl<R: Run> Generator for DiffusionNetwork<R> {
    fn space(&self) -> &LatentSpace {
        &self.space
    }

    fn map(&mut self, z: &[f32], _: &[f32], _: Stop<'_>) -> Result<Vec<f32>, NetworkError> {
        Ok(z.to_vec())
    }

    fn mean(&self) -> &[f32] {
        &self.mean
    }

    fn noise(&self, _: Noise) -> Vec<Planes> {
        Vec::new()
    }

    fn draw(&mut self, ws: &[f32], _: &[Planes], stop: Stop<'_>) -> Result<Planes, NetworkError> {
        let side = self.space.side;
        if ws.len() != self.space.w_dim {
            let (have, want) = (ws.len(), self.space.w_dim);
            let reason = format!("the code has {have} numbers instead of {want}");
            return Err(NetworkError::Failed(reason));
        }
        let mut picture = Planes { channels: 3, height: side, width: side, data: ws.to_vec() };
        for time in self.way.times() {
            let clock = Planes::vector(self.net.clock(time));
            let noise = self.runner.run(&[picture.clone(), clock], stop)?.swap_remove(0);
            self.way.step(&mut picture.data, &noise.data, time);
        }
        Ok(picture)
    }

    fn feature_sides(&self) -> Vec<usize> {
        Vec::new()
    }

    fn gradient(
        &mut self,
        _: Part,
        _: &[f32],
        _: &[Planes],
        _: &mut dyn FnMut(&Planes) -> (f64, Planes),
        _: Stop<'_>,
    ) -> Result<Slopes, NetworkError> {
        refused("searches for no codes")
    }

    fn synthesis(&mut self) -> (&Graph, Source<'_, String>) {
        (&self.graph, &mut *self.parameters)
    }

    fn styles(&self) -> &[StyleWeights] {
        &[]
    }
}
