//! Draws pictures from seeds.

use super::latents::normal_latent;
use super::protocol::{Generate, Stage};
use super::worker::{Context, End, Models, network_for};
use crate::geom::Size;
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf};
use crate::zoo::{Purpose, Range};

/// The most pictures of one request.
pub const MAX_PICTURES: u64 = 4096;

pub(super) fn run(
    task: &Generate,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<PixelBuf>, End> {
    if !(0.0..=1.0).contains(&task.psi) {
        return Err(End::Failed(format!("psi must be 0 to 1, not {}", task.psi)));
    }
    let (first, last) = (*task.seeds.start(), *task.seeds.end());
    let count = match last.checked_sub(first) {
        Some(span) if span < MAX_PICTURES => span + 1,
        Some(_) => return Err(End::Failed(format!("at most {MAX_PICTURES} seeds at a time"))),
        None => return Err(End::Failed(format!("the seeds {first}-{last} run backwards"))),
    };
    context.progress(Stage::Loading, 0, 1, 0.0);
    let network = network_for(models, &task.model, Purpose::Generate)?;
    let latent_len = network.input_channels().first().copied().unwrap_or(0);
    let range = network.capability().range;
    let cancel = context.cancel();
    let mut pictures = Vec::with_capacity(count as usize);
    for seed in first..=last {
        context.check()?;
        let done = pictures.len();
        context.progress(Stage::Running, done as u32, count as u32, done as f64 / count as f64);
        let latent = Planes::vector(normal_latent(seed, latent_len, task.psi));
        let drawn = network.run(&[latent], &|| cancel.is_set())?;
        pictures.push(to_picture(drawn.first(), range)?);
    }
    Ok(pictures)
}

/// Encoded sRGB planes as an opaque 8-bit picture.
fn to_picture(planes: Option<&Planes>, range: Range) -> Result<PixelBuf, End> {
    let planes = planes.ok_or_else(|| End::Failed("the network answered nothing".into()))?;
    let size = Size::new(planes.width as u32, planes.height as u32);
    let area = planes.width * planes.height;
    if planes.channels != 3 || planes.data.len() != 3 * area || !size.is_acceptable() {
        return Err(End::Failed("the network answered with a picture of another size".into()));
    }
    let mut picture = PixelBuf::new(size, 4, Depth::U8);
    for index in 0..area {
        for channel in 0..3 {
            let value = range.to_unit(planes.data[channel * area + index]);
            picture.samples_mut().set_f32(index * 4 + channel, value);
        }
        picture.samples_mut().set_f32(index * 4 + 3, 1.0);
    }
    Ok(picture)
}

/// The pictures in rows of `columns`, all of one size, without gaps; places that stay empty are
/// transparent. `None` for no pictures, zero columns or mixed sizes.
pub fn contact_sheet(pictures: &[PixelBuf], columns: u32) -> Option<PixelBuf> {
    let first = pictures.first()?;
    let cell = first.size();
    let rows = (pictures.len() as u32).div_ceil(columns.max(1));
    let size = Size::new(cell.width.checked_mul(columns)?, cell.height.checked_mul(rows)?);
    let alike = pictures.iter().all(|p| {
        p.size() == cell && p.channels() == first.channels() && p.depth() == first.depth()
    });
    if !size.is_acceptable() || !alike {
        return None;
    }
    let mut sheet = PixelBuf::new(size, first.channels(), first.depth());
    for (index, picture) in pictures.iter().enumerate() {
        let (column, row) = (index as u32 % columns, index as u32 / columns);
        sheet.blit(picture, ((column * cell.width) as i32, (row * cell.height) as i32));
    }
    Some(sheet)
}
