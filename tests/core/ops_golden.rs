//! Resampling against Pillow, blurring against a sum written out; see tests/fixtures/ops.

use std::path::Path;

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::ops::{self, OpContext};
use ganvas::params::Params;
use ganvas::pixels::{Depth, PixelBuf, Samples};

use crate::ops_generated::picture;

/// What the project promises for resampling and blurring.
const PROMISED_DB: f64 = 45.0;

fn fixture(name: &str) -> PixelBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ops").join(name);
    let image = image::open(&path).unwrap_or_else(|error| panic!("{name}: {error}")).into_rgba8();
    let size = Size::new(image.width(), image.height());
    PixelBuf::from_samples(size, 4, Samples::U8(image.into_raw())).unwrap()
}

fn run(name: &str, words: &[&str], src: &PixelBuf) -> PixelBuf {
    let op = ops::find(name).unwrap();
    let params = Params::parse(op.spec().params, words.iter().copied()).unwrap();
    ops::apply(op, &params, &OpContext::full_size(WorkingProfile::srgb()), src, None).unwrap()
}

fn premultiplied(buf: &PixelBuf, x: u32, y: u32) -> [f64; 4] {
    let [r, g, b, a] = buf.pixel_f32(x, y).map(f64::from);
    if buf.channels() == 1 { [r; 4] } else { [r * a, g * a, b * a, a] }
}

/// Peak signal-to-noise ratio of premultiplied pixels in decibels.
fn psnr_db(a: &PixelBuf, b: &PixelBuf) -> f64 {
    assert_eq!(a.size(), b.size());
    let mut sum = 0.0;
    for y in 0..a.size().height {
        for x in 0..a.size().width {
            let (a, b) = (premultiplied(a, x, y), premultiplied(b, x, y));
            sum += a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        }
    }
    -10.0 * (sum / (4.0 * a.size().pixels() as f64)).log10()
}

fn alpha_of(buf: &PixelBuf) -> PixelBuf {
    let mut alpha = PixelBuf::new(buf.size(), 1, buf.depth());
    for y in 0..buf.size().height {
        for x in 0..buf.size().width {
            alpha.set_pixel_f32(x, y, [buf.pixel_f32(x, y)[3]; 4]);
        }
    }
    alpha
}

fn assert_close(name: &str, ours: &PixelBuf, reference: &PixelBuf) {
    let db = psnr_db(ours, reference);
    assert!(db >= PROMISED_DB, "{name}: {db:.1} dB");
}

#[test]
fn resizing_agrees_with_pillow() {
    let src = fixture("source.png");
    for filter in ["nearest", "bilinear", "bicubic", "lanczos3"] {
        for (width, height) in [(37, 23), (151, 100)] {
            let name = format!("resize_{filter}_{width}x{height}.png");
            let reference = fixture(&name);
            let words =
                [format!("width={width}"), format!("height={height}"), format!("filter={filter}")];
            let words = words.each_ref().map(String::as_str);
            let ours = run("resize", &words, &src);
            assert_close(&name, &ours, &reference);
            if filter == "nearest" {
                assert_eq!(ours, reference);
            }
            let deep = run("resize", &words, &src.to_depth(Depth::U16));
            assert_eq!(deep.depth(), Depth::U16);
            assert_close(&name, &deep, &reference);
            // Alpha stands alone, so a mask must come out as the alpha of the picture does.
            assert_close(&name, &run("resize", &words, &alpha_of(&src)), &alpha_of(&reference));
        }
    }
}

#[test]
fn another_filter_or_a_shifted_grid_is_seen() {
    let src = fixture("source.png");
    let sharp = run("resize", &["width=151", "height=100", "filter=lanczos3"], &src);
    assert!(psnr_db(&sharp, &fixture("resize_bilinear_151x100.png")) < PROMISED_DB);
    let hard = run("resize", &["width=37", "height=23", "filter=nearest"], &src);
    assert!(psnr_db(&hard, &fixture("resize_bicubic_37x23.png")) < PROMISED_DB);
    let turned = run("rotate", &["angle=17.2"], &src);
    let reference = fixture("rotate_17_true.png");
    if turned.size() == reference.size() {
        assert!(psnr_db(&turned, &reference) < PROMISED_DB);
    }
    let back = run("rotate", &["angle=-17", "expand=false"], &src);
    assert!(psnr_db(&back, &fixture("rotate_17_false.png")) < PROMISED_DB);
}

