//! What the program and the inference thread say to each other: closed requests one way, events
//! the other. Plain values; no tensors, no threads.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use super::analyse::{Analyse, Analysed};
use super::drag::{Drag, Dragged};
use super::invert::{Invert, Inverted};
use super::prior::Prior;
use crate::color::WorkingProfile;
use crate::faces::{Face, Wants};
use crate::geom::IRect;
use crate::inpaint::{Border, Fill};
use crate::latent::{Code, DirectionSet, EditStack, Noise, Rows, Tuning};
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::segment::What;
use crate::zoo::Purpose;

/// Names one request for the life of a service; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// What a result was computed from. A receiver that finds another revision there keeps the
/// result as a new layer instead of overwriting newer work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    pub document: u64,
    pub layer: u64,
    pub revision: u64,
    /// In document pixels.
    pub region: IRect,
}

/// How a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The latest wins: a newer preview cancels every older one.
    Preview,
    /// Runs in order and is never dropped.
    Commit,
}

/// Which network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModelRef {
    /// An installed model, by the name of its folder.
    Id(String),
    /// A checkpoint anywhere.
    File(PathBuf),
    /// A generator with weights that were changed a little for one picture.
    Tuned(Box<Self>, Arc<Tuning>),
}

impl ModelRef {
    /// The same generator with weights changed by `tuning`, if there is one.
    pub fn tuned_by(self, tuning: Option<Arc<Tuning>>) -> Self {
        match tuning {
            Some(tuning) => Self::Tuned(Box::new(self), tuning),
            None => self,
        }
    }
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::File(path) => path.display().fmt(f),
            Self::Tuned(base, _) => base.fmt(f),
        }
    }
}

/// Enlarge a picture: network, then Lanczos3 to the exact factor.
#[derive(Clone, Debug)]
pub struct Upscale {
    /// RGBA with straight alpha, encoded in `profile`. The result has the same depth.
    pub image: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    pub model: ModelRef,
    /// Result side over source side, one of [`super::upscale::SCALES`].
    pub scale: f32,
    /// Side of a tile's core in source pixels; `None` leaves the choice to the plan.
    pub tile: Option<u32>,
}

/// Where a code comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The mapping of a seed's random numbers.
    Seed {
        seed: u64,
        /// `None` lets the seed choose, where there are classes.
        class: Option<u32>,
        noise: Noise,
    },
    Code(Arc<Code>),
}

/// Rows of another code.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    pub from: Origin,
    pub rows: Rows,
    /// `0..=1`.
    pub amount: f32,
}

/// One picture of a generator.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    pub from: Origin,
    /// Before everything in `stack`.
    pub mixes: Vec<Mixed>,
    pub stack: EditStack,
}

impl Drawing {
    /// What is drawn from there and nothing done to it.
    pub fn plain(from: Origin) -> Self {
        Self { from, mixes: Vec::new(), stack: EditStack::default() }
    }
}

/// Draw pictures from codes.
#[derive(Clone, Debug)]
pub struct Render {
    pub model: ModelRef,
    pub drawings: Vec<Drawing>,
}

/// What a [`Drawing`] became.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// RGBA in sRGB, opaque, 8 bits.
    pub picture: PixelBuf,
    /// The same unrounded: three planes, nominally `0..=1`.
    pub planes: Arc<Planes>,
    /// The code with its mixes and truncation, before its edits.
    pub base: Code,
    /// The code of the picture.
    pub code: Code,
}

/// A code and whether a person likes its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub code: Arc<Code>,
    pub liked: bool,
}

/// How directions are found.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// From the weights alone (Shen and Zhou 2021).
    Sefa,
    /// Principal components of many codes (Härkönen et al. 2020).
    Pca,
    /// What face networks say of pictures that are drawn (after Shen et al. 2020).
    Faces,
    /// From what a person does not like to what they do.
    Choices(Vec<Choice>),
}

/// Find directions of a generator.
#[derive(Clone, Debug)]
pub struct Discover {
    pub model: ModelRef,
    pub method: Method,
    /// How many, where the method does not say.
    pub count: usize,
    /// The networks for [`Method::Faces`].
    pub finders: Vec<(Purpose, ModelRef)>,
}

