//! What workers have finished: into the model, or into words.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;

use super::models::IMPORT;
use crate::app::App;
use crate::app::ai::Card;
use crate::app::dialog::Dialog;
use crate::app::files::title_of;
use crate::app::jobs::Finished;
use crate::app::lab::Source;
use crate::app::project::{Closing, SaveSettings};
use crate::app::state::{Model, Outcome, TabId};
use crate::document::{Canvas, Document, Edit};

impl App {
    /// Takes everything that workers have sent since the last frame.
    pub(in crate::app) fn drain(&mut self, ctx: &egui::Context) {
        for finished in self.model.jobs.drain() {
            self.finish(ctx, finished);
        }
        for event in self.model.ai.update() {
            self.model.inference_event(event);
        }
        for fault in std::mem::take(&mut self.model.ai.faults) {
            self.model.notices.warn(format!("Model folder: {fault}"));
        }
        for content in self.model.clipboard.drain() {
            self.model.paste(content);
        }
        self.model.files.update();
        self.model.latent.update();
        self.model.lab.update();
        // Not beside a picture that is being opened: both would be in memory.
        if self.model.tabs.is_empty() && self.model.jobs.running().is_empty() {
            self.model.recent.update(&self.model.prefs.recent);
        }
        let key = self.shown_key();
        let busy = self.model.tab().is_some_and(|tab| tab.session.in_progress().is_some());
        let cursor = self.model.cursor;
        // A variant has layers of its own, which the panel does not list.
        if self.model.trial_shown().is_none() {
            let shown = self.shown.as_ref().map(|(_, document)| document);
            // The panel lists the layers also while the original is looked at.
            let front = self.model.tabs.get(self.model.active).map(|tab| tab.document());
            self.model.observer.update(shown, front, key, cursor, busy);
        }
        if let Some(Dialog::Export(settings)) = &self.local.dialog
            && let Some(tab) = self.model.tabs.iter().find(|tab| tab.id == settings.tab)
        {
            self.model.files.ask_size(tab.document(), settings.options);
        }
        if let Some(wait) = self.model.notices.expire() {
            ctx.request_repaint_after(wait);
        }
        // For chips that shall appear, for clocks, and for jobs that another window started.
        if !self.model.jobs.running().is_empty() {
            ctx.request_repaint_after(std::time::Duration::from_millis(260));
        }
        if let Some(reason) = self.model.engine.take_trouble() {
            let text = "The graphics adapter failed at an operation; the processor did it";
            self.model.notices.error(text, Some(reason));
        }
    }

