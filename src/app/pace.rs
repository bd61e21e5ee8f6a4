//! What can only be told from what came before: how long fills by patches and paintings by
//! optimisation take here.

use super::ai::{Ai, Card};
use super::effects::{EffectSettings, is_search};
use crate::geom::Size;
use crate::infer::plan::Seconds;
use crate::zoo::Purpose;

/// Longest side that is painted by optimisation.
const PAINTED_SIDE: f32 = 640.0;

/// Work whose time is measured, in units of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// Pixels of the box around a hole.
    Fill(f32),
    /// Pixels times steps.
    Paint(f32),
}

/// Seconds for a unit of work, as it was the last time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    fill: Option<f32>,
    paint: Option<f32>,
}

impl Pace {
    pub fn note(&mut self, work: Work, seconds: f32) {
        let (known, amount) = match work {
            Work::Fill(pixels) => (&mut self.fill, pixels),
            Work::Paint(amount) => (&mut self.paint, amount),
        };
        *known = Some(seconds / amount.max(1.0));
    }

    /// Seconds that it will take, once some was measured.
    pub fn seconds(&self, work: Work) -> Option<f32> {
        match work {
            Work::Fill(pixels) => self.fill.map(|pace| pace * pixels),
            Work::Paint(amount) => self.paint.map(|pace| pace * amount),
        }
    }
}

impl Ai {
    /// The work of a card over a picture of `size`, where it is of a kind that is measured; `hole`
    /// is the box around what is to be filled.
    pub fn work(
        &self,
        card: Card,
        settings: &EffectSettings,
        size: Size,
        hole: Size,
    ) -> Option<Work> {
        match (card, self.effect_model(card)) {
            (Card::Remove, None) => Some(Work::Fill(hole.pixels() as f32)),
            (Card::Style, Some(model)) if model.manifest.purpose == Purpose::Features => {
                let longest = size.width.max(size.height) as f32;
                let share = (PAINTED_SIDE / longest).min(1.0).powi(2);
                Some(Work::Paint(size.pixels() as f32 * share * settings.steps as f32))
            }
            _ => None,
        }
    }

    /// What is said before such work is begun.
    pub fn work_line(
        &self,
        card: Card,
        settings: &EffectSettings,
        size: Size,
        hole: Size,
    ) -> Option<String> {
        let work = self.work(card, settings, size, hole)?;
        let what = match work {
            Work::Fill(_) => format!("{hole} to fill"),
            Work::Paint(_) => format!("{size} · {} steps at each size", settings.steps),
        };
        Some(match self.pace.seconds(work) {
            Some(seconds) => format!("{what} · {}", Seconds(seconds)),
            None => format!("{what} · time not yet measured"),
        })
    }

    /// Seconds that a card will take over a picture of `size`, as far as can be said.
    pub fn expected(
        &self,
        card: Card,
        document: &crate::document::Document,
        work: Option<Work>,
    ) -> Option<f32> {
        if let Some(work) = work {
            return self.pace.seconds(work);
        }
        let model = self.effect_model(card).filter(|model| !is_search(model))?;
        self.estimate_change(model, document)?.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_work_takes_twice_the_time() {
        let mut pace = Pace::default();
        assert_eq!(pace.seconds(Work::Fill(10.0)), None);
        pace.note(Work::Fill(100.0), 2.0);
        assert_eq!(pace.seconds(Work::Fill(200.0)), Some(4.0));
        assert_eq!(pace.seconds(Work::Paint(200.0)), None);
    }
}
