//! Draws pictures from seeds.

use super::latents::normal_latent;
use super::protocol::{Generate, Stage};
use super::worker::{Context, Models, Planes, Stop};
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf};

/// Pictures in one network run.
const BATCH: usize = 16;
/// The most pictures of one request.
pub const MAX_PICTURES: u64 = 4096;

pub(super) fn run(
    task: &Generate,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<PixelBuf>, Stop> {
    if !(0.0..=1.0).contains(&task.psi) {
        return Err(Stop::Failed(format!("psi must be 0 to 1, not {}", task.psi)));
    }
    let (first, last) = (*task.seeds.start(), *task.seeds.end());
    let count = match last.checked_sub(first) {
        Some(span) if span < MAX_PICTURES => span + 1,
        Some(_) => return Err(Stop::Failed(format!("at most {MAX_PICTURES} seeds at a time"))),
        None => return Err(Stop::Failed(format!("the seeds {first}-{last} run backwards"))),
    };
    context.progress(Stage::Loading, 0, 1, 0.0);
    let latent_len = models.generator(&task.model).map_err(Stop::Failed)?.latent_len();
    let mut pictures = Vec::with_capacity(count as usize);
    while (pictures.len() as u64) < count {
        context.check()?;
        let done = pictures.len() as u64;
        context.progress(Stage::Running, done as u32, count as u32, done as f64 / count as f64);
        let batch = (count - done).min(BATCH as u64);
        let latents: Vec<Vec<f32>> = (0..batch)
            .map(|index| normal_latent(first + done + index, latent_len, task.psi))
            .collect();
        let drawn = models.generator(&task.model).map_err(Stop::Failed)?.draw(&latents)?;
        if drawn.len() != latents.len() {
            return Err(Stop::Failed(
                "the network answered with another number of pictures".into(),
            ));
        }
        for planes in &drawn {
            pictures.push(to_picture(planes)?);
        }
    }
    Ok(pictures)
}

/// Encoded sRGB planes as an opaque 8-bit picture.
fn to_picture(planes: &Planes) -> Result<PixelBuf, Stop> {
    let size = Size::new(planes.width as u32, planes.height as u32);
    let area = planes.width * planes.height;
    if planes.channels != 3 || planes.data.len() != 3 * area || !size.is_acceptable() {
        return Err(Stop::Failed("the network answered with a picture of another size".into()));
    }
    let mut picture = PixelBuf::new(size, 4, Depth::U8);
    for index in 0..area {
        for channel in 0..3 {
            let value = planes.data[channel * area + index];
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
