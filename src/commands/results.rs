//! What a network, a fill or a file has made becomes part of the document.

use std::sync::Arc;

use super::layers::insert;
use super::{CommandError, Step, geometry, unlocked};
use crate::color::{WorkingProfile, convert};
use crate::document::{
    Canvas, Document, Edit, Generated, Layer, LayerId, LayerKind, LayerMask, Raster,
};
use crate::geom::Size;
use crate::pixels::{PixelBuf, TiledImage};

/// A layer whose pixels were made, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    pub name: &'a str,
    /// RGBA in the document's profile.
    pub pixels: &'a PixelBuf,
    /// Document position of the top left pixel.
    pub origin: (i32, i32),
    pub opacity: f32,
    /// One channel over the canvas: where the layer shows; `None` shows all of it.
    pub mask: Option<&'a TiledImage>,
    /// What made it, for showing and doing it again.
    pub recipe: &'a Arc<serde_json::Value>,
}

/// A new layer above the active one.
pub fn new_layer(document: &Document, made: &Made<'_>) -> Step {
    let image = TiledImage::from_buf(&made.pixels.to_depth(document.depth));
    let raster = Raster { image, origin: made.origin };
    let recipe = Arc::clone(made.recipe);
    let mut layer =
        Layer::new(made.name, LayerKind::Generated(Generated { raster, recipe, attachment: None }));
    layer.props.opacity = made.opacity;
    layer.mask = made.mask.cloned().map(LayerMask::over_canvas);
    insert(document, document.active, made.name.to_owned(), layer)
}

/// Position of the top left pixel of a picture in the middle of the canvas.
pub fn centred(canvas: Size, own: Size) -> (i32, i32) {
    let middle = |canvas: u32, own: u32| ((i64::from(canvas) - i64::from(own)) / 2) as i32;
    (middle(canvas.width, own.width), middle(canvas.height, own.height))
}

/// A new layer of RGBA pixels in `profile` in the middle of the canvas, above the active layer,
/// in the document's depth and profile.
///
/// # Errors
/// No way between the profiles.
pub fn place(
    document: &Document,
    name: &str,
    label: &'static str,
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    kind: impl FnOnce(Raster) -> LayerKind,
) -> Result<Step, CommandError> {
    let origin = centred(document.size, pixels.size());
    let raster = raster(document, pixels, profile, origin)?;
    Ok(insert(document, document.active, label, Layer::new(name, kind(raster))))
}

/// Pixels in `profile` as a raster in the document's depth and profile.
///
/// # Errors
/// No way between the profiles.
pub fn raster(
    document: &Document,
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    origin: (i32, i32),
) -> Result<Raster, CommandError> {
    let mut pixels = pixels.to_depth(document.depth);
    convert::between(profile, &document.profile, &mut pixels)?;
    Ok(Raster { image: TiledImage::from_buf(&pixels), origin })
}

/// A layer with other content, in place of what it holds; mask, opacity and place stay.
///
/// # Errors
/// No such layer, or a locked one.
pub fn remade(
    document: &Document,
    id: LayerId,
    name: &str,
    kind: LayerKind,
) -> Result<Step, CommandError> {
    let mut layer = (**unlocked(document, id)?).clone();
    layer.kind = kind;
    layer.props.name = name.into();
    Ok(Step::one(name.to_owned(), Edit::Replace(Arc::new(layer))))
}

/// A layer above the active one.
pub fn inserted(document: &Document, label: &'static str, layer: Layer) -> Step {
    insert(document, document.active, label, layer)
}

/// The whole document replaced by one layer of another size.
pub fn whole(document: &Document, label: &'static str, pixels: &PixelBuf) -> Step {
    let layer = Layer::raster(label, TiledImage::from_buf(pixels), (0, 0));
    let mut canvas = Canvas::of(document);
    canvas.size = pixels.size();
    canvas.active = Some(layer.id);
    canvas.layers = vec![Arc::new(layer)];
    canvas.selection = None;
    Step::one(label, Edit::SetCanvas(Box::new(canvas)))
}

/// The canvas grown by `shift` at the top left and to the size of `pixels`, which continue the
/// picture: on a layer on top that leaves the middle open.
///
/// # Errors
/// A size beyond what pictures may have.
pub fn expanded(
    document: &Document,
    pixels: &PixelBuf,
    shift: (i32, i32),
    recipe: &Arc<serde_json::Value>,
) -> Result<Step, CommandError> {
    let label = "Expand";
    let mut step = geometry::canvas_size(document, pixels.size(), shift)?;
    let mut border = pixels.clone();
    border.blit(&PixelBuf::new(document.size, 4, pixels.depth()), shift);
    let image = TiledImage::from_buf(&border.to_depth(document.depth));
    let raster = Raster { image, origin: (0, 0) };
    let recipe = Arc::clone(recipe);
    let layer =
        Layer::new(label, LayerKind::Generated(Generated { raster, recipe, attachment: None }));
    let index = document.layers.len();
    step.edits.push(Edit::Insert { layer: Arc::new(layer), parent: None, index });
    Ok(Step::new(label, step.edits))
}

/// New pixels of a layer from `origin` on; tiles that stay the same are kept.
///
/// # Errors
/// No such layer, or one without pixels.
pub fn in_place(
    document: &Document,
    id: LayerId,
    label: &str,
    pixels: &PixelBuf,
    origin: (i32, i32),
) -> Result<Step, CommandError> {
    let layer = document.layer(id).ok_or(CommandError::NoLayer)?;
    let raster =
        layer.raster_content().ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
    let mut raster = raster.clone();
    let at = (origin.0 - raster.origin.0, origin.1 - raster.origin.1);
    let before = raster.image.clone();
    raster.image.write(&pixels.to_depth(document.depth), at);
    let damage = before.changed_rect(&raster.image).translate(raster.origin.0, raster.origin.1);
    Ok(Step::one(label.to_owned(), Edit::SetRaster { id, raster, damage }))
}

/// `after` where it differs from `before`, transparent elsewhere: both of one size, RGBA.
pub fn changed_only(before: &PixelBuf, after: &PixelBuf) -> PixelBuf {
    let mut out = PixelBuf::new(after.size(), 4, after.depth());
    let (from, old) = (after.samples(), before.samples());
    for pixel in 0..after.size().pixels() as usize {
        let at = pixel * 4;
        if (at..at + 4).any(|index| from.get(index) != old.get(index)) {
            (at..at + 4).for_each(|index| out.samples_mut().set_f32(index, from.get_f32(index)));
        }
    }
    out
}
