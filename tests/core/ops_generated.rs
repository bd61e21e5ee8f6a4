//! Tests generated from the registry of operations.

use ganvas::color::{Transfer, WorkingProfile};
use ganvas::geom::{IRect, Size};
use ganvas::ops::{self, Kind, OpContext, OpError, Operation, PointMap};
use ganvas::params::{ParamKind, ParamSpec, Params, Value};
use ganvas::pixels::{Depth, PixelBuf};
use proptest::prelude::*;

/// A deterministic sequence of numbers in `0..1` (SplitMix64).
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Smooth colour with noise on it, and alpha from 0 to full.
pub fn picture(size: Size, depth: Depth, seed: u64) -> PixelBuf {
    let mut noise = Noise(seed);
    let mut buf = PixelBuf::new(size, 4, depth);
    for y in 0..size.height {
        for x in 0..size.width {
            let (u, v) = (x as f32 / 17.0, y as f32 / 11.0);
            let alpha = (1.3 * (0.5 + 0.7 * (u * 0.7 + v).sin())).clamp(0.0, 1.0);
            let colour = [u.sin(), (u + v).cos(), (v * 0.5 - u).sin()];
            let [r, g, b] = colour.map(|c| (0.5 + 0.4 * c + 0.2 * noise.next() as f32).min(1.0));
            buf.set_pixel_f32(x, y, [r, g, b, alpha]);
        }
    }
    buf
}

fn context() -> OpContext {
    OpContext::full_size(WorkingProfile::srgb())
}

fn run(op: &dyn Operation, params: &Params, src: &PixelBuf) -> Result<PixelBuf, OpError> {
    ops::apply(op, params, &context(), src, None)
}

/// One value between hard bounds, drawn from the soft range, or a bound itself.
fn draw(spec: &ParamSpec, place: f64) -> Value {
    match &spec.kind {
        ParamKind::Float { soft, .. } => Value::Float(soft.0 + (soft.1 - soft.0) * place),
        ParamKind::Int { soft, .. } => {
            // Sides stay small, so that resizing to the bound does not fill the memory.
            let high = soft.1.min(150);
            Value::Int(soft.0 + ((high - soft.0) as f64 * place).round() as i64)
        }
        ParamKind::Bool { .. } => Value::Bool(place < 0.5),
        ParamKind::Choice { options, .. } => {
            let index = (place * options.len() as f64) as usize;
            Value::Choice(options[index.min(options.len() - 1)].into())
        }
    }
}

fn params_at(op: &dyn Operation, mut place: impl FnMut(&ParamSpec) -> Value) -> Params {
    let specs = op.spec().params;
    let mut params = Params::defaults(specs);
    for spec in specs {
        params.set(specs, spec.key, place(spec)).unwrap();
    }
    params
}

fn bounds(spec: &ParamSpec, upper: bool) -> Value {
    match &spec.kind {
        ParamKind::Float { hard, .. } => Value::Float(if upper { hard.1 } else { hard.0 }),
        _ => draw(spec, if upper { 1.0 } else { 0.0 }),
    }
}

#[test]
fn the_registry_is_the_one_of_the_issue() {
    let names: Vec<_> = ops::all().iter().map(|op| op.spec().name).collect();
    let mut wanted = vec![
        "crop",
        "rotate90",
        "rotate",
        "flip",
        "resize",
        "canvas_size",
        "brightness_contrast",
        "exposure",
        "hue_saturation",
        "levels",
        "gamma",
        "white_balance",
        "invert",
        "gaussian_blur",
        "unsharp_mask",
    ];
    assert_eq!(names.len(), wanted.len());
    wanted.retain(|name| !names.contains(name));
    assert_eq!(wanted, Vec::<&str>::new());
    for op in ops::all() {
        let spec = op.spec();
        assert!(spec.tolerance <= 2, "{}", spec.name);
        assert!(std::ptr::eq(ops::find(spec.name).unwrap().spec(), spec));
        for param in spec.params {
            param.check(&param.default_value()).unwrap();
        }
    }
}

#[test]
fn neutral_parameters_leave_every_bit() {
    let mut seen = 0;
    for op in ops::all() {
        let neutral = params_at(*op, |spec| match (spec.key, spec.default_value()) {
            ("sigma" | "amount", Value::Float(_)) => Value::Float(0.0),
            (_, value) => value,
        });
        if !op.is_identity(&neutral) {
            continue;
        }
        seen += 1;
        for depth in [Depth::U8, Depth::U16] {
            let src = picture(Size::new(33, 21), depth, 1);
            assert_eq!(run(*op, &neutral, &src).unwrap(), src, "{}", op.spec().name);
        }
    }
    assert_eq!(seen, 9, "every adjustment but invert, and rotate by 0°");
}

