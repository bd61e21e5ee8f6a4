//! Hue, saturation and lightness in the HSL model of encoded values.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel, RgbMap, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};

const PERCENT: (f64, f64) = (-100.0, 100.0);
const DEGREES: (f64, f64) = (-180.0, 180.0);

static SPEC: OpSpec = OpSpec {
    name: "hue_saturation",
    label: "Hue and saturation",
    doc: "Turns the hue, and scales saturation and lightness in HSL",
    kind: Kind::Pointwise,
    params: &[
        ParamSpec::float("hue", "Hue", 0.0, DEGREES, DEGREES, "°", "Turns every hue"),
        ParamSpec::float("saturation", "Saturation", 0.0, PERCENT, PERCENT, "", "Grey to vivid"),
        ParamSpec::float("lightness", "Lightness", 0.0, PERCENT, PERCENT, "", "Black to white"),
    ],
    version: 1,
    tolerance: 1,
};

pub struct HueSaturation;

/// The master range of GIMP's hue-saturation: hue is added, saturation is multiplied by
/// `1 + saturation / 100`, lightness mixes towards black or white.
struct Change {
    /// Sixths of a turn, `-3..=3`.
    hue: f32,
    saturation: f32,
    /// Lightness becomes `l * light_scale + light_shift`.
    light_scale: f32,
    light_shift: f32,
}

impl Change {
    fn new(params: &Params) -> Self {
        let lightness = params.f32("lightness") / 100.0;
        Self {
            hue: params.f32("hue") / 60.0,
            saturation: 1.0 + params.f32("saturation") / 100.0,
            light_scale: 1.0 - lightness.abs(),
            light_shift: lightness.max(0.0),
        }
    }
}

impl RgbMap for Change {
    /// Without branches, so that the loop over a span becomes vector code.
    #[inline(always)]
    fn pixel(&self, [r, g, b]: [f32; 3]) -> [f32; 3] {
        let high = r.max(g).max(b);
        let low = r.min(g).min(b);
        let chroma = high - low;
        let sum = high + low;
        // The largest chroma at this lightness, written so that it is exact near black.
        let reach = sum.min(2.0 - sum);
        let per_chroma = if chroma > 0.0 { 1.0 / chroma } else { 0.0 };
        let from_blue = 4.0 + (r - g) * per_chroma;
        let from_green = 2.0 + (b - r) * per_chroma;
        let from_red = (g - b) * per_chroma;
        let hue = if high == r {
            from_red
        } else if high == g {
            from_green
        } else {
            from_blue
        };
        // `-1..5` turned by `-3..=3`, brought back into `0..6`.
        let hue = hue + self.hue;
        let hue = if hue < 0.0 { hue + 6.0 } else { hue };
        let hue = if hue >= 6.0 { hue - 6.0 } else { hue };

        let saturation = if reach > 0.0 { chroma / reach } else { 0.0 };
        let saturation = (saturation * self.saturation).min(1.0);
        let lightness = 0.5 * sum * self.light_scale + self.light_shift;
        let chroma = saturation * (2.0 * lightness).min(2.0 - 2.0 * lightness);
        let low = lightness - 0.5 * chroma;
        let ramp = |x: f32| low + chroma * x.clamp(0.0, 1.0);
        [
            ramp((hue - 3.0).abs() - 1.0),
            ramp(2.0 - (hue - 2.0).abs()),
            ramp(2.0 - (hue - 4.0).abs()),
        ]
    }
}

impl Operation for HueSaturation {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        SPEC.params.iter().all(|spec| params.float(spec.key) == 0.0)
    }

    fn point(&self, params: &Params, _context: &OpContext) -> Option<PointKernel> {
        Some(PointKernel::Rgb(Box::new(Change::new(params))))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let change = Change::new(params);
        let uniforms = vec![
            ("hue", Uniform::F32(change.hue)),
            ("saturation", Uniform::F32(change.saturation)),
            ("light_scale", Uniform::F32(change.light_scale)),
            ("light_shift", Uniform::F32(change.light_shift)),
        ];
        vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output: input }]
    }
}
