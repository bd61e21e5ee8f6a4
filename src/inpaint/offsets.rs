//! Dominant offsets: how a picture repeats itself (He and Sun 2012). Each patch of the
//! surroundings is matched with the most similar one that is not close by; the offsets many
//! patches share tell the period of a fence or the direction of an edge.

use rayon::prelude::*;

use super::field::{Field, Sources};
use super::level::Level;
use super::matching::Step;
use super::{FillError, Progress};
use crate::geom::IRect;

/// As many offsets are kept.
const KEPT: usize = 40;
/// Shorter offsets, as a fraction of the level's longer side, say that pictures are smooth.
const MIN_FRACTION: i32 = 15;
/// Propagation distances of the passes.
const JUMPS: [i32; 8] = [8, 4, 2, 1, 4, 2, 1, 1];
/// An offset must be shared by this many patches to count.
const MIN_VOTES: u32 = 4;

/// The dominant offsets of `level`, the most frequent first, in its pixels.
pub(super) fn dominant(
    level: &Level,
    sources: &Sources,
    salt: u32,
    progress: &mut Progress,
) -> Result<Vec<(i32, i32)>, FillError> {
    let (width, height) = (level.width, level.height);
    let mut targets = vec![false; width * height];
    sources.list().iter().for_each(|&at| targets[at as usize] = true);
    let whole = IRect::new(0, 0, width as i32, height as i32);
    let mut field = Field::new(whole, width, &targets, sources, salt, |_, _| None);
    let longer = width.max(height) as i32;
    for (pass, jump) in (0u32..).zip(JUMPS) {
        let step = Step {
            jump,
            reach: longer / 2,
            offsets: &[],
            min_offset: (longer / MIN_FRACTION).max(2),
            is_stale: pass == 0,
            salt: salt.wrapping_add(1 + pass),
        };
        field.improve(level, sources, step, progress, 0.0)?;
    }
    Ok(peaks(&field, width, height))
}

/// The local maxima of the smoothed histogram of offsets.
fn peaks(field: &Field, width: usize, height: usize) -> Vec<(i32, i32)> {
    let (columns, rows) = (2 * width, 2 * height);
    let mut counts = vec![0u32; columns * rows];
    let mut matches = field.matches.iter();
    for y in field.rect.y0..field.rect.y1 {
        for (x, found) in (field.rect.x0..field.rect.x1).zip(&mut matches) {
            if found.is_some() {
                let dx = (i32::from(found.x) - x + width as i32) as usize;
                let dy = (i32::from(found.y) - y + height as i32) as usize;
                counts[dy * columns + dx] += 1;
            }
        }
    }
    let neighbours = |x: usize, y: usize| {
        let (x, y) = (x.max(1) - 1..(x + 2).min(columns), y.max(1) - 1..(y + 2).min(rows));
        y.flat_map(move |row| x.clone().map(move |column| row * columns + column))
    };
    let smooth: Vec<u32> = (0..counts.len())
        .into_par_iter()
        .map(|at| {
            let (x, y) = (at % columns, at / columns);
            counts[at] + neighbours(x, y).map(|near| counts[near]).sum::<u32>()
        })
        .collect();
    let mut peaks: Vec<(u32, usize)> = (0..smooth.len())
        .filter(|&at| smooth[at] >= MIN_VOTES)
        .filter(|&at| {
            neighbours(at % columns, at / columns)
                .all(|near| (smooth[near], near) <= (smooth[at], at))
        })
        .map(|at| (smooth[at], at))
        .collect();
    peaks.sort_unstable_by(|a, b| b.cmp(a));
    peaks.truncate(KEPT);
    let offset =
        |at: usize| ((at % columns) as i32 - width as i32, (at / columns) as i32 - height as i32);
    peaks.into_iter().map(|(_, at)| offset(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::inpaint::Region;
    use crate::pixels::{Depth, PixelBuf};

    #[test]
    fn the_period_of_a_pattern_is_found() {
        let mut image = PixelBuf::new(Size::new(120, 90), 1, Depth::U8);
        for y in 0..90u32 {
            for x in 0..120u32 {
                // Every tile of 24×18 is the same noise.
                let tile = (x % 24) * 977 + (y % 18) * 1409;
                let value = f32::from((tile * tile / 7 % 251) as u8) / 255.0;
                image.set_pixel_f32(x, y, [value; 4]);
            }
        }
        let mut mask = PixelBuf::new(Size::new(120, 90), 1, Depth::U8);
        mask.set_pixel_f32(60, 45, [1.0; 4]);
        let mut watch = |_| true;
        let mut progress = Progress::new(&mut watch);
        let region = Region::from_mask(&mask, 0, 0.0, &mut progress).unwrap().unwrap();
        let window = IRect::new(0, 0, 120, 90);
        let level = Level::finest(&image, &region, window, &[], &mut progress).unwrap();
        let sources = Sources::new(&level, 7);
        let found = dominant(&level, &sources, 1, &mut progress).unwrap();
        assert!(found.len() > 4);
        for (dx, dy) in &found[..4] {
            assert_eq!((dx % 24, dy % 18), (0, 0), "{found:?}");
        }
    }
}
