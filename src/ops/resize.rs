//! Resize: resampling to another size.

use super::pixel_moves::{Move, move_pixels};
use super::resample::{self, Edge, Taps, load_premultiplied, separable, store_straight};
use super::{GpuPass, Kind, OpContext, OpError, OpSpec, Operation, SampleWork, check_size};
use crate::geom::{MAX_SIDE, Size};
use crate::params::{ParamSpec, Params};
use crate::pixels::{PixelBuf, Sample};

const SIDE: (i64, i64) = (1, MAX_SIDE as i64);

static SPEC: OpSpec = OpSpec {
    name: "resize",
    label: "Resize",
    doc: "Resamples the picture to another size",
    kind: Kind::Geometry,
    params: &[
        ParamSpec::required_int("width", "Width", 1, SIDE, "px", "Columns of the result"),
        ParamSpec::required_int("height", "Height", 1, SIDE, "px", "Rows of the result"),
        ParamSpec::choice(
            "filter",
            "Filter",
            "lanczos3",
            &["nearest", "bilinear", "bicubic", "lanczos3"],
            "Nearest keeps hard pixels, lanczos3 is the sharpest",
        ),
    ],
    version: 1,
    tolerance: 1,
};

pub struct Resize;

/// An interpolation kernel: its support in source pixels at scale 1, and its weight function.
/// When shrinking the support grows with the scale, which makes it the anti-aliasing filter.
struct Filter {
    support: f64,
    weight: fn(f64) -> f64,
}

/// `None` for nearest. The kernels are those of Pillow's filters of the same names: triangle,
/// Keys' cubic with a = -1/2 (Keys 1981), and the sinc windowed by its third lobe.
fn filter(name: &str) -> Option<Filter> {
    match name {
        "nearest" => None,
        "bilinear" => Some(Filter { support: 1.0, weight: |x| (1.0 - x.abs()).max(0.0) }),
        "bicubic" => Some(Filter { support: 2.0, weight: keys_cubic }),
        _ => Some(Filter { support: 3.0, weight: lanczos3 }),
    }
}

fn keys_cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos3(x: f64) -> f64 {
    let sinc = |x: f64| {
        let x = x * std::f64::consts::PI;
        if x == 0.0 { 1.0 } else { x.sin() / x }
    };
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// Weights of one axis; windows at the border are cut and renormalised.
fn axis_taps(filter: &Filter, inputs: u32, outputs: u32) -> Taps {
    let scale = f64::from(inputs) / f64::from(outputs);
    let stretch = scale.max(1.0);
    let support = filter.support * stretch;
    Taps::new(inputs as usize, outputs as usize, Edge::Drop, |output| {
        let center = (output as f64 + 0.5) * scale;
        let first = (center - support + 0.5).max(0.0) as i64;
        let end = ((center + support + 0.5) as i64).min(i64::from(inputs));
        let weights = (first..end)
            .map(|input| (filter.weight)((input as f64 + 0.5 - center) / stretch))
            .collect();
        (first, weights)
    })
}

/// The source column or row under the centre of each output pixel. Places are summed up, not
/// multiplied, so that those which fall between two pixels are rounded as Pillow rounds them.
fn nearest_sources(inputs: u32, outputs: u32) -> Vec<u32> {
    let scale = f64::from(inputs) / f64::from(outputs);
    let places = std::iter::successors(Some(0.5 * scale), |place| Some(place + scale));
    places.take(outputs as usize).map(|place| (place as u32).min(inputs - 1)).collect()
}

struct Nearest {
    columns: Vec<u32>,
    rows: Vec<u32>,
}

impl Nearest {
    fn new(from: Size, to: Size) -> Self {
        Self {
            columns: nearest_sources(from.width, to.width),
            rows: nearest_sources(from.height, to.height),
        }
    }
}

impl Move for Nearest {
    fn row<P: Copy>(&self, src: &[P], width: usize, y: usize, out: &mut [P]) {
        let row = &src[self.rows[y] as usize * width..][..width];
        out.iter_mut().zip(&self.columns).for_each(|(to, &column)| *to = row[column as usize]);
    }
}

struct Resampling {
    h: Taps,
    v: Taps,
}

impl SampleWork for Resampling {
    fn run<S: Sample, const C: usize>(&self, src: &[S], size: Size, out: &mut [S]) {
        let width = size.width as usize;
        separable::<C, S>(
            &self.h,
            &self.v,
            out,
            |y, columns, row| {
                let from = &src[(y * width + columns.start) * C..(y * width + columns.end) * C];
                load_premultiplied::<S, C>(from, row);
            },
            |_, _, row, out| store_straight::<S, C>(row, out),
        );
    }
}

/// How the pixels of the result come about.
enum Plan {
    Keep,
    Move(Nearest),
    /// Weights along x and along y.
    Resample([Taps; 2]),
}

impl Plan {
    fn new(params: &Params, from: Size, to: Size) -> Self {
        match filter(params.choice("filter")) {
            _ if from == to => Self::Keep,
            None => Self::Move(Nearest::new(from, to)),
            Some(filter) => Self::Resample([
                axis_taps(&filter, from.width, to.width),
                axis_taps(&filter, from.height, to.height),
            ]),
        }
    }
}

impl Operation for Resize {
    fn spec(&self) -> &'static OpSpec {
        &SPEC
    }

    fn is_identity(&self, _params: &Params) -> bool {
        false
    }

    fn output_size(&self, params: &Params, _input: Size) -> Result<Size, OpError> {
        check_size(SPEC.name, params.int("width"), params.int("height"))
    }

    fn transform(&self, params: &Params, src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        let from = src.size();
        Some(self.output_size(params, from).map(|to| match Plan::new(params, from, to) {
            Plan::Keep => src.clone(),
            Plan::Move(nearest) => move_pixels(src, to, &nearest),
            Plan::Resample([h, v]) => Resampling { h, v }.apply(src, to),
        }))
    }

    fn gpu_passes(&self, params: &Params, _context: &OpContext, input: Size) -> Vec<GpuPass> {
        let Ok(output) = self.output_size(params, input) else { return Vec::new() };
        let nearest = match Plan::new(params, input, output) {
            Plan::Resample(taps) => return resample::gpu_passes(&[taps], input),
            Plan::Move(nearest) => nearest,
            Plan::Keep => Nearest::new(input, output),
        };
        let places = nearest.columns.iter().chain(&nearest.rows);
        let table = places.map(|&place| place as f32).collect();
        vec![GpuPass { entry: "nearest", uniforms: Vec::new(), table, output }]
    }
}
