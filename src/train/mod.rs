//! How generators learn: two networks against each other (Goodfellow et al. 2014), from a folder
//! of pictures to a checkpoint with official names that the latent tools open.
//!
//! A network is the graph that also draws with it ([`crate::nets`]); here its parameters are
//! leaves of the tensor library's reverse mode, on any of its devices. Everything random follows
//! from the seed and the number of the step, so that a run that was killed goes on as if it had
//! not been. The tensor library has no second derivatives: [`penalty`] says how gradients of
//! gradients are had from first ones.

mod adam;
mod augment;
mod config;
mod data;
mod init;
mod loss;
mod paths;
mod penalty;
mod players;
mod quality;
mod randomness;
mod run;
mod spectral;
mod state;
mod step;
mod toys;
mod watch;
mod weights;

pub use adam::Adam;
pub use augment::{Augmentation, Controller, augment};
pub use config::{Ada, Arch, Config, Framing, MAX_SIDE, PathPenalty, Penalty, Preset};
pub use data::{Cache, Dataset, Framer, MIN_PICTURES, Refused, middle};
pub use loss::Loss;
pub use penalty::{one_centred, path_centred, path_lengths, zero_centred};
pub use players::{Discriminator, Generator};
pub use randomness::Randomness;
pub use run::{Report, Trainer};
pub use spectral::Spectral;
pub use state::{BEST_FILE, STATE_FILE, WEIGHTS_FILE, config_of, tuning_base};
pub use step::Scores;
pub use toys::Toy;
pub use watch::{Alarm, Projection, Snapshot};
pub use weights::{Slopes, Weights};

use crate::checkpoint::CheckpointError;

/// Why nothing can be learnt; one sentence without a full stop.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("{0}")]
    Setting(String),
    #[error("'{path}' cannot be read: {reason}")]
    Folder { path: String, reason: String },
    #[error(
        "'{path}' has {count} usable pictures, and fewer than {MIN_PICTURES} teach a generator \
         nothing but themselves"
    )]
    TooFew { path: String, count: usize },
    #[error("'{path}' holds no state of a run: {reason}")]
    State { path: String, reason: String },
    #[error("{path} cannot be written: {reason}")]
    Write { path: String, reason: String },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the losses are no longer numbers after {images} pictures; lower the learning rate")]
    Diverged { images: u64 },
    #[error("stopped")]
    Stopped,
}
