//! CIE L*a*b* of encoded sRGB, relative to its own white (CIE 15:2004; IEC 61966-2-1).

use super::{Transfer, inverse};

/// Row-major, from linear sRGB to XYZ under D65.
const XYZ: [[f32; 3]; 3] = [
    [0.412_453, 0.357_580, 0.180_423],
    [0.212_671, 0.715_160, 0.072_169],
    [0.019_334, 0.119_193, 0.950_227],
];
/// Where the cube root begins, `(6/29)^3`, and the slope below.
const EDGE: f32 = 216.0 / 24_389.0;
const SLOPE: f32 = 841.0 / 108.0;

/// Both ways between encoded sRGB and L*a*b*.
#[derive(Clone, Copy, Debug)]
pub struct Lab {
    /// To XYZ with white at (1, 1, 1), so that greys have no colour.
    of_linear: [[f32; 3]; 3],
    to_linear: [[f32; 3]; 3],
}

impl Lab {
    pub fn new() -> Self {
        let of_linear = XYZ.map(|row| row.map(|value| value / row.iter().sum::<f32>()));
        Self { of_linear, to_linear: inverse(of_linear).unwrap_or(of_linear) }
    }

    /// L in `0..=100`, a and b, of encoded sRGB in `0..=1`.
    pub fn of_srgb(&self, rgb: [f32; 3]) -> [f32; 3] {
        let linear = rgb.map(|value| Transfer::SRGB.decode(value));
        let [x, y, z] = times(self.of_linear, linear)
            .map(|value| if value > EDGE { value.cbrt() } else { SLOPE * value + 4.0 / 29.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// The inverse; colours that sRGB does not have are cut to `0..=1`.
    pub fn to_srgb(&self, [l, a, b]: [f32; 3]) -> [f32; 3] {
        let y = (l + 16.0) / 116.0;
        let xyz = [y + a / 500.0, y, y - b / 200.0].map(|value| {
            if value > 6.0 / 29.0 { value.powi(3) } else { (value - 4.0 / 29.0) / SLOPE }
        });
        times(self.to_linear, xyz).map(|value| Transfer::SRGB.encode(value).clamp(0.0, 1.0))
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

fn times(matrix: [[f32; 3]; 3], [x, y, z]: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * x + row[1] * y + row[2] * z)
}
