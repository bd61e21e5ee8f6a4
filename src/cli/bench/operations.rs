//! Every operation at typical parameters, on the processor and as shaders on an adapter.

#[cfg(feature = "gpu")]
use super::super::report;
use super::super::report::Failure;
#[cfg(feature = "gpu")]
use super::view::Adapter;
use super::{Bench, megapixels, picture};
use crate::color::WorkingProfile;
use crate::geom::Size;
use crate::ops::{self, OpContext, Operation};
use crate::params::Params;
use crate::pixels::PixelBuf;

/// What each operation is timed with, as on the command line.
fn typical(name: &str, size: Size) -> String {
    let (width, height) = (size.width, size.height);
    match name {
        "crop" => {
            format!("x={} y={} width={} height={}", width / 8, height / 8, width / 2, height / 2)
        }
        "rotate90" => "turns=1".into(),
        "rotate" => "angle=7 expand=true".into(),
        "flip" => "axis=horizontal".into(),
        "resize" => format!("width={} height={} filter=lanczos3", width / 2, height / 2),
        "canvas_size" => format!("width={} height={}", width + width / 8, height + height / 8),
        "brightness_contrast" => "brightness=10 contrast=20".into(),
        "exposure" => "ev=0.7".into(),
        "hue_saturation" => "hue=15 saturation=20 lightness=5".into(),
        "levels" => "black=0.05 white=0.95 gamma=1.1".into(),
        "gamma" => "value=1.3".into(),
        "white_balance" => "temperature=20 tint=-5".into(),
        "gaussian_blur" => "sigma=5".into(),
        "unsharp_mask" => "sigma=2 amount=1".into(),
        _ => String::new(),
    }
}

pub(super) fn run(bench: &mut Bench, size: Size) -> Result<(), Failure> {
    each(bench, size, |bench, op, params, context, source| {
        bench.time(&entry_name(op), "cpu", megapixels(size), || {
            let out = ops::apply(op, params, context, source, None);
            std::hint::black_box(out.map_err(Failure::failed)?);
            Ok(None)
        })
    })
}

/// The same as shaders, upload and copy back included. What the adapter cannot do is said and
/// left out.
#[cfg(feature = "gpu")]
pub(super) fn run_on(bench: &mut Bench, size: Size, adapter: &Adapter) -> Result<(), Failure> {
    let executor = crate::gpu::Executor::new(&adapter.context);
    each(bench, size, |bench, op, params, context, source| {
        let apply = || executor.apply(op, params, context, source, None);
        if let Err(err) = apply() {
            let name = op.spec().name;
            report::note(format!("{name} on {}: {}", adapter.name(), report::sentence(&err)));
            return Ok(());
        }
        bench.time(&entry_name(op), adapter.name(), megapixels(size), || {
            std::hint::black_box(apply().map_err(Failure::failed)?);
            Ok(None)
        })
    })
}

/// Runs `time` for each operation that is wanted, at its typical parameters.
fn each(
    bench: &mut Bench,
    size: Size,
    mut time: impl FnMut(
        &mut Bench,
        &dyn Operation,
        &Params,
        &OpContext,
        &PixelBuf,
    ) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted: Vec<_> = ops::all().iter().filter(|op| bench.wants(&entry_name(**op))).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let source = picture(size);
    let context = OpContext::full_size(WorkingProfile::srgb());
    for op in wanted {
        let spec = op.spec();
        let words = typical(spec.name, size);
        let params = Params::parse(spec.params, words.split_whitespace())
            .map_err(|error| Failure::failed(format!("{}: {error}", spec.name)))?;
        time(bench, *op, &params, &context, &source)?;
    }
    Ok(())
}

fn entry_name(op: &dyn Operation) -> String {
    format!("op/{}", op.spec().name)
}
