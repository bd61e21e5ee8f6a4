//! What workers have finished: into the model, or into words.

use std::sync::Arc;

use eframe::egui;

use crate::app::App;
use crate::app::dialog::Dialog;
use crate::app::jobs::Finished;
use crate::app::state::{Model, Outcome, TabId};
use crate::commands::layers;
use crate::document::{Document, Edit, Layer, LayerKind, Raster};
use crate::pixels::{PixelBuf, TiledImage};

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
        self.model.files.update();
        let key = self.shown_key();
        let busy = self.model.tab().is_some_and(|tab| tab.session.in_progress().is_some());
        let cursor = self.model.cursor;
        let shown = self.shown.as_ref().map(|(_, document)| document);
        self.model.observer.update(shown, key, cursor, busy);
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
            Err(reason) => {
                return model.notices.error(format!("{} failed", finished.name), Some(reason));
            }
        };
        match outcome {
            Outcome::Opened { path, title, document, notices } => {
                if let Some(path) = &path {
                    model.prefs.remember(path);
                    model.save_prefs();
                }
                model.add_tab(title, path, document);
                notices.into_iter().for_each(|notice| model.notices.info(notice));
            }
            Outcome::Placed { tab, title, document } => model.place(tab, &title, &document),
            Outcome::Step { tab, base, step } => model.finish_step(tab, &base, step),
            Outcome::Copied { tab, pixels, at, cut } => {
                model.clipboard = Some((pixels, at));
                if cut && model.tab().is_some_and(|front| front.id == tab) {
                    model.on_active("Cut", crate::commands::paint::clear);
                }
            }
            Outcome::Flattened { tab, base, pixels } => model.submit_upscale(tab, base, pixels),
            Outcome::Exported { tab, settings, revision, notices } => {
                if let Some(tab) = model.tab_by_id(tab)
                    && tab.document().revision() == revision
                {
                    tab.session.mark_saved();
                }
                let lost = if notices.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", notices.join("; "))
                };
                model.notices.info(format!("Exported {}{lost}", settings.path.display()));
                if let Some(Dialog::ConfirmClose { index, quit }) = self.local.after_export.take() {
                    self.continue_closing(ctx, index, quit);
                }
            }
            Outcome::PickedFiles(paths) => {
                paths.into_iter().for_each(|path| model.open_file(path));
            }
            Outcome::PickedTarget { settings } => {
                self.local.dialog = Some(Dialog::Export(settings));
            }
            Outcome::NoFileDialog => {
                self.local.dialog = Some(Dialog::OpenPath { text: String::new() });
            }
            Outcome::Nothing => {}
        }
    }

    /// Goes on with what was asked before a picture had to be exported.
    fn continue_closing(&mut self, ctx: &egui::Context, index: usize, quit: bool) {
        self.close_tab(index);
        if quit && self.local.dialog.is_none() && self.may_close() {
            self.model.quitting = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }
}

impl Model {
    /// Puts an opened picture on a layer of a document, in its depth.
    fn place(&mut self, tab: TabId, title: &str, picture: &Document) {
        let pixels = picture.layers.first().and_then(|layer| layer.raster_content());
        let Some(pixels) = pixels.map(|raster| raster.image.to_buf()) else { return };
        self.insert_centred(tab, title, &pixels, "Place picture", LayerKind::Raster);
    }

    /// A new layer of pixels in the middle of the canvas, above the active layer; answers
    /// whether the document is still there.
    pub fn insert_centred(
        &mut self,
        tab: TabId,
        name: &str,
        pixels: &PixelBuf,
        label: &str,
        kind: impl FnOnce(Raster) -> LayerKind,
    ) -> bool {
        let Some(tab) = self.tab_by_id(tab) else { return false };
        let document = tab.document();
        let pixels = pixels.to_depth(document.depth);
        let middle = |outer: u32, own: u32| (i64::from(outer) - i64::from(own)) as i32 / 2;
        let origin = (
            middle(document.size.width, pixels.size().width),
            middle(document.size.height, pixels.size().height),
        );
        let raster = Raster { image: TiledImage::from_buf(&pixels), origin };
        let (parent, index) = layers::above(document, document.active);
        let layer = Arc::new(Layer::new(name, kind(raster)));
        tab.session.commit();
        if let Err(err) = tab.session.perform(label, [Edit::Insert { layer, parent, index }]) {
            self.notices.warn(format!("{label}: {err}"));
        }
        true
    }
}
