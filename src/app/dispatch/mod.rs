//! The only place that changes the model: one match over all actions.

mod ai;
mod commands;
mod effects;
mod lab;
mod latent;
mod models;
mod outcomes;
mod steps;
mod tool;
mod trial;

use eframe::egui;

use super::action::{Action, Phase};
use super::command::{Binding, Command};
use super::dialog::Dialog;
use super::files;
use super::film;
use super::lab::Source;
use super::project;
use super::state::{Model, Outcome, Tab, TabId, unknown_operation};
use super::view::View;
use super::{App, theme};
use crate::document::{Document, Edit, LayerId, Session};
use crate::geom::Point;
use crate::io::project::is_project;
use crate::ops;
use crate::params::Params;
use crate::tools::ToolEvent;

pub use commands::unavailable;
use models::is_for_models;

impl App {
    /// Performs what panels and keys have asked for, in order.
    pub(super) fn dispatch(&mut self, ctx: &egui::Context, actions: Vec<Action>) {
        for action in actions {
            self.handle(ctx, action);
        }
        #[cfg(debug_assertions)]
        for tab in &self.model.tabs {
            debug_assert_eq!(tab.document().check(), Ok(()));
        }
    }

    fn handle(&mut self, ctx: &egui::Context, action: Action) {
        let model = &mut self.model;
        match action {
            Action::Start(binding) => self.start(ctx, binding),
            Action::OpenFiles(paths) => paths.into_iter().for_each(|path| model.open_file(path)),
            Action::PlaceFiles(paths) => model.place_files(paths),
            Action::ActivateTab(index) => model.activate_tab(index),
            Action::CloseTab(index) => self.close_tab(index),
            Action::CloseTabUnsaved(index) => model.remove_tab(index),
            Action::QuitUnsaved => {
                model.quitting = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }

            Action::Viewport(viewport) => model.set_viewport(viewport),
            Action::Pan(delta) => model.with_view(|view, viewport| view.pan(viewport, delta)),
            Action::ZoomBy { about, factor } => {
                model.with_view(|view, _| view.zoom_about(about, factor));
            }
            Action::SetZoom(zoom) => {
                model.with_view(|view, _| view.zoom_about(view.center, zoom / view.zoom));
            }
            Action::ShowOriginal(show) => model.show_original = show,
            // Neither picture may vanish.
            Action::CompareAt(at) => model.compare.at = at.clamp(0.02, 0.98),
            Action::CursorAt(at) => model.cursor = at,

            Action::Tool(event) => model.tool_event(&event),
            Action::SetToolParam { key, value } => {
                let spec = model.tool.spec();
                if let Some(params) = model.tool_params.get_mut(spec.id) {
                    // A refused value leaves the last good one.
                    let _ = params.set(spec.params, key, value);
                }
                model.tool_event(&ToolEvent::ParamsChanged);
            }
            Action::ResetTool => {
                let spec = model.tool.spec();
                model.tool_params.insert(spec.id, Params::defaults(spec.params));
                model.tool_event(&ToolEvent::ParamsChanged);
            }
            Action::SetColors { foreground, background } => {
                model.foreground = foreground;
                model.background = background;
            }

            Action::SelectLayer { id, target } => {
                model.leave_drag();
                model.target = target;
                if let Some(tab) = model.tab_mut() {
                    tab.session.set_active(Some(id));
                }
                model.drop_stale();
            }
            Action::SetProps { id, props, label, phase } => {
                model.live(label, Edit::SetProps { id, props }, phase);
            }
            Action::SetAdjustment { id, adjustment, phase } => {
                model.live("Adjustment", Edit::SetAdjustment { id, adjustment }, phase);
            }
            Action::EndDrag => model.leave_drag(),
            Action::Solo(id) => model.solo(id),
            Action::MoveLayer { id, parent, index } => {
                model.perform("Move layer", vec![Edit::Move { id, parent, index }]);
            }
            Action::ToggleMask(id) => model.toggle_mask(id),
            Action::Jump(steps) => {
                model.leave_drag();
                if let Some(tab) = model.tab_mut() {
                    tab.session.jump(steps);
                }
                model.drop_stale();
            }

            Action::SetDraft(params) => {
                if let Some(draft) = &mut model.draft {
                    draft.params = params;
                }
            }
            Action::SetDraftPreview(preview) => {
                if let Some(draft) = &mut model.draft {
                    draft.preview = preview;
                }
            }
            Action::ApplyDraft => model.apply_draft(),
            Action::DraftAsLayer => model.draft_as_layer(),
            Action::CancelDraft => model.draft = None,

            Action::NewDocument { size, deep, transparent } => {
                let depth = if deep { crate::pixels::Depth::U16 } else { crate::pixels::Depth::U8 };
                model.spawn("New picture", move |_| {
                    let document = files::blank(size, depth, transparent);
                    Ok(Outcome::Opened {
                        path: None,
                        title: "Untitled".into(),
                        document,
                        made_of: None,
                        notices: Vec::new(),
                    })
                });
            }
            Action::Resize { size, filter } => {
                let words = [format!("width={}", size.width), format!("height={}", size.height)];
                let filter = format!("filter={filter}");
                let words = words.iter().chain([&filter]).map(String::as_str);
                if let Some(op) = ops::find("resize") {
                    match Params::parse(op.spec().params, words) {
                        Ok(params) => model.geometry("resize", params),
                        Err(err) => model.notices.warn(err.to_string()),
                    }
                }
            }
            Action::Geometry { op, params } => model.geometry(op, params),
            Action::DrawPattern { name, params, seed } => model.draw_pattern(name, params, seed),
            Action::Expand(border) => model.expand(border),
            Action::Feather(sigma_px) => model.step("Feather selection", move |document| {
                crate::commands::selection::feather(document, sigma_px)
            }),
            Action::SaveProject(settings) => model.save(*settings),
            Action::ChooseProjectFile(settings) => {
                model.spawn("Choose file", project::pick_target(*settings));
            }
            Action::Export(settings) => model.export(*settings),
            Action::ChooseExportFile(settings) => {
                model.spawn("Choose file", files::pick_target(*settings));
            }
            Action::PrepareFilm => {
                self.local.dialog = model.film().map(|film| Dialog::Film(Box::new(film)));
            }
            Action::ExportFilm(settings) => model.draw_film(*settings),
            Action::ChooseFilmFile(settings) => {
                model.spawn("Choose file", film::pick_target(*settings));
            }
            Action::SetPrefs(prefs) => self.set_prefs(ctx, *prefs),

            Action::RunUpscale => model.run_upscale(),
            Action::Latent(action) => model.latent_action(action),
            Action::Lab(action) => model.lab_action(action),
            Action::Trial(action) => model.trial_action(action),
            Action::RunEffect(card) => model.run_effect(card),
            Action::SetEffect { card, settings } => model.set_effect(card, *settings),
            Action::LeaveEditing => model.leave_editing(),
            Action::RemoveScratches => model.find_scratches(true),
            Action::OpenDock(dock) => model.dock = dock,
            Action::OpenCard(card) => model.ai.card = card,
            Action::SetUpscale(settings) => model.ai.upscale = settings,

            Action::CancelJob(id) => {
                model.jobs.cancel(id);
                model.ai.cancel(id);
            }
            Action::DismissNotice(id) => model.notices.dismiss(id),
            Action::ToggleNotice(id) => model.notices.toggle_details(id),
        }
    }

