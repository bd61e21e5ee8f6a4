//! `latent drag`, `remove` by a generator and `invert --pivotal`, with the small face generator.

use std::fs;

use serde_json::Value as Json;

use crate::run::{Folder, ganvas, open, succeed};

const MODEL: &str = "portrait-64";

fn json(words: &[&str]) -> Json {
    serde_json::from_str(&succeed(words).stdout).unwrap()
}

fn photo() -> String {
    format!("{}/tests/fixtures/faces/astronaut.jpg", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn points_of_a_code_are_dragged() {
    let folder = Folder::new();
    let [face, code, out, moved, drawn] =
        ["face.png", "code.safetensors", "out.png", "moved.safetensors", "drawn.png"]
            .map(|name| folder.file(name));
    succeed(&["generate", "--model", MODEL, "--seed", "3", "--psi", "0.7", "-o", &face]);
    succeed(&["invert", &face, "--model", MODEL, "-o", &code, "--steps", "30"]);
    let words = ["latent", "drag", &code, "--points", "32,48>38,48", "-o", &out];
    let told = json(&[&words[..], &["--steps", "20", "--code", &moved, "--json"]].concat());
    assert!(told["distance_px"].as_f64().unwrap() < 5.0, "{told}");
    assert_eq!(told["handles"].as_array().unwrap().len(), 1);
    // The code that was written draws the picture that was written.
    succeed(&["latent", "render", &moved, "-o", &drawn]);
    assert_eq!(open(&drawn).pixels, open(&out).pixels);
    let told = ganvas(&["latent", "drag", &code, "--points", "32,48", "-o", &out]);
    assert!(told.code == 2 && told.stderr.contains("X,Y>X,Y"), "{}", told.stderr);
    let told = ganvas(&["latent", "drag", &code, "--points", "80,48>3,3", "-o", &out]);
    assert!(told.code == 2 && told.stderr.contains("80,48 lies outside"), "{}", told.stderr);
}

#[test]
fn a_generator_continues_a_face_and_leaves_the_rest() {
    let folder = Folder::new();
    let (mask_file, out) = (folder.file("mask.png"), folder.file("out.png"));
    let before = open(photo()).pixels;
    let size = before.size();
    let mut mask = image::GrayImage::new(size.width, size.height);
    // In the middle of the face.
    let faces = json(&["faces", &photo(), "--json"]);
    let bounds = &faces[0]["bounds"];
    let number = |name: &str| bounds[name].as_f64().unwrap() as u32;
    let (x0, y0) = (number("x") + number("width") / 3, number("y") + number("height") / 3);
    let hole = |x: u32, y: u32| {
        (x0..x0 + number("width") / 4).contains(&x) && (y0..y0 + number("height") / 5).contains(&y)
    };
    for (x, y, pixel) in mask.enumerate_pixels_mut() {
        pixel.0 = [if hole(x, y) { 255 } else { 0 }];
    }
    mask.save(&mask_file).unwrap();
    let words = ["remove", &photo(), "--mask", &mask_file, "--engine", MODEL, "-o", &out];
    let more = ["--grow", "0", "--feather", "0", "--steps", "30"];
    succeed(&[&words[..], &more].concat());
    let after = open(&out).pixels;
    let (mut changed, mut outside) = (0, 0);
    for (x, y) in (0..size.width).flat_map(|x| (0..size.height).map(move |y| (x, y))) {
        if before.pixel_f32(x, y) != after.pixel_f32(x, y) {
            changed += u32::from(hole(x, y));
            outside += u32::from(!hole(x, y));
        }
    }
    assert!(outside == 0 && changed > 100, "{outside} {changed}");
}

#[test]
fn a_tuned_code_brings_its_generator_along() {
    let folder = Folder::new();
    let [code, edited, set, one, two] =
        ["code.safetensors", "edited.safetensors", "set.safetensors", "one.png", "two.png"]
            .map(|name| folder.file(name));
    let words = ["invert", &photo(), "--model", MODEL, "--steps", "20", "--json", "-o"];
    let plain = json(&[&words[..], &[&code]].concat());
    let tuned = json(&[&words[..], &[&code, "--pivotal", "20"]].concat());
    let db = |told: &Json| told["fidelity_db"].as_f64().unwrap();
    assert!(db(&tuned) > db(&plain) + 1.0, "{plain} {tuned}");
    let names = folder.names();
    assert_eq!(names, ["code.safetensors", "code.tuning.safetensors"]);
    succeed(&["latent", "render", &code, "-o", &one]);
    let find = ["directions", "find", "--model", MODEL, "--method", "sefa", "--count", "1"];
    let listed = succeed(&[&find[..], &["-o", &set]].concat());
    assert!(listed.stdout.contains("1 direction"), "{}", listed.stdout);
    let listed = succeed(&["directions", "list", &set, "--model", MODEL]).stdout;
    let name = listed.split(':').next().unwrap();
    let setting = format!("{name}=0");
    succeed(&["latent", "edit", &code, "--set", &setting, "--directions", &set, "-o", &edited]);
    // An edit by nothing draws the same, with the same weights.
    succeed(&["latent", "render", &edited, "-o", &two]);
    assert_eq!(open(&one).pixels, open(&two).pixels);
    // Without its tuning, or with another, the code is refused.
    let beside = folder.file("edited.tuning.safetensors");
    let mut bytes = fs::read(&beside).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(&beside, bytes).unwrap();
    let told = ganvas(&["latent", "render", &edited, "-o", &two]);
    assert!(told.code == 2 && told.stderr.contains("not the tuning"), "{}", told.stderr);
    fs::remove_file(&beside).unwrap();
    let told = ganvas(&["latent", "render", &edited, "-o", &two]);
    assert!(told.code == 2 && told.stderr.contains("edited.tuning"), "{}", told.stderr);
}
