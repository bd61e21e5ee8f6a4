//! Undo steps: run inline where cheap, on a worker where pixels are computed, and what becomes
//! of a result whose document has changed meanwhile.

use std::sync::Arc;

use crate::app::clipboard::{Content, Copied};
use crate::app::files;
use crate::app::project::{self, SaveSettings};
use crate::app::state::{Model, Outcome, TabId};
use crate::cli::report::sentence;
use crate::color::{WorkingProfile, convert};
use crate::commands::results::{self, Made};
use crate::commands::{CommandError, Step, adjust, geometry, paint};
use crate::document::{Document, Edit, Layer, LayerKind, Raster, Session, Synthesis};
use crate::geom::IRect;
use crate::ops;
use crate::params::Params;
use crate::patterns;
use crate::pixels::TiledImage;

impl Model {
    /// Runs a cheap command at once.
    pub fn step_now(
        &mut self,
        label: &str,
        make: impl FnOnce(&Document) -> Result<Step, CommandError>,
    ) {
        self.settle();
        let Some(document) = self.document() else { return };
        match make(document) {
            Ok(step) if step.edits.is_empty() => {}
            Ok(step) => self.perform(&step.label, step.edits),
            Err(err) => self.notices.warn(format!("{label}: {err}")),
        }
    }

    /// Runs a command on a worker with a snapshot of the document.
    pub fn step(
        &mut self,
        label: &str,
        make: impl FnOnce(&Document) -> Result<Step, CommandError> + Send + 'static,
    ) {
        self.settle();
        let Some(tab) = self.tab() else { return };
        let (id, base) = (tab.id, tab.document().clone());
        self.spawn(label, move |reporter| {
            reporter.stage("Computing", None);
            let step = make(&base).map_err(|err| sentence(&err))?;
            if reporter.is_cancelled() {
                return Err(String::new());
            }
            Ok(Outcome::Step { tab: id, base, step, notices: Vec::new() })
        });
    }

    /// Ends drags, so that a snapshot is a state of the history.
    fn settle(&mut self) {
        if let Some(tab) = self.tab_mut() {
            tab.session.commit();
        }
    }

    /// A new layer over the canvas with a pattern of the foreground and background colours.
    pub fn draw_pattern(&mut self, name: &'static str, params: Params, seed: u64) {
        let Some(pattern) = patterns::find(name) else { return };
        let colors = [self.foreground, self.background];
        self.step(pattern.label, move |document| {
            let pixels = pattern.draw(&params, document.size, document.depth, seed, colors);
            let values: std::collections::BTreeMap<&str, _> = params.iter().collect();
            let recipe = Arc::new(serde_json::json!({
                "tool": "Pattern", "pattern": name, "params": values, "seed": seed,
                "colors": colors,
            }));
            let made = Made {
                name: pattern.label,
                pixels: &pixels,
                origin: (0, 0),
                opacity: 1.0,
                mask: document.selection.as_ref(),
                recipe: &recipe,
                attachment: None,
                synthesis: Synthesis::None,
            };
            Ok(results::new_layer(document, &made))
        });
    }

    /// A geometry operation over the whole document.
    pub fn geometry(&mut self, op: &'static str, params: Params) {
        let Some(op) = ops::find(op) else { return };
        let engine = Arc::clone(&self.engine);
        self.step(op.spec().label, move |document| {
            geometry::transform(document, op, &params, &*engine)
        });
    }

    /// Brings in a computed step. Where the document has moved on, nothing newer is overwritten:
    /// what cannot be done there as it is becomes a layer, or a new document.
    pub fn finish_step(&mut self, tab: TabId, base: &Document, step: Step) {
        if step.edits.is_empty() {
            return;
        }
        let Some(index) = self.tabs.iter().position(|known| known.id == tab) else {
            return self.keep_as_document(base, step, "its picture was closed");
        };
        let session = &mut self.tabs[index].session;
        session.commit();
        let current = session.document();
        let is_stale = current.revision() != base.revision();
        let Step { label, edits } = if is_stale {
            match rebased(&step, base, current) {
                Some(step) => step,
                None => {
                    let why = "the picture had changed meanwhile";
                    return self.keep_as_document(base, step, why);
                }
            }
        } else {
            step.clone()
        };
        if let Err(err) = session.perform(&label, edits) {
            return self.notices.warn(format!("{label}: {err}"));
        }
        if is_stale && label != step.label {
            self.notices.warn(format!(
                "{} became a new layer: the picture had changed meanwhile",
                step.label
            ));
        }
    }

    /// Puts what the clipboard holds on a new layer, or where nothing is open in a new document.
    pub fn paste(&mut self, content: Content) {
        let (pixels, at, profile, synthesis) = match content {
            Content::Nothing => return self.notices.info("The clipboard holds no picture"),
            Content::Own(Copied { pixels, at, profile, synthesis }) => {
                (pixels, Some(at), profile, synthesis)
            }
            Content::Picture(pixels) => {
                (pixels, None, WorkingProfile::srgb(), Synthesis::default())
            }
        };
        if self.tab().is_none() {
            return self.spawn("Paste", move |_| {
                let raster = Raster::new(TiledImage::from(&*pixels), (0, 0)).by(synthesis);
                let layer = Layer::new("Pasted", LayerKind::Raster(raster));
                let document = Document::of_layer(layer, profile, Default::default());
                let (path, title, notices) = (None, "Pasted".into(), Vec::new());
                Ok(Outcome::Opened { path, title, document, made_of: None, notices })
            });
        }
        self.step("Paste", move |document| {
            let mut pixels = pixels.to_depth(document.depth);
            convert::between(&profile, &document.profile, &mut pixels)?;
            // Back where it came from, unless that lies outside this canvas.
            let inside = at.filter(|at| {
                let rect = IRect::from_origin_size(*at, pixels.size());
                !rect.intersect(document.size.rect()).is_empty()
            });
            Ok(paint::paste(document, &pixels, inside, synthesis))
        });
    }

