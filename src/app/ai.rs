//! The AI panel's side of the inference service: settings, models, running requests.

use std::collections::HashMap;

use super::editing::Editing;
use super::effects::EffectSettings;
use super::goal::Goal;
use super::jobs::{JobId, Jobs, Latest, Wake};
use super::latent::{Frame, Want};
use super::pace::Pace;
use super::state::Outcome;
use crate::document::Document;
use crate::infer::directions;
use crate::infer::plan::{self, DefaultModel, Preflight};
use crate::infer::protocol::{self, Event, Lane, ModelRef, Task};
use crate::infer::service::Service;
use crate::infer::upscale::SCALES;
use crate::latent::DirectionSet;
use crate::latent::random::SplitMix64;
use crate::nets::LatentSpace;
use crate::zoo::{Capability, Library, Manifest, Purpose};

/// An installed model with what detection says about its file.
#[derive(Clone, Debug)]
pub struct ModelCard {
    pub manifest: Manifest,
    pub capability: Result<Capability, String>,
    /// What a generator draws from.
    pub space: Option<LatentSpace>,
    /// Directions that came with it.
    pub directions: Option<DirectionSet>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpscaleOutput {
    NewDocument,
    WholeDocument,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UpscaleSettings {
    /// `None` leaves the choice to the plan.
    pub model: Option<String>,
    /// `1..=4`
    pub scale: f32,
    /// `None` leaves the choice to the plan.
    pub tile: Option<u32>,
    pub output: UpscaleOutput,
}

impl UpscaleSettings {
    /// What made a picture, for showing and doing it again.
    pub fn to_recipe(&self, by: &str) -> serde_json::Value {
        let (tool, scale, tile) = (Card::Upscale.title(), self.scale, self.tile);
        serde_json::json!({ "tool": tool, "model": by, "scale": scale, "tile": tile })
    }

    /// Takes what a recipe says.
    pub fn follow(&mut self, recipe: &serde_json::Value) {
        let number = |key: &str| recipe.get(key).and_then(serde_json::Value::as_f64);
        self.model = recipe.get("model").and_then(|id| id.as_str().map(str::to_owned));
        self.scale = number("scale")
            .map_or(self.scale, |scale| (scale as f32).clamp(*SCALES.start(), *SCALES.end()));
        self.tile = number("tile").map(|tile| plan::clamp_tile(tile.clamp(0.0, 1e6) as u32));
    }
}

/// One tool of the panel. The open one is what Ctrl+Enter runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Card {
    Remove,
    Select,
    Denoise,
    Light,
    RestoreFace,
    Colorize,
    Style,
    Translate,
    Upscale,
}

impl Card {
    /// In the order of the panel.
    pub const ALL: [Self; 9] = [
        Self::Remove,
        Self::Select,
        Self::Denoise,
        Self::Light,
        Self::RestoreFace,
        Self::Colorize,
        Self::Style,
        Self::Translate,
        Self::Upscale,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Remove => "Remove",
            Self::Select => "Select subject",
            Self::Denoise => "Denoise",
            Self::Light => "Light up",
            Self::RestoreFace => "Restore face",
            Self::Colorize => "Colourise",
            Self::Style => "Style transfer",
            Self::Translate => "Translate",
            Self::Upscale => "Upscale",
        }
    }

    /// What it does, in one line.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Remove => "Select something and it is gone: the surroundings are continued",
            Self::Select => "Finds the person in the picture and selects them",
            Self::Denoise => "Takes the grain out and keeps the edges",
            Self::Light => "Lights a dark picture",
            Self::RestoreFace => "Redraws blurred or damaged faces",
            Self::Colorize => "Gives colours to a grey picture",
            Self::Style => "Repaints the picture in another style",
            Self::Translate => "Turns the picture into one of another kind",
            Self::Upscale => "Enlarges the picture and draws the detail",
        }
    }

    /// What a model must be for.
    pub const fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::Remove => &[Purpose::Inpaint, Purpose::Generate],
            Self::Select => &[Purpose::Segment],
            Self::Denoise => &[Purpose::Denoise],
            Self::Light => &[Purpose::Light],
            Self::RestoreFace => &[Purpose::RestoreFace],
            Self::Colorize => &[Purpose::Colorize],
            Self::Style => &[Purpose::Style, Purpose::StyleTransfer, Purpose::Features],
            Self::Translate => &[Purpose::Translate],
            Self::Upscale => &[Purpose::Upscale],
        }
    }
}

/// What a running request is for.
pub struct Running {
    /// Its chip.
    pub job: Option<JobId>,
    pub goal: Goal,
    inner: protocol::JobId,
}

