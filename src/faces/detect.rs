//! Boxes and key points: BlazeFace's anchors, decoding and weighted non-maximum suppression
//! (Bazarevsky et al. 2019), as MediaPipe's short-range pipeline does it.

use super::{Bounds, Face, KeyPoints, Run, crop, misshapen, sigmoid};
use crate::geom::{Affine, Point, Size};
use crate::nets::Planes;
use crate::nets::graph::Edge;
use crate::pixels::PixelBuf;
use crate::zoo::{Purpose, Range};

/// Side of the network's picture; its numbers are in pixels of it.
const SIDE: usize = 128;
/// Numbers an anchor: a box and six points.
const NUMBERS: usize = 16;
/// Least score that counts at first sight.
const MIN_SCORE: f32 = 0.5;
/// Least score that counts in a window: there are many, and each may mistake something.
const MIN_WINDOW_SCORE: f32 = 0.75;
/// Boxes that overlap more are one face.
const MIN_OVERLAP: f32 = 0.3;
/// A picture in which no face is found is looked at again in windows of half its longer side, if
/// those have at least this many pixels a side.
const MIN_WINDOW_PX: f64 = 256.0;

/// A box and its points in pixels of the picture: left, top, right, bottom, then x and y of each
/// point.
#[derive(Clone, Copy)]
struct Found {
    score: f32,
    numbers: [f32; NUMBERS],
}

/// The faces of `image`, the surest first.
pub fn detect(image: &PixelBuf, run: &mut dyn Run) -> Result<Vec<Face>, String> {
    let size = image.size();
    if size.is_empty() {
        return Ok(Vec::new());
    }
    let side = f64::from(size.width.max(size.height));
    let centre = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
    let corner = (centre.0 - side / 2.0, centre.1 - side / 2.0);
    let mut found = look(image, corner, side, MIN_SCORE, run)?;
    if found.is_empty() && side / 2.0 >= MIN_WINDOW_PX {
        for corner in windows(size, side / 2.0) {
            found.extend(look(image, corner, side / 2.0, MIN_WINDOW_SCORE, run)?);
        }
    }
    Ok(merge(found).into_iter().map(face).collect())
}

/// Top left corners of squares of `side` pixels that cover the picture and overlap by half.
fn windows(size: Size, side: f64) -> Vec<(f64, f64)> {
    let along = |len: u32| -> Vec<f64> {
        let rest = (f64::from(len) - side).max(0.0);
        let steps = (rest / (side / 2.0)).ceil().max(1.0);
        (0..=steps as u32).map(|step| rest * f64::from(step) / steps).collect()
    };
    let (columns, mut rows) = (along(size.width), along(size.height));
    rows.dedup();
    rows.iter().flat_map(|y| columns.iter().map(|x| (*x, *y))).collect()
}

/// What the network finds in a square of the picture, in pixels of the picture.
fn look(
    image: &PixelBuf,
    (left, top): (f64, f64),
    side: f64,
    min_score: f32,
    run: &mut dyn Run,
) -> Result<Vec<Found>, String> {
    let image_from_unit = Affine::translation(left, top).after(Affine::scale(side, side));
    let input = crop::square(image, image_from_unit, SIDE, Edge::Zero, Range::Signed);
    let results = run.run(Purpose::FaceDetect, &[input])?;
    let [fine_scores, coarse_scores, fine, coarse] = results.as_slice() else {
        return Err(misshapen(Purpose::FaceDetect));
    };
    let mut found = Vec::new();
    for (scores, numbers) in [(fine_scores, fine), (coarse_scores, coarse)] {
        let fits = numbers.channels == scores.channels * NUMBERS
            && (numbers.height, numbers.width) == (scores.height, scores.width);
        if !fits {
            return Err(misshapen(Purpose::FaceDetect));
        }
        found.extend(decode(scores, numbers, min_score));
    }
    for Found { numbers, .. } in &mut found {
        for (index, number) in numbers.iter_mut().enumerate() {
            let origin = if index % 2 == 0 { left } else { top };
            *number = (origin + f64::from(*number) * side) as f32;
        }
    }
    Ok(found)
}

