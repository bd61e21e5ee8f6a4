//! The smallest generator, for tests of what surrounds generators.

use std::sync::LazyLock;

use ganvas::infer::generator::{Generator, Part, Slopes, StyleWeights};
use ganvas::infer::worker::NetworkError;
use ganvas::latent::Noise;
use ganvas::nets::cpu::Stop;
use ganvas::nets::graph::Graph;
use ganvas::nets::{LatentSpace, Planes, Source};

/// Draws one number, its code, as a picture of two pixels.
static ONE_NUMBER: LazyLock<LatentSpace> = LazyLock::new(|| LatentSpace {
    z_dim: 1,
    w_dim: 1,
    has_w: false,
    classes: 0,
    row_sides: vec![1],
    noise: Vec::new(),
    side: 1,
    ..LatentSpace::default()
});

/// The generator without a network.
#[derive(Default)]
pub struct OneNumber;

impl Generator for OneNumber {
    fn space(&self) -> &LatentSpace {
        &ONE_NUMBER
    }

    fn map(&mut self, z: &[f32], _: &[f32], _: Stop<'_>) -> Result<Vec<f32>, NetworkError> {
        Ok(z.to_vec())
    }

    fn mean(&self) -> &[f32] {
        &[0.0]
    }

    fn noise(&self, _: Noise) -> Vec<Planes> {
        Vec::new()
    }

    fn draw(&mut self, w: &[f32], _: &[Planes], stop: Stop<'_>) -> Result<Planes, NetworkError> {
        let data = vec![w[0] * 0.2; 6];
        let picture = Planes { channels: 3, height: 1, width: 2, data };
        if stop() { Err(NetworkError::Stopped) } else { Ok(picture) }
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
        Err(NetworkError::Failed("one number has no slopes".into()))
    }

    fn synthesis(&mut self) -> (&Graph, Source<'_, String>) {
        unreachable!("nobody tunes it")
    }

    fn styles(&self) -> &[StyleWeights] {
        &[]
    }
}
