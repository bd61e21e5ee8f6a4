//! One hole in its window, from the coarsest level to the finest.

use super::field::{Field, SIDES, Sources, hash};
use super::level::Level;
use super::matching::{Matcher, Step};
use super::region::{FULL, Piece, Region};
use super::rim::Aliens;
use super::{Fill, FillError, Progress, blend, offsets, vote};
use crate::geom::IRect;
use crate::pixels::PixelBuf;

/// The hole is coarse enough when it is this many patches thick.
const COARSEST_PATCHES: f32 = 1.5;
/// Steps of the solver for the first, smooth fill of the coarsest level.
const FIRST_STEPS: usize = 300;
/// A hole is thick from this many patches on.
const THICK_PATCHES: f32 = 11.0;
/// A level needs this many source patches to be of use.
const MIN_SOURCES: usize = 64;
/// Rounds of matching and voting: on the finest level, more a level above it, at most.
const ROUNDS: (usize, usize, usize) = (6, 2, 12);
/// Propagation distances of the passes of the first round on a level, and of later ones.
const JUMPS: [&[i32]; 2] = [&[8, 4, 2, 1], &[2, 1]];
/// Dominant offsets are looked for on the finest level of at most this many pixels.
const OFFSET_LEVEL_PX: usize = 160 * 160;
/// Steps of the solver a level when nothing can be copied.
const MEMBRANE_STEPS: usize = 100;

/// Completes `piece` in `image`. The cells in `done` are complete already.
pub(super) fn complete(
    image: &mut PixelBuf,
    region: &Region,
    piece: &Piece,
    done: &[IRect],
    options: &Fill,
    matcher: Option<&dyn Matcher>,
    progress: &mut Progress,
) -> Result<(), FillError> {
    let finest = Level::finest(image, region, piece.window, done, progress)?;
    if finest.hole_rect().is_empty() {
        return Ok(());
    }
    let mut sides = SIDES.iter().copied().filter(|&side| side <= options.patch_px.max(5) as usize);
    let sources = sides.find_map(|side| usable_sources(&finest, side, 1));
    progress.advance(0.0)?;
    let level = match sources {
        Some(sources) => {
            synthesize(finest, sources, options, matcher, piece.hole_px as f64, progress)?
        }
        None => smooth(finest, progress)?,
    };
    store(image, region, piece, done, &level);
    Ok(())
}

fn usable_sources(level: &Level, side: usize, at_least: usize) -> Option<Sources> {
    let fits = level.width >= side && level.height >= side;
    fits.then(|| Sources::new(level, side)).filter(|sources| sources.list().len() >= at_least)
}

/// The levels, finest first, each with its sources.
fn pyramid(
    finest: Level,
    sources: Sources,
    progress: &mut Progress,
) -> Result<Vec<(Level, Sources, Vec<f32>)>, FillError> {
    let side = sources.side;
    let mut levels = Vec::new();
    let mut next = Some((finest, sources));
    while let Some((level, sources)) = next.take() {
        let depth = level.depth(progress)?;
        let thickness = 2.0 * depth.iter().copied().fold(0.0, f32::max);
        if thickness > COARSEST_PATCHES * side as f32 {
            let coarser = level.coarser(progress)?;
            next = usable_sources(&coarser, side, MIN_SOURCES).map(|sources| (coarser, sources));
            progress.advance(0.0)?;
        }
        levels.push((level, sources, depth));
    }
    Ok(levels)
}

/// Takes what is alien to the rim of a thick hole out of the sources, as far as enough are left. In
/// a thin one, patches see enough of what is there; and more to choose from is more texture.
fn keep_like_rim(
    levels: &mut [(Level, Sources, Vec<f32>)],
    progress: &mut Progress,
) -> Result<(), FillError> {
    let Some((finest, sources, depth)) = levels.first() else { return Ok(()) };
    let thickness = 2.0 * depth.iter().copied().fold(0.0, f32::max);
    if thickness < THICK_PATCHES * sources.side as f32 {
        return Ok(());
    }
    let aliens = Aliens::of(finest, thickness, progress)?;
    for (coarser, (level, sources, _)) in levels.iter_mut().enumerate() {
        let tolerated = aliens.tolerates(coarser, [level.width, level.height], sources.side);
        let fewer = sources.only(&tolerated);
        if fewer.list().len() >= MIN_SOURCES {
            *sources = fewer;
        }
        progress.advance(0.0)?;
    }
    Ok(())
}

fn rounds_on(level: usize) -> usize {
    let (finest, more, most) = ROUNDS;
    (finest + more * level).min(most)
}