    fn set_prefs(&mut self, ctx: &egui::Context, prefs: super::prefs::Prefs) {
        self.model.prefs = prefs;
        theme::apply(ctx, &self.model.prefs);
        self.model.save_prefs();
    }

    /// Closes at once where nothing is lost, else asks.
    fn close_tab(&mut self, index: usize) {
        let Some(tab) = self.model.tabs.get(index) else { return };
        if tab.session.is_modified() {
            self.model.activate_tab(index);
            self.local.dialog = Some(Dialog::ConfirmClose { index, quit: false });
        } else {
            self.model.remove_tab(index);
        }
    }

    /// Starts what the window's close button asks for; answers whether it may close now.
    pub(super) fn may_close(&mut self) -> bool {
        if self.model.quitting {
            return true;
        }
        match self.model.tabs.iter().position(|tab| tab.session.is_modified()) {
            Some(index) => {
                self.model.activate_tab(index);
                self.local.dialog = Some(Dialog::ConfirmClose { index, quit: true });
                false
            }
            None => true,
        }
    }
}

impl Model {
    pub fn save_prefs(&mut self) {
        let (Some(file), prefs) = (self.files.prefs_file.clone(), self.prefs.clone()) else {
            return;
        };
        self.spawn("Save preferences", move |_| {
            prefs
                .save(&file)
                .map(|()| Outcome::Nothing)
                .map_err(|err| format!("preferences cannot be written: {err}"))
        });
    }

