//! The networks that help a search for a code, each where it is installed.

use super::encoder::{code_of, fits};
use super::identity::Identity;
use super::models::open;
use super::perceptual::{self, Perceptual};
use super::protocol::ModelRef;
use super::worker::{Context, End, Models};
use crate::color::WorkingProfile;
use crate::pixels::PixelBuf;
use crate::portrait::{self, CropTransform};
use crate::zoo::{Installed, Library, Purpose, open_network};

/// By which networks a search sees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aids {
    /// Tells how different pictures look, beside their pixels: a network of LPIPS or the trunk of a
    /// portrait encoder.
    pub judge: Option<ModelRef>,
    /// Reads the code from which the search starts.
    pub encoder: Option<ModelRef>,
    /// Tells whether a face is still the same one.
    pub identity: Option<ModelRef>,
}

impl Aids {
    /// What is installed for a generator. Of several encoders that fit, the generator's own, then
    /// the first; without a network of LPIPS a portrait encoder takes its place.
    pub fn installed(library: &Library, generator: &ModelRef) -> Self {
        let encoder = encoder_of(library, generator);
        let own_trunk = encoder.clone().filter(|encoder| {
            open(library, encoder).is_ok_and(|(_, detected)| perceptual::has_trunk(&detected.spec))
        });
        let of_purpose = |model: &Installed| model.manifest.purpose == Purpose::Identity;
        let identity = library.list().0.into_iter().find(of_purpose);
        Self {
            judge: perceptual::installed(library).or(own_trunk),
            encoder,
            identity: identity.map(|model| ModelRef::Id(model.manifest.id)),
        }
    }

    /// What the encoder takes for the code of what lies in a crop of a photo, if there is one.
    pub(super) fn guesses(
        &self,
        (photo, profile, crop): (&PixelBuf, &WorkingProfile, &CropTransform),
        models: &mut dyn Models,
        context: &Context<'_>,
    ) -> Result<Vec<Vec<f32>>, End> {
        let Some(model) = &self.encoder else { return Ok(Vec::new()) };
        let encoder = models.encoder(model).map_err(End::Failed)?;
        let cancel = context.cancel();
        let face = portrait::crop(photo, profile, crop, encoder.side())?;
        Ok(encoder.read(&face, &|| cancel.is_set())?)
    }

    pub(super) fn judges(&self, models: &mut dyn Models) -> Result<Judges, End> {
        let perceptual = self.judge.as_ref().map(|model| models.perceptual(model)).transpose();
        let identity = self.identity.as_ref().map(|model| models.identity(model)).transpose();
        Ok(Judges {
            perceptual: perceptual.map_err(End::Failed)?,
            identity: identity.map_err(End::Failed)?,
        })
    }
}

/// The networks of a search, ready to run.
#[derive(Default)]
pub(super) struct Judges {
    pub perceptual: Option<Perceptual>,
    pub identity: Option<Identity>,
}

/// The encoder that came with a generator, else the first whose codes are as long as its own.
fn encoder_of(library: &Library, generator: &ModelRef) -> Option<ModelRef> {
    let generator = match generator {
        ModelRef::Tuned(base, _) => &**base,
        other => other,
    };
    if let ModelRef::Id(id) = generator
        && let Some(path) = library.find(id).ok()?.encoder().ok()?
    {
        return Some(ModelRef::File(path));
    }
    let spec = open(library, generator).ok()?.1.spec;
    if code_of(&spec).is_some() {
        // It reads what it draws.
        return Some(generator.clone());
    }
    let space = spec.space()?;
    let mut encoders = library.list().0.into_iter();
    let fitting = encoders.find(|model| {
        model.manifest.purpose == Purpose::Encode
            && open_network(&model.weights).is_ok_and(|(_, found)| fits(&found.spec, &space))
    });
    fitting.map(|model| ModelRef::Id(model.manifest.id))
}
