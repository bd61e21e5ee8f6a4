//! Geometry of the whole document: every layer, mask and the selection move together.
//!
//! Crop, canvas size, rotation by right angles and flips move bytes and keep what lies outside
//! the canvas. Resizing and free rotation resample each layer over the canvas, so that layers
//! stay aligned to a fraction of a pixel; what lies outside is given up.

use std::sync::Arc;

use super::selection::inverted;
use super::{CommandError, Step};
use crate::document::{Canvas, Document, Edit, Layer, LayerKind};
use crate::geom::{IRect, Size};
use crate::ops::{self, Engine, Kind, OpContext, OpError, Operation};
use crate::params::Params;
use crate::pixels::{PixelBuf, TiledImage};

/// An image and the document position of its top left pixel.
type Placed = (TiledImage, (i32, i32));

/// Crops to `rect`, which must lie inside the canvas. With `delete_pixels` what lies outside is
/// given up; else layers keep it beyond the canvas's border.
pub fn crop(document: &Document, rect: IRect, delete_pixels: bool) -> Result<Step, CommandError> {
    check_crop(document, rect)?;
    remap(document, "Crop", rect.size(), |image, origin| {
        Ok(cropped(image, origin, rect, delete_pixels))
    })
}

/// Turns the picture about the middle of the canvas by `angle_deg` clockwise and crops to `rect`,
/// which must lie inside the canvas: one step. What the turn takes out of the canvas is given up.
pub fn straighten(
    document: &Document,
    angle_deg: f64,
    rect: IRect,
    delete_pixels: bool,
    engine: &dyn Engine,
) -> Result<Step, CommandError> {
    check_crop(document, rect)?;
    let Some(op) = ops::find("rotate") else { return crop(document, rect, delete_pixels) };
    let words = [format!("angle={angle_deg}"), "expand=false".to_owned()];
    let params = Params::parse(op.spec().params, words.iter().map(String::as_str))
        .map_err(|source| OpError::Param { op: op.spec().name.into(), source })?;
    let context = OpContext::full_size(document.profile.clone());
    let canvas = document.size;
    remap(document, "Straighten and crop", rect.size(), |image, origin| {
        let turned = resampled(op, &params, (&context, engine), (image, origin), canvas, canvas)?;
        Ok(cropped(&turned, (0, 0), rect, delete_pixels))
    })
}

fn check_crop(document: &Document, rect: IRect) -> Result<(), CommandError> {
    if rect.is_empty() || !document.size.rect().contains_rect(rect) {
        return Err(CommandError::CropOutside);
    }
    Ok(())
}

/// An image as seen from a canvas cropped to `rect`.
fn cropped(image: &TiledImage, origin: (i32, i32), rect: IRect, delete_pixels: bool) -> Placed {
    let bounds = IRect::from_origin_size(origin, image.size());
    let kept = if delete_pixels { bounds.intersect(rect) } else { bounds };
    if kept.is_empty() {
        return (blank(image, Size::new(1, 1)), (0, 0));
    }
    let image = if kept == bounds {
        image.clone()
    } else {
        image.reframed(kept.size(), bounds.x0 - kept.x0, bounds.y0 - kept.y0)
    };
    (image, kept.translate(-rect.x0, -rect.y0).origin())
}

/// A canvas of another size with the picture moved by `shift`; no pixel is touched.
pub fn canvas_size(
    document: &Document,
    size: Size,
    shift: (i32, i32),
) -> Result<Step, CommandError> {
    remap(document, "Canvas size", size, |image, origin| {
        Ok((image.clone(), (origin.0.saturating_add(shift.0), origin.1.saturating_add(shift.1))))
    })
}

/// Runs a geometry operation over the whole document.
pub fn transform(
    document: &Document,
    op: &dyn Operation,
    params: &Params,
    engine: &dyn Engine,
) -> Result<Step, CommandError> {
    debug_assert_eq!(op.spec().kind, Kind::Geometry);
    let (old, new) = (document.size, op.output_size(params, document.size)?);
    let context = OpContext::full_size(document.profile.clone());
    let label = op.spec().label;
    let int = |key| i32::try_from(params.int(key)).unwrap_or(i32::MAX);
    match op.spec().name {
        "crop" => {
            let (x, y) = (int("x"), int("y"));
            crop(document, IRect::from_origin_size((x, y), new), true)
        }
        "canvas_size" => {
            let (dx, dy) = ops::canvas_offset(params.choice("anchor"), old, new);
            canvas_size(document, new, (dx as i32, dy as i32))
        }
        name @ ("rotate90" | "flip") => remap(document, label, new, |image, origin| {
            let bounds = IRect::from_origin_size(origin, image.size());
            let place = match (name, params.choice("axis"), params.int("turns")) {
                ("flip", "horizontal", _) => mirrored(bounds, old.width, 0),
                ("flip", ..) => mirrored(bounds, 0, old.height),
                (_, _, turns) => turned(bounds, old, turns),
            };
            let moved = over_pixels(image, place.size(), || {
                engine.apply(op, params, &context, &image.to_buf(), None)
            })?;
            Ok((moved, place.origin()))
        }),
        _ => remap(document, label, new, |image, origin| {
            let turned = resampled(op, params, (&context, engine), (image, origin), old, new)?;
            Ok((turned, (0, 0)))
        }),
    }
}

