//! Many small pictures as one.

use super::PixelBuf;
use crate::geom::Size;

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
