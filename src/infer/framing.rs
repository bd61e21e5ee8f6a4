//! The face of a picture as a generator's template has it, for pictures to learn from.

use std::sync::Mutex;

use super::analyse::{aligned, chosen};
use super::faces::look;
use super::models::ModelStore;
use super::protocol::ModelRef;
use super::worker::Models;
use crate::color::WorkingProfile;
use crate::faces::Wants;
use crate::pixels::PixelBuf;
use crate::portrait::{self, Template};
use crate::zoo::{Library, Purpose};

/// A face that covers fewer pixels a side than this share of the sample would only be blurred.
const LEAST: f64 = 0.5;
const FINDERS: [Purpose; 2] = [Purpose::FaceDetect, Purpose::FaceLandmarks];

/// Takes the largest face out of pictures.
pub struct FaceFramer {
    models: Mutex<ModelStore>,
    networks: Vec<(Purpose, ModelRef)>,
    template: Template,
}

impl FaceFramer {
    /// With the networks that are installed, on the processor.
    ///
    /// # Errors
    /// Where a network that finds faces is missing, in one sentence.
    pub fn new(library: &Library, template: Template) -> Result<Self, String> {
        let installed = library.list().0;
        let first = |purpose: Purpose| {
            let found = installed.iter().find(|model| model.manifest.purpose == purpose);
            let found = found.ok_or_else(|| format!("no model for {purpose} is installed"))?;
            Ok((purpose, ModelRef::Id(found.manifest.id.clone())))
        };
        let networks = FINDERS.into_iter().map(first).collect::<Result<_, String>>()?;
        let models = Mutex::new(ModelStore::for_processor(library.clone()));
        Ok(Self { models, networks, template })
    }

    /// The largest face of a picture (RGBA, encoded in `profile`): `side` × `side` RGBA bytes of
    /// sRGB, opaque.
    ///
    /// # Errors
    /// Where there is no face, or a small one; one sentence.
    pub fn frame(
        &self,
        picture: &PixelBuf,
        profile: &WorkingProfile,
        side: u32,
    ) -> Result<Vec<u8>, String> {
        let wants = Wants { landmarks: true, ..Wants::default() };
        let found = {
            let mut models = self.models.lock().map_err(|_| "the networks have failed")?;
            let models: &mut dyn Models = &mut *models;
            let found = look(picture, profile, &self.networks, wants, models, &|| false);
            found.map_err(|end| end.to_string())?
        };
        let face = chosen(&found, None).ok_or("no face was found")?;
        let (crop, _) = aligned(face, self.template)?;
        if crop.side_px() < f64::from(side) * LEAST {
            return Err(format!("its face covers only {:.0} pixels", crop.side_px()));
        }
        let planes = portrait::crop(picture, profile, &crop, side);
        let planes = planes.map_err(|err| err.to_string())?;
        let area = (side * side) as usize;
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixel = |at: usize| {
            let [r, g, b] = [0, 1, 2].map(|channel| byte(planes.data[channel * area + at]));
            [r, g, b, u8::MAX]
        };
        Ok((0..area).flat_map(pixel).collect())
    }
}
