//! From the points of a face to the square that a generator wants, and the pixels in it.

use serde::{Deserialize, Serialize};

use super::canvas::{canvas, resized};
use super::sample::bicubic;
use super::{PortraitError, sample};
use crate::color::{ProfileMap, WorkingProfile};
use crate::geom::{Affine, IRect, Size};
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf};

/// Samples a side for each pixel of the crop, before they are averaged by Lanczos' filter.
const SUPERSAMPLING: u32 = 3;
/// Smallest and largest side of a crop in photo pixels.
const SIDES_PX: std::ops::RangeInclusive<f64> = 8.0..=32_768.0;
/// Largest side of a generator's picture.
const MAX_SIDE: u32 = 2048;

/// The places of eyes and mouth in photo pixels; left and right as the viewer sees them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchors {
    pub left_eye: [f64; 2],
    pub right_eye: [f64; 2],
    pub mouth: [f64; 2],
}

impl Anchors {
    /// From the 468 points of MediaPipe's face mesh: an eye is the mean of its two corners, the
    /// mouth that of its corners. `None` where there are fewer points.
    pub fn of_mesh(points: &[[f32; 3]]) -> Option<Self> {
        let mean = |a: usize, b: usize| -> Option<[f64; 2]> {
            let (a, b) = (points.get(a)?, points.get(b)?);
            Some([0, 1].map(|axis| (f64::from(a[axis]) + f64::from(b[axis])) / 2.0))
        };
        Some(Self { left_eye: mean(33, 133)?, right_eye: mean(263, 362)?, mouth: mean(61, 291)? })
    }
}

/// Eyes, tip of the nose and corners of the mouth in photo pixels; left and right as the viewer
/// sees them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FivePoints(pub [[f64; 2]; 5]);

impl FivePoints {
    /// Where networks that restore faces learnt them, in a unit square: facexlib's template for
    /// FFHQ's crops at 512 pixels, with the centre of the first pixel at half a pixel.
    const TEMPLATE: [[f64; 2]; 5] = [
        [193.481_38 / 512.0, 240.447_08 / 512.0],
        [319.402_77 / 512.0, 240.693_6 / 512.0],
        [257.134_16 / 512.0, 314.519_35 / 512.0],
        [201.761_17 / 512.0, 371.910_43 / 512.0],
        [313.589_05 / 512.0, 371.651_18 / 512.0],
    ];

    /// From the 468 points of MediaPipe's face mesh. `None` where there are fewer points.
    pub fn of_mesh(points: &[[f32; 3]]) -> Option<Self> {
        let Anchors { left_eye, right_eye, .. } = Anchors::of_mesh(points)?;
        let at = |index: usize| points.get(index).map(|[x, y, _]| [f64::from(*x), f64::from(*y)]);
        Some(Self([left_eye, right_eye, at(1)?, at(61)?, at(291)?]))
    }
}

/// How a generator's faces lie in their crops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    /// Of our own small generators: from the brows to the chin.
    #[default]
    Portrait,
    /// Of the FFHQ data set (Karras et al. 2019): the whole head.
    Ffhq,
}

impl Template {
    /// The side is the larger of `A` eye distances and `B` distances from the eyes to the mouth;
    /// its centre lies `K` of the latter below the eyes.
    const fn numbers(self) -> (f64, f64, f64) {
        match self {
            Self::Portrait => (2.5, 2.35, 0.46),
            // Half the side is the larger of 2.0 and 1.8 in the published recipe.
            Self::Ffhq => (4.0, 3.6, 0.1),
        }
    }
}

/// A turned square in a photo: the similarity between crop and photo.
///
/// The unit square, x to the right and y down, stands for the crop; photo pixels are continuous,
/// the centre of the first is (0.5, 0.5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct CropTransform {
    center_px: [f64; 2],
    side_px: f64,
    /// Clockwise on the screen.
    angle_rad: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    center_px: [f64; 2],
    side_px: f64,
    angle_rad: f64,
}

