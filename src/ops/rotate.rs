//! Rotate by any angle, bicubic.

use rayon::prelude::*;

use super::resample::{load_premultiplied, store_straight};
use super::rotate90::quarter_turns;
use super::simd::vectorized;
use super::{
    GpuPass, Kind, OpContext, OpError, OpSpec, Operation, SampleWork, Uniform, check_size,
};
use crate::geom::{Affine, Size};
use crate::params::{ParamSpec, Params};
use crate::pixels::{PixelBuf, Sample};

static SPEC: OpSpec = OpSpec {
    name: "rotate",
    label: "Rotate",
    doc: "Turns the picture by any angle; the corners become transparent",
    kind: Kind::Geometry,
    params: &[
        ParamSpec::float(
            "angle",
            "Angle",
            0.0,
            (-360.0, 360.0),
            (-180.0, 180.0),
            "°",
            "Degrees clockwise",
        ),
        ParamSpec::bool(
            "expand",
            "Expand",
            true,
            "Whether the frame grows to hold the whole turned picture",
        ),
    ],
    version: 1,
    tolerance: 1,
};

pub struct Rotate;

/// The frame of the result and the map from its pixels to source pixels.
///
/// Frame, centre, kernel (Keys' cubic with a = -1, the one Pillow uses for transforms), clamped
/// neighbours and the hard transparent outside follow Pillow's `Image.rotate(-angle, BICUBIC,
/// expand)`, so that results can be compared pixel by pixel.
struct Turn {
    size: Size,
    source_from_result: Affine,
}

impl Turn {
    fn new(params: &Params, input: Size) -> Result<Self, OpError> {
        let (width, height) = (f64::from(input.width), f64::from(input.height));
        // Rounded to 15 places so that special angles have exact matrices.
        let exact = |x: f64| (x * 1e15).round() / 1e15;
        let (sin, cos) = params.float("angle").rem_euclid(360.0).to_radians().sin_cos();
        let (sin, cos) = (exact(sin), exact(cos));
        let turned = Affine { a: cos, b: sin, c: 0.0, d: -sin, e: cos, f: 0.0 };
        let map = Affine::translation(0.5 * width, 0.5 * height)
            .after(turned)
            .after(Affine::translation(-0.5 * width, -0.5 * height));
        if !params.bool("expand") {
            return Ok(Self { size: input, source_from_result: map });
        }
        let corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
            .map(|(x, y)| map.apply(x, y));
        let extent = |value: fn(&(f64, f64)) -> f64| {
            let low = corners.iter().map(value).fold(f64::INFINITY, f64::min);
            let high = corners.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
            high.ceil() - low.floor()
        };
        let (new_width, new_height) = (extent(|corner| corner.0), extent(|corner| corner.1));
        let centred = Affine::translation(-0.5 * (new_width - width), -0.5 * (new_height - height));
        let size = check_size(SPEC.name, new_width as i64, new_height as i64)?;
        Ok(Self { size, source_from_result: map.after(centred) })
    }
}

/// Side of the square of output pixels whose source fits into the cache.
const TILE: usize = 64;

/// Places this far outside, in pixels, still count as inside, on the left and at the top; as far
/// inside on the other sides they no longer do. Symmetric turns put whole rows of pixels exactly
/// on the border, where rounding would decide and differ between processors.
const BORDER: f64 = 1.0 / 1024.0;

/// Weights of the four neighbours at distance `t` from the second.
#[inline(always)]
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-t + 2.0 * t2 - t3, 1.0 - 2.0 * t2 + t3, t + t2 - t3, -t2 + t3]
}

impl Turn {
    /// The source pixels which the output rectangle `x0..x1 × y0..y1` may touch, with two
    /// neighbours on each side: first column, first row, columns, rows. `None` outside.
    fn footprint(&self, input: Size, x: [usize; 2], y: [usize; 2]) -> Option<[i64; 4]> {
        let corners = [(x[0], y[0]), (x[1], y[0]), (x[0], y[1]), (x[1], y[1])]
            .map(|(x, y)| self.source_from_result.apply(x as f64, y as f64));
        let range = |value: fn(&(f64, f64)) -> f64, limit: u32| {
            let low = corners.iter().map(value).fold(f64::INFINITY, f64::min);
            let high = corners.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
            let (low, high) = (low.max(-1.0), high.min(f64::from(limit) + 1.0));
            (low < high).then(|| (low.floor() as i64 - 2, high.ceil() as i64 + 2))
        };
        let (left, right) = range(|corner| corner.0, input.width)?;
        let (top, bottom) = range(|corner| corner.1, input.height)?;
        Some([left, top, right - left, bottom - top])
    }

