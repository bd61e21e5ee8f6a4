//! Flattening: layers, masks, blend modes, groups and adjustment layers to plain pixels.
//!
//! The reference that the display's compositor is tested against. Everything is computed in
//! `f32` on encoded values with straight alpha and quantised once; a layer that lies alone comes
//! out with its own bytes. Groups are isolated (composited on their own, then drawn as one
//! layer). An adjustment layer maps what has accumulated beneath it within its group and mixes
//! the result in by opacity × mask ([`adjust`]).

mod blend;
mod plan;
mod surface;
mod view;

pub use blend::{adjust, blend, composite, luminosity};

use std::sync::Arc;

use crate::document::{Document, Layer, LayerMask};
use crate::geom::{IRect, Size};
use crate::ops::OpContext;
use crate::pixels::{Depth, PixelBuf};
use view::View;

/// What the document shows inside `region` (document pixels; transparent outside all layers):
/// RGBA with straight alpha at the document's depth, encoded in its profile.
pub fn flatten(document: &Document, region: IRect) -> PixelBuf {
    render_layers(document, &document.layers, region)
}

/// [`flatten`] for other layers than the document's own (bottom first), such as one group, a
/// layer without those beneath it, or a stack not yet committed.
pub fn render_layers(document: &Document, layers: &[Arc<Layer>], region: IRect) -> PixelBuf {
    view(document, layers, 1, region.size().pixels(), region).render(region)
}

/// A reduced picture of the whole canvas, by sampling every `step`-th pixel: as cheap as the
/// pixels it returns. The extent is the canvas's divided by `step`, rounded. For thumbnails and previews.
pub fn preview(document: &Document, layers: &[Arc<Layer>], step: u32) -> PixelBuf {
    let step = step.clamp(1, crate::geom::MAX_SIDE) as i32;
    let pixels = document.size.pixels() / u64::from(step.unsigned_abs()).pow(2);
    let view = view(document, layers, step, pixels, IRect::EMPTY);
    view.render(view.extent)
}

/// A small picture of the document whose longer side is at most `max_side_px`, 8 bits a channel.
pub fn thumbnail(document: &Document, max_side_px: u32) -> PixelBuf {
    thumbnail_of(document, &document.layers, max_side_px)
}

/// [`thumbnail`] of one layer on the canvas, shown whether visible or not, without its mask,
/// opacity and blend mode.
pub fn layer_thumbnail(document: &Document, layer: &Layer, max_side_px: u32) -> PixelBuf {
    let mut bare = layer.clone();
    bare.mask = None;
    bare.props.visible = true;
    bare.props.opacity = 1.0;
    bare.props.blend = Default::default();
    thumbnail_of(document, &[Arc::new(bare)], max_side_px)
}

/// A small picture of a mask over the canvas: one channel, 8 bits.
pub fn mask_thumbnail(document: &Document, mask: &LayerMask, max_side_px: u32) -> PixelBuf {
    let size = fitted(document.size, max_side_px);
    let mut out = PixelBuf::new(size, 1, Depth::U8);
    let max = f32::from(mask.image.depth().max());
    for y in 0..size.height {
        for x in 0..size.width {
            let at = |i: u32, to: u32, from: u32, origin: i32| {
                let place = (u64::from(i) * 2 + 1) * u64::from(from) / (u64::from(to) * 2);
                (place as i32).saturating_sub(origin)
            };
            let from_x = at(x, size.width, document.size.width, mask.origin.0);
            let from_y = at(y, size.height, document.size.height, mask.origin.1);
            let value = f32::from(mask.image.pixel(from_x, from_y)[0]) / max;
            out.set_pixel_f32(x, y, [value; 4]);
        }
    }
    out
}

/// The colour the document shows at one pixel: encoded working values and alpha, `0..=1`.
pub fn sample(document: &Document, x: i32, y: i32) -> [f32; 4] {
    flatten(document, IRect::new(x, y, x.saturating_add(1), y.saturating_add(1))).pixel_f32(0, 0)
}

