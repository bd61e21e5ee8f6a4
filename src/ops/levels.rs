//! Levels: input range, midtone gamma and output range on encoded values.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};

const UNIT: (f64, f64) = (0.0, 1.0);

static SPEC: OpSpec = OpSpec {
    name: "levels",
    label: "Levels",
    doc: "Stretches a range of values over another, with a gamma between",
    kind: Kind::Pointwise,
    params: &[
        ParamSpec::float("black", "Black", 0.0, UNIT, UNIT, "", "Value that becomes black"),
        ParamSpec::float("white", "White", 1.0, UNIT, UNIT, "", "Value that becomes white"),
        ParamSpec::float(
            "gamma",
            "Gamma",
            1.0,
            (0.1, 10.0),
            (0.2, 5.0),
            "",
            "Above 1 lightens the midtones",
        )
        .logarithmic(),
        ParamSpec::float("out_black", "Output black", 0.0, UNIT, UNIT, "", "Darkest result"),
        ParamSpec::float("out_white", "Output white", 1.0, UNIT, UNIT, "", "Lightest result"),
    ],
    version: 1,
    tolerance: 1,
};

pub struct Levels;

/// `out_black + (out_white - out_black) * clamp((x - black) * stretch)^(1 / gamma)`.
struct Curve {
    black: f32,
    stretch: f32,
    exponent: f32,
    out_black: f32,
    out_range: f32,
}

impl Curve {
    /// A white point at or below the black point makes a threshold at the black point, within a
    /// thousandth.
    fn new(params: &Params) -> Self {
        let (black, white) = (params.float("black"), params.float("white"));
        let (out_black, out_white) = (params.float("out_black"), params.float("out_white"));
        Self {
            black: black as f32,
            stretch: (1.0 / (white - black).max(1e-3)) as f32,
            exponent: (1.0 / params.float("gamma")) as f32,
            out_black: out_black as f32,
            out_range: (out_white - out_black) as f32,
        }
    }

    fn apply(&self, value: f32) -> f32 {
        let place = ((value - self.black) * self.stretch).clamp(0.0, 1.0);
        self.out_black + self.out_range * place.powf(self.exponent)
    }
}

impl Operation for Levels {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        SPEC.params.iter().all(|spec| params.get(spec.key) == Some(&spec.default_value()))
    }

    fn point(&self, params: &Params, _context: &OpContext) -> Option<PointKernel> {
        let curve = Curve::new(params);
        Some(PointKernel::Curves(Box::new(move |_, value| curve.apply(value))))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let curve = Curve::new(params);
        let uniforms = vec![
            ("black", Uniform::F32(curve.black)),
            ("stretch", Uniform::F32(curve.stretch)),
            ("exponent", Uniform::F32(curve.exponent)),
            ("out_black", Uniform::F32(curve.out_black)),
            ("out_range", Uniform::F32(curve.out_range)),
        ];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output: input }]
    }
}
