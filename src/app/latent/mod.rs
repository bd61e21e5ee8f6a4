//! The Latent panel's side: what is set, what was drawn from it, what is asked next.

mod dragging;
mod job;
mod photo;
mod settings;
mod strip;

pub use dragging::Dragging;
pub use job::LatentJob;
pub use photo::{Photo, with_preview};
pub use settings::{Base, LatentOutput, LatentSettings};
pub use strip::{Shot, Strip};

use std::collections::HashMap;
use std::sync::Arc;

use photo::{Preview, Previewed};

use super::ai::ModelCard;
use super::jobs::{Latest, Wake};
use super::state::TabId;
use crate::color::WorkingProfile;
use crate::document::{Layer, LayerId};
use crate::infer::drag::{Drag, Dragged};
use crate::infer::protocol::{Choice, Drawing, Drawn, ModelRef, Render, Task};
use crate::latent::drag::Pull;
use crate::latent::{Code, Curve, Direction, DirectionSet, Edit, EditStack, Path, Tuning};
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::portrait::{Place, Recipe};

/// Pictures of the strip of variations.
pub const VARIATIONS: u64 = 6;
/// Steps of one drag, until it is asked for again.
const DRAG_STEPS: usize = 100;
/// Sigmas at which a direction is shown before it is named.
pub const STEPS: [f32; 5] = [-3.0, -1.5, 0.0, 1.5, 3.0];

/// A picture that was drawn, ready for the screen.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Straight RGBA.
    pub bytes: Arc<Vec<u8>>,
    pub size: [usize; 2],
}

impl Frame {
    pub fn of(picture: &PixelBuf) -> Self {
        let bytes =
            Arc::new(picture.to_depth(crate::pixels::Depth::U8).samples().as_bytes().to_vec());
        let size = picture.size();
        Self { bytes, size: [size.width as usize, size.height as usize] }
    }
}

/// What the panel shows of the code that is edited.
#[derive(Clone, Debug)]
pub struct Present {
    pub frame: Frame,
    /// Before everything that the settings do to it.
    pub base: Arc<Code>,
    pub code: Arc<Code>,
    pub seconds: f32,
}

/// What a request of the panel is for.
#[derive(Clone)]
pub enum Want {
    Present,
    Strip(Strip),
    /// Points that are dragged.
    Dragged,
    /// Directions for the model of this SHA-256.
    Discover {
        model: String,
    },
    /// The code of a face in a picture.
    Analysed(Source),
    /// The same, and the generator tuned to it.
    Tuned(Source),
    /// The generator's picture of a face that a layer remembers.
    Reopened(Box<Reopened>),
}

/// A layer with a face, opened again.
#[derive(Clone)]
pub struct Reopened {
    /// Without the layer.
    pub source: Source,
    pub layer: (TabId, LayerId),
    pub recipe: Recipe,
    pub place: Place,
    pub tuning: Option<Arc<Tuning>>,
}

/// The picture in which a face is looked for.
#[derive(Clone)]
pub struct Source {
    pub tab: TabId,
    pub profile: WorkingProfile,
    /// Everything over the canvas, RGBA in `profile`.
    pub image: Arc<PixelBuf>,
}

/// The layer that shows an edit on the canvas before it is one.
pub struct Shown {
    pub tab: TabId,
    pub layer: Arc<Layer>,
    /// Another for each.
    pub count: u64,
}

pub struct Latent {
    pub settings: LatentSettings,
    /// Directions that were found or loaded while the program runs, by the model's SHA-256.
    pub found: HashMap<String, DirectionSet>,
    pub present: Option<Present>,
    pub strip: Option<(Strip, Vec<Shot>)>,
    /// What was asked for last, so that the same is not asked twice.
    asked: Option<LatentSettings>,
    /// Why nothing is drawn.
    pub refused: Option<String>,
    pub dragging: Option<Dragging>,
    /// What the person likes and what not, of this model's pictures.
    pub choices: Vec<Choice>,
    /// Pictures to go from one to the next.
    pub path: Vec<(Frame, Arc<Code>)>,
    /// The face that is edited.
    pub photo: Option<Photo>,
    pub shown: Option<Shown>,
    pasting: Latest<Preview, Previewed>,
    /// The layer whose sliders these are; applying changes it.
    pub editing: Option<(TabId, LayerId)>,
}

