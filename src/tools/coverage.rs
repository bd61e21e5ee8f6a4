//! How much paint one stroke has laid where: the map between dabs and pixels.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::geom::{IRect, Point, Size};
use crate::pixels::TILE;

const SIDE: i32 = TILE as i32;

/// One imprint of the brush.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dab {
    pub center: Point,
    pub radius_px: f32,
    /// `0..=1`: the part of the radius that is fully covered.
    pub hardness: f32,
    /// Coverage the stroke cannot exceed through this dab, `0..=1`.
    pub opacity: f32,
    /// Part of the way to `opacity` that the dab's middle goes, `0..=1`.
    pub flow: f32,
}

impl Dab {
    /// Whole pixels the dab touches.
    pub fn bounds(&self) -> IRect {
        let reach = self.radius_px + 0.5;
        IRect::new(
            (self.center.x - reach).floor() as i32,
            (self.center.y - reach).floor() as i32,
            (self.center.x + reach).ceil() as i32,
            (self.center.y + reach).ceil() as i32,
        )
    }

    /// The imprint's strength at a distance from its centre: 1 within `hardness` of the radius,
    /// from there a smooth step to 0 at the radius. The step is at least one pixel wide, centred
    /// on the edge, so that hard brushes are smooth-edged.
    #[inline]
    pub fn profile(&self, distance_px: f32) -> f32 {
        let outer = self.radius_px + 0.5;
        let inner = (self.radius_px * self.hardness).min(self.radius_px - 0.5);
        let t = ((outer - distance_px) / (outer - inner)).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }
}

/// Coverage `0..=1` of the canvas, kept in tiles where the stroke has been.
pub struct Coverage {
    size: Size,
    tiles: Vec<Option<Box<[f32]>>>,
}

impl Coverage {
    pub fn new(size: Size) -> Self {
        let count = size.width.div_ceil(TILE) as usize * size.height.div_ceil(TILE) as usize;
        Self { size, tiles: vec![None; count] }
    }

    /// Lays the dabs one after the other: each moves coverage towards its opacity by flow ×
    /// profile and never back. Overlapping dabs so build up to the opacity and no further.
    pub fn stamp(&mut self, dabs: &[Dab]) {
        let columns = self.columns();
        let touched: BTreeSet<usize> = dabs
            .iter()
            .map(|dab| dab.bounds().intersect(self.size.rect()))
            .filter(|rect| !rect.is_empty())
            .flat_map(|rect| {
                (rect.y0 / SIDE..=(rect.y1 - 1) / SIDE).flat_map(move |row| {
                    (rect.x0 / SIDE..=(rect.x1 - 1) / SIDE).map(move |column| (column, row))
                })
            })
            .map(|(column, row)| row as usize * columns + column as usize)
            .collect();
        let mut taken: Vec<_> =
            touched.into_iter().map(|index| (index, self.tiles[index].take())).collect();
        taken.par_iter_mut().for_each(|(index, tile)| {
            let origin = ((*index % columns) as i32 * SIDE, (*index / columns) as i32 * SIDE);
            let tile = tile.get_or_insert_with(|| vec![0.0; (TILE * TILE) as usize].into());
            dabs.iter().for_each(|dab| stamp_tile(tile, origin, dab));
        });
        for (index, tile) in taken {
            self.tiles[index] = tile;
        }
    }

    /// Coverage of `out.len()` pixels from `(x, y)` to the right; 0 outside the canvas.
    pub fn read_row(&self, x: i32, y: i32, out: &mut [f32]) {
        out.fill(0.0);
        if y < 0 || y >= self.size.height as i32 {
            return;
        }
        let end = (x + out.len() as i32).min(self.size.width as i32);
        let mut at = x.max(0);
        while at < end {
            let column = at / SIDE;
            let stop = end.min((column + 1) * SIDE);
            if let Some(tile) = &self.tiles[(y / SIDE) as usize * self.columns() + column as usize]
            {
                let from = (y % SIDE * SIDE + at % SIDE) as usize;
                let to = (at - x) as usize;
                let len = (stop - at) as usize;
                out[to..to + len].copy_from_slice(&tile[from..from + len]);
            }
            at = stop;
        }
    }

    const fn columns(&self) -> usize {
        self.size.width.div_ceil(TILE) as usize
    }
}

fn stamp_tile(tile: &mut [f32], origin: (i32, i32), dab: &Dab) {
    let rect = IRect::from_origin_size(origin, Size::new(TILE, TILE)).intersect(dab.bounds());
    let outer = dab.radius_px + 0.5;
    for y in rect.y0..rect.y1 {
        let dy = y as f32 + 0.5 - dab.center.y;
        let reach = (outer * outer - dy * dy).max(0.0).sqrt();
        let x0 = rect.x0.max((dab.center.x - reach - 0.5).floor() as i32);
        let x1 = rect.x1.min((dab.center.x + reach + 0.5).ceil() as i32);
        if x0 >= x1 {
            continue;
        }
        let start = ((y - origin.1) * SIDE + x0 - origin.0) as usize;
        let row = &mut tile[start..start + (x1 - x0) as usize];
        for (i, covered) in row.iter_mut().enumerate() {
            let dx = (x0 + i as i32) as f32 + 0.5 - dab.center.x;
            let strength = dab.profile((dx * dx + dy * dy).sqrt()) * dab.flow;
            *covered += (dab.opacity - *covered).max(0.0) * strength;
        }
    }
}
