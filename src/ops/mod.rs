//! Image operations: pixels (and a mask, and parameters) to pixels. Knows no document.
//!
//! One operation is one Rust file here, one shader of the same name in `shaders/ops/`, and one
//! line in [`registry`]. Its [`OpSpec`] is what the window, the command line, recipes and the
//! generated tests read.

mod brightness_contrast;
mod canvas_size;
mod crop;
mod driver;
mod engine;
mod exposure;
mod flip;
mod gamma;
mod gaussian_blur;
mod hue_saturation;
mod invert;
mod levels;
mod pixel_moves;
mod registry;
mod resample;
mod resize;
mod rotate;
mod rotate90;
pub(crate) mod simd;
mod unsharp_mask;
mod white_balance;

pub use canvas_size::canvas_offset;
pub use driver::{PointMap, apply, apply_region, blend_by_mask, perform};
pub use engine::{Engine, Processor};
pub use registry::{all, find};

use crate::color::{Transfer, WorkingProfile};
use crate::geom::{IRect, MAX_PIXELS, MAX_SIDE, Size};
use crate::params::{ParamError, ParamSpec, Params};
use crate::pixels::{PixelBuf, Sample, Samples};

/// The declaration of one operation.
#[derive(Debug)]
pub struct OpSpec {
    /// Name in recipes and on the command line; also the stem of both source files.
    pub name: &'static str,
    /// Name in menus, sentence case.
    pub label: &'static str,
    /// One line of help.
    pub doc: &'static str,
    pub kind: Kind,
    pub params: &'static [ParamSpec],
    /// Raised when the meaning of stored parameters changes.
    pub version: u32,
    /// Largest difference allowed between shader and CPU code at 8 bits, in steps of 1/255.
    /// The test harness refuses more than 2.
    pub tolerance: u8,
}

/// How an operation reads its input; decides tiling and dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An output pixel depends on the input pixel at its place only; alpha is untouched.
    Pointwise,
    /// An output pixel depends on a neighbourhood of [`Operation::halo`] pixels; the size stays.
    Neighborhood,
    /// Moves pixels; the size may change. Takes no mask and is no adjustment layer.
    Geometry,
}

/// What an operation may know about the picture besides its pixels.
#[derive(Clone, Debug)]
pub struct OpContext {
    pub profile: WorkingProfile,
    /// Display pixels per document pixel of the buffer at hand: 1 at full size, below 1 for a
    /// preview. Lengths in parameters (such as sigma) are in document pixels.
    pub scale: f32,
}

impl OpContext {
    pub const fn full_size(profile: WorkingProfile) -> Self {
        Self { profile, scale: 1.0 }
    }
}

/// A pointwise operation with its parameters folded in. Values are encoded, nominally `0..=1`;
/// the driver clamps and quantises once.
pub enum PointKernel {
    /// One curve a channel, applied through a table built once per depth.
    Curves(Box<dyn Fn(usize, f32) -> f32 + Send + Sync>),
    /// A function of the three channels together.
    Rgb(Box<dyn RgbMap>),
}

/// A function of three channels that is called once for many pixels.
pub trait RgbMap: Send + Sync {
    /// One pixel. To be marked `#[inline(always)]`, for [`RgbMap::span`] is made from it.
    fn pixel(&self, rgb: [f32; 3]) -> [f32; 3];

    /// A span of pixels, as vector code.
    fn span(&self, [red, green, blue]: &mut RgbSpan) {
        simd::vectorized(|| {
            for i in 0..SPAN {
                [red[i], green[i], blue[i]] = self.pixel([red[i], green[i], blue[i]]);
            }
        });
    }
}

/// Pixels in one call of [`RgbMap::span`].
pub const SPAN: usize = 256;

/// The red, green and blue planes of [`SPAN`] neighbouring pixels.
pub type RgbSpan = [[f32; SPAN]; 3];

