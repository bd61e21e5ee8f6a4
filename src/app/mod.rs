//! The window. Panels read the [`state::Model`] and push [`action::Action`]s; `dispatch` is the
//! only place that changes the model; `App::logic` takes in what workers have finished.
//!
//! The only room that names egui, eframe and rfd.

mod action;
mod ai;
mod canvas;
mod clipboard;
mod command;
mod compare;
mod desk;
mod dialog;
mod dispatch;
mod draft;
mod editing;
mod effects;
mod error;
mod files;
mod film;
mod form;
mod goal;
mod icons;
mod input;
mod jobs;
mod lab;
mod latent;
mod local;
mod log;
mod notify;
mod observe;
mod pace;
mod prefs;
mod project;
mod recent;
mod start;
mod state;
mod theme;
mod thumbs;
mod trial;
mod ui;
mod view;

pub use action::{Action, Actions, LabAction, LatentAction, Phase, TrialAction};
pub use ai::{Card, UpscaleSettings};
pub use command::{Binding, Command};
pub use desk::{Desk, Loss};
pub use effects::{EffectOutput, EffectSettings, Found, Rest};
pub use error::AppError;
pub use film::FilmSettings;
pub use lab::{LabSettings, Phase as LabPhase, Source as LabSource};
pub use latent::Strip;
pub use start::{Setup, run};
pub use state::{Dock, Model};

use std::sync::Arc;
use std::time::Instant;

use eframe::egui;

use crate::document::Document;
use crate::gpu::GpuContext;
use canvas::Picture;
use jobs::Wake;
use local::Local;

/// The editor's window.
pub struct App {
    model: Model,
    local: Local,
    picture: Picture,
    /// What the canvas shows and what names its content.
    shown: Option<(u64, Document)>,
    shown_counter: u64,
    /// Revision, draft and flags that `shown` was made from.
    shown_of: Option<ShownOf>,
    /// Whether the original is shown beside it, and which reading of the file.
    compared: Option<u64>,
    /// The window's title as last set: X11 does not tell it, and setting it asks for a frame.
    window_title: String,
    /// The device that draws the window.
    device: Option<GpuContext>,
    desk: Desk,
    /// Frames so far, and when the program started.
    frames: u64,
    started: Instant,
}

#[derive(Clone, PartialEq)]
struct ShownOf {
    tab: state::TabId,
    revision: u64,
    original: bool,
    /// The Latent panel's layer.
    latent: Option<u64>,
    /// Pictures of variants so far, the chosen one, and how often that was faded.
    trial: Option<(u64, usize, u64)>,
    draft: Option<(&'static str, crate::params::Params, crate::document::LayerId)>,
}

impl App {
    /// A window over `ctx`, whose files are then opened.
    pub fn new(ctx: &egui::Context, setup: Setup) -> Result<Self, AppError> {
        let waking = ctx.clone();
        let wake: Wake = Arc::new(move || waking.request_repaint());
        let prefs = setup.prefs_file.as_deref().map(prefs::Prefs::load).unwrap_or_default();
        theme::apply(ctx, &prefs);
        let files = files::Files::spawn(&wake, setup.prefs_file)?;
        let service = (setup.service)(wake.clone());
        let ai = ai::Ai::new(&wake, setup.library, service, setup.networks_on_gpu)?;
        let mut model = Model::new(&wake, prefs, files, ai)?;
        model.adapter = setup.adapter;
        model.engine = setup.engine;
        model.lab.set_place(setup.device, setup.runs);
        model.recent.keep_in(setup.previews);
        setup.desk.resume(&mut model);
        setup.notices.into_iter().for_each(|text| model.notices.warn(text));
        setup.files.into_iter().for_each(|file| model.open_file(file));
        Ok(Self {
            model,
            local: Local::default(),
            picture: Picture::on_processor(&wake)?,
            shown: None,
            shown_counter: 0,
            shown_of: None,
            compared: None,
            window_title: String::new(),
            device: None,
            desk: setup.desk,
            frames: 0,
            started: setup.started,
        })
    }

    /// Draws the canvas through the device that draws the window.
    #[must_use]
    pub fn drawn_by(mut self, window: &eframe::egui_wgpu::RenderState, device: GpuContext) -> Self {
        self.picture.use_adapter(window, &device);
        self.device = Some(device);
        self
    }

    /// Shares the clipboard with other programs.
    #[must_use]
    pub fn on_desktop(mut self, ctx: &egui::Context) -> Self {
        let waking = ctx.clone();
        let wake: Wake = Arc::new(move || waking.request_repaint());
        if let Err(err) = self.model.clipboard.join_desktop(&wake) {
            self.model.notices.warn(format!("The clipboard stays within the program: {err}"));
        }
        self
    }

    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Performs actions as panels do; the way in for tests and scripts.
    pub fn perform(&mut self, ctx: &egui::Context, actions: Actions) {
        self.dispatch(ctx, actions);
    }

