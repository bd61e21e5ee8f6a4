//! What each command does, and why it sometimes cannot.

use std::sync::Arc;

use eframe::egui;

use crate::app::App;
use crate::app::action::{LabAction, LatentAction};
use crate::app::ai::Card;
use crate::app::clipboard::Copied;
use crate::app::command::{Binding, Command};
use crate::app::dialog::{
    CanvasForm, Dialog, ExpandForm, NewForm, ParamForm, PatternForm, SizeForm,
};
use crate::app::files::{self, ExportSettings};
use crate::app::prefs::Look;
use crate::app::project::SaveSettings;
use crate::app::state::{Dock, Model, Outcome};
use crate::commands::masks::NewMask;
use crate::commands::{CommandError, Step, geometry, layers, masks, paint, selection};
use crate::document::{Document, LayerId};
use crate::ops;
use crate::params::Params;
use crate::patterns;
use crate::tools::{PaintTarget, ToolEvent};

/// Why a command cannot act now, for the tooltip; `None` when it can.
pub fn unavailable(model: &Model, binding: Binding) -> Option<String> {
    use Command as C;
    let no_picture = || model.tab().is_none().then(|| "No picture is open".to_owned());
    let no_layer = || {
        no_picture()
            .or_else(|| model.active_layer().is_none().then(|| "No layer is selected".to_owned()))
    };
    let command = match binding {
        Binding::Command(command) => command,
        Binding::Operation(_) => return model.pixels_refused(),
        Binding::Tool(_) => return None,
    };
    match command {
        C::New | C::Open | C::Quit | C::SwapColors | C::DefaultColors | C::Preferences => None,
        C::TogglePanels | C::FullScreen | C::ToggleTheme | C::TogglePixelGrid => None,
        C::ToggleExtras | C::Palette | C::Shortcuts | C::About => None,
        C::RandomSeed | C::Train => None,
        C::OpenSample => {
            model.files.sample.is_none().then(|| "The sample photo is not installed".into())
        }
        C::QuickExport => no_picture().or_else(|| {
            let export = model.tab().and_then(|tab| tab.export.as_ref());
            export.is_none().then(|| "Nothing was exported yet".into())
        }),
        C::Revert => no_picture().or_else(|| {
            let path = model.tab().and_then(|tab| tab.path.as_ref());
            path.is_none().then(|| "This picture has no file".into())
        }),
        C::Undo => no_picture().or_else(|| {
            let past = model.tab().map_or(0, |tab| tab.session.history().past().len());
            (past == 0).then(|| "Nothing to undo".into())
        }),
        C::Redo => no_picture().or_else(|| {
            let future = model.tab().map_or(0, |tab| tab.session.history().future().len());
            (future == 0).then(|| "Nothing to redo".into())
        }),
        C::Paste => None,
        C::FillForeground | C::FillBackground if model.target == PaintTarget::Mask => no_layer(),
        C::Cut | C::Copy | C::Clear | C::FillForeground | C::FillBackground => {
            model.pixels_refused()
        }
        C::Deselect | C::FeatherSelection | C::CropToSelection => no_picture().or_else(|| {
            let selection = model.document().and_then(|document| document.selection.as_ref());
            selection.is_none().then(|| "Nothing is selected".into())
        }),
        C::UngroupLayer => no_layer().or_else(|| {
            let group = model.active_layer().and_then(|layer| layer.children());
            group.is_none().then(|| "The layer is no group".into())
        }),
        C::AddMask => no_layer().or_else(|| {
            let masked = model.active_layer().is_some_and(|layer| layer.mask.is_some());
            masked.then(|| "The layer has a mask already".into())
        }),
        C::DeleteMask | C::InvertMask => no_layer().or_else(|| no_mask(model)),
        C::ApplyMask => model.pixels_refused().or_else(|| no_mask(model)),
        C::MergeDown => no_layer().or_else(|| {
            let beneath = model
                .document()
                .and_then(|document| document.position(document.active?))
                .is_some_and(|(_, index)| index > 0);
            (!beneath).then(|| "There is no layer beneath".into())
        }),
        C::DuplicateLayer | C::DeleteLayer | C::GroupLayer | C::LayerUp | C::LayerDown => {
            no_layer()
        }
        C::RepeatFilter => model
            .pixels_refused()
            .or_else(|| model.last_adjustment.is_none().then(|| "Nothing was adjusted yet".into())),
        C::Generate => model.ai.refused.clone(),
        C::AnalysePhoto | C::Upscale => no_picture().or_else(|| model.ai.refused.clone()),
        C::RunAi if model.tool.awaits_confirm() => None,
        C::RunAi if model.dock == Dock::Latent => {
            model.latent.present.is_none().then(|| "Nothing was drawn yet".into())
        }
        C::RunAi => model.ai.refused.clone().or_else(|| match model.ai.card {
            Card::Upscale => no_picture(),
            card => no_picture().or_else(|| model.ai.effect_refused(card)),
        }),
        C::CancelJob | C::CancelJobs => {
            model.jobs.running().is_empty().then(|| "No job is running".into())
        }
        C::NextTab | C::PreviousTab => {
            (model.tabs.len() < 2).then(|| "Only one picture is open".into())
        }
        _ => no_picture(),
    }
}

