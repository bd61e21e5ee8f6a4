//! Changes a picture in place: denoise, light, restyle, translate, colourise, restore.
//!
//! The network sees colour only, converted to sRGB; alpha stays as it is. Where mask times
//! strength is zero the result has the source's own samples.

use super::bleed::bleed_color;
use super::colorize;
use super::light;
use super::noise::noise_sigma;
use super::paint;
use super::picture::{from_range, read_planes, read_resized, to_picture, to_range};
use super::plan;
use super::protocol::{Effect, Filter, ModelRef, Stage, StyleOf};
use super::restore;
use super::styles::style_weights;
use super::tiling::{Tiling, or_fall_back, run_on_color, run_one};
use super::worker::{Context, End, Models, network_for};
use crate::color::ProfileMap;
use crate::geom::{IRect, Size};
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf};
use crate::zoo::{Capability, Extent, Purpose};

/// Memory that a network may take which must see a picture at once.
const WHOLE_BUDGET_BYTES: f64 = 3.0 * 1024.0 * 1024.0 * 1024.0;

pub(super) fn run(
    task: &Filter,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    let source = &*task.image;
    if source.channels() != 4 || source.size().is_empty() {
        return Err(End::Failed("only colour pictures can be changed by networks".into()));
    }
    if task.mask.as_ref().is_some_and(|mask| mask.size() != source.size()) {
        return Err(End::Failed("the mask has another size than the picture".into()));
    }
    context.progress(Stage::Loading, 0, 1, 0.0);
    let map = ProfileMap::new(&task.profile);
    let bled = source.has_transparency().then(|| bleed_color(source));
    let input = bled.as_ref().unwrap_or(source);
    let whole = match &task.effect {
        Effect::Paint(paint) => Some(paint::run(task, paint, input, &map, models, context)?),
        Effect::Colorize => Some(colorize::run(task, input, &map, models, context)?),
        Effect::Light => Some(light::run(task, input, &map, models, context)?),
        _ => None,
    };
    if let Some(made) = whole {
        let size = source.size();
        let made = enlarge(made, size, &map)?;
        let mut out = Mixer { task, source, map: &map, result: source.clone() };
        out.write(&made, size.rect(), size.rect())?;
        return Ok(out.result);
    }
    if let Effect::RestoreFace { finders: Some(finders) } = &task.effect {
        return restore::run(task, finders, models, context);
    }
    let purpose = task.effect.purpose();
    let network = network_for(models, &task.model, purpose)?;
    let (capability, channels) = (*network.capability(), network.input_channels());
    let second = second_input(task, input, &map, &channels, models, context)?;
    let mut out = Mixer { task, source, map: &map, result: source.clone() };
    match capability.extent {
        Extent::Tiles => {
            let tiling = Tiling { size: source.size(), capability, side: task.tile };
            tiling.run(models, context, &mut |models, tile, context| {
                if out.is_protected(tile.core) {
                    return Ok(());
                }
                let planes = read_planes(input, tile.input, &map);
                let made = filter_planes(task, &capability, &planes, &second, models, context)?;
                out.write(&made, tile.input, tile.core)
            })?;
        }
        Extent::Whole | Extent::Fixed(_) => {
            let size = source.size();
            let small = whole_size(size, &capability);
            if small != size && capability.extent == Extent::Whole {
                context.notice(format!(
                    "The network sees the picture at {small}: all of it at once takes too much memory"
                ));
            }
            context.progress(Stage::Running, 0, 1, 0.0);
            let planes = read_resized(input, small, &map).map_err(End::Failed)?;
            let made = or_fall_back(models, &mut |models| {
                filter_planes(task, &capability, &planes, &second, models, context)
            })?;
            let made = enlarge(made, size, &map)?;
            out.write(&made, size.rect(), size.rect())?;
        }
    }
    context.progress(Stage::Finishing, 0, 1, 1.0);
    Ok(out.result)
}

/// The size at which a network sees a whole picture.
fn whole_size(size: Size, capability: &Capability) -> Size {
    if let Extent::Fixed([height, width]) = capability.extent {
        return Size::new(width as u32, height as u32);
    }
    let bytes = size.pixels() as f64 * capability.bytes_per_px;
    let shrink = (WHOLE_BUDGET_BYTES / bytes).sqrt();
    if shrink >= 1.0 { size } else { plan::scaled(size, shrink as f32) }
}

/// Runs the network on sRGB planes in `0..=1`; the result is in `0..=1` and of the same size.
pub(super) fn filter_planes(
    task: &Filter,
    capability: &Capability,
    planes: &Planes,
    second: &[Planes],
    models: &mut dyn Models,
    context: &Context<'_>,
) -> Result<Planes, End> {
    let mut padded = planes.pad_to_multiple(capability.multiple.max(1) as usize);
    to_range(&mut padded, capability.range);
    let mut inputs = vec![padded];
    inputs.extend_from_slice(second);
    let network = network_for(models, &task.model, task.effect.purpose())?;
    let made = run_on_color(network, &inputs, context)?;
    let size = Size::new(planes.width as u32, planes.height as u32);
    from_range(made, capability.range, size).map_err(End::Failed)
}

