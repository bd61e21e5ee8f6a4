//! What a found subject is used for: a selection, a cut-out, another background, a blurred one.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{CommandError, Step, results, unlocked};
use crate::color::convert;
use crate::compose;
use crate::document::{Document, Edit, Generated, Layer, LayerId, LayerKind, LayerMask, Synthesis};
use crate::ops::{self, Engine, OpContext, OpError, Operation};
use crate::params::Params;
use crate::pixels::{PixelBuf, TiledImage};

/// Selects what `mask`, one channel over the canvas, shows.
pub fn select(document: &Document, label: &'static str, mask: &PixelBuf) -> Step {
    Step::one(label, Edit::SetSelection(Some(over_canvas(document, mask))))
}

/// Hides the rest of a layer by a mask, in place of one that it has. A plain layer remembers by the
/// recipe how its mask was made.
///
/// # Errors
/// No such layer, or a locked one.
pub fn cut_out(
    document: &Document,
    id: LayerId,
    mask: &PixelBuf,
    recipe: &Arc<Json>,
) -> Result<Step, CommandError> {
    let layer = masked(document, id, mask, recipe)?;
    Ok(Step::one("Cut out subject", Edit::Replace(Arc::new(layer))))
}

/// What [`background`] has put beneath a subject.
const BACKGROUND: &str = "Background";

/// A layer over the canvas with a picture that covers it, or with a colour (encoded, `0..=1`).
///
/// # Errors
/// No way between the profiles.
pub fn background(
    document: &Document,
    color: [f32; 3],
    picture: Option<&Document>,
) -> Result<Layer, CommandError> {
    let size = document.size;
    let mut pixels = PixelBuf::new(size, 4, document.depth);
    let mut synthesis = Synthesis::None;
    match picture {
        None => {
            let [r, g, b] = color;
            let value = [r, g, b, 1.0].map(|value| (value * document.depth.max() as f32).round());
            pixels = PixelBuf::filled(size, 4, document.depth, value.map(|value| value as u16));
        }
        Some(picture) => {
            // As large as it must be to leave no gap, the middle in the middle.
            let (of, scale) = (picture.size, |side: u32, of: u32| f64::from(side) / f64::from(of));
            let scale = scale(size.width, of.width).max(scale(size.height, of.height));
            let side = |side: u32, least: u32| {
                ((f64::from(side) * scale).round() as u32).max(least).min(crate::geom::MAX_SIDE)
            };
            let (width, height) = (side(of.width, size.width), side(of.height, size.height));
            let flat = compose::flatten(picture, of.rect());
            let resize = ops::find("resize").ok_or(CommandError::NoAdjustment("resize"))?;
            let words = [format!("width={width}"), format!("height={height}")];
            let params = parsed(resize, &words)?;
            let context = OpContext::full_size(picture.profile.clone());
            let mut covering = ops::apply(resize, &params, &context, &flat, None)?;
            covering = covering.to_depth(document.depth);
            convert::between(&picture.profile, &document.profile, &mut covering)?;
            let at = results::centred(size, covering.size());
            pixels.blit(&covering, at);
            synthesis = Synthesis::of(&picture.layers);
        }
    }
    let recipe = &Arc::new(serde_json::json!({ "tool": BACKGROUND }));
    let made = results::Made { synthesis, ..results::Made::plain(&pixels, recipe) };
    Ok(Layer::new(BACKGROUND, made.kind(document.depth)))
}

/// Hides the rest of a layer as [`cut_out`] does and puts another below it, in place of what was
/// put there before.
///
/// # Errors
/// No such layer, or a locked one.
pub fn replace_rest(
    document: &Document,
    id: LayerId,
    mask: &PixelBuf,
    recipe: &Arc<Json>,
    mut rest: Layer,
) -> Result<Step, CommandError> {
    let layer = Arc::new(masked(document, id, mask, recipe)?);
    let (parent, index) = document.position(id).ok_or(CommandError::NoLayer)?;
    let siblings = document.siblings(parent).unwrap_or_default();
    let beneath = index.checked_sub(1).and_then(|below| siblings.get(below));
    let edits = match beneath.filter(|layer| is_of(layer, BACKGROUND)) {
        Some(before) => {
            rest.id = before.id;
            vec![Edit::Replace(Arc::new(rest)), Edit::Replace(layer)]
        }
        // What is put in last is the active one: the subject.
        None => vec![
            Edit::Remove(id),
            Edit::Insert { layer: Arc::new(rest), parent, index },
            Edit::Insert { layer, parent, index: index + 1 },
        ],
    };
    Ok(Step::new("Replace background", edits))
}