fn no_mask(model: &Model) -> Option<String> {
    let masked = model.active_layer().is_some_and(|layer| layer.mask.is_some());
    (!masked).then(|| "The layer has no mask".into())
}

impl App {
    /// Starts a command, an adjustment or a tool, or says why it cannot.
    pub(super) fn start(&mut self, ctx: &egui::Context, binding: Binding) {
        if let Some(reason) = unavailable(&self.model, binding) {
            return self.model.notices.info(format!("{}: {reason}", binding.label()));
        }
        match binding {
            Binding::Operation(name) => {
                self.model.dock = Dock::Adjust;
                self.model.begin_adjustment(name);
            }
            Binding::Tool(id) => self.model.select_tool(id),
            Binding::Command(command) => self.command(ctx, command),
        }
    }

    fn command(&mut self, ctx: &egui::Context, command: Command) {
        use Command as C;
        match command {
            C::New => self.open_dialog(Dialog::New(NewForm::default())),
            C::Close => self.close_tab(self.model.active),
            C::Quit => {
                if self.may_close() {
                    self.model.quitting = true;
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
            }
            C::Save | C::SaveAs => {
                let Some(tab) = self.model.tab() else { return };
                let (settings, known) = (SaveSettings::propose(tab), tab.project().is_some());
                if known && command == C::Save {
                    self.model.save(settings);
                } else {
                    self.open_dialog(Dialog::Save(settings));
                }
            }
            C::Export => {
                let proposal = self.model.tab().map(|tab| {
                    tab.export.clone().unwrap_or_else(|| {
                        let path = tab.path.as_deref();
                        ExportSettings::propose(tab.id, &tab.title, path, tab.document())
                    })
                });
                self.local.dialog = proposal.map(Dialog::Export);
            }
            C::Preferences => self.open_dialog(Dialog::Preferences),
            C::ImageSize => {
                if let Some(document) = self.model.document() {
                    self.local.dialog = Some(Dialog::ImageSize(SizeForm::new(document.size)));
                }
            }
            C::CanvasSize => {
                if let Some(document) = self.model.document() {
                    self.local.dialog = Some(Dialog::CanvasSize(CanvasForm::new(document.size)));
                }
            }
            C::NewPattern => {
                if let Some(first) = patterns::all().first() {
                    self.open_dialog(Dialog::Pattern(PatternForm::new(first)));
                }
            }
            C::Expand => {
                if let Some(document) = self.model.document() {
                    self.local.dialog = Some(Dialog::Expand(ExpandForm::new(document.size)));
                }
            }
            C::RotateBy => {
                if let Some(op) = ops::find("rotate") {
                    self.open_dialog(Dialog::Operation(ParamForm::new(op)));
                }
            }
            C::FeatherSelection => self.open_dialog(Dialog::Feather { radius_px: 4.0 }),
            C::RemoveObject
            | C::Denoise
            | C::Light
            | C::RestoreFace
            | C::Colorize
            | C::Style
            | C::Translate
            | C::Upscale => {
                self.model.dock = Dock::Ai;
                self.model.ai.card = match command {
                    C::RemoveObject => Card::Remove,
                    C::Denoise => Card::Denoise,
                    C::Light => Card::Light,
                    C::RestoreFace => Card::RestoreFace,
                    C::Colorize => Card::Colorize,
                    C::Style => Card::Style,
                    C::Translate => Card::Translate,
                    _ => Card::Upscale,
                };
                self.model.panels_hidden = false;
            }
            C::Generate | C::AnalysePhoto => {
                if command == C::AnalysePhoto {
                    self.model.latent_action(LatentAction::Analyse);
                }
                self.model.dock = Dock::Latent;
                self.model.panels_hidden = false;
            }
            C::Train => self.model.lab_action(LabAction::Open),
            C::Palette => self.open_dialog(Dialog::Palette { query: String::new(), at: 0 }),
            C::Shortcuts => self.open_dialog(Dialog::Shortcuts),
            C::About => self.open_dialog(Dialog::About),
            C::FullScreen => {
                let full = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(!full));
            }
            C::ToggleTheme | C::TogglePixelGrid => {
                let mut prefs = self.model.prefs.clone();
                if command == C::ToggleTheme {
                    prefs.look = if prefs.look == Look::Dark { Look::Light } else { Look::Dark };
                } else {
                    prefs.pixel_grid = !prefs.pixel_grid;
                }
                self.set_prefs(ctx, prefs);
            }
            C::Copy | C::CopyMerged | C::Cut => self.model.copy(command),
            C::Paste => self.model.clipboard.ask(),
            _ => self.model.command(command),
        }
    }

