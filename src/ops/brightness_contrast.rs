//! Brightness and contrast on encoded values.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};

const RANGE: (f64, f64) = (-100.0, 100.0);

static SPEC: OpSpec = OpSpec {
    name: "brightness_contrast",
    label: "Brightness and contrast",
    doc: "Lightens or darkens, and spreads or gathers values around mid grey",
    kind: Kind::Pointwise,
    params: &[
        ParamSpec::float("brightness", "Brightness", 0.0, RANGE, RANGE, "", "Darker to lighter"),
        ParamSpec::float("contrast", "Contrast", 0.0, RANGE, RANGE, "", "Flat grey to two tones"),
    ],
    version: 1,
    tolerance: 1,
};

pub struct BrightnessContrast;

/// GIMP's brightness-contrast: brightness mixes half-way towards black or white, contrast turns
/// the straight line through mid grey. Both steps are linear: `x * gain + offset`.
fn line(params: &Params) -> (f32, f32) {
    let brightness = params.float("brightness") / 200.0;
    let (scale, shift) =
        if brightness < 0.0 { (1.0 + brightness, 0.0) } else { (1.0 - brightness, brightness) };
    // The tangent has its pole at +100; from 256 on, 8 bits have two tones left.
    let angle = (params.float("contrast") / 100.0 + 1.0) * std::f64::consts::FRAC_PI_4;
    let slope = angle.sin() / angle.cos().max(1.0 / 256.0);
    ((scale * slope) as f32, ((shift - 0.5) * slope + 0.5) as f32)
}

impl Operation for BrightnessContrast {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("brightness") == 0.0 && params.float("contrast") == 0.0
    }

    fn point(&self, params: &Params, _context: &OpContext) -> Option<PointKernel> {
        let (gain, offset) = line(params);
        Some(PointKernel::Curves(Box::new(move |_, value| value * gain + offset)))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let (gain, offset) = line(params);
        let uniforms = vec![("gain", Uniform::F32(gain)), ("offset", Uniform::F32(offset))];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output: input }]
    }
}
