//! Crop: the part of the picture inside a rectangle, byte for byte.

use super::pixel_moves::{Move, move_pixels};
use super::{GpuPass, Kind, OpContext, OpError, OpSpec, Operation, Uniform};
use crate::geom::{MAX_SIDE, Size};
use crate::params::{ParamSpec, Params};
use crate::pixels::PixelBuf;

const LAST: i64 = MAX_SIDE as i64 - 1;
const SIDE: (i64, i64) = (1, MAX_SIDE as i64);

static SPEC: OpSpec = OpSpec {
    name: "crop",
    label: "Crop",
    doc: "Keeps the part of the picture inside a rectangle",
    kind: Kind::Geometry,
    params: &[
        ParamSpec::required_int("x", "Left", 0, (0, LAST), "px", "First column kept"),
        ParamSpec::required_int("y", "Top", 0, (0, LAST), "px", "First row kept"),
        ParamSpec::required_int("width", "Width", 1, SIDE, "px", "Columns kept"),
        ParamSpec::required_int("height", "Height", 1, SIDE, "px", "Rows kept"),
    ],
    version: 1,
    tolerance: 0,
};

pub struct Crop;

fn origin(params: &Params) -> (usize, usize) {
    (params.int("x").max(0) as usize, params.int("y").max(0) as usize)
}

struct Window {
    x: usize,
    y: usize,
}

impl Move for Window {
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]) {
        let at = (self.y + y) * width + self.x;
        out.copy_from_slice(&src[at..at + out.len()]);
    }
}

impl Operation for Crop {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, _params: &Params) -> bool {
        false
    }

    fn output_size(&self, params: &Params, input: Size) -> Result<Size, OpError> {
        let (x, y) = origin(params);
        let size = Size::new(params.int("width") as u32, params.int("height") as u32);
        let inside = x as u64 + u64::from(size.width) <= u64::from(input.width)
            && y as u64 + u64::from(size.height) <= u64::from(input.height);
        if inside && !size.is_empty() {
            return Ok(size);
        }
        let reason =
            format!("the rectangle {size} at ({x}, {y}) is not inside the picture {input}");
        Err(OpError::Invalid { op: SPEC.name, reason })
    }

    fn transform(&self, params: &Params, src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        let (x, y) = origin(params);
        let size = self.output_size(params, src.size());
        Some(size.map(|size| move_pixels(src, size, &Window { x, y })))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let (x, y) = origin(params);
        let Ok(output) = self.output_size(params, input) else { return Vec::new() };
        let uniforms = vec![("left", Uniform::U32(x as u32)), ("top", Uniform::U32(y as u32))];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output }]
    }
}
