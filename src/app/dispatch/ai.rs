//! Requests to the inference thread and what becomes of its answers.

use crate::app::ai::{Card, GenerateOutput, Goal, Running, UpscaleOutput};
use crate::app::state::{Model, Outcome, TabId};
use crate::color::WorkingProfile;
use crate::compose;
use crate::document::{Canvas, Document, Edit, Generated, Layer, LayerKind, Metadata};
use crate::infer::protocol::{Event, Output};
use crate::pixels::{PixelBuf, TiledImage};

impl Model {
    /// Joins the layers on a worker; the request follows when that is done.
    pub fn run_upscale(&mut self) {
        self.ai.card = Card::Upscale;
        if let Some(reason) = self.ai.refused.clone() {
            return self.notices.warn(reason);
        }
        let Some(tab) = self.tab() else { return };
        let (id, base) = (tab.id, tab.document().clone());
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Joining layers", None);
            let pixels = compose::flatten(&base, base.size.rect());
            Ok(Outcome::Flattened { tab: id, base, pixels })
        });
    }

    /// Hands the joined picture to the inference thread.
    pub fn submit_upscale(&mut self, tab: TabId, base: Document, pixels: PixelBuf) {
        let Some(task) = self.ai.upscale_task(&base, pixels) else {
            return self.notices.warn("no model for enlarging is installed");
        };
        let title = self.tab_by_id(tab).map_or_else(String::new, |tab| tab.title.clone());
        let (output, scale) = (self.ai.upscale.output, self.ai.upscale.scale);
        let goal = Goal::Upscale { tab, base: Box::new(base), title, output, scale };
        if let Err(reason) = self.ai.submit(&mut self.jobs, "Upscale", task, goal) {
            self.notices.warn(reason);
        }
    }

    pub fn run_generate(&mut self) {
        self.ai.card = Card::Generate;
        let Some(task) = self.ai.generate_task() else {
            return self.notices.warn("no model that draws faces is installed");
        };
        let tab = self.tab().map(|tab| tab.id);
        let goal = Goal::Generate { tab, settings: self.ai.generate.clone() };
        if let Err(reason) = self.ai.submit(&mut self.jobs, "Generate face", task, goal) {
            self.notices.warn(reason);
        }
    }

    pub fn inference_event(&mut self, event: Event) {
        let is_final = event.is_final();
        let Some(running) = self.ai.running.get(&event.job()) else { return };
        let job = running.job;
        let name = running.goal.name();
        let running = if is_final { self.ai.running.remove(&event.job()) } else { None };
        match event {
            Event::Progress { stage, done, total, eta_seconds, .. } => {
                let fraction = (total > 0).then(|| done as f32 / total as f32);
                let stage = if total > 1 {
                    format!("{} {done} / {total}", stage.label())
                } else {
                    stage.label().to_owned()
                };
                self.jobs.report(job, &stage, fraction, eta_seconds);
            }
            Event::Notice { text, .. } => self.notices.info(text),
            Event::Finished { output, .. } => {
                if let Some(running) = running {
                    self.accept(running, output);
                }
            }
            Event::Failed { error, .. } => {
                self.notices.error(format!("{name} failed"), Some(error));
            }
            Event::Cancelled { .. } => self.notices.info(format!("{name} cancelled")),
        }
        if is_final {
            self.jobs.remove(job);
        }
    }

    fn accept(&mut self, running: Running, output: Output) {
        if let Goal::Effect { tab, base, card, prepared } = &running.goal {
            return self.accept_effect(*tab, base, *card, prepared, &output);
        }
        let Some(pixels) = output.images.into_iter().next() else { return };
        let seconds = output.seconds;
        match running.goal {
            Goal::Upscale { tab, base, title, output: to, scale } => {
                let whole = to == UpscaleOutput::WholeDocument;
                let current = self.tabs.iter().position(|known| known.id == tab);
                let fresh =
                    current.filter(|at| self.tabs[*at].document().revision() == base.revision());
                if let (true, Some(index)) = (whole, fresh) {
                    let step = enlarged(&base, &pixels);
                    let size = pixels.size();
                    if let Err(err) = self.tabs[index].session.perform("Upscale", [step]) {
                        return self.notices.error(format!("Upscale: {err}"), None);
                    }
                    self.notices.info(format!("Enlarged to {size} in {seconds:.1} s"));
                    return;
                }
                let size = pixels.size();
                let document = Document::from_pixels(
                    pixels,
                    &format!("Upscale ×{scale}"),
                    base.profile.clone(),
                    (*base.metadata).clone(),
                );
                self.add_tab(format!("{title} ×{scale}"), None, document);
                if whole {
                    self.notices.warn(
                        "The enlarged picture is a new document: the picture had changed meanwhile",
                    );
                } else {
                    self.notices.info(format!("Enlarged to {size} in {seconds:.1} s"));
                }
            }
            Goal::Effect { .. } => {}
            Goal::Generate { tab, settings } => {
                let name = format!("Face {}", settings.seed);
                let recipe = serde_json::json!({
                    "model": output.model, "seed": settings.seed, "psi": settings.psi,
                });
                let tab = tab.filter(|_| settings.output == GenerateOutput::NewLayer);
                let placed = tab.is_some_and(|tab| {
                    self.insert_centred(tab, &name, &pixels, "Generate face", |raster| {
                        LayerKind::Generated(Generated { raster, recipe: recipe.into() })
                    })
                });
                if !placed {
                    let document = Document::from_pixels(
                        &pixels,
                        &name,
                        WorkingProfile::srgb(),
                        Metadata::default(),
                    );
                    self.add_tab(name, None, document);
                }
            }
        }
    }
}

/// The whole document replaced by the enlarged picture: one layer of the new size.
fn enlarged(base: &Document, pixels: &PixelBuf) -> Edit {
    let layer = Layer::raster("Upscale", TiledImage::from_buf(pixels), (0, 0));
    let mut canvas = Canvas::of(base);
    canvas.size = pixels.size();
    canvas.active = Some(layer.id);
    canvas.layers = vec![std::sync::Arc::new(layer)];
    canvas.selection = None;
    Edit::SetCanvas(Box::new(canvas))
}
