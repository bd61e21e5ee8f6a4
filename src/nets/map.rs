//! Pictures as the processor's convolutions want them: channels innermost.

use rayon::prelude::*;

/// Channels are padded to multiples of this, the widest vector in use.
pub const LANES: usize = 16;

/// A picture `[height, width, channels]`, channels innermost and padded with zeros.
#[derive(Clone, Debug)]
pub struct Map {
    pub height: usize,
    pub width: usize,
    /// A multiple of [`LANES`].
    padded: usize,
    data: Vec<f32>,
}

impl Map {
    pub fn zeros(height: usize, width: usize, channels: usize) -> Self {
        let padded = channels.next_multiple_of(LANES);
        Self { height, width, padded, data: vec![0.0; height * width * padded] }
    }

    /// From planes `[channels, height, width]`.
    pub fn from_planes(planes: &[f32], height: usize, width: usize, channels: usize) -> Self {
        let mut map = Self::zeros(height, width, channels);
        for (channel, plane) in planes.chunks_exact(height * width).take(channels).enumerate() {
            let targets = map.data.iter_mut().skip(channel).step_by(map.padded);
            targets.zip(plane).for_each(|(to, from)| *to = *from);
        }
        map
    }

    /// The first `channels` as planes `[channels, height, width]`.
    pub fn to_planes(&self, channels: usize) -> Vec<f32> {
        let mut planes = Vec::with_capacity(channels * self.height * self.width);
        for channel in 0..channels {
            planes.extend(self.data.iter().skip(channel).step_by(self.padded));
        }
        planes
    }

    pub const fn padded_channels(&self) -> usize {
        self.padded
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Every channel of one pixel.
    pub fn pixel(&self, x: usize, y: usize) -> &[f32] {
        &self.data[(y * self.width + x) * self.padded..][..self.padded]
    }

    /// `self · factor + other`, elementwise.
    pub fn scale_add(mut self, factor: f32, other: &Self) -> Self {
        let row = (self.width * self.padded).max(1);
        self.data.par_chunks_mut(row).zip(other.data.par_chunks(row)).for_each(|(to, from)| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *to * factor + *from);
        });
        self
    }

    /// Nearest-neighbour enlargement.
    pub fn enlarge_nearest(&self, factor: usize) -> Self {
        let (height, width) = (self.height * factor, self.width * factor);
        let mut out = Self {
            height,
            width,
            padded: self.padded,
            data: vec![0.0; height * width * self.padded],
        };
        out.data.par_chunks_mut((width * self.padded).max(1)).enumerate().for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(self.padded).enumerate() {
                pixel.copy_from_slice(self.pixel(x / factor, y / factor));
            }
        });
        out
    }
}