/// What the network is given beside the picture.
fn second_input(
    task: &Filter,
    input: &PixelBuf,
    map: &ProfileMap,
    channels: &[usize],
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<Planes>, End> {
    let Some(&wanted) = channels.get(1) else { return Ok(Vec::new()) };
    let vector = match &task.effect {
        Effect::Denoise { sigma } => {
            let sigma = sigma.unwrap_or_else(|| {
                let sigma = noise_sigma(input) * 255.0;
                context.notice(format!("Noise found: sigma {sigma:.1} of 255"));
                sigma
            });
            vec![sigma / 255.0; wanted]
        }
        Effect::Style { weights } => style_weights(weights, wanted).map_err(End::Failed)?,
        Effect::StyleOf(style) => style_vector(style, input, map, models, context)?,
        Effect::Light
        | Effect::Paint(_)
        | Effect::Translate
        | Effect::Colorize
        | Effect::RestoreFace { .. } => vec![0.0; wanted],
    };
    if vector.len() != wanted {
        return Err(End::Failed(format!("{} wants a vector of {wanted} numbers", task.model)));
    }
    Ok(vec![Planes::vector(vector)])
}

/// The style of a picture, or something between it and the content's own (Ghiasi et al. 2017,
/// section 5).
fn style_vector(
    style: &StyleOf,
    content: &PixelBuf,
    map: &ProfileMap,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<f32>, End> {
    let mut read = |picture: &PixelBuf, map: &ProfileMap| -> Result<Vec<f32>, End> {
        read_style(picture, map, &style.reader, models, context)
    };
    let wanted = read(&style.picture, &ProfileMap::new(&style.profile))?;
    if style.amount >= 1.0 {
        return Ok(wanted);
    }
    let own = read(content, map)?;
    Ok(own
        .iter()
        .zip(&wanted)
        .map(|(own, style_of)| own + (style_of - own) * style.amount)
        .collect())
}

fn read_style(
    picture: &PixelBuf,
    map: &ProfileMap,
    reader: &ModelRef,
    models: &mut dyn Models,
    context: &Context<'_>,
) -> Result<Vec<f32>, End> {
    let network = network_for(models, reader, Purpose::StyleVector)?;
    let size = whole_size(picture.size(), network.capability());
    let seen = read_resized(picture, size, map).map_err(End::Failed)?;
    Ok(run_one(network, &[seen], context)?.data)
}

/// Planes of a whole picture, enlarged where they are smaller.
fn enlarge(planes: Planes, size: Size, map: &ProfileMap) -> Result<Planes, End> {
    let small = Size::new(planes.width as u32, planes.height as u32);
    if small == size {
        return Ok(planes);
    }
    let picture = to_picture(&planes, map, Depth::U16);
    read_resized(&picture, size, map).map_err(End::Failed)
}

/// Mixes what the network made into the picture.
struct Mixer<'a> {
    task: &'a Filter,
    source: &'a PixelBuf,
    map: &'a ProfileMap,
    result: PixelBuf,
}

impl Mixer<'_> {
    /// How much of the network's picture a pixel takes, `0..=1`.
    fn share(&self, x: u32, y: u32) -> f32 {
        let mask = self.task.mask.as_ref().map_or(1.0, |mask| mask.pixel_f32(x, y)[0]);
        mask * self.task.strength
    }

    /// Whether nothing inside changes.
    fn is_protected(&self, area: IRect) -> bool {
        let mut pixels = (area.y0..area.y1).flat_map(|y| (area.x0..area.x1).map(move |x| (x, y)));
        pixels.all(|(x, y)| self.share(x as u32, y as u32) <= 0.0)
    }

    /// Writes `core` from planes that cover `input`.
    fn write(&mut self, made: &Planes, input: IRect, core: IRect) -> Result<(), End> {
        if (made.width as i32, made.height as i32) != (input.width() as i32, input.height() as i32)
        {
            return Err(End::Failed("the network answered with a picture of another size".into()));
        }
        let area = made.width * made.height;
        for y in core.y0..core.y1 {
            for x in core.x0..core.x1 {
                let share = self.share(x as u32, y as u32);
                if share <= 0.0 {
                    continue;
                }
                let at = (y - input.y0) as usize * made.width + (x - input.x0) as usize;
                let rgb = [0, 1, 2].map(|channel| made.data[channel * area + at]);
                let rgb = self.map.of_srgb(rgb);
                let [r, g, b, a] = self.source.pixel_f32(x as u32, y as u32);
                let mut pixel = [r, g, b, a];
                for (to, new) in pixel.iter_mut().zip(rgb) {
                    *to = (*to + (new - *to) * share).clamp(0.0, 1.0);
                }
                self.result.set_pixel_f32(x as u32, y as u32, pixel);
            }
        }
        Ok(())
    }
}
