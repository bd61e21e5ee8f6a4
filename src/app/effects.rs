//! The AI tools that change the picture in front: what each is, its settings, and its request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ai::{Ai, Card, ModelCard};
use super::editing::{Kept, below, keep, keep_mask};
use super::goal::Goal;
use super::pace::Work;
use super::state::TabId;
use crate::color::WorkingProfile;
use crate::commands::results;
use crate::compose;
use crate::document::{Document, LayerId};
use crate::infer::prior::Prior;
use crate::infer::protocol::{
    Effect, Engine, Filter, ModelRef, PATCHES, Paint, Remove, Select, StyleOf, Task,
};
use crate::inpaint::Fill;
use crate::latent::invert::Options;
use crate::ops;
use crate::pixels::{PixelBuf, TiledImage};
use crate::portrait::Template;
use crate::segment::{DEFAULT_SENSITIVITY, What};
use crate::zoo::{Manifest, Purpose};

/// Styles that are blended at most.
pub const MAX_STYLES: usize = 3;
/// Longest side of a picture whose style is read: more is not seen.
const STYLE_SIDE: u32 = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectOutput {
    NewLayer,
    /// The pixels of the active layer.
    InPlace,
    NewDocument,
}

/// What becomes of a subject that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    Selection,
    /// The rest of the layer is masked.
    CutOut,
    /// The rest is out of focus.
    Blur,
    /// The rest is masked, and something else lies beneath.
    Replace,
}

/// What is put behind a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    #[default]
    Color,
    /// An open picture.
    Picture(TabId),
    /// What lies there already.
    Present,
}

/// What a card is set to. Each uses what concerns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectSettings {
    /// `None` takes the first that suits, or patches where none is installed; [`PATCHES`] takes
    /// those.
    pub model: Option<String>,
    /// How much of the change is taken, `0..=1`.
    pub strength: f32,
    /// Noise in levels of 255; `None` estimates it.
    pub sigma: Option<f32>,
    /// Styles of the network and their weights.
    pub styles: Vec<(usize, f32)>,
    /// The open picture whose style is taken.
    #[serde(skip)]
    pub style_of: Option<TabId>,
    /// How far towards that style, `0..=1`.
    pub amount: f32,
    /// By optimisation: steps at each size, and whether only the brightness is repainted.
    pub steps: u32,
    pub keeps_colors: bool,
    /// Removing: how far the mask grows, and over which distance the fill fades in.
    pub dilate_px: u32,
    pub feather_px: f32,
    pub seed: u64,
    /// Selecting: what, what for, and how far out of focus the rest is, in document pixels.
    pub what: What,
    pub found: Found,
    pub blur_px: f32,
    /// What replaces the rest, and the colour where it is one, encoded.
    #[serde(skip)]
    pub rest: Rest,
    pub rest_color: [f32; 3],
    /// Thin lines are selected in place of what a network finds; with more sensitivity, `0..=1`,
    /// fainter ones.
    pub scratches: bool,
    pub sensitivity: f32,
    pub output: EffectOutput,
}

impl EffectSettings {
    pub fn of(card: Card) -> Self {
        let fill = Fill::default();
        Self {
            model: None,
            strength: 1.0,
            sigma: None,
            styles: vec![(0, 1.0)],
            style_of: None,
            amount: 1.0,
            steps: 60,
            keeps_colors: false,
            dilate_px: fill.dilate_px,
            feather_px: fill.feather_px,
            seed: 0,
            what: What::Subject,
            found: Found::Selection,
            blur_px: 12.0,
            rest: Rest::Color,
            rest_color: [1.0; 3],
            scratches: false,
            sensitivity: DEFAULT_SENSITIVITY,
            output: match card {
                Card::Remove => EffectOutput::InPlace,
                _ => EffectOutput::NewLayer,
            },
        }
    }

    /// Whether the picture would look otherwise with these.
    pub fn looks_unlike(&self, other: &Self) -> bool {
        let seen = |settings: &Self| {
            let settings = settings.clone();
            (settings.model, settings.strength, settings.styles, settings.style_of, settings.amount)
        };
        seen(self) != seen(other)
    }
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

    /// The model that a card would run; none where patches fill.
    pub fn effect_model(&self, card: Card) -> Option<&ModelCard> {
        match self.effects.get(&card).and_then(|settings| settings.model.as_deref()) {
            Some(PATCHES) => None,
            Some(id) => self.models_of(card).find(|model| model.manifest.id == id),
            // A generator fills what it knows; only the person can tell what that is.
            None => self
                .models_of(card)
                .next()
                .filter(|model| card != Card::Remove || model.manifest.purpose == Purpose::Inpaint),
        }
    }

