//! How a document is looked at: between the canvas, the document and the levels of its pyramid.

use super::GpuContext;
use crate::geom::{IRect, Size};

/// How the document is looked at. Positions are in physical pixels of the canvas texture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewParams {
    /// Extent of the canvas texture.
    pub size: Size,
    /// Screen pixels a document pixel; 1 is 100 %.
    pub scale: f32,
    /// Screen position of the document's top left corner.
    pub offset: (f32, f32),
    /// Grey around the document, encoded sRGB, `0..=1`.
    pub surround: f32,
    /// Side of a square of the transparency pattern.
    pub checker_px: f32,
    /// Whether lines between pixels show from 800 % on.
    pub pixel_grid: bool,
}

/// The level whose pixels are at least as fine as the screen's. A rasteriser takes a coarser one
/// somewhat earlier, which halves its work where it would be largest.
pub(super) fn level_for(context: &GpuContext, scale: f32) -> u32 {
    let bias = if context.facts().is_hardware() { 1e-3 } else { 0.4 };
    let level = (-scale.max(1e-4).log2() + bias).floor();
    if scale >= 0.999 { 0 } else { level.clamp(0.0, 12.0) as u32 }
}

/// The part of the canvas that shows something of a level's rectangle.
pub(super) fn on_screen(rect: IRect, view: &ViewParams, level: u32) -> IRect {
    if rect.is_empty() {
        return rect;
    }
    let step = (1u32 << level) as f32 * view.scale;
    // A linear sample reaches a pixel of the level farther.
    let from = |at: i32, offset: f32| ((at - 1) as f32 * step + offset).floor() as i32 - 1;
    let to = |at: i32, offset: f32| ((at + 1) as f32 * step + offset).ceil() as i32 + 1;
    let (x, y) = view.offset;
    IRect::new(from(rect.x0, x), from(rect.y0, y), to(rect.x1, x), to(rect.y1, y))
        .intersect(view.size.rect())
}

/// The part of the level that the canvas shows.
pub(super) fn visible_rect(view: &ViewParams, level: u32, extent: Size) -> IRect {
    let step = (1u32 << level) as f32;
    let span = |offset: f32, viewport: u32, extent: u32| {
        let at = |screen: f32| ((screen - offset) / view.scale / step).clamp(0.0, extent as f32);
        let (from, to) = (at(0.0), at(viewport as f32));
        // One pixel more on either side, which a linear sample may touch.
        let (from, to) = (from.floor() as i32, to.ceil() as i32);
        if from < to { (from - 1, to + 1) } else { (0, 0) }
    };
    let (x0, x1) = span(view.offset.0, view.size.width, extent.width);
    let (y0, y1) = span(view.offset.1, view.size.height, extent.height);
    IRect::new(x0, y0, x1, y1).intersect(extent.rect())
}
