//! Matching on another processor than this one.

use super::level::Feature;
use crate::geom::IRect;

/// The top left corner of the patch found, and the sum of squared feature differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub x: u16,
    pub y: u16,
    pub cost: i32,
}

impl Match {
    /// At a place that is no target.
    pub const NONE: Self = Self { x: u16::MAX, y: u16::MAX, cost: i32::MAX };

    pub const fn is_some(self) -> bool {
        self.x != u16::MAX
    }
}

/// What one pass tries beside the present match.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Neighbours at this distance pass on their matches.
    pub jump: i32,
    /// Random search begins at this distance and halves it until nothing is left.
    pub reach: i32,
    /// Offsets that repeat in the picture.
    pub offsets: &'a [(i32, i32)],
    /// Matches nearer than this, along both axes, are not looked for.
    pub min_offset: i32,
    /// Whether the pixels have changed since the costs were computed.
    pub is_stale: bool,
    /// Makes the random numbers of this pass.
    pub salt: u32,
}

/// Passes over a field of matches while the pixels stay as they are.
pub struct Round<'a> {
    /// Of the level in pixels.
    pub width: usize,
    /// What is compared, six numbers a pixel, row by row.
    pub features: &'a [Feature],
    /// For each pixel whether the patch with this corner may be copied.
    pub is_source: &'a [bool],
    /// Of the patches.
    pub side: usize,
    /// The corners that have matches.
    pub rect: IRect,
    pub steps: &'a [Step<'a>],
}

/// Matches patches elsewhere, with the very results of the code here.
pub trait Matcher: Send + Sync {
    /// The matches of `round.rect`, row by row, after all steps; `None` where it cannot, and the
    /// code here does it.
    fn run(&self, round: &Round<'_>, matches: &[Match]) -> Option<Vec<Match>>;
}
