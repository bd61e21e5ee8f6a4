//! Variants of a card: opened, computed one after the other, looked at, applied.

use crate::app::action::TrialAction;
use crate::app::ai::Card;
use crate::app::effects::is_search;
use crate::app::state::{Dock, Model};
use crate::app::trial::Trial;
use crate::zoo::Purpose;

impl Model {
    pub fn trial_action(&mut self, action: TrialAction) {
        match action {
            TrialAction::Open(card) => self.open_trial(card, true),
            TrialAction::Choose(at) => self.choose_variant(at),
            TrialAction::Step(by) => {
                let Some(trial) = &self.trials.open else { return };
                let count = trial.variants.len().max(1) as isize;
                self.choose_variant((trial.chosen as isize + by).rem_euclid(count) as usize);
            }
            TrialAction::Apply => {
                let Some(card) = self.trials.open.as_ref().map(|trial| trial.card) else { return };
                self.close_trial();
                self.run_effect(card);
            }
            TrialAction::Leave => {
                // The card is set as it was.
                if self.trials.open.as_ref().is_some_and(|trial| trial.has_strip) {
                    self.choose_variant(0);
                }
                self.close_trial();
            }
        }
    }

    /// Shows on a small copy what a card makes of the picture as it is set, where that can be seen
    /// there and takes no search.
    pub fn preview_effect(&mut self, card: Card) {
        let model = self.ai.effect_model(card);
        let is_quick = model.is_some_and(|model| !is_search(model));
        let can_run = self.tab().is_some() && self.ai.refused.is_none();
        if card.is_tried_small() && is_quick && can_run && self.ai.effect_refused(card).is_none() {
            self.open_trial(card, false);
        }
    }

    fn open_trial(&mut self, card: Card, has_strip: bool) {
        let settings = self.ai.effect(card);
        // Says what is missing, if something is.
        if self.effect_plan(card, settings.clone(), None).is_none() {
            return;
        }
        let model = self.ai.effect_model(card).filter(|m| m.manifest.purpose == Purpose::Style);
        let styles = model.and_then(|model| model.capability.as_ref().ok());
        let styles = styles.map_or(0, |capability| capability.vector as usize);
        let Some(tab) = self.tab() else { return };
        let of = tab.document().clone();
        let trial = Trial::new(tab.id, of, card, &settings, styles, has_strip, self.ai.on_gpu);
        self.close_trial();
        self.trials.open = Some(trial);
    }

    fn choose_variant(&mut self, at: usize) {
        let Some(trial) = &mut self.trials.open else { return };
        let Some(variant) = trial.variants.get(at) else { return };
        trial.chosen = at;
        self.ai.effects.insert(trial.card, variant.settings.clone());
    }

    pub(super) fn close_trial(&mut self) {
        self.trials.close();
        self.ai.cancel_trials();
    }

    /// Asks for what is to be tried next; a trial ends when its picture or its card is left.
    /// Called each frame.
    pub fn update_trials(&mut self) {
        if let Some((token, task, goal)) = self.trials.update()
            && self.ai.submit_quietly(*task, goal).is_err()
        {
            self.trials.give_up(token, None);
        }
        let Some(trial) = &self.trials.open else { return };
        let card = trial.card;
        let is_at_hand = self.dock == Dock::Ai && self.ai.card == card;
        let is_of = |tab: &crate::app::state::Tab| trial.is_of(tab.id, tab.document().revision());
        if !is_at_hand || !self.tab().is_some_and(is_of) {
            return self.close_trial();
        }
        if let Some(settings) = self.trials.next(&self.ai.effect(card)) {
            match self.effect_plan(card, settings, None) {
                Some(plan) => self.trials.prepare(plan),
                None => self.close_trial(),
            }
        }
    }
}