    /// Whether the device is gone; then the window closes, and whoever opened it opens another
    /// over the same desk.
    fn leaves_lost_device(&mut self, ctx: &egui::Context) -> bool {
        if let Some(Err(err)) = self.device.as_ref().map(GpuContext::probe) {
            self.desk.loss.report(err.to_string());
        }
        let lost = self.desk.loss.is_reported();
        if lost && !self.model.quitting {
            self.model.quitting = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        lost
    }

    /// Whether the canvas shows the present state of the document.
    pub fn is_settled(&self) -> bool {
        self.model.jobs.running().is_empty() && self.picture.is_settled()
    }

    /// A number that changes with what the canvas shows.
    fn shown_key(&self) -> u64 {
        self.shown.as_ref().map_or(0, |(key, _)| *key)
    }

    /// Keeps `shown` at what the model says.
    fn update_shown(&mut self) {
        let of = self.model.tab().map(|tab| ShownOf {
            tab: tab.id,
            revision: tab.document().revision(),
            original: self.model.show_original,
            latent: self
                .model
                .latent_preview()
                .map(|_| self.model.latent.shown.as_ref().map_or(0, |shown| shown.count)),
            trial: self
                .model
                .trial_shown()
                .map(|(trial, shown)| (self.model.trials.count, trial.chosen, shown.revision())),
            draft: self
                .model
                .draft
                .as_ref()
                .filter(|draft| draft.preview)
                .map(|draft| (draft.op.spec().name, draft.params.clone(), draft.layer)),
        });
        let before = self.model.compared();
        let compared = before.as_ref().map(|(key, _)| *key);
        if of == self.shown_of && compared == self.compared {
            return;
        }
        if of != self.shown_of {
            self.shown_of = of;
            self.shown_counter += 1;
            self.shown = self.model.shown().map(|document| (self.shown_counter, document));
        }
        self.compared = compared;
        self.picture.set_sources(self.shown.clone(), before);
    }

    fn title(&self) -> String {
        match self.model.tab() {
            Some(tab) => {
                let star = if tab.session.is_modified() { "*" } else { "" };
                format!("{}{star} – Ganvas", tab.title)
            }
            None => "Ganvas".into(),
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.desk.leave(&mut self.model);
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        if self.leaves_lost_device(ctx) {
            return;
        }
        if self.frames == 1 {
            let milliseconds = self.started.elapsed().as_millis();
            tracing::info!(milliseconds, "the first frame is on the screen");
        }
        self.frames += 1;
        self.update_shown();
        self.drain(ctx);
        if self.model.dock == Dock::Latent && self.model.tab().is_some() {
            self.model.update_latent();
        }
        self.model.update_trials();
        self.model.update_editing();
        if let Some(reason) = self.picture.trouble.take() {
            let text = "The graphics adapter gave up; the picture is drawn by the processor";
            self.model.notices.error(text, Some(reason));
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        if self.desk.loss.is_reported() {
            return;
        }
        let mut actions = Actions::new();
        input::collect(&ctx, &self.model, self.local.dialog.is_some(), &mut actions);
        self.picture.surround = theme::surround(&self.model.prefs);
        ui::window_ui(ui, &self.model, &mut self.local, &mut self.picture, &mut actions);
        ui::drop_ui(&ctx, &self.model, &mut self.local, &mut actions);
        ui::toasts_ui(&ctx, &self.model, &mut actions);
        ui::dialogs_ui(&ctx, &self.model, &mut self.local, &mut actions);
        if actions.iter().any(|action| !matches!(action, Action::Viewport(_))) {
            ctx.request_repaint();
        }
        self.dispatch(&ctx, actions);
        self.update_shown();
        self.model.clipboard.end_frame(&ctx);
        let title = self.title();
        if self.window_title != title {
            self.window_title.clone_from(&title);
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title));
        }
        // The window's painter panics where it cannot upload; nothing to draw needs no upload.
        if self.leaves_lost_device(&ctx) {
            ctx.graphics_mut(|layers| *layers = Default::default());
        }
    }

    fn raw_input_hook(&mut self, ctx: &egui::Context, input: &mut egui::RawInput) {
        let typing = ctx.text_edit_focused();
        self.model.clipboard.take_events(typing, input);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        theme::surround(&self.model.prefs).to_normalized_gamma_f32()
    }
}
