//! `ganvas edit` on real files.

use ganvas::geom::Size;
use ganvas::io::exif_summary;
use ganvas::pixels::{Depth, PixelBuf};

use super::run::{Folder, open, photo, succeed};

#[test]
fn operations_run_in_order_after_the_recipe() {
    let folder = Folder::new();
    let recipe = folder.write(
        "recipe.json",
        r#"{"version": 1, "steps": [
            {"op": "crop", "params": {"x": 10, "y": 20, "width": 100, "height": 60}}]}"#,
    );
    let out = folder.file("out.png");
    let turn = "rotate90 turns=1";
    succeed(&[
        "edit",
        &photo("chelsea.png"),
        "-o",
        &out,
        "--op",
        turn,
        "--recipe",
        &recipe,
        "--op",
        "resize width=30 height=50 filter=nearest",
    ]);
    assert_eq!(open(&out).pixels.size(), Size::new(30, 50));

    // Exact moves: the same bytes as cropping and turning by hand.
    succeed(&["edit", &photo("chelsea.png"), "-o", &out, "--recipe", &recipe, "--op", turn]);
    let (source, turned) = (open(photo("chelsea.png")).pixels, open(&out).pixels);
    assert_eq!(turned.size(), Size::new(60, 100));
    for (x, y) in [(0, 0), (59, 0), (59, 99), (17, 42)] {
        assert_eq!(turned.pixel_f32(x, y), source.pixel_f32(10 + y, 20 + 59 - x));
    }
}

#[test]
fn sixteen_bits_survive_bit_by_bit() {
    let folder = Folder::new();
    let out = folder.file("out.png");
    for name in ["rgb16.png", "gray16.png"] {
        succeed(&[
            "edit",
            &photo(name),
            "-o",
            &out,
            "--op",
            "flip axis=horizontal",
            "--op",
            "rotate90 turns=2",
            "--op",
            "flip axis=vertical",
        ]);
        assert!(open(&out).pixels == open(photo(name)).pixels, "{name}");
    }
    let tiff = folder.file("out.tif");
    succeed(&["edit", &photo("rgb16.png"), "-o", &tiff]);
    assert!(open(&tiff).pixels == open(photo("rgb16.png")).pixels);
    succeed(&["edit", &photo("rgb16.png"), "-o", &out, "--depth", "8"]);
    let shallow = open(&out).pixels;
    assert_eq!(shallow.depth(), Depth::U8);
    assert!(shallow == open(photo("rgb16.png")).pixels.to_depth(Depth::U8));
}

#[test]
fn white_acts_and_black_protects() {
    let folder = Folder::new();
    let source = open(photo("chelsea.png")).pixels;
    let size = source.size();
    // The right half white, as a colour file.
    let mut mask = PixelBuf::filled(size, 4, Depth::U8, [0, 0, 0, 255]);
    for y in 0..size.height {
        for x in size.width / 2..size.width {
            mask.set_pixel_f32(x, y, [1.0; 4]);
        }
    }
    let mask_file = folder.file("mask.png");
    let options = ganvas::io::SaveOptions::new(ganvas::io::Format::Png);
    let (srgb, none) = Default::default();
    ganvas::io::save(mask_file.as_ref(), &mask, &srgb, &none, &options).unwrap();
    let out = folder.file("out.png");
    let input = photo("chelsea.png");
    succeed(&["edit", &input, "-o", &out, "--op", "invert", "--mask", &mask_file]);
    let edited = open(&out).pixels;
    for y in (0..size.height).step_by(7) {
        for x in 0..size.width {
            let (from, to) = (source.pixel_f32(x, y), edited.pixel_f32(x, y));
            let acted = x >= size.width / 2;
            let expected = if acted { 1.0 - from[0] } else { from[0] };
            assert!((to[0] - expected).abs() < 1e-6, "{x},{y}: {from:?} became {to:?}");
        }
    }
}

#[test]
fn profile_and_facts_survive_an_edit() {
    let folder = Folder::new();
    for extension in ["png", "jpg", "webp", "tif"] {
        let out = folder.file(&format!("out.{extension}"));
        let input = photo("icc-display-p3.png");
        succeed(&["edit", &input, "-o", &out, "--op", "exposure ev=0.3"]);
        assert_eq!(open(&out).profile.icc, open(&input).profile.icc, "{extension}");

        let camera = photo("exif-orientation6-gps.jpg");
        let fields = |policy: &str| {
            succeed(&["edit", &camera, "-o", &out, "--op", "invert", "--metadata", policy]);
            let picture = open(&out);
            assert_eq!(picture.pixels.size(), Size::new(480, 320));
            let exif = picture.metadata.exif;
            exif.map(|exif| exif_summary(&exif, 99)).unwrap_or_default()
        };
        let count = |policy: &str, name: &str| {
            fields(policy).iter().filter(|(have, _)| have.starts_with(name)).count()
        };
        assert!(count("keep", "GPS") >= 5, "{extension}");
        assert_eq!(count("no-gps", "GPS"), 0, "{extension}");
        assert_eq!(count("no-gps", "Make"), 1, "{extension}");
        assert_eq!(count("none", ""), 0, "{extension}");
    }
}

#[test]
fn an_unedited_lossless_copy_has_the_same_pixels() {
    let folder = Folder::new();
    for name in ["rgba.png", "gray-alpha.png", "palette.png", "tiff-lzw.tif", "icc-adobe-rgb.png"] {
        for extension in ["png", "tif", "webp"] {
            let out = folder.file(&format!("copy.{extension}"));
            succeed(&["edit", &photo(name), "-o", &out]);
            let (copy, original) = (open(&out), open(photo(name)));
            assert!(copy.pixels == original.pixels, "{name} as {extension}");
            assert_eq!(copy.profile.icc, original.profile.icc, "{name} as {extension}");
        }
    }
}

#[test]
fn the_summary_is_json_and_notices_go_to_stderr() {
    let folder = Folder::new();
    let out = folder.file("out.jpg");
    let outcome = succeed(&["edit", &photo("rgba.png"), "-o", &out, "--op", "invert", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(json["width"], 225);
    assert_eq!(json["depth"], 8);
    assert_eq!(json["steps"][0]["op"], "invert");
    assert!(outcome.stderr.contains("laid on white"), "{}", outcome.stderr);
    assert_eq!(folder.names(), ["out.jpg"]);
}
