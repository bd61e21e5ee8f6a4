//! Faces in a picture: where they are, their points, and what networks make of them.
//!
//! Pure arithmetic around the networks: who runs them is the caller's business. The pipeline is
//! MediaPipe's (boxes and six key points by BlazeFace, then 468 points in a turned crop) and
//! face-api.js's (expression, age, gender and 68 points in an upright one).

mod crop;
mod detect;
mod landmarks;
mod outline;
mod traits;

use serde::Serialize;

use crate::geom::Point;
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::zoo::Purpose;

pub use traits::Expression;

/// Runs networks.
pub trait Run {
    /// The results of the network for `which` on `inputs`.
    ///
    /// # Errors
    /// Why there are none, for people.
    fn run(&mut self, which: Purpose, inputs: &[Planes]) -> Result<Vec<Planes>, String>;
}

/// What to find out beside boxes and key points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// 468 points.
    pub landmarks: bool,
    /// 68 points.
    pub points: bool,
    pub expression: bool,
    pub age_gender: bool,
}

/// An upright rectangle in pixels; may reach beyond the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Bounds {
    pub fn centre(self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// Points that the detector finds, in pixels; right and left as the person sees them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KeyPoints {
    pub right_eye: Point,
    pub left_eye: Point,
    pub nose_tip: Point,
    pub mouth: Point,
    pub right_ear: Point,
    pub left_ear: Point,
}

/// A face.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Face {
    /// From the forehead to the chin.
    pub bounds: Bounds,
    /// How sure the detector is, `0.5..=1`.
    pub score: f32,
    pub key_points: KeyPoints,
    /// The 468 points of MediaPipe's face mesh: x, y in pixels, z in the same unit with the
    /// face's middle at 0, less is nearer. `None` where not asked for, or where the network
    /// sees no face.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<Vec<[f32; 3]>>,
    /// The 68 points of iBUG's scheme (Sagonas et al. 2013), in pixels: jaw, brows, nose, eyes and
    /// mouth, from the left of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<Vec<Point>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
    /// Age in years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<f32>,
    /// Probability of male, `0..=1`; the rest is that of female.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub male: Option<f32>,
}

/// The faces of `image` (RGBA, encoded sRGB), the surest first.
///
/// # Errors
/// Those of `run`, and where a network's results have another shape than the pipeline needs.
pub fn analyse(image: &PixelBuf, run: &mut dyn Run, wants: Wants) -> Result<Vec<Face>, String> {
    let mut faces = detect::detect(image, run)?;
    for face in &mut faces {
        if wants.landmarks {
            face.landmarks = landmarks::landmarks(image, face, run)?;
        }
        if wants.points {
            face.points = Some(traits::points(image, face, run)?);
        }
        if wants.expression {
            face.expression = Some(traits::expression(image, face, run)?);
        }
        if wants.age_gender {
            let (age, male) = traits::age_and_male(image, face, run)?;
            (face.age, face.male) = (Some(age), Some(male));
        }
    }
    Ok(faces)
}

/// Logit to probability; logits beyond ±100 are the same as those.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit.clamp(-100.0, 100.0)).exp())
}

/// The error for results of another shape.
fn misshapen(which: Purpose) -> String {
    format!("the network for {which} gave results of another shape")
}
