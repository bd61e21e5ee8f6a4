//! A layer that an AI card has made, opened again: its recipe, what it keeps beside it, and the
//! picture that it was made of.

use std::sync::Arc;

use serde_json::Value as Json;

use super::ai::{Ai, Card};
use super::effects::{EffectOutput, EffectSettings, Found, MAX_STYLES};
use super::state::TabId;
use crate::color::WorkingProfile;
use crate::document::{Document, Layer, LayerId, LayerKind, Metadata};
use crate::infer::protocol::PATCHES;
use crate::io::{self, Format, SaveOptions};
use crate::pixels::{PixelBuf, TiledImage};

/// How results name what fills by patches.
pub const BY_PATCHES: &str = "patches";

/// The layer that a card changes when it runs.
pub struct Editing {
    pub tab: TabId,
    pub layer: LayerId,
    pub card: Card,
    /// Whether the layer keeps a picture for its recipe.
    pub keeps: bool,
    /// The settings of the card before.
    pub before: EffectSettings,
}

/// A picture that a layer keeps for its recipe: what was painted over, or whose style was taken.
#[derive(Clone)]
pub struct Kept {
    pub png: Arc<[u8]>,
    /// Document position of the top left pixel.
    pub at: (i32, i32),
}

impl Kept {
    /// # Errors
    /// It is no picture, in words.
    pub fn picture(&self) -> Result<Document, String> {
        let opened = io::decode(&self.png, &io::Limits::default());
        let opened = opened.map_err(|err| format!("what the layer keeps cannot be read: {err}"))?;
        Ok(Document::from_pixels(opened.pixels, "Kept", opened.profile, Metadata::default()))
    }

    /// One channel over a canvas like that of `document`.
    ///
    /// # Errors
    /// It is no picture, in words.
    pub fn mask(&self, document: &Document) -> Result<TiledImage, String> {
        let picture = self.picture()?;
        let pixels = crate::compose::flatten(&picture, picture.size.rect());
        let mut mask = TiledImage::mask(document.size, 0);
        mask.write(&io::luminance_mask(&pixels), self.at);
        Ok(mask)
    }
}

/// A picture as a layer keeps it.
///
/// # Errors
/// It cannot be encoded, in words.
pub fn keep(pixels: &PixelBuf, profile: &WorkingProfile) -> Result<Arc<[u8]>, String> {
    let options = SaveOptions::new(Format::Png);
    let encoded = io::encode_to_vec(pixels, profile, &Metadata::default(), &options);
    encoded.map(|(png, _)| png.into()).map_err(|err| err.to_string())
}

/// A mask as a layer keeps it.
///
/// # Errors
/// It cannot be encoded, in words.
pub fn keep_mask(mask: &TiledImage) -> Result<Arc<[u8]>, String> {
    let mask = mask.to_buf();
    let mut picture = PixelBuf::new(mask.size(), 4, mask.depth());
    for at in 0..mask.size().pixels() as usize {
        let value = mask.samples().get_f32(at);
        for (channel, value) in [value, value, value, 1.0].into_iter().enumerate() {
            picture.samples_mut().set_f32(at * 4 + channel, value);
        }
    }
    keep(&picture, &WorkingProfile::srgb())
}

/// The card that a recipe is of.
pub fn card_of(recipe: &Json) -> Option<Card> {
    let tool = recipe.get("tool").and_then(Json::as_str);
    Card::ALL.into_iter().find(|card| Some(card.title()) == tool)
}

/// What a card calls a layer that it makes.
pub fn layer_name(card: Card, model: &str) -> String {
    format!("{} ({model})", card.title())
}

/// The document as it looked to what made a layer: with nothing of it and of what lies above, or
/// with its pixels where only its mask was made. Never becomes the document.
pub fn below(document: &Document, id: LayerId, with_pixels: bool) -> Document {
    fn cut(layers: &mut Vec<Arc<Layer>>, id: LayerId, with_pixels: bool) {
        let holds = |layer: &Arc<Layer>| {
            let mut known = false;
            each(layer, &mut |layer| known |= layer.id == id);
            known
        };
        let Some(at) = layers.iter().position(holds) else { return };
        layers.truncate(at + 1);
        let last = Arc::make_mut(&mut layers[at]);
        match &mut last.kind {
            LayerKind::Group(inner) if last.id != id => cut(inner, id, with_pixels),
            _ if with_pixels => last.mask = None,
            _ => layers.truncate(at),
        }
    }
    let mut shown = document.clone();
    cut(&mut shown.layers, id, with_pixels);
    shown.active = shown.layers.last().map(|layer| layer.id);
    shown
}

fn each(layer: &Layer, visit: &mut impl FnMut(&Layer)) {
    visit(layer);
    layer.children().unwrap_or_default().iter().for_each(|child| each(child, visit));
}

impl Found {
    /// Whether it hides a part of the layer and leaves its pixels.
    pub const fn is_mask(self) -> bool {
        matches!(self, Self::CutOut | Self::Replace)
    }
}

impl EffectSettings {
    /// All of it but for what belongs to this run of the program; `by` names the model.
    pub fn to_recipe(&self, card: Card, by: &str, sha256: Option<&str>) -> Json {
        let mut recipe = serde_json::to_value(self).unwrap_or_default();
        recipe["tool"] = card.title().into();
        recipe["model"] = by.into();
        recipe["sha256"] = sha256.into();
        recipe
    }

