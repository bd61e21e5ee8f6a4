//! Features by place: what is sampled, compared and followed in the pictures of a layer.

use std::ops::Range;

use super::Place;
use crate::nets::Planes;

/// Features `[channels, height, width]` under a picture.
pub(super) struct Field<'a> {
    planes: &'a Planes,
    /// Cells a pixel of the picture, across and down.
    scale: [f32; 2],
}

impl<'a> Field<'a> {
    /// Under a square picture of `side` pixels.
    pub(super) fn new(planes: &'a Planes, side: usize) -> Self {
        let scale = [planes.width, planes.height].map(|cells| cells as f32 / side as f32);
        Self { planes, scale }
    }

    /// The four cells around a place and their shares; beyond the border its cells go on.
    fn taps(&self, place: Place) -> [(usize, f32); 4] {
        let Planes { height, width, .. } = *self.planes;
        let axis = |at: f32, scale: f32, cells: usize| {
            let at = (at * scale - 0.5).clamp(0.0, cells as f32 - 1.0);
            let first = at as usize;
            (first, (first + 1).min(cells - 1), at - first as f32)
        };
        let (left, right, x) = axis(place[0], self.scale[0], width);
        let (top, bottom, y) = axis(place[1], self.scale[1], height);
        [
            (top * width + left, (1.0 - x) * (1.0 - y)),
            (top * width + right, x * (1.0 - y)),
            (bottom * width + left, (1.0 - x) * y),
            (bottom * width + right, x * y),
        ]
    }

    /// The features at a place, bilinear.
    pub(super) fn at(&self, place: Place) -> impl Iterator<Item = f32> {
        let taps = self.taps(place);
        let planes = self.planes.data.chunks_exact(self.planes.height * self.planes.width);
        planes.map(move |plane| taps.iter().map(|(cell, share)| share * plane[*cell]).sum())
    }

    /// The features of the patch of `radius_px` about a place, by which it is known again.
    pub(super) fn patch(&self, about: Place, radius_px: f32) -> impl Iterator<Item = f32> {
        disk(about, radius_px).flat_map(|place| self.at(place))
    }

    /// How far the features around `handle` are from those one pixel nearer to `target` (motion
    /// supervision): the mean absolute difference of the patch of `radius_px` to the patch there,
    /// of which alone the gradient goes into `slope`. Nothing where the handle has arrived.
    pub(super) fn motion(
        &self,
        [handle, target]: [Place; 2],
        radius_px: f32,
        slope: &mut Planes,
    ) -> f64 {
        let away = distance(handle, target);
        if away <= 0.0 {
            return 0.0;
        }
        let shift = [0, 1].map(|axis| (target[axis] - handle[axis]) / away.max(1.0));
        let area = self.planes.height * self.planes.width;
        let patch: Vec<Place> = disk(handle, radius_px).collect();
        let unit = 1.0 / (patch.len() * self.planes.channels) as f32;
        let mut loss = 0.0;
        for place in patch {
            let ahead = [place[0] + shift[0], place[1] + shift[1]];
            let taps = self.taps(ahead);
            let pairs = self.at(place).zip(self.at(ahead));
            for ((own, next), slope) in pairs.zip(slope.data.chunks_exact_mut(area)) {
                loss += f64::from((next - own).abs() * unit);
                let sign = sign(next - own) * unit;
                taps.iter().for_each(|(cell, share)| slope[*cell] += sign * share);
            }
        }
        loss
    }

    /// The place in the square of `reach_px` about `around` whose patch of `radius_px` is nearest
    /// to `wanted` (point tracking), inside the picture. The paper compares the place alone; the
    /// few channels of a small network tell places along a line, such as a lip, not apart.
    pub(super) fn nearest(
        &self,
        (wanted, radius_px): (&[f32], f32),
        around: Place,
        reach_px: f32,
        step_px: f32,
    ) -> Place {
        let off = |place: Place| -> f32 {
            let pairs = self.patch(place, radius_px).zip(wanted);
            pairs.map(|(have, want)| (have - want).abs()).sum()
        };
        let ends = [self.planes.width as f32, self.planes.height as f32];
        let ends: [f32; 2] = std::array::from_fn(|axis| ends[axis] / self.scale[axis]);
        let inside = |place: &Place| (0..2).all(|a| (0.0..=ends[a]).contains(&place[a]));
        // The middle first: where all are alike it stays.
        let mut best = (around, off(around));
        for place in lattice(around, reach_px, step_px).filter(inside) {
            let off = off(place);
            if off < best.1 {
                best = (place, off);
            }
        }
        best.0
    }
}

