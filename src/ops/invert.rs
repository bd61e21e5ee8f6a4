//! Invert: every colour channel becomes its complement.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel};
use crate::geom::Size;
use crate::params::Params;

static SPEC: OpSpec = OpSpec {
    name: "invert",
    label: "Invert",
    doc: "Turns every colour into its complement",
    kind: Kind::Pointwise,
    params: &[],
    version: 1,
    tolerance: 0,
};

pub struct Invert;

impl Operation for Invert {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, _params: &Params) -> bool {
        false
    }

    fn point(&self, _params: &Params, _context: &OpContext) -> Option<PointKernel> {
        Some(PointKernel::Curves(Box::new(|_, value| 1.0 - value)))
    }

    fn gpu_passes(&self, _params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        vec![GpuPass { entry: "main", uniforms: Vec::new(), table: Vec::new(), output: input }]
    }
}
