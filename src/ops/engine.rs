//! Who runs an operation on a whole picture.

use super::{OpContext, OpError, Operation};
use crate::params::Params;
use crate::pixels::PixelBuf;

/// Runs operations at full size. Every engine answers what [`super::apply`] answers, within the
/// operation's tolerance; which one is at hand the device policy decides, once, at the start.
pub trait Engine: Send + Sync {
    /// Applies `op` as [`super::apply`] does, with the same errors. Blocks: for workers and the
    /// command line.
    fn apply(
        &self,
        op: &dyn Operation,
        params: &Params,
        context: &OpContext,
        src: &PixelBuf,
        mask: Option<&PixelBuf>,
    ) -> Result<PixelBuf, OpError>;

    /// Why the engine fell back to the CPU code since the last call, to be told once.
    fn take_trouble(&self) -> Option<String> {
        None
    }
}

/// The CPU code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processor;

impl Engine for Processor {
    fn apply(
        &self,
        op: &dyn Operation,
        params: &Params,
        context: &OpContext,
        src: &PixelBuf,
        mask: Option<&PixelBuf>,
    ) -> Result<PixelBuf, OpError> {
        super::apply(op, params, context, src, mask)
    }
}