    fn keep_as_document(&mut self, base: &Document, step: Step, why: &str) {
        let mut session = Session::new(base.clone(), 0);
        match session.perform(&step.label, step.edits) {
            Ok(_) => {
                let title = format!("{} (result)", step.label);
                self.add_tab(title, None, session.document().clone());
                self.notices.warn(format!("{} is a new document: {why}", step.label));
            }
            Err(err) => self.notices.error(format!("{}: {err}", step.label), None),
        }
    }

    /// Shows the sliders of an adjustment, or does it at once where there are none.
    pub fn begin_adjustment(&mut self, name: &'static str) {
        let Some(op) = ops::find(name) else { return };
        let (Some(tab), Some(layer)) =
            (self.tab().map(|tab| tab.id), self.active_layer().map(|layer| layer.id))
        else {
            return;
        };
        self.settle();
        let params = Params::defaults(op.spec().params);
        let draft = crate::app::state::Draft { op, params, tab, layer, preview: true };
        let immediate = op.spec().params.is_empty();
        self.draft = Some(draft);
        if immediate {
            self.apply_draft();
        }
    }

    /// Applies the draft to the layer's pixels, through the selection.
    pub fn apply_draft(&mut self) {
        if let Some(reason) = self.pixels_refused() {
            return self.notices.warn(reason);
        }
        let Some(draft) = self.draft.take() else { return };
        if draft.op.is_identity(&draft.params) {
            return;
        }
        self.last_adjustment = Some((draft.op.spec().name, draft.params.clone()));
        let (op, params, layer) = (draft.op, draft.params, draft.layer);
        let engine = Arc::clone(&self.engine);
        self.step(op.spec().label, move |document| {
            adjust::apply(document, layer, op, &params, &*engine)
        });
    }

    /// Keeps the draft as an adjustment layer above the layer it was made for.
    pub fn draft_as_layer(&mut self) {
        let Some(draft) = self.draft.take() else { return };
        self.step_now(draft.op.spec().label, |document| {
            adjust::add_adjustment(document, Some(draft.layer), draft.op, &draft.params)
        });
    }

    pub fn repeat_adjustment(&mut self) {
        let Some((name, params)) = self.last_adjustment.clone() else { return };
        self.begin_adjustment(name);
        if let Some(draft) = &mut self.draft {
            draft.params = params;
            self.apply_draft();
        }
    }

    /// Saves the document as it is now. One save of a document at a time: the later one must not
    /// be overtaken.
    pub fn save(&mut self, settings: SaveSettings) {
        self.settle();
        let running: Vec<_> = self.jobs.running().iter().map(|job| job.id).collect();
        let Some(tab) = self.tabs.iter_mut().find(|tab| tab.id == settings.tab) else { return };
        if tab.saving.is_some_and(|id| running.contains(&id)) {
            return self.notices.info(format!("{} is being saved already", tab.title));
        }
        let picture = tab.path.clone().filter(|_| tab.project().is_none());
        let made_of = tab.made_of.clone().or(picture);
        let work = project::save(tab.document().clone(), made_of, settings);
        match self.jobs.spawn("Save", work) {
            Ok(id) => tab.saving = Some(id),
            Err(reason) => self.notices.warn(format!("Save: {reason}")),
        }
    }

    /// Writes the document as it is now.
    pub fn export(&mut self, settings: files::ExportSettings) {
        self.settle();
        let Some(tab) = self.tab_by_id(settings.tab) else { return };
        tab.export = Some(settings.clone());
        let document = tab.document().clone();
        self.spawn("Export", files::export(document, settings));
    }
}

/// The step as far as it overwrites nothing in a document that has moved on from `base`: layers
/// that it adds are added, pixels that it replaces become layers.
fn rebased(step: &Step, base: &Document, current: &Document) -> Option<Step> {
    let top = current.layers.len();
    let mut label = step.label.clone();
    let edits = step.edits.iter().enumerate().map(|(at, edit)| match edit {
        Edit::Insert { layer, parent, index } => {
            let parent_lives = parent.is_none_or(|id| current.layer(id).is_some());
            let (parent, index) = match parent {
                Some(_) if !parent_lives => (None, top + at),
                None => (None, (*index).min(top + at)),
                parent => (*parent, *index),
            };
            Some(Edit::Insert { layer: Arc::clone(layer), parent, index })
        }
        Edit::SetRaster { raster, .. } if raster.image.depth() == current.depth => {
            label = format!("{} as layer", step.label).into();
            let layer = Layer::new(&step.label, LayerKind::Raster(raster.clone()));
            Some(Edit::Insert { layer: Arc::new(layer), parent: None, index: top + at })
        }
        Edit::Replace(layer) if current.depth == base.depth && current.size == base.size => {
            // The layer itself is as it was: what changed lies beside it.
            let before = (base.layer(layer.id), current.layer(layer.id));
            if matches!(before, (Some(old), Some(now)) if Arc::ptr_eq(old, now)) {
                return Some(edit.clone());
            }
            label = format!("{} as layer", step.label).into();
            let layer = Arc::new(layer.duplicate(&layer.props.name));
            Some(Edit::Insert { layer, parent: None, index: top + at })
        }
        Edit::SetSelection(_) if current.size == base.size => Some(edit.clone()),
        _ => None,
    });
    let edits = edits.collect::<Option<Vec<_>>>()?;
    Some(Step { label, edits })
}
