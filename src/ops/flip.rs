//! Flip: the mirror image, byte for byte.

use super::pixel_moves::{Move, move_pixels};
use super::{GpuPass, Kind, OpContext, OpError, OpSpec, Operation, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};
use crate::pixels::PixelBuf;

static SPEC: OpSpec = OpSpec {
    name: "flip",
    label: "Flip",
    doc: "Mirrors the picture left to right or top to bottom",
    kind: Kind::Geometry,
    params: &[ParamSpec::choice(
        "axis",
        "Direction",
        "horizontal",
        &["horizontal", "vertical"],
        "Horizontal swaps left and right, vertical swaps top and bottom",
    )],
    version: 1,
    tolerance: 0,
};

pub struct Flip;

fn is_vertical(params: &Params) -> bool {
    params.choice("axis") == "vertical"
}

struct Mirror {
    vertical: bool,
}

impl Move for Mirror {
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]) {
        if self.vertical {
            let at = src.len() - (y + 1) * width;
            out.copy_from_slice(&src[at..at + width]);
        } else {
            let row = &src[y * width..(y + 1) * width];
            out.iter_mut().zip(row.iter().rev()).for_each(|(to, from)| *to = *from);
        }
    }
}

impl Operation for Flip {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, _params: &Params) -> bool {
        false
    }

    fn transform(&self, params: &Params, src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        Some(Ok(move_pixels(src, src.size(), &Mirror { vertical: is_vertical(params) })))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let uniforms = vec![("vertical", Uniform::U32(u32::from(is_vertical(params))))];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output: input }]
    }
}