impl TryFrom<Stored> for CropTransform {
    type Error = PortraitError;

    fn try_from(Stored { center_px, side_px, angle_rad }: Stored) -> Result<Self, PortraitError> {
        Self::new(center_px, side_px, angle_rad)
    }
}

impl CropTransform {
    /// # Errors
    /// Where a number is not finite or the side is no sensible number of pixels.
    pub fn new(center_px: [f64; 2], side_px: f64, angle_rad: f64) -> Result<Self, PortraitError> {
        let finite = center_px.iter().all(|value| value.abs() < 1e6) && angle_rad.is_finite();
        if !finite || !SIDES_PX.contains(&side_px) {
            return Err(PortraitError::Crop { side_px });
        }
        Ok(Self { center_px, side_px, angle_rad })
    }

    /// The square in which `anchors` lie as `template` says. Both the line between the eyes and
    /// the one from them to the mouth turn it.
    ///
    /// # Errors
    /// Where the points do not make a face.
    pub fn align(anchors: &Anchors, template: Template) -> Result<Self, PortraitError> {
        let Anchors { left_eye, right_eye, mouth } = *anchors;
        let eyes = [0, 1].map(|axis| (left_eye[axis] + right_eye[axis]) / 2.0);
        let across = [right_eye[0] - left_eye[0], right_eye[1] - left_eye[1]];
        let down = [mouth[0] - eyes[0], mouth[1] - eyes[1]];
        let right = [across[0] + down[1], across[1] - down[0]];
        let length = right[0].hypot(right[1]);
        if length.is_nan() || length < 1e-6 {
            return Err(PortraitError::NoFace);
        }
        let (a, b, k) = template.numbers();
        let side_px = (a * across[0].hypot(across[1])).max(b * down[0].hypot(down[1]));
        let center_px = [0, 1].map(|axis| eyes[axis] + k * down[axis]);
        Self::new(center_px, side_px, right[1].atan2(right[0]))
    }

