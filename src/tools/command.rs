//! What a tool asks for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::commands::{CommandError, Step};
use crate::document::{Document, Edit};
use crate::geom::Point;
use crate::ops::Engine;
use crate::params::Value;
use crate::pixels::TiledImage;

/// Which of the two colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swatch {
    Foreground,
    Background,
}

/// A step whose pixels take longer than an event may: made on a worker from the document as it is
/// then.
#[derive(Clone)]
pub struct Work {
    pub label: &'static str,
    pub make: Arc<MakeStep>,
}

type MakeStep = dyn Fn(&Document, &dyn Engine) -> Result<Step, CommandError> + Send + Sync;

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").field(&self.label).finish()
    }
}

/// A tool's answer to an event; the window performs them in order. Should an edit be refused,
/// the window aborts the transaction, shows why and sends [`super::ToolEvent::Cancel`].
#[derive(Clone, Debug)]
pub enum ToolCommand {
    /// Opens a transaction: one undo step of this name.
    Begin(Cow<'static, str>),
    Edit(Edit),
    Commit,
    /// Drops the open transaction and all it did.
    Abort,
    /// Encoded working values, `0..=1`.
    PickColor {
        color: [f32; 3],
        swatch: Swatch,
    },
    /// Moves the view so that the document follows by this many document pixels.
    Pan {
        dx: f32,
        dy: f32,
    },
    /// Multiplies the zoom, keeping the document point `about` where it is on the screen.
    ZoomBy {
        about: Point,
        factor: f32,
    },
    /// Goes up (+1) or down (−1) the zoom ladder about a document point.
    ZoomStep {
        about: Point,
        steps: i32,
    },
    /// Sets one of the tool's own parameters; the tool itself already reckons with it.
    SetParam {
        key: &'static str,
        value: Value,
    },
    /// Does this later, off the window's thread, as one undo step.
    Compute(Work),
    /// Continues the surroundings over what this mask of the canvas covers, one channel.
    Remove(TiledImage),
    /// A short sentence why nothing happened.
    Notice(Cow<'static, str>),
}

impl ToolCommand {
    /// One whole undo step, or the reason why there is none.
    pub fn perform(step: Result<Step, CommandError>) -> Vec<Self> {
        match step {
            Err(error) => Self::notice(error.to_string()),
            Ok(step) if step.edits.is_empty() => Vec::new(),
            Ok(step) => {
                let mut commands = vec![Self::Begin(step.label)];
                commands.extend(step.edits.into_iter().map(Self::Edit));
                commands.push(Self::Commit);
                commands
            }
        }
    }

    pub fn notice(text: impl Into<Cow<'static, str>>) -> Vec<Self> {
        vec![Self::Notice(text.into())]
    }
}
