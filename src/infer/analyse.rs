//! Finds a face in a photo and the code of a generator that draws it.

use std::sync::Arc;

use super::aids::Aids;
use super::faces;
use super::invert::{Wanted, search};
use super::protocol::{Faces, ModelRef, Stage};
use super::worker::{Context, End, Models};
use crate::color::WorkingProfile;
use crate::faces::{Bounds, Face, Wants};
use crate::geom::Point;
use crate::latent::invert::Options;
use crate::latent::{Code, Tuning};
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::portrait::{self, Anchors, CropTransform, SoftMask, Template};
use crate::zoo::Purpose;

/// How much the surroundings of the face count: enough that its outline falls into place.
const SURROUNDINGS: f32 = 0.25;

/// Find a face in a photo and the code of a generator that draws it.
#[derive(Clone, Debug)]
pub struct Analyse {
    /// RGBA with straight alpha, encoded in `profile`.
    pub image: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    /// The networks that find a face and its points.
    pub finders: Vec<(Purpose, ModelRef)>,
    /// The generator.
    pub model: ModelRef,
    pub template: Template,
    pub aids: Aids,
    /// The largest face where `None`; else the one that is nearest to this place.
    pub near: Option<Point>,
    /// Where the search starts; where `None`, at the mean of W or what an encoder reads.
    pub start: Option<Arc<Code>>,
    pub options: Options,
}

/// What an [`Analyse`] has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysed {
    pub crop: CropTransform,
    pub mask: SoftMask,
    pub code: Code,
    /// The generator's picture of the code: three planes of sRGB, nominally `0..=1`.
    pub reconstruction: Planes,
    /// How near it comes to the photo, in dB, where the mask is.
    pub fidelity_db: f64,
    /// How different the two look to the judge, where there is one.
    pub perceptual: Option<f64>,
    /// Whether that is LPIPS, as in [`Inverted`](super::invert::Inverted).
    pub is_lpips: bool,
    /// How much the face is still the same one, where a network describes faces: a cosine.
    pub identity: Option<f64>,
    /// What the generator's weights were tuned by, if they were: the code's pictures are those of
    /// [`ModelRef::Tuned`].
    pub tuning: Option<Arc<Tuning>>,
    /// The faces in the photo.
    pub faces: Vec<Bounds>,
}

pub(super) fn run(
    task: &Analyse,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Analysed, End> {
    context.progress(Stage::Loading, 0, 1, 0.0);
    let look = Faces {
        image: Arc::clone(&task.image),
        profile: task.profile.clone(),
        wants: Wants { landmarks: true, ..Wants::default() },
        models: task.finders.clone(),
    };
    let found = faces::run(&look, models, context)?;
    let (crop, outline) = located(&found, task.template, task.near)?;
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    let judges = task.aids.judges(models)?;
    let photo = (&*task.image, &task.profile, &crop);
    let guesses = match task.start {
        Some(_) => Vec::new(),
        None => task.aids.guesses(photo, models, context)?,
    };
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let side = generator.space().side;
    let picture = portrait::crop(&task.image, &task.profile, &crop, side as u32)?;
    let mask = SoftMask::face(outline);
    let inside = mask.of_crop(&crop, side);
    let weights = inside.iter().map(|weight| weight.max(SURROUNDINGS)).collect();
    let (template, start) = (task.template, task.start.as_deref());
    let wanted = Wanted { picture, weights, template, start, guesses, hash: &hash };
    let inverted = search(&wanted, judges, &task.options, generator, context)?;
    let fidelity_db = portrait::fidelity_db(&wanted.picture, &inverted.reconstruction, &inside)?;
    Ok(Analysed {
        crop,
        mask,
        code: inverted.code,
        reconstruction: inverted.reconstruction,
        fidelity_db,
        perceptual: inverted.perceptual,
        is_lpips: inverted.is_lpips,
        identity: inverted.identity,
        tuning: inverted.tuning,
        faces: found.iter().map(|face| face.bounds).collect(),
    })
}

/// Where a template has the face nearest to a place, else the largest, and its outline.
pub(super) fn located(
    faces: &[Face],
    template: Template,
    near: Option<Point>,
) -> Result<(CropTransform, Vec<Point>), End> {
    let face = chosen(faces, near);
    let face = face.ok_or_else(|| End::Refused("no face was found in the picture".into()))?;
    aligned(face, template).map_err(End::Failed)
}

/// Where a template has a face, and its outline.
///
/// # Errors
/// Where its points are not known or make no face; one sentence.
pub(super) fn aligned(
    face: &Face,
    template: Template,
) -> Result<(CropTransform, Vec<Point>), String> {
    let points = face.landmarks.as_deref().and_then(Anchors::of_mesh).zip(face.outline());
    let (anchors, outline) = points.ok_or("the points of the face cannot be seen")?;
    let crop = CropTransform::align(&anchors, template).map_err(|err| err.to_string())?;
    Ok((crop, outline))
}

/// The face nearest to a place, else the largest.
pub(super) fn chosen(faces: &[Face], near: Option<Point>) -> Option<&Face> {
    let rank = |face: &&Face| match near {
        Some(place) => -face.bounds.centre().distance(place),
        None => face.bounds.width * face.bounds.height,
    };
    faces.iter().max_by(|a, b| rank(a).total_cmp(&rank(b)))
}
