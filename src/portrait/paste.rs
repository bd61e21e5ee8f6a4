//! What an edit changed, back in the photo at its full resolution.

use super::sample::{bicubic, each_row};
use super::{CropTransform, PortraitError, SoftMask};
use crate::color::{ProfileMap, WorkingProfile};
use crate::geom::{Affine, IRect, Size};
use crate::metrics;
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf};

/// What comes back from the generator.
#[derive(Clone, Copy, Debug)]
pub enum Transfer<'a> {
    /// Only the difference to this picture, the generator's own of the photo: skin, hair and
    /// everything finer than the generator draws stay the photo's.
    Residual(&'a Planes),
    /// The generator's picture itself, colours moved first: for generators as fine as the photo.
    Replace(ColorMatch),
}

/// A bounded stretch and shift of each channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColorMatch {
    gain: [f32; 3],
    offset: [f32; 3],
}

impl ColorMatch {
    /// Colours as they are.
    pub const NONE: Self = Self { gain: [1.0; 3], offset: [0.0; 3] };

    /// Gives `from` the mean and standard deviation of `to`, channel by channel (Reinhard et al.
    /// 2001, in encoded sRGB), measured where `weights` say; contrast changes twofold at most.
    ///
    /// # Errors
    /// Where the sizes differ.
    pub fn new(from: &Planes, to: &Planes, weights: &[f32]) -> Result<Self, PortraitError> {
        same_size("the photo's crop", to, from)?;
        let area = from.height * from.width;
        check_weights(weights, area)?;
        let mut found = Self::NONE;
        let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        if total <= 0.0 {
            return Ok(found);
        }
        for channel in 0..3 {
            let moments = |planes: &Planes| {
                let plane = &planes.data[channel * area..(channel + 1) * area];
                let mean = |power: i32, about: f64| {
                    let terms = plane.iter().zip(weights).map(|(value, weight)| {
                        (f64::from(*value) - about).powi(power) * f64::from(*weight)
                    });
                    terms.sum::<f64>() / total
                };
                let center = mean(1, 0.0);
                (center, mean(2, center).sqrt())
            };
            let ((from_mean, from_sigma), (to_mean, to_sigma)) = (moments(from), moments(to));
            let gain = if from_sigma > 0.0 { (to_sigma / from_sigma).clamp(0.5, 2.0) } else { 1.0 };
            found.gain[channel] = gain as f32;
            found.offset[channel] = (to_mean - gain * from_mean) as f32;
        }
        Ok(found)
    }

    fn apply(&self, color: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|channel| self.gain[channel] * color[channel] + self.offset[channel])
    }
}

/// Everything that pasting needs.
#[derive(Clone, Copy, Debug)]
pub struct Paste<'a> {
    /// RGBA with straight alpha, encoded in `profile`.
    pub photo: &'a PixelBuf,
    pub profile: &'a WorkingProfile,
    pub crop: &'a CropTransform,
    pub mask: &'a SoftMask,
    /// One channel of the photo's size that limits the mask further; white acts.
    pub limit: Option<&'a PixelBuf>,
    /// How much of the change is taken, `0.0..=1.0`.
    pub strength: f32,
    /// The generator's picture of the edited code: three planes of sRGB, nominally `0..=1`.
    pub edited: &'a Planes,
    pub transfer: Transfer<'a>,
}

/// A part of the photo as it is after pasting.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Photo position of the top left pixel.
    pub origin: (i32, i32),
    /// RGBA in the photo's depth; where the mask is 0 the photo's own bits.
    pub pixels: PixelBuf,
}

