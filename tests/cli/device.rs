//! `--device`, `doctor` and `bench`: what runs where, whatever this machine has.

use serde_json::Value as Json;

use super::run::{Folder, ganvas, photo, succeed};

fn json(words: &[&str]) -> Json {
    serde_json::from_str(&succeed(words).stdout).unwrap()
}

fn inverted(folder: &Folder, name: &str, device: &[&str]) -> (Vec<u8>, String) {
    let (input, out) = (photo("chelsea.png"), folder.file(name));
    let words = [&["edit", &input, "-o", &out, "--op", "invert"][..], device].concat();
    let stderr = succeed(&words).stderr;
    (std::fs::read(out).unwrap(), stderr)
}

#[test]
fn an_edit_is_the_same_on_every_device() {
    let folder = Folder::new();
    let (auto, _) = inverted(&folder, "auto.png", &[]);
    let (cpu, said) = inverted(&folder, "cpu.png", &["--device", "cpu"]);
    assert!(auto == cpu);
    assert_eq!(said, "");
    let refused = ganvas(&[
        "edit",
        &photo("chelsea.png"),
        "-o",
        &folder.file("no.png"),
        "--op",
        "invert",
        "--device",
        "gpu:99",
    ]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("adapter"), "{}", refused.stderr);
    assert!(!folder.names().contains(&"no.png".to_owned()));
}

#[cfg(feature = "app")]
#[test]
fn the_plan_is_told_and_followed() {
    let doctor = json(&["doctor", "--json"]);
    let adapters = doctor["adapters"].as_array().unwrap();
    let hardware = |at: &Json| adapters[at.as_u64().unwrap() as usize]["hardware"] == true;
    for user in ["operations", "networks"] {
        assert!(doctor[user].is_null() || hardware(&doctor[user]), "{user}: {doctor}");
    }
    let cpu = json(&["doctor", "--json", "--device", "cpu"]);
    assert!(cpu["operations"].is_null() && cpu["networks"].is_null());
    assert_eq!(cpu["window"], doctor["window"]);

    let Some(software) = adapters.iter().position(|adapter| adapter["hardware"] == false) else {
        eprintln!("SKIPPED: this machine has no software adapter to be asked for");
        return;
    };
    // Asked for a rasteriser, the policy stays and says so.
    let folder = Folder::new();
    let device = format!("gpu:{software}");
    let (_, said) = inverted(&folder, "asked.png", &["--device", &device]);
    assert!(said.contains("software driver") && said.contains("processor"), "{said}");
    let out = folder.file("face.png");
    let words = ["generate", "--model", "dcgan-digiface-64", "--seed", "3", "-o", &out];
    let face = succeed(&[&words[..], &["--device", &device]].concat());
    assert!(face.stderr.contains("software driver"), "{}", face.stderr);
    let on_device = std::fs::read(&out).unwrap();
    succeed(&[&words[..], &["--device", "cpu"]].concat());
    assert!(std::fs::read(&out).unwrap() == on_device);
}

#[test]
fn the_bench_measures_what_it_is_asked_for() {
    let words = ["bench", "--json", "--runs", "1", "--megapixels", "0.05", "--device", "cpu"];
    let run = |only: &str| json(&[&words[..], &["--only", only]].concat());
    let report = run("op/invert");
    let entries = report["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{report}");
    assert_eq!((&entries[0]["name"], &entries[0]["device"]), (&"op/invert".into(), &"cpu".into()));
    assert!(entries[0]["median_ms"].as_f64().unwrap() > 0.0);
    if cfg!(target_os = "linux") {
        assert!(report["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    }
    let brush = run("brush/drag");
    assert!(brush["entries"][0]["note"].as_str().unwrap().contains("damage"), "{brush}");
    assert_eq!(ganvas(&[&words[..], &["--only", "nonsense"]].concat()).code, 2);
}

#[cfg(feature = "app")]
#[test]
fn the_bench_shows_documents_on_the_windows_adapter() {
    if json(&["doctor", "--json"])["window"].is_null() {
        eprintln!("SKIPPED: this machine has no graphics adapter");
        return;
    }
    let words = ["bench", "--json", "--runs", "1", "--megapixels", "0.2", "--only", "view/"];
    let report = json(&words);
    let names: Vec<_> =
        report["entries"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["view/open", "view/pan", "view/zoom"]);
    assert!(report["entries"][0]["device"].as_str().unwrap().starts_with("gpu:"), "{report}");
}

#[test]
fn the_bench_runs_one_network() {
    let words = ["bench", "--json", "--runs", "1", "--device", "cpu", "--side", "16", "--network"];
    let report = json(&[&words[..], &["realesr-animevideov3-x4"]].concat());
    assert_eq!(report["input"], serde_json::json!([1, 3, 16, 16]));
    assert_eq!(report["name"], "realesr-animevideov3-x4");
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(ganvas(&[&words[..], &["nothing"]].concat()).code, 2);
}
