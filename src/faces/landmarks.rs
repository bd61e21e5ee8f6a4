//! The 468 points of MediaPipe's face mesh.

use super::{Face, Run, crop, misshapen, sigmoid};
use crate::geom::Affine;
use crate::nets::FaceMesh;
use crate::nets::graph::Edge;
use crate::pixels::PixelBuf;
use crate::zoo::{Purpose, Range};

/// Side of the network's picture; its points are in pixels of it.
const SIDE: usize = 192;
/// Side of the crop over the longer side of the box.
const MARGIN: f64 = 1.5;
/// Least probability that there is a face.
const MIN_PRESENCE: f32 = 0.5;

/// The points of `face`, or `None` where the network sees no face.
pub fn landmarks(
    image: &PixelBuf,
    face: &Face,
    run: &mut dyn Run,
) -> Result<Option<Vec<[f32; 3]>>, String> {
    let (image_from_unit, side_px) = region(face);
    let input = crop::square(image, image_from_unit, SIDE, Edge::Replicate, Range::Unit);
    let results = run.run(Purpose::FaceLandmarks, &[input])?;
    let [points, presence] = results.as_slice() else {
        return Err(misshapen(Purpose::FaceLandmarks));
    };
    if points.data.len() != 3 * FaceMesh::POINTS || presence.data.len() != 1 {
        return Err(misshapen(Purpose::FaceLandmarks));
    }
    if sigmoid(presence.data[0]) < MIN_PRESENCE {
        return Ok(None);
    }
    let unit = |value: f32| f64::from(value) / SIDE as f64;
    let point = |point: &[f32]| {
        let (x, y) = image_from_unit.apply(unit(point[0]), unit(point[1]));
        [x as f32, y as f32, (unit(point[2]) * side_px) as f32]
    };
    Ok(Some(points.data.chunks_exact(3).map(point).collect()))
}

/// The map from the unit square to a square around the face, turned so that the eyes are level,
/// and its side.
fn region(face: &Face) -> (Affine, f64) {
    let (right, left) = (face.key_points.right_eye, face.key_points.left_eye);
    let angle_rad = f64::from(left.y - right.y).atan2(f64::from(left.x - right.x));
    let side_px = f64::from(face.bounds.width.max(face.bounds.height)) * MARGIN;
    let centre = face.bounds.centre();
    let image_from_unit = Affine::translation(centre.x.into(), centre.y.into())
        .after(Affine::rotation(angle_rad))
        .after(Affine::scale(side_px, side_px))
        .after(Affine::translation(-0.5, -0.5));
    (image_from_unit, side_px)
}
