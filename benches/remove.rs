//! How good and how fast "Remove" is: committed photos with random free-form masks, filled and
//! compared with what the mask hid, and one large photo against the clock. Figures of ours are
//! means over three seeds.
//!
//!     cargo bench --bench remove [-- --json] [--dir FOLDER]
//!
//! With a folder, each case leaves `CASE.png` (holes black), `CASE.mask.png` and
//! `CASE.ganvas.png` there, and further results found as `CASE.METHOD.png` are measured too:
//! `benches/peers/remove.py` puts OpenCV's there.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ganvas::color::WorkingProfile;
use ganvas::geom::{IRect, Size};
use ganvas::inpaint::{Fill, fill};
use ganvas::io::{Format, Limits, SaveOptions, luminance_mask, open, save};
use ganvas::metrics::{gradient_ratio, psnr_db, ssim};
use ganvas::pixels::{Depth, PixelBuf};
use serde_json::json;

const PHOTOS: [&str; 5] = [
    "assets/photos/chelsea.png",
    "assets/photos/coffee.png",
    "assets/photos/rocket.jpg",
    "tests/fixtures/photos/astronaut-256.png",
    "tests/fixtures/photos/camera.png",
];
const MASKS_A_PHOTO: u32 = 4;
/// Fills of each mask, whose figures are averaged: a single one is a matter of luck.
const SEEDS: u64 = 3;
/// Width of the surroundings a fill's gradients are compared with.
const RING_PX: u32 = 16;
const METHODS: [&str; 4] = ["ganvas", "telea", "navier-stokes", "truth"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.iter().position(|word| word == "--dir");
    let folder = folder.and_then(|at| arguments.get(at + 1)).map(PathBuf::from);
    let mut cases = Vec::new();
    for photo in PHOTOS {
        for number in 0..MASKS_A_PHOTO {
            cases.extend(measure(photo, number, folder.as_deref())?);
        }
    }
    let speed = [speed(Depth::U8)?, speed(Depth::U16)?];
    if arguments.iter().any(|word| word == "--json") {
        println!("{:#}", json!({ "cases": cases, "speed": speed }));
    } else {
        print_table(&cases, &speed);
    }
    Ok(())
}

/// A linear congruential sequence (Numerical Recipes' constants), so that masks stay what they
/// are whatever library changes.
struct Random(u32);

impl Random {
    fn within(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        low + (high - low) * f64::from(self.0 >> 8) / f64::from(1 << 24)
    }
}

/// Strokes of the kind Yu et al. 2019 (DeepFill v2) train with: chains of lines of one width
/// whose direction sways and now and then turns back.
fn strokes(size: Size, seed: u32) -> PixelBuf {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9));
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let scale = f64::sqrt(width * height) / 256.0;
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    for _ in 0..random.within(2.0, 5.0) as u32 {
        let brush = random.within(6.0, 20.0) * scale;
        let (mut x, mut y) = (random.within(0.0, width), random.within(0.0, height));
        for vertex in 0..random.within(3.0, 9.0) as u32 {
            let sway = 2.0 * std::f64::consts::PI / 5.0 + random.within(-0.42, 0.42);
            let angle = if vertex % 2 == 0 { 2.0 * std::f64::consts::PI - sway } else { sway };
            let length = random.within(10.0, 40.0) * scale;
            let to_x = (x + length * angle.sin()).clamp(0.0, width);
            let to_y = (y + length * angle.cos()).clamp(0.0, height);
            line(&mut mask, (x, y), (to_x, to_y), brush / 2.0);
            (x, y) = (to_x, to_y);
        }
    }
    mask
}

/// A line with round ends.
fn line(mask: &mut PixelBuf, from: (f64, f64), to: (f64, f64), radius: f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let squared = (dx * dx + dy * dy).max(1e-9);
    let size = mask.size();
    for y in 0..size.height {
        for x in 0..size.width {
            let (px, py) = (f64::from(x) + 0.5 - from.0, f64::from(y) + 0.5 - from.1);
            let along = ((px * dx + py * dy) / squared).clamp(0.0, 1.0);
            if (px - along * dx).hypot(py - along * dy) <= radius {
                mask.set_pixel_f32(x, y, [1.0; 4]);
            }
        }
    }
}

fn load(path: &Path) -> Outcome<PixelBuf> {
    Ok(open(path, &Limits::default())?.pixels)
}

fn store(path: &Path, pixels: &PixelBuf) -> Outcome<()> {
    let options = SaveOptions::new(Format::Png);
    save(path, pixels, &WorkingProfile::srgb(), &Default::default(), &options)?;
    Ok(())
}

fn colour(mask: &PixelBuf) -> PixelBuf {
    let mut out = PixelBuf::new(mask.size(), 4, Depth::U8);
    for y in 0..mask.size().height {
        (0..mask.size().width).for_each(|x| out.set_pixel_f32(x, y, mask.pixel_f32(x, y)));
    }
    out
}

