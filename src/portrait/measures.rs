//! What the points of a face say about it, in numbers.

/// From MediaPipe's face mesh; lengths in units of the distance between the outer eye corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Degrees; positive looks to the right of the picture.
    pub yaw_deg: f32,
    /// Degrees; positive looks up.
    pub pitch_deg: f32,
    /// Between the lips.
    pub mouth_open: f32,
    /// Between the lids, both eyes' mean.
    pub eyes_open: f32,
    pub mouth_width: f32,
    /// How far the corners of the mouth stand above its middle.
    pub corner_lift: f32,
}

impl Measures {
    /// `None` where there are fewer than 468 points, or they lie on one spot.
    pub fn of_mesh(points: &[[f32; 3]]) -> Option<Self> {
        let at = |index: usize| points.get(index).copied();
        let away = |a: usize, b: usize| -> Option<[f32; 3]> {
            let (a, b) = (at(a)?, at(b)?);
            Some(std::array::from_fn(|axis| a[axis] - b[axis]))
        };
        let length = |v: [f32; 3]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
        at(467)?;
        let unit = length(away(263, 33)?);
        if unit.is_nan() || unit <= 0.0 {
            return None;
        }
        let far = |a, b| Some(length(away(a, b)?) / unit);
        let (across, up) = (away(454, 234)?, away(10, 152)?);
        let middle = |a: usize, b: usize| Some((at(a)?[1] + at(b)?[1]) / 2.0);
        Some(Self {
            yaw_deg: across[2].atan2(across[0]).to_degrees(),
            pitch_deg: up[2].atan2(-up[1]).to_degrees(),
            mouth_open: far(14, 13)?,
            eyes_open: (far(159, 145)? + far(386, 374)?) / 2.0,
            mouth_width: far(61, 291)?,
            corner_lift: (middle(13, 14)? - middle(61, 291)?) / unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mesh whose points of interest lie as said, the rest at 0.
    fn mesh(places: &[(usize, [f32; 3])]) -> Vec<[f32; 3]> {
        let mut points = vec![[0.0; 3]; 468];
        places.iter().for_each(|(index, place)| points[*index] = *place);
        points
    }

    #[test]
    fn a_smile_lifts_the_corners_and_a_turn_brings_one_side_nearer() {
        let straight = [
            (33, [30.0, 40.0, 0.0]),
            (263, [70.0, 40.0, 0.0]),
            (234, [10.0, 50.0, 0.0]),
            (454, [90.0, 50.0, 0.0]),
            (10, [50.0, 10.0, 0.0]),
            (152, [50.0, 90.0, 0.0]),
            (13, [50.0, 70.0, 0.0]),
            (14, [50.0, 74.0, 0.0]),
            (61, [40.0, 70.0, 0.0]),
            (291, [60.0, 70.0, 0.0]),
        ];
        let calm = Measures::of_mesh(&mesh(&straight)).unwrap();
        assert_eq!((calm.yaw_deg, calm.pitch_deg), (0.0, 0.0));
        assert!((calm.mouth_open - 0.1).abs() < 1e-6 && (calm.mouth_width - 0.5).abs() < 1e-6);
        assert!((calm.corner_lift - 0.05).abs() < 1e-6);
        let mut turned = straight;
        turned[3].1[2] = 80.0;
        let turned = Measures::of_mesh(&mesh(&turned)).unwrap();
        assert!((turned.yaw_deg - 45.0).abs() < 1e-3);
        assert!(Measures::of_mesh(&mesh(&[])).is_none());
        assert!(Measures::of_mesh(&mesh(&straight)[..400]).is_none());
    }
}
