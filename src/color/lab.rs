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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_and_the_way_back() {
        let lab = Lab::new();
        // As scikit-image has them.
        for (rgb, want) in [
            ([1.0, 0.0, 0.0], [53.2406, 80.0923, 67.2028]),
            ([0.0, 1.0, 0.0], [87.7351, -86.1830, 83.1797]),
            ([0.0, 0.0, 1.0], [32.2957, 79.1856, -107.8573]),
            ([0.2, 0.5, 0.7], [50.8856, -6.7853, -34.3374]),
            ([0.01, 0.01, 0.02], [0.7, 0.2, -1.5]),
        ] {
            let have = lab.of_srgb(rgb);
            let near = have.iter().zip(want).all(|(have, want)| (have - want).abs() < 0.1);
            assert!(near, "{rgb:?}: {have:?}");
            let back = lab.to_srgb(have);
            assert!(back.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-5), "{rgb:?}: {back:?}");
        }
        // A grey of 16 bits stays that grey, to the last of them.
        for level in (0..=u16::MAX).step_by(97) {
            let grey = f32::from(level) / 65_535.0;
            let [l, a, b] = lab.of_srgb([grey; 3]);
            assert!(a.abs() < 1e-3 && b.abs() < 1e-3);
            for value in lab.to_srgb([l, 0.0, 0.0]) {
                assert!((value - grey).abs() * 65_535.0 < 0.7, "{level}: {value}");
            }
        }
    }
}
