//! White balance: gains of the three channels in linear light.

use super::{GpuPass, Kind, OpContext, OpSpec, Operation, PointKernel, gains_pass};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};

const RANGE: (f64, f64) = (-100.0, 100.0);

static SPEC: OpSpec = OpSpec {
    name: "white_balance",
    label: "White balance",
    doc: "Makes the light warmer or cooler, and greener or more magenta",
    kind: Kind::Pointwise,
    params: &[
        ParamSpec::float("temperature", "Temperature", 0.0, RANGE, RANGE, "", "Cooler to warmer"),
        ParamSpec::float("tint", "Tint", 0.0, RANGE, RANGE, "", "Greener to more magenta"),
    ],
    version: 1,
    tolerance: 1,
};

pub struct WhiteBalance;

/// Reciprocal megakelvins of the neutral white (6504 K) and of a full slider: ±100 reaches from
/// about 15,500 K to 4,100 K, all on the CIE daylight locus.
const NEUTRAL_MIRED: f64 = 153.75;
const MIRED_PER_STEP: f64 = 0.9;
/// Distance from the daylight locus in the CIE 1960 diagram for one step of tint.
const DUV_PER_STEP: f64 = 2.5e-4;

/// CIE 1960 `(u, v)` of daylight (CIE 15:2018, 4.1.2).
fn daylight_uv(mired: f64) -> (f64, f64) {
    let t = mired * 1e-3; // 1000 / kelvin
    let x = if mired > 1e6 / 7000.0 {
        0.244_063 + 0.099_11 * t + 2.967_8 * t * t - 4.607_0 * t * t * t
    } else {
        0.237_040 + 0.247_48 * t + 1.901_8 * t * t - 2.006_4 * t * t * t
    };
    let y = -3.0 * x * x + 2.870 * x - 0.275;
    let scale = -2.0 * x + 12.0 * y + 3.0;
    (4.0 * x / scale, 6.0 * y / scale)
}

/// Linear sRGB of the white at `mired`, `duv` off the locus, at luminance 1.
fn white(mired: f64, duv: f64) -> [f64; 3] {
    let (u, v) = daylight_uv(mired);
    let (u2, v2) = daylight_uv(mired + 1.0);
    let length = (u2 - u).hypot(v2 - v);
    // The normal that points to smaller v, which is magenta, as the locus runs to larger u.
    let (u, v) = (u + duv * (v2 - v) / length, v - duv * (u2 - u) / length);
    let scale = 2.0 * u - 8.0 * v + 4.0;
    let (x, y) = (3.0 * u / scale, 2.0 * v / scale);
    let (x, z) = (x / y, (1.0 - x - y) / y);
    [
        3.240_97 * x - 1.537_383 - 0.498_611 * z,
        -0.969_244 * x + 1.875_968 + 0.041_555 * z,
        0.055_63 * x - 0.203_977 + 1.056_972 * z,
    ]
}

/// Gains in linear working RGB that move the neutral white to the chosen one. The luminance of
/// greys stays.
fn gains(params: &Params, context: &OpContext) -> [f32; 3] {
    let mired = NEUTRAL_MIRED + params.float("temperature") * MIRED_PER_STEP;
    let target = white(mired, params.float("tint") * DUV_PER_STEP);
    let neutral = white(NEUTRAL_MIRED, 0.0);
    let matrix = context.profile.to_linear_srgb.map(|row| row.map(f64::from));
    let (to, from) = (solve(matrix, target), solve(matrix, neutral));
    std::array::from_fn(|channel| (to[channel] / from[channel]).max(0.0) as f32)
}

/// `x` with `matrix * x = value`, by Cramer's rule; a singular matrix leaves `value`.
fn solve(matrix: [[f64; 3]; 3], value: [f64; 3]) -> [f64; 3] {
    let det = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = det(matrix);
    if whole.abs() < 1e-9 {
        return value;
    }
    std::array::from_fn(|column| {
        let mut replaced = matrix;
        replaced.iter_mut().zip(value).for_each(|(row, value)| row[column] = value);
        det(replaced) / whole
    })
}

impl Operation for WhiteBalance {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("temperature") == 0.0 && params.float("tint") == 0.0
    }

    fn point(&self, params: &Params, context: &OpContext) -> Option<PointKernel> {
        let (gains, transfer) = (gains(params, context), context.profile.transfer);
        Some(PointKernel::Curves(Box::new(move |channel, value| {
            transfer.encode(transfer.decode(value) * gains[channel])
        })))
    }

    fn gpu_passes(&self, params: &Params, context: &OpContext, input: Size) -> Vec<GpuPass> {
        gains_pass(gains(params, context), context.profile.transfer, input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::{LUMA_709, WorkingProfile};

    fn gains_at(temperature: f64, tint: f64) -> [f32; 3] {
        let words = [format!("temperature={temperature}"), format!("tint={tint}")];
        let params = Params::parse(SPEC.params, words.iter().map(String::as_str));
        gains(&params.unwrap(), &OpContext::full_size(WorkingProfile::srgb()))
    }

    #[test]
    fn warm_is_red_and_magenta_is_not_green() {
        let [red, _, blue] = gains_at(50.0, 0.0);
        assert!(red > 1.05 && blue < 0.95, "{red} {blue}");
        let [red, green, blue] = gains_at(0.0, 50.0);
        assert!(green < 0.97 && red > 1.0 && blue > 1.0, "{red} {green} {blue}");
    }

    #[test]
    fn greys_keep_their_luminance() {
        for (temperature, tint) in [(100.0, 0.0), (-100.0, 0.0), (30.0, -60.0), (-100.0, 100.0)] {
            let gains = gains_at(temperature, tint);
            let luminance: f32 = gains.iter().zip(LUMA_709).map(|(gain, luma)| gain * luma).sum();
            assert!((luminance - 1.0).abs() < 2e-3, "{temperature} {tint}: {gains:?}");
        }
    }
}
