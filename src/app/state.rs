//! The model: everything that panels read. Only `dispatch` changes it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::ai::Ai;
use super::clipboard::{Clipboard, Copied};
use super::compare::Compare;
use super::files::{ExportSettings, Files};
use super::film::FilmSettings;
use super::goal::Goal;
use super::jobs::{JobId, Jobs, Wake};
use super::lab::Lab;
use super::latent::Latent;
use super::notify::Notices;
use super::observe::Observer;
use super::prefs::Prefs;
use super::project::SaveSettings;
use super::recent::RecentThumbs;
use super::trial::{Trial, Trials};
use super::view::{View, Viewport};
use crate::commands::Step;
use crate::document::{Document, Layer, LayerId, LayerKind, Session};
use crate::geom::Point;
use crate::infer::protocol::Task;
use crate::ops::{Engine, Operation, Processor};
use crate::params::Params;
use crate::pixels::TiledImage;
use crate::tools::{self, PaintTarget, Tool, ToolContext, ToolSpec};

/// What the upper half of the right dock shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dock {
    #[default]
    Adjust,
    Ai,
    Latent,
}

/// Names an open document for the life of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TabId(pub u64);

/// One open document.
pub struct Tab {
    pub id: TabId,
    pub title: String,
    /// The file it came from, or the project it was saved to since.
    pub path: Option<PathBuf>,
    /// The picture that its project was made of, as it was called then.
    pub made_of: Option<PathBuf>,
    pub session: Session,
    /// As it was opened or last reverted, for comparing.
    pub original: Document,
    /// What that is called, where it is no original.
    pub compared_with: Option<&'static str>,
    /// Times that the file was read.
    pub reads: u32,
    pub view: View,
    /// Settings of the last export.
    pub export: Option<ExportSettings>,
    /// The job that is saving it.
    pub saving: Option<JobId>,
}

impl Tab {
    pub fn document(&self) -> &Document {
        self.session.document()
    }
}

/// An adjustment being prepared: shown, not yet done.
#[derive(Clone)]
pub struct Draft {
    pub op: &'static dyn Operation,
    pub params: Params,
    pub tab: TabId,
    pub layer: LayerId,
    /// Whether the canvas shows it.
    pub preview: bool,
}

/// What finished jobs hand over.
pub enum Outcome {
    Opened {
        path: Option<PathBuf>,
        title: String,
        document: Document,
        made_of: Option<PathBuf>,
        notices: Vec<String>,
    },
    /// What a network has enlarged, and the same by interpolation, for comparing.
    Enlarged {
        title: String,
        document: Document,
        bicubic: Document,
        note: String,
    },
    /// The file of a document, read again.
    Reread {
        tab: TabId,
        document: Document,
        notices: Vec<String>,
    },
    /// An undo step computed from `base`, and what there is to say of it.
    Step {
        tab: TabId,
        base: Document,
        step: Step,
        notices: Vec<String>,
    },
    /// A request for the inference thread.
    Asked {
        task: Box<Task>,
        goal: Goal,
    },
    /// Thin lines that are to be removed.
    Scratches {
        tab: TabId,
        mask: TiledImage,
    },
    /// Pixels for the clipboard.
    Copied {
        tab: TabId,
        copied: Copied,
        cut: bool,
    },
    /// Directions for the model of this SHA-256.
    Directions {
        model: String,
        set: crate::latent::DirectionSet,
    },
    /// A checkpoint that is now in the user's model folder.
    Imported(Box<crate::zoo::Manifest>),
    /// A generator of the lab was installed.
    Learnt(Box<crate::zoo::Manifest>),
    Exported {
        settings: ExportSettings,
        notices: Vec<String>,
    },
    Saved {
        settings: SaveSettings,
        revision: u64,
        made_of: Option<PathBuf>,
    },
    PickedProject(SaveSettings),
    PickedFiles(Vec<PathBuf>),
    /// Of pictures to learn from.
    PickedFolder(PathBuf),
    PickedTarget {
        settings: ExportSettings,
    },
    PickedFilm(Box<FilmSettings>),
    /// Something that only is to be said.
    Said(String),
    /// The desktop has no file dialog.
    NoFileDialog,
    Nothing,
}

impl Outcome {
    /// An undo step, with one sentence for the user.
    pub fn step(tab: TabId, base: Document, step: Step, note: String) -> Self {
        Self::Step { tab, base, step, notices: vec![note] }
    }

    /// A document that no file holds yet, with one sentence for the user.
    pub fn made(title: String, document: Document, note: String) -> Self {
        Self::Opened { path: None, title, document, made_of: None, notices: vec![note] }
    }
}

/// Everything that panels may look at.
pub struct Model {
    pub tabs: Vec<Tab>,
    pub active: usize,
    pub next_tab: u64,
    pub viewport: Option<Viewport>,
    /// The pointer over the picture, in document pixels.
    pub cursor: Option<Point>,
    pub show_original: bool,
    pub compare: Compare,

    pub tool: Box<dyn Tool>,
    /// Values of each tool's options.
    pub tool_params: HashMap<&'static str, Params>,
    pub foreground: [f32; 3],
    pub background: [f32; 3],
    pub target: PaintTarget,

