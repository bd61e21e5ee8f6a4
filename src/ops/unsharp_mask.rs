//! Unsharp mask: the picture plus what a blur takes away from it.

use super::gaussian_blur::{SIGMA, blur, blur_passes, halo_px, sigma_px};
use super::resample::straight;
use super::{GpuPass, Kind, OpContext, OpSpec, Operation, SampleWork, Uniform};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};
use crate::pixels::{PixelBuf, Sample};

static SPEC: OpSpec = OpSpec {
    name: "unsharp_mask",
    label: "Unsharp mask",
    doc: "Sharpens by adding the difference to a blurred copy",
    kind: Kind::Neighborhood,
    params: &[
        SIGMA,
        ParamSpec::float(
            "amount",
            "Amount",
            0.5,
            (0.0, 10.0),
            (0.0, 3.0),
            "",
            "How much of the difference is added; 1 is all of it",
        ),
        ParamSpec::float(
            "threshold",
            "Threshold",
            0.0,
            (0.0, 1.0),
            (0.0, 0.2),
            "",
            "Differences shrink by this much, smaller ones vanish",
        ),
    ],
    version: 1,
    tolerance: 1,
};

pub struct UnsharpMask;

struct Sharpen {
    sigma: f64,
    amount: f32,
    threshold: f32,
}

impl Sharpen {
    /// Soft shrinkage keeps the result continuous in the pixel values, where a hard threshold
    /// would draw contours around noise.
    #[inline(always)]
    fn sharpened(&self, value: f32, blurred: f32) -> f32 {
        let difference = value - blurred;
        let shrunk = (difference.abs() - self.threshold).max(0.0).copysign(difference);
        (value + self.amount * shrunk).clamp(0.0, 1.0)
    }
}

impl SampleWork for Sharpen {
    fn run<S: Sample, const C: usize>(&self, src: &[S], size: Size, out: &mut [S]) {
        let width = size.width as usize;
        blur::<S, C>(src, size, self.sigma, out, |x, y, row, out| {
            let at = (y * width + x) * C;
            let (src, _) = src[at..at + out.len()].as_chunks::<C>();
            let (row, _) = row.as_chunks::<C>();
            let (out, _) = out.as_chunks_mut::<C>();
            for ((out, blurred), src) in out.iter_mut().zip(row).zip(src) {
                let blurred = straight(*blurred);
                let mut sharp = std::array::from_fn(|channel| {
                    S::from_f32(self.sharpened(src[channel].to_f32(), blurred[channel]))
                });
                if C == 4 {
                    sharp[3] = src[3];
                }
                *out = sharp;
            }
        });
    }
}

impl Operation for UnsharpMask {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("sigma") == 0.0 || params.float("amount") == 0.0
    }

    fn halo(&self, params: &Params, context: &OpContext) -> u32 {
        halo_px(sigma_px(params, context))
    }

    fn filter(&self, params: &Params, context: &OpContext, src: &PixelBuf) -> Option<PixelBuf> {
        let sigma = sigma_px(params, context);
        if sigma == 0.0 {
            return Some(src.clone());
        }
        let (amount, threshold) = (params.f32("amount"), params.f32("threshold"));
        Some(Sharpen { sigma, amount, threshold }.apply(src, src.size()))
    }

    fn gpu_passes(&self, params: &Params, context: &OpContext, input: Size) -> Vec<GpuPass> {
        let mut passes = blur_passes(sigma_px(params, context), input);
        if let Some(last) = passes.last_mut() {
            last.entry = "sharpen";
            for (name, value) in &mut last.uniforms {
                if matches!(*name, "amount" | "threshold") {
                    *value = Uniform::F32(params.f32(name));
                }
            }
        }
        passes
    }
}