    /// Why a card cannot run here, apart from the picture.
    pub fn effect_refused(&self, card: Card) -> Option<String> {
        let model = self.effect_model(card);
        if card == Card::Select && self.effect(card).scratches {
            return None;
        }
        if model.is_none() && card != Card::Remove {
            let reason = "No model for this is installed; drop a checkpoint on the window";
            return Some(reason.into());
        }
        if model.is_some_and(|model| takes_style_of_picture(model.manifest.purpose))
            && self.effect(card).style_of.is_none()
            && !self.editing.as_ref().is_some_and(|editing| editing.card == card && editing.keeps)
        {
            return Some("Choose the open picture whose style is taken".into());
        }
        None
    }
}

/// Whether a network of this purpose takes its style from a picture.
pub const fn takes_style_of_picture(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::StyleTransfer | Purpose::Features)
}

/// Whether the model is asked again and again until it fits.
pub const fn is_search(card: &ModelCard) -> bool {
    matches!(card.manifest.purpose, Purpose::Features | Purpose::Generate)
}

/// What a card was asked to do, all of it as it was when it was asked.
pub struct EffectPlan {
    pub tab: TabId,
    pub base: Document,
    pub card: Card,
    pub settings: EffectSettings,
    /// The model that the card would run.
    pub model: Option<Manifest>,
    /// The model that reads the style of a picture.
    pub reader: Option<Manifest>,
    /// The models that find faces and their points.
    pub finders: Option<Vec<(Purpose, ModelRef)>>,
    /// One channel over the canvas: the selection, or what was painted.
    pub mask: Option<TiledImage>,
    /// The picture whose style is taken.
    pub style: Option<Document>,
    /// What the rest is replaced by.
    pub rest: Option<Document>,
    /// The layer that is made anew, and what it keeps.
    pub replaces: Option<LayerId>,
    pub kept: Option<Kept>,
    /// What it is of work whose time is measured.
    pub work: Option<Work>,
    /// Runs operations.
    pub engine: Arc<dyn ops::Engine>,
}

/// What a request was made for, and from.
#[derive(Clone)]
pub struct EffectJob {
    pub tab: TabId,
    pub base: Document,
    pub card: Card,
    pub settings: EffectSettings,
    pub mask: Option<TiledImage>,
    /// The picture whose style is taken, as it is shown to the network.
    pub style: Option<(Arc<PixelBuf>, WorkingProfile)>,
    pub rest: Option<Document>,
    pub replaces: Option<LayerId>,
    /// Of the model's file.
    pub sha256: Option<String>,
    /// What it is of work whose time is measured.
    pub work: Option<Work>,
    pub image: Arc<PixelBuf>,
    /// Document position of the image's top left pixel.
    pub origin: (i32, i32),
    pub engine: Arc<dyn ops::Engine>,
}