impl Latent {
    /// # Errors
    /// No thread can be started.
    pub fn spawn(wake: &Wake) -> Result<Self, std::io::Error> {
        Ok(Self {
            settings: LatentSettings::default(),
            found: HashMap::new(),
            present: None,
            strip: None,
            asked: None,
            refused: None,
            dragging: None,
            choices: Vec::new(),
            path: Vec::new(),
            photo: None,
            shown: None,
            pasting: Latest::spawn("latent preview", wake.clone(), Preview::run)?,
            editing: None,
        })
    }

    /// The generator of the present picture: tuned, where the code was found with one that is.
    pub fn model(&self, card: &ModelCard) -> ModelRef {
        match &self.settings.base {
            Base::Code(code) => self.model_of(card, code),
            Base::Seed => ModelRef::Id(card.manifest.id.clone()),
        }
    }

    /// The generator of a code's picture.
    pub fn model_of(&self, card: &ModelCard, code: &Code) -> ModelRef {
        let tuning = self.photo.as_ref().and_then(|photo| photo.found.tuning.clone());
        let tuning = tuning.filter(|tuning| Some(tuning.sha256()) == code.tuning());
        ModelRef::Id(card.manifest.id.clone()).tuned_by(tuning)
    }

    /// The face whose code is edited.
    pub fn face(&self) -> Option<&Photo> {
        self.photo.as_ref().filter(|_| self.settings.base != Base::Seed)
    }

    /// Takes what was pasted for the canvas.
    pub fn update(&mut self) {
        while let Some(Previewed { tab, layer }) = self.pasting.answer() {
            match layer {
                Ok(layer) if self.face().is_some() => {
                    let count = self.shown.as_ref().map_or(0, |shown| shown.count) + 1;
                    self.shown = Some(Shown { tab, layer, count });
                }
                Ok(_) => {}
                Err(reason) => self.refused = Some(reason),
            }
        }
        if self.face().is_none() {
            self.shown = None;
        }
    }

    /// Takes a face over: its code is what is edited.
    pub fn take_photo(&mut self, photo: Photo) {
        let settings = &mut self.settings;
        settings.base = Base::Code(Arc::new(photo.found.code.clone()));
        settings.mixing.on = false;
        self.photo = Some(photo);
        self.shown = None;
        // The same sliders give another picture now.
        self.asked = None;
    }
    /// The directions for a model: those that came with it, then those that were found.
    pub fn directions<'a>(&'a self, card: &'a ModelCard) -> impl Iterator<Item = &'a Direction> {
        let own = card.directions.iter().flat_map(DirectionSet::directions);
        let found = self.found.get(&card.manifest.sha256);
        own.chain(found.into_iter().flat_map(DirectionSet::directions))
    }

    /// What the settings draw.
    pub fn drawing(&self, card: &ModelCard) -> Drawing {
        self.settings.drawing(self.directions(card))
    }

    /// The request for the present picture, where it is another one than was asked for last.
    pub fn ask(&mut self, card: &ModelCard) -> Option<Task> {
        if self.asked.as_ref() == Some(&self.settings) {
            return None;
        }
        self.asked = Some(self.settings.clone());
        Some(Task::Render(Render { model: self.model(card), drawings: vec![self.drawing(card)] }))
    }

    /// Adds directions to those of a model, in place of ones of the same name.
    pub fn keep(&mut self, model: &str, found: DirectionSet) {
        let Some(known) = self.found.get_mut(model) else {
            self.found.insert(model.to_owned(), found);
            return;
        };
        for direction in found.directions() {
            known.remove(direction.name());
            // Of one W: fits.
            let _ = known.add(direction.clone());
        }
    }

