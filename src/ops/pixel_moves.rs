//! Exact geometry: whole pixels are copied, whatever they are made of.

use rayon::prelude::*;

use crate::geom::Size;
use crate::pixels::{PixelBuf, Samples};

/// Rows copied by one task; also the side of the blocks of a transposition.
pub(super) const BAND: usize = 32;

/// Where the pixels of an output row come from.
pub(super) trait Move: Sync {
    /// Fills output row `y` from `src`, whose rows have `width` pixels.
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]);

    /// Fills `out`, rows of `out_width` pixels from row `y0` on; overridden where neighbouring
    /// rows share cache lines of the source.
    fn band<P: Copy>(&self, src: &[P], width: usize, y0: usize, out_width: usize, out: &mut [P]) {
        for (y, row) in (y0..).zip(out.chunks_exact_mut(out_width)) {
            self.row(src, width, y, row);
        }
    }
}

/// A picture of `size` pixels, its rows filled in parallel by `mover`.
pub(super) fn move_pixels(src: &PixelBuf, size: Size, mover: &impl Move) -> PixelBuf {
    let mut out = PixelBuf::new(size, src.channels(), src.depth());
    let widths = (src.size().width as usize, size.width as usize);
    match (src.samples(), out.samples_mut(), src.channels()) {
        (Samples::U8(src), Samples::U8(out), 4) => {
            run(src.as_chunks::<4>().0, widths, out.as_chunks_mut::<4>().0, mover);
        }
        (Samples::U8(src), Samples::U8(out), _) => run(src, widths, out, mover),
        (Samples::U16(src), Samples::U16(out), 4) => {
            run(src.as_chunks::<4>().0, widths, out.as_chunks_mut::<4>().0, mover);
        }
        (Samples::U16(src), Samples::U16(out), _) => run(src, widths, out, mover),
        _ => debug_assert!(false, "the output has the depth of the source"),
    }
    out
}

fn run<P: Copy + Send + Sync>(
    src: &[P],
    (width, out_width): (usize, usize),
    out: &mut [P],
    mover: &impl Move,
) {
    out.par_chunks_mut(BAND * out_width).enumerate().for_each(|(band, out)| {
        mover.band(src, width, band * BAND, out_width, out);
    });
}
