//! The AI tools that change the picture in front: what is asked, as it stands when it is asked.

use crate::app::ai::Card;
use crate::app::effects::{EffectOutput, EffectPlan};
use crate::app::state::{Model, Outcome};
use crate::pixels::TiledImage;
use crate::zoo::Purpose;

impl Model {
    /// Runs a card on the selection, or on everything.
    pub fn run_effect(&mut self, card: Card) {
        self.run_effect_on(card, None);
    }

    /// Reads the pixels on a worker; the request follows when that is done. `mask`, one channel
    /// over the canvas, stands for the selection.
    pub fn run_effect_on(&mut self, card: Card, mask: Option<TiledImage>) {
        self.ai.card = card;
        if let Some(reason) = self.ai.refused.clone().or_else(|| self.ai.effect_refused(card)) {
            return self.notices.warn(reason);
        }
        let settings = self.ai.effect(card);
        let in_place = settings.output == EffectOutput::InPlace;
        if let Some(reason) = self.pixels_refused().filter(|_| in_place) {
            return self.notices.warn(reason);
        }
        let style = settings.style_of.and_then(|id| self.tab_by_id(id));
        let style = style.map(|tab| tab.document().clone());
        let model = self.ai.effect_model(card).map(|model| model.manifest.clone());
        let reader = self.ai.models_for(Purpose::StyleVector).next();
        let reader = reader.map(|reader| reader.manifest.clone());
        let Some(tab) = self.tab() else { return };
        let (tab, base) = (tab.id, tab.document().clone());
        let mask = mask.or_else(|| base.selection.clone());
        if card == Card::Remove && mask.is_none() {
            return self.notices.warn("Select what is to be removed, then run again");
        }
        let engine = std::sync::Arc::clone(&self.engine);
        let plan = EffectPlan { tab, base, card, settings, model, reader, mask, style, engine };
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Reading pixels", None);
            let (task, goal) = plan.prepare()?;
            Ok(Outcome::Asked { task: Box::new(task), goal })
        });
    }
}