#[derive(Clone, Debug, thiserror::Error)]
pub enum OpError {
    #[error("unknown operation '{0}'")]
    Unknown(String),
    #[error("{op}: {source}")]
    Param { op: String, source: ParamError },
    #[error("{op}: {reason}")]
    Invalid { op: &'static str, reason: String },
    #[error("{0} moves pixels and takes no mask")]
    MaskWithGeometry(&'static str),
    #[error("the mask is {mask}, the picture {image}")]
    MaskSize { mask: Size, image: Size },
    #[error("cancelled")]
    Cancelled,
}

/// One step of a shader twin: an entry point, its uniforms by field name, and an optional table.
#[derive(Clone, Debug)]
pub struct GpuPass {
    /// Entry point in `shaders/ops/<name>.wgsl`.
    pub entry: &'static str,
    /// Values of the uniform struct's fields, packed by name. The executor itself fills
    /// `src_width`, `src_height`, `dst_width`, `dst_height` and `depth` (8 or 16).
    pub uniforms: Vec<(&'static str, Uniform)>,
    /// Read-only `array<f32>` such as filter weights; empty when the shader has none.
    pub table: Vec<f32>,
    /// Extent of this pass's output.
    pub output: Size,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uniform {
    F32(f32),
    U32(u32),
    I32(i32),
    Vec4([f32; 4]),
}

/// An image operation. Implementations are stateless unit structs.
///
/// Buffers are RGBA with straight alpha, encoded in the working profile, 8 or 16 bit; geometry
/// also takes one-channel masks. Exactly one of [`Operation::point`], [`Operation::filter`] and
/// [`Operation::transform`] is implemented, by [`OpSpec::kind`].
pub trait Operation: Send + Sync {
    fn spec(&self) -> &'static OpSpec;

    /// Whether these parameters leave every picture as it is.
    fn is_identity(&self, params: &Params) -> bool;

    /// Neighbourhood radius in pixels of the buffer at hand (`context.scale` applied).
    fn halo(&self, _params: &Params, _context: &OpContext) -> u32 {
        0
    }

    /// Extent of the output, or why these parameters do not fit the input.
    fn output_size(&self, _params: &Params, input: Size) -> Result<Size, OpError> {
        Ok(input)
    }

    /// For [`Kind::Pointwise`].
    fn point(&self, _params: &Params, _context: &OpContext) -> Option<PointKernel> {
        None
    }

    /// For [`Kind::Neighborhood`]: the whole buffer filtered, its edges replicated.
    fn filter(&self, _params: &Params, _context: &OpContext, _src: &PixelBuf) -> Option<PixelBuf> {
        None
    }

    /// For [`Kind::Geometry`].
    fn transform(&self, _params: &Params, _src: &PixelBuf) -> Option<Result<PixelBuf, OpError>> {
        None
    }

    /// The passes of the shader twin for an input of `input` pixels.
    fn gpu_passes(&self, params: &Params, context: &OpContext, input: Size) -> Vec<GpuPass>;
}

/// The input region an output region needs: grown by the halo, clipped to the picture.
pub fn required_input(halo: u32, output: IRect, image: Size) -> IRect {
    output.grow(halo as i32).intersect(image.rect())
}

/// The output region an input change invalidates.
pub fn invalidated_output(halo: u32, input: IRect, image: Size) -> IRect {
    input.grow(halo as i32).intersect(image.rect())
}

/// The size `width × height`, or the error of an operation whose result would be too large.
fn check_size(op: &'static str, width: i64, height: i64) -> Result<Size, OpError> {
    let size = Size::new(
        u32::try_from(width).unwrap_or(u32::MAX),
        u32::try_from(height).unwrap_or(u32::MAX),
    );
    if size.is_acceptable() {
        return Ok(size);
    }
    let reason = format!(
        "the result would be {width}×{height} pixels; at most {MAX_SIDE} a side and {MAX_PIXELS} in all are possible"
    );
    Err(OpError::Invalid { op, reason })
}

/// Code over samples of any depth and 1 or 4 channels.
trait SampleWork {
    /// Fills `out` from `src`, a picture of `size` with `C` channels.
    fn run<S: Sample, const C: usize>(&self, src: &[S], size: Size, out: &mut [S]);

    /// A new picture of `out_size` computed from `src`.
    fn apply(&self, src: &PixelBuf, out_size: Size) -> PixelBuf {
        let mut out = PixelBuf::new(out_size, src.channels(), src.depth());
        let size = src.size();
        match (src.samples(), out.samples_mut(), src.channels()) {
            (Samples::U8(src), Samples::U8(out), 4) => self.run::<u8, 4>(src, size, out),
            (Samples::U8(src), Samples::U8(out), _) => self.run::<u8, 1>(src, size, out),
            (Samples::U16(src), Samples::U16(out), 4) => self.run::<u16, 4>(src, size, out),
            (Samples::U16(src), Samples::U16(out), _) => self.run::<u16, 1>(src, size, out),
            _ => debug_assert!(false, "the output has the depth of the source"),
        }
        out
    }
}

/// The five numbers of a transfer curve as uniform fields.
fn transfer_uniforms(transfer: Transfer) -> Vec<(&'static str, Uniform)> {
    vec![
        ("transfer_gamma", Uniform::F32(transfer.gamma)),
        ("transfer_a", Uniform::F32(transfer.a)),
        ("transfer_b", Uniform::F32(transfer.b)),
        ("transfer_c", Uniform::F32(transfer.c)),
        ("transfer_d", Uniform::F32(transfer.d)),
    ]
}

/// The pass of `shaders/shared/gains.wgsl`: the channels of linear light scaled.
fn gains_pass([red, green, blue]: [f32; 3], transfer: Transfer, input: Size) -> Vec<GpuPass> {
    let mut uniforms = transfer_uniforms(transfer);
    uniforms.push(("gains", Uniform::Vec4([red, green, blue, 1.0])));
    vec![GpuPass { entry: "main", uniforms, table: Vec::new(), output: input }]
}