/// The places of a patch: few are enough, a small one wants some. As many wherever it lies.
fn disk(about: Place, radius_px: f32) -> impl Iterator<Item = Place> {
    let step_px = (radius_px / 2.0).clamp(0.25, 1.0);
    let inside = move |off: &Place| off[0].hypot(off[1]) <= radius_px;
    let offsets = lattice([0.0; 2], radius_px, step_px).filter(inside);
    offsets.map(move |off| [about[0] + off[0], about[1] + off[1]])
}

/// Places `step_px` apart in the square of `radius_px` about a place, which is one of them.
fn lattice(about: Place, radius_px: f32, step_px: f32) -> impl Iterator<Item = Place> {
    let reach = (radius_px / step_px + 1e-3) as i32;
    let steps = move || -reach..=reach;
    let at = move |x: i32, y: i32| [about[0] + x as f32 * step_px, about[1] + y as f32 * step_px];
    steps().flat_map(move |y| steps().map(move |x| at(x, y)))
}

/// The mean absolute difference of `features` to `origin`, each cell times its share in `keep`;
/// its gradient times `weight` goes into `slope`.
pub(super) fn change(
    features: &Planes,
    origin: &Planes,
    keep: &[f32],
    weight: f32,
    slope: &mut Planes,
) -> f64 {
    let unit = 1.0 / features.data.len().max(1) as f32;
    let mut sum = 0.0;
    let pairs = features.data.iter().zip(&origin.data).zip(keep.iter().cycle());
    for (((have, was), keep), slope) in pairs.zip(&mut slope.data) {
        sum += f64::from(keep * (have - was).abs());
        *slope += weight * unit * keep * sign(have - was);
    }
    sum * f64::from(unit)
}

/// Means of a square of `side` × `side` numbers over `height` × `width` cells.
pub(super) fn cells(values: &[f32], side: usize, height: usize, width: usize) -> Vec<f32> {
    let pixels = |cell: usize, cells: usize| -> Range<usize> {
        let first = cell * side / cells;
        first..((cell + 1) * side).div_ceil(cells)
    };
    let mean = |cell: usize| {
        let (rows, columns) = (pixels(cell / width, height), pixels(cell % width, width));
        let count = (rows.len() * columns.len()) as f32;
        let row = |y: usize| &values[y * side..][columns.clone()];
        rows.flat_map(row).sum::<f32>() / count
    };
    (0..height * width).map(mean).collect()
}