    /// Fills row `y`, columns `x0..`, from `patch`, the premultiplied pixels of `footprint`.
    #[inline(always)]
    fn sample_row<const C: usize>(
        &self,
        input: Size,
        patch: &[f32],
        footprint: [i64; 4],
        (x0, y): (usize, usize),
        out: &mut [f32],
    ) {
        let map = self.source_from_result;
        let (width, height) = (f64::from(input.width), f64::from(input.height));
        let stride = footprint[2] as usize;
        let (patch, _) = patch.as_chunks::<C>();
        let (out, _) = out.as_chunks_mut::<C>();
        for (x, out) in (x0..).zip(&mut *out) {
            let (from_x, from_y) = map.apply(x as f64 + 0.5, y as f64 + 0.5);
            let inside = |place: f64, limit: f64| place >= -BORDER && place < limit - BORDER;
            if !(inside(from_x, width) && inside(from_y, height)) {
                *out = [0.0; C];
                continue;
            }
            // Inside the patch everything is positive, so truncation is the floor.
            let (px, py) = (from_x - 0.5 - footprint[0] as f64, from_y - 0.5 - footprint[1] as f64);
            let (column, row) = (px as usize, py as usize);
            let across = cubic((px - column as f64) as f32);
            let down = cubic((py - row as f64) as f32);
            let mut sum = [0.0; C];
            let mut at = (row - 1) * stride + column - 1;
            for weight in down {
                let mut line = [0.0; C];
                for (weight, pixel) in across.iter().zip(&patch[at..at + 4]) {
                    for channel in 0..C {
                        line[channel] += weight * pixel[channel];
                    }
                }
                for channel in 0..C {
                    sum[channel] += weight * line[channel];
                }
                at += stride;
            }
            *out = sum;
        }
        // The kernel overshoots; colour must not exceed alpha when it is divided by it. In a loop
        // of its own, as the sums above then stay whole vectors.
        for pixel in out {
            let alpha = if C == 4 { pixel[C - 1].clamp(0.0, 1.0) } else { 1.0 };
            *pixel = pixel.map(|value| value.clamp(0.0, alpha));
        }
    }
}

/// Copies `footprint` out of `src` as premultiplied floats, edges replicated.
#[inline(always)]
fn load_patch<S: Sample, const C: usize>(
    src: &[S],
    size: Size,
    [left, top, columns, rows]: [i64; 4],
    patch: &mut Vec<f32>,
) {
    let (width, columns) = (size.width as usize, columns as usize);
    patch.resize(columns * rows as usize * C, 0.0);
    let inside = (left.max(0) as usize)..((left + columns as i64).min(width as i64) as usize);
    let before = (inside.start as i64 - left) as usize;
    for (y, row) in (top..).zip(patch.chunks_exact_mut(columns * C)) {
        let line = y.clamp(0, i64::from(size.height) - 1) as usize * width;
        let from = &src[(line + inside.start) * C..(line + inside.end) * C];
        load_premultiplied::<S, C>(from, &mut row[before * C..][..from.len()]);
        let (pixels, _) = row.as_chunks_mut::<C>();
        let (first, end) = (pixels[before], before + inside.len());
        pixels[..before].fill(first);
        let last = pixels[end - 1];
        pixels[end..].fill(last);
    }
}

impl SampleWork for Turn {
    fn run<S: Sample, const C: usize>(&self, src: &[S], size: Size, out: &mut [S]) {
        let width = self.size.width as usize;
        out.par_chunks_mut(TILE * width * C).enumerate().for_each(|(band, out)| {
            let y0 = band * TILE;
            let rows = out.len() / (width * C);
            let mut patch = Vec::new();
            let mut line = [0.0; TILE * C_MAX];
            for x0 in (0..width).step_by(TILE) {
                let x1 = (x0 + TILE).min(width);
                let Some(footprint) = self.footprint(size, [x0, x1], [y0, y0 + rows]) else {
                    continue;
                };
                let line = &mut line[..(x1 - x0) * C];
                vectorized(|| {
                    load_patch::<S, C>(src, size, footprint, &mut patch);
                    for y in 0..rows {
                        self.sample_row::<C>(size, &patch, footprint, (x0, y0 + y), line);
                        let to = &mut out[(y * width + x0) * C..(y * width + x1) * C];
                        store_straight::<S, C>(line, to);
                    }
                });
            }
        });
    }
}

/// Channels of the widest pixel.
const C_MAX: usize = 4;

/// The quarter turns that `params` ask for, where no pixel needs resampling.
fn exact_turns(params: &Params, input: Size) -> Option<i64> {
    let angle = params.float("angle").rem_euclid(360.0);
    let turns = angle / 90.0;
    let fits = params.bool("expand") || input.width == input.height || turns % 2.0 == 0.0;
    (turns.fract() == 0.0 && fits).then_some(turns as i64)
}

impl Operation for Rotate {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("angle").rem_euclid(360.0) == 0.0
    }

    fn output_size(&self, params: &Params, input: Size) -> Result<Size, OpError> {
        Ok(match exact_turns(params, input) {
            Some(turns) if turns % 2 == 0 => input,
            Some(_) => Size::new(input.height, input.width),
            None => Turn::new(params, input)?.size,
        })
    }

    fn transform(&self, params: &Params, src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        Some(match exact_turns(params, src.size()) {
            Some(turns) => Ok(quarter_turns(src, turns)),
            None => Turn::new(params, src.size()).map(|turn| turn.apply(src, turn.size)),
        })
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let Ok(turn) = Turn::new(params, input) else { return Vec::new() };
        let exact = exact_turns(params, input);
        let (entry, output) = match (exact, self.output_size(params, input)) {
            (Some(_), Ok(size)) => ("quarter", size),
            _ => ("main", turn.size),
        };
        let Affine { a, b, c, d, e, f } = turn.source_from_result;
        let uniforms = vec![
            ("x_row", Uniform::Vec4([a as f32, b as f32, c as f32, 0.0])),
            ("y_row", Uniform::Vec4([d as f32, e as f32, f as f32, 0.0])),
            ("turns", Uniform::U32(exact.unwrap_or(0) as u32)),
            ("border", Uniform::F32(BORDER as f32)),
        ];
        vec![GpuPass { entry, uniforms, table: Vec::new(), output }]
    }
}
