//! Points that are dragged: where from, where to, and the steps so far.

use std::sync::Arc;

use crate::geom::Size;
use crate::infer::drag::Dragged;
use crate::latent::Code;
use crate::latent::drag::{Place, Pull};
use crate::pixels::{Depth, PixelBuf};

/// Steps that can be taken back; the earliest go.
const MAX_STEPS: usize = 400;
/// Around points that move, this share of the picture may move, too.
const REACH: f32 = 0.16;

/// A drag of the picture that the panel shows.
pub struct Dragging {
    /// The code whose picture the points were set in.
    pub code: Arc<Code>,
    /// In pixels of the generator's picture, whose side is this.
    pub pulls: Vec<Pull>,
    side: usize,
    /// Whether what lies farther from the points stays as it is.
    pub keeps_rest: bool,
    /// The newest last.
    pub steps: Vec<Arc<Dragged>>,
    pub is_running: bool,
}

impl Dragging {
    pub const fn new(code: Arc<Code>, side: usize, keeps_rest: bool) -> Self {
        Self { code, pulls: Vec::new(), side, keeps_rest, steps: Vec::new(), is_running: false }
    }

    pub const fn side(&self) -> usize {
        self.side
    }

    /// Where the points are now, and where they should be.
    pub fn points(&self) -> impl Iterator<Item = (Place, Place)> {
        let now = self.steps.last();
        self.pulls.iter().enumerate().map(move |(at, pull)| {
            let handle = now.and_then(|step| step.handles.get(at).copied());
            (handle.unwrap_or(pull.handle), pull.target)
        })
    }

    /// Takes a step.
    pub fn take(&mut self, step: Arc<Dragged>) {
        // The last one comes twice: when it is done, and as the result of the job.
        if self.steps.last().is_some_and(|last| last.steps == step.steps) {
            return;
        }
        if self.steps.len() == MAX_STEPS {
            self.steps.remove(0);
        }
        self.steps.push(step);
    }

    /// What may move: discs around the points and the way between; white, one channel.
    pub fn mask(&self) -> Option<Arc<PixelBuf>> {
        if !self.keeps_rest {
            return None;
        }
        let (side, reach) = (self.side as u32, self.side as f32 * REACH);
        let mut mask = PixelBuf::new(Size::new(side, side), 1, Depth::U8);
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let place = [x as f32 + 0.5, y as f32 + 0.5];
            let is_near = |pull: &Pull| distance(place, pull.handle, pull.target) < reach;
            if self.pulls.iter().any(is_near) {
                mask.set_pixel_f32(x, y, [1.0; 4]);
            }
        }
        Some(Arc::new(mask))
    }
}

/// From a place to the nearest point of a line.
fn distance(place: Place, from: Place, to: Place) -> f32 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let away = [place[0] - from[0], place[1] - from[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let share = if square > 0.0 {
        ((away[0] * along[0] + away[1] * along[1]) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (away[0] - share * along[0]).hypot(away[1] - share * along[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_far_from_a_line_is_kept() {
        assert_eq!(distance([5.0, 3.0], [0.0, 0.0], [10.0, 0.0]), 3.0);
        assert_eq!(distance([13.0, 4.0], [0.0, 0.0], [10.0, 0.0]), 5.0);
        assert_eq!(distance([3.0, 4.0], [0.0, 0.0], [0.0, 0.0]), 5.0);
    }
}
