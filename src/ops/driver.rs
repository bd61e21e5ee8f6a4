//! Runs an operation on a buffer, whole or by regions, through a mask or without.

use rayon::prelude::*;

use super::simd::vectorized;
use super::{Kind, OpContext, OpError, Operation, PointKernel, RgbMap, SPAN, required_input};
use crate::geom::IRect;
use crate::params::{Params, Value};
use crate::pixels::{Depth, PixelBuf, Sample, Samples};

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
        Kind::Pointwise => PointMap::new(op, params, context, src.depth())
            .ok_or_else(|| unimplemented(op))?
            .map(src),
        Kind::Neighborhood => op.filter(params, context, src).ok_or_else(|| unimplemented(op))?,
        Kind::Geometry => op.transform(params, src).ok_or_else(|| unimplemented(op))??,
    };
    if let Some(mask) = mask {
        blend_by_mask(src, &mut out, mask);
    }
    Ok(out)
}

/// Applies the operation of that name to a whole sRGB picture or a mask at its full size, `values`
/// set and the others at their defaults: for code that needs a result and offers no choice.
pub fn perform(name: &str, values: &[(&str, Value)], src: &PixelBuf) -> Result<PixelBuf, OpError> {
    let op = super::find(name).ok_or_else(|| OpError::Unknown(name.into()))?;
    let specs = op.spec().params;
    let mut params = Params::defaults(specs);
    for (key, value) in values {
        params
            .set(specs, key, value.clone())
            .map_err(|source| OpError::Param { op: name.into(), source })?;
    }
    apply(op, &params, &OpContext::full_size(Default::default()), src, None)
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

/// A pointwise operation made ready for pictures of one depth. Making one costs about as much
/// as 65,536 pixels at 16 bits, so tiles should share it.
pub enum PointMap {
    U8(Box<[[u8; 256]; 3]>),
    U16(Box<[Vec<u16>; 3]>),
    Rgb(Box<dyn RgbMap>),
}

impl PointMap {
    /// `None` where `op` is not pointwise.
    pub fn new(
        op: &dyn Operation,
        params: &Params,
        context: &OpContext,
        depth: Depth,
    ) -> Option<Self> {
        Some(match (op.point(params, context)?, depth) {
            (PointKernel::Rgb(map), _) => Self::Rgb(map),
            (PointKernel::Curves(curve), Depth::U8) => {
                Self::U8(Box::new(std::array::from_fn(|channel| {
                    std::array::from_fn(|value| entry(&*curve, channel, value))
                })))
            }
            (PointKernel::Curves(curve), Depth::U16) => {
                Self::U16(Box::new(std::array::from_fn(|channel| {
                    let values = (0..=usize::from(u16::MAX)).into_par_iter();
                    values.map(|value| entry(&*curve, channel, value)).collect()
                })))
            }
        })
    }

    /// The picture mapped; alpha stays.
    pub fn map(&self, src: &PixelBuf) -> PixelBuf {
        let mut out = PixelBuf::new(src.size(), src.channels(), src.depth());
        match (self, src.samples(), out.samples_mut()) {
            (Self::U8(tables), Samples::U8(src), Samples::U8(out)) => {
                for_pixels(src, out, |[r, g, b, a]| {
                    let [red, green, blue] = &**tables;
                    [red[r as usize], green[g as usize], blue[b as usize], a]
                });
            }
            (Self::U16(tables), Samples::U16(src), Samples::U16(out)) => {
                let [red, green, blue] = &**tables;
                for_pixels(src, out, |[r, g, b, a]| {
                    [red[r as usize], green[g as usize], blue[b as usize], a]
                });
            }
            (Self::Rgb(map), Samples::U8(src), Samples::U8(out)) => {
                map_spans(&**map, src, out);
            }
            (Self::Rgb(map), Samples::U16(src), Samples::U16(out)) => {
                map_spans(&**map, src, out);
            }
            _ => debug_assert!(false, "the map was made for another depth"),
        }
        out
    }
}

fn entry<S: Sample>(curve: &dyn Fn(usize, f32) -> f32, channel: usize, value: usize) -> S {
    S::from_f32(curve(channel, value as f32 / S::MAX).clamp(0.0, 1.0))
}

/// Samples mapped by one task.
const CHUNK: usize = 256 * 1024;

fn for_pixels<S: Sample>(src: &[S], out: &mut [S], map: impl Fn([S; 4]) -> [S; 4] + Sync) {
    out.par_chunks_mut(CHUNK).zip(src.par_chunks(CHUNK)).for_each(|(out, src)| {
        let (out, src) = (out.as_chunks_mut::<4>().0, src.as_chunks::<4>().0);
        out.iter_mut().zip(src).for_each(|(out, src)| *out = map(*src));
    });
}

fn map_spans<S: Sample>(map: &dyn RgbMap, src: &[S], out: &mut [S]) {
    out.par_chunks_mut(CHUNK).zip(src.par_chunks(CHUNK)).for_each(|(out, src)| {
        let mut span = [[0.0; SPAN]; 3];
        for (out, src) in out.chunks_mut(4 * SPAN).zip(src.chunks(4 * SPAN)) {
            let (out, src) = (out.as_chunks_mut::<4>().0, src.as_chunks::<4>().0);
            vectorized(|| {
                for (index, pixel) in src.iter().enumerate().take(SPAN) {
                    for channel in 0..3 {
                        span[channel][index] = pixel[channel].to_f32();
                    }
                }
            });
            map.span(&mut span);
            vectorized(|| {
                for (index, (out, src)) in out.iter_mut().zip(src).enumerate().take(SPAN) {
                    let quantised = |channel: usize| S::from_f32(span[channel][index]);
                    *out = [quantised(0), quantised(1), quantised(2), src[3]];
                }
            });
        }
    });
}

fn unimplemented(op: &dyn Operation) -> OpError {
    OpError::Invalid { op: op.spec().name, reason: "has no CPU code for its kind".into() }
}