pub struct Ai {
    service: Option<Service>,
    /// Why no network can run.
    pub refused: Option<String>,
    /// Whether networks run on a graphics card.
    pub on_gpu: bool,
    folders: Library,
    library: Latest<Library, (Vec<ModelCard>, Vec<String>)>,
    pub models: Vec<ModelCard>,
    /// Faults of the model folder, until they were shown.
    pub faults: Vec<String>,
    pub upscale: UpscaleSettings,
    /// Settings of the cards that were changed.
    pub effects: HashMap<Card, EffectSettings>,
    pub card: Card,
    /// The layer that the open card changes.
    pub editing: Option<Editing>,
    pub running: HashMap<protocol::JobId, Running>,
    /// How long what no plan tells has taken.
    pub pace: Pace,
    /// What a running card has made so far.
    pub so_far: Option<(protocol::JobId, Frame)>,
}

impl Ai {
    /// `service` may be missing, with the reason.
    pub fn new(
        wake: &Wake,
        library: Library,
        service: Result<Service, String>,
        on_gpu: bool,
    ) -> Result<Self, std::io::Error> {
        let mut cards = Latest::spawn("model library", wake.clone(), |library| read(&library))?;
        cards.ask(library.clone());
        let (service, refused) = match service {
            Ok(service) => (Some(service), None),
            Err(reason) => (None, Some(reason)),
        };
        Ok(Self {
            service,
            refused,
            on_gpu,
            folders: library,
            library: cards,
            models: Vec::new(),
            faults: Vec::new(),
            upscale: UpscaleSettings {
                model: None,
                scale: 2.0,
                tile: None,
                output: UpscaleOutput::NewDocument,
            },
            effects: HashMap::new(),
            card: Card::Upscale,
            editing: None,
            running: HashMap::new(),
            pace: Pace::default(),
            so_far: None,
        })
    }

    /// Takes what the library and the inference thread have said.
    pub fn update(&mut self) -> Vec<Event> {
        if let Some((models, faults)) = self.library.answer() {
            self.models = models;
            self.faults = faults;
        }
        let mut events = Vec::new();
        while let Some(event) = self.service.as_mut().and_then(Service::try_event) {
            events.push(event);
        }
        events
    }

    /// Where models lie.
    pub const fn library(&self) -> &Library {
        &self.folders
    }

    /// Lists the models anew.
    pub fn read_library(&mut self) {
        self.library.ask(self.folders.clone());
    }

    pub fn models_for(&self, purpose: Purpose) -> impl Iterator<Item = &ModelCard> + Clone {
        self.models.iter().filter(move |model| model.manifest.purpose == purpose)
    }

    /// The first installed network for each purpose; `None` where one is missing.
    pub fn finders(&self, purposes: &[Purpose]) -> Option<Vec<(Purpose, ModelRef)>> {
        let find = |purpose: &Purpose| {
            let card = self.models_for(*purpose).next()?;
            Some((*purpose, ModelRef::Id(card.manifest.id.clone())))
        };
        purposes.iter().map(find).collect()
    }

    fn card_of(&self, id: &str) -> Option<&ModelCard> {
        self.models.iter().find(|model| model.manifest.id == id)
    }

    /// The upscaler that would run for `document`, with a note where the plan chose it.
    pub fn upscaler(&self, document: &Document) -> Option<(&ModelCard, Option<&'static str>)> {
        if let Some(id) = &self.upscale.model {
            return self.card_of(id).map(|card| (card, None));
        }
        let photo = self.card_of(plan::PHOTO_MODEL);
        let seconds = photo.and_then(|card| self.estimate(card, document)?.seconds);
        let DefaultModel { id, note } = plan::default_model(self.on_gpu, seconds);
        let chosen = self.card_of(id).map(|card| (card, note));
        chosen.or_else(|| self.models_for(Purpose::Upscale).next().map(|card| (card, None)))
    }

    /// The generator of this id, or the first that came with sliders, or whose layers codes steer,
    /// or any.
    pub fn generator(&self, id: Option<&str>) -> Option<&ModelCard> {
        let steered = |card: &&ModelCard| card.space.as_ref().is_some_and(|space| space.has_w);
        let mut all = self.models_for(Purpose::Generate);
        match id {
            Some(id) => self.card_of(id),
            None => {
                let with_sliders = all.clone().find(|card| card.directions.is_some());
                with_sliders.or_else(|| all.clone().find(steered)).or_else(|| all.next())
            }
        }
    }