    pub draft: Option<Draft>,
    pub last_adjustment: Option<(&'static str, Params)>,
    pub clipboard: Clipboard,

    pub jobs: Jobs<Outcome>,
    pub notices: Notices,
    pub observer: Observer,
    pub files: Files,
    pub recent: RecentThumbs,
    pub ai: Ai,
    pub latent: Latent,
    pub lab: Lab,
    pub trials: Trials,
    pub dock: Dock,
    /// Runs operations at full size.
    pub engine: Arc<dyn Engine>,

    pub prefs: Prefs,
    pub panels_hidden: bool,
    pub extras: bool,
    /// The graphics adapter in words.
    pub adapter: String,
    /// Set once everything unsaved was decided about.
    pub quitting: bool,
}

impl Model {
    pub fn new(wake: &Wake, prefs: Prefs, files: Files, ai: Ai) -> Result<Self, std::io::Error> {
        let first: &'static ToolSpec = initial_tool();
        let tool_params =
            tools::all().iter().map(|spec| (spec.id, Params::defaults(spec.params))).collect();
        Ok(Self {
            tabs: Vec::new(),
            active: 0,
            next_tab: 1,
            viewport: None,
            cursor: None,
            show_original: false,
            compare: Compare::default(),
            tool: (first.create)(),
            tool_params,
            foreground: [0.0; 3],
            background: [1.0; 3],
            target: PaintTarget::Pixels,
            draft: None,
            last_adjustment: None,
            clipboard: Clipboard::new(),
            jobs: Jobs::new(wake.clone()),
            notices: Notices::default(),
            observer: Observer::spawn(wake)?,
            files,
            recent: RecentThumbs::spawn(wake)?,
            ai,
            latent: Latent::spawn(wake)?,
            lab: Lab::new(wake),
            trials: Trials::spawn(wake)?,
            dock: Dock::default(),
            engine: Arc::new(Processor),
            prefs,
            panels_hidden: false,
            extras: true,
            adapter: "no graphics adapter".into(),
            quitting: false,
        })
    }

    /// The document in front.
    pub fn tab(&self) -> Option<&Tab> {
        self.tabs.get(self.active)
    }

    pub fn tab_mut(&mut self) -> Option<&mut Tab> {
        self.tabs.get_mut(self.active)
    }

    pub fn tab_by_id(&mut self, id: TabId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == id)
    }

    pub fn document(&self) -> Option<&Document> {
        self.tab().map(Tab::document)
    }

    pub fn active_layer(&self) -> Option<&Layer> {
        self.document()?.active_layer().map(|layer| &**layer)
    }

    /// What the tool in hand may look at.
    pub fn tool_context<'a>(&'a self, tab: &'a Tab) -> Option<ToolContext<'a>> {
        Some(ToolContext {
            document: tab.document(),
            params: self.tool_params.get(self.tool.spec().id)?,
            foreground: self.foreground,
            background: self.background,
            target: self.target,
            zoom: self.viewport.map_or(tab.view.zoom, |viewport| tab.view.scale(&viewport)),
        })
    }

    /// The original, while it is compared with, and what names its content.
    pub fn compared(&self) -> Option<(u64, Document)> {
        let tab = self.tab().filter(|_| self.compare.on)?;
        Some((tab.id.0 << 32 | u64::from(tab.reads), tab.original.clone()))
    }

    /// What the canvas shows: the document, its original, or what would become of it.
    pub fn shown(&self) -> Option<Document> {
        let tab = self.tab()?;
        if self.show_original {
            return Some(tab.original.clone());
        }
        if let Some(layer) = self.latent_preview() {
            let hides = self.latent.editing.filter(|(of, _)| *of == tab.id).map(|(_, layer)| layer);
            return Some(super::latent::with_preview(tab.document(), layer, hides));
        }
        if let Some((_, shown)) = self.trial_shown() {
            return Some(shown.clone());
        }
        let draft = self.draft.as_ref().filter(|draft| draft.preview && draft.tab == tab.id);
        let document = draft.and_then(|draft| super::draft::preview(tab.document(), draft));
        Some(document.unwrap_or_else(|| tab.document().clone()))
    }

    /// The variant that the canvas shows in the document's place; it may be smaller.
    pub fn trial_shown(&self) -> Option<(&Trial, &Document)> {
        let (trial, tab) = (self.trials.open.as_ref()?, self.tab()?);
        let shown = trial.shown().filter(|_| !self.show_original);
        shown.filter(|_| trial.tab == tab.id).map(|shown| (trial, shown))
    }

    /// The layer that shows what the Latent panel would do to the picture in front.
    pub fn latent_preview(&self) -> Option<&Arc<Layer>> {
        let tab = self.tab().filter(|_| self.dock == Dock::Latent)?;
        let shown = self.latent.shown.as_ref().filter(|shown| shown.tab == tab.id);
        shown.map(|shown| &shown.layer)
    }

    /// Why no pixels of the active layer can be changed, or `None`.
    pub fn pixels_refused(&self) -> Option<String> {
        if self.tab().is_none() {
            return Some("No picture is open".into());
        }
        let Some(layer) = self.active_layer() else { return Some("No layer is selected".into()) };
        if layer.props.locked {
            return Some(format!("“{}” is locked", layer.props.name));
        }
        match layer.kind {
            LayerKind::Raster(_) | LayerKind::Generated(_) => None,
            _ => Some(format!("“{}” holds no pixels", layer.props.name)),
        }
    }
}

/// The operation of an adjustment layer that this version does not know; such a layer shows
/// nothing.
pub fn unknown_operation(layer: &Layer) -> Option<&str> {
    match &layer.kind {
        LayerKind::Adjustment(adjustment) if crate::ops::find(&adjustment.op).is_none() => {
            Some(&adjustment.op)
        }
        _ => None,
    }
}

/// The tool in hand at the start: moving the view never harms.
fn initial_tool() -> &'static ToolSpec {
    tools::find("hand").unwrap_or(tools::all()[0])
}
