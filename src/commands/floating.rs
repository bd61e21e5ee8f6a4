//! Selected pixels on the move: cut from their layer, laid over it elsewhere.

use super::paint::{cleared, copy, grown, lay_over};
use super::selection::shifted;
use super::{CommandError, unlocked};
use crate::document::{Document, Edit, LayerId, Raster};
use crate::geom::IRect;
use crate::pixels::{PixelBuf, TiledImage};

/// The selected pixels of a layer, the layer without them, and the selection that cut them out.
pub struct Floating {
    id: LayerId,
    hole: Raster,
    pixels: PixelBuf,
    origin: (i32, i32),
    selection: TiledImage,
    selected: IRect,
}

impl Floating {
    /// Lifts what is selected of a raster layer; the document itself does not change.
    pub fn lift(document: &Document, id: LayerId) -> Result<Self, CommandError> {
        let layer = unlocked(document, id)?;
        let raster = layer
            .raster_content()
            .ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
        let selection = document.selection.clone().ok_or(CommandError::NoSelection)?;
        let (pixels, origin) = copy(document, Some(id))?;
        let lifted = IRect::from_origin_size(origin, pixels.size());
        let hole = cleared(document, raster, lifted);
        // Room for the pixels anywhere on the canvas.
        let (image, hole_origin) = grown(&hole.image, hole.origin, document.size.rect());
        let hole = Raster { image, origin: hole_origin, ..hole };
        Ok(Self { id, hole, pixels, origin, selection, selected: document.selection_bounds() })
    }

    /// The edits that put the pixels, and the selection with them, `offset` away from where they
    /// were. Each call starts from the lifted state, so that a drag may come back.
    pub fn at(&self, offset: (i32, i32)) -> [Edit; 2] {
        let place = (self.origin.0 + offset.0, self.origin.1 + offset.1);
        let target = IRect::from_origin_size(place, self.pixels.size());
        let mut raster = self.hole.clone();
        let local = target.translate(-raster.origin.0, -raster.origin.1);
        raster.image.modify(local, |part, samples| {
            let (dx, dy) = ((part.x0 - local.x0) as u32, (part.y0 - local.y0) as u32);
            lay_over(samples, part, |x, y| self.pixels.pixel_f32(x + dx, y + dy));
        });
        let from = IRect::from_origin_size(self.origin, self.pixels.size());
        let damage = from.union(target);
        let selection = shifted(&self.selection, self.selected, offset);
        [Edit::SetRaster { id: self.id, raster, damage }, Edit::SetSelection(Some(selection))]
    }
}
