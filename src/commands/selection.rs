//! Selections: made from shapes and layers, combined, inverted, feathered, outlined.
//!
//! A selection is a one-channel 8-bit image over the canvas, 255 = selected. One that selects
//! nothing is dropped: then nothing restricts.

use std::collections::HashMap;

use super::shapes::Shape;
use super::{CommandError, Step, layer, tile_index};
use crate::document::{Document, Edit, LayerId};
use crate::geom::{IRect, Point};
use crate::ops;
use crate::params::Value;
use crate::pixels::{PixelBuf, Samples, TiledImage};

/// How a new selection meets the present one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Replace,
    Add,
    Subtract,
    Intersect,
}

/// Selects a shape. `feather_px` is the standard deviation of the gaussian that softens the
/// shape's edge, in document pixels; at the canvas's border a shape counts as going on.
pub fn select(
    document: &Document,
    shape: &Shape,
    mode: Mode,
    feather_px: f32,
    antialias: bool,
) -> Result<Step, CommandError> {
    let label = match shape {
        Shape::Rectangle { .. } => "Rectangle selection",
        Shape::Ellipse { .. } => "Ellipse selection",
        Shape::Polygon(_) => "Lasso selection",
    };
    let grown = shape.bounds().grow(feather_reach_px(feather_px));
    let rect = grown.intersect(document.size.rect());
    let mut drawn = shape.rasterise(rect, antialias);
    if feather_px > 0.0 {
        drawn = blur(&drawn, feather_px)?;
    }
    let mut image = TiledImage::mask(document.size, 0);
    image.write(&drawn, rect.origin());
    Ok(set(label, combine(document.selection.as_ref(), image, rect, mode)))
}

pub fn select_all(document: &Document) -> Step {
    set("Select all", TiledImage::mask(document.size, 255))
}

pub fn deselect(document: &Document) -> Step {
    let edits = document.selection.iter().map(|_| Edit::SetSelection(None)).collect();
    Step::new("Deselect", edits)
}

/// Selects what is not selected; without a selection, everything.
pub fn invert(document: &Document) -> Step {
    let inverted = match &document.selection {
        None => TiledImage::mask(document.size, 255),
        Some(selection) => inverted(selection),
    };
    set("Invert selection", inverted)
}

/// Softens the selection's edge by a gaussian of standard deviation `sigma_px`.
pub fn feather(document: &Document, sigma_px: f32) -> Result<Step, CommandError> {
    let selection = document.selection.as_ref().ok_or(CommandError::NoSelection)?;
    let reach = feather_reach_px(sigma_px);
    let rect = document.selection_bounds().grow(reach).intersect(document.size.rect());
    let mut image = selection.clone();
    image.write(&blur(&selection.read(rect), sigma_px)?, rect.origin());
    Ok(set("Feather selection", image))
}

/// Selects a layer's pixels by their alpha.
pub fn from_alpha(document: &Document, id: LayerId, mode: Mode) -> Result<Step, CommandError> {
    let layer = layer(document, id)?;
    let raster =
        layer.raster_content().ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
    let rect = raster.bounds().intersect(document.size.rect());
    let mut image = TiledImage::mask(document.size, 0);
    image.modify(rect, |part, samples| {
        let pixels = raster.image.read(part.translate(-raster.origin.0, -raster.origin.1));
        for y in 0..part.height() {
            for x in 0..part.width() {
                let at = tile_index(part.x0 + x as i32, part.y0 + y as i32);
                samples.set_f32(at, pixels.samples().get_f32(pixels.index(x, y) + 3));
            }
        }
    });
    Ok(set("Select layer pixels", combine(document.selection.as_ref(), image, rect, mode)))
}

/// Selects a mask's white parts.
pub fn from_mask(document: &Document, id: LayerId, mode: Mode) -> Result<Step, CommandError> {
    let layer = layer(document, id)?;
    let mask = layer.mask.as_ref().ok_or_else(|| CommandError::NoMask(layer.props.name.clone()))?;
    let image = mask.image.reframed(document.size, mask.origin.0, mask.origin.1);
    let rect = document.size.rect();
    Ok(set("Select mask", combine(document.selection.as_ref(), image, rect, mode)))
}

/// A selection moved by whole pixels; what leaves the canvas is given up. `bounds` holds what is
/// selected, as `Document::selection_bounds` answers it.
pub fn shifted(selection: &TiledImage, bounds: IRect, (dx, dy): (i32, i32)) -> TiledImage {
    let mut moved = TiledImage::mask(selection.size(), 0);
    moved.write(&selection.read(bounds), (bounds.x0 + dx, bounds.y0 + dy));
    moved
}

/// The complement of a one-channel image; missing tiles stay missing.
pub fn inverted(image: &TiledImage) -> TiledImage {
    let max = image.depth().max();
    let mut out = TiledImage::new(image.size(), 1, image.depth(), image.fill().map(|v| max - v));
    for (column, row) in image.tiles_in(image.size().rect()) {
        let Some(tile) = image.tile(column, row) else { continue };
        let samples = match tile.samples() {
            Samples::U8(samples) => Samples::U8(samples.iter().map(|v| 255 - v).collect()),
            Samples::U16(samples) => Samples::U16(samples.iter().map(|v| 65_535 - v).collect()),
        };
        out.set_tile(column, row, Some(std::sync::Arc::new(crate::pixels::Tile::new(samples))));
    }
    out
}