    /// What enlarging `document` with `card` would take.
    pub fn estimate(&self, card: &ModelCard, document: &Document) -> Option<Preflight> {
        let capability = card.capability.as_ref().ok()?;
        let tile =
            self.upscale.tile.map_or_else(|| plan::default_tile(capability), plan::clamp_tile);
        let speed = self.service.as_ref().and_then(Service::speed);
        let (size, bytes) = (document.size, document.depth.bytes());
        Some(plan::preflight(capability, size, bytes, self.upscale.scale, tile, speed))
    }

    /// What changing `document` with `card` would take.
    pub fn estimate_change(&self, card: &ModelCard, document: &Document) -> Option<Preflight> {
        let capability = card.capability.as_ref().ok()?;
        let speed = self.service.as_ref().and_then(Service::speed);
        let (size, bytes) = (document.size, document.depth.bytes());
        Some(plan::preflight_change(capability, size, bytes, speed))
    }

    /// Hands a task to the inference thread and lists it among the jobs.
    pub fn submit(
        &mut self,
        jobs: &mut Jobs<Outcome>,
        task: Task,
        goal: Goal,
    ) -> Result<(), String> {
        let inner = self.hand_over(Lane::Commit, task)?;
        let expected = match &goal {
            Goal::Upscale { base, .. } => {
                let chosen = self.upscaler(base);
                chosen.and_then(|(card, _)| self.estimate(card, base)?.seconds)
            }
            Goal::Effect(effect) => self.expected(effect.card, &effect.base, effect.work),
            _ => None,
        };
        let job = Some(jobs.adopt(goal.name(), expected));
        self.running.insert(inner, Running { job, goal, inner });
        Ok(())
    }

    /// Hands over what is only looked at: a newer one takes its place, and no chip shows it.
    pub fn submit_quietly(&mut self, task: Task, goal: Goal) -> Result<(), String> {
        let inner = self.hand_over(Lane::Preview, task)?;
        self.running.insert(inner, Running { job: None, goal, inner });
        Ok(())
    }

    fn hand_over(&mut self, lane: Lane, task: Task) -> Result<protocol::JobId, String> {
        let service = self.service.as_mut().ok_or_else(|| {
            self.refused.clone().unwrap_or_else(|| "no network can run here".into())
        })?;
        let submitted = service.submit(lane, None, task).map_err(|err| err.to_string())?;
        Ok(submitted.id)
    }

    /// Stops what variants still ask for.
    pub fn cancel_trials(&self) {
        self.cancel_where(|goal| matches!(goal, Goal::Trial { .. }));
    }

    /// Ends a drag with the latest step.
    pub fn cancel_drag(&self) {
        self.cancel_where(|goal| matches!(goal, Goal::Look(Want::Dragged)));
    }

    fn cancel_where(&self, is_meant: impl Fn(&Goal) -> bool) {
        let Some(service) = &self.service else { return };
        let meant = self.running.values().filter(|running| is_meant(&running.goal));
        meant.for_each(|running| service.cancel(running.inner));
    }

    /// What the running request of a card has made so far.
    pub fn so_far(&self, card: Card) -> Option<&Frame> {
        let (job, frame) = self.so_far.as_ref()?;
        let running = self.running.get(job)?;
        matches!(&running.goal, Goal::Effect(effect) if effect.card == card).then_some(frame)
    }

    /// Asks the request behind a chip to stop; whether there was one.
    pub fn cancel(&mut self, job: JobId) -> bool {
        let running = self.running.values().find(|running| running.job == Some(job));
        let Some((running, service)) = running.zip(self.service.as_ref()) else { return false };
        service.cancel(running.inner);
        true
    }
}

fn read(library: &Library) -> (Vec<ModelCard>, Vec<String>) {
    let (models, faults) = library.list();
    let mut faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let cards = models
        .into_iter()
        .map(|model| {
            let detected = crate::zoo::open_network(&model.weights);
            let detected = detected.map(|(_, detected)| detected.spec);
            let space = detected.as_ref().ok().and_then(|spec| spec.space());
            let hash = &model.manifest.sha256;
            let beside = |space| match directions::beside(&model.weights, space, hash) {
                Ok(directions) => directions,
                Err(fault) => {
                    faults.push(fault);
                    None
                }
            };
            ModelCard {
                directions: space.as_ref().and_then(beside),
                space,
                capability: detected.map(|spec| spec.capability()).map_err(|err| err.to_string()),
                manifest: model.manifest,
            }
        })
        .collect();
    (cards, faults)
}

/// A seed that was not used before, from the clock's low digits.
pub fn random_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = now.map_or(0, |now| now.as_nanos() as u64);
    // Mixed, so that neighbouring instants give far seeds.
    SplitMix64::new(nanos).bits() % 1_000_000
}