    /// What a recipe says; what it does not say, or not in a way that is understood, is as a card
    /// begins.
    pub fn from_recipe(card: Card, recipe: &Json) -> Self {
        let mut settings = Self { output: EffectOutput::NewLayer, ..Self::of(card) };
        for (key, value) in recipe.as_object().into_iter().flatten() {
            let mut json = serde_json::to_value(&settings).unwrap_or_default();
            json[key] = value.clone();
            if let Ok(read) = serde_json::from_value(json) {
                settings = read;
            }
        }
        settings.model = settings.model.map(|id| match id.as_str() {
            BY_PATCHES => PATCHES.to_owned(),
            _ => id,
        });
        settings.clamped()
    }

    /// A file may say anything.
    fn clamped(mut self) -> Self {
        let within = |value: &mut f32, from: f32, to: f32| {
            *value = if value.is_finite() { value.clamp(from, to) } else { from };
        };
        for value in [&mut self.strength, &mut self.amount, &mut self.sensitivity] {
            within(value, 0.0, 1.0);
        }
        within(&mut self.feather_px, 0.0, 32.0);
        within(&mut self.blur_px, 1.0, 80.0);
        if let Some(sigma) = &mut self.sigma {
            within(sigma, 0.0, 75.0);
        }
        self.rest_color.iter_mut().for_each(|value| within(value, 0.0, 1.0));
        self.styles.truncate(MAX_STYLES);
        self.styles.iter_mut().for_each(|(_, weight)| within(weight, 0.0, 1.0));
        if self.styles.is_empty() {
            self.styles.push((0, 1.0));
        }
        self.dilate_px = self.dilate_px.min(64);
        self.seed = self.seed.min(9999);
        self.steps = self.steps.clamp(10, 400);
        self
    }
}

impl Ai {
    /// The model of a recipe as it is installed; an error says that it is missing, or another one.
    ///
    /// # Errors
    /// One sentence.
    pub fn model_of(&self, recipe: &Json) -> Result<(), String> {
        let word = |key: &str| recipe.get(key).and_then(Json::as_str);
        let Some(id) = word("model").filter(|id| ![BY_PATCHES, "thin lines"].contains(id)) else {
            return Ok(());
        };
        let installed = self.models.iter().find(|card| card.manifest.id == id);
        match (installed, word("sha256")) {
            (None, _) => Err(format!("The model of this layer, {id}, is not installed")),
            (Some(card), Some(hash)) if card.manifest.sha256 != hash => {
                Err(format!("{id} is another file than the one that made this layer"))
            }
            _ => Ok(()),
        }
    }
}

/// What a generated layer keeps for the recipe of a card, at its place.
pub fn kept(layer: &Layer) -> Option<Kept> {
    let LayerKind::Generated(generated) = &layer.kind else { return None };
    let at = generated.raster.origin;
    generated.attachment.clone().map(|png| Kept { png, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_survives_a_recipe() {
        let set = EffectSettings {
            model: Some("some-model".into()),
            strength: 0.3,
            sigma: Some(17.0),
            styles: vec![(3, 0.25), (9, 0.5)],
            amount: 0.4,
            steps: 33,
            keeps_colors: true,
            dilate_px: 7,
            feather_px: 2.5,
            seed: 5,
            what: crate::segment::What::Class(8),
            found: Found::Blur,
            blur_px: 21.0,
            rest_color: [0.5, 0.25, 1.0],
            scratches: true,
            sensitivity: 0.7,
            ..EffectSettings::of(Card::Denoise)
        };
        let recipe = set.to_recipe(Card::Denoise, "some-model", Some("abc"));
        assert_eq!(EffectSettings::from_recipe(Card::Denoise, &recipe), set);
        assert_eq!(card_of(&recipe), Some(Card::Denoise));
        // As it was written before all of them were kept, and as nobody would write it.
        let old = serde_json::json!({
            "tool": "Remove", "model": "patches", "seed": 3, "dilate_px": 4_000_000_000u32,
            "feather_px": -1e30, "styles": "none", "what": { "Class": -1 },
        });
        let read = EffectSettings::from_recipe(Card::Remove, &old);
        assert_eq!((read.seed, read.dilate_px, read.feather_px), (3, 64, 0.0));
        assert_eq!(read.model.as_deref(), Some(PATCHES));
        assert_eq!(read.output, EffectOutput::NewLayer);
    }

    #[test]
    fn a_layer_is_made_again_of_what_lies_below_it() {
        let layer = |name: &str| {
            let image = TiledImage::mask(crate::geom::Size::new(2, 2), 9);
            Arc::new(Layer::raster(name, image, (0, 0)))
        };
        let profile = WorkingProfile::srgb();
        let size = crate::geom::Size::new(2, 2);
        let mut document = Document::new(size, crate::pixels::Depth::U8, profile);
        let inner = [layer("in 1"), layer("in 2"), layer("in 3")];
        let id = inner[1].id;
        let group = Layer::new("group", LayerKind::Group(inner.to_vec()));
        document.layers = vec![layer("below"), Arc::new(group), layer("above")];
        let names = |shown: &Document| {
            let mut names = Vec::new();
            shown.walk(&mut |layer, _| names.push(layer.props.name.to_string()));
            names
        };
        assert_eq!(names(&below(&document, id, false)), ["below", "group", "in 1"]);
        assert_eq!(names(&below(&document, id, true)), ["below", "group", "in 1", "in 2"]);
    }
}
