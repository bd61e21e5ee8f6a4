//! Every operation's shader against its CPU code.

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::gpu::Executor;
use ganvas::ops::{self, Kind, OpContext, Operation};
use ganvas::params::{ParamKind, ParamSpec, Params, Value};
use ganvas::pixels::{Depth, PixelBuf};

use crate::{Random, gpu};

/// No operation may declare more, in steps of 1/255.
const TOLERANCE_CAP: u8 = 2;

pub fn random_picture(random: &mut Random, size: Size, channels: usize, depth: Depth) -> PixelBuf {
    let mut picture = PixelBuf::new(size, channels, depth);
    for index in 0..picture.samples().len() {
        // Many exact ends, so that clamping and full transparency are met.
        let value = (random.unit() * 1.2 - 0.1).clamp(0.0, 1.0);
        picture.samples_mut().set_f32(index, value);
    }
    picture
}

/// Largest difference in raw samples, over pixels that are visible in either.
pub fn worst(a: &PixelBuf, b: &PixelBuf) -> u16 {
    assert_eq!(a.size(), b.size());
    (0..a.samples().len())
        .map(|index| a.samples().get(index).abs_diff(b.samples().get(index)))
        .max()
        .unwrap_or(0)
}

/// Values inside the soft range, or at one of its ends.
fn random_value(random: &mut Random, spec: &ParamSpec) -> Value {
    match &spec.kind {
        ParamKind::Float { soft, .. } => {
            let unit = f64::from((random.unit() * 1.2 - 0.1).clamp(0.0, 1.0));
            Value::Float(soft.0 + (soft.1 - soft.0) * unit)
        }
        ParamKind::Int { soft, .. } => {
            let span = (soft.1.min(soft.0 + 40) - soft.0) as u32;
            Value::Int(soft.0 + i64::from(random.below(span + 1)))
        }
        ParamKind::Bool { .. } => Value::Bool(random.below(2) == 1),
        ParamKind::Choice { options, .. } => {
            Value::Choice(options[random.below(options.len() as u32) as usize].into())
        }
    }
}

pub fn allowed(op: &dyn Operation, depth: Depth) -> u16 {
    let spec = op.spec();
    assert!(spec.tolerance <= TOLERANCE_CAP, "{} declares {}", spec.name, spec.tolerance);
    match (depth, spec.kind) {
        (Depth::U8, _) => u16::from(spec.tolerance),
        (Depth::U16, Kind::Pointwise) => 2,
        (Depth::U16, _) => u16::from(spec.tolerance.max(1)) * 257,
    }
}

fn compare(executor: &Executor, op: &dyn Operation, params: &Params, seed: u64) -> usize {
    let mut random = Random(seed);
    let context = OpContext::full_size(WorkingProfile::srgb());
    let mut compared = 0;
    for depth in [Depth::U8, Depth::U16] {
        let size = Size::new(61 + random.below(20), 37 + random.below(20));
        let picture = random_picture(&mut random, size, 4, depth);
        let mask = (op.spec().kind != Kind::Geometry && random.below(2) == 1)
            .then(|| random_picture(&mut random, size, 1, Depth::U8));
        let cpu = ops::apply(op, params, &context, &picture, mask.as_ref());
        let gpu = executor.apply(op, params, &context, &picture, mask.as_ref());
        let name = op.spec().name;
        match (cpu, gpu) {
            (Ok(cpu), Ok(gpu)) => {
                let (worst, allowed) = (worst(&cpu, &gpu), allowed(op, depth));
                assert!(worst <= allowed, "{name} {params:?} {depth:?}: {worst} > {allowed}");
                compared += 1;
            }
            (Err(cpu), Err(gpu)) => assert_eq!(cpu.to_string(), gpu.to_string()),
            (cpu, gpu) => panic!("{name} {params:?}: {cpu:?} on the CPU, {gpu:?} on the adapter"),
        }
    }
    compared
}

#[test]
fn shaders_equal_cpu_code_at_defaults_and_anywhere_else() {
    let Some(context) = gpu() else { return };
    let executor = Executor::new(context);
    for (index, op) in ops::all().iter().enumerate() {
        let specs = op.spec().params;
        let mut compared = compare(&executor, *op, &Params::defaults(specs), 1);
        for round in 0..8 {
            let mut random = Random(1000 * index as u64 + round);
            let mut params = Params::defaults(specs);
            for spec in specs {
                let value = random_value(&mut random, spec);
                params.set(specs, spec.key, value).unwrap();
            }
            compared += compare(&executor, *op, &params, random.next_u64());
        }
        assert!(compared >= 4, "{}: only {compared} comparisons", op.spec().name);
    }
    assert_eq!(context.take_errors(), Vec::<String>::new());
}

#[test]
fn the_comparison_notices_a_wrong_result() {
    let Some(context) = gpu() else { return };
    let invert = ops::find("invert").unwrap();
    let picture = random_picture(&mut Random(5), Size::new(40, 30), 4, Depth::U8);
    let params = Params::default();
    let op_context = OpContext::full_size(WorkingProfile::srgb());
    let mut gpu =
        Executor::new(context).apply(invert, &params, &op_context, &picture, None).unwrap();
    let cpu = ops::apply(invert, &params, &op_context, &picture, None).unwrap();
    assert_eq!(worst(&cpu, &gpu), 0);
    assert!(worst(&picture, &gpu) > allowed(invert, Depth::U8));
    let bent = gpu.samples().get_f32(7) + 1.0 / 255.0;
    gpu.samples_mut().set_f32(7, if bent > 1.0 { bent - 2.0 / 255.0 } else { bent });
    assert!(worst(&cpu, &gpu) > allowed(invert, Depth::U8));
}

#[test]
fn pictures_larger_than_a_working_buffer_run_by_tiles() {
    let Some(context) = gpu() else { return };
    // 2,900 × 1,800 floats exceed the working buffer, so several regions are run.
    let picture = random_picture(&mut Random(9), Size::new(2900, 1800), 4, Depth::U8);
    let invert = ops::find("invert").unwrap();
    let op_context = OpContext::full_size(WorkingProfile::srgb());
    let params = Params::default();
    let gpu = Executor::new(context).apply(invert, &params, &op_context, &picture, None).unwrap();
    let cpu = ops::apply(invert, &params, &op_context, &picture, None).unwrap();
    assert!(cpu == gpu);
}
