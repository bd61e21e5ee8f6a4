//! Rotate by quarter turns, byte for byte.

use super::pixel_moves::{BAND, Move, move_pixels};
use super::{GpuPass, Kind, OpContext, OpError, OpSpec, Operation, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};
use crate::pixels::PixelBuf;

static SPEC: OpSpec = OpSpec {
    name: "rotate90",
    label: "Rotate 90°",
    doc: "Turns the picture clockwise by quarter turns without resampling",
    kind: Kind::Geometry,
    params: &[ParamSpec::required_int(
        "turns",
        "Quarter turns",
        1,
        (1, 3),
        "",
        "Clockwise quarter turns",
    )],
    version: 1,
    tolerance: 0,
};

pub struct Rotate90;

/// The picture turned clockwise by `turns` quarter turns.
pub(super) fn quarter_turns(src: &PixelBuf, turns: i64) -> PixelBuf {
    let Size { width, height } = src.size();
    match turns.rem_euclid(4) {
        0 => src.clone(),
        2 => move_pixels(src, src.size(), &HalfTurn),
        quarter => {
            move_pixels(src, Size::new(height, width), &QuarterTurn { clockwise: quarter == 1 })
        }
    }
}

struct HalfTurn;

impl Move for HalfTurn {
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]) {
        let end = src.len() - y * width;
        let row = &src[end - width..end];
        out.iter_mut().zip(row.iter().rev()).for_each(|(to, from)| *to = *from);
    }
}

struct QuarterTurn {
    clockwise: bool,
}

impl Move for QuarterTurn {
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]) {
        self.band(src, width, y, out.len(), out);
    }

    /// By square blocks, so that a cache line of the source serves all its pixels while it is in
    /// the cache.
    fn band<P: Copy>(&self, src: &[P], width: usize, y0: usize, out_width: usize, out: &mut [P]) {
        let rows = out.len() / out_width;
        for x0 in (0..out_width).step_by(BAND) {
            let x1 = (x0 + BAND).min(out_width);
            for y in 0..rows {
                let to = &mut out[y * out_width + x0..y * out_width + x1];
                if self.clockwise {
                    // Up the column `y0 + y`, `x0` rows above the bottom.
                    let bottom = (out_width - 1 - x0) * width + y0 + y;
                    for (row, to) in to.iter_mut().enumerate() {
                        *to = src[bottom - row * width];
                    }
                } else {
                    let top = x0 * width + width - 1 - (y0 + y);
                    for (row, to) in to.iter_mut().enumerate() {
                        *to = src[top + row * width];
                    }
                }
            }
        }
    }
}

impl Operation for Rotate90 {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, _params: &Params) -> bool {
        false
    }

    fn output_size(&self, params: &Params, input: Size) -> Result<Size, OpError> {
        let turned = params.int("turns") % 2 != 0;
        Ok(if turned { Size::new(input.height, input.width) } else { input })
    }

    fn transform(&self, params: &Params, src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        Some(Ok(quarter_turns(src, params.int("turns"))))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let Ok(output) = self.output_size(params, input) else { return Vec::new() };
        let turns = params.int("turns").rem_euclid(4) as u32;
        let uniforms = vec![("turns", Uniform::U32(turns))];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output }]
    }
}
