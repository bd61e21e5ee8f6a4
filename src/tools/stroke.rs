//! One brush stroke: from a pointer's path to changed tiles.
//!
//! Pixels are always computed from the image as it was before the stroke and the stroke's
//! coverage, never from pixels already painted: opacity holds over any number of overlaps, and
//! only tiles under new dabs are touched.

use std::collections::HashMap;

use rayon::prelude::*;

use super::coverage::{Coverage, Dab};
use crate::compose;
use crate::document::{BlendMode, Edit, LayerId, LayerMask, Raster};
use crate::geom::{IRect, Point, Size};
use crate::pixels::{Sample, Samples, TILE, Tile, TiledImage};

/// The brush's settings, fixed for a stroke.
#[derive(Clone, Copy, Debug)]
pub struct Brush {
    pub size_px: f32,
    /// `0..=1`, as are `opacity` and `flow`.
    pub hardness: f32,
    pub opacity: f32,
    pub flow: f32,
    /// Distance of dabs as part of the diameter.
    pub spacing: f32,
    pub pressure_size: bool,
    pub pressure_opacity: bool,
}

impl Brush {
    fn dab(&self, center: Point, pressure: f32) -> Dab {
        let scale = if self.pressure_size { pressure } else { 1.0 };
        let strength = if self.pressure_opacity { pressure } else { 1.0 };
        Dab {
            center,
            radius_px: (self.size_px * scale / 2.0).max(0.5),
            hardness: self.hardness,
            opacity: self.opacity * strength,
            flow: self.flow,
        }
    }

    fn step_px(&self, pressure: f32) -> f32 {
        // Half a pixel is finer than anyone sees and keeps small brushes from flooding the queue.
        (self.dab(Point::default(), pressure).radius_px * 2.0 * self.spacing).max(0.5)
    }
}

/// What a stroke does to a pixel.
#[derive(Clone, Copy, Debug)]
pub enum Ink {
    /// Lays this colour over colour pixels.
    Paint { color: [f32; 3], mode: BlendMode },
    /// Takes alpha from colour pixels.
    Erase,
    /// Moves mask values to this one.
    Mask { value: f32 },
}

/// What is painted on.
#[derive(Clone, Debug)]
pub enum Canvas {
    Raster(Raster),
    Mask(LayerMask),
}

impl Canvas {
    fn parts(&mut self) -> (&mut TiledImage, &mut (i32, i32)) {
        match self {
            Self::Raster(raster) => (&mut raster.image, &mut raster.origin),
            Self::Mask(mask) => (&mut mask.image, &mut mask.origin),
        }
    }

    fn bounds(&self) -> IRect {
        match self {
            Self::Raster(raster) => raster.bounds(),
            Self::Mask(mask) => IRect::from_origin_size(mask.origin, mask.image.size()),
        }
    }
}

pub struct Stroke {
    layer: LayerId,
    brush: Brush,
    ink: Ink,
    canvas: Canvas,
    /// The canvas's image before the stroke, grown with it.
    base: TiledImage,
    selection: Option<TiledImage>,
    document: IRect,
    coverage: Coverage,
    last: (Point, f32),
    /// Way along the path that is left until the next dab.
    until_next_px: f32,
}

impl Stroke {
    /// A stroke on `layer` in a document of extent `document`, restricted by `selection`, that
    /// starts at a point. The first edit comes from [`Stroke::advance`].
    pub fn new(
        layer: LayerId,
        mut canvas: Canvas,
        document: IRect,
        selection: Option<TiledImage>,
        brush: Brush,
        ink: Ink,
        start: (Point, f32),
    ) -> Self {
        let base = canvas.parts().0.clone();
        let coverage = Coverage::new(document.size());
        let last = start;
        Self {
            layer,
            brush,
            ink,
            canvas,
            base,
            selection,
            document,
            coverage,
            last,
            until_next_px: 0.0,
        }
    }

    /// Paints along a straight line to `to`; `None` where no pixel changed. The edit's damage is
    /// the area under the new dabs.
    pub fn advance(&mut self, to: Point, pressure: f32) -> Option<Edit> {
        let dabs = self.dabs_to(to, pressure);
        let damage = dabs.iter().fold(IRect::EMPTY, |damage, dab| damage.union(dab.bounds()));
        let damage = damage.intersect(self.document);
        if damage.is_empty() {
            return None;
        }
        if !matches!(self.ink, Ink::Erase) && !self.canvas.bounds().contains_rect(damage) {
            self.grow();
        }
        self.coverage.stamp(&dabs);
        let changed = self.repaint(&dabs);
        changed.then(|| match &self.canvas {
            Canvas::Raster(raster) => {
                Edit::SetRaster { id: self.layer, raster: raster.clone(), damage }
            }
            Canvas::Mask(mask) => {
                Edit::SetMask { id: self.layer, mask: Some(mask.clone()), damage }
            }
        })
    }

    fn dabs_to(&mut self, to: Point, pressure: f32) -> Vec<Dab> {
        let (from, from_pressure) = self.last;
        let length = from.distance(to);
        let mut dabs = Vec::new();
        let mut at = self.until_next_px;
        while at <= length {
            let t = if length > 0.0 { at / length } else { 0.0 };
            let pressure = from_pressure + (pressure - from_pressure) * t;
            dabs.push(self.brush.dab(from.lerp(to, t), pressure));
            at += self.brush.step_px(pressure);
        }
        self.until_next_px = at - length;
        self.last = (to, pressure);
        dabs
    }