/// The mean colour of a square of `side_px` (odd) pixels around `(x, y)`, clipped to the canvas
/// and weighted by alpha; transparent where nothing is painted.
pub fn sample_mean(document: &Document, x: i32, y: i32, side_px: u32) -> [f32; 4] {
    let reach = (side_px.min(101) / 2) as i32;
    let square = IRect::new(x, y, x.saturating_add(1), y.saturating_add(1)).grow(reach);
    let square = square.intersect(document.size.rect());
    if square.is_empty() {
        return [0.0; 4];
    }
    mean(&flatten(document, square), square.size().rect())
}

/// Where any of the layers may have pixels, in document pixels.
pub fn content_bounds(layers: &[Arc<Layer>]) -> IRect {
    layers.iter().fold(IRect::EMPTY, |bounds, layer| {
        let own = match (layer.raster_content(), layer.children()) {
            (Some(raster), _) => raster.bounds(),
            (None, Some(children)) => content_bounds(children),
            (None, None) => IRect::EMPTY,
        };
        bounds.union(own)
    })
}

fn view<'a>(
    document: &Document,
    layers: &'a [Arc<Layer>],
    step: i32,
    pixels: u64,
    region: IRect,
) -> View<'a> {
    let context = OpContext { profile: document.profile.clone(), scale: 1.0 / step as f32 };
    let nodes = plan::prepare(layers, &context, pixels);
    // The middle of the cell, but inside even a canvas thinner than half a cell.
    let thin = document.size.width.min(document.size.height).max(1) as i32;
    let offset = (step / 2).min(thin - 1);
    let mut view =
        View { nodes, context, depth: document.depth, step, offset, extent: IRect::EMPTY };
    view.extent = view.view_rect(document.size.rect()).union(region);
    view
}

/// Twice as many samples a side as pixels, averaged: without this, fine texture would sparkle.
fn thumbnail_of(document: &Document, layers: &[Arc<Layer>], max_side_px: u32) -> PixelBuf {
    let size = fitted(document.size, max_side_px);
    let step = (document.size.width.max(document.size.height) / (max_side_px.max(1) * 2)).max(1);
    let sampled = preview(document, layers, step);
    let from = sampled.size();
    let mut out = PixelBuf::new(size, 4, Depth::U8);
    for y in 0..size.height {
        for x in 0..size.width {
            let span = |i: u32, to: u32, from: u32| {
                let start = (u64::from(i) * u64::from(from) / u64::from(to)) as i32;
                let end = (u64::from(i + 1) * u64::from(from) / u64::from(to)) as i32;
                (start, end.max(start + 1))
            };
            let (x0, x1) = span(x, size.width, from.width);
            let (y0, y1) = span(y, size.height, from.height);
            out.set_pixel_f32(x, y, mean(&sampled, IRect::new(x0, y0, x1, y1)));
        }
    }
    out
}

/// The mean of the pixels inside `rect`, colours weighted by alpha.
fn mean(buf: &PixelBuf, rect: IRect) -> [f32; 4] {
    let rect = rect.intersect(buf.size().rect());
    let mut sum = [0.0f32; 4];
    for y in rect.y0..rect.y1 {
        for x in rect.x0..rect.x1 {
            let [r, g, b, a] = buf.pixel_f32(x as u32, y as u32);
            sum = [sum[0] + r * a, sum[1] + g * a, sum[2] + b * a, sum[3] + a];
        }
    }
    if sum[3] <= 0.0 {
        return [0.0; 4];
    }
    let count = rect.size().pixels() as f32;
    [sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3], sum[3] / count]
}

/// The largest extent of the same shape whose sides are at most `max_side_px`, and at least 1.
fn fitted(size: Size, max_side_px: u32) -> Size {
    let long = size.width.max(size.height).max(1);
    let side = max_side_px.clamp(1, long);
    let scale = |length: u32| {
        ((u64::from(length) * u64::from(side) + u64::from(long) / 2) / u64::from(long)).max(1)
            as u32
    };
    Size::new(scale(size.width), scale(size.height))
}
