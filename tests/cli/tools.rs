//! `remove`, `denoise`, `light` and `stylize` on small pieces of real photos.

use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Exit code and everything said.
fn ganvas(home: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = run(home, words);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    (output.status.code(), said)
}

fn run(home: &Path, words: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ganvas"));
    command.current_dir(home).env("HOME", home).env("XDG_DATA_HOME", home.join("data"));
    command.args(words).output().unwrap()
}

/// A piece of the sample photo as `small.png`, of 16 bits.
fn piece(folder: &Path, change: impl Fn(u32, u32, [u16; 3]) -> [u16; 3]) -> image::Rgb<u16> {
    let photo = image::open(root().join("assets/photos/coffee.png")).unwrap();
    let mut part = photo.crop_imm(300, 150, 64, 48).to_rgb16();
    for (x, y, pixel) in part.enumerate_pixels_mut() {
        pixel.0 = change(x, y, pixel.0);
    }
    part.save(folder.join("small.png")).unwrap();
    *part.get_pixel(0, 0)
}

fn opened(path: &Path) -> image::ImageBuffer<image::Rgb<u16>, Vec<u16>> {
    let picture = image::open(path).unwrap();
    assert_eq!(picture.color(), image::ColorType::Rgb16, "16 bits stay 16 bits");
    picture.to_rgb16()
}

fn save_mask(path: &Path, white: impl Fn(u32, u32) -> bool) {
    let of = |x, y| image::Luma([if white(x, y) { 255u8 } else { 0 }]);
    image::GrayImage::from_fn(64, 48, of).save(path).unwrap();
}

#[test]
fn removing_leaves_everything_else_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    // A white spot on the photo.
    let spot = |x: u32, y: u32| (28..36).contains(&x) && (20..28).contains(&y);
    piece(home.path(), |x, y, rgb| if spot(x, y) { [65_535; 3] } else { rgb });
    save_mask(&home.path().join("mask.png"), spot);
    let words = ["remove", "small.png", "--mask", "mask.png", "-o", "out.png"];
    let (code, said) = ganvas(home.path(), &[&words[..], &["--engine", "patchmatch"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let (before, after) =
        (opened(&home.path().join("small.png")), opened(&home.path().join("out.png")));
    for (x, y, pixel) in after.enumerate_pixels() {
        let near = (22..42).contains(&x) && (14..34).contains(&y);
        assert!(near || pixel == before.get_pixel(x, y), "{x} {y} changed");
        assert!(!spot(x, y) || pixel.0 != [65_535; 3], "{x} {y} is still white");
    }
    save_mask(&home.path().join("all.png"), |_, _| true);
    let words = ["remove", "small.png", "--mask", "all.png", "-o", "none.png"];
    let (code, said) = ganvas(home.path(), &[&words[..], &["--engine", "patchmatch"]].concat());
    assert!(code != Some(0) && said.contains("nothing is left"), "{said}");
    assert!(!home.path().join("none.png").exists());
}

#[test]
fn noise_is_taken_out() {
    let home = tempfile::tempdir().unwrap();
    // Uniform noise of standard deviation 18: SplitMix64's last step on the place.
    let noise = |x: u32, y: u32, channel: u64| {
        let mut z =
            (u64::from(x) << 32 | u64::from(y) << 2 | channel).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z >> 40) % 63) as i32 * 257 - 31 * 257
    };
    piece(home.path(), |_, _, rgb| rgb);
    let clean = opened(&home.path().join("small.png"));
    piece(home.path(), |x, y, rgb| {
        [0, 1, 2].map(|c| (i32::from(rgb[c]) + noise(x, y, c as u64)).clamp(0, 65_535) as u16)
    });
    let noisy = opened(&home.path().join("small.png"));
    let words = ["denoise", "small.png", "-o", "out.png", "--sigma", "18"];
    let (code, said) = ganvas(home.path(), &words);
    assert_eq!(code, Some(0), "{said}");
    let error = |picture: &image::ImageBuffer<image::Rgb<u16>, Vec<u16>>| -> f64 {
        let pairs = picture.as_raw().iter().zip(clean.as_raw());
        pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
    };
    let out = opened(&home.path().join("out.png"));
    assert!(error(&out) < 0.4 * error(&noisy), "{} of {}", error(&out), error(&noisy));
    let (code, said) =
        ganvas(home.path(), &["denoise", "small.png", "-o", "x.png", "--sigma", "80"]);
    assert!(code == Some(2) && said.contains("0 to 75"), "{said}");
}

