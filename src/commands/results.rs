//! What a network or a fill has made becomes part of the document.

use std::sync::Arc;

use super::adjust::mask_of;
use super::layers::above;
use super::{CommandError, Step};
use crate::document::{Document, Edit, Generated, Layer, LayerId, LayerKind, Raster};
use crate::pixels::{PixelBuf, TiledImage};

/// A new layer above the active one, masked by the selection. `recipe` says what made it.
pub fn new_layer(
    document: &Document,
    name: &str,
    pixels: &PixelBuf,
    origin: (i32, i32),
    opacity: f32,
    recipe: serde_json::Value,
) -> Step {
    let raster = Raster { image: TiledImage::from_buf(&pixels.to_depth(document.depth)), origin };
    let kind = LayerKind::Generated(Generated { raster, recipe: Arc::new(recipe) });
    let mut layer = Layer::new(name, kind);
    layer.props.opacity = opacity;
    layer.mask = document.selection.as_ref().map(mask_of);
    let (parent, index) = above(document, document.active);
    Step::one(name.to_owned(), Edit::Insert { layer: Arc::new(layer), parent, index })
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
