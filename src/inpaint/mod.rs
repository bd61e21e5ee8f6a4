//! Exemplar-based completion: what a mask covers is continued from what surrounds it.
//!
//! Each hole is completed in a window of its own. In a pyramid over that window two steps
//! alternate from coarse to fine: a nearest-neighbour field from the patches that touch the hole
//! to patches of the surroundings (PatchMatch, Barnes et al. 2009), and a vote of those patches
//! for the colours inside the hole (Wexler, Shechtman and Irani 2007). Distances are measured in
//! luma, two colour differences, the luma's gradient and the amount of texture (Newson et al.
//! 2014). Sources have the colours of the hole's rim. The coarsest level starts from a smooth fill; there and on every finer level the window's
//! dominant offsets (He and Sun 2012) are among the candidates. In the end every pixel is copied from the one place most of its patches agree on, and
//! a screened Poisson equation (Pérez et al. 2003; Bhat et al. 2008) takes the steps out of the
//! seams.
//!
//! Results depend on the picture, the mask and the options only, not on the number of threads.

mod blend;
mod field;
mod holes;
mod level;
mod matching;
mod offsets;
mod piece;
mod region;
mod rim;
mod vote;

use crate::geom::{IRect, Size};
use crate::pixels::{Depth, PixelBuf};
use region::Region;

pub use blend::clone_into;
pub use field::OFFSET_TRIES;
pub use holes::{Hole, holes};
pub use matching::{Match, Matcher, Round, Step};

/// How a hole is completed.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// The mask is grown by a disc of this radius, so that soft edges of what is removed go too.
    pub dilate_px: u32,
    /// Beyond the grown mask the fill fades into the picture over this distance.
    pub feather_px: f32,
    /// Another seed, another fill of the same kind.
    pub seed: u64,
    /// Side of the patches that are compared: 5, 7, 9 or 11; the next smaller one otherwise.
    pub patch_px: u32,
    /// How far around a hole its sources may lie, in multiples of the hole's thickness.
    pub search_margin: f32,
}

impl Default for Fill {
    fn default() -> Self {
        Self { dilate_px: 2, feather_px: 2.0, seed: 0, patch_px: 7, search_margin: 1.0 }
    }
}

/// Pixels added on each side by [`expand`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    pub left: u32,
    pub top: u32,
    pub right: u32,
    pub bottom: u32,
}

/// Why there is no completed picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    #[error("the mask is {mask}, the picture {image}")]
    MaskSize { mask: Size, image: Size },
    #[error("a mask has 1 channel, not {0}")]
    MaskChannels(usize),
    #[error("nothing is left outside the mask to fill it from")]
    NothingLeft,
    #[error("the picture would become {width}×{height}")]
    TooLarge { width: u64, height: u64 },
    #[error("stopped")]
    Stopped,
}

/// Replaces what `mask` (one channel, the picture's size; half white and above means remove) and
/// the options cover by a continuation of the surroundings.
///
/// `image` holds encoded values, RGBA with straight alpha or one channel; depth, channels and
/// size are kept. Where the grown, feathered mask is 0 the result is `image`, bit for bit.
/// Transparent pixels are never a source. `watch` gets the fraction done, many times a second,
/// and stops the work by answering false.
///
/// # Errors
/// A mask of another size or with several channels; no opaque pixel outside the mask; a stop.
pub fn fill(
    image: &PixelBuf,
    mask: &PixelBuf,
    options: &Fill,
    watch: &mut dyn FnMut(f32) -> bool,
) -> Result<PixelBuf, FillError> {
    fill_with(image, mask, options, None, watch)
}

