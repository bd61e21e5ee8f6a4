//! `upscale`, `generate` and `models` on small pictures and hostile checkpoints.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/checkpoints").join(name)
}

/// Runs the program with `home` as the place of everything the user owns.
fn ganvas(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ganvas"));
    command.current_dir(home).env("HOME", home).env("XDG_DATA_HOME", home.join("data"));
    command.env("APPDATA", home.join("data")).args(words).output().unwrap()
}

fn done(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Exit code 2 and one sentence, with nothing of a panic in it.
fn refused(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A small piece of a photo; `alpha` fades it out to the right.
fn picture(folder: &Path, alpha: bool) -> PathBuf {
    let photo = image::open(root().join("assets/photos/coffee.png")).unwrap();
    let mut part = photo.crop_imm(300, 150, 32, 24).to_rgba16();
    if alpha {
        for (x, _, pixel) in part.enumerate_pixels_mut() {
            pixel[3] = 65_535 - x as u16 * 2000;
        }
    }
    let path = folder.join("small.png");
    part.save(&path).unwrap();
    path
}

#[test]
fn a_picture_comes_back_four_times_as_large() {
    let home = tempfile::tempdir().unwrap();
    let (input, out) = (picture(home.path(), true), home.path().join("large.png"));
    let model = "realesr-animevideov3-x4";
    let words = ["upscale", text(&input), "-o", text(&out), "--model", model];
    let said = done(&ganvas(home.path(), &words));
    assert!(said.contains(&format!("Model: {model}")) && said.contains("1 tile ·"), "{said}");
    let image::DynamicImage::ImageRgba16(large) = image::open(&out).unwrap() else {
        panic!("not 16 bits with alpha");
    };
    assert_eq!(large.dimensions(), (128, 96));
    // Colour is near the source's, alpha fades as before.
    let small = image::open(&input).unwrap().to_rgba16();
    let mut sum = 0.0;
    for (x, y, pixel) in large.enumerate_pixels() {
        let from = small.get_pixel(x / 4, y / 4);
        sum += (0..3).map(|c| (f64::from(pixel[c]) - f64::from(from[c])).abs()).sum::<f64>();
        assert!(u16::abs_diff(pixel[3], from[3]) < 2200, "{x},{y}");
    }
    let mean = sum / f64::from(128 * 96 * 3) / 65_535.0;
    assert!(mean < 0.05, "{mean}");

    let half = home.path().join("half.jpg");
    let words = ["upscale", text(&input), "-o", text(&half), "--scale", "2.5", "--json"];
    let output = ganvas(home.path(), &words);
    let json: Json = serde_json::from_str(&done(&output)).unwrap();
    assert_eq!((json["width"].as_u64(), json["height"].as_u64()), (Some(80), Some(60)));
    // On a picture as small as this the photo network is affordable anywhere.
    assert_eq!(json["model"], "realesrgan-x4plus-int8");
    assert!(json["estimated_seconds"].as_f64().is_some());
}

#[test]
fn a_users_own_official_checkpoint_is_inspected_imported_and_runs() {
    let home = tempfile::tempdir().unwrap();
    let file = fixture("RealESRGAN_x4plus.pth");
    let output = ganvas(home.path(), &["models", "inspect", text(&file), "--json"]);
    let json: Json = serde_json::from_str(&done(&output)).unwrap();
    assert_eq!((&json["architecture"], &json["scale"]), (&"RRDBNet".into(), &4.into()));
    assert!(json["parameters"].as_u64().unwrap() > 1000);
    assert_eq!(json["missing"].as_array().map(Vec::len), Some(0));

    assert!(
        done(&ganvas(home.path(), &["models", "import", text(&file)]))
            .contains("realesrgan-x4plus")
    );
    let list: Json =
        serde_json::from_str(&done(&ganvas(home.path(), &["models", "--json"]))).unwrap();
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"realesrgan-x4plus") && ids.contains(&"dcgan-digiface-64"), "{ids:?}");
    let again = refused(&ganvas(home.path(), &["models", "import", text(&file)]));
    assert!(again.contains("already installed as 'realesrgan-x4plus'"), "{again}");

    let (input, out) = (picture(home.path(), false), home.path().join("out.png"));
    let words = ["upscale", text(&input), "-o", text(&out), "--model", "realesrgan-x4plus"];
    done(&ganvas(home.path(), &words));
    assert_eq!(image::image_dimensions(&out).unwrap(), (128, 96));
    // Beyond what the network does.
    let words = ["upscale", text(&input), "-o", text(&out), "--model", "realesrgan-x4plus"];
    done(&ganvas(home.path(), &[&words[..], &["--scale", "5"]].concat()));
    assert_eq!(image::image_dimensions(&out).unwrap(), (160, 120));
    let beyond = refused(&ganvas(home.path(), &[&words[..], &["--scale", "9"]].concat()));
    assert!(beyond.contains("--scale must be 1 to 8"), "{beyond}");
}

