//! Tests that run on a graphics adapter; the software rasteriser counts and is preferred.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod compositor;
mod engine;
mod executor;
mod matching;
mod ops;
mod policy;
mod reflection;

use std::sync::OnceLock;

use ganvas::gpu::{GpuContext, adapters, create_instance};

/// The one device of this process. `None` skips loudly, and fails where `REQUIRE_GPU=1`.
pub fn gpu() -> Option<&'static GpuContext> {
    static CONTEXT: OnceLock<Option<GpuContext>> = OnceLock::new();
    let context = CONTEXT.get_or_init(|| {
        let (adapter, facts) = adapters(&create_instance())
            .into_iter()
            .filter(|(_, facts)| facts.computes)
            .min_by_key(|(_, facts)| (facts.is_hardware(), facts.backend == wgpu::Backend::Gl))?;
        eprintln!("testing on {} ({:?}, {})", facts.name, facts.backend, facts.driver);
        Some(GpuContext::open(adapter).expect("the adapter opens"))
    });
    if context.is_none() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "no graphics adapter");
        eprintln!("SKIPPED: this machine has no graphics adapter; REQUIRE_GPU=1 forbids that");
    }
    context.as_ref()
}

/// A small deterministic generator (splitmix64, Steele et al. 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `0 <= answer < end`
    pub fn below(&mut self, end: u32) -> u32 {
        (self.next_u64() % u64::from(end)) as u32
    }

    /// `0..1`
    pub fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1 << 24) as f32
    }
}
