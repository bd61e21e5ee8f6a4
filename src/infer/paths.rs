//! The paths of a generator through its codes, as a network sees them.

use super::features::{FeatureNetwork, Seen};
use super::generator::Generator;
use super::worker::NetworkError;
use crate::latent::Noise;
use crate::latent::random::SplitMix64;
use crate::metrics::Walked;
use crate::nets::Planes;
use crate::nets::cpu::Stop;

/// Longest side at which drawn pictures are compared, as in the published measurements.
const SIDE: usize = 256;

/// A generator and what compares its pictures.
pub struct SeenGenerator<'a> {
    pub generator: &'a mut dyn Generator,
    pub network: &'a FeatureNetwork,
    pub stop: Stop<'a>,
}

impl SeenGenerator<'_> {
    fn see(&self, picture: &Planes) -> Result<Seen, NetworkError> {
        let picture = self.network.reader().drawn(shrunk(picture, SIDE));
        self.network.see(picture, self.stop)
    }
}

impl Walked for SeenGenerator<'_> {
    type Error = NetworkError;

    fn z_dim(&self) -> usize {
        self.generator.space().z_dim
    }

    fn code(&mut self, z: &[f32], path: u64) -> Result<Vec<f32>, NetworkError> {
        // Where there are classes, one at random for each path.
        let space = self.generator.space();
        let class = SplitMix64::new(path).below(space.classes.max(1));
        let class = space.one_hot(class);
        self.generator.map(z, &class, self.stop)
    }

    fn draw(&mut self, code: &[f32], _: u64) -> Result<Planes, NetworkError> {
        let rows = self.generator.space().rows();
        self.generator.synthesize(&code.repeat(rows), Noise::Const, self.stop)
    }

    fn distance(&mut self, a: &Planes, b: &Planes) -> Result<f64, NetworkError> {
        let (a, b) = (self.see(a)?, self.see(b)?);
        self.network.distance(&a, &b).map_err(|err| NetworkError::Failed(err.to_string()))
    }
}

/// The means of blocks, so many pixels a side that no side is longer than `side`.
fn shrunk(picture: &Planes, side: usize) -> Planes {
    let block = picture.height.max(picture.width).div_ceil(side).max(1);
    if block == 1 {
        return picture.clone();
    }
    let (height, width) = (picture.height / block, picture.width / block);
    let mut data = Vec::with_capacity(picture.channels * height * width);
    for plane in picture.data.chunks_exact(picture.height * picture.width) {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let rows =
                (0..block).map(|row| &plane[(y * block + row) * picture.width + x * block..]);
            let sum: f32 = rows.flat_map(|row| &row[..block]).sum();
            data.push(sum / (block * block) as f32);
        }
    }
    Planes { channels: picture.channels, height, width, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_are_compared_in_blocks() {
        let picture = Planes {
            channels: 1,
            height: 2,
            width: 4,
            data: vec![1.0, 2.0, 0.0, 4.0, 3.0, 6.0, 0.0, 8.0],
        };
        assert_eq!(shrunk(&picture, 4), picture);
        let half = shrunk(&picture, 2);
        assert_eq!((half.height, half.width, half.data), (1, 2, vec![3.0, 3.0]));
    }
}
