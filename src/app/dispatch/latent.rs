//! The Latent panel: asks for pictures as its settings change, takes what was drawn, makes a layer.

use std::sync::Arc;

use crate::app::action::LatentAction;
use crate::app::ai::{ModelCard, random_seed};
use crate::app::draft;
use crate::app::files;
use crate::app::goal::Goal;
use crate::app::latent::{
    Base, LatentJob, LatentSettings, Photo, Reopened, Shot, Source, Strip, Want,
};
use crate::app::state::{Dock, Model, Outcome};
use crate::cli::report::sentence;
use crate::compose;
use crate::document::{LayerId, LayerKind};
use crate::geom::Point;
use crate::infer::aids::Aids;
use crate::infer::protocol::{
    Analyse, Analysed, Discover, Drawing, Method, ModelRef, Origin, Output, Render, Task,
};
use crate::latent::Tuning;
use crate::latent::invert::Options;
use crate::nets::Planes;
use crate::portrait::Recipe;
use crate::zoo::Purpose;

/// Directions that a search looks for.
const FOUND: usize = 10;
/// Said where a layer cannot be drawn as it was.
const NOT_AS_TUNED: &str = "The tuned generator of this layer is missing, or another one";

/// How a photo is analysed.
#[derive(Clone, Copy, PartialEq)]
enum Search {
    /// From the mean of W on.
    Anew,
    /// From the face's code on.
    On,
    /// The code stays, and the generator is tuned around it.
    Tune,
}

impl Model {
    pub fn latent_action(&mut self, action: LatentAction) {
        use LatentAction as A;
        match action {
            A::Set(settings) => self.set_latent(*settings),
            A::StepSeed(step) => self.step_seed(step),
            A::AskStrip(strip) => self.ask_strip(strip),
            A::Reopen(layer) => self.reopen_recipe(layer),
            A::Analyse => self.analyse_photo(None, Search::Anew),
            A::Refine => self.look_on(Search::On),
            A::Tune => self.look_on(Search::Tune),
            A::TakeFace(at) => {
                let face = self.latent.face().and_then(|photo| photo.found.faces.get(at));
                self.analyse_photo(face.map(|face| face.centre()), Search::Anew);
            }
            A::LeavePhoto => self.latent.settings.base = Base::Seed,
            A::LeaveLayer => self.latent.editing = None,
            A::TakeShot(at) => self.take_shot(at),
            A::Pull(pull) => {
                let side = self.generator().and_then(|card| Some(card.space.as_ref()?.side));
                self.latent.pull(pull, side.unwrap_or(0));
            }
            A::KeepRest(keeps) => {
                if let Some(dragging) = &mut self.latent.dragging {
                    dragging.keeps_rest = keeps;
                }
            }
            A::Drag => self.drag_points(),
            A::PauseDrag => self.ai.cancel_drag(),
            A::UndoDrag => self.latent.undo_step(),
            A::ForgetPulls => {
                self.ai.cancel_drag();
                self.latent.dragging = None;
            }
            A::Choose { at, liked } => self.latent.choose(at, liked),
            A::ForgetChoices => self.latent.choices.clear(),
            A::AddToPath => self.latent.add_to_path(),
            A::TakeOffPath(at) => {
                if at < self.latent.path.len() {
                    self.latent.path.remove(at);
                }
            }
            A::GoAlongPath(at) => self.go_along_path(at),
            A::FindDirections(method) => self.find_directions(method),
            A::Rename { from, to } => self.rename_direction(&from, &to),
            A::SaveDirections => self.save_directions(),
            A::Apply => self.apply_latent(),
        }
    }

    /// The generator of the Latent panel.
    pub fn generator(&self) -> Option<&ModelCard> {
        self.ai.generator(self.latent.settings.model.as_deref())
    }

    fn set_latent(&mut self, settings: LatentSettings) {
        if settings.model != self.latent.settings.model {
            self.latent.choose_model(settings.model);
        } else {
            self.latent.settings = settings;
        }
    }

    /// Another seed: the next, the one before, or any.
    pub fn step_seed(&mut self, step: Option<i64>) {
        let settings = &mut self.latent.settings;
        settings.base = Base::Seed;
        settings.seed = match step {
            Some(step) => settings.seed.saturating_add_signed(step),
            None => random_seed(),
        };
    }