impl Paste<'_> {
    /// The changed part of the photo. A pixel keeps its bits where the mask is 0, where it is
    /// transparent, and where the edit changes nothing; alpha stays.
    ///
    /// # Errors
    /// Where pictures do not fit each other or the crop does not touch the photo.
    pub fn run(&self) -> Result<Patch, PortraitError> {
        let rect = self.crop.bounds().intersect(self.photo.size().rect());
        if rect.is_empty() {
            return Err(PortraitError::Crop { side_px: self.crop.side_px() });
        }
        check_planes(self.edited)?;
        if let Some(limit) = self.limit.filter(|limit| limit.size() != self.photo.size()) {
            let (have, want) = (limit.size().to_string(), self.photo.size().to_string());
            return Err(PortraitError::Size { what: "the mask", have, want });
        }
        let (source, colors) = match self.transfer {
            Transfer::Residual(reconstruction) => {
                same_size("the reconstruction", reconstruction, self.edited)?;
                let mut residual = self.edited.clone();
                let values = residual.data.iter_mut().zip(&reconstruction.data);
                values.for_each(|(edited, before)| *edited -= before);
                (Lattice::of(&residual), None)
            }
            Transfer::Replace(colors) => (Lattice::of(self.edited), Some(colors)),
        };
        let mut pixels = self.photo.crop(rect);
        let view = View::new(self.crop, &source, rect);
        let (weight, map) = (self.mask.weights(self.crop), ProfileMap::new(self.profile));
        each_row(pixels.samples_mut(), rect.width() as usize * 4, |row_index, row| {
            let y = rect.y0 + row_index as i32;
            for x in rect.x0..rect.x1 {
                let mut weight = weight(f64::from(x) + 0.5, f64::from(y) + 0.5) * self.strength;
                if let Some(limit) = self.limit.filter(|_| weight > 0.0) {
                    weight *= limit.samples().get_f32(limit.index(x as u32, y as u32));
                }
                let [r, g, b, alpha] = self.photo.pixel_f32(x as u32, y as u32);
                if weight <= 0.0 || alpha <= 0.0 {
                    continue;
                }
                let before = map.to_srgb([r, g, b]);
                let sampled = view.at(x, y);
                let change: [f32; 3] = match colors {
                    None => sampled,
                    Some(colors) => {
                        let target = colors.apply(sampled);
                        std::array::from_fn(|channel| target[channel] - before[channel])
                    }
                };
                if change != [0.0; 3] {
                    let after = std::array::from_fn(|c| before[c] + weight * change[c]);
                    row.set((x - rect.x0) as usize * 4, map.of_srgb(after));
                }
            }
        });
        Ok(Patch { origin: rect.origin(), pixels })
    }
}

/// The generator's picture as it lies in the photo: the pixels of `rect`, opaque, 16 bits, encoded
/// in `profile`. `picture` is three planes of sRGB, nominally `0..=1`; beyond the crop its border
/// goes on.
///
/// # Errors
/// Where it is no colour picture, or `rect` no picture's size.
pub fn placed(
    picture: &Planes,
    crop: &CropTransform,
    profile: &WorkingProfile,
    rect: IRect,
) -> Result<PixelBuf, PortraitError> {
    check_planes(picture)?;
    if !rect.size().is_acceptable() {
        return Err(PortraitError::Crop { side_px: crop.side_px() });
    }
    let mut pixels = PixelBuf::new(rect.size(), 4, Depth::U16);
    let (lattice, map) = (Lattice::of(picture), ProfileMap::new(profile));
    let view = View::new(crop, &lattice, rect);
    each_row(pixels.samples_mut(), rect.width() as usize * 4, |y, row| {
        for x in 0..rect.width() {
            let [r, g, b] = map.of_srgb(view.at(rect.x0 + x as i32, rect.y0 + y as i32));
            row.set(x as usize * 4, [r, g, b, 1.0]);
        }
    });
    Ok(pixels)
}

/// A generator's picture with its three colours together.
struct Lattice {
    size: Size,
    colors: Vec<[f32; 3]>,
}

impl Lattice {
    fn of(planes: &Planes) -> Self {
        let area = planes.height * planes.width;
        let color = |at: usize| [0, 1, 2].map(|channel| planes.data[channel * area + at]);
        let size = Size::new(planes.width as u32, planes.height as u32);
        Self { size, colors: (0..area).map(color).collect() }
    }
}