    fn open_dialog(&mut self, dialog: Dialog) {
        self.local.dialog = Some(dialog);
    }
}

impl Model {
    fn command(&mut self, command: Command) {
        use Command as C;
        match command {
            C::Open => self.spawn("Open", files::pick_files),
            C::OpenSample => {
                if let Some(path) = self.files.sample.clone() {
                    self.open_file(path);
                }
            }
            C::QuickExport => {
                if let Some(settings) = self.tab().and_then(|tab| tab.export.clone()) {
                    self.export(settings);
                }
            }
            C::Revert => {
                let front = self.tab().and_then(|tab| Some((tab.id, tab.path.clone()?)));
                if let Some((tab, path)) = front {
                    self.spawn("Revert", files::reread(path, tab));
                }
            }
            C::Compare => self.compare.on = !self.compare.on,
            C::CompareMode => {
                self.compare.side = !self.compare.side || !self.compare.on;
                self.compare.on = true;
            }
            C::Undo => self.undo(),
            C::Redo => {
                self.settle_tool();
                if let Some(tab) = self.tab_mut() {
                    tab.session.redo();
                }
                self.drop_stale();
            }
            C::SwapColors => std::mem::swap(&mut self.foreground, &mut self.background),
            C::DefaultColors => {
                self.foreground = [0.0; 3];
                self.background = [1.0; 3];
            }

            C::Clear => self.on_active("Clear", paint::clear),
            C::FillForeground => self.fill(self.foreground),
            C::FillBackground => self.fill(self.background),

            C::RotateClockwise => self.turn("turns=1"),
            C::Rotate180 => self.turn("turns=2"),
            C::RotateCounterclockwise => self.turn("turns=3"),
            C::FlipHorizontal => self.flip("axis=horizontal"),
            C::FlipVertical => self.flip("axis=vertical"),
            C::CropToSelection => self.step("Crop", |document| {
                geometry::crop(document, paint::tight_selection_bounds(document), false)
            }),

            C::NewLayer => self.step_now("New layer", |document| Ok(layers::new_layer(document))),
            C::DuplicateLayer => self.on_active("Duplicate layer", paint::layer_via_copy),
            C::DeleteLayer => self.on_active_now("Delete layer", layers::delete),
            C::GroupLayer => {
                self.on_active_now("Group layer", |d, id| layers::group(d, &[id]));
            }
            C::UngroupLayer => self.on_active_now("Ungroup", layers::ungroup),
            C::AddMask => {
                self.on_active_now("Add mask", |document, id| {
                    let selected = document.selection.is_some();
                    let what = if selected { NewMask::FromSelection } else { NewMask::RevealAll };
                    masks::add(document, id, what)
                });
                // What was just added is what a person means to paint on.
                if self.active_layer().is_some_and(|layer| layer.mask.is_some()) {
                    self.target = PaintTarget::Mask;
                }
            }
            C::DeleteMask => {
                self.target = Default::default();
                self.on_active_now("Delete mask", masks::delete);
            }
            C::InvertMask => self.on_active("Invert mask", masks::invert),
            C::ApplyMask => {
                self.target = Default::default();
                self.on_active("Apply mask", masks::apply);
            }
            C::MergeDown => self.on_active("Merge down", layers::merge_down),
            C::MergeVisible => self.step("Merge visible", layers::merge_visible),
            C::Flatten => self.step("Flatten", layers::flatten),
            C::LayerUp => self.on_active_now("Move layer", |d, id| layers::reorder(d, id, 1)),
            C::LayerDown => self.on_active_now("Move layer", |d, id| layers::reorder(d, id, -1)),
            C::SelectAbove => self.select_neighbour(1),
            C::SelectBelow => self.select_neighbour(-1),

            C::SelectAll => self.step_now("Select all", |d| Ok(selection::select_all(d))),
            C::Deselect => self.step_now("Deselect", |d| Ok(selection::deselect(d))),
            C::InvertSelection => {
                self.step("Invert selection", |d| Ok(selection::invert(d)));
            }

            C::RepeatFilter => self.repeat_adjustment(),
            // What was painted over waits for this key more than any card does.
            C::RunAi if self.tool.awaits_confirm() => self.tool_event(&ToolEvent::Confirm),
            C::RunAi if self.dock == Dock::Latent => self.apply_latent(),
            C::RunAi => match self.ai.card {
                Card::Upscale => self.run_upscale(),
                card => self.run_effect(card),
            },
            C::RandomSeed => self.step_seed(None),
            C::PreviousSeed => self.step_seed(Some(-1)),
            C::SelectSubject => self.select_subject(),
            C::CancelJobs => {
                let all: Vec<_> = self.jobs.running().iter().map(|job| job.id).collect();
                for id in all {
                    self.jobs.cancel(id);
                    self.ai.cancel(id);
                }
            }
            C::CancelJob => {
                if let Some(id) = self.jobs.running().last().map(|job| job.id) {
                    self.jobs.cancel(id);
                    self.ai.cancel(id);
                }
            }

            C::ZoomIn | C::ZoomOut => {
                let steps = if command == C::ZoomIn { 1 } else { -1 };
                if let Some(about) = self.zoom_point() {
                    self.with_view(|view, _| view.step_about(about, steps));
                }
            }
            C::ZoomFit => {
                let Some(size) = self.document().map(|document| document.size) else { return };
                self.with_view(|view, viewport| view.fit_to(viewport, size));
            }
            C::Zoom100 | C::Zoom200 => {
                let zoom = if command == C::Zoom100 { 1.0 } else { 2.0 };
                if let Some(about) = self.zoom_point() {
                    self.with_view(|view, _| view.zoom_about(about, zoom / view.zoom));
                }
            }
            C::ToggleExtras => self.extras = !self.extras,
            C::TogglePanels => self.panels_hidden = !self.panels_hidden,
            C::NextTab => self.activate_tab((self.active + 1) % self.tabs.len().max(1)),
            C::PreviousTab => {
                let count = self.tabs.len().max(1);
                self.activate_tab((self.active + count - 1) % count);
            }
            // Those that open dialogs are `App`'s.
            _ => {}
        }
    }