    /// Runs a job; a refusal becomes a notice.
    pub fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(&super::jobs::Reporter<Outcome>) -> Result<Outcome, String> + Send + 'static,
    ) {
        if let Err(reason) = self.jobs.spawn(name, work) {
            self.notices.warn(format!("{name}: {reason}"));
        }
    }

    pub fn open_file(&mut self, path: std::path::PathBuf) {
        if self.lab.is_open && path.is_dir() && !self.lab.is_busy() {
            self.lab.settings.source = Source::Folder(Some(path));
            return;
        }
        if is_for_models(&path) {
            return self.import_model(path);
        }
        let same = |tab: &Tab| tab.path.as_deref() == Some(&path) && !tab.session.is_modified();
        if let Some(index) = self.tabs.iter().position(same) {
            return self.activate_tab(index);
        }
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        self.spawn(&format!("Open {name}"), files::open(path));
    }

    fn place_files(&mut self, paths: Vec<std::path::PathBuf>) {
        let (models, paths): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| is_for_models(path));
        models.into_iter().for_each(|path| self.import_model(path));
        // A project is more than a layer.
        let (projects, paths): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| is_project(path));
        projects.into_iter().for_each(|path| self.open_file(path));
        let Some((id, base)) = self.tab().map(|tab| (tab.id, tab.document().clone())) else {
            return paths.into_iter().for_each(|path| self.open_file(path));
        };
        for path in paths {
            self.spawn("Place picture", files::place(path, id, base.clone()));
        }
    }

    /// Says which adjustment layers come from a newer version.
    fn warn_of_unknown(&mut self, document: &Document) {
        document.walk(&mut |layer, _| {
            if let Some(name) = unknown_operation(layer) {
                self.notices.warn(format!(
                    "“{}” shows nothing: this version does not know the adjustment '{name}'",
                    layer.props.name
                ));
            }
        });
    }

    /// Shows a document in a new tab.
    pub fn add_tab(
        &mut self,
        title: String,
        path: Option<std::path::PathBuf>,
        document: Document,
    ) -> TabId {
        self.leave_drag();
        let id = TabId(self.next_tab);
        self.next_tab += 1;
        let budget = self.prefs.undo_budget_mb as usize * (1 << 20);
        let mut view = View::fit();
        if let Some(viewport) = &self.viewport {
            view.fit_to(viewport, document.size);
        }
        let session = Session::new(document.clone(), budget);
        self.warn_of_unknown(&document);
        self.tabs.push(Tab {
            id,
            title,
            path,
            made_of: None,
            session,
            original: document,
            compared_with: None,
            reads: 0,
            view,
            export: None,
            saving: None,
        });
        self.activate_tab(self.tabs.len() - 1);
        id
    }

    pub fn activate_tab(&mut self, index: usize) {
        if index >= self.tabs.len() {
            return;
        }
        self.leave_drag();
        self.tool_event(&ToolEvent::Deactivate);
        self.active = index;
        self.draft = None;
        self.show_original = false;
        self.target = Default::default();
        if let (Some(viewport), Some(tab)) = (self.viewport, self.tab_mut())
            && tab.view.fitted
        {
            let size = tab.document().size;
            tab.view.fit_to(&viewport, size);
        }
        self.tool_event(&ToolEvent::Activate);
    }

    fn remove_tab(&mut self, index: usize) {
        if index >= self.tabs.len() {
            return;
        }
        self.leave_drag();
        self.tool_event(&ToolEvent::Deactivate);
        self.tabs.remove(index);
        self.draft = None;
        if self.active > index || self.active >= self.tabs.len() {
            self.active = self.active.saturating_sub(1);
        }
        self.tool_event(&ToolEvent::Activate);
    }

    fn set_viewport(&mut self, viewport: super::view::Viewport) {
        self.viewport = Some(viewport);
        // A crop changes what is to be fitted as well as a window of another size does.
        if let Some(tab) = self.tab_mut()
            && tab.view.fitted
        {
            let size = tab.document().size;
            tab.view.fit_to(&viewport, size);
        }
    }

    fn with_view(&mut self, change: impl FnOnce(&mut View, &super::view::Viewport)) {
        let Some(viewport) = self.viewport else { return };
        if let Some(tab) = self.tab_mut() {
            change(&mut tab.view, &viewport);
            let size = tab.document().size;
            tab.view.keep_in_sight(&viewport, size);
        }
    }

    /// Where a zoom command keeps still: under the pointer, else the middle.
    fn zoom_point(&self) -> Option<Point> {
        Some(self.cursor.unwrap_or(self.tab()?.view.center))
    }

    /// One undo step; a refusal becomes a notice.
    pub fn perform(&mut self, label: &str, edits: Vec<Edit>) {
        self.leave_drag();
        let Some(tab) = self.tab_mut() else { return };
        if let Err(err) = tab.session.perform(label, edits) {
            self.notices.warn(format!("{label}: {err}"));
        }
        self.drop_stale();
    }

    /// A change that follows a control while it is dragged: one undo step in all.
    fn live(&mut self, label: &str, edit: Edit, phase: Phase) {
        let Some(tab) = self.tab_mut() else { return };
        if tab.session.in_progress().is_some_and(|open| **open != *label) {
            self.leave_drag();
        }
        let Some(tab) = self.tab_mut() else { return };
        if tab.session.in_progress().is_none()
            && let Err(err) = tab.session.begin(label)
        {
            return self.notices.warn(format!("{label}: {err}"));
        }
        let edited = tab.session.edit(edit);
        if phase == Phase::Done && edited.is_ok() {
            tab.session.commit();
        }
        if let Err(err) = edited {
            tab.session.abort();
            self.notices.warn(format!("{label}: {err}"));
        }
    }

    /// Ends whatever drag is open, keeping what it did. A tool's own transaction is the tool's
    /// to end.
    pub(in crate::app) fn leave_drag(&mut self) {
        if self.tool.is_busy() {
            self.tool_event(&ToolEvent::Cancel);
        }
        if let Some(tab) = self.tab_mut() {
            tab.session.commit();
        }
    }

    /// A draft belongs to a layer of a document, painting on a mask to a mask: without them they
    /// go.
    fn drop_stale(&mut self) {
        let active = self.document().and_then(|document| document.active);
        if self.draft.as_ref().is_some_and(|draft| Some(draft.layer) != active) {
            self.draft = None;
        }
        if self.active_layer().is_none_or(|layer| layer.mask.is_none()) {
            self.target = Default::default();
        }
    }

    /// Shows one layer alone; when it is alone already, shows all.
    fn solo(&mut self, id: LayerId) {
        let Some(document) = self.document() else { return };
        let Some((parent, _)) = document.position(id) else { return };
        let siblings = document.siblings(parent).unwrap_or_default();
        let alone = siblings.iter().all(|layer| layer.props.visible == (layer.id == id));
        let edits = siblings
            .iter()
            .filter(|layer| layer.props.visible != (alone || layer.id == id))
            .map(|layer| {
                let mut props = layer.props.clone();
                props.visible = !props.visible;
                Edit::SetProps { id: layer.id, props }
            })
            .collect();
        self.perform("Show one layer", edits);
    }

    fn toggle_mask(&mut self, id: LayerId) {
        let Some(document) = self.document() else { return };
        let Some(mut mask) = document.layer(id).and_then(|layer| layer.mask.clone()) else {
            return;
        };
        mask.enabled = !mask.enabled;
        let damage = document.size.rect();
        let label = if mask.enabled { "Enable mask" } else { "Disable mask" };
        self.perform(label, vec![Edit::SetMask { id, mask: Some(mask), damage }]);
    }
}

/// A command as an action.
pub fn command(command: Command) -> Action {
    Action::Start(Binding::Command(command))
}