/// Closed outlines of the area selected by half or more, along pixel edges, with corners only.
pub fn outline(selection: &TiledImage) -> Vec<Vec<Point>> {
    let buf = selection.to_buf();
    let (width, height) = (buf.size().width as i32, buf.size().height as i32);
    let Samples::U8(samples) = buf.samples() else { return Vec::new() };
    let inside = |x: i32, y: i32| {
        x >= 0
            && y >= 0
            && x < width
            && y < height
            && samples[y as usize * width as usize + x as usize] >= 128
    };
    // Directed edges with the selected side on their right, by starting corner. Where two areas
    // touch at a corner two edges leave it; either continues a closed line.
    let mut edges: HashMap<(i32, i32), Vec<(i32, i32)>> = HashMap::new();
    let mut add = |from, to| edges.entry(from).or_default().push(to);
    for y in 0..=height {
        for x in 0..=width {
            let here = inside(x, y);
            match (here, inside(x, y - 1)) {
                (true, false) => add((x, y), (x + 1, y)),
                (false, true) => add((x + 1, y), (x, y)),
                _ => {}
            }
            match (here, inside(x - 1, y)) {
                (true, false) => add((x, y + 1), (x, y)),
                (false, true) => add((x, y), (x, y + 1)),
                _ => {}
            }
        }
    }
    let mut starts: Vec<_> = edges.keys().copied().collect();
    starts.sort_unstable_by_key(|&(x, y)| (y, x));
    let mut paths = Vec::new();
    for start in starts {
        while let Some(path) = trace(&mut edges, start) {
            paths.push(path);
        }
    }
    paths
}

fn trace(
    edges: &mut HashMap<(i32, i32), Vec<(i32, i32)>>,
    start: (i32, i32),
) -> Option<Vec<Point>> {
    let mut at = start;
    let mut corners: Vec<(i32, i32)> = Vec::new();
    while let Some(next) = edges.get_mut(&at).and_then(Vec::pop) {
        let straight = corners
            .last()
            .is_some_and(|&(x, y)| (x == at.0 && at.0 == next.0) || (y == at.1 && at.1 == next.1));
        if !straight {
            corners.push(at);
        }
        at = next;
        if at == start {
            break;
        }
    }
    (corners.len() > 2)
        .then(|| corners.iter().map(|&(x, y)| Point::new(x as f32, y as f32)).collect())
}

/// Combines `new`, which is 0 outside `rect`, with what is selected now.
fn combine(present: Option<&TiledImage>, new: TiledImage, rect: IRect, mode: Mode) -> TiledImage {
    let Some(present) = present else {
        // Nothing selected: adding replaces; there is nothing to take from or to share.
        return match mode {
            Mode::Replace | Mode::Add => new,
            Mode::Subtract | Mode::Intersect => TiledImage::mask(new.size(), 0),
        };
    };
    let merge = |mut base: TiledImage, other: &TiledImage, f: fn(u8, u8) -> u8| {
        base.modify(rect, |part, samples| {
            let other = other.read(part);
            let (Samples::U8(to), Samples::U8(from)) = (samples, other.samples()) else { return };
            for (row, y) in (part.y0..part.y1).enumerate() {
                let start = tile_index(part.x0, y);
                let from = &from[row * part.width() as usize..][..part.width() as usize];
                let to = to[start..][..part.width() as usize].iter_mut();
                to.zip(from).for_each(|(to, from)| *to = f(*to, *from));
            }
        });
        base
    };
    match mode {
        Mode::Replace => new,
        Mode::Add => merge(present.clone(), &new, u8::max),
        Mode::Subtract => merge(present.clone(), &new, |a, b| a.min(255 - b)),
        Mode::Intersect => merge(new, present, u8::min),
    }
}

fn set(label: &'static str, mut image: TiledImage) -> Step {
    // Tiles that show what missing ones show are given up.
    let fill = image.fill()[0];
    let mut blank = true;
    for (column, row) in image.tiles_in(image.size().rect()) {
        match image.tile(column, row).and_then(|_| only_value(&image, column, row)) {
            Some(value) if value == fill => image.set_tile(column, row, None),
            Some(0) => continue,
            _ => {}
        }
        blank &= fill == 0 && image.tile(column, row).is_none();
    }
    Step::one(label, Edit::SetSelection((!blank).then_some(image)))
}

/// The value that every shown pixel of a tile has.
fn only_value(image: &TiledImage, column: u32, row: u32) -> Option<u16> {
    let shown = image.tile_rect(column, row);
    let first = image.pixel(shown.x0, shown.y0)[0];
    let samples = image.tile(column, row)?.samples();
    let uniform = (shown.y0..shown.y1).all(|y| {
        let start = tile_index(shown.x0, y);
        (start..start + shown.width() as usize).all(|index| samples.get(index) == first)
    });
    uniform.then_some(first)
}

/// Blurs a one-channel buffer, its edges replicated, with the operation of that name.
fn blur(mask: &PixelBuf, sigma_px: f32) -> Result<PixelBuf, CommandError> {
    Ok(ops::perform("gaussian_blur", &[("sigma", Value::Float(sigma_px.into()))], mask)?)
}

/// How far a gaussian changes 8-bit values: beyond 3 sigma less than 1/255 is left.
fn feather_reach_px(sigma_px: f32) -> i32 {
    (sigma_px.max(0.0) * 3.0).ceil() as i32
}