    fn finish(&mut self, ctx: &egui::Context, finished: Finished<Outcome>) {
        let model = &mut self.model;
        let outcome = match finished.result {
            _ if finished.cancelled => {
                return model.notices.info(format!("{} cancelled", finished.name));
            }
            Ok(outcome) => outcome,
            Err(reason) if reason.is_empty() => return,
            Err(reason) if finished.name.starts_with(IMPORT) => {
                return model.notices.passing(format!("{} failed", finished.name), reason);
            }
            Err(reason) => {
                return model.notices.error(format!("{} failed", finished.name), Some(reason));
            }
        };
        match outcome {
            Outcome::Opened { path, title, document, made_of, notices } => {
                if let Some(path) = &path {
                    model.prefs.remember(path);
                    model.save_prefs();
                }
                let id = model.add_tab(title, path, document);
                if let Some(tab) = model.tab_by_id(id) {
                    tab.made_of = made_of;
                }
                notices.into_iter().for_each(|notice| model.notices.info(notice));
            }
            Outcome::Enlarged { title, document, bicubic, note } => {
                let id = model.add_tab(title, None, document);
                if let Some(tab) = model.tab_by_id(id) {
                    (tab.original, tab.compared_with) = (bicubic, Some("Bicubic"));
                }
                model.notices.info(note);
            }
            Outcome::Reread { tab, document, notices } => {
                model.revert(tab, &document);
                notices.into_iter().for_each(|notice| model.notices.info(notice));
            }
            Outcome::Step { tab, base, step, notices } => {
                model.finish_step(tab, &base, step);
                notices.into_iter().for_each(|notice| model.notices.info(notice));
            }
            Outcome::Asked { task, goal } => model.ask(*task, goal),
            Outcome::Scratches { tab, mask } => {
                if model.tab().is_some_and(|front| front.id == tab) {
                    model.run_effect_on(Card::Remove, Some(mask));
                }
            }
            Outcome::Copied { tab, copied, cut } => {
                model.clipboard.put(copied);
                if cut && model.tab().is_some_and(|front| front.id == tab) {
                    model.on_active("Cut", crate::commands::paint::clear);
                }
            }
            Outcome::Directions { model: hash, set } => {
                let count = set.directions().len();
                model.latent.keep(&hash, set);
                model.notices.info(format!("{count} directions are sliders now"));
            }
            Outcome::Imported(manifest) => {
                model.ai.read_library();
                let (name, purpose) = (&manifest.name, manifest.purpose);
                let architecture = &manifest.architecture;
                model.notices.info(format!("{name} is installed: {architecture}, for {purpose}"));
            }
            Outcome::Learnt(manifest) => model.open_learnt(&manifest),
            Outcome::Saved { settings, revision, made_of } => {
                self.saved(ctx, settings, revision, made_of);
            }
            Outcome::Exported { settings, notices } => {
                let lost = if notices.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", notices.join("; "))
                };
                model.recent.forget(&settings.path);
                model.notices.info(format!("Exported {}{lost}", settings.path.display()));
            }
            Outcome::PickedFolder(path) => {
                model.lab.settings.source = Source::Folder(Some(path));
            }
            Outcome::PickedFiles(paths) => {
                paths.into_iter().for_each(|path| model.open_file(path));
            }
            Outcome::PickedProject(settings) => self.local.dialog = Some(Dialog::Save(settings)),
            Outcome::PickedFilm(settings) => self.local.dialog = Some(Dialog::Film(settings)),
            Outcome::Said(text) => model.notices.info(text),
            Outcome::PickedTarget { settings } => {
                self.local.dialog = Some(Dialog::Export(settings));
            }
            Outcome::NoFileDialog => {
                self.local.dialog = Some(Dialog::OpenPath { text: String::new() });
            }
            Outcome::Nothing => {}
        }
    }

    /// The document is on the disk as it was at `revision`.
    fn saved(
        &mut self,
        ctx: &egui::Context,
        settings: SaveSettings,
        revision: u64,
        made_of: Option<PathBuf>,
    ) {
        let SaveSettings { tab: id, path, then } = settings;
        let model = &mut self.model;
        model.recent.forget(&path);
        model.notices.info(format!("Saved {}", path.display()));
        model.prefs.remember(&path);
        model.save_prefs();
        if let Some(tab) = model.tab_by_id(id) {
            tab.session.mark_saved(revision);
            tab.title = title_of(&path);
            tab.path = Some(path);
            tab.made_of = made_of;
        }
        let index = model.tabs.iter().position(|tab| tab.id == id);
        if let (Some(index), Some(Closing { quit })) = (index, then) {
            self.continue_closing(ctx, index, quit);
        }
    }

    /// Goes on with what was asked before a document had to be saved.
    fn continue_closing(&mut self, ctx: &egui::Context, index: usize, quit: bool) {
        self.close_tab(index);
        if quit && self.local.dialog.is_none() && self.may_close() {
            self.model.quitting = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }
}

impl Model {
    /// Puts the file as it is now in the document's place: one step, which can be undone.
    fn revert(&mut self, tab: TabId, file: &Document) {
        if self.tab().is_some_and(|front| front.id == tab) {
            self.leave_drag();
            self.draft = None;
        }
        let Some(tab) = self.tab_by_id(tab) else { return };
        tab.session.abort();
        let edits = [
            Edit::SetCanvas(Box::new(Canvas::of(file))),
            Edit::SetMetadata(Arc::clone(&file.metadata)),
        ];
        match tab.session.perform("Revert", edits) {
            Ok(_) => {
                tab.session.mark_saved(tab.document().revision());
                (tab.original, tab.compared_with) = (file.clone(), None);
                tab.reads += 1;
                if let Some(path) = tab.path.clone() {
                    self.recent.forget(&path);
                }
            }
            Err(err) => self.notices.warn(format!("Revert: {err}")),
        }
        self.drop_stale();
    }
}
