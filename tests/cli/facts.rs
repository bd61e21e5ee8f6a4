//! `ganvas info` and `ganvas ops`.

use serde_json::Value;

use super::run::{ganvas, photo, succeed};

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&succeed(args).stdout).unwrap()
}

#[test]
fn info_tells_what_a_file_is() {
    let camera = json(&["info", "--json", &photo("exif-orientation6-gps.jpg")]);
    assert_eq!((&camera["width"], &camera["height"]), (&480.into(), &320.into()));
    assert_eq!((&camera["stored_width"], &camera["orientation"]), (&320.into(), &6.into()));
    assert_eq!(camera["exif"]["Make"], "TestCam");
    assert_eq!(camera["format"], "JPEG");
    let wide = json(&["info", "--json", &photo("icc-display-p3.jpg")]);
    assert_eq!(wide["working_profile"], "Display P3");
    let deep = json(&["info", "--json", &photo("gray16.png")]);
    assert_eq!((&deep["depth"], &deep["color"]), (&16.into(), &"gray".into()));
    assert_eq!(deep["profile"], Value::Null);
    let moving = json(&["info", "--json", &photo("animated.gif")]);
    assert_eq!(moving["frames"], 6);
    assert_eq!(moving["notices"].as_array().map(Vec::len), Some(1));

    let text = succeed(&["info", &photo("exif-orientation6-gps.jpg")]).stdout;
    for word in ["480×320", "TestCam", "6 (stored as 320×480)", "8 bits"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn ops_lists_every_operation_with_its_ranges() {
    let listed = json(&["ops", "--json"]);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), ganvas::ops::all().len());
    let find = |name: &str| listed.iter().find(|op| op["name"] == name).unwrap();
    let param = |op: &str, key: &str| {
        let params = find(op)["params"].as_array().unwrap().clone();
        params.into_iter().find(|param| param["key"] == key).unwrap()
    };
    assert_eq!(find("crop")["kind"], "geometry");
    assert_eq!(param("crop", "width")["required"], true);
    assert_eq!(param("hue_saturation", "hue")["min"], -180.0);
    assert_eq!(param("hue_saturation", "hue")["default"], 0.0);
    assert!(param("resize", "filter")["options"].as_array().unwrap().contains(&"lanczos3".into()));
    let text = succeed(&["ops"]).stdout;
    assert!(text.contains("white_balance – ") && text.contains("temperature="));
}

#[test]
fn strange_words_are_refused_with_2() {
    for args in [&["--device", "toaster"][..], &["edit"], &["info"], &["ops", "x"]] {
        assert_eq!(ganvas(args).code, 2, "{args:?}");
    }
    assert_eq!(ganvas(&["--version"]).code, 0);
    assert_eq!(ganvas(&["edit", "--help"]).code, 0);
}

#[test]
fn inspect_tells_licence_checksum_and_memory() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let inspect = |file: &str, more: &[&str]| {
        let file = root.join(file);
        succeed(&[&["models", "inspect", file.to_str().unwrap()], more].concat()).stdout
    };
    let facts =
        |file: &str| -> Value { serde_json::from_str(&inspect(file, &["--json"])).unwrap() };
    // An installed model is known by its checksum: its manifest states the licence.
    let folder = "models/realesr-animevideov3-x4";
    let manifest = std::fs::read_to_string(root.join(folder).join("model.toml")).unwrap();
    let manifest = ganvas::zoo::Manifest::parse(&manifest, "realesr-animevideov3-x4").unwrap();
    let known = facts(&format!("{folder}/weights.safetensors"));
    assert_eq!(
        (&known["sha256"], &known["licence"]),
        (&manifest.sha256.into(), &manifest.licence.into())
    );
    assert_eq!(
        (&known["architecture"], &known["purpose"]),
        (&"SRVGGNetCompact".into(), &"upscale".into())
    );
    let bytes = |key: &str| known["memory"][key].as_u64().unwrap();
    // The transformed weights that the processor holds are larger than the stored ones.
    assert!(bytes("weight_bytes") > 4 * known["parameters"].as_u64().unwrap() * 9 / 10);
    assert!((10 << 20..2 << 30).contains(&bytes("working_bytes")));

    let unknown = "tests/fixtures/checkpoints/tiny-srvgg.pth";
    assert_eq!(facts(unknown)["licence"], "not stated");
    let text = inspect(unknown, &[]);
    for word in
        ["Licence       not stated", "SHA-256       ", "MB of weights", "For           upscale"]
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}
