//! Actions: what panels ask for, with data. One place handles them: `dispatch`.

use std::path::PathBuf;

use eframe::egui::Vec2;

use super::command::Binding;
use super::files::ExportSettings;
use super::film::FilmSettings;
use super::jobs::JobId;
use super::lab::{LabSettings, Order};
use super::latent::{LatentSettings, Strip};
use super::prefs::Prefs;
use super::project::SaveSettings;
use super::view::Viewport;
use crate::document::{Adjustment, LayerId, LayerProps};
use crate::geom::{Point, Size};
use crate::infer::protocol::Method;
use crate::params::{Params, Value};
use crate::tools::{PaintTarget, ToolEvent};

/// Collected by panels during a frame, handled after it.
pub type Actions = Vec<Action>;

/// Whether a control is still being dragged: then the change joins the open undo step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Ongoing,
    Done,
}

#[derive(Clone, Debug)]
pub enum Action {
    Start(Binding),
    OpenFiles(Vec<PathBuf>),
    /// Puts the files on new layers of the document in front.
    PlaceFiles(Vec<PathBuf>),
    ActivateTab(usize),
    /// Closes a document; asks first where something would be lost.
    CloseTab(usize),
    CloseTabUnsaved(usize),
    QuitUnsaved,

    // View
    Viewport(Viewport),
    Pan(Vec2),
    ZoomBy {
        about: Point,
        factor: f32,
    },
    SetZoom(f32),
    ShowOriginal(bool),
    /// Where the divider between original and picture stands, `0..=1` of the canvas.
    CompareAt(f32),
    CursorAt(Option<Point>),

    // Tools
    Tool(ToolEvent),
    SetToolParam {
        key: &'static str,
        value: Value,
    },
    ResetTool,
    SetColors {
        foreground: [f32; 3],
        background: [f32; 3],
    },

    // Layers
    SelectLayer {
        id: LayerId,
        target: PaintTarget,
    },
    SetProps {
        id: LayerId,
        props: LayerProps,
        label: &'static str,
        phase: Phase,
    },
    SetAdjustment {
        id: LayerId,
        adjustment: Adjustment,
        phase: Phase,
    },
    /// Ends what `Phase::Ongoing` began without another change.
    EndDrag,
    Solo(LayerId),
    MoveLayer {
        id: LayerId,
        parent: Option<LayerId>,
        index: usize,
    },
    ToggleMask(LayerId),
    Jump(usize),

    // The adjustment being prepared
    SetDraft(Params),
    SetDraftPreview(bool),
    ApplyDraft,
    DraftAsLayer,
    CancelDraft,

    // Dialogs
    NewDocument {
        size: Size,
        deep: bool,
        transparent: bool,
    },
    Resize {
        size: Size,
        filter: String,
    },
    Geometry {
        op: &'static str,
        params: Params,
    },
    Feather(f32),
    /// A new layer with a pattern of the two colours.
    DrawPattern {
        name: &'static str,
        params: Params,
        seed: u64,
    },
    /// Continues the picture beyond its border.
    Expand(crate::inpaint::Border),
    SaveProject(Box<SaveSettings>),
    ChooseProjectFile(Box<SaveSettings>),
    Export(Box<ExportSettings>),
    ChooseExportFile(Box<ExportSettings>),
    /// Asks how the path of the Latent panel is exported.
    PrepareFilm,
    ExportFilm(Box<FilmSettings>),
    ChooseFilmFile(Box<FilmSettings>),
    SetPrefs(Box<Prefs>),

    // AI
    RunUpscale,
    RunEffect(super::ai::Card),
    SetEffect {
        card: super::ai::Card,
        settings: Box<super::effects::EffectSettings>,
    },
    /// From now on running the open card makes a new layer.
    LeaveEditing,
    /// Finds thin lines and has them removed.
    RemoveScratches,
    OpenDock(super::state::Dock),
    OpenCard(super::ai::Card),
    SetUpscale(super::ai::UpscaleSettings),

    Latent(LatentAction),
    Lab(LabAction),
    Trial(TrialAction),

    // Jobs and notices
    CancelJob(JobId),
    DismissNotice(u64),
    ToggleNotice(u64),
}

/// What the variants of a card are asked for.
#[derive(Clone, Copy, Debug)]
pub enum TrialAction {
    Open(super::ai::Card),
    Choose(usize),
    /// The next, or the one before.
    Step(isize),
    /// Runs the card as the chosen one.
    Apply,
    Leave,
}

/// What the lab asks for.
#[derive(Clone, Debug)]
pub enum LabAction {
    Open,
    /// Back to the pictures; a run goes on.
    Close,
    Set(Box<LabSettings>),
    ChooseFolder,
    Start,
    Order(Order),
    /// The sheet to look at; the newest with `None`.
    Look(Option<usize>),
    /// Installs what was learnt and opens it in the Latent tab: the last state, or the best.
    Use {
        best: bool,
    },
}

/// What the Latent panel asks for.
#[derive(Clone, Debug)]
pub enum LatentAction {
    Set(Box<LatentSettings>),
    /// The next seed, the one before, or with `None` any.
    StepSeed(Option<i64>),
    AskStrip(Strip),
    /// Opens what made a layer: its sliders, or the card with its settings.
    Reopen(LayerId),
    /// Finds a face in the picture in front and its code.
    Analyse,
    /// Goes on with the search for the face's code.
    Refine,
    /// Tunes the generator until it draws the face as it is.
    Tune,
    /// Looks for the code of another face in the picture.
    TakeFace(usize),
    /// Back to the seed.
    LeavePhoto,
    /// From now on applying makes a new layer.
    LeaveLayer,
    /// Takes a picture of the strip.
    TakeShot(usize),
    /// Sets a point to be dragged, in pixels of the generator's picture.
    Pull(crate::latent::drag::Pull),
    /// Whether a drag leaves what is far from its points as it is.
    KeepRest(bool),
    /// Starts dragging, or goes on.
    Drag,
    PauseDrag,
    /// Takes the last step back.
    UndoDrag,
    ForgetPulls,
    /// Likes a picture of the strip, or does not.
    Choose {
        at: usize,
        liked: bool,
    },
    ForgetChoices,
    /// Puts the present picture at the end of the path, or takes one out.
    AddToPath,
    TakeOffPath(usize),
    /// Goes to a place of the path, `0..=1`.
    GoAlongPath(f64),
    FindDirections(Method),
    Rename {
        from: String,
        to: String,
    },
    /// Writes the directions that were found to a file.
    SaveDirections,
    Apply,
}
