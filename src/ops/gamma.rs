//! Gamma: a power curve on encoded values.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};

static SPEC: OpSpec = OpSpec {
    name: "gamma",
    label: "Gamma",
    doc: "Raises encoded values to the power 1 / gamma; above 1 lightens the midtones",
    kind: Kind::Pointwise,
    params: &[ParamSpec::float(
        "value",
        "Gamma",
        1.0,
        (0.1, 10.0),
        (0.2, 5.0),
        "",
        "Above 1 lightens, below 1 darkens",
    )
    .logarithmic()],
    version: 1,
    tolerance: 1,
};

pub struct Gamma;

fn exponent(params: &Params) -> f32 {
    (1.0 / params.float("value")) as f32
}

impl Operation for Gamma {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("value") == 1.0
    }

    fn point(&self, params: &Params, _context: &OpContext) -> Option<PointKernel> {
        let exponent = exponent(params);
        Some(PointKernel::Curves(Box::new(move |_, value| value.powf(exponent))))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let uniforms = vec![("exponent", Uniform::F32(exponent(params)))];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output: input }]
    }
}
