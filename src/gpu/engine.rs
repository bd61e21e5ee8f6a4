//! Operations on the adapter with the CPU code behind them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Executor, GpuContext, GpuError, runs_operations};
use crate::device::DeviceChoice;
use crate::ops::{self, Engine, OpContext, OpError, Operation, Processor};
use crate::params::Params;
use crate::pixels::PixelBuf;

/// What runs operations beside an opened device: its shaders or the CPU code, as
/// [`runs_operations`] says.
pub fn engine(context: &GpuContext, choice: DeviceChoice) -> Arc<dyn Engine> {
    if runs_operations(context.facts(), choice) {
        Arc::new(AdapterEngine::new(context))
    } else {
        Arc::new(Processor)
    }
}

/// Shaders first; where the adapter answers an error the CPU code does the work, and the reason
/// is kept to be told.
#[derive(Debug)]
pub struct AdapterEngine {
    executor: Executor,
    trouble: Mutex<Option<String>>,
}

impl AdapterEngine {
    /// Runs shaders on `context` whatever the policy says of it: [`engine`] asks the policy.
    pub fn new(context: &GpuContext) -> Self {
        Self { executor: Executor::new(context), trouble: Mutex::default() }
    }
}

impl Engine for AdapterEngine {
    fn apply(
        &self,
        op: &dyn Operation,
        params: &Params,
        context: &OpContext,
        src: &PixelBuf,
        mask: Option<&PixelBuf>,
    ) -> Result<PixelBuf, OpError> {
        // Geometry of a mask: a quarter of the data and nothing to win.
        if src.channels() != 4 {
            return ops::apply(op, params, context, src, mask);
        }
        let err = match self.executor.apply(op, params, context, src, mask) {
            Ok(out) => return Ok(out),
            Err(GpuError::Op(err)) => return Err(err),
            Err(err) => err,
        };
        tracing::warn!(op = op.spec().name, reason = %err, "the processor takes over");
        // That a picture is too large for the adapter is no trouble, only slower.
        if !matches!(err, GpuError::TooLarge { .. }) {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(err.to_string());
        }
        ops::apply(op, params, context, src, mask)
    }

    fn take_trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
