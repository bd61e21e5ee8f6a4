//! What is drawn becomes a layer that remembers its code and its sliders.

use std::sync::Arc;

use super::{LatentOutput, LatentSettings, Photo};
use crate::app::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::commands::results::{self, Made};
use crate::document::{Document, Generated, Layer, LayerId, LayerKind, Raster, Synthesis};
use crate::infer::protocol::{Drawn, ModelRef, Output};
use crate::latent::{Code, Edit, EditStack};
use crate::pixels::TiledImage;
use crate::portrait::{Place, RECIPE_VERSION, Recipe};

/// What a picture is drawn for.
#[derive(Clone)]
pub struct LatentJob {
    pub target: Option<(TabId, Document)>,
    /// The layer of the target that was opened again.
    pub replaces: Option<LayerId>,
    /// The face that is edited.
    pub photo: Option<Photo>,
    pub settings: LatentSettings,
    pub stack: EditStack,
    /// The generator that draws.
    pub model: ModelRef,
}

impl LatentJob {
    /// Makes a layer or a document of the picture.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn finish(&self, output: &Output) -> Result<Outcome, String> {
        let Drawn { picture, planes, base, .. } =
            output.drawn.first().ok_or("nothing was drawn")?;
        let name = self.name();
        let note = format!("{name}: {:.1} s", output.seconds);
        let is_layer = self.settings.output == LatentOutput::NewLayer;
        let recipe = self.recipe(&output.model, base).to_json();
        let recipe = Arc::new(recipe.map_err(|err| sentence(&err))?);
        let attachment = match &self.model {
            ModelRef::Tuned(_, tuning) => Some(Arc::clone(tuning.file())),
            _ => None,
        };
        let Some((tab, document)) = self.target.as_ref().filter(|_| is_layer) else {
            let (pixels, synthesis) = (picture, Synthesis::All);
            let (origin, opacity, mask) = ((0, 0), 1.0, None);
            let recipe = &recipe;
            let made =
                Made { name: &name, pixels, origin, opacity, mask, recipe, attachment, synthesis };
            let blank = Document::new(picture.size(), picture.depth(), WorkingProfile::srgb());
            return Ok(Outcome::made(name.clone(), made.document(&blank), note));
        };
        let before = self.replaces.and_then(|id| document.layer(id));
        let raster = match &self.photo {
            Some(photo) => {
                let (pixels, origin) = photo.paste(planes)?;
                let image = TiledImage::from_buf(&pixels.to_depth(document.depth));
                Ok(Raster::new(image, origin).by(Synthesis::Part))
            }
            None => {
                let own = before.and_then(|layer| Some(layer.raster_content()?.origin));
                let origin = own.unwrap_or_else(|| results::centred(document.size, picture.size()));
                results::raster(document, picture, &WorkingProfile::srgb(), origin)
                    .map(|raster| raster.by(Synthesis::All))
            }
        };
        let step = raster.and_then(|raster| {
            let kind = LayerKind::Generated(Generated { raster, recipe, attachment });
            match before {
                Some(layer) => results::remade(document, layer.id, &name, kind),
                None => Ok(results::inserted(document, "Latent edit", Layer::new(&name, kind))),
            }
        });
        let step = step.map_err(|err| sentence(&err))?;
        Ok(Outcome::step(*tab, document.clone(), step, note))
    }

    /// What the layer remembers.
    fn recipe(&self, model: &str, code: &Code) -> Recipe {
        let place = self.photo.as_ref().map(|photo| Place {
            crop: photo.found.crop,
            mask: photo.found.mask.clone(),
            residual: photo.residual,
            fidelity_db: photo.found.fidelity_db,
        });
        // What comes before the edits is in the code already.
        let EditStack { edits, independent, .. } = self.stack.clone();
        let stack = EditStack { edits, independent, ..EditStack::default() };
        Recipe { version: RECIPE_VERSION, model: model.into(), code: code.clone(), stack, place }
    }

    /// What the layer is called: the strongest edits, else the seed.
    fn name(&self) -> String {
        let mut edits: Vec<&Edit> =
            self.stack.edits.iter().filter(|edit| edit.on && edit.strength != 0.0).collect();
        edits.sort_by(|a, b| b.strength.abs().total_cmp(&a.strength.abs()));
        let named = |edit: &&Edit| format!("{} {:+.1}", edit.direction.name(), edit.strength);
        let words: Vec<String> = edits.iter().take(2).map(named).collect();
        match (words.is_empty(), &self.settings.base) {
            (false, _) => words.join(", "),
            (true, super::Base::Seed) => format!("Seed {}", self.settings.seed),
            (true, super::Base::Code(_)) => "Variation".into(),
        }
    }
}
