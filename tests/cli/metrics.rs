//! `ganvas metrics` on real files.

use std::path::Path;

use ganvas::geom::IRect;
use ganvas::io::{Format, SaveOptions, save};
use ganvas::latent::random::SplitMix64;
use ganvas::nets::Inception;
use ganvas::pixels::PixelBuf;
use ganvas::zoo::Spec;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::Value as Json;

use super::run::{Folder, ganvas, open, photo, succeed};

fn json(args: &[&str]) -> Json {
    let outcome = succeed(&[&["metrics"], args, &["--json"]].concat());
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn complaint(args: &[&str]) -> String {
    let outcome = ganvas(&[&["metrics"], args].concat());
    assert_eq!(outcome.code, 2, "{args:?}: {}", outcome.stderr);
    assert!(outcome.stdout.is_empty());
    let sentence = outcome.stderr.trim_end();
    assert!(!sentence.contains('\n') && !sentence.contains("panicked"), "{sentence}");
    sentence.to_owned()
}

fn expected(name: &str) -> f64 {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("tests/fixtures/metrics/expected.json")).unwrap();
    let values: Json = serde_json::from_str(&text).unwrap();
    values[name].as_f64().unwrap()
}

fn write(picture: &PixelBuf, path: &str) {
    let opened = open(photo("astronaut-256.png"));
    let options = SaveOptions::new(Format::Png);
    save(Path::new(path), picture, &opened.profile, &opened.metadata, &options).unwrap();
}

/// The photo mixed with itself upside down, as the fixtures have it.
fn mixed(photo: &PixelBuf) -> PixelBuf {
    let (mut other, height) = (photo.clone(), photo.size().height);
    for (y, x) in (0..height).flat_map(|y| (0..photo.size().width).map(move |x| (y, x))) {
        let (a, b) = (photo.pixel_f32(x, y), photo.pixel_f32(x, height - 1 - y));
        let [r, g, b] =
            [0, 1, 2].map(|c| (((3.0 * a[c] + b[c]) * 255.0).round() / 4.0).floor() / 255.0);
        other.set_pixel_f32(x, y, [r, g, b, 1.0]);
    }
    other
}

/// A folder of parts of the photo, changed by `of`.
fn parts(folder: &Folder, name: &str, of: impl Fn(&PixelBuf, u64) -> PixelBuf) -> String {
    let path = folder.file(name);
    std::fs::create_dir(&path).unwrap();
    let whole = open(photo("astronaut-256.png")).pixels;
    for number in 0..6 {
        let (x, y) = (number % 3 * 80, number / 3 * 80);
        let part = whole.crop(IRect::new(x, y, x + 96, y + 96));
        write(&of(&part, number as u64), &format!("{path}/{number}.png"));
    }
    path
}

fn noisy(part: &PixelBuf, seed: u64) -> PixelBuf {
    let (mut out, mut random) = (part.clone(), SplitMix64::new(seed));
    for (y, x) in (0..part.size().height).flat_map(|y| (0..96).map(move |x| (y, x))) {
        let pixel = part.pixel_f32(x, y).map(|v| v + random.below(100) as f32 / 200.0 - 0.25);
        out.set_pixel_f32(x, y, pixel.map(|value| value.clamp(0.0, 1.0)));
    }
    out
}

#[test]
fn pairs_are_measured_as_scikit_image_does() {
    let folder = Folder::new();
    let (a, b) = (photo("astronaut-256.png"), folder.file("b.png"));
    write(&mixed(&open(&a).pixels), &b);
    for (metric, want) in [("psnr", "psnr"), ("ssim", "ssim"), ("ms-ssim", "ms_ssim_even_wang")] {
        let said = json(&[metric, &a, &b]);
        let (have, want) = (said["value"].as_f64().unwrap(), expected(want));
        assert!((have - want).abs() < 1e-5 * want, "{metric}: {have} not {want}");
        assert_eq!((&said["pairs"], &said["comparable_with_published"]), (&1.into(), &true.into()));
    }
    let text = succeed(&["metrics", "psnr", &a, &a]).stdout;
    assert_eq!(text.trim(), "PSNR: identical");
    let same = json(&["psnr", &a, &a]);
    assert_eq!((&same["value"], &same["identical"]), (&Json::Null, &1.into()));
    // No backbone of LPIPS comes with the program: said in the name.
    let same = json(&["lpips", &a, &a]);
    assert_eq!(same["value"], 0.0);
    assert_eq!(same["metric"], "substitute-LPIPS");
    let text = succeed(&["metrics", "lpips", &a, &b]).stdout;
    assert!(text.contains("not comparable with published LPIPS"), "{text}");
    assert!(json(&["lpips", &a, &b])["value"].as_f64().unwrap() > 0.01);
}