#[test]
fn a_dark_picture_is_lit() {
    let home = tempfile::tempdir().unwrap();
    piece(home.path(), |_, _, rgb| rgb.map(|value| value / 6));
    let (code, said) = ganvas(home.path(), &["light", "small.png", "-o", "out.png"]);
    assert_eq!(code, Some(0), "{said}");
    let mean = |picture: &image::ImageBuffer<image::Rgb<u16>, Vec<u16>>| {
        picture.as_raw().iter().map(|v| f64::from(*v)).sum::<f64>() / picture.as_raw().len() as f64
    };
    let (before, after) =
        (opened(&home.path().join("small.png")), opened(&home.path().join("out.png")));
    assert!(mean(&after) > 2.0 * mean(&before), "{} of {}", mean(&after), mean(&before));
}

#[test]
fn styles_are_blended_and_taken_from_pictures() {
    let home = tempfile::tempdir().unwrap();
    piece(home.path(), |_, _, rgb| rgb);
    let style = root().join("assets/photos/chelsea.png");
    let mut seen = Vec::new();
    for words in [
        vec!["--style", "3"],
        vec!["--style", "3:0.5,12:0.5"],
        vec!["--style-image", style.to_str().unwrap(), "--model", "arbitrary-style-transform"],
    ] {
        let all = [&["stylize", "small.png", "-o", "out.png"][..], &words].concat();
        let (code, said) = ganvas(home.path(), &all);
        assert_eq!(code, Some(0), "{words:?}: {said}");
        let out = opened(&home.path().join("out.png"));
        assert_eq!(out.dimensions(), (64, 48));
        assert!(!seen.contains(&out), "{words:?} made the same picture again");
        seen.push(out);
    }
    let (code, said) =
        ganvas(home.path(), &["stylize", "small.png", "-o", "x.png", "--style", "26"]);
    assert!(code == Some(2) && said.contains("no style 26"), "{said}");
    for (words, sentence) in [
        (&["--style", "0:0"][..], "all zero"),
        (&["--style", "3", "--method", "gatys"], "--style-image"),
        (&["--style", "3", "--amount", "0.5"], "--amount"),
        (&["--style-image", style.to_str().unwrap(), "--keep-colors"], "--keep-colors"),
    ] {
        let all = [&["stylize", "small.png", "-o", "x.png"][..], words].concat();
        let (code, said) = ganvas(home.path(), &all);
        assert!(code == Some(2) && said.contains(sentence), "{words:?}: {said}");
    }
    let (code, said) = ganvas(home.path(), &["stylize", "small.png", "-o", "x.png"]);
    assert!(code == Some(2) && said.contains("--style"), "{said}");
    assert!(!home.path().join("x.png").exists());
}

#[test]
fn a_model_of_another_purpose_is_bad_input() {
    let home = tempfile::tempdir().unwrap();
    piece(home.path(), |_, _, rgb| rgb);
    let words = ["light", "small.png", "-o", "x.png", "--model", "realesr-animevideov3-x4"];
    let (code, said) = ganvas(home.path(), &words);
    assert!(code == Some(2) && said.contains("lights no dark pictures"), "{said}");
}

/// The committed picture of a person.
fn astronaut() -> String {
    root().join("tests/fixtures/faces/astronaut.jpg").to_string_lossy().into_owned()
}

#[test]
fn a_face_is_found_with_its_points_and_what_it_shows() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["faces", &astronaut(), "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let faces: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let faces = faces.as_array().unwrap();
    assert_eq!(faces.len(), 1);
    assert!(faces[0]["score"].as_f64().unwrap() > 0.8);
    assert_eq!(faces[0]["landmarks"].as_array().unwrap().len(), 468);
    assert!(faces[0]["expression"]["happy"].as_f64().unwrap() > 0.9);
    let (code, said) = ganvas(home.path(), &["faces", "no-such-file.png"]);
    assert!(code == Some(2) && said.contains("no-such-file.png"), "{said}");
}

