//! The holes of a mask, for engines that complete them one by one.

use std::sync::Arc;

use super::region::Region;
use super::{FillError, Progress};
use crate::geom::IRect;
use crate::pixels::{Depth, PixelBuf};

/// A part of a grown and feathered mask that lies by itself.
#[derive(Clone)]
pub struct Hole {
    /// The smallest rectangle around it, give or take the grid that gathers its pixels.
    pub bounds: IRect,
    region: Arc<Region>,
}

impl Hole {
    /// What of each pixel of `rect` is to be replaced, by this hole or another: one channel of
    /// 16 bits.
    pub fn share_over(&self, rect: IRect) -> PixelBuf {
        let mut share = PixelBuf::new(rect.size(), 1, Depth::U16);
        for y in rect.y0..rect.y1 {
            self.region.row(rect, y, |x, weight| {
                let at = share.index((x - rect.x0) as u32, (y - rect.y0) as u32);
                share.samples_mut().set_f32(at, f32::from(weight) / f32::from(super::region::FULL));
            });
        }
        share
    }
}

/// The holes of `mask` (one channel; half white and above is one), grown by a disc of
/// `dilate_px` and faded out over `feather_px` beyond. `watch` as for [`super::fill`].
///
/// # Errors
/// A stop.
pub fn holes(
    mask: &PixelBuf,
    dilate_px: u32,
    feather_px: f32,
    watch: &mut dyn FnMut(f32) -> bool,
) -> Result<Vec<Hole>, FillError> {
    let region = Region::from_mask(mask, dilate_px, feather_px, &mut Progress::new(watch))?;
    let Some(region) = region.map(Arc::new) else { return Ok(Vec::new()) };
    let hole = |bounds| Hole { bounds, region: region.clone() };
    Ok(region.holes().into_iter().map(hole).collect())
}
