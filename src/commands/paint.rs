//! Filling, clearing, copying and pasting pixels.

use super::masks::with_alpha;
use super::{CommandError, Step, layer, layers, results, unlocked};
use crate::compose;
use crate::document::{
    BlendMode, Document, Edit, Layer, LayerId, LayerKind, LayerMask, Raster, Synthesis,
};
use crate::geom::IRect;
use crate::pixels::{Depth, PixelBuf, Sample, Samples, TiledImage};

/// Fills a layer's pixels inside the selection (or the whole canvas) with a colour, given in
/// encoded working values `0..=1`.
pub fn fill(document: &Document, id: LayerId, color: [f32; 3]) -> Result<Step, CommandError> {
    let (mut raster, rect) = pixels_in_selection(document, id, true)?;
    let origin = raster.origin;
    let [r, g, b] = color;
    raster.image.modify(rect.translate(-origin.0, -origin.1), |part, samples| {
        let weights = selected(document, part.translate(origin.0, origin.1));
        lay_over(samples, part, |x, y| [r, g, b, weight(weights.as_ref(), x, y)]);
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
        for (x, y) in places(part) {
            let at = super::tile_index(part.x0 + x as i32, part.y0 + y as i32);
            let old = samples.get_f32(at);
            samples.set_f32(at, old + (value - old) * weight(weights.as_ref(), x, y));
        }
    });
    Ok(Step::one("Fill layer mask", Edit::SetMask { id, mask: Some(mask), damage }))
}

/// Makes a layer transparent inside the selection, or everywhere.
pub fn clear(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let (raster, rect) = pixels_in_selection(document, id, false)?;
    let raster = cleared(document, &raster, rect);
    Ok(Step::one("Clear", Edit::SetRaster { id, raster, damage: rect }))
}

/// The raster without what is selected of it inside `rect` (document pixels).
pub(super) fn cleared(document: &Document, raster: &Raster, rect: IRect) -> Raster {
    let origin = raster.origin;
    with_alpha(raster, rect.translate(-origin.0, -origin.1), |part| {
        let shown = part.translate(origin.0, origin.1);
        let mut keep = PixelBuf::new(part.size(), 1, Depth::U8);
        if let Some(selected) = selected(document, shown) {
            for (x, y) in places(part) {
                keep.set_pixel_f32(x, y, [1.0 - weight(Some(&selected), x, y); 4]);
            }
        }
        keep
    })
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
    let raster = Raster::new(TiledImage::from_buf(&pixels), rect.origin());
    let weights = |part: IRect| selection.read(part.translate(rect.x0, rect.y0));
    let cut = with_alpha(&raster, pixels.size().rect(), weights);
    Ok((cut.image.to_buf(), rect.origin()))
}

/// How far a network had a hand in what [`copy`] answers.
pub fn synthesis(document: &Document, id: Option<LayerId>) -> Synthesis {
    match id {
        None => Synthesis::of(&document.layers),
        Some(id) => {
            let raster = document.layer(id).and_then(|layer| layer.raster_content());
            raster.map_or(Synthesis::None, |raster| raster.synthesis)
        }
    }
}

/// A new layer of the selected pixels of `id`; without a selection, a duplicate.
pub fn layer_via_copy(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    if document.selection.is_none() {
        return layers::duplicate(document, id);
    }
    let (pixels, origin) = copy(document, Some(id))?;
    let name = format!("Layer {}", document.layer_count() + 1);
    let raster = Raster::new(TiledImage::from_buf(&pixels), origin);
    let raster = raster.by(synthesis(document, Some(id)));
    let new = Layer::new(&name, LayerKind::Raster(raster));
    Ok(layers::insert(document, Some(id), "Layer via copy", new))
}

/// A new layer of RGBA pixels, encoded in the document's profile, above the active layer: at a
/// place, or in the middle of the canvas.
pub fn paste(
    document: &Document,
    pixels: &PixelBuf,
    at: Option<(i32, i32)>,
    synthesis: Synthesis,
) -> Step {
    let origin = at.unwrap_or_else(|| results::centred(document.size, pixels.size()));
    let image = TiledImage::from_buf(&pixels.to_depth(document.depth));
    let name = format!("Layer {}", document.layer_count() + 1);
    let raster = Raster::new(image, origin).by(synthesis);
    layers::insert(document, document.active, "Paste", Layer::new(&name, LayerKind::Raster(raster)))
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
    Ok((Raster { image, origin, ..raster.clone() }, rect))
}

/// The same image on an extent that covers `rect` as well.
pub(super) fn grown(
    image: &TiledImage,
    origin: (i32, i32),
    rect: IRect,
) -> (TiledImage, (i32, i32)) {
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

/// Lays straight-alpha colours over a tile's pixels inside `part`; `source` is asked by the place
/// within `part`.
pub(super) fn lay_over(samples: &mut Samples, part: IRect, source: impl Fn(u32, u32) -> [f32; 4]) {
    fn lay<S: Sample>(samples: &mut [S], part: IRect, source: impl Fn(u32, u32) -> [f32; 4]) {
        for (x, y) in places(part) {
            let at = super::tile_index(part.x0 + x as i32, part.y0 + y as i32) * 4;
            let pixel = &mut samples[at..at + 4];
            let backdrop = std::array::from_fn(|channel| pixel[channel].to_f32());
            let new = compose::composite(BlendMode::Normal, backdrop, source(x, y));
            pixel.copy_from_slice(&new.map(S::from_f32));
        }
    }
    match samples {
        Samples::U8(samples) => lay(samples, part, source),
        Samples::U16(samples) => lay(samples, part, source),
    }
}

/// Every place within a rectangle, row by row.
fn places(part: IRect) -> impl Iterator<Item = (u32, u32)> {
    (0..part.height()).flat_map(move |y| (0..part.width()).map(move |x| (x, y)))
}

/// The smallest rectangle that holds every selected pixel; the canvas without a selection.
pub fn tight_selection_bounds(document: &Document) -> IRect {
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