#[test]
fn the_subject_and_the_face_become_masks() {
    let home = tempfile::tempdir().unwrap();
    let mut shares = Vec::new();
    for what in ["subject", "face"] {
        let words = ["segment", &astronaut(), "-o", "mask.png", "--what", what];
        let (code, said) = ganvas(home.path(), &words);
        assert_eq!(code, Some(0), "{said}");
        let mask = image::open(home.path().join("mask.png")).unwrap().to_luma8();
        let white = mask.pixels().filter(|pixel| pixel[0] > 127).count();
        shares.push(white as f64 / f64::from(mask.width() * mask.height()));
    }
    // The person fills more than a third of the picture, her face a few percent of it.
    assert!((0.3..0.8).contains(&shares[0]), "{shares:?}");
    assert!((0.01..0.1).contains(&shares[1]), "{shares:?}");
    let words = ["segment", &astronaut(), "-o", "x.png", "--what", "unicorn"];
    let (code, said) = ganvas(home.path(), &words);
    assert!(code == Some(2) && said.contains("unicorn"), "{said}");
    assert!(said.contains("person (mediapipe-selfie-segmentation)"), "{said}");
}

#[test]
fn classes_are_looked_for_in_every_installed_model() {
    let home = tempfile::tempdir().unwrap();
    let deeplab = root().join("tests/fixtures/checkpoints/tiny-deeplab-mobile.pth");
    let words = ["models", "import", deeplab.to_str().unwrap(), "--id", "zoo-deeplab"];
    let (code, said) = ganvas(home.path(), &words);
    assert_eq!(code, Some(0), "{said}");
    piece(home.path(), |_, _, rgb| rgb);
    // What only it knows; a person is known to the shipped one as well, which comes first.
    for (what, model) in
        [("2", "zoo-deeplab"), ("dog", "zoo-deeplab"), ("person", "mediapipe-selfie-segmentation")]
    {
        let words = ["segment", "small.png", "-o", "mask.png", "--what", what, "--json"];
        let output = run(home.path(), &words);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&format!("\"{model}\"")), "{what}: {said}");
    }
    let words = ["segment", "small.png", "-o", "mask.png", "--what", "unicorn"];
    let (code, said) = ganvas(home.path(), &words);
    assert!(code == Some(2) && said.contains("television (zoo-deeplab)"), "{said}");
}

#[test]
fn a_mask_is_one_channel_and_says_nothing_of_the_photo() {
    let home = tempfile::tempdir().unwrap();
    let photo = root().join("tests/fixtures/photos/exif-orientation6-gps.jpg");
    let wide = root().join("tests/fixtures/photos/icc-display-p3.png");
    for (from, what) in [(&photo, "subject"), (&photo, "scratches"), (&wide, "scratches")] {
        let words = ["segment", from.to_str().unwrap(), "-o", "mask.png", "--what", what];
        let (code, said) = ganvas(home.path(), &words);
        assert_eq!(code, Some(0), "{said}");
        let mask = home.path().join("mask.png");
        assert_eq!(image::open(&mask).unwrap().color(), image::ColorType::L8);
        let opened = ganvas::io::open(&mask, &ganvas::io::Limits::default()).unwrap();
        assert!(opened.metadata.exif.is_none() && opened.metadata.xmp.is_none(), "{what}");
        assert!(opened.profile.is_srgb() && opened.source.profile.is_none(), "{what}");
    }
    // Where there is no face there is no mask.
    piece(home.path(), |_, _, rgb| rgb);
    let words = ["segment", "small.png", "-o", "none.png", "--what", "face"];
    let (code, said) = ganvas(home.path(), &words);
    assert!(code == Some(2) && said.contains("no face was found"), "{said}");
    assert!(!home.path().join("none.png").exists());
}

