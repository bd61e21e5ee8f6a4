//! `invert`, `latent`, `directions`, `portrait`, and `generate` along codes, with the small face
//! generator.

use std::fs;

use serde_json::Value as Json;

use crate::run::{Folder, ganvas, open, succeed};

const MODEL: &str = "portrait-64";

/// The sentence of a refusal.
fn refused(words: &[&str]) -> String {
    let outcome = ganvas(words);
    assert_eq!(outcome.code, 2, "{words:?}: {}", outcome.stderr);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(!outcome.stderr.contains("panicked") && lines.len() <= 3, "{}", outcome.stderr);
    outcome.stderr
}

fn face() -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    format!("{root}/tests/fixtures/faces/astronaut.jpg")
}

#[test]
fn a_generated_face_becomes_a_code_that_draws_it_and_moves() {
    let folder = Folder::new();
    let [face, code, again, set, moved, other] = [
        "face.png",
        "code.safetensors",
        "again.png",
        "set.safetensors",
        "moved.safetensors",
        "other.png",
    ]
    .map(|name| folder.file(name));
    succeed(&["generate", "--model", MODEL, "--seed", "3", "--psi", "0.7", "-o", &face]);
    let words = ["invert", &face, "--model", MODEL, "-o", &code, "--steps", "40", "--json"];
    let told: Json = serde_json::from_str(&succeed(&words).stdout).unwrap();
    assert!(told["fidelity_db"].as_f64().unwrap() > 20.0, "{told}");
    assert_eq!(told["rows"], 10);
    // The code names its model.
    succeed(&["latent", "render", &code, "-o", &again, "--noise", "const"]);
    assert_eq!(open(&again).pixels.size(), open(&face).pixels.size());
    let method =
        ["directions", "find", "--model", MODEL, "--method", "sefa", "--count", "3", "-o", &set];
    assert!(succeed(&method).stdout.contains("3 directions"));
    let listed = succeed(&["directions", "list", &set, "--model", MODEL]).stdout;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let first = listed.lines().next().unwrap().split(':').next().unwrap();
    let setting = format!("{first}=2");
    succeed(&["latent", "edit", &code, "--set", &setting, "--directions", &set, "-o", &moved]);
    succeed(&["latent", "render", &moved, "--model", MODEL, "-o", &other]);
    assert_ne!(open(&other).pixels, open(&again).pixels);
    // Back by as much is the picture that it was, but for rounding.
    let back = folder.file("back.safetensors");
    let setting = format!("{first}=-2");
    succeed(&["latent", "edit", &moved, "--set", &setting, "--directions", &set, "-o", &back]);
    let near = folder.file("near.png");
    succeed(&["latent", "render", &back, "-o", &near]);
    let (near, again) = (open(&near).pixels, open(&again).pixels);
    let differs = |at: usize| near.samples().get(at).abs_diff(again.samples().get(at)) > 1;
    assert!(!(0..near.samples().len()).any(differs));
    // Warm start: few steps more come nearer.
    let words = [
        "invert", &face, "--model", MODEL, "-o", &code, "--start", &code, "--steps", "40", "--json",
    ];
    let more: Json = serde_json::from_str(&succeed(&words).stdout).unwrap();
    assert!(more["fidelity_db"].as_f64() >= told["fidelity_db"].as_f64(), "{more} {told}");
}

/// The words that move a face with a file of directions.
fn portrait([photo, setting, set, out]: [&str; 4]) -> [&str; 10] {
    ["portrait", photo, "--model", MODEL, "--set", setting, "--directions", set, "-o", out]
}