impl EffectPlan {
    /// Reads what the layer that is made anew keeps.
    ///
    /// # Errors
    /// It cannot be read, in words.
    pub fn unpack(&mut self) -> Result<(), String> {
        match (self.kept.take(), self.card) {
            (Some(kept), Card::Remove | Card::RestoreFace) => {
                self.mask = Some(kept.mask(&self.base)?);
            }
            (Some(kept), Card::Style) if self.style.is_none() => {
                self.style = Some(kept.picture()?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The picture that is shown to the network.
    pub fn seen(&self) -> Document {
        let with_pixels = self.card == Card::Select && self.settings.found.is_mask();
        match self.replaces {
            Some(layer) => below(&self.base, layer, with_pixels),
            None => self.base.clone(),
        }
    }

    /// Reads the pixels, which takes its time, and makes the request of them.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn prepare(mut self) -> Result<(Task, Goal), String> {
        self.unpack()?;
        let seen = self.seen();
        let Self { tab, base, card, settings, mask, .. } = &self;
        let in_place = settings.output == EffectOutput::InPlace;
        let layer = base.active_layer().and_then(|layer| layer.raster_content());
        let (pixels, area) = match layer.filter(|_| in_place) {
            Some(raster) => (raster.image.to_buf(), raster.bounds()),
            None => (compose::flatten(&seen, base.size.rect()), base.size.rect()),
        };
        let image = Arc::new(pixels);
        let over = mask.as_ref().map(|mask| Arc::new(mask.read(area)));
        let style = self.style.as_ref().map(|document| {
            (Arc::new(compose::thumbnail(document, STYLE_SIDE)), document.profile.clone())
        });
        let task = self.task(Arc::clone(&image), over.clone(), style.as_ref())?;
        let goal = Goal::Effect(Box::new(EffectJob {
            tab: *tab,
            base: base.clone(),
            card: *card,
            settings: settings.clone(),
            mask: mask.clone(),
            style,
            rest: self.rest.clone(),
            replaces: self.replaces,
            work: match (self.work, &over) {
                (Some(Work::Fill(_)), Some(mask)) => {
                    Some(Work::Fill(results::extent(mask).size().pixels() as f32))
                }
                (work, _) => work,
            },
            sha256: self.model.as_ref().map(|manifest| manifest.sha256.clone()),
            image,
            origin: (area.x0, area.y0),
            engine: Arc::clone(&self.engine),
        }));
        Ok((task, goal))
    }

    fn task(
        &self,
        image: Arc<PixelBuf>,
        mask: Option<Arc<PixelBuf>>,
        style: Option<&(Arc<PixelBuf>, WorkingProfile)>,
    ) -> Result<Task, String> {
        let (settings, profile) = (&self.settings, self.base.profile.clone());
        let model = |manifest: &Manifest| ModelRef::Id(manifest.id.clone());
        let chosen = || self.model.as_ref().ok_or("no model for this is installed");
        let effect = match self.card {
            Card::Remove => {
                let mask = mask.ok_or("Select what is to be removed")?;
                let engine = match &self.model {
                    None => Engine::Patches,
                    Some(manifest) if manifest.purpose == Purpose::Generate => {
                        Engine::Prior(Prior {
                            model: model(manifest),
                            finders: self.finders.clone().unwrap_or_default(),
                            template: Template::default(),
                            options: Options { seed: settings.seed, ..Options::default() },
                        })
                    }
                    Some(manifest) => Engine::Network(model(manifest)),
                };
                let options = Fill {
                    dilate_px: settings.dilate_px,
                    feather_px: settings.feather_px,
                    seed: settings.seed,
                    ..Fill::default()
                };
                return Ok(Task::Remove(Remove { image, mask, profile, engine, options }));
            }
            Card::Select => {
                let (model, what) = (model(chosen()?), settings.what);
                return Ok(Task::Select(Select { image, profile, model, what }));
            }
            Card::Denoise => Effect::Denoise { sigma: settings.sigma },
            Card::Light => Effect::Light,
            Card::Colorize => Effect::Colorize,
            Card::RestoreFace => {
                let finders = self.finders.clone();
                let finders = Some(finders.ok_or("no model that finds faces is installed")?);
                Effect::RestoreFace { finders }
            }
            Card::Style if takes_style_of_picture(chosen()?.purpose) => {
                let style = style.ok_or("the picture of the style is closed")?;
                let (picture, profile) = style.clone();
                if chosen()?.purpose == Purpose::Features {
                    let EffectSettings { steps, keeps_colors, .. } = *settings;
                    Effect::Paint(Paint { picture, profile, keeps_colors, steps })
                } else {
                    let reader =
                        self.reader.as_ref().ok_or("no model that reads styles is installed")?;
                    let (reader, amount) = (model(reader), settings.amount);
                    Effect::StyleOf(StyleOf { picture, profile, reader, amount })
                }
            }
            Card::Style => Effect::Style { weights: settings.styles.clone() },
            _ => Effect::Translate,
        };
        // On a layer of its own the strength is the layer's opacity.
        let strength = match settings.output {
            EffectOutput::NewLayer => 1.0,
            _ => settings.strength,
        };
        let model = model(chosen()?);
        Ok(Task::Filter(Filter { image, mask, profile, model, effect, strength, tile: None }))
    }
}

impl EffectJob {
    /// What made the result, for showing and doing it again.
    pub fn recipe(&self, by: &str) -> serde_json::Value {
        self.settings.to_recipe(self.card, by, self.sha256.as_deref())
    }

    /// What the recipe needs beside itself.
    ///
    /// # Errors
    /// It cannot be encoded, in words.
    pub fn attachment(&self) -> Result<Option<Arc<[u8]>>, String> {
        match (self.card, &self.mask, &self.style) {
            // What was changed says no more what was meant to be.
            (Card::Remove | Card::RestoreFace, Some(mask), _) => keep_mask(mask).map(Some),
            (Card::Style, _, Some((picture, profile))) => keep(picture, profile).map(Some),
            _ => Ok(None),
        }
    }
}