#[test]
fn rotating_agrees_with_pillow() {
    let src = fixture("source.png");
    for angle in ["17", "-120"] {
        for expand in ["true", "false"] {
            let name = format!("rotate_{angle}_{expand}.png");
            let words = [format!("angle={angle}"), format!("expand={expand}")];
            let words = words.each_ref().map(String::as_str);
            let reference = fixture(&name);
            assert_close(&name, &run("rotate", &words, &src), &reference);
            assert_close(&name, &run("rotate", &words, &src.to_depth(Depth::U16)), &reference);
            assert_close(&name, &run("rotate", &words, &alpha_of(&src)), &alpha_of(&reference));
        }
    }
}

/// The definition: every sample a sum over the whole reach of the bell, in double precision.
fn true_gaussian(src: &PixelBuf, sigma: f64) -> PixelBuf {
    let radius = (8.0 * sigma).ceil() as i64;
    let kernel: Vec<f64> =
        (-radius..=radius).map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    let Size { width, height } = src.size();
    let mut planes: Vec<[f64; 4]> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| premultiplied(src, x, y))
        .collect();
    for horizontal in [true, false] {
        let from = planes.clone();
        for (index, pixel) in planes.iter_mut().enumerate() {
            let (x, y) = (index as i64 % i64::from(width), index as i64 / i64::from(width));
            *pixel = [0.0; 4];
            for (offset, weight) in (-radius..).zip(&kernel) {
                let (dx, dy) = if horizontal { (offset, 0) } else { (0, offset) };
                let at = (y + dy).clamp(0, i64::from(height) - 1) * i64::from(width)
                    + (x + dx).clamp(0, i64::from(width) - 1);
                for channel in 0..4 {
                    pixel[channel] += weight / total * from[at as usize][channel];
                }
            }
        }
    }
    let mut out = PixelBuf::new(src.size(), 4, Depth::U16);
    for (index, [r, g, b, a]) in planes.into_iter().enumerate() {
        let (x, y) = (index as u32 % width, index as u32 / width);
        let straight = [r, g, b].map(|c| if a > 0.0 { (c / a) as f32 } else { 0.0 });
        out.set_pixel_f32(x, y, [straight[0], straight[1], straight[2], a as f32]);
    }
    out
}

#[test]
fn blurring_agrees_with_a_true_gaussian() {
    for sigma in [0.3, 0.5, 1.0, 2.0, 3.3, 3.5, 5.0, 8.7, 20.0, 47.0, 100.0] {
        let word = format!("sigma={sigma}");
        let src = picture(Size::new(83, 61), Depth::U16, 11);
        let reference = true_gaussian(&src, sigma);
        let ours = run("gaussian_blur", &[&word], &src);
        // Far more than promised: the error of the fast path is that of its sampling.
        let db = psnr_db(&ours, &reference);
        assert!(db >= 75.0, "σ {sigma}, 16 bits: {db:.1} dB");
        let shallow = run("gaussian_blur", &[&word], &src.to_depth(Depth::U8));
        assert_close(&word, &shallow, &reference);
    }
}

#[test]
fn another_sigma_is_seen() {
    let src = picture(Size::new(83, 61), Depth::U16, 11);
    for (sigma, wrong) in [(0.5, "sigma=0.6"), (3.3, "sigma=4"), (20.0, "sigma=25")] {
        let db = psnr_db(&run("gaussian_blur", &[wrong], &src), &true_gaussian(&src, sigma));
        assert!(db < PROMISED_DB, "{wrong}: {db:.1} dB");
    }
}

#[test]
fn unsharp_mask_adds_the_shrunken_difference() {
    let src = picture(Size::new(83, 61), Depth::U16, 13);
    let blurred = true_gaussian(&src, 2.0);
    let ours = run("unsharp_mask", &["sigma=2", "amount=1.5", "threshold=0.05"], &src);
    let mut sharpened = 0;
    for y in 0..61 {
        for x in 0..83 {
            let (value, soft) = (src.pixel_f32(x, y), blurred.pixel_f32(x, y));
            let have = ours.pixel_f32(x, y);
            assert_eq!(have[3], value[3]);
            if soft[3] < 0.01 {
                continue;
            }
            for channel in 0..3 {
                let difference = value[channel] - soft[channel];
                let shrunk = difference.signum() * (difference.abs() - 0.05).max(0.0);
                let want = (value[channel] + 1.5 * shrunk).clamp(0.0, 1.0);
                assert!((have[channel] - want).abs() < 1e-3, "{x} {y}: {} {want}", have[channel]);
                sharpened += usize::from(shrunk != 0.0);
            }
        }
    }
    assert!(sharpened > 1000, "{sharpened}");
}