    /// Undo takes back a drag in progress before anything else.
    fn undo(&mut self) {
        if self.tool.is_busy() {
            return self.settle_tool();
        }
        if self.draft.take().is_some() {
            return;
        }
        if let Some(tab) = self.tab_mut() {
            tab.session.commit();
            tab.session.undo();
        }
        self.drop_stale();
    }

    fn settle_tool(&mut self) {
        if self.tool.is_busy() {
            self.tool_event(&ToolEvent::Cancel);
        }
    }

    /// Fills the layer, or its mask while that is painted on: white shows.
    fn fill(&mut self, color: [f32; 3]) {
        match self.target {
            PaintTarget::Pixels => self.on_active("Fill", move |d, id| paint::fill(d, id, color)),
            PaintTarget::Mask => {
                let value = crate::compose::luminosity(color);
                self.on_active("Fill mask", move |d, id| paint::fill_mask(d, id, value));
            }
        }
    }

    /// Copies on a worker; cutting clears afterwards.
    fn copy(&mut self, command: Command) {
        let cut = command == Command::Cut;
        let Some(tab) = self.tab() else { return };
        let (tab, document) = (tab.id, tab.document().clone());
        let id = if command == Command::CopyMerged { None } else { document.active };
        self.spawn(command.label(), move |_| {
            let (pixels, at) = paint::copy(&document, id).map_err(|err| err.to_string())?;
            let (pixels, profile) = (Arc::new(pixels), document.profile.clone());
            let synthesis = paint::synthesis(&document, id);
            Ok(Outcome::Copied { tab, copied: Copied { pixels, at, profile, synthesis }, cut })
        });
    }