#[test]
fn models_get_free_ids_and_go_away_again() {
    let home = tempfile::tempdir().unwrap();
    let mut given = Vec::new();
    for (folder, from) in
        [("a", "tiny-srvgg.pth"), ("b", "tiny-x2.safetensors"), ("c", "tiny-cyclegan.pth")]
    {
        let extension = Path::new(from).extension().unwrap().to_str().unwrap();
        let file = home.path().join(folder).join(format!("state_dict.{extension}"));
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::copy(fixture(from), &file).unwrap();
        let output = ganvas(home.path(), &["models", "import", text(&file), "--json"]);
        let json: Json = serde_json::from_str(&done(&output)).unwrap();
        given.push(json["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(given[..2], ["srvggnetcompact-1", "rrdbnet-1"]);
    assert!(given[2].ends_with("-1") && given[2] != "state-dict-1", "{given:?}");
    let file = fixture("tiny-deeplab-mobile.pth");
    let words = ["models", "import", text(&file), "--id", "my.scenes", "--name", "Scenes"];
    let told = [&words[..], &["--licence", "MIT", "--json"]].concat();
    let json: Json = serde_json::from_str(&done(&ganvas(home.path(), &told))).unwrap();
    assert_eq!([&json["id"], &json["name"], &json["licence"]], ["my.scenes", "Scenes", "MIT"]);
    let other = fixture("tiny-deeplab-resnet.pth");
    for (id, sentence) in [("my.scenes", "already a model"), ("../x", "is no id")] {
        let words = ["models", "import", text(&other), "--id", id];
        assert!(refused(&ganvas(home.path(), &words)).contains(sentence));
    }
    done(&ganvas(home.path(), &["models", "remove", "my.scenes"]));
    let left = done(&ganvas(home.path(), &["models", "list", "--json"]));
    assert!(!left.contains("my.scenes") && left.contains("rrdbnet-1"));
    for (id, sentence) in [("my.scenes", "no model"), ("zero-dce-neuro", "came with the program")] {
        assert!(refused(&ganvas(home.path(), &["models", "remove", id])).contains(sentence));
    }
}

/// The XMP packet of a file that was written.
fn xmp(file: &Path) -> Option<String> {
    let opened = ganvas::io::open(file, &ganvas::io::Limits::default()).unwrap();
    opened.metadata.xmp.map(|xmp| String::from_utf8(xmp.to_vec()).unwrap())
}

#[test]
fn faces_are_drawn_from_seeds() {
    let home = tempfile::tempdir().unwrap();
    let model = ["generate", "--model", "dcgan-digiface-64", "--seed"];
    let run = |rest: &[&str]| ganvas(home.path(), &[&model[..], rest].concat());
    let output = run(&["7", "-o", "one.png"]);
    done(&output);
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("non-commercial"), "{notes}");
    assert!(xmp(&home.path().join("one.png")).unwrap().contains("/trainedAlgorithmicMedia"));
    done(&run(&["5-8", "--grid", "2x2", "--no-label", "-o", "sheet.png"]));
    assert_eq!(xmp(&home.path().join("sheet.png")), None);
    let one = image::open(home.path().join("one.png")).unwrap().to_rgb8();
    let sheet = image::open(home.path().join("sheet.png")).unwrap().to_rgb8();
    assert_eq!((one.dimensions(), sheet.dimensions()), ((64, 64), (128, 128)));
    assert!(one.enumerate_pixels().all(|(x, y, p)| sheet.get_pixel(x, y + 64) == p));
    fs::create_dir(home.path().join("faces")).unwrap();
    let files = done(&run(&["1-3", "--psi", "0.7", "-o", "faces"]));
    assert_eq!(
        (files.lines().count(), fs::read_dir(home.path().join("faces")).unwrap().count()),
        (3, 3)
    );
    for bad in [
        &["x"][..],
        &["9-3"],
        &["1", "--psi", "2"],
        &["1", "--grid", "0x4"],
        &["1-9", "--grid", "2x2"],
        &["1-3", "-o", "no-such-folder"],
        &["1", "-o", "face.txt"],
    ] {
        refused(&run(bad));
    }
}

#[test]
fn what_cannot_be_used_is_one_sentence() {
    let home = tempfile::tempdir().unwrap();
    let input = picture(home.path(), false);
    let out = home.path().join("out.png");
    let damaged = home.path().join("damaged.pth");
    let whole = fs::read(fixture("RealESRGAN_x4plus.pth")).unwrap();
    fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    let base = ["upscale", text(&input), "-o", text(&out)];
    for (rest, words) in [
        (["--model", "no-such-model"], "no model 'no-such-model'"),
        (["--model", text(&damaged)], "checkpoint is damaged"),
        (["--model", text(&input)], "not a checkpoint"),
        (["--model", "dcgan-digiface-64"], "enlarges no pictures"),
        (["--scale", "9"], "1 to 8"),
        (["--tile", "1"], "32"),
        (["--device", "toaster"], "toaster"),
    ] {
        let errors = refused(&ganvas(home.path(), &[&base[..], &rest[..]].concat()));
        assert!(errors.contains(words), "{rest:?}: {errors}");
        assert!(!out.exists());
    }
    for action in ["inspect", "import"] {
        let errors = refused(&ganvas(home.path(), &["models", action, text(&damaged)]));
        assert!(errors.contains("damaged.pth") && errors.lines().count() == 1, "{errors}");
    }
    // A sound file that is no network we know is described, not refused.
    let other = home.path().join("other.safetensors");
    let header =
        br#"{"conv_first.weight":{"dtype":"F32","shape":[1,3,1,1],"data_offsets":[0,12]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 12]].concat();
    fs::write(&other, bytes).unwrap();
    let output = ganvas(home.path(), &["models", "inspect", text(&other), "--json"]);
    let json: Json = serde_json::from_str(&done(&output)).unwrap();
    assert!(json["architecture"].is_null() && json["nearest"] == "RRDBNet");
    assert!(!json["missing"].as_array().unwrap().is_empty());
    // Where nothing fits nothing is missing.
    let header = br#"{"something.else":{"dtype":"F32","shape":[1,3,1,1],"data_offsets":[0,12]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 12]].concat();
    fs::write(&other, bytes).unwrap();
    let said = done(&ganvas(home.path(), &["models", "inspect", text(&other)]));
    assert!(said.contains("fits none of") && !said.contains("Missing"), "{said}");
}
