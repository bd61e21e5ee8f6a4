//! Every operation at 24 megapixels (6000×4000, RGBA, 8 and 16 bit) on the CPU.
//! `benches/peers/ops.sh` puts the numbers beside those of ImageMagick and libvips.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::ops::{self, OpContext};
use ganvas::params::Params;
use ganvas::pixels::{Depth, PixelBuf, Samples};

/// Operations with the parameters that the peers get too.
const CASES: &[(&str, &str)] = &[
    ("crop", "x=500 y=300 width=5000 height=3400"),
    ("rotate90", "turns=1"),
    ("rotate", "angle=7 expand=true"),
    ("flip", "axis=horizontal"),
    ("flip", "axis=vertical"),
    ("resize", "width=3000 height=2000 filter=lanczos3"),
    ("resize", "width=3000 height=2000 filter=bicubic"),
    ("resize", "width=3000 height=2000 filter=bilinear"),
    ("resize", "width=3000 height=2000 filter=nearest"),
    ("resize", "width=9000 height=6000 filter=lanczos3"),
    ("canvas_size", "width=6400 height=4400"),
    ("brightness_contrast", "brightness=20 contrast=30"),
    ("exposure", "ev=0.7"),
    ("hue_saturation", "hue=40 saturation=20 lightness=5"),
    ("levels", "black=0.05 white=0.9 gamma=1.3"),
    ("gamma", "value=1.6"),
    ("white_balance", "temperature=30 tint=10"),
    ("invert", ""),
    ("gaussian_blur", "sigma=1.5"),
    ("gaussian_blur", "sigma=5"),
    ("gaussian_blur", "sigma=30"),
    ("unsharp_mask", "sigma=1.5 amount=0.8 threshold=0.02"),
];

/// Smooth colour with fine texture and some transparency.
fn picture(size: Size) -> PixelBuf {
    let mut samples = Vec::with_capacity(size.pixels() as usize * 4);
    let mut state = 1u32;
    for y in 0..size.height {
        for x in 0..size.width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (state >> 28) as u8;
            let alpha = if (x / 512 + y / 512) % 5 == 0 { 160 } else { 255 };
            samples.extend([(x / 25) as u8 ^ grain, (y / 17) as u8 ^ grain, ((x + y) / 41) as u8]);
            samples.push(alpha);
        }
    }
    match PixelBuf::from_samples(size, 4, Samples::U8(samples)) {
        Some(buf) => buf,
        None => unreachable!("four samples a pixel were pushed"),
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let context = OpContext::full_size(WorkingProfile::srgb());
    let shallow = picture(Size::new(6000, 4000));
    for depth in [Depth::U8, Depth::U16] {
        let src = shallow.to_depth(depth);
        let mut group = criterion.benchmark_group(format!("{}-bit", depth.bits()));
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(24_000_000));
        group.bench_function("copy", |bench| bench.iter(|| black_box(src.clone())));
        for (name, words) in CASES {
            let Some(op) = ops::find(name) else { unreachable!("{name} is in the registry") };
            let params = match Params::parse(op.spec().params, words.split_whitespace()) {
                Ok(params) => params,
                Err(error) => unreachable!("{name} {words}: {error}"),
            };
            group.bench_function(format!("{name} {words}").trim(), |bench| {
                bench.iter(|| black_box(ops::apply(op, &params, &context, &src, None)));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
