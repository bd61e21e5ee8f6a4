//! Finds a face in a photo and the code of a generator that draws it.

use std::sync::Arc;

use super::faces;
use super::invert::{Wanted, search};
use super::protocol::{Analyse, Analysed, Faces, Stage};
use super::worker::{Context, End, Models};
use crate::faces::{Face, Wants};
use crate::geom::Point;
use crate::portrait::{self, Anchors, CropTransform, SoftMask, Template};

/// How much the surroundings of the face count: enough that its outline falls into place.
const SURROUNDINGS: f32 = 0.25;

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
    let face = chosen(&found, task.near)
        .ok_or_else(|| End::Refused("no face was found in the picture".into()))?;
    let (crop, outline) = aligned(face, task.template).map_err(End::Failed)?;
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let side = generator.space().side;
    let picture = portrait::crop(&task.image, &task.profile, &crop, side as u32)?;
    let mask = SoftMask::face(outline);
    let inside = mask.of_crop(&crop, side);
    let weights = inside.iter().map(|weight| weight.max(SURROUNDINGS)).collect();
    let wanted = Wanted { picture, weights, start: task.start.as_deref(), hash: &hash };
    let inverted = search(&wanted, &task.options, generator, context)?;
    let fidelity_db = portrait::fidelity_db(&wanted.picture, &inverted.reconstruction, &inside)?;
    Ok(Analysed {
        crop,
        mask,
        code: inverted.code,
        reconstruction: inverted.reconstruction,
        fidelity_db,
        faces: found.iter().map(|face| face.bounds).collect(),
    })
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