#[test]
fn folders_of_pairs_are_matched_by_name() {
    let folder = Folder::new();
    let a = parts(&folder, "a", |part, _| part.clone());
    let b = parts(&folder, "b", |part, _| part.clone());
    write(&noisy(&open(format!("{b}/3.png")).pixels, 1), &format!("{b}/3.png"));
    std::fs::remove_file(format!("{b}/0.png")).unwrap();
    std::fs::write(format!("{b}/1.png"), b"broken").unwrap();
    let said = json(&["ssim", &a, &b]);
    assert_eq!((&said["pairs"], &said["skipped"]), (&4.into(), &1.into()));
    // Three are equal.
    let one = json(&["ssim", &format!("{a}/3.png"), &format!("{b}/3.png")]);
    let (mean, one) = (said["value"].as_f64().unwrap(), one["value"].as_f64().unwrap());
    assert!((mean - (3.0 + one) / 4.0).abs() < 1e-9 && one < 0.9, "{mean} {one}");
    // What is equal has no place in a mean of decibels, and is told.
    let said = json(&["psnr", &a, &b]);
    let one = json(&["psnr", &format!("{a}/3.png"), &format!("{b}/3.png")]);
    assert_eq!((&said["identical"], &said["value"]), (&3.into(), &one["value"]));
    let told = succeed(&["metrics", "psnr", &a, &b]);
    assert!(told.stderr.contains("3 of 4 pairs are identical"), "{}", told.stderr);
}

#[test]
fn sets_are_judged_by_a_substitute_that_says_so() {
    let folder = Folder::new();
    let a = parts(&folder, "a", |part, _| part.clone());
    let b = parts(&folder, "b", noisy);
    std::fs::write(format!("{b}/broken.png"), b"not a picture").unwrap();
    std::fs::write(format!("{b}/notes.txt"), b"no picture at all").unwrap();
    let said = json(&["fid", &a, &b]);
    assert_eq!(said["metric"], "substitute-FID");
    assert_eq!(said["comparable_with_published"], false);
    assert_eq!((&said["b"]["pictures"], &said["b"]["skipped"]), (&6.into(), &1.into()));
    let far = said["value"].as_f64().unwrap();
    let near = json(&["fid", &a, &a])["value"].as_f64().unwrap();
    assert!(near.abs() < 1e-3 && far > 1.0, "{near} {far}");
    let outcome = succeed(&["metrics", "fid", &a, &b]);
    assert!(outcome.stdout.contains("not comparable with published FID"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("broken.png") && outcome.stderr.contains("1280 features"));
    let far = json(&["kid", &a, &b])["value"].as_f64().unwrap();
    let near = json(&["kid", &a, &a])["value"].as_f64().unwrap();
    assert!(far > near, "{near} {far}");
    let same = json(&["pr", &a, &a]);
    assert_eq!((&same["precision"], &same["recall"]), (&1.0.into(), &1.0.into()));
    assert_eq!(json(&["pr", &a, &b, "--count", "4"])["a"]["pictures"], 4);
}

/// Inception-v3 of 2015 with a sixteenth of the channels and random weights.
fn tiny_inception(path: &str) {
    let spec = Spec::Inception(Inception { sixteen: 1, classes: Inception::FID_CLASSES });
    let mut random = SplitMix64::new(1);
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, shape) in spec.tensors() {
        let gain = (6.0 / shape[1..].iter().product::<usize>().max(1) as f64).sqrt() as f32;
        let numbers = (0..shape.iter().product()).map(|_| {
            let unit = random.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0;
            match shape.len() {
                1 if name.ends_with("weight") || name.ends_with("var") => 1.0 + 0.3 * unit,
                1 => 0.1 * unit,
                _ => unit * gain,
            }
        });
        let bytes = numbers.flat_map(f32::to_le_bytes).collect();
        tensors.push((name, shape, bytes));
    }
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    serialize_to_file(views, None, Path::new(path)).unwrap();
}

