//! The graphics adapter: device, reflected shaders, the operations' executor and the display
//! compositor. The only room besides `infer::interop` that names wgpu.
//!
//! Everything here is a cache of the document and may be thrown away: an error sends the caller
//! to the CPU code of the same name.

mod compositor;
mod context;
mod engine;
mod error;
mod executor;
mod level_cache;
mod matching;
mod painter;
mod pipelines;
mod policy;
mod present;
mod pyramid;
mod readback;
mod self_test;
pub mod shader;
mod stack;
mod survey;
mod tile_cache;
mod view;

pub use compositor::{Compositor, FrameBudget, RenderStats};
pub use context::{GpuContext, adapters, create_instance, is_surface_refused};
pub use engine::{AdapterEngine, engine};
pub use error::GpuError;
pub use executor::Executor;
pub use matching::PatchMatcher;
pub use pipelines::{Bind, Pipelines};
pub use policy::{
    AdapterFacts, AdapterKind, DevicePlan, PolicyError, plan_devices, runs_operations,
};
pub use readback::{finish, read_buffer};
pub use self_test::self_test;
pub use stack::Preview;
pub use survey::Survey;
pub use view::ViewParams;
/// How a texture is sampled where its pixels are not screen pixels.
pub use wgpu::FilterMode;
