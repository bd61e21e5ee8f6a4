//! Filling, clearing, copying and pasting pixels.

use super::masks::with_alpha;
use super::{CommandError, Step, layer, layers, unlocked};
use crate::compose;
use crate::document::{BlendMode, Document, Edit, Layer, LayerId, LayerMask, Raster};
use crate::geom::IRect;
use crate::pixels::{PixelBuf, Sample, Samples, TiledImage};

/// Fills a layer's pixels inside the selection (or the whole canvas) with a colour, given in
/// encoded working values `0..=1`.
pub fn fill(document: &Document, id: LayerId, color: [f32; 3]) -> Result<Step, CommandError> {
    let (mut raster, rect) = pixels_in_selection(document, id, true)?;
    let origin = raster.origin;
    let source = [color[0], color[1], color[2], 1.0];
    raster.image.modify(rect.translate(-origin.0, -origin.1), |part, samples| {
        let weights = selected(document, part.translate(origin.0, origin.1));
        match samples {
            Samples::U8(samples) => fill_samples(samples, part, weights.as_ref(), source),
            Samples::U16(samples) => fill_samples(samples, part, weights.as_ref(), source),
        }
    });
    Ok(Step::one("Fill", Edit::SetRaster { id, raster, damage: rect }))
}

/// Fills a layer's mask inside the selection with a brightness `0..=1`.
pub fn fill_mask(document: &Document, id: LayerId, value: f32) -> Result<Step, CommandError> {
    let layer = unlocked(document, id)?;
    let mask = layer.mask.as_ref().ok_or_else(|| CommandError::NoMask(layer.props.name.clone()))?;
    let damage = document.selection_bounds();
    let (image, origin) = grown(&mask.image, mask.origin, damage);
    let mut mask = LayerMask { image, origin, enabled: mask.enabled };
    mask.image.modify(damage.translate(-origin.0, -origin.1), |part, samples| {
        let weights = selected(document, part.translate(origin.0, origin.1));
        for y in 0..part.height() {
            for x in 0..part.width() {
                let at = super::tile_index(part.x0 + x as i32, part.y0 + y as i32);
                let old = samples.get_f32(at);
                samples.set_f32(at, old + (value - old) * weight(weights.as_ref(), x, y));
            }
        }
    });
    Ok(Step::one("Fill layer mask", Edit::SetMask { id, mask: Some(mask), damage }))
}

/// Makes a layer transparent inside the selection, or everywhere.
pub fn clear(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let (raster, rect) = pixels_in_selection(document, id, false)?;
    let origin = raster.origin;
    let raster = with_alpha(&raster, rect.translate(-origin.0, -origin.1), |part| {
        let shown = part.translate(origin.0, origin.1);
        let mut keep = PixelBuf::new(part.size(), 1, crate::pixels::Depth::U8);
        if let Some(selected) = selected(document, shown) {
            for y in 0..part.height() {
                for x in 0..part.width() {
                    keep.set_pixel_f32(x, y, [1.0 - weight(Some(&selected), x, y); 4]);
                }
            }
        }
        keep
    });
    Ok(Step::one("Clear", Edit::SetRaster { id, raster, damage: rect }))
}

/// The selected pixels of one layer, or with `id` `None` of everything visible, and the document
/// position of their top left one.
pub fn copy(
    document: &Document,
    id: Option<LayerId>,
) -> Result<(PixelBuf, (i32, i32)), CommandError> {
    let canvas = document.size.rect();
    let bounds = tight_selection_bounds(document);
    let (rect, pixels) = match id {
        None => (bounds, compose::flatten(document, bounds)),
        Some(id) => {
            let layer = layer(document, id)?;
            let raster = layer
                .raster_content()
                .ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
            let rect = raster.bounds().intersect(bounds).intersect(canvas);
            (rect, raster.image.read(rect.translate(-raster.origin.0, -raster.origin.1)))
        }
    };
    if rect.is_empty() {
        return Err(CommandError::Empty);
    }
    let Some(selection) = &document.selection else { return Ok((pixels, rect.origin())) };
    let raster = Raster { image: TiledImage::from_buf(&pixels), origin: rect.origin() };
    let weights = |part: IRect| selection.read(part.translate(rect.x0, rect.y0));
    let cut = with_alpha(&raster, pixels.size().rect(), weights);
    Ok((cut.image.to_buf(), rect.origin()))
}

