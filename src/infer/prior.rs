//! Fills holes with what a generator knows: the code whose picture agrees with the surroundings
//! continues them (Yeh et al. 2017, "Semantic Image Inpainting with Deep Generative Models").
//!
//! A picture of the generator's own size is taken as it is. In any other a face is looked for,
//! taken out as generators of faces want it, and put back; what a hole covers beyond it is filled
//! by patches.

use std::sync::Arc;

use super::aids::Judges;
use super::analyse::located;
use super::faces;
use super::invert::{Wanted, search};
use super::protocol::{Faces, ModelRef, Remove, Stage};
use super::remove::by_patches;
use super::worker::{Context, End, Models};
use crate::color::WorkingProfile;
use crate::faces::Wants;
use crate::geom::{IRect, Point, Size};
use crate::inpaint;
use crate::latent::invert::{Options, near_hole};
use crate::pixels::PixelBuf;
use crate::portrait::{self, CropTransform, SoftMask, Template};
use crate::zoo::Purpose;

/// More of a generator's pixel than this missing, and it is in the hole.
const MISSING: f32 = 0.02;

/// A generator that fills holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Prior {
    pub model: ModelRef,
    /// The networks that find a face and its points; without them only pictures of the generator's
    /// own size can be filled.
    pub finders: Vec<(Purpose, ModelRef)>,
    pub template: Template,
    pub options: Options,
}

/// Cancelling before the end leaves the picture as it is.
pub(super) fn run(
    task: &Remove,
    prior: &Prior,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    context.progress(Stage::Loading, 0, 1, 0.0);
    let size = task.image.size();
    let cancel = context.cancel();
    let mut go_on = |_: f32| !cancel.is_set();
    let (grow, fade) = (task.options.dilate_px, task.options.feather_px);
    let holes = inpaint::holes(&task.mask, grow, fade, &mut go_on)?;
    let Some(hole) = holes.first() else { return Ok((*task.image).clone()) };
    let bounds = holes.iter().fold(IRect::EMPTY, |all, hole| all.union(hole.bounds));
    let crop = crop_of(task, prior, bounds, models, context)?;
    // What is missing, as the generator sees it.
    let generator = models.generator(&prior.model).map_err(End::Failed)?;
    let side = generator.space().side;
    let missing = hole.share_over(size.rect());
    let missing = portrait::crop(&missing, &WorkingProfile::srgb(), &crop, side as u32)?;
    let missing: Vec<bool> =
        missing.data[..side * side].iter().map(|share| *share > MISSING).collect();
    let wanted = Wanted {
        picture: portrait::crop(&task.image, &task.profile, &crop, side as u32)?,
        weights: near_hole(&missing),
        template: prior.template,
        start: None,
        guesses: Vec::new(),
        hash: &models.hash(&prior.model).map_err(End::Failed)?,
    };
    let generator = models.generator(&prior.model).map_err(End::Failed)?;
    let found = search(&wanted, Judges::default(), &prior.options, generator, context)?;
    context.check()?;
    context.progress(Stage::Finishing, 0, 1, 1.0);
    let rect = bounds.grow(1).intersect(size.rect());
    let made = portrait::placed(&found.reconstruction, &crop, &task.profile, rect)?;
    let mut share = hole.share_over(rect);
    let mut result = None;
    if size != square(side) {
        // The generator's own border fades out, and beyond it knows nothing.
        let weight = SoftMask::whole().weights(&crop);
        let mut reaches_beyond = false;
        for at in 0..rect.size().pixels() as u32 {
            let (x, y) = (at % rect.width(), at / rect.width());
            let [own, ..] = share.pixel_f32(x, y);
            let place = [rect.x0 + x as i32, rect.y0 + y as i32].map(|at| f64::from(at) + 0.5);
            let inside = if own > 0.0 { weight(place[0], place[1]) } else { 1.0 };
            if inside < 1.0 {
                reaches_beyond = true;
                share.set_pixel_f32(x, y, [own * inside; 4]);
            }
        }
        if reaches_beyond {
            result = Some(by_patches(task, models, context)?);
        }
    }
    let mut result = result.unwrap_or_else(|| (*task.image).clone());
    inpaint::clone_into(&mut result, (&made, &share), rect, &mut go_on)?;
    Ok(result)
}

const fn square(side: usize) -> Size {
    Size::new(side as u32, side as u32)
}

/// Where the generator's picture lies in the photo.
fn crop_of(
    task: &Remove,
    prior: &Prior,
    hole: IRect,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<CropTransform, End> {
    let side = models.generator(&prior.model).map_err(End::Failed)?.space().side;
    if task.image.size() == square(side) {
        let middle = side as f64 / 2.0;
        return Ok(CropTransform::new([middle; 2], side as f64, 0.0)?);
    }
    if prior.finders.is_empty() {
        let model = &prior.model;
        return Err(End::Failed(format!("{model} fills pictures of {side}×{side} pixels only")));
    }
    let look = Faces {
        image: Arc::clone(&task.image),
        profile: task.profile.clone(),
        wants: Wants { landmarks: true, ..Wants::default() },
        models: prior.finders.clone(),
    };
    let [x, y] = [hole.x0 + hole.x1, hole.y0 + hole.y1].map(|sum| sum as f32 / 2.0);
    let found = faces::run(&look, models, context)?;
    let (crop, _) = located(&found, prior.template, Some(Point::new(x, y)))?;
    Ok(crop)
}