/// The layer with this mask, and as far as its own recipe is not lost by it with the recipe.
fn masked(
    document: &Document,
    id: LayerId,
    mask: &PixelBuf,
    recipe: &Arc<Json>,
) -> Result<Layer, CommandError> {
    let mut layer = (**unlocked(document, id)?).clone();
    layer.mask = Some(LayerMask::over_canvas(over_canvas(document, mask)));
    let tool = recipe.get("tool").and_then(Json::as_str).unwrap_or_default();
    let raster = match &layer.kind {
        LayerKind::Raster(raster) => Some(raster.clone()),
        LayerKind::Generated(made) if is_of(&layer, tool) => Some(made.raster.clone()),
        _ => None,
    };
    if let Some(raster) = raster {
        let recipe = Arc::clone(recipe);
        layer.kind = LayerKind::Generated(Generated { raster, recipe, attachment: None });
    }
    Ok(layer)
}

fn is_of(layer: &Layer, tool: &str) -> bool {
    let LayerKind::Generated(made) = &layer.kind else { return false };
    made.recipe.get("tool").and_then(Json::as_str) == Some(tool)
}

/// `image`, the picture over the canvas, out of focus around what `mask` shows. What is blurred
/// is the background alone: the subject's colours do not run into it.
///
/// # Errors
/// Those of the blur.
pub fn blurred(
    document: &Document,
    image: &PixelBuf,
    mask: &PixelBuf,
    sigma_px: f64,
    engine: &dyn Engine,
) -> Result<PixelBuf, CommandError> {
    let op = ops::find("gaussian_blur").ok_or(CommandError::NoAdjustment("gaussian_blur"))?;
    let params = parsed(op, &[format!("sigma={sigma_px}")])?;
    let mut around = image.clone();
    for (x, y) in places(image) {
        let mut pixel = image.pixel_f32(x, y);
        pixel[3] *= 1.0 - mask.pixel_f32(x, y)[0];
        around.set_pixel_f32(x, y, pixel);
    }
    let context = OpContext::full_size(document.profile.clone());
    let mut blurred = engine.apply(op, &params, &context, &around, None)?;
    // The blur weighs colours by how opaque they are; now they count in full again.
    for (x, y) in places(image) {
        let [r, g, b, _] = blurred.pixel_f32(x, y);
        blurred.set_pixel_f32(x, y, [r, g, b, image.pixel_f32(x, y)[3]]);
    }
    Ok(blurred)
}

/// What `mask`, one channel over the canvas, does not show.
pub fn inverted(document: &Document, mask: &PixelBuf) -> TiledImage {
    let mut rest = PixelBuf::new(mask.size(), 1, mask.depth());
    for (x, y) in places(mask) {
        rest.set_pixel_f32(x, y, [1.0 - mask.pixel_f32(x, y)[0]; 4]);
    }
    over_canvas(document, &rest)
}

fn parsed(op: &'static dyn Operation, words: &[String]) -> Result<Params, CommandError> {
    let params = Params::parse(op.spec().params, words.iter().map(String::as_str));
    Ok(params.map_err(|source| OpError::Param { op: op.spec().name.into(), source })?)
}

fn places(of: &PixelBuf) -> impl Iterator<Item = (u32, u32)> + use<> {
    let size = of.size();
    (0..size.height).flat_map(move |y| (0..size.width).map(move |x| (x, y)))
}

fn over_canvas(document: &Document, mask: &PixelBuf) -> TiledImage {
    let mut image = TiledImage::mask(document.size, 0);
    image.write(mask, (0, 0));
    image
}
