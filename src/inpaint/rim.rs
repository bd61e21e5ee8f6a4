//! Which of the surroundings belong into a hole: what has the colours of its rim. A face across the
//! picture may continue a grey wall above and a black table below without a seam; but nobody who
//! removes something there expects one.

use std::ops::Range;

use rayon::prelude::*;

use super::level::{Feature, Level};
use super::{FillError, Progress};

/// Side of the cubes of luma and colour differences in which colours are alike, in units of the
/// features; those of neighbouring cubes are as well.
const CUBE: i32 = 60;
/// Cubes along each side: black to white, and all colour differences.
const CUBES: [i32; 3] = [1000 / CUBE + 1, 1200 / CUBE + 1, 1200 / CUBE + 1];
/// Width of the rim as a fraction of the hole's thickness, and in pixels.
const RIM_FRACTION: f32 = 0.2;
const RIM_PX: [f32; 2] = [4.0, 32.0];
/// A colour belongs to the rim where it is this often as frequent there as the most frequent one:
/// what has many colours has little of each.
const LEAST: f32 = 0.15;
/// Of the pixels of a patch this fraction may be alien.
const TOLERATED: f32 = 0.2;

/// How many pixels above and to the left of each place are unlike what is at the hole's rim.
pub(super) struct Aliens {
    width: usize,
    height: usize,
    sums: Vec<u32>,
}

impl Aliens {
    /// Of the finest level, where the hole is so many pixels thick.
    pub(super) fn of(
        level: &Level,
        thickness: f32,
        progress: &mut Progress,
    ) -> Result<Self, FillError> {
        let (width, height) = (level.width, level.height);
        let reach = (thickness * RIM_FRACTION).clamp(RIM_PX[0], RIM_PX[1]) as usize;
        let holes = summed(width, height, |at| level.hole[at]);
        let is_rim = |at: usize| {
            let (x, y) = (at % width, at / width);
            let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
            let rows = y.saturating_sub(reach)..(y + reach + 1).min(height);
            level.usable[at] && within(&holes, width, columns, rows) > 0
        };
        let mut counts = vec![0u32; CUBES.iter().product::<i32>() as usize];
        for at in (0..width * height).filter(|&at| is_rim(at)) {
            let [x, y, z] = cube(level.features[at]);
            counts[((x * CUBES[1] + y) * CUBES[2] + z) as usize] += 1;
        }
        progress.advance(0.0)?;
        let around = |[x, y, z]: [i32; 3]| -> u32 {
            let side = |at: usize, center: i32| (center - 1).max(0)..(center + 2).min(CUBES[at]);
            let mut sum = 0;
            for x in side(0, x) {
                for y in side(1, y) {
                    for z in side(2, z) {
                        sum += counts[((x * CUBES[1] + y) * CUBES[2] + z) as usize];
                    }
                }
            }
            sum
        };
        let near = |at: i32| {
            let row = at / CUBES[2];
            around([row / CUBES[1], row % CUBES[1], at % CUBES[2]])
        };
        let most = (0..counts.len() as i32).into_par_iter().map(near).max().unwrap_or(0);
        let least = (LEAST * most as f32).ceil() as u32;
        let is_alien: Vec<bool> =
            level.features.par_iter().map(|&feature| around(cube(feature)) < least).collect();
        progress.advance(0.0)?;
        Ok(Self { width, height, sums: summed(width, height, |at| is_alien[at]) })
    }

    /// For each corner of a level `2^coarser` times as coarse, `width` pixels wide, whether the
    /// patch of this side holds little of what is alien.
    pub(super) fn tolerates(
        &self,
        coarser: usize,
        [width, height]: [usize; 2],
        side: usize,
    ) -> Vec<bool> {
        let of = |at: usize| {
            let (x, y) = (at % width, at / width);
            let reach = |from: usize, most: usize| {
                (from << coarser).min(most)..((from + side) << coarser).min(most)
            };
            let (columns, rows) = (reach(x, self.width), reach(y, self.height));
            let area = columns.len() * rows.len();
            within(&self.sums, self.width, columns, rows) as f32 <= TOLERATED * area as f32
        };
        (0..width * height).into_par_iter().map(of).collect()
    }
}

/// The cube in which the colour of a pixel lies.
fn cube(feature: Feature) -> [i32; 3] {
    let [luma, a, b, ..] = feature.map(i32::from);
    let cube = |value: i32, at: usize| (value / CUBE).clamp(0, CUBES[at] - 1);
    [cube(luma, 0), cube(a + 600, 1), cube(b + 600, 2)]
}

/// How many there are above and to the left of each place, of which there is one more than pixels
/// along both sides.
fn summed(width: usize, height: usize, is: impl Fn(usize) -> bool) -> Vec<u32> {
    let columns = width + 1;
    let mut sums = vec![0; columns * (height + 1)];
    for y in 0..height {
        let mut row = 0;
        for x in 0..width {
            row += u32::from(is(y * width + x));
            sums[(y + 1) * columns + x + 1] = sums[y * columns + x + 1] + row;
        }
    }
    sums
}

/// How many there are in a rectangle.
fn within(sums: &[u32], width: usize, columns: Range<usize>, rows: Range<usize>) -> u32 {
    let at = |x: usize, y: usize| sums[y * (width + 1) + x];
    at(columns.end, rows.end) + at(columns.start, rows.start)
        - at(columns.end, rows.start)
        - at(columns.start, rows.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::{IRect, Size};
    use crate::inpaint::Region;
    use crate::pixels::{Depth, PixelBuf};

    #[test]
    fn what_the_rim_has_no_colours_of_is_no_source() {
        let (wide, high) = (160, 120);
        let mut image = PixelBuf::new(Size::new(wide, high), 4, Depth::U8);
        let mut mask = PixelBuf::new(Size::new(wide, high), 1, Depth::U8);
        for (x, y) in (0..high).flat_map(|y| (0..wide).map(move |x| (x, y))) {
            // A wall above a table, and a face on the wall.
            let colour = match (x, y) {
                (10..40, 10..50) => [0.9, 0.6, 0.4, 1.0],
                (_, 0..60) => [0.7, 0.7, 0.72, 1.0],
                _ => [0.05, 0.05, 0.05, 1.0],
            };
            image.set_pixel_f32(x, y, colour);
            let is_hole = (90..150).contains(&x) && (30..90).contains(&y);
            mask.set_pixel_f32(x, y, [f32::from(u8::from(is_hole)); 4]);
        }
        let mut watch = |_| true;
        let mut progress = Progress::new(&mut watch);
        let region = Region::from_mask(&mask, 0, 0.0, &mut progress).unwrap().unwrap();
        let window = IRect::new(0, 0, wide as i32, high as i32);
        let level = Level::finest(&image, &region, window, &[], &mut progress).unwrap();
        let aliens = Aliens::of(&level, 60.0, &mut progress).unwrap();
        for coarser in 0..3 {
            let (width, height) = (level.width >> coarser, level.height >> coarser);
            let tolerated = aliens.tolerates(coarser, [width, height], 7);
            let at = |x: usize, y: usize| tolerated[(y >> coarser) * width + (x >> coarser)];
            assert!(at(60, 5) && at(60, 70), "wall and table are sources");
            assert!(!at(12, 14), "the face is none");
        }
    }
}
