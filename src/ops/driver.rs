//! Runs an operation on a buffer, whole or by regions, through a mask or without.

use rayon::prelude::*;

use super::{Kind, OpContext, OpError, Operation, PointKernel, required_input};
use crate::geom::IRect;
use crate::params::Params;
use crate::pixels::{PixelBuf, Sample, Samples};

/// Applies `op` to a whole picture. `mask` (one channel, the picture's size; white acts, black
/// protects) goes with pointwise and neighbourhood operations only.
pub fn apply(
    op: &dyn Operation,
    params: &Params,
    context: &OpContext,
    src: &PixelBuf,
    mask: Option<&PixelBuf>,
) -> Result<PixelBuf, OpError> {
    if let Some(mask) = mask {
        if op.spec().kind == Kind::Geometry {
            return Err(OpError::MaskWithGeometry(op.spec().name));
        }
        if mask.size() != src.size() {
            return Err(OpError::MaskSize { mask: mask.size(), image: src.size() });
        }
    }
    if op.is_identity(params) {
        op.output_size(params, src.size())?;
        return Ok(src.clone());
    }
    let mut out = match op.spec().kind {
        Kind::Pointwise => match op.point(params, context) {
            Some(kernel) => run_point(&kernel, src),
            None => return Err(unimplemented(op)),
        },
        Kind::Neighborhood => op.filter(params, context, src).ok_or_else(|| unimplemented(op))?,
        Kind::Geometry => op.transform(params, src).ok_or_else(|| unimplemented(op))??,
    };
    if let Some(mask) = mask {
        blend_by_mask(src, &mut out, mask);
    }
    Ok(out)
}

/// The pixels of `apply`'s result inside `region`, computed from the region and its halo only.
/// Not for geometry.
pub fn apply_region(
    op: &dyn Operation,
    params: &Params,
    context: &OpContext,
    src: &PixelBuf,
    region: IRect,
) -> Result<PixelBuf, OpError> {
    let needed = required_input(op.halo(params, context), region, src.size());
    let out = apply(op, params, context, &src.crop(needed), None)?;
    Ok(out.crop(region.translate(-needed.x0, -needed.y0)))
}

/// Replaces `out` by the mixture of `src` and `out` that `mask` asks for, in premultiplied
/// colour. Where the mask is 0 the bytes of `src` come back; where it is full, `out` stays.
pub fn blend_by_mask(src: &PixelBuf, out: &mut PixelBuf, mask: &PixelBuf) {
    let weights = mask.samples();
    let step = mask.channels();
    match (src.samples(), out.samples_mut()) {
        (Samples::U8(src), Samples::U8(out)) => blend_samples(src, out, weights, step),
        (Samples::U16(src), Samples::U16(out)) => blend_samples(src, out, weights, step),
        _ => debug_assert!(false, "source and result differ in depth"),
    }
}

fn blend_samples<S: Sample>(src: &[S], out: &mut [S], mask: &Samples, step: usize) {
    const CHUNK: usize = 16_384;
    out.par_chunks_mut(CHUNK * 4).zip(src.par_chunks(CHUNK * 4)).enumerate().for_each(
        |(chunk, (out, src))| {
            let pixels = out.chunks_exact_mut(4).zip(src.chunks_exact(4));
            for (index, (out, src)) in pixels.enumerate() {
                let weight = mask.get_f32((chunk * CHUNK + index) * step);
                if weight <= 0.0 {
                    out.copy_from_slice(src);
                } else if weight < 1.0 {
                    mix_pixel(src, out, weight);
                }
            }
        },
    );
}

fn mix_pixel<S: Sample>(src: &[S], out: &mut [S], weight: f32) {
    let (from, to) = (src[3].to_f32() * (1.0 - weight), out[3].to_f32() * weight);
    let alpha = from + to;
    if alpha > 0.0 {
        for channel in 0..3 {
            let mixed = (src[channel].to_f32() * from + out[channel].to_f32() * to) / alpha;
            out[channel] = S::from_f32(mixed);
        }
    }
    out[3] = S::from_f32(alpha);
}

/// Runs a pointwise kernel over every pixel.
fn run_point(kernel: &PointKernel, src: &PixelBuf) -> PixelBuf {
    let mut out = src.clone();
    match out.samples_mut() {
        Samples::U8(samples) => run_point_samples(kernel, samples),
        Samples::U16(samples) => run_point_samples(kernel, samples),
    }
    out
}

fn run_point_samples<S: Sample>(kernel: &PointKernel, samples: &mut [S]) {
    const CHUNK: usize = 65_536;
    match kernel {
        PointKernel::Curves(curve) => {
            let tables: [Vec<S>; 3] = std::array::from_fn(|channel| {
                (0..=S::DEPTH.max())
                    .map(|value| {
                        let value = f32::from(value) / S::MAX;
                        S::from_f32(curve(channel, value).clamp(0.0, 1.0))
                    })
                    .collect()
            });
            samples.par_chunks_mut(CHUNK * 4).for_each(|chunk| {
                for pixel in chunk.chunks_exact_mut(4) {
                    for channel in 0..3 {
                        pixel[channel] = tables[channel][pixel[channel].to_u16() as usize];
                    }
                }
            });
        }
        PointKernel::Rgb(function) => samples.par_chunks_mut(CHUNK * 4).for_each(|chunk| {
            for pixel in chunk.chunks_exact_mut(4) {
                let rgb = function([pixel[0].to_f32(), pixel[1].to_f32(), pixel[2].to_f32()]);
                for channel in 0..3 {
                    pixel[channel] = S::from_f32(rgb[channel].clamp(0.0, 1.0));
                }
            }
        }),
    }
}

fn unimplemented(op: &dyn Operation) -> OpError {
    OpError::Invalid { op: op.spec().name, reason: "has no CPU code for its kind".into() }
}