/// The finest level, completed.
fn synthesize(
    finest: Level,
    sources: Sources,
    options: &Fill,
    matcher: Option<&dyn Matcher>,
    work: f64,
    progress: &mut Progress,
) -> Result<Level, FillError> {
    let mut levels = pyramid(finest, sources, progress)?;
    keep_like_rim(&mut levels, progress)?;
    let seed = hash(options.seed as u32 ^ hash((options.seed >> 32) as u32));
    // A pass costs a quarter of one on the next finer level.
    let costs: Vec<f64> =
        (0..levels.len()).map(|level| rounds_on(level) as f64 / 4f64.powi(level as i32)).collect();
    let unit = work / costs.iter().sum::<f64>();

    let fits =
        |(level, ..): &(Level, Sources, Vec<f32>)| level.width * level.height <= OFFSET_LEVEL_PX;
    let (at, dominant) = match levels.iter().position(fits) {
        Some(at) => (at, offsets::dominant(&levels[at].0, &levels[at].1, hash(seed), progress)?),
        None => (0, Vec::new()),
    };
    let scaled = |level: usize| -> Vec<(i32, i32)> {
        let factor = 2f32.powi(at as i32 - level as i32);
        let scale = |offset: i32| (offset as f32 * factor).round() as i32;
        dominant.iter().map(|&(dx, dy)| (scale(dx), scale(dy))).collect()
    };

    let mut coarse: Option<Field> = None;
    while let Some((mut level, sources, depth)) = levels.pop() {
        let index = levels.len();
        let side = sources.side;
        let offsets = scaled(index);
        let salt = hash(seed.wrapping_add(index as u32));
        let changing = level.hole_rect().grow(1);
        let mut field = match &coarse {
            None => {
                blend::smooth_fill(&mut level, FIRST_STEPS, progress)?;
                Field::for_hole(&level, &sources, salt, |_, _| None)
            }
            Some(coarse) => {
                let first = |x, y| coarse.enlarged(x, y, side);
                let field = Field::for_hole(&level, &sources, salt, first);
                vote::vote(&mut level, &field, side, &depth, progress)?;
                field
            }
        };
        progress.advance(0.0)?;
        level.refresh(changing);
        let rounds = rounds_on(index);
        let reach = level.width.max(level.height) as i32;
        for round in 0..rounds {
            let step = |(pass, &jump)| Step {
                jump,
                reach,
                offsets: &offsets,
                min_offset: 0,
                is_stale: pass == 0,
                salt: hash(salt.wrapping_add((round * 16 + pass) as u32)),
            };
            let steps: Vec<Step> = JUMPS[round.min(1)].iter().enumerate().map(step).collect();
            let work = unit * costs[index] / rounds as f64;
            field.round(&level, &sources, &steps, matcher, progress, work)?;
            if index > 0 || round + 1 < rounds {
                vote::vote(&mut level, &field, side, &depth, progress)?;
                level.refresh(changing);
            }
        }
        if index == 0 {
            let elected = vote::elect(&level, &field, side, &depth, progress)?;
            blend::copy_and_blend(&mut level, &elected, progress)?;
            return Ok(level);
        }
        coarse = Some(field);
    }
    Err(FillError::NothingLeft)
}

/// A smooth fill, for surroundings too small to hold one patch.
fn smooth(finest: Level, progress: &mut Progress) -> Result<Level, FillError> {
    let mut levels = vec![finest];
    while let Some(level) = levels.last().filter(|level| level.width.max(level.height) > 8) {
        levels.push(level.coarser(progress)?);
    }
    let mut coarse: Option<Level> = None;
    while let Some(mut level) = levels.pop() {
        if let Some(coarse) = &coarse {
            for at in (0..level.hole.len()).filter(|&at| level.hole[at]) {
                let (x, y) = (at % level.width / 2, at / level.width / 2);
                level.colour[at] = coarse.colour[y * coarse.width + x];
            }
        }
        blend::membrane(&mut level, MEMBRANE_STEPS, progress)?;
        coarse = Some(level);
    }
    coarse.ok_or(FillError::NothingLeft)
}

/// Writes the cell's hole pixels back, as far as the mask covers them.
fn store(image: &mut PixelBuf, region: &Region, piece: &Piece, done: &[IRect], level: &Level) {
    for y in piece.cell.y0..piece.cell.y1 {
        let row = (y - piece.window.y0) as usize * level.width;
        region.row(piece.cell, y, |x, weight| {
            if done.iter().any(|cell| cell.contains(x, y)) {
                return;
            }
            let new = level.colour[row + (x - piece.window.x0) as usize];
            let [r, g, b, a] = image.pixel_f32(x as u32, y as u32);
            let old = [r * a, g * a, b * a, a];
            let weight = f32::from(weight) / f32::from(FULL);
            let [r, g, b, a]: [f32; 4] = std::array::from_fn(|channel| {
                old[channel] + (new[channel] - old[channel]) * weight
            });
            let straight = |value: f32| if a > 0.0 { value / a } else { 0.0 };
            image.set_pixel_f32(x as u32, y as u32, [straight(r), straight(g), straight(b), a]);
        });
    }
}
