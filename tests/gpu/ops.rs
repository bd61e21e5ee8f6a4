//! Shaders against the CPU code where it is hardest: at the hard bounds of every parameter, in
//! another profile, at preview scale, and for turns that fall on pixel borders.

use ganvas::color::{Transfer, WorkingProfile};
use ganvas::geom::Size;
use ganvas::gpu::Executor;
use ganvas::ops::{self, OpContext, Operation};
use ganvas::params::{ParamKind, ParamSpec, Params, Value};
use ganvas::pixels::{Depth, PixelBuf};

use crate::executor::{allowed, random_picture, worst};
use crate::{Random, gpu};

const SIZE: Size = Size::new(83, 61);

fn contexts() -> [OpContext; 2] {
    let mut wide = WorkingProfile::srgb();
    wide.transfer = Transfer::power(563.0 / 256.0);
    [OpContext::full_size(WorkingProfile::srgb()), OpContext { profile: wide, scale: 0.5 }]
}

/// Noise, ramps and greys of every alpha.
fn picture(depth: Depth) -> PixelBuf {
    let mut buf = random_picture(&mut Random(3), SIZE, 4, depth);
    for y in (0..SIZE.height).filter(|y| y % 3 != 0) {
        for x in 0..SIZE.width {
            let ramp = x as f32 / (SIZE.width - 1) as f32;
            let rgb = if y % 3 == 1 { [ramp; 3] } else { [0.01 * ramp, 0.0, 0.01] };
            let alpha = if y < 20 { 1.0 } else { 1.2 - y as f32 / 50.0 };
            buf.set_pixel_f32(x, y, [rgb[0], rgb[1], rgb[2], alpha.clamp(0.0, 1.0)]);
        }
    }
    buf
}

fn assert_equal(executor: &Executor, op: &dyn Operation, params: &Params) {
    for depth in [Depth::U8, Depth::U16] {
        let src = picture(depth);
        for context in contexts() {
            let cpu = ops::apply(op, params, &context, &src, None).unwrap();
            let gpu = executor.apply(op, params, &context, &src, None).unwrap();
            let (worst, allowed) = (worst(&cpu, &gpu), allowed(op, depth));
            let name = op.spec().name;
            assert!(worst <= allowed, "{name} {params:?} {depth:?}: {worst} > {allowed}");
        }
    }
}

/// The lower or upper hard bound; sizes stay in reach of a test.
fn bound(spec: &ParamSpec, upper: bool) -> Value {
    match &spec.kind {
        ParamKind::Float { hard, .. } if spec.key == "sigma" => {
            Value::Float(if upper { 60.0 } else { hard.0 })
        }
        ParamKind::Float { hard, .. } => Value::Float(if upper { hard.1 } else { hard.0 }),
        ParamKind::Int { hard, .. } => Value::Int(if upper { hard.1.min(40) } else { hard.0 }),
        ParamKind::Bool { .. } => Value::Bool(upper),
        ParamKind::Choice { options, .. } => {
            Value::Choice(if upper { options[options.len() - 1] } else { options[0] }.into())
        }
    }
}

#[test]
fn every_combination_of_hard_bounds_agrees() {
    let Some(context) = gpu() else { return };
    let executor = Executor::new(context);
    for op in ops::all() {
        let specs = op.spec().params;
        for choice in 0..1u32 << specs.len() {
            let mut params = Params::defaults(specs);
            for (index, spec) in specs.iter().enumerate() {
                let upper = choice >> index & 1 == 1;
                params.set(specs, spec.key, bound(spec, upper)).unwrap();
            }
            if op.output_size(&params, SIZE).is_ok() {
                assert_equal(&executor, *op, &params);
            }
        }
    }
    assert_eq!(context.take_errors(), Vec::<String>::new());
}

#[test]
fn both_ways_of_blurring_and_both_of_rotating_agree() {
    let Some(context) = gpu() else { return };
    let executor = Executor::new(context);
    for (name, words) in [
        ("gaussian_blur", "sigma=0.3"),
        ("gaussian_blur", "sigma=3.3"),
        ("gaussian_blur", "sigma=3.5"),
        ("gaussian_blur", "sigma=9"),
        ("unsharp_mask", "sigma=2 amount=3 threshold=0.05"),
        ("unsharp_mask", "sigma=12 amount=3"),
        ("rotate", "angle=45"),
        ("rotate", "angle=-30 expand=false"),
        ("rotate", "angle=90"),
        ("rotate", "angle=270 expand=false"),
        ("rotate", "angle=180 expand=false"),
        ("resize", "width=200 height=13"),
        ("resize", "width=83 height=61 filter=nearest"),
    ] {
        let op = ops::find(name).unwrap();
        let params = Params::parse(op.spec().params, words.split(' ')).unwrap();
        assert_equal(&executor, op, &params);
    }
}

#[test]
fn a_slightly_wrong_parameter_is_seen() {
    let Some(context) = gpu() else { return };
    let executor = Executor::new(context);
    let src = picture(Depth::U8);
    let op_context = &contexts()[0];
    for (name, cpu_words, gpu_words) in [
        ("exposure", "ev=1", "ev=1.05"),
        ("hue_saturation", "hue=40", "hue=42"),
        ("gaussian_blur", "sigma=2", "sigma=2.2"),
        ("rotate", "angle=10", "angle=10.1"),
    ] {
        let op = ops::find(name).unwrap();
        let parse = |words| Params::parse(op.spec().params, [words]).unwrap();
        let cpu = ops::apply(op, &parse(cpu_words), op_context, &src, None).unwrap();
        let gpu = executor.apply(op, &parse(gpu_words), op_context, &src, None).unwrap();
        assert!(cpu.size() != gpu.size() || worst(&cpu, &gpu) > allowed(op, Depth::U8), "{name}");
    }
}
