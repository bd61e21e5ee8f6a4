//! Lights a picture by the curves of Zero-DCE (Guo et al. 2020), estimated on a small copy as Li
//! et al. do (Zero-DCE++, 2021).
//!
//! Taken as it is, the network's picture has less contrast than the dark one: every pixel is lit
//! towards the same grey, dark details most, and each channel by a curve of its own. A photograph
//! is lit more naturally by one curve that changes slowly from place to place: the curves are
//! averaged over the channels and over large windows, and the gain that they give the brightest
//! channel is that of all three. So grey stays grey, hues stay, nothing is clipped and no detail
//! becomes brighter than what it was darker than.

use super::picture::{each_pixel, read_resized};
use super::plan;
use super::protocol::{Filter, Stage};
use super::tiling::or_fall_back;
use super::worker::{Context, End, Models, network_for};
use crate::color::ProfileMap;
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::segment::Grid;
use crate::zoo::Purpose;

/// Longest side of the copy that the network sees.
const SEEN_SIDE: u32 = 256;
/// Curves that are applied one after the other, at most; fewer leave the rest flat.
const CURVES: usize = 8;
/// The curves are averaged over windows of this part of the copy's longest side on either side...
const WINDOW: usize = 5;
/// ... so often: three boxes are nearly a Gaussian.
const PASSES: usize = 3;
/// How much of each curve is taken. The networks learn a mean of 0.6; that of photographs which
/// are exposed as their authors wanted is 0.4 to 0.45.
const EXPOSURE: f32 = 0.75;
/// Where the brightest channel is below, colours are rounding and noise, and fade to grey.
const FAINT: f32 = 8.0 / 255.0;
/// The luma of Rec. 709.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// `input` lit, as sRGB planes in `0..=1`.
pub(super) fn run(
    task: &Filter,
    input: &PixelBuf,
    map: &ProfileMap,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Planes, End> {
    let capability = *network_for(models, &task.model, Purpose::Light)?.capability();
    context.progress(Stage::Running, 0, 1, 0.0);
    let size = input.size();
    let shrink = SEEN_SIDE as f32 / size.width.max(size.height) as f32;
    let small = plan::scaled(size, shrink.min(1.0));
    let seen = read_resized(input, small, map).map_err(End::Failed)?;
    let reach_px = capability.reach_px as usize;
    let given = [with_rim(&seen, reach_px)];
    let curves = or_fall_back(models, &mut |models| {
        let cancel = context.cancel();
        let network = network_for(models, &task.model, Purpose::Light)?;
        Ok(network.run(&given, &|| cancel.is_set())?)
    })?;
    let curves = smooth(curves.get(1), &seen, reach_px, context)?
        .ok_or_else(|| End::Failed(format!("{} answers no curves", task.model)))?;
    context.progress(Stage::Finishing, 0, 1, 0.5);
    let (width, height) = (size.width as usize, size.height as usize);
    let step = [seen.width as f64 / width as f64, seen.height as f64 / height as f64];
    let lit = |at: usize| {
        let (x, y) = (at % width, at / width);
        let [r, g, b, _] = input.pixel_f32(x as u32, y as u32);
        let [column, row] = [(x, step[0]), (y, step[1])].map(|(at, step)| (at as f64 + 0.5) * step);
        let strengths = curves.bilinear(column - 0.5, row - 0.5);
        brightened(map.to_srgb([r, g, b]), &strengths)
    };
    each_pixel(size, context, lit)
}

/// The picture with its edge repeated `rim_px` outwards: a network that pads with zeros sees a
/// black frame otherwise, and answers with one.
fn with_rim(picture: &Planes, rim_px: usize) -> Planes {
    let (height, width) = (picture.height + 2 * rim_px, picture.width + 2 * rim_px);
    let inside = |at: usize, len: usize| at.saturating_sub(rim_px).min(len - 1);
    let mut data = Vec::with_capacity(picture.channels * height * width);
    for plane in picture.data.chunks_exact(picture.height * picture.width) {
        for y in 0..height {
            let row = &plane[inside(y, picture.height) * picture.width..][..picture.width];
            data.extend((0..width).map(|x| row[inside(x, picture.width)]));
        }
    }
    Planes { channels: picture.channels, height, width, data }
}

/// The curves of a picture like `seen` that was given with a rim: one for all channels each,
/// smooth. `None` where they are no such curves.
fn smooth(
    curves: Option<&Planes>,
    seen: &Planes,
    rim_px: usize,
    context: &Context<'_>,
) -> Result<Option<Grid<CURVES>>, End> {
    let sides = (seen.height + 2 * rim_px, seen.width + 2 * rim_px);
    let is_fit = |curves: &&Planes| {
        (curves.height, curves.width) == sides
            && curves.channels.is_multiple_of(3)
            && (1..=CURVES).contains(&(curves.channels / 3))
    };
    let Some(curves) = curves.filter(is_fit) else { return Ok(None) };
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    let area = curves.height * curves.width;
    let stopped = |_| End::Cancelled;
    let mut grid = Grid::build([seen.width, seen.height], &stop, |x, y| {
        let at = (y + rim_px) * curves.width + x + rim_px;
        let mut strengths = [0.0; CURVES];
        for (channel, plane) in curves.data.chunks_exact(area).enumerate() {
            strengths[channel / 3] += plane[at] / 3.0 * EXPOSURE;
        }
        strengths
    })
    .map_err(stopped)?;
    let radius_px = (seen.width.max(seen.height) / WINDOW).max(1);
    for _ in 0..PASSES {
        grid = grid.mean(radius_px, &stop).map_err(stopped)?;
    }
    Ok(Some(grid))
}

/// An sRGB colour lit by the curves `x + a (x² - x)`.
fn brightened(rgb: [f32; 3], strengths: &[f32]) -> [f32; 3] {
    let value = rgb.into_iter().fold(0.0f32, f32::max);
    if value <= 0.0 || value >= 1.0 {
        return rgb;
    }
    let lit = strengths.iter().fold(value, |x, strength| x + strength * (x * x - x));
    let rgb = rgb.map(|channel| channel * lit / value);
    let part = (value / FAINT).min(1.0);
    let color = part * part * (3.0 - 2.0 * part);
    let luma: f32 = rgb.iter().zip(LUMA).map(|(channel, weight)| channel * weight).sum();
    rgb.map(|channel| luma + (channel - luma) * color)
}