#[test]
fn bounds_and_random_parameters_stay_in_range() {
    for op in ops::all() {
        let mut noise = Noise(7);
        for round in 0..24 {
            let params = params_at(*op, |spec| match round {
                0 => bounds(spec, false),
                1 => bounds(spec, true),
                2 => draw(spec, 0.0),
                3 => draw(spec, 1.0),
                _ => draw(spec, noise.next()),
            });
            for depth in [Depth::U8, Depth::U16] {
                let src = picture(Size::new(41, 29), depth, round);
                let size = op.output_size(&params, src.size());
                match (run(*op, &params, &src), size) {
                    (Ok(out), Ok(size)) => {
                        assert_eq!(out.size(), size, "{} {params:?}", op.spec().name);
                        assert_eq!(out.depth(), depth, "{}", op.spec().name);
                        if op.spec().kind == Kind::Pointwise {
                            assert_same_alpha(&src, &out);
                        }
                    }
                    (Err(OpError::Invalid { .. }), Err(_)) => assert_eq!(op.spec().name, "crop"),
                    (out, size) => panic!("{} {params:?}: {out:?} {size:?}", op.spec().name),
                }
            }
        }
    }
}

fn assert_same_alpha(src: &PixelBuf, out: &PixelBuf) {
    for at in (3..src.samples().len()).step_by(4) {
        assert_eq!(src.samples().get(at), out.samples().get(at));
    }
}

#[test]
fn hostile_sizes_are_refused_without_work() {
    let src = picture(Size::new(8, 8), Depth::U8, 1);
    for (name, words) in [
        ("resize", ["width=65535", "height=65535"]),
        ("canvas_size", ["width=65535", "height=65535"]),
    ] {
        let op = ops::find(name).unwrap();
        let params = Params::parse(op.spec().params, words).unwrap();
        let error = run(op, &params, &src).unwrap_err().to_string();
        assert!(error.contains("65535×65535"), "{error}");
    }
    let crop = ops::find("crop").unwrap();
    let params = Params::parse(crop.spec().params, ["x=4", "y=0", "width=5", "height=8"]).unwrap();
    let error = run(crop, &params, &src).unwrap_err().to_string();
    assert_eq!(error, "crop: the rectangle 5×8 at (4, 0) is not inside the picture 8×8");
}

/// Largest difference of two buffers in raw steps.
fn largest_difference(a: &PixelBuf, b: &PixelBuf) -> u16 {
    assert_eq!((a.size(), a.depth()), (b.size(), b.depth()));
    let (a, b) = (a.samples(), b.samples());
    (0..a.len()).map(|at| a.get(at).abs_diff(b.get(at))).max().unwrap_or(0)
}

/// The same in whole steps of premultiplied colour.
fn largest_premultiplied_difference(a: &PixelBuf, b: &PixelBuf) -> u16 {
    assert_eq!((a.size(), a.depth()), (b.size(), b.depth()));
    let mut largest = 0.0f32;
    for y in 0..a.size().height {
        for x in 0..a.size().width {
            let (a, b) = (a.pixel_f32(x, y), b.pixel_f32(x, y));
            for channel in 0..3 {
                largest = largest.max((a[channel] * a[3] - b[channel] * b[3]).abs());
            }
            largest = largest.max((a[3] - b[3]).abs());
        }
    }
    (largest * f32::from(a.depth().max())).round() as u16
}

