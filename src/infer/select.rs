//! Selects what a network finds: a mask as soft as the picture's own edges.

use super::picture::{read_resized, seen_size, to_range};
use super::protocol::{Select, Stage};
use super::tiling::run_one;
use super::worker::{Context, End, Models, network_for};
use crate::color::ProfileMap;
use crate::nets::Stopped;
use crate::pixels::PixelBuf;
use crate::segment::{probability, refine};
use crate::zoo::Purpose;

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
    let seen = seen_size(image.size(), &capability, SEEN_SIDE);
    let map = ProfileMap::new(&task.profile);
    let mut planes = read_resized(image, seen, &map).map_err(End::Failed)?;
    planes.data.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    to_range(&mut planes, capability.range);
    context.progress(Stage::Running, 0, 1, 0.0);
    let scores = run_one(network, &[planes], context)?;
    context.check()?;
    context.progress(Stage::Finishing, 0, 1, 0.9);
    let likely = probability(&scores, task.what)
        .ok_or_else(|| End::Failed(format!("{} knows no such class", task.model)))?;
    let cancel = context.cancel();
    refine(&likely, image, &|| cancel.is_set()).map_err(|Stopped| End::Cancelled)
}