/// One photo under one mask by every method there is a result of.
fn measure(photo: &str, number: u32, folder: Option<&Path>) -> Outcome<Vec<serde_json::Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(photo);
    let truth = load(&path)?.to_depth(Depth::U8);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let case = format!("{}-{number}", stem.unwrap_or_default());
    let mask = strokes(truth.size(), case.bytes().fold(17, |sum, byte| sum * 31 + u32::from(byte)));
    let mut damaged = truth.clone();
    let black = PixelBuf::filled(truth.size(), 4, Depth::U8, [0, 0, 0, 255]);
    blend(&mut damaged, &black, &mask);
    let begin = Instant::now();
    let fill_with = |seed: u64| {
        let options = Fill { dilate_px: 0, feather_px: 0.0, seed, ..Fill::default() };
        fill(&damaged, &mask, &options, &mut |_| true)
    };
    let ours = (0..SEEDS).map(fill_with).collect::<Result<Vec<_>, _>>()?;
    let seconds = begin.elapsed().as_secs_f64() / ours.len() as f64;

    let mut results = BTreeMap::from([("ganvas", ours), ("truth", vec![truth.clone()])]);
    if let Some(folder) = folder {
        let file = |method: &str| folder.join(format!("{case}{method}.png"));
        for method in ["telea", "navier-stokes"] {
            let path = file(&format!(".{method}"));
            if path.exists() {
                results.insert(method, vec![load(&path)?]);
            }
        }
        store(&file(""), &damaged)?;
        store(&file(".mask"), &colour(&mask))?;
        store(&file(".ganvas"), &results["ganvas"][0])?;
    }
    let row = |(method, results): (&&str, &Vec<PixelBuf>)| {
        let mean = |of: &dyn Fn(&PixelBuf) -> f64| {
            results.iter().map(of).sum::<f64>() / results.len() as f64
        };
        json!({
            "case": case,
            "method": method,
            "hole_px": luminance_mask(&colour(&mask)).samples().as_bytes().iter().filter(|v| **v > 127).count(),
            "psnr_db": mean(&|result| psnr_db(&truth, result, &mask)),
            "ssim": mean(&|result| ssim(&truth, result, &mask)),
            "gradient_ratio": mean(&|result| gradient_ratio(result, &mask, RING_PX)),
            "seconds": (*method == "ganvas").then_some(seconds),
        })
    };
    Ok(results.iter().map(row).collect())
}

/// Replaces masked pixels of `to` by those of `from`.
fn blend(to: &mut PixelBuf, from: &PixelBuf, mask: &PixelBuf) {
    for y in 0..to.size().height {
        for x in 0..to.size().width {
            if mask.pixel_f32(x, y)[0] > 0.5 {
                to.set_pixel_f32(x, y, from.pixel_f32(x, y));
            }
        }
    }
}

/// A hole of 300×300 in 24 megapixels: a photo enlarged to texture of its own.
fn speed(depth: Depth) -> Outcome<serde_json::Value> {
    let tile = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(PHOTOS[1]))?.to_depth(depth);
    let size = Size::new(6000, 4000);
    let mut photo = PixelBuf::new(size, 4, depth);
    for y in (0..4000).step_by(400) {
        (0..6000).step_by(600).for_each(|x| photo.blit(&tile, (x, y)));
    }
    let hole = IRect::new(2950, 1850, 3250, 2150);
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    mask.blit(&PixelBuf::filled(hole.size(), 1, Depth::U8, [255; 4]), hole.origin());
    let (mut runs, mut longest) = (Vec::new(), 0.0f64);
    for _ in 0..5 {
        let begin = Instant::now();
        let mut last = begin;
        let mut watch = |_| {
            longest = longest.max(last.elapsed().as_secs_f64());
            last = Instant::now();
            true
        };
        let options = Fill { dilate_px: 0, feather_px: 0.0, ..Fill::default() };
        std::hint::black_box(fill(&photo, &mask, &options, &mut watch)?);
        runs.push(begin.elapsed().as_secs_f64());
    }
    runs.sort_by(f64::total_cmp);
    Ok(json!({
        "case": format!("24 MP, {} bits, 300×300 hole", depth.bits()),
        "median_s": runs[2],
        "fastest_s": runs[0],
        "slowest_s": runs[4],
        "longest_silence_s": longest,
    }))
}

fn print_table(cases: &[serde_json::Value], speed: &[serde_json::Value]) {
    println!("| method | cases | PSNR, dB | SSIM | gradient ratio |");
    println!("|---|---|---|---|---|");
    for method in METHODS {
        let rows: Vec<_> = cases.iter().filter(|case| case["method"] == method).collect();
        if rows.is_empty() {
            continue;
        }
        let mean = |key: &str| {
            let values: Vec<f64> = rows.iter().filter_map(|row| row[key].as_f64()).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let (psnr, similarity, ratio) = (mean("psnr_db"), mean("ssim"), mean("gradient_ratio"));
        let count = rows.len();
        let psnr = if psnr.is_nan() { "–".to_owned() } else { format!("{psnr:.2}") };
        println!("| {method} | {count} | {psnr} | {similarity:.3} | {ratio:.2} |");
    }
    for line in speed {
        println!("\n{}: {:.2} s", line["case"], line["median_s"].as_f64().unwrap_or(f64::NAN));
    }
}