#[test]
fn a_region_computed_alone_is_the_region_of_the_whole() {
    for op in ops::all().iter().filter(|op| op.spec().kind != Kind::Geometry) {
        for (round, place) in [0.02, 0.3, 0.5, 0.9].into_iter().enumerate() {
            let sigma = [0.8, 3.0, 7.3, 21.0][round];
            let params = params_at(*op, |spec| match spec.key {
                "sigma" => Value::Float(sigma),
                "amount" => Value::Float(0.9),
                _ => draw(spec, place),
            });
            // Wide blurs sample the picture on a grid that starts at the region's corner. Where
            // the picture is nearly transparent its colour magnifies the difference.
            let exact = op.spec().kind == Kind::Pointwise || sigma < 3.3;
            for (depth, tolerance) in [(Depth::U8, 1), (Depth::U16, 4)] {
                let src = picture(Size::new(190, 170), depth, 3);
                let whole = run(*op, &params, &src).unwrap();
                for region in [IRect::new(0, 0, 64, 64), IRect::new(70, 60, 140, 111)] {
                    let part = ops::apply_region(*op, &params, &context(), &src, region).unwrap();
                    let whole = whole.crop(region);
                    let name = op.spec().name;
                    if exact {
                        assert_eq!(part, whole, "{name} σ {sigma}");
                    } else {
                        let steps = largest_premultiplied_difference(&part, &whole);
                        assert!(steps <= tolerance, "{name} σ {sigma} {depth:?}: {steps}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_region_without_its_halo_is_seen_to_differ() {
    let blur = ops::find("gaussian_blur").unwrap();
    let params = Params::parse(blur.spec().params, ["sigma=3"]).unwrap();
    let src = picture(Size::new(120, 120), Depth::U8, 3);
    let region = IRect::new(30, 30, 90, 90);
    let starved = run(blur, &params, &src.crop(region)).unwrap();
    assert!(largest_difference(&starved, &run(blur, &params, &src).unwrap().crop(region)) > 1);
}

#[test]
fn lengths_follow_the_scale_of_the_preview() {
    let src = picture(Size::new(60, 50), Depth::U16, 5);
    let blur = ops::find("gaussian_blur").unwrap();
    let wide = Params::parse(blur.spec().params, ["sigma=6"]).unwrap();
    let narrow = Params::parse(blur.spec().params, ["sigma=3"]).unwrap();
    let half = OpContext { scale: 0.5, ..context() };
    let preview = ops::apply(blur, &wide, &half, &src, None).unwrap();
    assert_eq!(preview, run(blur, &narrow, &src).unwrap());
}

#[test]
fn light_is_scaled_in_the_profile_s_own_curve() {
    let mut profile = WorkingProfile::srgb();
    profile.transfer = Transfer::power(2.0);
    let op = ops::find("exposure").unwrap();
    let params = Params::parse(op.spec().params, ["ev=2"]).unwrap();
    let mut src = PixelBuf::new(Size::new(1, 1), 4, Depth::U16);
    src.set_pixel_f32(0, 0, [0.1, 0.25, 0.9, 1.0]);
    let out = ops::apply(op, &params, &OpContext::full_size(profile), &src, None).unwrap();
    // Four times the light through a square law is twice the value.
    for (have, want) in out.pixel_f32(0, 0).into_iter().zip([0.2, 0.5, 1.0, 1.0]) {
        assert!((have - want).abs() < 2e-5, "{have} {want}");
    }
}

#[test]
fn one_map_serves_many_tiles() {
    let op = ops::find("levels").unwrap();
    let params = Params::parse(op.spec().params, ["black=0.1", "gamma=1.7"]).unwrap();
    for depth in [Depth::U8, Depth::U16] {
        let src = picture(Size::new(40, 20), depth, 9);
        let map = PointMap::new(op, &params, &context(), depth).unwrap();
        assert_eq!(map.map(&src), run(op, &params, &src).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn pixels_under_a_black_mask_stay_bit_identical(seed in 0u64.., index in 0usize..9, wide: bool) {
        let adjustments: Vec<_> =
            ops::all().iter().filter(|op| op.spec().kind != Kind::Geometry).collect();
        prop_assert_eq!(adjustments.len(), 9);
        let op = *adjustments[index];
        let mut noise = Noise(seed);
        let params = params_at(op, |spec| draw(spec, noise.next()));
        let depth = if wide { Depth::U16 } else { Depth::U8 };
        let size = Size::new(37, 23);
        let src = picture(size, depth, seed);
        let mut mask = PixelBuf::new(size, 1, Depth::U8);
        for y in 0..size.height {
            for x in 0..size.width {
                mask.set_pixel_f32(x, y, [(noise.next() * 2.0 - 0.7).clamp(0.0, 1.0) as f32; 4]);
            }
        }
        let out = ops::apply(op, &params, &context(), &src, Some(&mask)).unwrap();
        let full = run(op, &params, &src).unwrap();
        for pixel in 0..size.pixels() as usize {
            let expected = match mask.samples().get(pixel) {
                0 => &src,
                255 => &full,
                _ => continue,
            };
            for at in pixel * 4..pixel * 4 + 4 {
                prop_assert_eq!(out.samples().get(at), expected.samples().get(at));
            }
        }
    }
}