#[test]
fn a_portrait_changes_at_full_resolution_and_only_where_it_may() {
    let folder = Folder::new();
    let (set, out) = (folder.file("set.safetensors"), folder.file("out.png"));
    let method =
        ["directions", "find", "--model", MODEL, "--method", "pca", "--count", "2", "-o", &set];
    succeed(&method);
    let listed = succeed(&["directions", "list", &set, "--model", MODEL, "--json"]).stdout;
    let listed: Json = serde_json::from_str(&listed).unwrap();
    let name = listed[0]["name"].as_str().unwrap();
    let photo = open(face()).pixels;
    // The left half protects.
    let mut mask = image::GrayImage::new(photo.size().width, photo.size().height);
    for (x, _, pixel) in mask.enumerate_pixels_mut() {
        pixel.0 = [if x < 220 { 0 } else { 255 }];
    }
    let mask_file = folder.file("mask.png");
    mask.save(&mask_file).unwrap();
    let setting = format!("{name}=2");
    let face = face();
    let more = ["--mask", &mask_file, "--steps", "30", "--json"];
    let told = succeed(&[&portrait([&face, &setting, &set, &out])[..], &more].concat());
    let told: Json = serde_json::from_str(&told.stdout).unwrap();
    assert!(told["fidelity_db"].as_f64().unwrap() > 10.0, "{told}");
    assert_eq!((&told["faces"], told["set"][name].as_f64()), (&Json::from(1), Some(2.0)));
    let after = open(&out).pixels;
    assert_eq!(after.size(), photo.size());
    let (mut changed, side) = (0, told["crop"]["side_px"].as_f64().unwrap());
    for y in 0..photo.size().height {
        for x in 0..photo.size().width {
            let (was, is) = (photo.pixel_f32(x, y), after.pixel_f32(x, y));
            let far = (f64::from(x) - 225.0).hypot(f64::from(y) - 120.0) > side;
            assert!(was == is || (x >= 220 && !far), "{x} {y}");
            changed += usize::from(was != is);
        }
    }
    assert!(changed > 500, "{changed}");
    // No change asked for, none made.
    let setting = format!("{name}=0");
    let still = folder.file("still.png");
    succeed(&[&portrait([&face, &setting, &set, &still])[..], &["--steps", "5"]].concat());
    assert_eq!(open(&still).pixels, photo);
}

#[test]
fn mixes_and_walks_are_drawn() {
    let folder = Folder::new();
    let file = |name: &str| folder.file(name);
    let draw = |extra: &[&str], out: &str| {
        let words = [&["generate", "--model", MODEL, "-o", out][..], extra].concat();
        succeed(&words);
        open(out).pixels
    };
    let base = draw(&["--seed", "3"], &file("3.png"));
    let style = draw(&["--seed", "7"], &file("7.png"));
    assert_eq!(draw(&["--mix", "3,7:all"], &file("all.png")), style);
    let mixed = draw(&["--mix", "3,7"], &file("mixed.png"));
    assert!(mixed != base && mixed != style);
    let sheet = draw(&["--seed", "3", "--walk", "6", "--grid", "3x2"], &file("walk.png"));
    assert_eq!(sheet.size().width, 192);
    let tile = |at: i32| {
        let (x, y) = (at % 3 * 64, at / 3 * 64);
        sheet.crop(ganvas::geom::IRect::new(x, y, x + 64, y + 64))
    };
    assert!((1..6).all(|at| tile(at) != tile(at - 1)));
    let frames = folder.file("frames");
    fs::create_dir(&frames).unwrap();
    succeed(&["generate", "--model", MODEL, "--seed", "3", "--walk", "3", "-o", &frames]);
    assert_eq!(fs::read_dir(&frames).unwrap().count(), 3);
    for (words, want) in [
        (&["--mix", "3"][..], "no mix"),
        (&["--mix", "3,7:20-30"], "0-9"),
        (&["--mix", "3,7:4-2"], "range of rows"),
        (&["--seed", "1-4", "--walk", "6"], "one seed"),
        (&["--seed", "1", "--walk", "9", "--grid", "2x2"], "do not fit"),
        (&["--seed", "1", "--walk", "1"], "--walk"),
        (&[], "--seed"),
    ] {
        let told = ganvas(&[&["generate", "--model", MODEL][..], words].concat());
        assert!(told.code == 2 && told.stderr.contains(want), "{words:?}: {}", told.stderr);
    }
}

