//! From matches to pixels: the weighted mean while the field still moves (Wexler et al. 2007),
//! one source pixel each in the end.

use rayon::prelude::*;

use super::field::Field;
use super::level::Level;
use super::{FillError, Progress};

/// Trust in a patch falls by this factor a pixel into the hole.
const CONFIDENCE_FALL: f32 = 1.2;
/// Weights fall by e for this multiple of the costs' upper quartile.
const TOLERANCE: f32 = 0.1;
/// Pixels of a hole's rectangle between two looks at whether to go on.
const PORTION: u32 = 16_384;
/// No patch weighs less than e to the minus this.
const MAX_EXPONENT: f32 = 20.0;

/// The weights of the field's patches.
fn weights(level: &Level, field: &Field, side: usize, depth: &[f32]) -> Vec<f32> {
    let mut costs: Vec<i32> =
        field.matches.iter().filter(|found| found.is_some()).map(|found| found.cost).collect();
    if costs.is_empty() {
        return vec![0.0; field.matches.len()];
    }
    let quartile = costs.len() * 3 / 4;
    let (_, &mut scale, _) = costs.select_nth_unstable(quartile);
    let scale = TOLERANCE * scale.max(1) as f32;
    let columns = field.rect.width() as usize;
    let mut weights = vec![0.0; field.matches.len()];
    weights
        .par_chunks_mut(columns.max(1))
        .zip(field.matches.par_chunks(columns.max(1)))
        .zip(field.rect.y0..field.rect.y1)
        .for_each(|((row, matches), y)| {
            for ((weight, found), x) in row.iter_mut().zip(matches).zip(field.rect.x0 as usize..) {
                if found.is_some() {
                    let center = (y as usize + side / 2) * level.width + x + side / 2;
                    let likeness = (-(found.cost as f32) / scale).max(-MAX_EXPONENT).exp();
                    *weight = likeness * CONFIDENCE_FALL.powf(-depth[center].min(64.0));
                }
            }
        });
    weights
}

/// Calls `visit` with the source pixel and the weight for each patch over pixel `(x, y)`.
#[inline(always)]
fn visit_votes(
    level: &Level,
    field: &Field,
    weights: &[f32],
    side: usize,
    (x, y): (usize, usize),
    mut visit: impl FnMut(usize, f32),
) {
    let (rect, side) = (field.rect, side as i32);
    let columns = rect.width() as usize;
    let (x, y) = (x as i32, y as i32);
    for corner_y in (y - side + 1).max(rect.y0)..(y + 1).min(rect.y1) {
        let row = (corner_y - rect.y0) as usize * columns;
        for corner_x in (x - side + 1).max(rect.x0)..(x + 1).min(rect.x1) {
            let at = row + (corner_x - rect.x0) as usize;
            let found = field.matches[at];
            if found.is_some() {
                let source_x = i32::from(found.x) + x - corner_x;
                let source_y = i32::from(found.y) + y - corner_y;
                visit(source_y as usize * level.width + source_x as usize, weights[at]);
            }
        }
    }
}

/// Runs `work` for every hole pixel; answers, with the pixel's index, are in the order of pixels.
fn for_hole<T: Send>(
    level: &Level,
    progress: &mut Progress,
    work: impl Fn((usize, usize)) -> T + Sync,
) -> Result<Vec<(usize, T)>, FillError> {
    let (width, rect) = (level.width, level.hole_rect());
    let mut answers = Vec::new();
    let portion = (PORTION / rect.width().max(1)).max(1) as usize;
    let rows: Vec<usize> = (rect.y0 as usize..rect.y1 as usize).collect();
    progress.advance(0.0)?;
    for rows in rows.chunks(portion) {
        answers.par_extend(rows.par_iter().flat_map_iter(|&y| {
            let inside = (rect.x0 as usize..rect.x1 as usize).map(move |x| (y * width + x, (x, y)));
            inside
                .filter(|(at, _)| level.hole[*at])
                .map(|(at, place)| (at, work(place)))
                .collect::<Vec<_>>()
        }));
        progress.advance(0.0)?;
    }
    Ok(answers)
}

/// Sets every hole pixel to the weighted mean of what its patches propose.
pub(super) fn vote(
    level: &mut Level,
    field: &Field,
    side: usize,
    depth: &[f32],
    progress: &mut Progress,
) -> Result<(), FillError> {
    let weights = weights(level, field, side, depth);
    let means = for_hole(level, progress, |place| {
        let (mut colour, mut texture, mut total) = ([0.0f32; 4], 0.0f32, 0.0f32);
        visit_votes(level, field, &weights, side, place, |source, weight| {
            for (sum, value) in colour.iter_mut().zip(level.colour[source]) {
                *sum += weight * value;
            }
            texture += weight * level.texture[source];
            total += weight;
        });
        (total > 0.0).then(|| (colour.map(|sum| sum / total), texture / total))
    })?;
    for (at, mean) in means {
        if let Some((colour, texture)) = mean {
            level.colour[at] = colour;
            level.texture[at] = texture;
        }
    }
    Ok(())
}

/// For every hole pixel the source pixel most of the weight agrees on, as `(pixel, source)`; the
/// pixel itself where no patch covers it.
pub(super) fn elect(
    level: &Level,
    field: &Field,
    side: usize,
    depth: &[f32],
    progress: &mut Progress,
) -> Result<Vec<(usize, usize)>, FillError> {
    let weights = weights(level, field, side, depth);
    for_hole(level, progress, |place| {
        let mut parties: Vec<(usize, f32)> = Vec::with_capacity(side * side);
        visit_votes(level, field, &weights, side, place, |source, weight| {
            match parties.iter_mut().find(|party| party.0 == source) {
                Some(party) => party.1 += weight,
                None => parties.push((source, weight)),
            }
        });
        // The first of equals wins, which the order of patches decides.
        let best = parties.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
        best.map_or(place.1 * level.width + place.0, |party| party.0)
    })
}
