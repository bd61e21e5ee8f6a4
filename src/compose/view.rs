//! Evaluates a prepared stack over a rectangle of a sampled view of the document.

use rayon::prelude::*;

use super::plan::{Content, Node, total_halo_px};
use super::surface::{Strength, Surface};
use crate::document::{BlendMode, Layer, Raster};
use crate::geom::{IRect, Size};
use crate::ops::OpContext;
use crate::pixels::{Depth, PixelBuf, TILE, TiledImage};

/// A stack seen through a sampling grid: view pixel `(x, y)` shows document pixel
/// `(x step + offset, y step + offset)`. Step 1 is the document itself.
pub(super) struct View<'a> {
    pub nodes: Vec<Node<'a>>,
    pub context: OpContext,
    pub depth: Depth,
    pub step: i32,
    /// Place of the sample within its cell, `0..step`.
    pub offset: i32,
    /// Where filters replicate their input's edge, in view pixels.
    pub extent: IRect,
}

impl View<'_> {
    /// The view's pixels inside `region`, in blocks in parallel.
    pub fn render(&self, region: IRect) -> PixelBuf {
        // A block recomputes its halo: with a side of eight halos that is at most half as many
        // pixels again as its own.
        let side = total_halo_px(&self.nodes).saturating_mul(8).max(TILE as i32);
        let blocks: Vec<_> = blocks(region, side).collect();
        let parts: Vec<_> =
            blocks.into_par_iter().map(|block| (block, self.render_block(block))).collect();
        let mut out = PixelBuf::new(region.size(), 4, self.depth);
        for (block, part) in parts {
            if let Some(part) = part {
                out.blit(&part, (block.x0 - region.x0, block.y0 - region.y0));
            }
        }
        out
    }

    /// One block; `None` where nothing is painted.
    fn render_block(&self, block: IRect) -> Option<PixelBuf> {
        let mut painted = self.nodes.iter().filter(|node| self.paints(node, block));
        let first = painted.next()?;
        // What is alone keeps its bytes, even the colours behind transparent pixels. A filter
        // above would have to paint here itself and is therefore counted.
        if let (Content::Raster(raster), true, None) =
            (&first.content, plain(first.layer), painted.next())
        {
            let clip = self.view_rect(raster.bounds()).intersect(block);
            let mut out = PixelBuf::new(block.size(), 4, self.depth);
            let part = self.fetch(&raster.image, raster.origin, clip);
            out.blit(&part, (clip.x0 - block.x0, clip.y0 - block.y0));
            return Some(out);
        }
        Some(self.eval(&self.nodes, block).to_buf(self.depth))
    }

    /// The stack over `region` in full precision.
    pub fn eval(&self, nodes: &[Node], region: IRect) -> Surface {
        // From the top down: what each node must deliver so that those above have their halo.
        let mut wanted = region;
        let mut after = vec![IRect::EMPTY; nodes.len()];
        for (node, after) in nodes.iter().zip(&mut after).rev() {
            *after = wanted;
            if let Content::Filter { halo_px, .. } = node.content {
                wanted = wanted.union(wanted.grow(halo_px).intersect(self.extent));
            }
        }
        let mut surface = Surface::transparent(wanted);
        for (node, after) in nodes.iter().zip(after) {
            surface = self.apply(node, surface, after);
        }
        surface
    }

    fn apply(&self, node: &Node, mut surface: Surface, after: IRect) -> Surface {
        let mode = node.layer.props.blend;
        match &node.content {
            Content::Raster(raster) => {
                let clip = self.view_rect(raster.bounds()).intersect(surface.rect);
                if !clip.is_empty() && self.raster_paints(raster, clip) {
                    let source = self.fetch(&raster.image, raster.origin, clip);
                    surface.draw(clip, &source, &self.strength(node.layer, clip), mode);
                }
            }
            Content::Group(children) => {
                if children.iter().any(|child| self.paints(child, surface.rect)) {
                    let group = self.eval(children, surface.rect);
                    let strength = self.strength(node.layer, surface.rect);
                    surface.draw_group(&group, &strength, mode);
                }
            }
            Content::Point(point) => {
                let strength = self.strength(node.layer, surface.rect);
                surface.map_colors(point, &strength, mode);
            }
            Content::Filter { op, params, .. } => {
                // 16 bits between layers, whatever the document's depth: stacked filters on an
                // 8-bit picture must not band.
                let input = surface.to_buf(Depth::U16);
                let filtered = op.filter(params, &self.context, &input);
                let rect = surface.rect;
                surface = surface.cropped(after);
                if let Some(filtered) = filtered {
                    let filtered = Surface::from_buf(rect, &filtered).cropped(after);
                    surface.mix(&filtered, &self.strength(node.layer, after), mode);
                }
            }
        }
        surface
    }

    /// Whether a node may change anything inside `rect`.
    fn paints(&self, node: &Node, rect: IRect) -> bool {
        match &node.content {
            Content::Raster(raster) => {
                let clip = self.view_rect(raster.bounds()).intersect(rect);
                !clip.is_empty() && self.raster_paints(raster, clip)
            }
            Content::Group(children) => children.iter().any(|child| self.paints(child, rect)),
            Content::Point(_) | Content::Filter { .. } => true,
        }
    }

    fn raster_paints(&self, raster: &Raster, clip: IRect) -> bool {
        raster.image.fill()[3] != 0 || self.has_tiles(&raster.image, raster.origin, clip)
    }

    fn has_tiles(&self, image: &TiledImage, origin: (i32, i32), rect: IRect) -> bool {
        let local = self
            .document_rect(rect)
            .translate(origin.0.saturating_neg(), origin.1.saturating_neg());
        image.tiles_in(local).any(|(column, row)| image.tile(column, row).is_some())
    }

    fn strength(&self, layer: &Layer, rect: IRect) -> Strength {
        let mask = layer.mask.as_ref().filter(|mask| {
            mask.enabled
                && (mask.image.fill()[0] != mask.image.depth().max()
                    || self.has_tiles(&mask.image, mask.origin, rect))
        });
        let mask = mask.map(|mask| self.fetch(&mask.image, mask.origin, rect));
        Strength { opacity: layer.props.opacity, mask }
    }

    /// The samples of an image at `origin` seen inside `rect` of the view.
    fn fetch(&self, image: &TiledImage, origin: (i32, i32), rect: IRect) -> PixelBuf {
        if self.step == 1 {
            let shift = (origin.0.saturating_neg(), origin.1.saturating_neg());
            return image.read(rect.translate(shift.0, shift.1));
        }
        let place = |at: i32, origin: i32| {
            at.saturating_mul(self.step).saturating_add(self.offset).saturating_sub(origin)
        };
        let max = f32::from(image.depth().max());
        let mut out = PixelBuf::new(rect.size(), image.channels(), image.depth());
        for y in 0..rect.height() {
            for x in 0..rect.width() {
                let from = (rect.x0 + x as i32, rect.y0 + y as i32);
                let pixel = image.pixel(place(from.0, origin.0), place(from.1, origin.1));
                out.set_pixel_f32(x, y, pixel.map(|sample| f32::from(sample) / max));
            }
        }
        out
    }

    /// The view pixels whose sample lies inside `rect` of the document.
    pub fn view_rect(&self, rect: IRect) -> IRect {
        let (step, offset) = (i64::from(self.step), i64::from(self.offset));
        let map = |at: i32| (-(offset - i64::from(at)).div_euclid(step)) as i32;
        IRect::new(map(rect.x0), map(rect.y0), map(rect.x1), map(rect.y1))
    }

    fn document_rect(&self, rect: IRect) -> IRect {
        let map = |at: i32| at.saturating_mul(self.step);
        IRect::new(map(rect.x0), map(rect.y0), map(rect.x1), map(rect.y1))
    }
}

/// Whether a layer shows its own pixels as they are.
fn plain(layer: &Layer) -> bool {
    layer.props.opacity >= 1.0
        && layer.props.blend == BlendMode::Normal
        && !layer.mask.as_ref().is_some_and(|mask| mask.enabled)
}

/// `region` cut at multiples of `side`, so that blocks of step 1 meet tiles.
fn blocks(region: IRect, side: i32) -> impl Iterator<Item = IRect> {
    let cells = move |from: i32, to: i32| from.div_euclid(side)..(to - 1).div_euclid(side) + 1;
    let (columns, rows) = if region.is_empty() {
        (0..0, 0..0)
    } else {
        (cells(region.x0, region.x1), cells(region.y0, region.y1))
    };
    let size = Size::new(side as u32, side as u32);
    rows.flat_map(move |row| {
        columns.clone().map(move |column| {
            IRect::from_origin_size((column * side, row * side), size).intersect(region)
        })
    })
}
