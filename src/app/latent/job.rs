//! What is drawn becomes a layer that remembers its code and its sliders.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{LatentOutput, LatentSettings};
use crate::app::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::commands::results;
use crate::document::{Document, Generated, LayerId, LayerKind, Metadata};
use crate::infer::protocol::{Drawn, Output};
use crate::latent::{Code, Edit, EditStack};

/// What is kept with a layer, so that its sliders still move when it is opened again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentRecipe {
    pub tool: String,
    /// Id of the model; the code knows its SHA-256.
    pub model: String,
    /// Before the edits.
    pub code: Code,
    pub edits: Vec<Edit>,
    #[serde(default)]
    pub independent: bool,
}

impl LatentRecipe {
    /// Name of the tool in recipes.
    pub const TOOL: &str = "Latent";

    /// The recipe of a layer that this panel has made.
    pub fn of(recipe: &serde_json::Value) -> Option<Self> {
        let own = recipe.get("tool").and_then(serde_json::Value::as_str) == Some(Self::TOOL);
        serde_json::from_value(recipe.clone()).ok().filter(|_| own)
    }
}

/// What a picture is drawn for.
#[derive(Clone)]
pub struct LatentJob {
    pub target: Option<(TabId, Document)>,
    /// The layer of the target that was opened again.
    pub replaces: Option<LayerId>,
    pub settings: LatentSettings,
    pub stack: EditStack,
}

impl LatentJob {
    /// Makes a layer or a document of the picture.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn finish(self, output: &Output) -> Result<Outcome, String> {
        let Drawn { picture, base, .. } = output.drawn.first().ok_or("nothing was drawn")?;
        let name = self.name();
        let note = format!("{name}: {:.1} s", output.seconds);
        let target = self.target.filter(|_| self.settings.output == LatentOutput::NewLayer);
        let Some((tab, document)) = target else {
            let profile = WorkingProfile::srgb();
            let document = Document::from_pixels(picture, &name, profile, Metadata::default());
            return Ok(Outcome::made(name, document, note));
        };
        let EditStack { edits, independent, .. } = self.stack;
        let recipe = LatentRecipe {
            tool: LatentRecipe::TOOL.into(),
            model: output.model.clone(),
            code: base.clone(),
            edits,
            independent,
        };
        let recipe = serde_json::to_value(recipe).map_err(|err| err.to_string())?;
        let kind = |raster| LayerKind::Generated(Generated { raster, recipe: Arc::new(recipe) });
        let from = WorkingProfile::srgb();
        let before = self.replaces.and_then(|id| document.layer(id));
        let step = match before {
            Some(before) => results::remake(&document, before, &name, picture, &from, kind),
            None => results::place(&document, &name, "Generate", picture, &from, kind),
        };
        Ok(Outcome::step(tab, document, step.map_err(|err| sentence(&err))?, note))
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