    /// After a request was not taken, or failed in a way that may pass.
    pub fn forget_asked(&mut self) {
        self.asked = None;
    }

    /// Shows on the canvas what an edit does to the photo.
    fn paste(&mut self, edited: &Arc<Planes>) {
        if let Some(photo) = self.face().cloned() {
            self.pasting.ask(Preview { photo, edited: Arc::clone(edited) });
        }
    }

    /// Takes what was drawn.
    pub fn take(&mut self, drawn: Drawn, seconds: f32) {
        let frame = Frame::of(&drawn.picture);
        self.paste(&drawn.planes);
        let (base, code) = (Arc::new(drawn.base), Arc::new(drawn.code));
        self.present = Some(Present { frame, base, code, seconds });
        self.refused = None;
    }

    /// Takes over the code and the sliders of a layer.
    pub fn reopen(&mut self, card: &ModelCard, recipe: Recipe, of: (TabId, LayerId)) {
        self.choose_model(Some(card.manifest.id.clone()));
        self.editing = Some(of);
        let Recipe { code, stack: EditStack { edits, independent, .. }, .. } = recipe;
        for edit in &edits {
            self.settings.turn(edit.direction.name(), edit.strength);
            if let Some(dial) = self.settings.dials.last_mut() {
                dial.on = edit.on;
            }
            self.settings.rows = edit.rows;
        }
        self.settings.independent = independent;
        self.settings.noise = code.noise;
        self.settings.base = Base::Code(Arc::new(code));
        self.settings.output = LatentOutput::NewLayer;
        // Directions that are not known here, or are others by now.
        let mut own = DirectionSet::new(edits.first().map_or(0, |edit| edit.direction.dim()));
        let unknown = |edit: &Edit| !self.directions(card).any(|known| *known == edit.direction);
        for edit in edits.iter().filter(|edit| unknown(edit)) {
            let _ = own.add(edit.direction.clone());
        }
        if !own.directions().is_empty() {
            self.keep(&card.manifest.sha256, own);
        }
    }

    /// Whether the person likes a picture of the strip, where they have said so.
    pub fn choice(&self, shot: &Shot) -> Option<bool> {
        let said = self.choices.iter().find(|choice| Arc::ptr_eq(&choice.code, &shot.code));
        said.map(|choice| choice.liked)
    }

    /// The person likes a picture of the strip, or does not; saying it again takes it back.
    pub fn choose(&mut self, at: usize, liked: bool) {
        let Some(shot) = self.strip.as_ref().and_then(|(_, shots)| shots.get(at)) else { return };
        let (code, before) = (Arc::clone(&shot.code), self.choice(shot));
        self.choices.retain(|choice| !Arc::ptr_eq(&choice.code, &code));
        if before != Some(liked) {
            self.choices.push(Choice { code, liked });
        }
    }

    /// Adds a point that is to be dragged in the present picture.
    pub fn pull(&mut self, pull: Pull, side: usize) {
        let Some(present) = &self.present else { return };
        let code = Arc::clone(&present.code);
        let keeps_rest = self.dragging.as_ref().is_none_or(|dragging| dragging.keeps_rest);
        match &mut self.dragging {
            // Points that are added later begin a new drag from where the last one has led to.
            Some(dragging) if dragging.steps.is_empty() && *dragging.code == *code => {
                dragging.pulls.push(pull);
            }
            _ => {
                let mut dragging = Dragging::new(code, side, keeps_rest);
                dragging.pulls.push(pull);
                self.dragging = Some(dragging);
            }
        }
    }