    /// The square in which five points come nearest to where faces have them that networks learnt
    /// to restore: the similarity of least squares (Umeyama 1991) from the photo to the square.
    ///
    /// # Errors
    /// Where the points do not make a face.
    pub fn fit(points: &FivePoints) -> Result<Self, PortraitError> {
        let mean = |points: &[[f64; 2]; 5]| {
            [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / 5.0)
        };
        let (from, to) = (mean(&points.0), mean(&FivePoints::TEMPLATE));
        // Points as complex numbers: the square's are the photo's times (re, im), but for means.
        let (mut re, mut im, mut spread) = (0.0, 0.0, 0.0);
        for (point, place) in points.0.iter().zip(&FivePoints::TEMPLATE) {
            let [px, py] = [0, 1].map(|axis| point[axis] - from[axis]);
            let [qx, qy] = [0, 1].map(|axis| place[axis] - to[axis]);
            re += px * qx + py * qy;
            im += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let length = re.hypot(im);
        if length.is_nan() || length < 1e-6 {
            return Err(PortraitError::NoFace);
        }
        let (side_px, angle_rad) = (spread / length, -im.atan2(re));
        let (sin, cos) = angle_rad.sin_cos();
        let [x, y] = to.map(|mean| (0.5 - mean) * side_px);
        Self::new([from[0] + cos * x - sin * y, from[1] + sin * x + cos * y], side_px, angle_rad)
    }

    pub const fn side_px(&self) -> f64 {
        self.side_px
    }

    pub fn photo_from_unit(&self) -> Affine {
        Affine::translation(self.center_px[0], self.center_px[1])
            .after(Affine::rotation(self.angle_rad))
            .after(Affine::scale(self.side_px, self.side_px))
            .after(Affine::translation(-0.5, -0.5))
    }

    pub fn unit_from_photo(&self) -> Affine {
        let scale = 1.0 / self.side_px;
        Affine::translation(0.5, 0.5)
            .after(Affine::scale(scale, scale))
            .after(Affine::rotation(-self.angle_rad))
            .after(Affine::translation(-self.center_px[0], -self.center_px[1]))
    }

    /// The photo pixels that the square touches; may reach beyond the photo.
    pub fn bounds(&self) -> IRect {
        let map = self.photo_from_unit();
        let corners =
            [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(x, y)| map.apply(x, y));
        let least = |values: [f64; 4]| values.into_iter().fold(f64::INFINITY, f64::min).floor();
        let most = |values: [f64; 4]| values.into_iter().fold(f64::NEG_INFINITY, f64::max).ceil();
        let (x, y) = (corners.map(|corner| corner.0), corners.map(|corner| corner.1));
        IRect::new(least(x) as i32, least(y) as i32, most(x) as i32, most(y) as i32)
    }
}

/// The pixels of `photo` (RGBA, encoded in `profile`) inside the square as `side` × `side`
/// pixels of sRGB, nominally `0..=1`, without aliasing. What is transparent counts as black; what
/// lies outside the photo is its reflection, blurred more and more.
///
/// # Errors
/// Where the side is 0 or absurd, and where the square hardly touches the photo.
pub fn crop(
    photo: &PixelBuf,
    profile: &WorkingProfile,
    transform: &CropTransform,
    side: u32,
) -> Result<Planes, PortraitError> {
    let bad = || PortraitError::Crop { side_px: transform.side_px };
    let inside = transform.bounds().intersect(photo.size().rect());
    if side == 0 || side > MAX_SIDE || inside.is_empty() {
        return Err(bad());
    }
    let region = transform.bounds().grow(sample::REACH_PX);
    let mut canvas = canvas(photo, region)?;
    // From here on pixels of the canvas; it shrinks where samples would lie apart.
    let mut canvas_from_unit = Affine::translation(-f64::from(region.x0), -f64::from(region.y0))
        .after(transform.photo_from_unit());
    let fine = side * SUPERSAMPLING;
    let apart = transform.side_px / f64::from(fine);
    if apart > 1.0 {
        let from = canvas.size();
        let shrunk = |side: u32| ((f64::from(side) / apart).round() as u32).max(1);
        let to = Size::new(shrunk(from.width), shrunk(from.height));
        canvas = resized(&canvas, to)?;
        let scale = |to: u32, from: u32| f64::from(to) / f64::from(from);
        canvas_from_unit =
            Affine::scale(scale(to.width, from.width), scale(to.height, from.height))
                .after(canvas_from_unit);
    }
    let mut samples = PixelBuf::new(Size::new(fine, fine), 4, Depth::U16);
    let at = |x: u32, y: u32| {
        let [r, g, b, _] = canvas.pixel_f32(x, y);
        [r, g, b]
    };
    sample::each_row(samples.samples_mut(), fine as usize * 4, |y, row| {
        for x in 0..fine {
            let unit = [x, y].map(|place| (f64::from(place) + 0.5) / f64::from(fine));
            let (u, v) = canvas_from_unit.apply(unit[0], unit[1]);
            let [r, g, b] = bicubic(canvas.size(), u, v, at);
            row.set(x as usize * 4, [r, g, b, 1.0]);
        }
    });
    let cropped = resized(&samples, Size::new(side, side))?;
    let map = ProfileMap::new(profile);
    let area = (side * side) as usize;
    let mut planes = Planes {
        channels: 3,
        height: side as usize,
        width: side as usize,
        data: vec![0.0; 3 * area],
    };
    for index in 0..area {
        let [r, g, b, _] = cropped.pixel_f32(index as u32 % side, index as u32 / side);
        for (channel, value) in map.to_srgb([r, g, b]).into_iter().enumerate() {
            planes.data[channel * area + index] = value;
        }
    }
    Ok(planes)
}