/// A new layer of the selected pixels of `id`; without a selection, a duplicate.
pub fn layer_via_copy(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    if document.selection.is_none() {
        return layers::duplicate(document, id);
    }
    let (pixels, origin) = copy(document, Some(id))?;
    let name = format!("Layer {}", document.layer_count() + 1);
    let new = Layer::raster(&name, TiledImage::from_buf(&pixels), origin);
    Ok(layers::insert(document, Some(id), "Layer via copy", new))
}

/// A new layer of RGBA pixels, encoded in the document's profile, above the active layer: at a
/// place, or in the middle of the canvas.
pub fn paste(document: &Document, pixels: &PixelBuf, at: Option<(i32, i32)>) -> Step {
    let size = pixels.size();
    let middle = |canvas: u32, own: u32| ((i64::from(canvas) - i64::from(own)) / 2) as i32;
    let origin = at.unwrap_or_else(|| {
        (middle(document.size.width, size.width), middle(document.size.height, size.height))
    });
    let image = TiledImage::from_buf(&pixels.to_depth(document.depth));
    let name = format!("Layer {}", document.layer_count() + 1);
    layers::insert(document, document.active, "Paste", Layer::raster(&name, image, origin))
}

/// A copy of a layer's pixels and the document area the selection allows on it. With `grow` the
/// layer is first extended to that area.
fn pixels_in_selection(
    document: &Document,
    id: LayerId,
    grow: bool,
) -> Result<(Raster, IRect), CommandError> {
    let layer = unlocked(document, id)?;
    let raster =
        layer.raster_content().ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
    let rect = document.selection_bounds();
    if !grow {
        return Ok((raster.clone(), rect.intersect(raster.bounds())));
    }
    let (image, origin) = grown(&raster.image, raster.origin, rect);
    Ok((Raster { image, origin }, rect))
}

/// The same image on an extent that covers `rect` as well.
fn grown(image: &TiledImage, origin: (i32, i32), rect: IRect) -> (TiledImage, (i32, i32)) {
    let old = IRect::from_origin_size(origin, image.size());
    if old.contains_rect(rect) {
        return (image.clone(), origin);
    }
    let new = old.union(rect);
    (image.reframed(new.size(), old.x0 - new.x0, old.y0 - new.y0), new.origin())
}

/// How much each pixel of `rect` is selected; `None` = fully.
fn selected(document: &Document, rect: IRect) -> Option<PixelBuf> {
    document.selection.as_ref().map(|selection| selection.read(rect))
}

fn weight(weights: Option<&PixelBuf>, x: u32, y: u32) -> f32 {
    weights.map_or(1.0, |weights| weights.samples().get_f32(weights.index(x, y)))
}

fn fill_samples<S: Sample>(
    samples: &mut [S],
    part: IRect,
    weights: Option<&PixelBuf>,
    [r, g, b, a]: [f32; 4],
) {
    for y in 0..part.height() {
        for x in 0..part.width() {
            let at = super::tile_index(part.x0 + x as i32, part.y0 + y as i32) * 4;
            let pixel = &mut samples[at..at + 4];
            let backdrop = std::array::from_fn(|channel| pixel[channel].to_f32());
            let source = [r, g, b, a * weight(weights, x, y)];
            let new = compose::composite(BlendMode::Normal, backdrop, source);
            pixel.copy_from_slice(&new.map(S::from_f32));
        }
    }
}

/// The smallest rectangle that holds every selected pixel; the canvas without a selection.
fn tight_selection_bounds(document: &Document) -> IRect {
    let Some(selection) = &document.selection else { return document.size.rect() };
    let rough = document.selection_bounds();
    let buf = selection.read(rough);
    let mut tight = IRect::EMPTY;
    for y in 0..rough.height() {
        let row = buf.index(0, y);
        let set = |x: &u32| buf.samples().get(row + *x as usize) != 0;
        let first = (0..rough.width()).find(set);
        let last = (0..rough.width()).rev().find(set);
        if let (Some(first), Some(last)) = (first, last) {
            let span = IRect::new(first as i32, y as i32, last as i32 + 1, y as i32 + 1);
            tight = tight.union(span);
        }
    }
    tight.translate(rough.x0, rough.y0)
}