#[test]
fn directions_of_others_are_measured_and_taken_over() {
    let folder = Folder::new();
    let (file, set) = (folder.file("mine.npy"), folder.file("set.safetensors"));
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 256), }\n";
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend((0..512).flat_map(|v| ((v % 7) as f32 - 3.0).to_le_bytes()));
    fs::write(&file, bytes).unwrap();
    succeed(&["directions", "import", &file, "--model", MODEL, "-o", &set]);
    let listed = succeed(&["directions", "list", &set, "--model", MODEL, "--json"]).stdout;
    let listed: Json = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[1]["name"], "mine 2");
    assert_eq!((&listed[0]["method"], &listed[0]["sigma"]), (&"import".into(), &true.into()));
}

#[test]
fn what_cannot_be_done_is_said_in_one_sentence() {
    let folder = Folder::new();
    let (out, picture) = (folder.file("out.safetensors"), folder.file("out.png"));
    let junk = folder.write("junk.safetensors", b"no code at all");
    let photo = crate::run::photo("coffee.png");
    let face = face();
    let cases: [(&[&str], &str); 11] = [
        (&["invert", &photo, "--model", "nobody", "-o", &out], "no model 'nobody'"),
        (&["invert", &photo, "--model", "ffdnet-color", "-o", &out], "ffdnet-color is a"),
        (&["invert", &photo, "--model", MODEL, "-o", "code.png"], ".safetensors"),
        (&["invert", &photo, "--model", MODEL, "-o", &out, "--steps", "0"], "1 to"),
        (&["invert", &photo, "--model", MODEL, "-o", &out, "--editability", "2"], "0 to 1"),
        (&["invert", &photo, "--model", MODEL, "-o", &out, "--start", &junk], "no latent code"),
        (&["latent", "render", &junk, "-o", &picture], "no latent code"),
        (&["latent", "edit", &junk, "--set", "a=1", "-o", &out], "no latent code"),
        (&["portrait", &face, "--model", MODEL, "--set", "smile", "-o", &picture], "NAME=STRENGTH"),
        (
            &["portrait", &face, "--model", MODEL, "--set", "beard=1", "-o", &picture],
            "no direction 'beard' among",
        ),
        (&["directions", "list", &junk, "--model", MODEL], "junk.safetensors"),
    ];
    for (words, want) in cases {
        let told = refused(words);
        assert!(told.contains(want), "{words:?}: {told}");
    }
    assert!(folder.names() == ["junk.safetensors"]);
    let set = folder.file("set.safetensors");
    succeed(&[
        "directions",
        "find",
        "--model",
        MODEL,
        "--method",
        "sefa",
        "--count",
        "2",
        "-o",
        &set,
    ]);
    let told =
        refused(&["portrait", &face, "--set", "smile=1", "--directions", &set, "-o", &picture]);
    assert!(told.contains("no direction 'smile' among"), "{told}");
    // A photo without a face.
    let told = refused(&portrait([&photo, "SeFa 1=1", &set, &picture]));
    assert!(told.contains("no face"), "{told}");
}

#[test]
fn classes_have_numbers_and_those_of_imagenet_names() {
    let folder = Folder::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let model = format!("{root}/tests/fixtures/checkpoints/tiny-biggan-deep.safetensors");
    let out = folder.file("out.png");
    let words = ["generate", "--model", &model, "--seed", "7", "-o", &out];
    let draw = |extra: &[&str]| {
        succeed(&[&words[..], extra].concat());
        open(&out).pixels
    };
    let one = draw(&["--class", "1"]);
    // Seed 7 of 3 classes chooses class 1.
    assert_eq!(one, draw(&[]));
    assert_ne!(one, draw(&["--class", "2"]));
    let near = draw(&["--class", "1", "--psi", "0.4"]);
    assert_ne!(one, near);
    // Truncation takes away the variety, not the class.
    assert_ne!(draw(&["--class", "1", "--psi", "0"]), draw(&["--class", "2", "--psi", "0"]));
    for (class, code, want) in [
        ("3", 1, "there are 3 classes"),
        ("tabby", 2, "none of them has a name"),
        ("xyz", 2, "no class of ImageNet"),
    ] {
        let told = ganvas(&[&words[..], &["--class", class]].concat());
        assert!(told.code == code && told.stderr.contains(want), "{class}: {}", told.stderr);
    }
}
