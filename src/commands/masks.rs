//! Layer masks: add, delete, apply, invert, switch off.

use super::selection::inverted;
use super::{CommandError, Step, unlocked};
use crate::document::{Document, Edit, Layer, LayerId, LayerMask, Raster};
use crate::geom::IRect;
use crate::pixels::{PixelBuf, Samples, TiledImage};

/// What a new mask shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewMask {
    /// The whole layer.
    RevealAll,
    /// Nothing of it.
    HideAll,
    /// What is selected; the selection is thereby used up.
    FromSelection,
}

/// Gives a layer a mask, replacing one it has.
pub fn add(document: &Document, id: LayerId, what: NewMask) -> Result<Step, CommandError> {
    unlocked(document, id)?;
    let plain = |value| LayerMask::over_canvas(TiledImage::mask(document.size, value));
    let (mask, uses_selection) = match what {
        NewMask::RevealAll => (plain(255), false),
        NewMask::HideAll => (plain(0), false),
        NewMask::FromSelection => {
            let selection = document.selection.clone().ok_or(CommandError::NoSelection)?;
            (LayerMask::over_canvas(selection), true)
        }
    };
    let mut step = set(document, id, "Add layer mask", Some(mask));
    if uses_selection {
        step.edits.push(Edit::SetSelection(None));
    }
    Ok(step)
}

pub fn delete(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    masked(document, id)?;
    Ok(set(document, id, "Delete layer mask", None))
}

/// Works the mask into the layer's alpha. A mask that is switched off is only dropped.
pub fn apply(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let (layer, mask) = masked(document, id)?;
    let raster =
        layer.raster_content().ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
    let mut step = set(document, id, "Apply layer mask", None);
    if mask.enabled {
        let damage = raster.bounds();
        let shift = (raster.origin.0 - mask.origin.0, raster.origin.1 - mask.origin.1);
        let weights = |part: IRect| mask.image.read(part.translate(shift.0, shift.1));
        let raster = with_alpha(raster, raster.image.size().rect(), weights);
        step.edits.push(Edit::SetRaster { id, raster, damage });
    }
    Ok(step)
}

pub fn invert(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let (_, mask) = masked(document, id)?;
    let mask = LayerMask { image: inverted(&mask.image), ..mask.clone() };
    Ok(set(document, id, "Invert layer mask", Some(mask)))
}

pub fn enable(document: &Document, id: LayerId, enabled: bool) -> Result<Step, CommandError> {
    let (_, mask) = masked(document, id)?;
    let label = if enabled { "Enable layer mask" } else { "Disable layer mask" };
    Ok(set(document, id, label, Some(LayerMask { enabled, ..mask.clone() })))
}

/// The raster with its alpha multiplied, inside `rect` (image pixels), by one-channel weights of
/// the part asked for.
pub(super) fn with_alpha(
    raster: &Raster,
    rect: IRect,
    weights: impl Fn(IRect) -> PixelBuf + Sync,
) -> Raster {
    let mut raster = raster.clone();
    raster.image.modify(rect, |part, samples| {
        let weights = weights(part);
        for y in 0..part.height() {
            for x in 0..part.width() {
                let at = super::tile_index(part.x0 + x as i32, part.y0 + y as i32) * 4 + 3;
                let weight = weights.samples().get_f32(weights.index(x, y));
                scale(samples, at, weight);
            }
        }
    });
    raster
}

fn scale(samples: &mut Samples, at: usize, weight: f32) {
    if weight < 1.0 {
        samples.set_f32(at, samples.get_f32(at) * weight);
    }
}

fn masked(document: &Document, id: LayerId) -> Result<(&Layer, &LayerMask), CommandError> {
    let layer = unlocked(document, id)?;
    let mask = layer.mask.as_ref().ok_or_else(|| CommandError::NoMask(layer.props.name.clone()))?;
    Ok((layer, mask))
}

fn set(document: &Document, id: LayerId, label: &'static str, mask: Option<LayerMask>) -> Step {
    // A mask acts beyond its extent, and an adjustment's anywhere.
    let damage = document.size.rect();
    Step::one(label, Edit::SetMask { id, mask, damage })
}
