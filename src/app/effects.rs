//! The AI tools that change the picture in front: what each is, its settings, and its request.

use std::sync::Arc;

use super::ai::{Ai, Card, ModelCard};
use super::state::TabId;
use crate::color::WorkingProfile;
use crate::infer::protocol::{Effect, Engine, Filter, ModelRef, Remove, Select, StyleOf, Task};
use crate::inpaint::Fill;
use crate::pixels::PixelBuf;
use crate::segment::What;
use crate::zoo::Purpose;

/// Styles that are blended at most.
pub const MAX_STYLES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectOutput {
    NewLayer,
    /// The pixels of the active layer.
    InPlace,
    NewDocument,
}

/// What a card is set to. Each uses what concerns it.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectSettings {
    /// `None` takes the first that suits, or patches where none is installed.
    pub model: Option<String>,
    /// How much of the change is taken, `0..=1`.
    pub strength: f32,
    /// Noise in levels of 255; `None` estimates it.
    pub sigma: Option<f32>,
    /// Styles of the network and their weights.
    pub styles: Vec<(usize, f32)>,
    /// The open picture whose style is taken.
    pub style_of: Option<TabId>,
    /// How far towards that style, `0..=1`.
    pub amount: f32,
    /// Removing: how far the mask grows, and over which distance the fill fades in.
    pub dilate_px: u32,
    pub feather_px: f32,
    pub seed: u64,
    pub output: EffectOutput,
}

impl EffectSettings {
    pub fn of(card: Card) -> Self {
        let fill = Fill::default();
        Self {
            model: None,
            // The shipped network lights more than most pictures bear.
            strength: if card == Card::Light { 0.6 } else { 1.0 },
            sigma: None,
            styles: vec![(0, 1.0)],
            style_of: None,
            amount: 1.0,
            dilate_px: fill.dilate_px,
            feather_px: fill.feather_px,
            seed: 0,
            output: match card {
                Card::Remove => EffectOutput::InPlace,
                _ => EffectOutput::NewLayer,
            },
        }
    }
}

/// The pixels that a tool is to change.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub pixels: PixelBuf,
    /// The selection over these pixels, one channel.
    pub mask: Option<PixelBuf>,
    /// Document position of the top left pixel.
    pub origin: (i32, i32),
    /// The other picture's pixels and profile, where a style is taken from it.
    pub style: Option<(PixelBuf, WorkingProfile)>,
}

impl Ai {
    /// The settings of an effect's card.
    pub fn effect(&self, card: Card) -> EffectSettings {
        self.effects.get(&card).cloned().unwrap_or_else(|| EffectSettings::of(card))
    }

    /// The models that a card can run, in the order of its purposes.
    pub fn models_of(&self, card: Card) -> impl Iterator<Item = &ModelCard> {
        let purposes = card.purposes();
        purposes.iter().flat_map(|purpose| self.models_for(*purpose))
    }

    /// The model that a card would run.
    pub fn effect_model(&self, card: Card) -> Option<&ModelCard> {
        match self.effects.get(&card).and_then(|settings| settings.model.as_deref()) {
            Some(id) => self.models_of(card).find(|model| model.manifest.id == id),
            None => self.models_of(card).next(),
        }
    }

    /// Why a card cannot run here, apart from the picture.
    pub fn effect_refused(&self, card: Card) -> Option<String> {
        let model = self.effect_model(card);
        if model.is_none() && card != Card::Remove {
            return Some(format!(
                "No model for this is installed; drop a checkpoint on the window"
            ));
        }
        let by_picture = model.is_some_and(|m| m.manifest.purpose == Purpose::StyleTransfer);
        if by_picture && self.effect(card).style_of.is_none() {
            return Some("Choose the open picture whose style is taken".into());
        }
        None
    }

    /// The request of a card for prepared pixels.
    pub fn effect_task(
        &self,
        card: Card,
        profile: WorkingProfile,
        prepared: Prepared,
    ) -> Result<Task, String> {
        let settings = self.effect(card);
        let model = self.effect_model(card).map(|model| &model.manifest);
        let image = Arc::new(prepared.pixels);
        let mask = prepared.mask.map(Arc::new);
        if card == Card::Remove {
            let mask = mask.ok_or("Select what is to be removed")?;
            let engine = match model {
                Some(model) => Engine::Network(ModelRef::Id(model.id.clone())),
                None => Engine::Patches,
            };
            let options = Fill {
                dilate_px: settings.dilate_px,
                feather_px: settings.feather_px,
                seed: settings.seed,
                ..Fill::default()
            };
            return Ok(Task::Remove(Remove { image, mask, profile, engine, options }));
        }
        let model = model.ok_or("no model for this is installed")?;
        if card == Card::Select {
            let (model, what) = (ModelRef::Id(model.id.clone()), What::Subject);
            return Ok(Task::Select(Select { image, profile, model, what }));
        }
        let effect = match model.purpose {
            Purpose::Denoise => Effect::Denoise { sigma: settings.sigma },
            Purpose::Light => Effect::Light,
            Purpose::Style => Effect::Style { weights: settings.styles.clone() },
            Purpose::StyleTransfer => {
                let (picture, profile) =
                    prepared.style.ok_or("the picture of the style is closed")?;
                let reader = self.models_for(Purpose::StyleVector).next();
                let reader = reader.ok_or("no model that reads styles is installed")?;
                Effect::StyleOf(StyleOf {
                    picture: Arc::new(picture),
                    profile,
                    reader: ModelRef::Id(reader.manifest.id.clone()),
                    amount: settings.amount,
                })
            }
            _ => Effect::Translate,
        };
        // On a layer of its own the strength is the layer's opacity.
        let strength = match settings.output {
            EffectOutput::NewLayer => 1.0,
            _ => settings.strength,
        };
        let model = ModelRef::Id(model.id.clone());
        Ok(Task::Filter(Filter { image, mask, profile, model, effect, strength, tile: None }))
    }
}