/// [`fill`] that matches patches on `matcher`, to the same result.
///
/// # Errors
/// As [`fill`].
pub fn fill_with(
    image: &PixelBuf,
    mask: &PixelBuf,
    options: &Fill,
    matcher: Option<&dyn Matcher>,
    watch: &mut dyn FnMut(f32) -> bool,
) -> Result<PixelBuf, FillError> {
    if mask.channels() != 1 {
        return Err(FillError::MaskChannels(mask.channels()));
    }
    if mask.size() != image.size() {
        return Err(FillError::MaskSize { mask: mask.size(), image: image.size() });
    }
    let mut progress = Progress::new(watch);
    progress.advance(0.0)?;
    let (grow, fade) = (options.dilate_px, options.feather_px);
    let Some(region) = Region::from_mask(mask, grow, fade, &mut progress)? else {
        return Ok(image.clone());
    };
    progress.advance(0.0)?;
    let image = image.clone();
    progress.advance(0.0)?;
    complete(image, &region, options, matcher, progress)
}

/// Continues `image` by `border` on each side. The picture itself stays bit for bit; `watch` as
/// for [`fill`].
///
/// # Errors
/// A result that is larger than pictures may be; a picture without any opaque pixel; a stop.
pub fn expand(
    image: &PixelBuf,
    border: Border,
    options: &Fill,
    watch: &mut dyn FnMut(f32) -> bool,
) -> Result<PixelBuf, FillError> {
    expand_with(image, border, options, None, watch)
}

/// [`expand`] that matches patches on `matcher`, to the same result.
///
/// # Errors
/// As [`expand`].
pub fn expand_with(
    image: &PixelBuf,
    border: Border,
    options: &Fill,
    matcher: Option<&dyn Matcher>,
    watch: &mut dyn FnMut(f32) -> bool,
) -> Result<PixelBuf, FillError> {
    let side = |pixels: u32, before: u32, after: u32| {
        u64::from(pixels) + u64::from(before) + u64::from(after)
    };
    let width = side(image.size().width, border.left, border.right);
    let height = side(image.size().height, border.top, border.bottom);
    let too_large = FillError::TooLarge { width, height };
    let (Ok(columns), Ok(rows)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(too_large);
    };
    let size = Size::new(columns, rows);
    if !size.is_acceptable() {
        return Err(too_large);
    }
    let mut progress = Progress::new(watch);
    progress.advance(0.0)?;
    let at = (border.left as i32, border.top as i32);
    let mut canvas = PixelBuf::new(size, image.channels(), image.depth());
    canvas.blit(image, at);
    let mut mask = PixelBuf::filled(size, 1, Depth::U8, [255; 4]);
    mask.blit(&PixelBuf::new(image.size(), 1, Depth::U8), at);
    match Region::from_mask(&mask, 0, 0.0, &mut progress)? {
        Some(region) => complete(canvas, &region, options, matcher, progress),
        None => Ok(canvas),
    }
}

fn complete(
    mut image: PixelBuf,
    region: &Region,
    options: &Fill,
    matcher: Option<&dyn Matcher>,
    mut progress: Progress,
) -> Result<PixelBuf, FillError> {
    let pieces = region.pieces(&image, options.search_margin, &mut progress)?;
    progress.advance(0.0)?;
    progress.total = pieces.iter().map(|piece| piece.hole_px as f64).sum();
    let mut done: Vec<IRect> = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        let start = progress.done;
        piece::complete(&mut image, region, piece, &done, options, matcher, &mut progress)?;
        done.push(piece.cell);
        progress.done = start + piece.hole_px as f64;
    }
    progress.advance(0.0)?;
    Ok(image)
}

/// Counts work and asks between two portions of it whether to go on.
struct Progress<'a> {
    watch: &'a mut dyn FnMut(f32) -> bool,
    done: f64,
    total: f64,
}

impl<'a> Progress<'a> {
    fn new(watch: &'a mut dyn FnMut(f32) -> bool) -> Self {
        Self { watch, done: 0.0, total: 1.0 }
    }

    fn advance(&mut self, work: f64) -> Result<(), FillError> {
        self.done += work;
        let fraction = (self.done / self.total.max(1.0)).clamp(0.0, 1.0);
        if (self.watch)(fraction as f32) { Ok(()) } else { Err(FillError::Stopped) }
    }
}
