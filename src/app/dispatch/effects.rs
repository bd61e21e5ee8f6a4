//! The AI tools that change the picture in front: what is asked, as it stands when it is asked.

use crate::app::ai::Card;
use crate::app::effects::{EffectOutput, EffectPlan, EffectSettings};
use crate::app::state::{Model, Outcome};
use crate::pixels::TiledImage;
use crate::segment::What;
use crate::zoo::Purpose;

impl Model {
    /// Selects what is in front, whatever the card is set to find.
    pub fn select_subject(&mut self) {
        let settings = EffectSettings { what: What::Subject, ..self.ai.effect(Card::Select) };
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
        let Some(plan) = self.effect_plan(card, self.ai.effect(card), mask) else { return };
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Reading pixels", None);
            let (task, goal) = plan.prepare()?;
            Ok(Outcome::Asked { task: Box::new(task), goal })
        });
    }

    /// What a card would do now with some settings; `None` where it cannot, which was said.
    pub(super) fn effect_plan(
        &mut self,
        card: Card,
        settings: EffectSettings,
        mask: Option<TiledImage>,
    ) -> Option<EffectPlan> {
        let in_place = settings.output == EffectOutput::InPlace;
        let missing = self.ai.refused.clone().or_else(|| self.ai.effect_refused(card));
        let refused = missing.or_else(|| self.pixels_refused().filter(|_| in_place));
        if let Some(reason) = refused {
            self.notices.warn(reason);
            return None;
        }
        let style = settings.style_of.and_then(|id| self.tab_by_id(id));
        let style = style.map(|tab| tab.document().clone());
        let model = self.ai.effect_model(card).map(|model| model.manifest.clone());
        let reader = self.ai.models_for(Purpose::StyleVector).next();
        let reader = reader.map(|reader| reader.manifest.clone());
        let finders = self.ai.finders(&[Purpose::FaceDetect, Purpose::FaceLandmarks]);
        let tab = self.tab()?;
        let (tab, base) = (tab.id, tab.document().clone());
        let mask = mask.or_else(|| base.selection.clone());
        if card == Card::Remove && mask.is_none() {
            self.notices.warn("Select what is to be removed, then run again");
            return None;
        }
        let engine = std::sync::Arc::clone(&self.engine);
        Some(EffectPlan { tab, base, card, settings, model, reader, finders, mask, style, engine })
    }
}
