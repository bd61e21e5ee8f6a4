//! `--device` for commands: who runs operations and networks.

use std::sync::Arc;

#[cfg(feature = "gpu")]
use super::report;
use super::report::Failure;
use crate::device::DeviceChoice;
use crate::ops::{Engine, Processor};

/// Below this many pixels times steps, opening an adapter takes longer than it can save.
#[cfg(feature = "gpu")]
const WORTH_AN_ADAPTER_PX: u64 = 100_000_000;

/// What runs full-size operations for `choice`, given how many `pixels` all steps together touch.
/// `auto` looks for an adapter only where that can pay.
#[cfg(feature = "gpu")]
pub(super) fn engine(choice: DeviceChoice, pixels: u64) -> Result<Arc<dyn Engine>, Failure> {
    let stays = match choice {
        DeviceChoice::Auto => pixels < WORTH_AN_ADAPTER_PX,
        DeviceChoice::Cpu => true,
        DeviceChoice::Gpu(_) => false,
    };
    if stays {
        return Ok(Arc::new(Processor));
    }
    let survey = survey(choice)?;
    if !survey.runs_operations() {
        return Ok(Arc::new(Processor));
    }
    match survey.open() {
        Ok(context) => Ok(crate::gpu::engine(&context, choice)),
        Err(err) => {
            report::note(format!("operations run on the processor: {}", report::sentence(&err)));
            Ok(Arc::new(Processor))
        }
    }
}

/// As above, for a program without the graphics engine.
#[cfg(not(feature = "gpu"))]
pub(super) fn engine(choice: DeviceChoice, _pixels: u64) -> Result<Arc<dyn Engine>, Failure> {
    no_adapter_asked(choice)?;
    Ok(Arc::new(Processor))
}

/// The adapters and the plan; says where the plan is another than what was asked for.
#[cfg(feature = "gpu")]
pub(super) fn survey(choice: DeviceChoice) -> Result<crate::gpu::Survey, Failure> {
    let survey = crate::gpu::Survey::take(choice).map_err(Failure::input)?;
    if let Some(remark) = survey.remark() {
        report::note(remark);
    }
    Ok(survey)
}

/// Refuses an adapter where the program cannot use any.
#[cfg(not(feature = "app"))]
pub(super) fn no_adapter_asked(choice: DeviceChoice) -> Result<(), Failure> {
    match choice {
        DeviceChoice::Gpu(_) => Err(Failure::input("this build uses no graphics adapter")),
        _ => Ok(()),
    }
}
