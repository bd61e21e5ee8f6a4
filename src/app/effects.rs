//! The AI tools that change the picture in front: what each is, its settings, and its request.

use std::sync::Arc;

use super::ai::{Ai, Card, ModelCard};
use super::goal::Goal;
use super::state::TabId;
use crate::compose;
use crate::document::Document;
use crate::infer::prior::Prior;
use crate::infer::protocol::{
    Effect, Engine, Filter, ModelRef, PATCHES, Paint, Remove, Select, StyleOf, Task,
};
use crate::inpaint::Fill;
use crate::latent::invert::Options;
use crate::ops;
use crate::pixels::{PixelBuf, TiledImage};
use crate::portrait::Template;
use crate::segment::What;
use crate::zoo::{Manifest, Purpose};

/// Styles that are blended at most.
pub const MAX_STYLES: usize = 3;
/// Longest side of a picture whose style is read: more is not seen.
const STYLE_SIDE: u32 = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectOutput {
    NewLayer,
    /// The pixels of the active layer.
    InPlace,
    NewDocument,
}

/// What becomes of a subject that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Selection,
    /// The rest of the layer is masked.
    CutOut,
    /// The rest is out of focus.
    Blur,
}

/// What a card is set to. Each uses what concerns it.
#[derive(Clone, Debug, PartialEq)]
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
            steps: 60,
            keeps_colors: false,
            dilate_px: fill.dilate_px,
            feather_px: fill.feather_px,
            seed: 0,
            what: What::Subject,
            found: Found::Selection,
            blur_px: 12.0,
            output: match card {
                Card::Remove => EffectOutput::InPlace,
                _ => EffectOutput::NewLayer,
            },
        }
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

    /// Opens the card of a recipe with the settings in it; whether there is one.
    pub fn open_recipe(&mut self, recipe: &serde_json::Value) -> bool {
        let tool = recipe.get("tool").and_then(serde_json::Value::as_str);
        let Some(card) = Card::ALL.into_iter().find(|card| Some(card.title()) == tool) else {
            return false;
        };
        self.card = card;
        let mut settings = self.effect(card);
        let number = |key: &str| recipe.get(key).and_then(serde_json::Value::as_f64);
        settings.model = recipe.get("model").and_then(|id| id.as_str().map(str::to_owned));
        settings.sigma = number("sigma").map(|sigma| sigma as f32);
        settings.amount = number("amount").map_or(settings.amount, |amount| amount as f32);
        let whole = |key: &str| number(key).map(|value| value as u64);
        settings.dilate_px = whole("dilate_px").map_or(settings.dilate_px, |px| px as u32);
        settings.feather_px = number("feather_px").map_or(settings.feather_px, |px| px as f32);
        settings.seed = whole("seed").unwrap_or(settings.seed);
        settings.steps = whole("steps").map_or(settings.steps, |steps| steps as u32);
        let keeps = recipe.get("keeps_colors").and_then(serde_json::Value::as_bool);
        settings.keeps_colors = keeps.unwrap_or(settings.keeps_colors);
        let styles = recipe.get("styles").cloned();
        if let Some(styles) = styles.and_then(|styles| serde_json::from_value(styles).ok()) {
            settings.styles = styles;
        }
        self.effects.insert(card, settings);
        true
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
        if model.is_none() && card != Card::Remove {
            let reason = "No model for this is installed; drop a checkpoint on the window";
            return Some(reason.into());
        }
        if model.is_some_and(|model| takes_style_of_picture(model.manifest.purpose))
            && self.effect(card).style_of.is_none()
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
    pub image: Arc<PixelBuf>,
    /// Document position of the image's top left pixel.
    pub origin: (i32, i32),
    pub engine: Arc<dyn ops::Engine>,
}

impl EffectPlan {
    /// Reads the pixels, which takes its time, and makes the request of them.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn prepare(self) -> Result<(Task, Goal), String> {
        let Self { tab, base, card, settings, mask, .. } = &self;
        let in_place = settings.output == EffectOutput::InPlace;
        let layer = base.active_layer().and_then(|layer| layer.raster_content());
        let (pixels, area) = match layer.filter(|_| in_place) {
            Some(raster) => (raster.image.to_buf(), raster.bounds()),
            None => (compose::flatten(base, base.size.rect()), base.size.rect()),
        };
        let image = Arc::new(pixels);
        let over = mask.as_ref().map(|mask| Arc::new(mask.read(area)));
        let task = self.task(Arc::clone(&image), over)?;
        let goal = Goal::Effect(Box::new(EffectJob {
            tab: *tab,
            base: base.clone(),
            card: *card,
            settings: settings.clone(),
            mask: mask.clone(),
            image,
            origin: (area.x0, area.y0),
            engine: Arc::clone(&self.engine),
        }));
        Ok((task, goal))
    }

    fn task(&self, image: Arc<PixelBuf>, mask: Option<Arc<PixelBuf>>) -> Result<Task, String> {
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
                let document = self.style.as_ref().ok_or("the picture of the style is closed")?;
                let picture = Arc::new(compose::thumbnail(document, STYLE_SIDE));
                let profile = document.profile.clone();
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
        let (card, settings) = (self.card, &self.settings);
        let mut recipe = serde_json::json!({ "tool": card.title(), "model": by });
        match card {
            Card::Remove => {
                recipe["dilate_px"] = settings.dilate_px.into();
                recipe["feather_px"] = settings.feather_px.into();
                recipe["seed"] = settings.seed.into();
            }
            Card::Select => recipe["blur_px"] = settings.blur_px.into(),
            Card::Denoise => recipe["sigma"] = settings.sigma.into(),
            Card::Style => {
                recipe["styles"] = serde_json::json!(settings.styles);
                recipe["amount"] = settings.amount.into();
                recipe["steps"] = settings.steps.into();
                recipe["keeps_colors"] = settings.keeps_colors.into();
            }
            _ => {}
        }
        recipe
    }
}
