//! Expression, age, gender and 68 points by face-api.js's networks.

use serde::Serialize;

use super::{Face, Run, crop, misshapen};
use crate::geom::{Affine, Point};
use crate::nets::graph::Edge;
use crate::nets::{FaceDense, Planes};
use crate::pixels::PixelBuf;
use crate::zoo::{Purpose, Range};

/// Side of the networks' picture.
const SIDE: usize = 112;
/// Side of the crop over the longer side of the box: the networks learnt with a detector whose
/// boxes are that much larger.
const MARGIN: f64 = 1.25;
/// What the networks want.
const RANGE: Range = Range::Normalised { mean: FaceDense::MEAN, deviation: [1.0; 3] };

/// Probabilities of what a face shows; they add up to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Expression {
    pub neutral: f32,
    pub happy: f32,
    pub sad: f32,
    pub angry: f32,
    pub fearful: f32,
    pub disgusted: f32,
    pub surprised: f32,
}

impl Expression {
    /// The likeliest and its probability.
    pub fn strongest(self) -> (&'static str, f32) {
        let all = [
            ("neutral", self.neutral),
            ("happy", self.happy),
            ("sad", self.sad),
            ("angry", self.angry),
            ("fearful", self.fearful),
            ("disgusted", self.disgusted),
            ("surprised", self.surprised),
        ];
        all.into_iter()
            .fold(("neutral", -1.0), |best, each| if each.1 > best.1 { each } else { best })
    }
}

pub fn expression(image: &PixelBuf, face: &Face, run: &mut dyn Run) -> Result<Expression, String> {
    let results = run.run(Purpose::Expression, &[upright(image, face)])?;
    let [logits] = results.as_slice() else { return Err(misshapen(Purpose::Expression)) };
    let probabilities = logits.softmax().data;
    let [neutral, happy, sad, angry, fearful, disgusted, surprised] = probabilities[..] else {
        return Err(misshapen(Purpose::Expression));
    };
    Ok(Expression { neutral, happy, sad, angry, fearful, disgusted, surprised })
}

/// Age in years and the probability of male.
pub fn age_and_male(
    image: &PixelBuf,
    face: &Face,
    run: &mut dyn Run,
) -> Result<(f32, f32), String> {
    let results = run.run(Purpose::AgeGender, &[upright(image, face)])?;
    let [age, gender] = results.as_slice() else { return Err(misshapen(Purpose::AgeGender)) };
    match (&age.data[..], &gender.softmax().data[..]) {
        (&[age], &[male, _female]) => Ok((age, male)),
        _ => Err(misshapen(Purpose::AgeGender)),
    }
}

/// The 68 points of iBUG's scheme, in pixels.
pub fn points(image: &PixelBuf, face: &Face, run: &mut dyn Run) -> Result<Vec<Point>, String> {
    let results = run.run(Purpose::FacePoints, &[upright(image, face)])?;
    let points = match results.as_slice() {
        [points] if points.data.len() == 2 * 68 => &points.data,
        _ => return Err(misshapen(Purpose::FacePoints)),
    };
    let map = square(face);
    let point = |unit: &[f32]| {
        let (x, y) = map.apply(unit[0].into(), unit[1].into());
        Point::new(x as f32, y as f32)
    };
    Ok(points.chunks_exact(2).map(point).collect())
}

/// The square around the face.
fn upright(image: &PixelBuf, face: &Face) -> Planes {
    crop::square(image, square(face), SIDE, Edge::Zero, RANGE)
}

/// From the unit square to that around the face.
fn square(face: &Face) -> Affine {
    let centre = face.bounds.centre();
    let side_px = f64::from(face.bounds.width.max(face.bounds.height)) * MARGIN;
    Affine::translation(centre.x.into(), centre.y.into())
        .after(Affine::scale(side_px, side_px))
        .after(Affine::translation(-0.5, -0.5))
}