pub(super) fn distance(a: Place, b: Place) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// 0 where there is no difference, unlike `f32::signum`.
fn sign(x: f32) -> f32 {
    f32::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::random::normal_latent;

    fn random(seed: u64) -> Planes {
        Planes { channels: 3, height: 8, width: 8, data: normal_latent(seed, 192, 1.0) }
    }

    #[test]
    fn features_between_cells_are_mixed() {
        let data = (0..64).map(|at| (at % 8) as f32 + 10.0 * (at / 8) as f32).collect();
        let planes = Planes { channels: 1, height: 8, width: 8, data };
        // Two pixels of the picture a cell.
        let field = Field::new(&planes, 16);
        let at = |x, y| field.at([x, y]).next().unwrap();
        assert_eq!(at(1.0, 1.0), 0.0);
        assert_eq!(at(6.0, 9.0), 2.5 + 40.0);
        assert_eq!(at(0.0, 0.0), 0.0);
        assert_eq!(at(16.0, 16.0), 77.0);
    }

    /// What is moved is only the patch ahead: the one at the handle stands for itself.
    #[test]
    fn the_slope_of_the_motion_is_that_of_the_patch_ahead() {
        let (features, ends) = (random(1), [[3.3, 4.1], [6.0, 7.0]]);
        let mut slope = Planes { data: vec![0.0; 192], ..features };
        let loss = Field::new(&features, 8).motion(ends, 1.0, &mut slope);
        let apart = |ahead: &Planes| {
            let away = distance(ends[0], ends[1]);
            let shift = [0, 1].map(|axis| (ends[1][axis] - ends[0][axis]) / away);
            let (own, ahead) = (Field::new(&features, 8), Field::new(ahead, 8));
            let steps = (-2i32..=2).flat_map(|y| (-2i32..=2).map(move |x| (x, y)));
            let disk: Vec<(i32, i32)> = steps.filter(|(x, y)| x * x + y * y <= 4).collect();
            let sum = disk.iter().map(|(x, y)| {
                let place = [ends[0][0] + 0.5 * *x as f32, ends[0][1] + 0.5 * *y as f32];
                let next = [place[0] + shift[0], place[1] + shift[1]];
                let pairs = own.at(place).zip(ahead.at(next));
                pairs.map(|(a, b)| f64::from((a - b).abs())).sum::<f64>()
            });
            sum.sum::<f64>() / (3 * disk.len()) as f64
        };
        assert!((loss - apart(&features)).abs() < 1e-5);
        let along = normal_latent(2, 192, 1.0);
        let moved = |step: f32| {
            let data = features.data.iter().zip(&along).map(|(x, d)| x + step * d).collect();
            apart(&Planes { data, ..features })
        };
        let measured = (moved(1e-3) - moved(-1e-3)) / 2e-3;
        let told: f64 = slope.data.iter().zip(&along).map(|(s, d)| f64::from(s * d)).sum();
        assert!((measured - told).abs() < 1e-2 * measured.abs().max(0.1), "{measured} {told}");
        // Where it has arrived, nothing moves.
        let mut slope = Planes { data: vec![0.0; 192], ..features };
        let still = Field::new(&features, 8).motion([ends[0]; 2], 1.0, &mut slope);
        assert_eq!((still, slope.data.iter().all(|x| *x == 0.0)), (0.0, true));
    }

    #[test]
    fn a_point_is_found_where_its_features_are() {
        let planes = random(3);
        let field = Field::new(&planes, 8);
        let wanted: Vec<f32> = field.at([5.5, 2.5]).collect();
        // A patch of no size is its middle.
        assert_eq!(field.nearest((&wanted, 0.0), [4.0, 3.0], 2.0, 0.5), [5.5, 2.5]);
        let patch: Vec<f32> = field.patch([5.5, 2.5], 1.5).collect();
        assert!(patch.len() > wanted.len() && patch.len().is_multiple_of(3));
        assert_eq!(field.nearest((&patch, 1.5), [4.0, 3.0], 2.0, 0.5), [5.5, 2.5]);
        // Out of reach it is not seen, and where all is alike nothing is left.
        let near = field.nearest((&wanted, 0.0), [2.0, 6.0], 1.0, 0.5);
        assert!(distance(near, [2.0, 6.0]) <= 2.0f32.sqrt());
        let flat = Planes { data: vec![1.0; 192], ..planes };
        assert_eq!(Field::new(&flat, 8).nearest((&wanted, 0.0), [4.0, 3.0], 2.0, 0.5), [4.0, 3.0]);
    }

    #[test]
    fn what_is_kept_counts_by_its_share() {
        let (origin, features) = (random(4), random(5));
        let mut slope = Planes { data: vec![0.0; 192], ..features };
        let mut keep = vec![0.0; 64];
        keep[9] = 0.5;
        let loss = change(&features, &origin, &keep, 2.0, &mut slope);
        let off = |channel: usize| features.data[channel * 64 + 9] - origin.data[channel * 64 + 9];
        let want: f32 = (0..3).map(|channel| 0.5 * off(channel).abs() / 192.0).sum();
        assert!((loss - f64::from(want)).abs() < 1e-6);
        for (at, slope) in slope.data.iter().enumerate() {
            let want = if at % 64 == 9 { off(at / 64).signum() / 192.0 } else { 0.0 };
            assert_eq!(*slope, want, "{at}");
        }
        let quarters: Vec<f32> = (0..16).map(|at| f32::from(at % 4 < 2 && at / 4 == 0)).collect();
        assert_eq!(cells(&quarters, 4, 2, 2), [0.5, 0.0, 0.0, 0.0]);
        assert_eq!(cells(&[1.0, 2.0, 3.0, 4.0], 2, 4, 4)[..4], [1.0, 1.0, 2.0, 2.0]);
    }
}
