//! Canvas size: a larger or smaller frame around unchanged pixels.

use super::pixel_moves::{Move, move_pixels};
use super::{GpuPass, Kind, OpContext, OpError, OpSpec, Operation, Uniform, check_size};
use crate::geom::{MAX_SIDE, Size};
use crate::params::{ParamSpec, Params};
use crate::pixels::PixelBuf;

const SIDE: (i64, i64) = (1, MAX_SIDE as i64);

/// The place of the picture in its new frame.
static ANCHORS: &[&str] = &[
    "center",
    "top-left",
    "top",
    "top-right",
    "left",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
];

static SPEC: OpSpec = OpSpec {
    name: "canvas_size",
    label: "Canvas size",
    doc: "Extends or cuts the frame; new pixels are transparent",
    kind: Kind::Geometry,
    params: &[
        ParamSpec::required_int("width", "Width", 1, SIDE, "px", "Columns of the new frame"),
        ParamSpec::required_int("height", "Height", 1, SIDE, "px", "Rows of the new frame"),
        ParamSpec::choice(
            "anchor",
            "Anchor",
            "center",
            ANCHORS,
            "The corner, edge or centre of the frame at which the picture stays",
        ),
    ],
    version: 1,
    tolerance: 0,
};

pub struct CanvasSize;

/// Where the old origin lies in the new frame. Of an odd difference the larger half is added or
/// cut on the right and at the bottom.
pub fn canvas_offset(anchor: &str, old: Size, new: Size) -> (i64, i64) {
    let place = |first: &str, last: &str, old: u32, new: u32| {
        let room = i64::from(new) - i64::from(old);
        if anchor.contains(first) {
            0
        } else if anchor.contains(last) {
            room
        } else {
            room / 2
        }
    };
    (place("left", "right", old.width, new.width), place("top", "bottom", old.height, new.height))
}

struct Frame {
    x: i64,
    y: i64,
    old: Size,
}

impl Move for Frame {
    /// Pixels outside the old picture keep the zeros of a new buffer.
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]) {
        let from_y = y as i64 - self.y;
        if !(0..i64::from(self.old.height)).contains(&from_y) {
            return;
        }
        let row = &src[from_y as usize * width..][..width];
        let (to, from) = (self.x.max(0) as usize, (-self.x).max(0) as usize);
        if to < out.len() && from < width {
            let len = (width - from).min(out.len() - to);
            out[to..to + len].copy_from_slice(&row[from..from + len]);
        }
    }
}

impl Operation for CanvasSize {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, _params: &Params) -> bool {
        false
    }

    fn output_size(&self, params: &Params, _input: Size) -> Result<Size, OpError> {
        check_size(SPEC.name, params.int("width"), params.int("height"))
    }

    fn transform(&self, params: &Params, src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        Some(self.output_size(params, src.size()).map(|size| {
            let (x, y) = canvas_offset(params.choice("anchor"), src.size(), size);
            move_pixels(src, size, &Frame { x, y, old: src.size() })
        }))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let Ok(output) = self.output_size(params, input) else { return Vec::new() };
        let (x, y) = canvas_offset(params.choice("anchor"), input, output);
        let uniforms = vec![("left", Uniform::I32(x as i32)), ("top", Uniform::I32(y as i32))];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output }]
    }
}
