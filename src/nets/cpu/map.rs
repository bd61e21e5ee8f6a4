//! Pictures as the processor's kernels want them: channels innermost.

use rayon::prelude::*;

use super::spare;
use crate::nets::Planes;

/// Channels are padded to multiples of this, the widest vector in use.
pub const LANES: usize = 8;

/// Maps of fewer numbers are not shared out: waking another thread takes longer.
const SHORT: usize = 1 << 12;

/// A picture `[height, width, channels]`, channels innermost and padded to whole vectors. What
/// the padding holds is unspecified but finite.
#[derive(Debug)]
pub struct Map {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    data: Vec<f32>,
}

impl Clone for Map {
    fn clone(&self) -> Self {
        let mut map = Self::stale(self.height, self.width, self.channels);
        map.change_rows(|y, row| row.copy_from_slice(self.row(y)));
        map
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.data));
    }
}

impl Map {
    pub fn zeros(height: usize, width: usize, channels: usize) -> Self {
        let mut map = Self::stale(height, width, channels);
        map.data.fill(0.0);
        map
    }

    /// A map to be written as a whole: until then it holds some finite numbers.
    pub fn stale(height: usize, width: usize, channels: usize) -> Self {
        let padded = channels.next_multiple_of(LANES);
        Self { height, width, channels, data: spare::take(height * width * padded) }
    }

    pub fn from_planes(planes: &Planes) -> Self {
        let mut map = Self::stale(planes.height, planes.width, planes.channels);
        map.change_rows(|y, row| match planes.channels {
            1 => interleave::<1>(planes, y, row),
            3 => interleave::<3>(planes, y, row),
            4 => interleave::<4>(planes, y, row),
            channels => {
                let (area, padded) =
                    (planes.height * planes.width, channels.next_multiple_of(LANES));
                for (x, pixel) in row.chunks_exact_mut(padded).enumerate() {
                    pixel[channels..].fill(0.0);
                    for (channel, to) in pixel.iter_mut().take(channels).enumerate() {
                        *to = planes.data[channel * area + y * planes.width + x];
                    }
                }
            }
        });
        map
    }

    pub fn to_planes(&self) -> Planes {
        let (height, width, channels) = (self.height, self.width, self.channels);
        let mut data = vec![0.0; channels * height * width];
        let rows = data.par_chunks_mut(width.max(1)).enumerate();
        rows.for_each(|(row, to)| {
            let (channel, y) = (row / height, row % height);
            for (x, to) in to.iter_mut().enumerate() {
                *to = self.pixel(x, y)[channel];
            }
        });
        Planes { channels, height, width, data }
    }

    /// Channels with their padding: a multiple of [`LANES`].
    pub const fn padded(&self) -> usize {
        self.channels.next_multiple_of(LANES)
    }

    pub fn values(&self) -> &[f32] {
        &self.data
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Every channel of one pixel.
    pub fn pixel(&self, x: usize, y: usize) -> &[f32] {
        let padded = self.padded();
        &self.data[(y * self.width + x) * padded..][..padded]
    }

    /// The pixels of one row, side by side.
    pub fn row(&self, y: usize) -> &[f32] {
        let len = self.width * self.padded();
        &self.data[y * len..][..len]
    }

    /// Fills a map of zeros row by row, in parallel.
    pub fn build(
        height: usize,
        width: usize,
        channels: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self {
        Self::written(height, width, channels, |y, row| {
            row.fill(0.0);
            fill(y, row);
        })
    }

    /// [`Map::build`] by what writes every number of a row.
    pub fn written(
        height: usize,
        width: usize,
        channels: usize,
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self {
        let mut map = Self::stale(height, width, channels);
        map.change_rows(write);
        map
    }

    /// Changes every row in place, in parallel where that pays off.
    pub fn change_rows(&mut self, change: impl Fn(usize, &mut [f32]) + Sync) {
        let len = (self.width * self.padded()).max(1);
        if self.data.len() < SHORT {
            self.data.chunks_mut(len).enumerate().for_each(|(y, row)| change(y, row));
        } else {
            self.data.par_chunks_mut(len).enumerate().for_each(|(y, row)| change(y, row));
        }
    }
}

/// Row `y` of a picture whose channels fit one vector.
fn interleave<const CHANNELS: usize>(planes: &Planes, y: usize, row: &mut [f32]) {
    let (area, width) = (planes.height * planes.width, planes.width);
    let mut lines: [&[f32]; CHANNELS] = [&[]; CHANNELS];
    for (channel, line) in lines.iter_mut().enumerate() {
        *line = &planes.data[channel * area + y * width..][..width];
    }
    for (x, to) in row.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut pixel = [0.0; LANES];
        for (line, value) in lines.iter().zip(&mut pixel) {
            *value = line[x];
        }
        *to = pixel;
    }
}
