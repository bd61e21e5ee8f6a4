//! Draws pictures from seeds.

use super::protocol::{Drawing, Generate, Origin, Stage};
use super::render;
use super::worker::{Context, End, Models};
use crate::geom::Size;
use crate::latent::{EditStack, Noise, Truncation};
use crate::pixels::PixelBuf;

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
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    let truncation = Some(Truncation { psi: task.psi, cutoff: None });
    let mut pictures = Vec::with_capacity(count as usize);
    for seed in first..=last {
        context.check()?;
        let done = pictures.len();
        context.progress(Stage::Running, done as u32, count as u32, done as f64 / count as f64);
        let noise = match task.noise {
            Noise::Random(first) => Noise::Random(first.wrapping_add(seed)),
            same => same,
        };
        let from = Origin::Seed { seed, class: task.class.map(|class| class as u32), noise };
        let stack = EditStack { truncation, ..EditStack::default() };
        let drawing = Drawing { from, mixes: Vec::new(), stack };
        pictures.push(render::draw(&drawing, &hash, generator, &stop)?.picture);
    }
    Ok(pictures)
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