/// What a [`Filter`] does.
#[derive(Clone, Debug)]
pub enum Effect {
    /// `sigma` is the noise's standard deviation in levels of 255; `None` estimates it.
    Denoise {
        sigma: Option<f32>,
    },
    Light,
    /// The network's own styles by index, each with its weight.
    Style {
        weights: Vec<(usize, f32)>,
    },
    StyleOf(StyleOf),
    Paint(Paint),
    Translate,
    Colorize,
    /// `finders` are the networks that find faces and their points; with `None` the picture is
    /// one face, aligned as the network learnt them.
    RestoreFace {
        finders: Option<Vec<(Purpose, ModelRef)>>,
    },
}

impl Effect {
    /// What a network must be for.
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Denoise { .. } => Purpose::Denoise,
            Self::Light => Purpose::Light,
            Self::Style { .. } => Purpose::Style,
            Self::StyleOf(_) => Purpose::StyleTransfer,
            Self::Paint(_) => Purpose::Features,
            Self::Translate => Purpose::Translate,
            Self::Colorize => Purpose::Colorize,
            Self::RestoreFace { .. } => Purpose::RestoreFace,
        }
    }
}

/// The style of a picture.
#[derive(Clone, Debug)]
pub struct StyleOf {
    /// RGBA.
    pub picture: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    /// The network that reads the style.
    pub reader: ModelRef,
    /// `0..=1`: from the content's own style to the picture's.
    pub amount: f32,
}

/// The style of a picture, by optimisation (Gatys et al. 2016).
#[derive(Clone, Debug)]
pub struct Paint {
    /// RGBA.
    pub picture: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    /// Whether only the brightness is repainted.
    pub keeps_colors: bool,
    /// Steps at each size.
    pub steps: u32,
}

/// Change a picture and keep its size.
#[derive(Clone, Debug)]
pub struct Filter {
    /// RGBA with straight alpha, encoded in `profile`. The result has the same depth.
    pub image: Arc<PixelBuf>,
    /// One channel of the picture's size: white changes, black protects.
    pub mask: Option<Arc<PixelBuf>>,
    pub profile: WorkingProfile,
    pub model: ModelRef,
    pub effect: Effect,
    /// How much of the change is taken, `0.0..=1.0`.
    pub strength: f32,
    /// Side of a tile's core; `None` leaves the choice to the plan.
    pub tile: Option<u32>,
}

/// What users call [`Engine::Patches`].
pub const PATCHES: &str = "patchmatch";

/// How a hole is filled.
#[derive(Clone, Debug, PartialEq)]
pub enum Engine {
    /// By patches of the surroundings.
    Patches,
    Network(ModelRef),
    /// By what a generator knows of pictures.
    Prior(Prior),
}

/// Take something out of a picture.
#[derive(Clone, Debug)]
pub struct Remove {
    /// RGBA with straight alpha, encoded in `profile`. The result has the same size and depth.
    pub image: Arc<PixelBuf>,
    /// One channel of the picture's size: white goes.
    pub mask: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    pub engine: Engine,
    pub options: Fill,
}

/// Continue a picture beyond its border, by patches of what is there.
#[derive(Clone, Debug)]
pub struct Expand {
    /// RGBA with straight alpha. The result has the same depth.
    pub image: Arc<PixelBuf>,
    pub border: Border,
    /// Growing and feathering do not apply: the picture itself stays as it is.
    pub options: Fill,
}

/// Find out which pixels belong to something.
#[derive(Clone, Debug)]
pub struct Select {
    /// RGBA, encoded in `profile`. The result is a mask of the same size, one channel of 8 bits.
    pub image: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    pub model: ModelRef,
    pub what: What,
}

/// Find faces and what networks make of them.
#[derive(Clone, Debug)]
pub struct Faces {
    /// RGBA, encoded in `profile`.
    pub image: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    pub wants: Wants,
    /// The network for each purpose that is needed.
    pub models: Vec<(Purpose, ModelRef)>,
}

/// The work of a request.
#[derive(Clone, Debug)]
pub enum Task {
    Analyse(Analyse),
    Discover(Discover),
    Drag(Drag),
    Expand(Expand),
    Faces(Faces),
    Filter(Filter),
    Invert(Invert),
    Remove(Remove),
    Render(Render),
    Select(Select),
    Upscale(Upscale),
}

