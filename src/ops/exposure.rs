//! Exposure: light scaled by powers of two, in linear light.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel, gains_pass};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};

static SPEC: OpSpec = OpSpec {
    name: "exposure",
    label: "Exposure",
    doc: "Scales linear light; +1 EV doubles it",
    kind: Kind::Pointwise,
    params: &[ParamSpec::float(
        "ev",
        "Exposure",
        0.0,
        (-10.0, 10.0),
        (-3.0, 3.0),
        "EV",
        "Stops: each doubles the light",
    )],
    version: 1,
    tolerance: 1,
};

pub struct Exposure;

fn gain(params: &Params) -> f32 {
    params.float("ev").exp2() as f32
}

impl Operation for Exposure {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("ev") == 0.0
    }

    fn point(&self, params: &Params, context: &OpContext) -> Option<PointKernel> {
        let (gain, transfer) = (gain(params), context.profile.transfer);
        Some(PointKernel::Curves(Box::new(move |_, value| {
            transfer.encode(transfer.decode(value) * gain)
        })))
    }

    fn gpu_passes(&self, params: &Params, context: &OpContext, input: Size) -> Vec<GpuPass> {
        gains_pass([gain(params); 3], context.profile.transfer, input)
    }
}