    /// Asks for the picture of the present settings, where it is another one. Called each frame
    /// while the panel is open.
    pub fn update_latent(&mut self) {
        let Some(card) = self.ai.generator(self.latent.settings.model.as_deref()) else { return };
        let Some(task) = self.latent.ask(card) else { return };
        if self.ai.submit_quietly(task, Goal::Look(Want::Present)).is_err() {
            self.latent.forget_asked();
        }
    }

    /// Opens what made a layer: the sliders that this panel has set, or the card of a tool.
    fn reopen_recipe(&mut self, id: LayerId) {
        let Some(tab) = self.tab() else { return };
        let tab_id = tab.id;
        let Some(layer) = tab.document().layer(id) else { return };
        let LayerKind::Generated(generated) = &layer.kind else { return };
        let json = Arc::clone(&generated.recipe);
        let recipe = match Recipe::from_json(&json) {
            Ok(Some(recipe)) => recipe,
            Ok(None) => return self.reopen_card(id),
            Err(err) => return self.notices.warn(sentence(&err)),
        };
        let card = self.ai.models.iter().find(|card| card.manifest.sha256 == recipe.code.model());
        let Some(card) = card.cloned() else {
            let model = recipe.model;
            let text = format!("The model of this layer, {model}, is not installed as it was");
            return self.notices.warn(text);
        };
        let (layer, tuned) = ((tab_id, id), generated.attachment.clone());
        if recipe.code.tuning().is_some() && (tuned.is_none() || recipe.place.is_none()) {
            return self.notices.warn(NOT_AS_TUNED);
        }
        self.dock = Dock::Latent;
        self.panels_hidden = false;
        let Some(place) = recipe.place.clone() else {
            return self.latent.reopen(&card, recipe, layer);
        };
        self.with_picture(Some(id), move |source| {
            let code = &recipe.code;
            let tuning = match tuned.filter(|_| code.tuning().is_some()) {
                Some(file) => Some(Arc::new(Tuning::from_file(file).map_err(|e| sentence(&e))?)),
                None => None,
            };
            let is_other = |tuning: &Arc<Tuning>| {
                (Some(tuning.sha256()), tuning.model()) != (code.tuning(), code.model())
            };
            if tuning.as_ref().is_some_and(is_other) {
                return Err(NOT_AS_TUNED.into());
            }
            let model = ModelRef::Id(card.manifest.id).tuned_by(tuning.clone());
            let drawing = Drawing::plain(Origin::Code(Arc::new(code.clone())));
            let task = Task::Render(Render { model, drawings: vec![drawing] });
            let reopened = Reopened { source, layer, recipe, place, tuning };
            Ok((task, Want::Reopened(Box::new(reopened))))
        });
    }

    /// Looks on where the face is.
    fn look_on(&mut self, search: Search) {
        let Some(photo) = self.latent.face() else { return };
        let (x, y) = photo.found.crop.photo_from_unit().apply(0.5, 0.5);
        self.analyse_photo(Some(Point::new(x as f32, y as f32)), search);
    }

    /// The layer of the picture in front whose sliders these are.
    fn edited_layer(&self) -> Option<LayerId> {
        let (tab, layer) = self.latent.editing?;
        self.tab().filter(|front| front.id == tab).map(|_| layer)
    }

    /// Looks for a face in the picture in front and for the code that draws it: the largest, or
    /// the one at a place.
    fn analyse_photo(&mut self, near: Option<Point>, search: Search) {
        let Some(card) = self.generator() else {
            return self.notices.warn("No generator is installed");
        };
        let model = ModelRef::Id(card.manifest.id.clone());
        let settings = &self.latent.settings;
        let template = settings.template;
        let (steps, editability) = (settings.steps, settings.editability);
        let mut options = Options { steps, editability, ..Options::default() };
        if search == Search::Tune {
            // One look, and no random step: the code is what it was.
            let pivotal_steps = settings.tuning_steps;
            options = Options { steps: 1, exploration: 0.0, pivotal_steps, ..options };
        }
        let start = self.latent.face().filter(|_| search != Search::Anew);
        let start = start.map(|photo| Arc::new(photo.found.code.clone()));
        let finders = self.ai.finders(&[Purpose::FaceDetect, Purpose::FaceLandmarks]);
        let Some(finders) = finders else {
            return self.notices.warn("No model that finds faces is installed");
        };
        let library = self.ai.library().clone();
        self.with_picture(self.edited_layer(), move |source| {
            let task = Analyse {
                image: Arc::clone(&source.image),
                profile: source.profile.clone(),
                finders,
                template,
                aids: Aids::installed(&library, &model),
                model,
                near,
                start,
                options,
            };
            let want = if search == Search::Tune { Want::Tuned } else { Want::Analysed };
            Ok((Task::Analyse(task), want(source)))
        });
    }

