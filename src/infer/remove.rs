//! Removes what a mask covers: by patches of the surroundings, or by a network that sees a crop.

use super::picture::{read_planes, resize_lanczos3};
use super::plan;
use super::profile_map::ProfileMap;
use super::protocol::{Engine, ModelRef, Remove, Stage};
use super::tiling::run_one;
use super::worker::{Context, End, Models, network_for};
use crate::geom::{IRect, Size};
use crate::inpaint::{self, FillError};
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf};
use crate::zoo::{Extent, Purpose};

/// Longest side of a crop as a network sees it: beyond it published networks lose the structure.
const CROP_SIDE: u32 = 512;

pub(super) fn run(
    task: &Remove,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    if task.mask.size() != task.image.size() {
        return Err(End::Failed("the mask has another size than the picture".into()));
    }
    match &task.engine {
        Engine::Patches => by_patches(task, context),
        Engine::Network(model) => by_network(task, model, models, context),
    }
}

impl From<FillError> for End {
    fn from(err: FillError) -> Self {
        match err {
            FillError::Stopped => Self::Cancelled,
            err => Self::Failed(err.to_string()),
        }
    }
}

fn by_patches(task: &Remove, context: &mut Context<'_>) -> Result<PixelBuf, End> {
    let cancel = context.cancel();
    let mut watch = |fraction: f32| {
        context.progress(Stage::Running, 0, 1, f64::from(fraction));
        !cancel.is_set()
    };
    Ok(inpaint::fill(&task.image, &task.mask, &task.options, &mut watch)?)
}

fn by_network(
    task: &Remove,
    model: &ModelRef,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    context.progress(Stage::Loading, 0, 1, 0.0);
    let network = network_for(models, model, Purpose::Inpaint)?;
    let capability = *network.capability();
    let source = &*task.image;
    let map = ProfileMap::new(&task.profile);
    let mut result = source.clone();
    let holes = inpaint::holes(&task.mask, task.options.dilate_px, task.options.feather_px);
    let total = holes.len() as u32;
    for (done, hole) in holes.iter().enumerate() {
        context.check()?;
        context.progress(Stage::Running, done as u32, total, done as f64 / f64::from(total));
        let crop = with_context(hole.bounds, source.size());
        let small = match capability.extent {
            Extent::Fixed([height, width]) => Size::new(width as u32, height as u32),
            _ => seen_size(crop.size(), capability.multiple),
        };
        let picture = source.crop(crop).to_depth(Depth::U16);
        let mask = hole.share_over(crop);
        let picture = resize_lanczos3(&picture, small).map_err(End::Failed)?;
        let hard = resize_mask(&mask, small)?;
        let mut planes = read_planes(&picture, small.rect(), &map);
        let area = planes.height * planes.width;
        for (channel, plane) in planes.data.chunks_exact_mut(area).enumerate() {
            plane.iter_mut().for_each(|v| *v = capability.range.of_unit(*v, channel));
        }
        let network = network_for(models, model, Purpose::Inpaint)?;
        let mut made = run_one(network, &[planes, hard], context)?;
        if made.channels != 3
            || (made.height, made.width) != (small.height as usize, small.width as usize)
        {
            return Err(End::Failed("the network answered with a picture of another size".into()));
        }
        made.data.iter_mut().for_each(|value| *value = capability.range.to_unit(*value));
        let made = to_picture(&made, &map);
        let made = resize_lanczos3(&made, crop.size()).map_err(End::Failed)?;
        paste(&mut result, &made, &mask, crop);
    }
    Ok(result)
}

/// The hole with as much around it as it is large, inside the picture.
fn with_context(hole: IRect, size: Size) -> IRect {
    let side = hole.width().max(hole.height());
    hole.grow((side as i32).max(64)).intersect(size.rect())
}

/// The crop as the network sees it: the longest side bounded, both on the network's grid.
fn seen_size(size: Size, multiple: u32) -> Size {
    let longest = size.width.max(size.height);
    let shrink = (CROP_SIDE as f32 / longest as f32).min(1.0);
    let scaled = plan::scaled(size, shrink);
    let grid = |side: u32| side.next_multiple_of(multiple.max(1));
    Size::new(grid(scaled.width), grid(scaled.height))
}

/// Where anything is to be filled, at another size: `1` there, else `0`.
fn resize_mask(mask: &PixelBuf, size: Size) -> Result<Planes, End> {
    let resized = resize_lanczos3(&mask.to_depth(Depth::U16), size).map_err(End::Failed)?;
    let len = size.pixels() as usize;
    let data = (0..len).map(|at| f32::from(resized.samples().get_f32(at) > 0.02)).collect();
    Ok(Planes { channels: 1, height: size.height as usize, width: size.width as usize, data })
}

fn to_picture(planes: &Planes, map: &ProfileMap) -> PixelBuf {
    let size = Size::new(planes.width as u32, planes.height as u32);
    let mut picture = PixelBuf::new(size, 4, Depth::U16);
    let area = planes.width * planes.height;
    for at in 0..area {
        let [r, g, b] = map.from_srgb([0, 1, 2].map(|channel| planes.data[channel * area + at]));
        let (x, y) = ((at % planes.width) as u32, (at / planes.width) as u32);
        picture.set_pixel_f32(x, y, [r, g, b, 1.0]);
    }
    picture
}

/// Mixes `made` into `result` at `crop` by `mask`; the mean difference on the mask's soft edge
/// and around it is taken off, so that the fill has the surroundings' tone.
fn paste(result: &mut PixelBuf, made: &PixelBuf, mask: &PixelBuf, crop: IRect) {
    let size = crop.size();
    let at = |x: u32, y: u32| (crop.x0 as u32 + x, crop.y0 as u32 + y);
    let share = |x: u32, y: u32| mask.pixel_f32(x, y)[0];
    let places = || (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    let near = |x: u32, y: u32| {
        let area = IRect::new(x as i32, y as i32, x as i32 + 1, y as i32 + 1).grow(6);
        let area = area.intersect(size.rect());
        [
            (area.x0, area.y0),
            (area.x1 - 1, area.y0),
            (area.x0, area.y1 - 1),
            (area.x1 - 1, area.y1 - 1),
        ]
        .iter()
        .any(|(x, y)| share(*x as u32, *y as u32) > 0.0)
    };
    let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
    for (x, y) in places() {
        if share(x, y) <= 0.0 && near(x, y) {
            let (from, to) = (made.pixel_f32(x, y), result.pixel_f32(at(x, y).0, at(x, y).1));
            (0..3).for_each(|channel| sum[channel] += to[channel] - from[channel]);
            count += 1.0;
        }
    }
    let shift = sum.map(|sum| if count > 0.0 { sum / count } else { 0.0 });
    for (x, y) in places() {
        let share = share(x, y);
        if share <= 0.0 {
            continue;
        }
        let (to_x, to_y) = at(x, y);
        let new = made.pixel_f32(x, y);
        let mut pixel = result.pixel_f32(to_x, to_y);
        for channel in 0..3 {
            let value = (new[channel] + shift[channel]).clamp(0.0, 1.0);
            pixel[channel] += (value - pixel[channel]) * share;
        }
        // What was transparent stays as transparent as the fill is not.
        pixel[3] += (1.0 - pixel[3]) * share;
        result.set_pixel_f32(to_x, to_y, pixel);
    }
}
