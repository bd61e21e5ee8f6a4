//! Removes what a mask covers: by patches of the surroundings, or by a network that sees a crop.

use super::bleed::bleed_color;
use super::picture::{from_range, read_resized, resize_lanczos3, seen_size, to_picture, to_range};
use super::prior;
use super::protocol::{Engine, Expand, ModelRef, Remove, Stage};
use super::tiling::run_one;
use super::worker::{Context, End, Models, network_for};
use crate::color::ProfileMap;
use crate::geom::{IRect, Size};
use crate::inpaint::{self, FillError};
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf};
use crate::zoo::Purpose;

/// Longest side of a crop as a network sees it: beyond it published networks lose the structure.
const CROP_SIDE: u32 = 512;
/// Width of the rim on which the fill's tone is compared with the picture's.
const RIM_PX: u32 = 6;

pub(super) fn run(
    task: &Remove,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    if task.mask.size() != task.image.size() {
        return Err(End::Failed("the mask has another size than the picture".into()));
    }
    match &task.engine {
        Engine::Patches => by_patches(task, models, context),
        Engine::Network(model) => by_network(task, model, models, context),
        Engine::Prior(engine) => prior::run(task, engine, models, context),
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

pub(super) fn by_patches(
    task: &Remove,
    models: &dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    let cancel = context.cancel();
    let mut watch = |fraction: f32| {
        context.progress(Stage::Running, 0, 1, f64::from(fraction));
        !cancel.is_set()
    };
    let (image, matcher) = (&task.image, models.matcher());
    Ok(inpaint::fill_with(image, &task.mask, &task.options, matcher, &mut watch)?)
}

/// Continues a picture beyond its border.
pub(super) fn expand(
    task: &Expand,
    models: &dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    let cancel = context.cancel();
    let mut watch = |fraction: f32| {
        context.progress(Stage::Running, 0, 1, f64::from(fraction));
        !cancel.is_set()
    };
    let (image, matcher) = (&task.image, models.matcher());
    Ok(inpaint::expand_with(image, task.border, &task.options, matcher, &mut watch)?)
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
    let bled = source.has_transparency().then(|| bleed_color(source));
    let input = bled.as_ref().unwrap_or(source);
    let mut result = source.clone();
    let (grow, fade) = (task.options.dilate_px, task.options.feather_px);
    let cancel = context.cancel();
    let mut watch = |_| !cancel.is_set();
    let holes = inpaint::holes(&task.mask, grow, fade, &mut watch)?;
    // The same mask with a rim around, on which the tone is compared.
    let rims = inpaint::holes(&task.mask, grow + fade.ceil() as u32 + RIM_PX, 0.0, &mut watch)?;
    let total = holes.len() as u32;
    for (done, hole) in holes.iter().enumerate() {
        context.check()?;
        context.progress(Stage::Running, done as u32, total, done as f64 / f64::from(total));
        let crop = with_context(hole.bounds, source.size());
        let small = seen_size(crop.size(), &capability, CROP_SIDE);
        let mask = hole.share_over(crop);
        let hard = resize_mask(&mask, small)?;
        let mut planes = read_resized(&input.crop(crop), small, &map).map_err(End::Failed)?;
        to_range(&mut planes, capability.range);
        let made = run_one(network, &[planes, hard], context)?;
        let made = from_range(made, capability.range, small).map_err(End::Failed)?;
        let made = to_picture(&made, &map, Depth::U16);
        let made = resize_lanczos3(&made, crop.size()).map_err(End::Failed)?;
        let rim = rims.first().map(|rims| rims.share_over(crop));
        paste(&mut result, &made, &mask, rim.as_ref(), crop);
    }
    Ok(result)
}

/// The hole with as much around it as it is large, inside the picture.
fn with_context(hole: IRect, size: Size) -> IRect {
    let side = hole.width().max(hole.height());
    hole.grow((side as i32).max(64)).intersect(size.rect())
}

/// Where anything is to be filled, at another size: `1` there, else `0`.
fn resize_mask(mask: &PixelBuf, size: Size) -> Result<Planes, End> {
    let resized = resize_lanczos3(&mask.to_depth(Depth::U16), size).map_err(End::Failed)?;
    let len = size.pixels() as usize;
    let data = (0..len).map(|at| f32::from(resized.samples().get_f32(at) > 0.02)).collect();
    Ok(Planes { channels: 1, height: size.height as usize, width: size.width as usize, data })
}

/// Mixes `made` into `result` at `crop` by `mask`. The mean difference on the rim, which is in
/// `rim` and not in `mask`, is taken off, so that the fill has the surroundings' tone.
fn paste(
    result: &mut PixelBuf,
    made: &PixelBuf,
    mask: &PixelBuf,
    rim: Option<&PixelBuf>,
    crop: IRect,
) {
    let size = crop.size();
    let at = |x: u32, y: u32| (crop.x0 as u32 + x, crop.y0 as u32 + y);
    let share = |x: u32, y: u32| mask.pixel_f32(x, y)[0];
    let on_rim = |x, y| share(x, y) <= 0.0 && rim.is_some_and(|rim| rim.pixel_f32(x, y)[0] > 0.0);
    let places = || (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
    for (x, y) in places().filter(|&(x, y)| on_rim(x, y)) {
        let (to_x, to_y) = at(x, y);
        let (from, to) = (made.pixel_f32(x, y), result.pixel_f32(to_x, to_y));
        (0..3).for_each(|channel| sum[channel] += to[channel] - from[channel]);
        count += 1.0;
    }
    let shift = sum.map(|sum| if count > 0.0 { sum / count } else { 0.0 });
    for (x, y) in places().filter(|&(x, y)| share(x, y) > 0.0) {
        let ((to_x, to_y), share) = (at(x, y), share(x, y));
        let new = made.pixel_f32(x, y);
        let mut pixel = result.pixel_f32(to_x, to_y);
        for channel in 0..3 {
            let value = (new[channel] + shift[channel]).clamp(0.0, 1.0);
            pixel[channel] += (value - pixel[channel]) * share;
        }
        // A fill is opaque.
        pixel[3] += (1.0 - pixel[3]) * share;
        result.set_pixel_f32(to_x, to_y, pixel);
    }
}
