//! Every operation at typical parameters, on the processor and on a real adapter.

use super::super::report::Failure;
use super::{Bench, megapixels, picture};
use crate::color::WorkingProfile;
use crate::geom::Size;
use crate::ops::{self, OpContext};
use crate::params::Params;

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
    if !ops::all().iter().any(|op| bench.wants(&entry_name(op.spec().name))) {
        return Ok(());
    }
    let source = picture(size);
    let context = OpContext::full_size(WorkingProfile::srgb());
    for op in ops::all() {
        let spec = op.spec();
        let words = typical(spec.name, size);
        let params = Params::parse(spec.params, words.split_whitespace())
            .map_err(|error| Failure::failed(format!("{}: {error}", spec.name)))?;
        bench.time(&entry_name(spec.name), "cpu", megapixels(size), || {
            let out = ops::apply(*op, &params, &context, &source, None);
            std::hint::black_box(out.map_err(Failure::failed)?);
            Ok(None)
        })?;
    }
    Ok(())
}

fn entry_name(op: &str) -> String {
    format!("op/{op}")
}
