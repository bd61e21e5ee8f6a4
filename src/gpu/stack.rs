//! The layer stack made ready for one mip level: what to draw, how far it reaches, and what names
//! the content of a tile.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::pyramid::level_size;
use crate::document::{BlendMode, Document, Layer, LayerId, LayerKind, LayerMask, Raster};
use crate::geom::{IRect, Size};
use crate::ops::{self, Kind, OpContext, Operation};
use crate::params::Params;
use crate::pixels::{SQUARE, TILE, TiledImage};

/// An operation shown on one raster layer's own pixels while its slider moves. It acts inside the
/// document's selection, as applying it will.
#[derive(Clone)]
pub struct Preview {
    pub layer: LayerId,
    pub op: &'static dyn Operation,
    pub params: Params,
}

pub(super) struct Node<'a> {
    pub layer: &'a Layer,
    pub content: Content<'a>,
    /// Names everything but the pixels.
    hash: u64,
}

pub(super) enum Content<'a> {
    Raster(&'a Raster),
    Previewed(&'a Raster, Op<'a>, Option<&'a TiledImage>),
    Group(Vec<Node<'a>>),
    Adjustment(Op<'a>),
}

#[derive(Clone, Copy)]
pub(super) struct Op<'a> {
    pub op: &'static dyn Operation,
    pub params: &'a Params,
    /// Level pixels.
    pub halo_px: u32,
}

/// Layers that show, bottom first. Operations that are unknown, change nothing or move pixels
/// are left out, as the flattening code does.
pub(super) fn prepare<'a>(
    document: &'a Document,
    layers: &'a [Arc<Layer>],
    context: &OpContext,
    preview: Option<&'a Preview>,
) -> Vec<Node<'a>> {
    let usable = |op: &'static dyn Operation, params: &'a Params| {
        let fits = op.spec().kind != Kind::Geometry && !op.is_identity(params);
        fits.then(|| Op { op, params, halo_px: op.halo(params, context) })
    };
    let node = |layer: &'a Arc<Layer>| {
        let shown = preview.filter(|preview| preview.layer == layer.id);
        let raster = |raster: &'a Raster| match shown.and_then(|p| usable(p.op, &p.params)) {
            Some(op) => Content::Previewed(raster, op, document.selection.as_ref()),
            None => Content::Raster(raster),
        };
        let content = match &layer.kind {
            LayerKind::Raster(pixels) => raster(pixels),
            LayerKind::Generated(generated) => raster(&generated.raster),
            LayerKind::Group(children) => {
                Content::Group(prepare(document, children, context, preview))
            }
            LayerKind::Adjustment(adjustment) => {
                Content::Adjustment(usable(ops::find(&adjustment.op)?, &adjustment.params)?)
            }
        };
        let hash = hash_node(layer, &content);
        Some(Node { layer, content, hash })
    };
    layers.iter().filter(|layer| layer.shows()).filter_map(node).collect()
}

fn hash_node(layer: &Layer, content: &Content) -> u64 {
    let mut hasher = DefaultHasher::new();
    (layer.id, layer.props.opacity.to_bits(), layer.props.blend).hash(&mut hasher);
    if let Some(mask) = &layer.mask {
        (mask.enabled, mask.origin, mask.image.fill()).hash(&mut hasher);
    }
    match content {
        Content::Raster(raster) => (0, raster.origin, raster.image.fill()).hash(&mut hasher),
        Content::Previewed(raster, op, _) => {
            (1, raster.origin, raster.image.fill()).hash(&mut hasher);
            op.hash(&mut hasher);
        }
        Content::Group(_) => 2.hash(&mut hasher),
        Content::Adjustment(op) => {
            3.hash(&mut hasher);
            op.hash(&mut hasher);
        }
    }
    hasher.finish()
}

impl Hash for Op<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.op.spec().name.hash(hasher);
        for (key, value) in self.params.iter() {
            (key, value.to_string()).hash(hasher);
        }
    }
}

/// Halos of the whole stack added up, in level pixels.
pub(super) fn total_halo_px(nodes: &[Node]) -> u32 {
    nodes
        .iter()
        .map(|node| match &node.content {
            Content::Raster(_) => 0,
            Content::Previewed(_, op, _) | Content::Adjustment(op) => op.halo_px,
            Content::Group(children) => total_halo_px(children),
        })
        .fold(0, u32::saturating_add)
}

/// Layers that cost a pass each.
pub(super) fn count(nodes: &[Node]) -> u64 {
    nodes
        .iter()
        .map(|node| match &node.content {
            Content::Group(children) => 1 + count(children),
            Content::Raster(_) => 1,
            Content::Previewed(..) | Content::Adjustment(_) => 3,
        })
        .sum()
}

