//! Selects what a network finds: a mask as soft as the picture's own edges.

use super::picture::{read_planes, resize_lanczos3};
use super::plan;
use super::profile_map::ProfileMap;
use super::protocol::{Select, Stage};
use super::tiling::run_one;
use super::worker::{Context, End, Models, network_for};
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf};
use crate::segment::{probability, refine};
use crate::zoo::{Extent, Purpose};

/// Longest side at which networks without a size of their own see a picture: they were trained
/// on pictures of about this size.
const SEEN_SIDE: u32 = 512;

pub(super) fn run(
    task: &Select,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<PixelBuf, End> {
    context.progress(Stage::Loading, 0, 1, 0.0);
    let network = network_for(models, &task.model, Purpose::Segment)?;
    let capability = *network.capability();
    let image = &*task.image;
    let map = ProfileMap::new(&task.profile);
    let small = match capability.extent {
        Extent::Fixed([height, width]) => Size::new(width as u32, height as u32),
        _ => {
            let size = image.size();
            let longest = size.width.max(size.height);
            let seen = plan::scaled(size, (SEEN_SIDE as f32 / longest as f32).min(1.0));
            let grid = |side: u32| side.next_multiple_of(capability.multiple.max(1));
            Size::new(grid(seen.width), grid(seen.height))
        }
    };
    let resized = resize_lanczos3(&image.to_depth(Depth::U16), small).map_err(End::Failed)?;
    let mut planes = read_planes(&resized, small.rect(), &map);
    let area = planes.height * planes.width;
    for (channel, plane) in planes.data.chunks_exact_mut(area).enumerate() {
        plane
            .iter_mut()
            .for_each(|value| *value = capability.range.of_unit(value.clamp(0.0, 1.0), channel));
    }
    context.progress(Stage::Running, 0, 1, 0.0);
    let network = network_for(models, &task.model, Purpose::Segment)?;
    let scores = run_one(network, &[planes], context)?;
    context.check()?;
    context.progress(Stage::Finishing, 0, 1, 0.9);
    let likely = probability(&scores, task.what)
        .ok_or_else(|| End::Failed(format!("{} knows no such class", task.model)))?;
    Ok(refine(&likely, image))
}
