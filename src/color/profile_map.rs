//! Working profile ↔ the sRGB that networks are trained on.

use super::{Transfer, WorkingProfile, inverse};

/// Both directions of one profile. Values are not clamped on the way to the network, so that
/// colours outside sRGB survive the round trip.
#[derive(Clone, Debug)]
pub struct ProfileMap {
    profile: WorkingProfile,
    /// Linear sRGB to linear working RGB; `None` where nothing is to be converted.
    from_linear_srgb: Option<[[f32; 3]; 3]>,
}

impl ProfileMap {
    pub fn new(profile: &WorkingProfile) -> Self {
        let inverse = if profile.is_srgb() { None } else { inverse(profile.to_linear_srgb) };
        Self { profile: profile.clone(), from_linear_srgb: inverse }
    }

    /// Encoded values of the profile as encoded sRGB.
    pub fn to_srgb(&self, rgb: [f32; 3]) -> [f32; 3] {
        if self.from_linear_srgb.is_some() { self.profile.to_srgb(rgb) } else { rgb }
    }

    /// Encoded sRGB as encoded values of the profile.
    pub fn of_srgb(&self, rgb: [f32; 3]) -> [f32; 3] {
        let Some(matrix) = &self.from_linear_srgb else { return rgb };
        let linear = rgb.map(|value| Transfer::SRGB.decode(value));
        matrix
            .map(|row| row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2])
            .map(|value| self.profile.transfer.encode(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_gamut_colour_comes_back() {
        let profile = WorkingProfile {
            name: "Display P3".into(),
            icc: None,
            transfer: Transfer::SRGB,
            to_linear_srgb: [
                [1.2249, -0.2247, 0.0],
                [-0.0420, 1.0419, 0.0],
                [-0.0197, -0.0786, 1.0979],
            ],
        };
        let map = ProfileMap::new(&profile);
        for rgb in [[1.0, 0.0, 0.0], [0.1, 0.9, 0.2], [0.5, 0.5, 0.5]] {
            let srgb = map.to_srgb(rgb);
            let back = map.of_srgb(srgb);
            assert!(back.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-4), "{rgb:?} {back:?}");
        }
        assert!(map.to_srgb([0.0, 1.0, 0.0])[0] < -0.1, "out of sRGB, and not clamped");
    }
}
