//! The AI tools that change the picture in front: what is asked, as it stands when it is asked.

use crate::app::ai::Card;
use crate::app::editing::{Editing, below, card_of, kept};
use crate::app::effects::{EffectOutput, EffectPlan, EffectSettings, Found, Rest};
use crate::app::state::{Dock, Model, Outcome, TabId};
use crate::commands::subject;
use crate::compose;
use crate::document::{LayerId, LayerKind};
use crate::pixels::TiledImage;
use crate::segment::{self, What};
use crate::zoo::Purpose;

impl Model {
    /// Selects what is in front, whatever the card is set to find.
    pub fn select_subject(&mut self) {
        let known = self.ai.effect(Card::Select);
        let settings = EffectSettings { what: What::Subject, scratches: false, ..known };
        self.ai.effects.insert(Card::Select, settings);
        self.run_effect(Card::Select);
    }

    /// Runs a card on the selection, or on everything.
    pub fn run_effect(&mut self, card: Card) {
        self.run_effect_on(card, None);
    }

    /// Reads the pixels on a worker; the request follows when that is done. `mask`, one channel
    /// over the canvas, stands for the selection.
    pub fn run_effect_on(&mut self, card: Card, mask: Option<TiledImage>) {
        self.ai.card = card;
        let settings = self.ai.effect(card);
        if card == Card::Select && settings.scratches {
            return self.find_scratches(false);
        }
        let Some(plan) = self.effect_plan(card, settings, mask) else { return };
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Reading pixels", None);
            let (task, goal) = plan.prepare()?;
            Ok(Outcome::Asked { task: Box::new(task), goal })
        });
    }

    /// Selects thin lines, or has them removed at once.
    pub fn find_scratches(&mut self, removes: bool) {
        let sensitivity = self.ai.effect(Card::Select).sensitivity;
        let Some(tab) = self.tab() else { return };
        let (tab, base) = (tab.id, tab.document().clone());
        self.spawn("Find scratches", move |reporter| {
            reporter.stage("Following lines", None);
            let pixels = compose::flatten(&base, base.size.rect());
            let mask = segment::scratches(&pixels, sensitivity);
            if !(0..mask.samples().len()).any(|at| mask.samples().get(at) > 0) {
                return Ok(Outcome::Said("No scratches were found".into()));
            }
            if removes {
                return Ok(Outcome::Scratches { tab, mask: TiledImage::from_buf(&mask) });
            }
            let step = subject::select(&base, "Select scratches", &mask);
            Ok(Outcome::Step { tab, base, step, notices: Vec::new() })
        });
    }

    /// Sets a card; what moves a slider sees at once what becomes of the picture.
    pub fn set_effect(&mut self, card: Card, settings: EffectSettings) {
        let before = self.ai.effect(card);
        let looks_other = before.looks_unlike(&settings);
        self.ai.effects.insert(card, settings);
        if looks_other && self.trials.open.is_none() {
            self.preview_effect(card);
        }
    }

    /// What a card would do now with some settings; `None` where it cannot, which was said.
    pub(super) fn effect_plan(
        &mut self,
        card: Card,
        mut settings: EffectSettings,
        mask: Option<TiledImage>,
    ) -> Option<EffectPlan> {
        // What was painted over is another thing than what the layer was made for.
        let editing = self.ai.editing.as_ref().filter(|open| open.card == card && mask.is_none());
        let replaces = editing.map(|open| open.layer);
        if replaces.is_some() {
            settings.output = EffectOutput::NewLayer;
        }
        let in_place = settings.output == EffectOutput::InPlace;
        let missing = self.ai.refused.clone().or_else(|| self.ai.effect_refused(card));
        let refused = missing.or_else(|| self.pixels_refused().filter(|_| in_place));
        if let Some(reason) = refused {
            self.notices.warn(reason);
            return None;
        }
        let mut open = |id: Option<TabId>| {
            id.and_then(|id| self.tab_by_id(id)).map(|tab| tab.document().clone())
        };
        let rest = match settings.rest {
            Rest::Picture(tab) => Some(tab),
            Rest::Color | Rest::Present => None,
        };
        let (style, rest) = (open(settings.style_of), open(rest));
        let is_replaced = card == Card::Select && settings.found == Found::Replace;
        if is_replaced && matches!(settings.rest, Rest::Picture(_)) && rest.is_none() {
            self.notices.warn("The picture for the background is closed; choose another");
            return None;
        }
        let model = self.ai.effect_model(card).map(|model| model.manifest.clone());
        let reader = self.ai.models_for(Purpose::StyleVector).next();
        let reader = reader.map(|reader| reader.manifest.clone());
        let finders = self.ai.finders(&[Purpose::FaceDetect, Purpose::FaceLandmarks]);
        let tab = self.tab()?;
        let (tab, base) = (tab.id, tab.document().clone());
        let layer = replaces.and_then(|id| base.layer(id));
        let kept = layer.and_then(|layer| kept(layer));
        let mask = match layer {
            Some(layer) => layer.mask.as_ref().filter(|mask| mask.enabled).map(|mask| {
                let (x, y) = mask.origin;
                mask.image.reframed(base.size, x, y)
            }),
            None => mask.or_else(|| base.selection.clone()),
        };
        if card == Card::Remove && mask.is_none() && kept.is_none() {
            self.notices.warn("Select what is to be removed, then run again");
            return None;
        }
        let work = self.ai.work(card, &settings, base.size, base.size);
        let engine = std::sync::Arc::clone(&self.engine);
        Some(EffectPlan {
            tab,
            base,
            card,
            settings,
            model,
            reader,
            finders,
            mask,
            style,
            rest,
            replaces,
            kept,
            work,
            engine,
        })
    }

    /// Opens the card that made a layer as it was set; running it changes the layer.
    pub(super) fn reopen_card(&mut self, id: LayerId) {
        self.leave_editing();
        let Some(tab) = self.tab() else { return };
        let (tab, document) = (tab.id, tab.document().clone());
        let Some(layer) = document.layer(id) else { return };
        let LayerKind::Generated(made) = &layer.kind else { return };
        let Some(card) = card_of(&made.recipe) else {
            return self.notices.info("Nothing is known of how this layer was made");
        };
        self.close_trial();
        self.dock = Dock::Ai;
        self.panels_hidden = false;
        self.ai.card = card;
        let missing = self.ai.model_of(&made.recipe).err();
        if card == Card::Upscale {
            self.ai.upscale.follow(&made.recipe);
            if missing.is_some() {
                self.ai.upscale.model = None;
            }
        } else {
            let before = self.ai.effect(card);
            let mut settings = EffectSettings::from_recipe(card, &made.recipe);
            let is_mask = card == Card::Select && settings.found.is_mask();
            if !is_mask {
                settings.strength = layer.props.opacity;
            }
            settings.rest = Rest::Present;
            if missing.is_some() {
                settings.model = None;
            }
            self.ai.effects.insert(card, settings);
            // A document that a card has made holds nothing of what it was made of.
            if is_mask || !below(&document, id, false).layers.is_empty() {
                let keeps = made.attachment.is_some();
                self.ai.editing = Some(Editing { tab, layer: id, card, keeps, before });
            }
        }
        if let Some(reason) = missing {
            self.notices.warn(reason);
        }
    }

    /// The card is set as it was, and its next result is a layer of its own.
    pub fn leave_editing(&mut self) {
        if let Some(Editing { card, before, .. }) = self.ai.editing.take() {
            self.ai.effects.insert(card, before);
        }
    }

    /// A layer is edited while it is there and its card is open. Called each frame.
    pub fn update_editing(&mut self) {
        let Some(open) = &self.ai.editing else { return };
        let is_open = self.dock == Dock::Ai && self.ai.card == open.card;
        let is_there = self.tab().is_some_and(|tab| {
            let layer = tab.document().layer(open.layer).filter(|_| tab.id == open.tab);
            layer.is_some_and(|layer| matches!(layer.kind, LayerKind::Generated(_)))
        });
        if !is_open || !is_there {
            self.leave_editing();
        }
    }
}
