//! Pictures and vectors on their way into and out of a network.

use serde::Serialize;

use super::cost::bilinear_taps;
use super::graph::Grid;

/// Channel planes of 32-bit floats, `[channels, height, width]` row by row.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Planes {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub data: Vec<f32>,
}

impl Planes {
    /// A vector: one pixel.
    pub fn vector(data: Vec<f32>) -> Self {
        Self { channels: data.len(), height: 1, width: 1, data }
    }

    /// The planes with the last row and column repeated up to multiples of `multiple`.
    pub fn pad_to_multiple(&self, multiple: usize) -> Self {
        let (height, width) = (self.height, self.width);
        let to_height = height.next_multiple_of(multiple);
        let to_width = width.next_multiple_of(multiple);
        if (to_height, to_width) == (height, width) {
            return self.clone();
        }
        let mut data = Vec::with_capacity(self.channels * to_height * to_width);
        for plane in self.data.chunks_exact(height * width) {
            for y in 0..to_height {
                let row = &plane[y.min(height - 1) * width..][..width];
                data.extend((0..to_width).map(|x| row[x.min(width - 1)]));
            }
        }
        Self { channels: self.channels, height: to_height, width: to_width, data }
    }

    /// Logits of the channels to probabilities that add up to 1 at each pixel.
    pub fn softmax(&self) -> Self {
        let area = self.height * self.width;
        let mut data = self.data.clone();
        for pixel in 0..area {
            let logits = || self.data.iter().skip(pixel).step_by(area);
            let top = logits().fold(f32::NEG_INFINITY, |top, logit| top.max(*logit));
            let total: f32 = logits().map(|logit| (logit - top).exp()).sum();
            for value in data.iter_mut().skip(pixel).step_by(area) {
                *value = (*value - top).exp() / total;
            }
        }
        Self { data, ..*self }
    }

    /// Resampled bilinearly; pixels are areas.
    pub fn bilinear(&self, height: usize, width: usize) -> Self {
        let rows = bilinear_taps(self.height, height, Grid::HalfPixel);
        let columns = bilinear_taps(self.width, width, Grid::HalfPixel);
        let mut data = Vec::with_capacity(self.channels * height * width);
        for plane in self.data.chunks_exact((self.height * self.width).max(1)) {
            for &(top, bottom, down) in &rows {
                let [above, below] = [top, bottom].map(|row| &plane[row * self.width..]);
                data.extend(columns.iter().map(|&(left, right, along)| {
                    let [above, below] =
                        [above, below].map(|row| row[left] + (row[right] - row[left]) * along);
                    above + (below - above) * down
                }));
            }
        }
        Self { channels: self.channels, height, width, data }
    }

    /// Resampled by the four nearest rows and columns with the kernel of Keys (1981), a = -0.75,
    /// as wide however much it reduces; pixels are areas. PyTorch's and ncnn's `bicubic`.
    pub fn bicubic(&self, height: usize, width: usize) -> Self {
        let rows = bicubic_taps(self.height, height);
        let columns = bicubic_taps(self.width, width);
        let mut data = Vec::with_capacity(self.channels * height * width);
        let mut along = vec![0.0; self.height * width];
        for plane in self.data.chunks_exact((self.height * self.width).max(1)) {
            for (row, to) in plane.chunks_exact(self.width).zip(along.chunks_exact_mut(width)) {
                for (to, taps) in to.iter_mut().zip(&columns) {
                    *to = taps.iter().map(|&(at, weight)| row[at] * weight).sum();
                }
            }
            for taps in &rows {
                let column = |x: usize| {
                    taps.iter().map(|&(at, weight)| along[at * width + x] * weight).sum::<f32>()
                };
                data.extend((0..width).map(column));
            }
        }
        Self { channels: self.channels, height, width, data }
    }

    /// The top left part.
    pub fn crop(self, height: usize, width: usize) -> Self {
        if (self.height, self.width) == (height, width) {
            return self;
        }
        let mut data = Vec::with_capacity(self.channels * height * width);
        for plane in self.data.chunks_exact(self.height * self.width) {
            for row in plane.chunks_exact(self.width).take(height) {
                data.extend_from_slice(&row[..width]);
            }
        }
        Self { channels: self.channels, height, width, data }
    }
}

/// For each of `to` results along an axis of `from` pixels, which four pixels count how much.
fn bicubic_taps(from: usize, to: usize) -> Vec<[(usize, f32); 4]> {
    const A: f64 = -0.75;
    let weight = |away: f64| match away.abs() {
        x if x <= 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A,
        _ => 0.0,
    };
    let step = from as f64 / to as f64;
    let taps = |at: usize| {
        let place = (at as f64 + 0.5) * step - 0.5;
        [-1.0, 0.0, 1.0, 2.0].map(|tap| {
            let pixel = place.floor() + tap;
            (pixel.clamp(0.0, from as f64 - 1.0) as usize, weight(place - pixel) as f32)
        })
    };
    (0..to).map(taps).collect()
}
