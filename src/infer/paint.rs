//! Style transfer by optimisation: the picture is changed until a network of perception finds in
//! it the content of one picture and the style of another.

use std::sync::Arc;

use super::picture::{read_resized, to_picture};
use super::plan;
use super::protocol::{Filter, Paint, Stage};
use super::worker::{Context, End, Models};
use crate::color::{ProfileMap, WorkingProfile};
use crate::nets::Planes;
use crate::nets::gatys::{Options, Progress};
use crate::pixels::{Depth, PixelBuf};

/// Longest side that is painted; beyond it the result is enlarged. The features reach so many
/// pixels, whatever the size: larger pictures would get smaller strokes, and minutes become hours.
const PAINTED_SIDE: u32 = 640;
/// Longest side of the style's picture.
const STYLE_SIDE: u32 = 512;
/// Steps between two pictures that show how far it has come.
const PICTURE_EVERY: usize = 4;

/// The painted picture in sRGB, `[3, h, w]`, no larger than [`PAINTED_SIDE`].
pub(super) fn run(
    task: &Filter,
    paint: &Paint,
    source: &PixelBuf,
    map: &ProfileMap,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Planes, End> {
    let painter = models.painter(&task.model).map_err(End::Failed)?;
    let content = seen(source, map, PAINTED_SIDE)?;
    let style = seen(&paint.picture, &ProfileMap::new(&paint.profile), STYLE_SIDE)?;
    let options = Options {
        steps: paint.steps as usize,
        keeps_colors: paint.keeps_colors,
        ..Options::default()
    };
    let cancel = context.cancel();
    let srgb = ProfileMap::new(&WorkingProfile::srgb());
    let mut watch = |progress: Progress<'_>| {
        let fraction = progress.done as f64 / progress.steps.max(1) as f64;
        context.progress(Stage::Running, progress.done as u32, progress.steps as u32, fraction);
        if progress.done.is_multiple_of(PICTURE_EVERY) {
            context.picture(Arc::new(to_picture(progress.picture, &srgb, Depth::U8)));
        }
    };
    let stop = || cancel.is_set();
    painter.paint(&content, &style, &options, &mut watch, &stop).map_err(|_| End::Cancelled)
}

/// The colour of a picture, the longest side bounded.
fn seen(picture: &PixelBuf, map: &ProfileMap, longest: u32) -> Result<Planes, End> {
    let size = picture.size();
    let shrink = longest as f32 / size.width.max(size.height) as f32;
    read_resized(picture, plan::scaled(size, shrink.min(1.0)), map).map_err(End::Failed)
}
