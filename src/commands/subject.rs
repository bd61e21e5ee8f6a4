//! What a found subject is used for: a selection, a cut-out, a blurred background.

use std::sync::Arc;

use super::{CommandError, Step, layers, unlocked};
use crate::document::{Document, Edit, Generated, Layer, LayerId, LayerKind, LayerMask, Raster};
use crate::ops::{self, Engine, OpContext, OpError};
use crate::params::Params;
use crate::pixels::{PixelBuf, TiledImage};

/// Selects what `mask`, one channel over the canvas, shows.
pub fn select(document: &Document, label: &'static str, mask: &PixelBuf) -> Step {
    Step::one(label, Edit::SetSelection(Some(over_canvas(document, mask))))
}

/// Hides the rest of a layer by a mask, in place of one that it has.
///
/// # Errors
/// No such layer, or a locked one.
pub fn cut_out(document: &Document, id: LayerId, mask: &PixelBuf) -> Result<Step, CommandError> {
    unlocked(document, id)?;
    let mask = Some(LayerMask::over_canvas(over_canvas(document, mask)));
    Ok(Step::one("Cut out subject", Edit::SetMask { id, mask, damage: document.size.rect() }))
}

/// A layer above the active one with `image`, the picture over the canvas, out of focus around
/// what `mask` shows. What is blurred is the background alone: the subject's colours do not run
/// into it.
///
/// # Errors
/// Those of the blur.
pub fn blur_background(
    document: &Document,
    image: &PixelBuf,
    mask: &PixelBuf,
    sigma_px: f64,
    engine: &dyn Engine,
    recipe: serde_json::Value,
) -> Result<Step, CommandError> {
    let label = "Blur background";
    let op = ops::find("gaussian_blur").ok_or(CommandError::NoAdjustment("gaussian_blur"))?;
    let words = [format!("sigma={sigma_px}")];
    let params = Params::parse(op.spec().params, words.iter().map(String::as_str))
        .map_err(|source| OpError::Param { op: op.spec().name.into(), source })?;
    let size = image.size();
    let places = || (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    let mut around = image.clone();
    let mut shown = PixelBuf::new(size, 1, mask.depth());
    for (x, y) in places() {
        let share = 1.0 - mask.pixel_f32(x, y)[0];
        let mut pixel = image.pixel_f32(x, y);
        pixel[3] *= share;
        around.set_pixel_f32(x, y, pixel);
        shown.set_pixel_f32(x, y, [share; 4]);
    }
    let context = OpContext::full_size(document.profile.clone());
    let mut blurred = engine.apply(op, &params, &context, &around, None)?;
    // The blur weighs colours by how opaque they are; now they count in full again.
    for (x, y) in places() {
        let [r, g, b, _] = blurred.pixel_f32(x, y);
        blurred.set_pixel_f32(x, y, [r, g, b, image.pixel_f32(x, y)[3]]);
    }
    let raster =
        Raster { image: TiledImage::from_buf(&blurred.to_depth(document.depth)), origin: (0, 0) };
    let recipe = Arc::new(recipe);
    let mut layer =
        Layer::new(label, LayerKind::Generated(Generated { raster, recipe, attachment: None }));
    layer.mask = Some(LayerMask::over_canvas(over_canvas(document, &shown)));
    Ok(layers::insert(document, document.active, label, layer))
}

fn over_canvas(document: &Document, mask: &PixelBuf) -> TiledImage {
    let mut image = TiledImage::mask(document.size, 0);
    image.write(mask, (0, 0));
    image
}