/// Names what the stack shows inside `rect` (level pixels, halo included).
pub(super) fn signature(nodes: &[Node], level: u32, rect: IRect) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_nodes(nodes, level, rect, &mut hasher);
    hasher.finish()
}

fn hash_nodes(nodes: &[Node], level: u32, rect: IRect, hasher: &mut DefaultHasher) {
    for node in nodes {
        node.hash.hash(hasher);
        match &node.content {
            Content::Raster(raster) => hash_raster(raster, level, rect, hasher),
            Content::Previewed(raster, _, selection) => {
                hash_raster(raster, level, rect, hasher);
                if let Some(selection) = selection {
                    hash_image(selection, (0, 0), level, rect, hasher);
                }
            }
            Content::Group(children) => {
                hash_nodes(children, level, rect, hasher);
                u64::MAX.hash(hasher);
            }
            Content::Adjustment(_) => {}
        }
        if let Some(mask) = active_mask(node.layer) {
            hash_image(&mask.image, mask.origin, level, rect, hasher);
        }
    }
}

fn hash_raster(raster: &Raster, level: u32, rect: IRect, hasher: &mut DefaultHasher) {
    hash_image(&raster.image, raster.origin, level, rect, hasher);
}

fn hash_image(
    image: &TiledImage,
    origin: (i32, i32),
    level: u32,
    rect: IRect,
    hasher: &mut DefaultHasher,
) {
    // Named by squares of the image itself: a coarse tile may have changed elsewhere only.
    image.size().hash(hasher);
    let IRect { x0, y0, x1, y1 } = pixels_under(origin, level, rect);
    let up = |at: i32| at.saturating_mul(1 << level);
    let rect = IRect::new(up(x0), up(y0), up(x1), up(y1)).intersect(image.size().rect());
    for (column, row) in TileRange::touching(rect, image.size()).cells() {
        let tile = image.tile(column, row);
        let part = image.tile_rect(column, row);
        if rect.intersect(part) == part {
            tile.map(|tile| tile.id()).hash(hasher);
        } else {
            let inside = rect.intersect(part).translate(-part.x0, -part.y0);
            for (x, y) in squares(inside) {
                tile.map_or(0, |tile| tile.square(x, y)).hash(hasher);
            }
        }
    }
}

/// Squares of a tile that touch `rect`, in its pixels.
fn squares(rect: IRect) -> impl Iterator<Item = (u32, u32)> {
    let span = |from: i32, to: i32| from as u32 / SQUARE..(to as u32).div_ceil(SQUARE);
    let (columns, rows) = (span(rect.x0, rect.x1), span(rect.y0, rect.y1));
    rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
}

pub(super) fn active_mask(layer: &Layer) -> Option<&LayerMask> {
    layer.mask.as_ref().filter(|mask| mask.enabled)
}

/// The number by which `shaders/shared/blend.wgsl` knows a mode.
pub(super) fn mode_number(mode: BlendMode) -> u32 {
    BlendMode::ALL.iter().position(|&other| other == mode).unwrap_or(0) as u32
}

/// A rectangle of an image's tile grid at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TileRange {
    pub column: u32,
    pub row: u32,
    pub columns: u32,
    pub rows: u32,
}

impl TileRange {
    pub(super) fn cells(self) -> impl Iterator<Item = (u32, u32)> {
        (self.row..self.row + self.rows)
            .flat_map(move |row| (self.column..self.column + self.columns).map(move |c| (c, row)))
    }

    /// Tiles of a grid over `size` that touch `rect`.
    pub(super) fn touching(rect: IRect, size: Size) -> Self {
        let rect = rect.intersect(size.rect());
        if rect.is_empty() {
            return Self { column: 0, row: 0, columns: 0, rows: 0 };
        }
        let span = |from: i32, to: i32| {
            let (from, to) = (from.unsigned_abs() / TILE, to.unsigned_abs().div_ceil(TILE));
            (from, to - from)
        };
        let (column, columns) = span(rect.x0, rect.x1);
        let (row, rows) = span(rect.y0, rect.y1);
        Self { column, row, columns, rows }
    }
}

/// Tiles of an image at `origin` (document pixels) that a work rectangle may read.
pub(super) fn tiles_under(
    image: &TiledImage,
    origin: (i32, i32),
    level: u32,
    rect: IRect,
) -> TileRange {
    let size = level_size(image.size(), level);
    TileRange::touching(pixels_under(origin, level, rect), size)
}

/// Pixels of an image's own level at `origin` that a rectangle of the document's level may read:
/// one more on every side where the image lies between the level's pixels.
fn pixels_under(origin: (i32, i32), level: u32, rect: IRect) -> IRect {
    let shift = |at: i32| (at >> level).saturating_neg();
    let step_mask = (1 << level) - 1;
    let between = (origin.0 | origin.1) & step_mask != 0;
    rect.translate(shift(origin.0), shift(origin.1)).grow(i32::from(between))
}