    /// The request that goes on with the drag.
    pub fn drag(&mut self, card: &ModelCard) -> Option<Task> {
        let model = self.model(card);
        let dragging = self.dragging.as_mut().filter(|d| !d.pulls.is_empty() && !d.is_running)?;
        dragging.is_running = true;
        Some(Task::Drag(Drag {
            model,
            code: Arc::clone(&dragging.code),
            pulls: dragging.pulls.clone(),
            mask: dragging.mask(),
            from: dragging.steps.last().cloned(),
            steps: DRAG_STEPS,
            options: None,
            feature_side: None,
        }))
    }

    /// Takes a step of the drag: its code is what is edited now.
    pub fn take_step(&mut self, step: Arc<Dragged>) {
        if let Some(dragging) = &mut self.dragging {
            dragging.take(Arc::clone(&step));
            self.show_step(&step);
        }
    }

    /// Takes the last step of the drag back.
    pub fn undo_step(&mut self) {
        let Some(dragging) = self.dragging.as_mut().filter(|dragging| !dragging.is_running) else {
            return;
        };
        dragging.steps.pop();
        match dragging.steps.last().cloned() {
            Some(step) => self.show_step(&step),
            None => {
                self.settings.base = Base::Code(Arc::clone(&dragging.code));
                self.settings.dials.clear();
            }
        }
    }

    /// The drag has come to an end, or to a pause.
    pub fn end_drag(&mut self) {
        if let Some(dragging) = &mut self.dragging {
            dragging.is_running = false;
        }
    }

    fn show_step(&mut self, step: &Dragged) {
        let code = Arc::new(step.code.clone());
        let settings = &mut self.settings;
        settings.base = Base::Code(Arc::clone(&code));
        // They are in the code already.
        settings.dials.clear();
        settings.mixing.on = false;
        self.asked = Some(settings.clone());
        self.paste(&step.planes);
        let (base, frame) = (Arc::clone(&code), Frame::of(&step.picture));
        self.present = Some(Present { frame, base, code, seconds: 0.0 });
    }

    /// Puts the present picture at the end of the path.
    pub fn add_to_path(&mut self) {
        if let Some(present) = &self.present {
            self.path.push((present.frame.clone(), Arc::clone(&present.code)));
        }
    }

    /// Calls a direction that was found by another name.
    ///
    /// # Errors
    /// Why it cannot be called so.
    pub fn rename(&mut self, model: &str, from: &str, to: &str) -> Result<(), String> {
        let set = self.found.get_mut(model).ok_or("Only directions that were found are renamed")?;
        let direction = set.get(from).and_then(|direction| direction.renamed(to));
        let direction = direction.map_err(|err| err.to_string())?;
        set.add(direction).map_err(|err| err.to_string())?;
        set.remove(from);
        let strength = self.settings.strength(from);
        self.settings.turn(from, 0.0);
        self.settings.turn(to, strength);
        if let Some((Strip::Direction(name), _)) = &mut self.strip {
            *name = to.to_owned();
        }
        Ok(())
    }

    /// The code at a place of the path, `0..=1`; `None` while it has less than two pictures.
    pub fn along_path(&self, at: f64) -> Option<Code> {
        let keys: Vec<Code> = self.path.iter().map(|(_, code)| (**code).clone()).collect();
        if keys.len() < 2 {
            return None;
        }
        Path::new(&keys, Curve::default(), false).and_then(|path| path.at(at)).ok()
    }

    /// Shows what a search has so far.
    pub fn watch(&mut self, picture: &PixelBuf) {
        if let Some(present) = &mut self.present {
            present.frame = Frame::of(picture);
        }
    }

    /// Another model: its codes and directions are others.
    pub fn choose_model(&mut self, id: Option<String>) {
        let settings = &mut self.settings;
        settings.model = id;
        settings.base = Base::Seed;
        settings.dials.clear();
        settings.mixing.on = false;
        settings.class = None;
        self.editing = None;
        (self.present, self.strip) = (None, None);
        self.path.clear();
        self.choices.clear();
        self.dragging = None;
        (self.photo, self.shown) = (None, None);
    }
}
