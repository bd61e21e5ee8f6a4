//! Colourises: a network gives colours to the lightness of the whole picture, seen small; the
//! lightness itself stays that of the picture, pixel by pixel.

use super::picture::{each_pixel, read_resized};
use super::protocol::{Filter, Stage};
use super::tiling::{or_fall_back, run_one};
use super::worker::{Context, End, Models, network_for};
use crate::color::{Lab, ProfileMap};
use crate::geom::Size;
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::zoo::{Extent, Purpose};

/// `input` in colour, as sRGB planes in `0..=1`.
pub(super) fn run(
    task: &Filter,
    input: &PixelBuf,
    map: &ProfileMap,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Planes, End> {
    let misfit = || End::Failed(format!("{} makes no colours of a lightness", task.model));
    let network = network_for(models, &task.model, Purpose::Colorize)?;
    let Extent::Fixed([height, width]) = network.capability().extent else { return Err(misfit()) };
    context.progress(Stage::Running, 0, 1, 0.0);
    let lab = Lab::new();
    let seen = Size::new(width as u32, height as u32);
    let seen = read_resized(input, seen, map).map_err(End::Failed)?;
    let area = height * width;
    let lightness = |at: usize| {
        let rgb = [0, 1, 2].map(|channel| seen.data[channel * area + at].clamp(0.0, 1.0));
        lab.of_srgb(rgb)[0]
    };
    let given = [Planes { channels: 1, height, width, data: (0..area).map(lightness).collect() }];
    let colors = or_fall_back(models, &mut |models| {
        run_one(network_for(models, &task.model, Purpose::Colorize)?, &given, context)
    })?;
    if (colors.channels, colors.height, colors.width) != (2, height, width) {
        return Err(misfit());
    }
    context.progress(Stage::Finishing, 0, 1, 0.9);
    let (width, height) = (input.size().width as usize, input.size().height as usize);
    let area = width * height;
    let colors = colors.bilinear(height, width);
    let colored = |at: usize| {
        let [r, g, b, _] = input.pixel_f32((at % width) as u32, (at / width) as u32);
        let [lightness, ..] = lab.of_srgb(map.to_srgb([r, g, b]));
        lab.to_srgb([lightness, colors.data[at], colors.data[area + at]])
    };
    each_pixel(input.size(), context, colored)
}
