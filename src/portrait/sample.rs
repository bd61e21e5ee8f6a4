//! Pictures between their pixels, and rows of pixels written in parallel.

use rayon::prelude::*;

use crate::geom::Size;
use crate::pixels::{Sample, Samples};

/// Pixels beside a place that [`bicubic`] looks at, and one for rounding.
pub(super) const REACH_PX: i32 = 3;

/// The colour at `(x, y)`, the centre of the first pixel being (0.5, 0.5), by Keys' cubic with
/// a = -1/2 (1981): exact at pixel centres, without ripples beside edges worth mentioning. The
/// outermost pixels are repeated beyond the edges.
pub(super) fn bicubic(size: Size, x: f64, y: f64, at: impl Fn(u32, u32) -> [f32; 3]) -> [f32; 3] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (weights((x - left) as f32), weights((y - top) as f32));
    let place = |first: f64, tap: usize, side: u32| {
        (first as i64 - 1 + tap as i64).clamp(0, i64::from(side) - 1) as u32
    };
    let columns: [u32; 4] = std::array::from_fn(|tap| place(left, tap, size.width));
    let mut sum = [0.0; 3];
    for (tap, down) in down.into_iter().enumerate() {
        let row = place(top, tap, size.height);
        for (column, across) in columns.into_iter().zip(across) {
            let color = at(column, row);
            sum = std::array::from_fn(|channel| sum[channel] + down * across * color[channel]);
        }
    }
    sum
}

/// The weights of four neighbours at `t` between the second and the third.
fn weights(t: f32) -> [f32; 4] {
    let (square, cube) = (t * t, t * t * t);
    [
        (-cube + 2.0 * square - t) / 2.0,
        (3.0 * cube - 5.0 * square + 2.0) / 2.0,
        (-3.0 * cube + 4.0 * square + t) / 2.0,
        (cube - square) / 2.0,
    ]
}

/// A row of a picture that is written to.
pub(super) enum Row<'a> {
    U8(&'a mut [u8]),
    U16(&'a mut [u16]),
}

impl Row<'_> {
    /// Quantises `values`, nominally `0..=1`, into the samples from `at` on.
    pub(super) fn set<const N: usize>(&mut self, at: usize, values: [f32; N]) {
        match self {
            Self::U8(row) => {
                row[at..at + N].iter_mut().zip(values).for_each(|(to, v)| *to = u8::from_f32(v));
            }
            Self::U16(row) => {
                row[at..at + N].iter_mut().zip(values).for_each(|(to, v)| *to = u16::from_f32(v));
            }
        }
    }
}

/// Calls `work` with each row of `stride` samples and its number, in parallel.
pub(super) fn each_row(
    samples: &mut Samples,
    stride: usize,
    work: impl Fn(u32, &mut Row<'_>) + Sync,
) {
    match samples {
        Samples::U8(samples) => samples
            .par_chunks_exact_mut(stride)
            .enumerate()
            .for_each(|(y, row)| work(y as u32, &mut Row::U8(row))),
        Samples::U16(samples) => samples
            .par_chunks_exact_mut(stride)
            .enumerate()
            .for_each(|(y, row)| work(y as u32, &mut Row::U16(row))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_are_exact_and_straight_lines_stay_straight() {
        let at = |x: u32, y: u32| [x as f32, y as f32, 3.0];
        let size = Size::new(8, 8);
        assert_eq!(bicubic(size, 3.5, 5.5, at), [3.0, 5.0, 3.0]);
        let [x, y, flat] = bicubic(size, 3.8, 4.25, at);
        assert!((x - 3.3).abs() < 1e-5 && (y - 3.75).abs() < 1e-5 && (flat - 3.0).abs() < 1e-5);
        // Beyond the edge the outermost pixel goes on.
        assert_eq!(bicubic(size, -9.0, 0.5, at)[0], 0.0);
        assert_eq!(bicubic(size, 99.0, 0.5, at)[0], 7.0);
        for t in [0.0, 0.2, 0.5, 0.9] {
            assert!((weights(t).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}