/// What a resampling operation makes of an image over the canvas `old`: an image over `new`.
fn resampled(
    op: &dyn Operation,
    params: &Params,
    (context, engine): (&OpContext, &dyn Engine),
    (image, origin): (&TiledImage, (i32, i32)),
    old: Size,
    new: Size,
) -> Result<TiledImage, OpError> {
    // New corners come out black in a mask; one that is white around comes out right when its
    // complement is transformed.
    let white = image.channels() == 1 && image.fill()[0] != 0;
    let image = if white { inverted(image) } else { image.clone() };
    let moved = over_pixels(&image, new, || {
        let shown = image.read(old.rect().translate(-origin.0, -origin.1));
        engine.apply(op, params, context, &shown, None)
    })?;
    Ok(if white { inverted(&moved) } else { moved })
}

/// A new canvas of `size` on which every image stands where `map` puts it.
fn remap(
    document: &Document,
    label: &'static str,
    size: Size,
    map: impl Fn(&TiledImage, (i32, i32)) -> Result<Placed, OpError>,
) -> Result<Step, CommandError> {
    let mut canvas = Canvas::of(document);
    canvas.size = size;
    canvas.layers = remap_layers(&document.layers, &map)?;
    if let Some(selection) = &document.selection {
        let (image, origin) = map(selection, (0, 0))?;
        let fits = image.size() == size && origin == (0, 0);
        let image = if fits { image } else { image.reframed(size, origin.0, origin.1) };
        canvas.selection = Some(image);
    }
    Ok(Step::one(label, Edit::SetCanvas(Box::new(canvas))))
}

fn remap_layers(
    layers: &[Arc<Layer>],
    map: &impl Fn(&TiledImage, (i32, i32)) -> Result<Placed, OpError>,
) -> Result<Vec<Arc<Layer>>, OpError> {
    let remapped = |layer: &Arc<Layer>| {
        let mut layer = (**layer).clone();
        match &mut layer.kind {
            LayerKind::Raster(raster) => {
                (raster.image, raster.origin) = map(&raster.image, raster.origin)?;
            }
            LayerKind::Generated(generated) => {
                let raster = &mut generated.raster;
                (raster.image, raster.origin) = map(&raster.image, raster.origin)?;
            }
            LayerKind::Group(children) => *children = remap_layers(children, map)?,
            LayerKind::Adjustment(_) => {}
        }
        if let Some(mask) = &mut layer.mask {
            (mask.image, mask.origin) = map(&mask.image, mask.origin)?;
        }
        Ok(Arc::new(layer))
    };
    layers.iter().map(remapped).collect()
}

/// The image a transformation makes of one; without tiles there is nothing to transform.
fn over_pixels(
    image: &TiledImage,
    size: Size,
    transform: impl FnOnce() -> Result<PixelBuf, OpError>,
) -> Result<TiledImage, OpError> {
    let mut out = blank(image, size);
    if image.bytes() > 0 {
        out.write(&transform()?, (0, 0));
    }
    Ok(out)
}

fn blank(image: &TiledImage, size: Size) -> TiledImage {
    TiledImage::new(size, image.channels(), image.depth(), image.fill())
}

/// `rect` mirrored within `width` and `height`; 0 leaves that direction alone.
fn mirrored(rect: IRect, width: u32, height: u32) -> IRect {
    let flip = |low: i32, high: i32, side: u32| match side as i32 {
        0 => (low, high),
        side => (side - high, side - low),
    };
    let (x0, x1) = flip(rect.x0, rect.x1, width);
    let (y0, y1) = flip(rect.y0, rect.y1, height);
    IRect::new(x0, y0, x1, y1)
}

/// `rect` turned clockwise with a canvas of extent `size`.
fn turned(rect: IRect, size: Size, turns: i64) -> IRect {
    let transposed = IRect::new(rect.y0, rect.x0, rect.y1, rect.x1);
    match turns {
        1 => mirrored(transposed, size.height, 0),
        2 => mirrored(rect, size.width, size.height),
        _ => mirrored(transposed, 0, size.width),
    }
}