#[test]
fn an_inception_of_ones_own_gives_the_metric_its_name() {
    let folder = Folder::new();
    let a = parts(&folder, "a", |part, _| part.clone());
    let b = parts(&folder, "b", noisy);
    let model = folder.file("inception.safetensors");
    tiny_inception(&model);
    let said = json(&["fid", &a, &b, "--model", &model]);
    assert_eq!(said["metric"], "FID");
    assert_eq!(said["comparable_with_published"], true);
    assert_eq!(said["features"], "Inception-v3 of 2015");
    assert!(said["value"].as_f64().unwrap() > 0.0);
    let said = json(&["is", &a, "--model", &model]);
    assert!(said["value"].as_f64().unwrap() >= 1.0 && said["deviation"].is_number());
}

#[test]
fn a_side_may_be_a_generator() {
    let folder = Folder::new();
    let a = parts(&folder, "a", |part, _| part.clone());
    let drawn = folder.file("drawn");
    std::fs::create_dir(&drawn).unwrap();
    let model = "dcgan-digiface-64";
    succeed(&["generate", "--model", model, "--seed", "3-8", "-o", &drawn]);
    let with = |metric: &str, b: &str, more: &[&str]| {
        let seed = if more.contains(&"--seed") { &[][..] } else { &["--seed", "3"] };
        json(&[&[metric, &a, b, "--count", "6"], seed, more].concat())
    };
    let said = with("kid", model, &[]);
    let b = &said["b"];
    assert_eq!((&b["generator"], &b["pictures"]), (&model.into(), &6.into()));
    assert_eq!((&b["first_seed"], &b["psi"]), (&3.into(), &1.0.into()));
    // The pictures of those seeds, as they are written.
    assert_eq!(said["value"], with("kid", &drawn, &[])["value"]);
    // Other seeds, the mean alone, and the file itself.
    assert!(with("pr", model, &[])["precision"].is_number());
    assert_ne!(said["value"], with("kid", model, &["--psi", "0"])["value"]);
    assert_ne!(said["value"], with("kid", model, &["--seed", "9"])["value"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model);
    let weights = file.join("weights.safetensors").to_string_lossy().into_owned();
    assert_eq!(with("kid", &weights, &[])["value"], said["value"]);
    assert!(complaint(&["fid", &a, model, "--psi", "2"]).contains("--psi"));
    assert!(complaint(&["fid", &a, "ffdnet-color"]).contains("draws no pictures"));
}

#[test]
fn a_generator_has_a_path_length() {
    let walk = |more: &[&str]| json(&[&["ppl", "portrait-64", "--count", "3"], more].concat());
    let said = walk(&[]);
    assert_eq!(said["metric"], "substitute-PPL");
    let value = said["value"].as_f64().unwrap();
    assert!(value > 0.0 && value.is_finite());
    assert_eq!(walk(&[])["value"], said["value"]);
    assert_ne!(walk(&["--space", "z", "--sampling", "full"])["value"], said["value"]);
}

#[test]
fn bad_sides_are_named_with_the_cause() {
    let folder = Folder::new();
    let a = photo("astronaut-256.png");
    let empty = folder.file("empty");
    std::fs::create_dir(&empty).unwrap();
    let text = folder.write("text.png", b"not a picture");
    let small = folder.file("small.png");
    write(&open(&a).pixels.crop(IRect::new(0, 0, 50, 40)), &small);
    let missing = folder.file("missing");
    let one = folder.file("one");
    std::fs::create_dir(&one).unwrap();
    std::fs::copy(&a, format!("{one}/a.png")).unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["psnr", &a], &["PSNR", "second"]),
        (&["is", &a, &a], &["Inception Score", "one side"]),
        (&["psnr", &a, &text], &["text.png"]),
        (&["psnr", &a, &missing], &["missing", "No such file"]),
        (&["psnr", &a, &small], &["small.png", "256", "50"]),
        (&["ms-ssim", &small, &small], &["small.png", "161"]),
        (&["psnr", &a, &empty], &["empty", "not both"]),
        (&["fid", &empty, &one], &["empty", "no pictures"]),
        (&["fid", &one, &one], &["one", "too few"]),
        (&["is", &one], &["Inception Score", "import"]),
        (&["fid", &one, &one, "--model", "ffdnet-color"], &["ffdnet-color", "FFDNet"]),
        (&["fid", &one, &one, "--model", "nothing"], &["nothing"]),
        (&["ppl", "ffdnet-color"], &["ffdnet-color", "draws no pictures"]),
    ];
    for (args, words) in cases {
        let sentence = complaint(args);
        assert!(words.iter().all(|word| sentence.contains(word)), "{args:?}: {sentence}");
    }
}
