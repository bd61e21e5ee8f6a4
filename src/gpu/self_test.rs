//! Whether an adapter computes what it should.

use std::time::{Duration, Instant};

use super::{Executor, GpuContext, GpuError};
use crate::color::WorkingProfile;
use crate::geom::Size;
use crate::ops::{self, OpContext, OpError};
use crate::params::Params;
use crate::pixels::{Depth, PixelBuf};

/// Opens `adapter`, inverts a small picture on it and compares the result with the CPU's. Answers
/// how long the adapter took, its first shader's compilation included. Blocks.
pub fn self_test(adapter: wgpu::Adapter) -> Result<Duration, GpuError> {
    let context = GpuContext::open(adapter)?;
    if !context.facts().computes {
        return Err(GpuError::NoAdapter("it runs no compute shaders".into()));
    }
    let invert = ops::find("invert").ok_or_else(|| OpError::Unknown("invert".into()))?;
    let mut picture = PixelBuf::new(Size::new(64, 64), 4, Depth::U16);
    for index in 0..picture.samples().len() {
        picture.samples_mut().set_f32(index, (index * 37 % 1021) as f32 / 1020.0);
    }
    let (params, op_context) = (Params::default(), OpContext::full_size(WorkingProfile::srgb()));
    let executor = Executor::new(&context);
    let started = Instant::now();
    let on_adapter = executor.apply(invert, &params, &op_context, &picture, None)?;
    let took = started.elapsed();
    let on_cpu = ops::apply(invert, &params, &op_context, &picture, None)?;
    if on_adapter == on_cpu { Ok(took) } else { Err(GpuError::WrongResult) }
}
