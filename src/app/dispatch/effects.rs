//! The AI tools that change the picture in front: preparing pixels, asking, taking the result.

use crate::app::ai::{Card, Goal};
use crate::app::effects::{EffectOutput, EffectSettings, Prepared};
use crate::app::state::{Model, Outcome, TabId};
use crate::commands::results;
use crate::compose;
use crate::document::{Document, Edit, Metadata};
use crate::infer::protocol::Output;
use crate::pixels::{PixelBuf, TiledImage};

/// Longest side of a picture whose style is read: more is not seen.
const STYLE_SIDE: u32 = 512;

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
        let Some(tab) = self.tab() else { return };
        let (id, base) = (tab.id, tab.document().clone());
        let mask = mask.or_else(|| base.selection.clone());
        if card == Card::Remove && mask.is_none() {
            return self.notices.warn("Select what is to be removed, then run again");
        }
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Reading pixels", None);
            let prepared = prepare(&base, mask.as_ref(), in_place, style.as_ref());
            Ok(Outcome::Prepared { tab: id, base, card, prepared })
        });
    }

    /// Hands prepared pixels to the inference thread.
    pub fn submit_effect(&mut self, tab: TabId, base: Document, card: Card, prepared: Prepared) {
        let task = match self.ai.effect_task(card, base.profile.clone(), prepared.clone()) {
            Ok(task) => task,
            Err(reason) => return self.notices.warn(reason),
        };
        let (base, prepared) = (Box::new(base), Box::new(prepared));
        let goal = Goal::Effect { tab, base, card, prepared };
        if let Err(reason) = self.ai.submit(&mut self.jobs, card.title(), task, goal) {
            self.notices.warn(reason);
        }
    }

    /// Puts a result where its card says; onto a layer of its own where the pixels that it was
    /// computed from have changed meanwhile.
    pub fn accept_effect(
        &mut self,
        tab: TabId,
        base: &Document,
        card: Card,
        prepared: &Prepared,
        output: &Output,
    ) {
        let Some(pixels) = output.images.first() else { return };
        let (by, seconds) = (&output.model, output.seconds);
        if card == Card::Select {
            return self.select_found(tab, base, pixels);
        }
        let settings = self.ai.effect(card);
        let name = format!("{} ({by})", card.title());
        let index = self.tabs.iter().position(|known| known.id == tab);
        let Some(tab) = index.filter(|_| settings.output != EffectOutput::NewDocument) else {
            let profile = base.profile.clone();
            let document = Document::from_pixels(pixels, &name, profile, Metadata::default());
            self.add_tab(name, None, document);
            return;
        };
        let current = self.tabs[tab].document();
        let is_current = current.revision() == base.revision();
        let in_place = settings.output == EffectOutput::InPlace;
        let step = match base.active.filter(|_| in_place && is_current) {
            Some(layer) => results::in_place(current, layer, card.title(), pixels, prepared.origin),
            None => {
                let (shown, opacity) = match card {
                    Card::Remove => (results::changed_only(&prepared.pixels, pixels), 1.0),
                    _ => (pixels.clone(), settings.strength),
                };
                let recipe = recipe(card, by, &settings);
                Ok(results::new_layer(current, &name, &shown, prepared.origin, opacity, recipe))
            }
        };
        let session = &mut self.tabs[tab].session;
        session.commit();
        let done = step.map_err(|err| err.to_string()).and_then(|step| {
            session.perform(&step.label, step.edits).map_err(|err| err.to_string())
        });
        match done {
            Err(reason) => self.notices.error(format!("{name}: {reason}"), None),
            Ok(_) if in_place && !is_current => self.notices.warn(format!(
                "{name} is on a layer of its own: the picture had changed meanwhile"
            )),
            Ok(_) => self.notices.info(format!("{name}: {seconds:.1} s")),
        }
    }
}

impl Model {
    /// Selects what was found, as far as the canvas is still the one that was looked at.
    fn select_found(&mut self, tab: TabId, base: &Document, mask: &PixelBuf) {
        let Some(tab) = self.tab_by_id(tab).filter(|tab| tab.document().size == base.size) else {
            return self.notices.warn("Select subject: the canvas has changed meanwhile");
        };
        let mut selection = TiledImage::mask(base.size, 0);
        selection.write(mask, (0, 0));
        tab.session.commit();
        let edit = Edit::SetSelection(Some(selection));
        if let Err(err) = tab.session.perform(Card::Select.title(), [edit]) {
            self.notices.error(format!("Select subject: {err}"), None);
        }
    }
}

/// The pixels that a tool is to change: the active layer's, or what is seen.
fn prepare(
    base: &Document,
    mask: Option<&TiledImage>,
    in_place: bool,
    style: Option<&Document>,
) -> Prepared {
    let layer = base.active_layer().and_then(|layer| layer.raster_content());
    let (pixels, area) = match layer.filter(|_| in_place) {
        Some(raster) => (raster.image.to_buf(), raster.bounds()),
        None => (compose::flatten(base, base.size.rect()), base.size.rect()),
    };
    let mask = mask.map(|mask| mask.read(area));
    let style =
        style.map(|document| (compose::thumbnail(document, STYLE_SIDE), document.profile.clone()));
    Prepared { pixels, mask, origin: (area.x0, area.y0), style }
}

/// What made a layer, for showing and doing it again.
fn recipe(card: Card, by: &str, settings: &EffectSettings) -> serde_json::Value {
    let mut recipe = serde_json::json!({ "tool": card.title(), "model": by });
    match card {
        Card::Remove => {
            recipe["dilate_px"] = settings.dilate_px.into();
            recipe["feather_px"] = settings.feather_px.into();
            recipe["seed"] = settings.seed.into();
        }
        Card::Denoise => recipe["sigma"] = settings.sigma.into(),
        Card::Style => {
            recipe["styles"] = serde_json::json!(settings.styles);
            recipe["amount"] = settings.amount.into();
        }
        _ => {}
    }
    recipe
}
