//! Numbers for each pixel of a picture, and their means over windows.

use rayon::prelude::*;

use crate::nets::Stopped;
use crate::nets::cpu::Stop;

/// Numbers for each pixel, row by row.
pub(crate) struct Grid<const N: usize> {
    pub width: usize,
    pub values: Vec<[f32; N]>,
}

impl<const N: usize> Grid<N> {
    pub fn height(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    pub fn build(
        [width, height]: [usize; 2],
        stop: Stop<'_>,
        of: impl Fn(usize, usize) -> [f32; N] + Sync,
    ) -> Result<Self, Stopped> {
        let mut values = vec![[0.0; N]; width * height];
        each_row(&mut values, width, stop, |y, row| {
            row.iter_mut().enumerate().for_each(|(x, to)| *to = of(x, y));
        })?;
        Ok(Self { width, values })
    }

    pub fn map<const M: usize>(
        &self,
        stop: Stop<'_>,
        of: impl Fn(&[f32; N]) -> [f32; M] + Sync,
    ) -> Result<Grid<M>, Stopped> {
        let sides = [self.width, self.height()];
        Grid::build(sides, stop, |x, y| of(&self.values[y * self.width + x]))
    }

    fn transposed(&self, stop: Stop<'_>) -> Result<Self, Stopped> {
        let sides = [self.height(), self.width];
        Self::build(sides, stop, |x, y| self.values[x * self.width + y])
    }

    /// The mean over windows of `2 radius + 1` in each row, cut at its ends.
    fn mean_along_rows(&self, radius: usize, stop: Stop<'_>) -> Result<Self, Stopped> {
        let width = self.width;
        let mut values = vec![[0.0; N]; self.values.len()];
        each_row(&mut values, width, stop, |y, to| {
            let from = &self.values[y * width..][..width];
            let mut sum = [0.0f64; N];
            let add = |sum: &mut [f64; N], value: &[f32; N], sign: f64| {
                sum.iter_mut().zip(value).for_each(|(sum, v)| *sum += sign * f64::from(*v));
            };
            from.iter().take(radius).for_each(|value| add(&mut sum, value, 1.0));
            for (x, to) in to.iter_mut().enumerate() {
                if let Some(entering) = from.get(x + radius) {
                    add(&mut sum, entering, 1.0);
                }
                if x > radius {
                    add(&mut sum, &from[x - radius - 1], -1.0);
                }
                let count = (x + radius + 1).min(width) - x.saturating_sub(radius);
                *to = sum.map(|sum| (sum / count as f64) as f32);
            }
        })?;
        Ok(Self { width, values })
    }

    /// The mean over square windows.
    pub fn mean(&self, radius: usize, stop: Stop<'_>) -> Result<Self, Stopped> {
        let along = self.mean_along_rows(radius, stop)?.transposed(stop)?;
        along.mean_along_rows(radius, stop)?.transposed(stop)
    }

    /// The value at continuous indices, where whole numbers are pixel centres.
    pub fn bilinear(&self, x: f64, y: f64) -> [f32; N] {
        let tap = |at: f64, len: usize| {
            let at = at.clamp(0.0, len as f64 - 1.0);
            let low = at as usize;
            (low, (low + 1).min(len - 1), (at - low as f64) as f32)
        };
        let ((left, right, along), (top, bottom, down)) =
            (tap(x, self.width), tap(y, self.height()));
        let at = |x: usize, y: usize| &self.values[y * self.width + x];
        let (a, b, c, d) = (at(left, top), at(right, top), at(left, bottom), at(right, bottom));
        std::array::from_fn(|n| {
            let (above, below) = (a[n] + (b[n] - a[n]) * along, c[n] + (d[n] - c[n]) * along);
            above + (below - above) * down
        })
    }
}

/// `work` on each row and its number, in parallel, unless `stop` answers true before one.
pub(super) fn each_row<T: Send>(
    values: &mut [T],
    width: usize,
    stop: Stop<'_>,
    work: impl Fn(usize, &mut [T]) + Sync,
) -> Result<(), Stopped> {
    values.par_chunks_mut(width.max(1)).enumerate().try_for_each(|(y, row)| {
        if stop() {
            return Err(Stopped);
        }
        work(y, row);
        Ok(())
    })
}
