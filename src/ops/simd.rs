//! Hot loops compiled for the widest vector unit the processor has.

/// Runs `work` in a copy compiled for AVX2 or NEON where the processor has it. Only code inlined
/// into `work` profits, hence the `#[inline(always)]` on the inner loops. Products and sums are
/// never fused, so results do not depend on the processor.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    fearless_simd::Level::new().dispatch(
        #[inline(always)]
        |_| work(),
    )
}