    /// Joins the layers of the picture in front on a worker, but for one, and asks for what `make`
    /// wants of it.
    fn with_picture(
        &mut self,
        without: Option<LayerId>,
        make: impl FnOnce(Source) -> Result<(Task, Want), String> + Send + 'static,
    ) {
        let Some(tab) = self.tab() else { return };
        let (tab, mut below) = (tab.id, tab.document().clone());
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Joining layers", None);
            if let Some(id) = without {
                below = draft::without(&below, id);
            }
            let image = Arc::new(compose::flatten(&below, below.size.rect()));
            let (task, want) = make(Source { tab, profile: below.profile, image })?;
            Ok(Outcome::Asked { task: Box::new(task), goal: Goal::Look(want) })
        });
    }

    /// Asks for a strip of pictures.
    fn ask_strip(&mut self, strip: Strip) {
        let Some(card) = self.generator() else { return };
        let present = self.latent.drawing(card);
        let settings = &self.latent.settings;
        let drawings = strip.drawings(settings, &present, self.latent.directions(card));
        let model = self.latent.model(card);
        self.ask(Task::Render(Render { model, drawings }), Goal::Look(Want::Strip(strip)));
    }

    fn drag_points(&mut self) {
        let Some(card) = self.ai.generator(self.latent.settings.model.as_deref()) else { return };
        let Some(task) = self.latent.drag(card) else { return };
        if let Err(reason) = self.ai.submit(&mut self.jobs, task, Goal::Look(Want::Dragged)) {
            self.latent.end_drag();
            self.notices.warn(reason);
        }
    }

    /// Looks for directions in the generator.
    fn find_directions(&mut self, method: Method) {
        let Some(card) = self.generator() else { return };
        let model = ModelRef::Id(card.manifest.id.clone());
        let hash = card.manifest.sha256.clone();
        let purposes = [Purpose::FaceDetect, Purpose::FaceLandmarks, Purpose::AgeGender];
        let finders =
            if method == Method::Faces { self.ai.finders(&purposes) } else { Some(vec![]) };
        let Some(finders) = finders else {
            return self.notices.warn("No model that looks at faces is installed");
        };
        let task = Task::Discover(Discover { model, method, count: FOUND, finders });
        self.ask(task, Goal::Look(Want::Discover { model: hash }));
    }

    /// Calls a direction by another name; its slider stays where it stands.
    fn rename_direction(&mut self, from: &str, to: &str) {
        let Some(hash) = self.generator().map(|card| card.manifest.sha256.clone()) else { return };
        if let Err(reason) = self.latent.rename(&hash, from, to.trim()) {
            self.notices.warn(reason);
        }
    }

    /// Writes the directions that were found, where the person says.
    fn save_directions(&mut self) {
        let Some(card) = self.generator() else { return };
        let Some(set) = self.latent.found.get(&card.manifest.sha256) else {
            return self.notices.info("No directions were found yet");
        };
        let (set, name) = (set.clone(), format!("{}-directions.safetensors", card.manifest.id));
        self.spawn(
            "Save directions",
            files::save_as(name, move || set.to_file().map_err(|err| err.to_string())),
        );
    }

    /// Takes a picture of the strip as the one that is edited.
    fn take_shot(&mut self, at: usize) {
        let Some((strip, shots)) = &self.latent.strip else { return };
        let Some(Shot { base, label, .. }) = shots.get(at) else { return };
        let settings = &mut self.latent.settings;
        match strip {
            Strip::Variations { .. } => {
                settings.base = Base::Code(Arc::clone(base));
                settings.mixing.on = false;
            }
            Strip::Direction(name) => {
                let strength = label.split(' ').next().and_then(|text| text.parse().ok());
                settings.turn(&name.clone(), strength.unwrap_or(0.0));
            }
        }
    }

    /// Shows a place of the path, which has the sliders of its pictures in it.
    fn go_along_path(&mut self, at: f64) {
        let Some(code) = self.latent.along_path(at) else { return };
        let settings = &mut self.latent.settings;
        settings.base = Base::Code(Arc::new(code));
        settings.dials.clear();
        settings.mixing.on = false;
    }

    /// What the panel has asked for is there.
    pub fn take_look(&mut self, want: Want, output: Output) {
        let seconds = output.seconds;
        match want {
            Want::Present => {
                if let Some(drawn) = output.drawn.into_iter().next() {
                    self.latent.take(drawn, seconds);
                }
            }
            Want::Strip(strip) => {
                let shots = output.drawn.into_iter().enumerate();
                let shots = shots.map(|(at, drawn)| Shot::new(&strip, at, drawn)).collect();
                self.latent.strip = Some((strip, shots));
            }
            Want::Dragged => {
                self.latent.end_drag();
                if let Some(step) = output.dragged {
                    if step.arrived {
                        self.notices.info("The points are where they should be");
                    }
                    self.latent.take_step(step);
                }
            }
            Want::Tuned(source) => {
                let Some(found) = output.analysed else { return };
                let db = found.fidelity_db;
                self.notices.info(format!("Tuned to the face in {seconds:.0} s: {db:.1} dB"));
                self.latent.take_photo(Photo::new(source, found));
            }
            Want::Analysed(source) => {
                let Some(found) = output.analysed else { return };
                let (db, all) = (found.fidelity_db, found.faces.len());
                let more = if all == 1 { "" } else { "; choose another face in the panel" };
                self.notices.info(format!("Analysed in {seconds:.0} s: {db:.1} dB{more}"));
                let photo = Photo::new(source, found);
                self.latent.take_photo(photo);
            }
            Want::Reopened(reopened) => {
                let Reopened { source, layer, recipe, place, tuning } = *reopened;
                let Some(drawn) = output.drawn.into_iter().next() else { return };
                let known = |card: &&ModelCard| card.manifest.sha256 == recipe.code.model();
                let Some(card) = self.ai.models.iter().find(known) else { return };
                self.latent.reopen(card, recipe, layer);
                let found = Analysed {
                    crop: place.crop,
                    mask: place.mask,
                    code: drawn.base,
                    reconstruction: Planes::clone(&drawn.planes),
                    fidelity_db: place.fidelity_db,
                    perceptual: None,
                    is_lpips: false,
                    identity: None,
                    tuning,
                    faces: Vec::new(),
                };
                let photo = Photo::new(source, found);
                self.latent.take_photo(Photo { residual: place.residual, ..photo });
            }
            Want::Discover { model } => {
                let Some(found) = output.directions else { return };
                let count = found.directions().len();
                self.latent.keep(&model, found);
                self.notices.info(format!("{count} directions found in {seconds:.1} s"));
            }
        }
    }

    /// Draws what the panel shows once more and keeps it.
    pub fn apply_latent(&mut self) {
        let Some(card) = self.generator() else {
            return self.notices.warn("No generator is installed");
        };
        let model = self.latent.model(card);
        let drawing = self.latent.drawing(card);
        let job = LatentJob {
            target: self.tab().map(|tab| (tab.id, tab.document().clone())),
            photo: self.latent.face().cloned(),
            replaces: self.edited_layer(),
            settings: self.latent.settings.clone(),
            stack: drawing.stack.clone(),
            model: model.clone(),
        };
        let task = Task::Render(Render { model, drawings: vec![drawing] });
        self.ask(task, Goal::Latent(Box::new(job)));
    }

    /// A request of the panel has failed.
    pub fn look_failed(&mut self, want: &Want, error: String) {
        match want {
            Want::Present => self.latent.refused = Some(error),
            Want::Dragged => {
                self.latent.end_drag();
                self.notices.error("The points were not dragged", Some(error));
            }
            Want::Analysed(_) | Want::Tuned(_) => {
                self.latent.forget_asked();
                self.notices.error("The photo was not analysed", Some(error));
            }
            _ => self.notices.error("That could not be drawn", Some(error)),
        }
    }
}
