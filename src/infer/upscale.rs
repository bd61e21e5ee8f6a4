//! Runs one upscale: tiles through the network, then Lanczos3 to the exact factor.
//!
//! The network sees colour only, converted to sRGB, with the colour of transparent pixels bled
//! in from their neighbours; alpha is resampled by Lanczos3, as Real-ESRGAN's own script does
//! when it is not told to spend a second network run on alpha.

use super::bleed::bleed_color;
use super::picture::{read_planes, resize_lanczos3};
use super::plan::{self, Tile};
use super::protocol::{Stage, Upscale};
use super::tiling::{Tiling, run_on_color};
use super::worker::{Context, End, Models, network_for};
use crate::color::ProfileMap;
use crate::geom::MAX_SIDE;
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf, Samples};
use crate::zoo::Purpose;

/// The factors that can be asked for.
pub const SCALES: std::ops::RangeInclusive<f32> = 1.0..=8.0;

pub(super) fn run(
    task: &Upscale,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    let source = &*task.image;
    if !SCALES.contains(&task.scale) {
        let (low, high) = (SCALES.start(), SCALES.end());
        return Err(End::Failed(format!("the scale must be {low} to {high}, not {}", task.scale)));
    }
    if source.channels() != 4 || source.size().is_empty() {
        return Err(End::Failed("only colour pictures can be enlarged".into()));
    }
    context.progress(Stage::Loading, 0, 1, 0.0);
    let capability = *network_for(models, &task.model, Purpose::Upscale)?.capability();
    context.check()?;
    let size = source.size();
    let net_size = plan::scaled(size, capability.scale as f32);
    let target = plan::scaled(size, task.scale);
    for (what, size) in [("network's result", net_size), ("result", target)] {
        if !size.is_acceptable() {
            let error = format!("the {what} would be {size} pixels; {MAX_SIDE} a side is the most");
            return Err(End::Failed(error));
        }
    }
    let transparent = source.has_transparency();
    let bled = transparent.then(|| bleed_color(source));
    let map = ProfileMap::new(&task.profile);
    // Resampling starts from 16 bits, so that the picture is rounded to its depth only once.
    let depth = if net_size == target { source.depth() } else { Depth::U16 };
    let opaque = [0, 0, 0, depth.max()];
    let mut result = PixelBuf::filled(net_size, 4, depth, opaque);
    let input = bled.as_ref().unwrap_or(source);
    let tiling = Tiling { size, capability, side: task.tile };
    tiling.run(models, context, &mut |models, tile, context| {
        let planes = read_planes(input, tile.input, &map);
        let padded = planes.pad_to_multiple(capability.multiple as usize);
        let network = network_for(models, &task.model, Purpose::Upscale)?;
        let enlarged = run_on_color(network, &[padded], context)?;
        let scale = capability.scale as usize;
        let enlarged = enlarged.crop(planes.height * scale, planes.width * scale);
        write_tile(&mut result, &enlarged, tile, capability.scale, &map)
    })?;

    context.progress(Stage::Finishing, 0, 1, 1.0);
    let mut result = if net_size == target {
        result
    } else {
        resize_lanczos3(&result, target).map_err(End::Failed)?.to_depth(source.depth())
    };
    if transparent {
        let alpha = resize_lanczos3(&alpha_of(source), target).map_err(End::Failed)?;
        set_alpha(&mut result, &alpha);
    }
    Ok(result)
}

/// Writes the part of `planes` that belongs to the tile's core.
fn write_tile(
    result: &mut PixelBuf,
    planes: &Planes,
    tile: Tile,
    scale: u32,
    map: &ProfileMap,
) -> Result<(), End> {
    let scale = scale as usize;
    let expected = (3, tile.input.height() as usize * scale, tile.input.width() as usize * scale);
    if (planes.channels, planes.height, planes.width) != expected {
        return Err(End::Failed("the network answered with a picture of another size".into()));
    }
    let area = planes.width * planes.height;
    let left = (tile.core.x0 - tile.input.x0) as usize * scale;
    let top = (tile.core.y0 - tile.input.y0) as usize * scale;
    for y in 0..tile.core.height() as usize * scale {
        for x in 0..tile.core.width() as usize * scale {
            let at = (top + y) * planes.width + left + x;
            let srgb = [planes.data[at], planes.data[area + at], planes.data[2 * area + at]];
            let [r, g, b] = map.of_srgb(srgb);
            let to_x = tile.core.x0 as u32 * scale as u32 + x as u32;
            let to_y = tile.core.y0 as u32 * scale as u32 + y as u32;
            result.set_pixel_f32(to_x, to_y, [r, g, b, 1.0]);
        }
    }
    Ok(())
}

fn alpha_of(source: &PixelBuf) -> PixelBuf {
    let mut alpha = PixelBuf::new(source.size(), 1, Depth::U16);
    let wide = source.to_depth(Depth::U16);
    if let (Samples::U16(to), Samples::U16(from)) = (alpha.samples_mut(), wide.samples()) {
        to.iter_mut().zip(from.iter().skip(3).step_by(4)).for_each(|(to, from)| *to = *from);
    }
    alpha
}

fn set_alpha(picture: &mut PixelBuf, alpha: &PixelBuf) {
    let pixels = picture.size().pixels() as usize;
    for index in 0..pixels {
        picture.samples_mut().set_f32(index * 4 + 3, alpha.samples().get_f32(index));
    }
}