/// The anchors of one map that score enough, in units of the square. An anchor is the centre of
/// its cell.
fn decode(scores: &Planes, numbers: &Planes, min_score: f32) -> Vec<Found> {
    let (height, width) = (scores.height, scores.width);
    let mut found = Vec::new();
    for (index, &logit) in scores.data.iter().enumerate() {
        let score = sigmoid(logit);
        if score < min_score {
            continue;
        }
        let (anchor, cell) = (index / (height * width), index % (height * width));
        let centre = [
            ((cell % width) as f32 + 0.5) / width as f32,
            ((cell / width) as f32 + 0.5) / height as f32,
        ];
        let raw: [f32; NUMBERS] = std::array::from_fn(|number| {
            let channel = anchor * NUMBERS + number;
            numbers.data[channel * height * width + cell] / SIDE as f32
        });
        let [x, y, half_width, half_height] =
            [raw[0] + centre[0], raw[1] + centre[1], raw[2] / 2.0, raw[3] / 2.0];
        let mut numbers: [f32; NUMBERS] =
            std::array::from_fn(|number| raw[number] + centre[number % 2]);
        numbers[..4].copy_from_slice(&[
            x - half_width,
            y - half_height,
            x + half_width,
            y + half_height,
        ]);
        found.push(Found { score, numbers });
    }
    found
}

/// One for each face: the mean of what overlaps the surest, weighted by score.
fn merge(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(&best) = found.first() {
        let (same, others): (Vec<Found>, Vec<Found>) =
            found.into_iter().partition(|other| overlap(&best, other) > MIN_OVERLAP);
        found = others;
        if same.is_empty() {
            // A box without area overlaps nothing, itself included.
            found.remove(0);
            continue;
        }
        let total: f32 = same.iter().map(|other| other.score).sum();
        let mean = |index: usize| {
            same.iter().map(|other| other.numbers[index] * other.score).sum::<f32>() / total
        };
        faces.push(Found { score: best.score, numbers: std::array::from_fn(mean) });
    }
    faces
}

/// Common area over the area of both together.
fn overlap(a: &Found, b: &Found) -> f32 {
    let ([al, at, ar, ab, ..], [bl, bt, br, bb, ..]) = (a.numbers, b.numbers);
    let area = |width: f32, height: f32| width.max(0.0) * height.max(0.0);
    let common = area(ar.min(br) - al.max(bl), ab.min(bb) - at.max(bt));
    let both = area(ar - al, ab - at) + area(br - bl, bb - bt) - common;
    if both > 0.0 { common / both } else { 0.0 }
}

fn face(found: Found) -> Face {
    let n = found.numbers;
    let point = |index: usize| Point::new(n[4 + 2 * index], n[5 + 2 * index]);
    Face {
        bounds: Bounds { x: n[0], y: n[1], width: n[2] - n[0], height: n[3] - n[1] },
        score: found.score,
        key_points: KeyPoints {
            right_eye: point(0),
            left_eye: point(1),
            nose_tip: point(2),
            mouth: point(3),
            right_ear: point(4),
            left_ear: point(5),
        },
        landmarks: None,
        points: None,
        expression: None,
        age: None,
        male: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_becomes_one_face_weighted_by_score() {
        let at = |x: f32, score: f32| {
            let mut numbers = [0.0; NUMBERS];
            numbers[..4].copy_from_slice(&[x, 0.0, x + 10.0, 10.0]);
            Found { score, numbers }
        };
        let merged = merge(vec![at(2.0, 0.6), at(0.0, 0.9), at(40.0, 0.7)]);
        assert_eq!(merged.len(), 2);
        assert!((merged[0].numbers[0] - 0.8).abs() < 1e-6);
        assert_eq!((merged[0].score, merged[1].score), (0.9, 0.7));
        // A degenerate box ends the loop too.
        assert!(merge(vec![Found { score: 0.9, numbers: [0.0; NUMBERS] }]).is_empty());
    }

    #[test]
    fn windows_reach_every_edge() {
        let windows = windows(Size::new(1000, 600), 500.0);
        assert!(windows.contains(&(0.0, 0.0)) && windows.contains(&(500.0, 100.0)));
        assert_eq!(windows.len(), 6);
    }
}