impl Task {
    /// The network that works; `None` where none does.
    pub const fn model(&self) -> Option<&ModelRef> {
        match self {
            Self::Faces(task) => match task.models.as_slice() {
                [(_, first), ..] => Some(first),
                [] => None,
            },
            Self::Analyse(task) => Some(&task.model),
            Self::Discover(task) => Some(&task.model),
            Self::Drag(task) => Some(&task.model),
            Self::Filter(task) => Some(&task.model),
            Self::Invert(task) => Some(&task.model),
            Self::Remove(Remove { engine, .. }) => match engine {
                Engine::Network(model) | Engine::Prior(Prior { model, .. }) => Some(model),
                Engine::Patches => None,
            },
            Self::Expand(_) => None,
            Self::Render(task) => Some(&task.model),
            Self::Select(task) => Some(&task.model),
            Self::Upscale(task) => Some(&task.model),
        }
    }
}

/// Everything a job needs.
#[derive(Clone, Debug)]
pub struct Request {
    pub job: JobId,
    pub lane: Lane,
    /// Absent where the result belongs to no document yet.
    pub basis: Option<Basis>,
    pub task: Task,
    pub cancel: CancelFlag,
}

/// Asks a job to stop; looked at between tiles and stages.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the checkpoint and building the network.
    Loading,
    /// Running the network.
    Running,
    /// Changing the network's weights.
    Tuning,
    /// Resampling and converting the result.
    Finishing,
}

impl Stage {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Loading => "Loading model",
            Self::Running => "Running network",
            Self::Tuning => "Tuning the generator",
            Self::Finishing => "Finishing",
        }
    }
}

/// What a finished job made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// One a seed for a generation, none for searches and drawings, else one; RGBA.
    pub images: Vec<PixelBuf>,
    /// Of a search for faces.
    pub faces: Vec<Face>,
    /// Of [`Render`], one a drawing.
    pub drawn: Vec<Drawn>,
    /// Of [`Analyse`].
    pub analysed: Option<Analysed>,
    /// Of [`Invert`].
    pub inverted: Option<Inverted>,
    /// Of [`Drag`]: the latest step.
    pub dragged: Option<Arc<Dragged>>,
    /// Of [`Discover`].
    pub directions: Option<DirectionSet>,
    /// The model that ran: its id, or its file; else what worked.
    pub model: String,
    /// Wall time from start to result.
    pub seconds: f32,
}

/// What the inference thread says.
#[derive(Clone, Debug)]
pub enum Event {
    /// `done` of `total` units of the stage are finished; `eta_seconds` is for the whole job.
    Progress {
        job: JobId,
        stage: Stage,
        done: u32,
        total: u32,
        eta_seconds: Option<f32>,
    },
    /// What the job has so far.
    Picture {
        job: JobId,
        /// RGBA in sRGB, opaque, 8 bits.
        picture: Arc<PixelBuf>,
    },
    /// A step of a [`Drag`].
    Dragged {
        job: JobId,
        step: Arc<Dragged>,
    },
    /// Something the user should know while the job goes on.
    Notice {
        job: JobId,
        text: String,
    },
    Finished {
        job: JobId,
        basis: Option<Basis>,
        output: Box<Output>,
    },
    /// `error` is one sentence without a full stop.
    Failed {
        job: JobId,
        error: String,
    },
    /// The picture does not have what the task needs; `reason` is one sentence without a full
    /// stop.
    Refused {
        job: JobId,
        reason: String,
    },
    Cancelled {
        job: JobId,
    },
}

impl Event {
    pub const fn job(&self) -> JobId {
        match self {
            Self::Progress { job, .. }
            | Self::Picture { job, .. }
            | Self::Dragged { job, .. }
            | Self::Notice { job, .. }
            | Self::Finished { job, .. }
            | Self::Failed { job, .. }
            | Self::Refused { job, .. }
            | Self::Cancelled { job } => *job,
        }
    }

    /// Whether no further event of this job will come.
    pub const fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::Progress { .. }
                | Self::Picture { .. }
                | Self::Dragged { .. }
                | Self::Notice { .. }
        )
    }
}