    fn turn(&mut self, word: &str) {
        self.geometry_words("rotate90", word);
    }

    fn flip(&mut self, word: &str) {
        self.geometry_words("flip", word);
    }

    fn geometry_words(&mut self, name: &'static str, word: &str) {
        let params = ops::find(name).map(|op| Params::parse(op.spec().params, [word]));
        match params {
            Some(Ok(params)) => self.geometry(name, params),
            Some(Err(err)) => self.notices.warn(err.to_string()),
            None => {}
        }
    }

    /// A cheap command on the active layer.
    fn on_active_now(
        &mut self,
        label: &str,
        make: impl FnOnce(&Document, LayerId) -> Result<Step, CommandError>,
    ) {
        self.step_now(label, |document| {
            make(document, document.active.ok_or(CommandError::NoLayer)?)
        });
    }

    /// A command on the active layer's pixels, on a worker.
    pub fn on_active(
        &mut self,
        label: &str,
        make: impl FnOnce(&Document, LayerId) -> Result<Step, CommandError> + Send + 'static,
    ) {
        self.step(label, move |document| {
            make(document, document.active.ok_or(CommandError::NoLayer)?)
        });
    }

    fn select_neighbour(&mut self, towards: i32) {
        let Some(document) = self.document() else { return };
        let mut order = Vec::new();
        document.walk(&mut |layer, _| order.push(layer.id));
        let now = order.iter().position(|id| Some(*id) == document.active);
        let next = now.map_or(0, |at| at as i32 + towards);
        let next = usize::try_from(next).ok().and_then(|at| order.get(at).copied());
        if let (Some(next), Some(tab)) = (next, self.tab_mut()) {
            tab.session.set_active(Some(next));
            self.target = Default::default();
            self.drop_stale();
        }
    }
}