/// A generator's picture as the photo's pixels see it.
struct View<'a> {
    lattice: &'a Lattice,
    lattice_from_photo: Affine,
    /// Samples a side of a photo pixel: more than one where the generator draws finer.
    samples: u32,
}

impl<'a> View<'a> {
    fn new(crop: &CropTransform, lattice: &'a Lattice, rect: IRect) -> Self {
        debug_assert!(!rect.is_empty());
        let (width, height) = (lattice.size.width, lattice.size.height);
        let lattice_from_photo =
            Affine::scale(width.into(), height.into()).after(crop.unit_from_photo());
        let samples = (f64::from(width) / crop.side_px()).ceil().clamp(1.0, 16.0) as u32;
        Self { lattice, lattice_from_photo, samples }
    }

    /// The mean colour over a photo pixel.
    fn at(&self, x: i32, y: i32) -> [f32; 3] {
        let Self { lattice: Lattice { size, colors }, lattice_from_photo, samples } = self;
        let mut sum = [0.0; 3];
        let within = |sample: u32| (f64::from(sample) + 0.5) / f64::from(*samples);
        for sample in 0..samples * samples {
            let (x, y) = lattice_from_photo.apply(
                f64::from(x) + within(sample % samples),
                f64::from(y) + within(sample / samples),
            );
            let at = |x: u32, y: u32| colors[(y * size.width + x) as usize];
            let color = bicubic(*size, x, y, at);
            sum = std::array::from_fn(|channel| sum[channel] + color[channel]);
        }
        sum.map(|sum: f32| sum / (samples * samples) as f32)
    }
}

/// How near the generator comes to the photo: the peak signal-to-noise ratio in dB between the
/// photo's crop and the generator's picture of it, where `weights` exceed one half.
///
/// # Errors
/// Where the sizes differ.
pub fn fidelity_db(
    crop: &Planes,
    reconstruction: &Planes,
    weights: &[f32],
) -> Result<f64, PortraitError> {
    same_size("the reconstruction", reconstruction, crop)?;
    check_weights(weights, crop.height * crop.width)?;
    let size = Size::new(crop.width as u32, crop.height as u32);
    let picture = |planes: &Planes| {
        let lattice = Lattice::of(planes);
        let mut picture = PixelBuf::new(size, 4, Depth::U16);
        for (index, [r, g, b]) in (0..).zip(lattice.colors) {
            picture.set_pixel_f32(index % size.width, index / size.width, [r, g, b, 1.0]);
        }
        picture
    };
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    for (index, weight) in (0..).zip(weights) {
        mask.set_pixel_f32(index % size.width, index / size.width, [*weight; 4]);
    }
    Ok(metrics::psnr_db(&picture(crop), &picture(reconstruction), &mask))
}

fn check_planes(planes: &Planes) -> Result<(), PortraitError> {
    let area = planes.height * planes.width;
    if planes.channels == 3 && area > 0 && planes.data.len() == 3 * area {
        return Ok(());
    }
    Err(PortraitError::Size {
        what: "the picture",
        have: shape(planes),
        want: "a colour picture".into(),
    })
}

fn same_size(what: &'static str, have: &Planes, want: &Planes) -> Result<(), PortraitError> {
    check_planes(have)?;
    check_planes(want)?;
    if (have.height, have.width) == (want.height, want.width) {
        return Ok(());
    }
    Err(PortraitError::Size { what, have: shape(have), want: shape(want) })
}

fn check_weights(weights: &[f32], area: usize) -> Result<(), PortraitError> {
    if weights.len() == area {
        return Ok(());
    }
    let (have, want) = (weights.len().to_string(), area.to_string());
    Err(PortraitError::Size { what: "the mask", have, want })
}

fn shape(planes: &Planes) -> String {
    format!("{}×{}×{}", planes.channels, planes.width, planes.height)
}
