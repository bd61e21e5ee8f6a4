//! Restores faces: finds each, hands it to the network as that learnt faces, and puts the result
//! back softly.

use super::faces::look;
use super::filter::filter_planes;
use super::protocol::{Filter, ModelRef, Stage};
use super::tiling::or_fall_back;
use super::worker::{Context, End, Models, network_for};
use crate::faces::Wants;
use crate::pixels::PixelBuf;
use crate::portrait::{ColorMatch, CropTransform, FivePoints, Paste, SoftMask, Transfer, crop};
use crate::zoo::{Extent, Purpose};

/// The picture with every face restored whose points `finders` see.
pub(super) fn run(
    task: &Filter,
    finders: &[(Purpose, ModelRef)],
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    let capability = *network_for(models, &task.model, Purpose::RestoreFace)?.capability();
    let Extent::Fixed([side, _]) = capability.extent else {
        return Err(End::Failed(format!("{} wants no faces of one size", task.model)));
    };
    let wants = Wants { landmarks: true, ..Wants::default() };
    let cancel = context.cancel();
    let found = look(&task.image, &task.profile, finders, wants, models, &|| cancel.is_set())?;
    let seen = found
        .iter()
        .filter_map(|face| FivePoints::of_mesh(face.landmarks.as_deref()?).zip(face.outline()));
    let seen: Vec<_> = seen.collect();
    if seen.is_empty() {
        return Err(End::Refused("no face was found in the picture".into()));
    }
    let total = seen.len() as u32;
    let mut result = (*task.image).clone();
    for (done, (points, outline)) in (0..).zip(seen) {
        context.check()?;
        context.progress(Stage::Running, done, total, f64::from(done) / f64::from(total));
        let transform = CropTransform::fit(&points)?;
        let damaged = crop(&task.image, &task.profile, &transform, side as u32)?;
        let restored = or_fall_back(models, &mut |models| {
            filter_planes(task, &capability, &damaged, &[], models, context)
        })?;
        let paste = Paste {
            photo: &result,
            profile: &task.profile,
            crop: &transform,
            mask: &SoftMask::face(outline),
            limit: task.mask.as_deref(),
            strength: task.strength,
            edited: &restored,
            transfer: Transfer::Replace(ColorMatch::NONE),
        };
        let patch = paste.run()?;
        result.blit(&patch.pixels, patch.origin);
    }
    context.progress(Stage::Finishing, 0, 1, 1.0);
    Ok(result)
}
