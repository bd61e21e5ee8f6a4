//! Requests to the inference thread and what becomes of its answers.

use std::sync::Arc;

use crate::app::ai::{Card, Running, UpscaleSettings};
use crate::app::goal::Goal;
use crate::app::state::{Model, Outcome};
use crate::compose;
use crate::infer::protocol::{Event, ModelRef, Task, Upscale};

impl Model {
    /// Joins the layers on a worker; the request follows when that is done.
    pub fn run_upscale(&mut self) {
        self.ai.card = Card::Upscale;
        if let Some(reason) = self.ai.refused.clone() {
            return self.notices.warn(reason);
        }
        let settings = self.ai.upscale.clone();
        let Some(tab) = self.tab() else { return };
        let (id, title, base) = (tab.id, tab.title.clone(), tab.document().clone());
        let Some((card, _)) = self.ai.upscaler(&base) else {
            return self.notices.warn("no model for enlarging is installed");
        };
        let model = ModelRef::Id(card.manifest.id.clone());
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Joining layers", None);
            let image = Arc::new(compose::flatten(&base, base.size.rect()));
            let UpscaleSettings { scale, tile, output, .. } = settings;
            let profile = base.profile.clone();
            let task = Task::Upscale(Upscale { image, profile, model, scale, tile });
            let goal = Goal::Upscale { tab: id, base: Box::new(base), title, output, scale };
            Ok(Outcome::Asked { task: Box::new(task), goal })
        });
    }

    pub fn run_generate(&mut self) {
        self.ai.card = Card::Generate;
        let Some(task) = self.ai.generate_task() else {
            return self.notices.warn("no model that draws faces is installed");
        };
        let target = self.tab().map(|tab| (tab.id, Box::new(tab.document().clone())));
        self.ask(task, Goal::Generate { target, settings: self.ai.generate.clone() });
    }

    /// Hands a request to the inference thread.
    pub fn ask(&mut self, task: Task, goal: Goal) {
        if let Err(reason) = self.ai.submit(&mut self.jobs, task, goal) {
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
                if let Some(Running { goal, .. }) = running {
                    self.spawn(name, move |reporter| {
                        reporter.stage("Finishing", None);
                        goal.finish(&output)
                    });
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
}
