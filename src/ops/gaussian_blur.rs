//! Gaussian blur of premultiplied encoded values, edges replicated.

use std::ops::Range;

use super::resample::{self, Edge, Taps, load_premultiplied, separable, store_straight};
use super::{GpuPass, Kind, OpContext, OpSpec, Operation, SampleWork};
use crate::geom::Size;
use crate::params::{ParamSpec, Params};
use crate::pixels::{PixelBuf, Sample};

static SPEC: OpSpec = OpSpec {
    name: "gaussian_blur",
    label: "Gaussian blur",
    doc: "Softens the picture with a bell curve",
    kind: Kind::Neighborhood,
    params: &[SIGMA],
    version: 1,
    tolerance: 1,
};

/// Shared with the unsharp mask.
pub(super) const SIGMA: ParamSpec = ParamSpec::float(
    "sigma",
    "Radius",
    2.0,
    (0.0, 1000.0),
    (0.3, 100.0),
    "px",
    "Standard deviation of the bell curve",
)
.logarithmic();

pub struct GaussianBlur;

/// Kernels end here, in standard deviations; 6e-5 of the weight lies beyond.
const REACH: f64 = 4.0;
/// The bells of the coarse grid reach farther: their sums must not depend on their phase.
const GRID_REACH: f64 = 4.5;
/// Below this the blur is lost in 16 bits.
const NEGLIGIBLE_PX: f64 = 0.1;
/// A bell of this deviation, in samples, is band-limited to 4e-6 of its weight when sampled.
const SAMPLED_SIGMA: f64 = 0.8;
/// From this many input pixels per grid sample the detour over the grid is the faster way.
const MIN_STEP: usize = 3;

/// `sigma` in pixels of the buffer at hand, 0 where nothing is to be done.
pub(super) fn sigma_px(params: &Params, context: &OpContext) -> f64 {
    let sigma = params.float("sigma") * f64::from(context.scale);
    if sigma < NEGLIGIBLE_PX { 0.0 } else { sigma }
}

/// Neighbourhood of [`blur`] in pixels.
pub(super) fn halo_px(sigma: f64) -> u32 {
    // The grid adds its own step to the reach.
    (REACH * sigma).ceil() as u32 + grid_step(sigma).map_or(0, |step| step as u32)
}

/// Pixels per grid sample for a blur wide enough to take the detour over a coarse grid.
fn grid_step(sigma: f64) -> Option<usize> {
    // Two bells of `SAMPLED_SIGMA` grid samples one after the other must not exceed `sigma`.
    let step = (sigma / (SAMPLED_SIGMA * std::f64::consts::SQRT_2)) as usize;
    (step >= MIN_STEP).then_some(step)
}

/// `exp(-x² / 2 sigma²)` at every whole place within reach of `center`.
fn bell(center: f64, sigma: f64) -> (i64, Vec<f64>) {
    let first = (center - GRID_REACH * sigma).ceil() as i64;
    let last = ((center + GRID_REACH * sigma).floor() as i64).max(first);
    let weight = |place: i64| (-0.5 * ((place as f64 - center) / sigma).powi(2)).exp();
    (first, (first..=last).map(weight).collect())
}

/// The weights, along x and along y, of each stage of a blur of `size` pixels: one stage with
/// the true kernel, or two. Those go through a coarse grid: a narrower bell sampled every few
/// pixels, and a second bell that interpolates between the samples. The variances add up, and
/// each bell suppresses what the sampling would alias.
fn stages(size: Size, sigma: f64) -> Vec<[Taps; 2]> {
    let axes = [size.width as usize, size.height as usize];
    match grid_step(sigma) {
        None => vec![axes.map(|samples| Taps::fir(samples, &kernel(sigma)))],
        Some(step) => {
            let [[h_down, h_up], [v_down, v_up]] =
                axes.map(|samples| over_grid(samples, sigma, step));
            vec![[h_down, v_down], [h_up, v_up]]
        }
    }
}

fn kernel(sigma: f64) -> Vec<f64> {
    if sigma == 0.0 {
        return vec![1.0];
    }
    let radius = (REACH * sigma).ceil() as i64;
    (-radius..=radius).map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp()).collect()
}

/// Down to the grid and up again.
fn over_grid(samples: usize, sigma: f64, step: usize) -> [Taps; 2] {
    let step_px = step as f64;
    let down_sigma = SAMPLED_SIGMA * step_px;
    let up_sigma = (sigma * sigma - down_sigma * down_sigma).sqrt() / step_px;
    // Grid samples beyond the border, where the replicated edge still changes the sum.
    let margin = (GRID_REACH * up_sigma).ceil() as usize + 1;
    let count = samples.div_ceil(step) + 2 * margin;
    let first = 0.5 * (step_px - 1.0);
    let down = Taps::new(samples, count, Edge::Replicate, |sample| {
        bell((sample as f64 - margin as f64) * step_px + first, down_sigma)
    });
    let up = Taps::new(count, samples, Edge::Replicate, |pixel| {
        bell((pixel as f64 - first) / step_px + margin as f64, up_sigma)
    });
    [down, up]
}

/// Blurs `src` (`C` samples a pixel). `finish` as for [`separable`].
pub(super) fn blur<S: Sample, const C: usize>(
    src: &[S],
    size: Size,
    sigma: f64,
    out: &mut [S],
    finish: impl Fn(usize, usize, &[f32], &mut [S]) + Sync,
) {
    let width = size.width as usize;
    let load = |y: usize, columns: Range<usize>, row: &mut [f32]| {
        let from = &src[(y * width + columns.start) * C..(y * width + columns.end) * C];
        load_premultiplied::<S, C>(from, row);
    };
    match stages(size, sigma).as_slice() {
        [[h, v], [h_up, v_up]] => {
            let grid_width = h.outputs();
            let mut grid = vec![0.0f32; grid_width * v.outputs() * C];
            separable::<C, f32>(h, v, &mut grid, load, |_, _, row, out| out.copy_from_slice(row));
            let load_grid = |y: usize, columns: Range<usize>, row: &mut [f32]| {
                let from = (y * grid_width + columns.start) * C;
                row.copy_from_slice(&grid[from..from + row.len()]);
            };
            separable::<C, S>(h_up, v_up, out, load_grid, finish);
        }
        [[h, v]] => separable::<C, S>(h, v, out, load, finish),
        _ => debug_assert!(false, "a blur has one or two stages"),
    }
}

/// The passes of [`blur`] on the adapter.
pub(super) fn blur_passes(sigma: f64, input: Size) -> Vec<GpuPass> {
    resample::gpu_passes(&stages(input, sigma), input)
}

struct Blur(f64);

impl SampleWork for Blur {
    fn run<S: Sample, const C: usize>(&self, src: &[S], size: Size, out: &mut [S]) {
        blur::<S, C>(src, size, self.0, out, |_, _, row, out| store_straight::<S, C>(row, out));
    }
}

impl Operation for GaussianBlur {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, params: &Params) -> bool {
        params.float("sigma") == 0.0
    }

    fn halo(&self, params: &Params, context: &OpContext) -> u32 {
        halo_px(sigma_px(params, context))
    }

    fn filter(&self, params: &Params, context: &OpContext, src: &PixelBuf) -> Option<PixelBuf> {
        let sigma = sigma_px(params, context);
        Some(if sigma == 0.0 { src.clone() } else { Blur(sigma).apply(src, src.size()) })
    }

    fn gpu_passes(&self, params: &Params, context: &OpContext, input: Size) -> Vec<GpuPass> {
        blur_passes(sigma_px(params, context), input)
    }
}