#[test]
fn masks_and_faces_of_several_pictures() {
    let home = tempfile::tempdir().unwrap();
    piece(home.path(), |_, _, rgb| rgb);
    let at = |name: &str| home.path().join(name);
    for number in [3, 7] {
        std::fs::copy(at("small.png"), at(&format!("f_{number:02}.png"))).unwrap();
    }
    std::fs::copy(astronaut(), at("f_05.png")).unwrap();
    let (code, said) = ganvas(home.path(), &["faces", "f_##.png", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let output = run(home.path(), &["faces", "f_##.png", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seen: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| (frame["frame"].as_u64().unwrap(), frame["faces"].as_array().unwrap().len()))
        .collect();
    assert_eq!(seen, [(3, 0), (5, 1), (7, 0)]);
    let words = ["segment", "f_##.png", "-o", "m_##.png", "--what", "face"];
    let (code, said) = ganvas(home.path(), &words);
    assert!(code == Some(0) && said.contains("masks stayed black"), "{said}");
    let white = |name: &str| {
        image::open(at(name)).unwrap().to_luma8().pixels().filter(|pixel| pixel[0] > 127).count()
    };
    assert_eq!((white("m_03.png"), white("m_07.png")), (0, 0));
    assert!(white("m_05.png") > 500);
    // A mask for each frame: where it is black the frame stays.
    std::fs::remove_file(at("f_05.png")).unwrap();
    save_mask(&at("hole_1.png"), |x, _| (20..30).contains(&x));
    save_mask(&at("hole_2.png"), |_, _| false);
    let words = [
        "remove",
        "f_##.png",
        "--mask",
        "hole_#.png",
        "-o",
        "out_##.png",
        "--engine",
        "patchmatch",
    ];
    let (code, said) = ganvas(home.path(), &words);
    assert_eq!(code, Some(0), "{said}");
    let small = opened(&at("small.png"));
    assert!(opened(&at("out_03.png")) != small && opened(&at("out_07.png")) == small);
    std::fs::remove_file(at("hole_2.png")).unwrap();
    let (code, said) = ganvas(home.path(), &words);
    assert!(code == Some(2) && said.contains("1 masks for 2 pictures"), "{said}");
}

#[test]
fn expanding_keeps_the_picture_and_its_depth() {
    let home = tempfile::tempdir().unwrap();
    piece(home.path(), |_, _, rgb| rgb);
    let words = ["expand", "small.png", "--left", "9", "--bottom", "4", "-o", "out.png"];
    let (code, said) = ganvas(home.path(), &words);
    assert_eq!(code, Some(0), "{said}");
    let (before, after) =
        (opened(&home.path().join("small.png")), opened(&home.path().join("out.png")));
    assert_eq!(after.dimensions(), (64 + 9, 48 + 4));
    for (x, y, pixel) in before.enumerate_pixels() {
        assert_eq!(pixel, after.get_pixel(x + 9, y), "{x} {y}");
    }
    let (code, said) = ganvas(home.path(), &["expand", "small.png", "-o", "none.png"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--all") && !home.path().join("none.png").exists(), "{said}");
}

#[test]
fn patterns_need_no_model() {
    let home = tempfile::tempdir().unwrap();
    let words = ["pattern", "stripes scale=4", "--size", "32x8", "-o", "out.png"];
    let colors = ["--colors", "ff0000,0000ff"];
    let (code, said) = ganvas(home.path(), &[&words[..], &colors].concat());
    assert_eq!(code, Some(0), "{said}");
    let picture = image::open(home.path().join("out.png")).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (32, 8));
    assert_eq!((picture.get_pixel(1, 1).0, picture.get_pixel(6, 1).0), ([255, 0, 0], [0, 0, 255]));
    for (bad, part) in [
        (["pattern", "swirl", "--size", "8x8", "-o", "no.png"], "there is no pattern 'swirl'"),
        (["pattern", "clouds scale=0", "--size", "8x8", "-o", "no.png"], "scale"),
        (["pattern", "noise", "--size", "8", "-o", "no.png"], "no size"),
    ] {
        let (code, said) = ganvas(home.path(), &bad);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(part), "{said}");
        assert!(!home.path().join("no.png").exists());
    }
}
