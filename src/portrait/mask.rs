//! Where a portrait edit acts: softly on the face, not at all beyond the crop.

use serde::{Deserialize, Serialize};

use super::CropTransform;
use crate::geom::Point;

/// Width of the fade at the crop's border, in sides of the crop.
const BORDER: f64 = 0.08;
/// How far the fade at the outline of the face reaches to either side, in sides of the crop.
const FEATHER: f64 = 0.07;
/// How far beyond the outline the face is taken to end: the mesh stops at the hairline.
const GROWTH: f64 = 0.03;

/// A weight for each place of a photo, `0..=1`; 0 outside the crop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftMask {
    /// Convex, in photo pixels, either way round; empty where the whole crop counts.
    outline: Vec<Point>,
}

impl SoftMask {
    /// The face inside `outline`, which is convex ([`crate::faces::Face::outline`]).
    pub const fn face(outline: Vec<Point>) -> Self {
        Self { outline }
    }

    /// The whole crop but for its border: for edits that move hair or turn the head.
    pub const fn whole() -> Self {
        Self { outline: Vec::new() }
    }

    /// The weight at a place of the photo, for many places of one crop.
    pub fn weights(&self, crop: &CropTransform) -> impl Fn(f64, f64) -> f32 + Sync + use<> {
        let unit_from_photo = crop.unit_from_photo();
        let side = crop.side_px();
        let edges = edges(&self.outline);
        move |x, y| {
            let (u, v) = unit_from_photo.apply(x, y);
            let border = u.min(1.0 - u).min(v).min(1.0 - v) / BORDER;
            // To the nearest edge line, positive inside; 1 for no outline.
            let inside = edges
                .iter()
                .map(|[a, b, c]| (a * x + b * y + c) / side)
                .fold(f64::INFINITY, f64::min);
            let face = (inside + GROWTH + FEATHER) / (2.0 * FEATHER);
            (smooth(border) * smooth(face)) as f32
        }
    }

    /// The weights of the crop at `side` × `side` pixels, row by row.
    pub fn of_crop(&self, crop: &CropTransform, side: usize) -> Vec<f32> {
        let (weight, map) = (self.weights(crop), crop.photo_from_unit());
        let unit = |place: usize| (place as f64 + 0.5) / side as f64;
        let places =
            (0..side * side).map(|index| map.apply(unit(index % side), unit(index / side)));
        places.map(|(x, y)| weight(x, y)).collect()
    }
}

/// For each edge the numbers of `a x + b y + c`, its line's distance, positive inside.
fn edges(outline: &[Point]) -> Vec<[f64; 3]> {
    let points: Vec<[f64; 2]> = outline.iter().map(|p| [p.x.into(), p.y.into()]).collect();
    let next = |index: usize| points[(index + 1) % points.len()];
    let pairs = || points.iter().enumerate().map(|(index, a)| (*a, next(index)));
    let area: f64 = pairs().map(|(a, b)| a[0] * b[1] - a[1] * b[0]).sum();
    pairs()
        .filter_map(|(from, to)| {
            let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
            let length = dx.hypot(dy).copysign(area);
            (length.abs() > 1e-9).then(|| {
                let (a, b) = (-dy / length, dx / length);
                [a, b, -(a * from[0] + b * from[1])]
            })
        })
        .collect()
}

/// From 0 at 0 to 1 at 1 without a corner.
fn smooth(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_full_inside_half_at_its_end_and_zero_beyond() {
        let crop = CropTransform::new([50.0, 50.0], 100.0, 0.0).unwrap();
        let square = [(30.0, 30.0), (70.0, 30.0), (70.0, 70.0), (30.0, 70.0)];
        let outline: Vec<Point> = square.iter().map(|(x, y)| Point::new(*x, *y)).collect();
        let turned: Vec<Point> = outline.iter().rev().copied().collect();
        for outline in [outline, turned] {
            let weight = SoftMask::face(outline).weights(&crop);
            assert_eq!(weight(50.0, 50.0), 1.0);
            assert!((weight(73.0, 50.0) - 0.5).abs() < 1e-6);
            assert_eq!(weight(81.0, 50.0), 0.0);
            assert!(weight(70.0, 50.0) > 0.5 && weight(76.0, 50.0) < 0.5);
        }
        let weight = SoftMask::whole().weights(&crop);
        assert_eq!(weight(50.0, 9.0), 1.0);
        assert!((weight(50.0, 4.0) - 0.5).abs() < 1e-6);
        assert_eq!(weight(50.0, -0.1), 0.0);
        assert_eq!(SoftMask::whole().of_crop(&crop, 4).len(), 16);
    }
}