    /// Extends the image to the whole canvas of the document.
    fn grow(&mut self) {
        let old = self.canvas.bounds();
        let new = old.union(self.document);
        let shift = (old.x0 - new.x0, old.y0 - new.y0);
        let (image, origin) = self.canvas.parts();
        *image = image.reframed(new.size(), shift.0, shift.1);
        *origin = new.origin();
        self.base = self.base.reframed(new.size(), shift.0, shift.1);
    }

    /// Recomputes the pixels under the dabs; whether any tile changed.
    fn repaint(&mut self, dabs: &[Dab]) -> bool {
        let (image, origin) = self.canvas.parts();
        let origin = *origin;
        let mut dirty: HashMap<(u32, u32), IRect> = HashMap::new();
        for dab in dabs {
            let rect = dab.bounds().intersect(self.document).translate(-origin.0, -origin.1);
            for (column, row) in image.tiles_in(rect) {
                let part = image.tile_rect(column, row).intersect(rect);
                let dirty = dirty.entry((column, row)).or_default();
                *dirty = dirty.union(part);
            }
        }
        let dirty: Vec<_> = dirty.into_iter().collect();
        let painter = Painter {
            base: &self.base,
            coverage: &self.coverage,
            selection: self.selection.as_ref(),
            ink: self.ink,
            origin,
        };
        let current = &*image;
        let tiles: Vec<_> = dirty
            .into_par_iter()
            .filter_map(|((column, row), part)| {
                let tile = painter.repaint_tile(current, column, row, part)?;
                Some((column, row, tile))
            })
            .collect();
        let changed = !tiles.is_empty();
        for (column, row, tile) in tiles {
            image.set_tile(column, row, Some(tile.into()));
        }
        changed
    }
}

struct Painter<'a> {
    base: &'a TiledImage,
    coverage: &'a Coverage,
    selection: Option<&'a TiledImage>,
    ink: Ink,
    origin: (i32, i32),
}

impl Painter<'_> {
    /// The tile with `part` (in image pixels) repainted; `None` where nothing changed.
    fn repaint_tile(
        &self,
        current: &TiledImage,
        column: u32,
        row: u32,
        part: IRect,
    ) -> Option<Tile> {
        let shown = part.translate(self.origin.0, self.origin.1);
        let selection = self.selection.map(|selection| selection.read(shown));
        let base = self.base.read(part);
        let origin = ((column * TILE) as i32, (row * TILE) as i32);
        let whole = IRect::from_origin_size(origin, Size::new(TILE, TILE));
        let mut samples = current.read(whole).into_samples();
        let width = part.width() as usize;
        let mut alpha = vec![0.0; width];
        let mut changed = false;
        for (line, y) in (part.y0..part.y1).enumerate() {
            self.coverage.read_row(shown.x0, shown.y0 + line as i32, &mut alpha);
            if let Some(selection) = &selection {
                let selected = selection.samples();
                for (x, alpha) in alpha.iter_mut().enumerate() {
                    *alpha *= selected.get_f32(line * width + x);
                }
            }
            let start = (y as u32 % TILE * TILE + part.x0 as u32 % TILE) as usize;
            let (at, from) = (start * base.channels(), line * width * base.channels());
            changed |= match (&mut samples, base.samples()) {
                (Samples::U8(to), Samples::U8(base)) => {
                    paint_row(&mut to[at..], &base[from..], &alpha, self.ink)
                }
                (Samples::U16(to), Samples::U16(base)) => {
                    paint_row(&mut to[at..], &base[from..], &alpha, self.ink)
                }
                _ => false,
            };
        }
        let old = current.tile(column, row).map(AsRef::as_ref);
        changed.then(|| Tile::changed(old, samples, part))
    }
}

/// Writes what the ink makes of `base` at each `alpha`; whether any sample changed.
fn paint_row<S: Sample>(to: &mut [S], base: &[S], alpha: &[f32], ink: Ink) -> bool {
    let mut changed = false;
    let channels = if matches!(ink, Ink::Mask { .. }) { 1 } else { 4 };
    let pixels = to.chunks_exact_mut(channels).zip(base.chunks_exact(channels)).zip(alpha);
    for ((to, base), &alpha) in pixels {
        if alpha <= 0.0 {
            continue;
        }
        let mut new = [to[0]; 4];
        match ink {
            Ink::Paint { color: [r, g, b], mode } => {
                let backdrop = std::array::from_fn(|i| base[i].to_f32());
                let painted = compose::composite(mode, backdrop, [r, g, b, alpha]);
                new = painted.map(S::from_f32);
            }
            Ink::Erase => {
                new.copy_from_slice(base);
                new[3] = S::from_f32(base[3].to_f32() * (1.0 - alpha));
            }
            Ink::Mask { value } => {
                let old = base[0].to_f32();
                new[0] = S::from_f32(old + (value - old) * alpha);
            }
        }
        if to != &new[..channels] {
            to.copy_from_slice(&new[..channels]);
            changed = true;
        }
    }
    changed
}
