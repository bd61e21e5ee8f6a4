//! Requests to the inference thread and what becomes of its answers.

use std::sync::Arc;

use crate::app::ai::{Card, Running, UpscaleSettings};
use crate::app::film;
use crate::app::goal::Goal;
use crate::app::latent::{Frame, Want};
use crate::app::state::{Model, Outcome};
use crate::compose;
use crate::infer::protocol::{Event, Expand, ModelRef, Task, Upscale};
use crate::inpaint::{Border, Fill};

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
            let UpscaleSettings { scale, tile, .. } = settings;
            let profile = base.profile.clone();
            let task = Task::Upscale(Upscale { image, profile, model, scale, tile });
            let goal = Goal::Upscale { tab: id, base: Box::new(base), title, settings };
            Ok(Outcome::Asked { task: Box::new(task), goal })
        });
    }

    /// Continues the picture in front beyond its border.
    pub fn expand(&mut self, border: Border) {
        if let Some(reason) = self.ai.refused.clone() {
            return self.notices.warn(reason);
        }
        let Some(tab) = self.tab() else { return };
        let (id, base) = (tab.id, tab.document().clone());
        self.spawn("Prepare picture", move |reporter| {
            reporter.stage("Joining layers", None);
            let image = Arc::new(compose::flatten(&base, base.size.rect()));
            let task = Task::Expand(Expand { image, border, options: Fill::default() });
            let goal = Goal::Expand { tab: id, base: Box::new(base), border };
            Ok(Outcome::Asked { task: Box::new(task), goal })
        });
    }

    /// Hands a request to the inference thread.
    pub fn ask(&mut self, task: Task, goal: Goal) {
        if let Err(reason) = self.ai.submit(&mut self.jobs, task, goal) {
            self.notices.warn(reason);
        }
    }

    pub fn inference_event(&mut self, event: Event) {
        let Some(running) = self.ai.running.get(&event.job()) else { return };
        let (job, name) = (running.job, running.goal.name());
        let is_effect = matches!(running.goal, Goal::Effect(_));
        let is_final = event.is_final();
        let ended = if is_final { self.ai.running.remove(&event.job()) } else { None };
        match (event, ended) {
            (Event::Progress { stage, done, total, eta_seconds, .. }, _) => {
                let fraction = (total > 0).then(|| done as f32 / total as f32);
                let stage = if total > 1 {
                    format!("{} {done} / {total}", stage.label())
                } else {
                    stage.label().to_owned()
                };
                if let Some(job) = job {
                    self.jobs.report(job, &stage, fraction, eta_seconds);
                }
            }
            (Event::Notice { text, .. }, _) => self.notices.info(text),
            (Event::Finished { output, .. }, Some(Running { goal: Goal::Look(want), .. })) => {
                self.take_look(want, *output);
            }
            (
                Event::Finished { output, .. },
                Some(Running { goal: Goal::Trial { token, job }, .. }),
            ) => self.trials.finish(token, job, *output),
            (
                Event::Failed { error, .. } | Event::Refused { reason: error, .. },
                Some(Running { goal: Goal::Trial { token, .. }, .. }),
            ) => self.trials.give_up(token, Some(error)),
            (Event::Cancelled { .. }, Some(Running { goal: Goal::Trial { token, .. }, .. })) => {
                self.trials.give_up(token, None);
            }
            (Event::Finished { output, .. }, Some(Running { goal: Goal::Film(job), .. })) => {
                self.spawn(name, film::write(*job, output.drawn));
            }
            (Event::Finished { output, .. }, Some(Running { goal, .. })) => {
                if let Goal::Effect(effect) = &goal
                    && let Some(work) = effect.work
                {
                    self.ai.pace.note(work, output.seconds);
                }
                self.spawn(name, move |reporter| {
                    reporter.stage("Finishing", None);
                    goal.finish(&output)
                });
            }
            (
                Event::Failed { error, .. } | Event::Refused { reason: error, .. },
                Some(Running { goal: Goal::Look(want), .. }),
            ) => {
                self.look_failed(&want, error);
            }
            (Event::Failed { error, .. }, _) => {
                self.notices.error(format!("{name} failed"), Some(error));
            }
            (Event::Refused { reason, .. }, _) => self.notices.warn(format!("{name}: {reason}")),
            (
                Event::Cancelled { .. },
                Some(Running { goal: Goal::Look(Want::Analysed(_) | Want::Tuned(_)), .. }),
            ) => {
                // The panel has shown what the search had so far.
                self.latent.forget_asked();
                self.notices.info(format!("{name} cancelled"));
            }
            (Event::Cancelled { .. }, Some(Running { goal: Goal::Look(Want::Dragged), .. })) => {
                self.latent.end_drag();
            }
            (Event::Dragged { step, .. }, _) => self.latent.take_step(step),
            // A newer picture takes the place of one that is only looked at.
            (Event::Cancelled { .. }, _) if job.is_none() => {}
            (Event::Cancelled { .. }, _) => self.notices.info(format!("{name} cancelled")),
            (Event::Picture { job, picture }, _) if is_effect => {
                self.ai.so_far = Some((job, Frame::of(&picture)));
            }
            (Event::Picture { picture, .. }, _) => self.latent.watch(&picture),
            (Event::Finished { .. }, None) => {}
        }
        if let Some(job) = job.filter(|_| is_final) {
            self.jobs.remove(job);
        }
    }
}
