//! `train` on small folders: a generator to draw with, a run that goes on after it was killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::run::{Folder, ganvas, open, succeed};

/// The words of a small run.
const SMALL: [&str; 12] = [
    "--arch",
    "dcgan",
    "--side",
    "8",
    "--channel-base",
    "64",
    "--channel-max",
    "8",
    "--batch",
    "8",
    "--device",
    "cpu",
];

fn pictures(folder: &Folder, count: u32) -> String {
    let path = folder.file("pictures");
    std::fs::create_dir(&path).unwrap();
    for at in 0..count {
        let picture = image::RgbImage::from_fn(12 + at % 3, 12, |x, y| {
            image::Rgb([(at * 2) as u8, (x * 20) as u8, (y * at % 256) as u8])
        });
        picture.save(Path::new(&path).join(format!("{at}.png"))).unwrap();
    }
    path
}

/// The lines of a log that say `what`.
fn logged(out: &str, what: &str) -> Vec<Json> {
    let log = std::fs::read_to_string(Path::new(out).join("log.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines.filter(|line| line["what"] == what).collect()
}

fn words<'a>(data: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--data", data, "--out", out], more].concat()
}

#[test]
fn a_folder_becomes_a_generator_that_draws() {
    let folder = Folder::new();
    let (data, out) = (pictures(&folder, 105), folder.file("out"));
    std::fs::write(Path::new(&data).join("broken.jpg"), b"no picture").unwrap();
    let more = [&SMALL[..], &["--images", "80", "--sheet-every", "40"]].concat();
    let more = [&more[..], &["--metrics-every", "40", "--metrics-count", "8"]].concat();
    let told = succeed(&words(&data, &out, &more));
    assert!(told.stderr.contains("broken.jpg"), "{}", told.stderr);
    let file = told.stdout.trim().to_owned();
    assert!(file.ends_with("generator.safetensors"));
    let start = &logged(&out, "start")[0];
    assert_eq!((&start["pictures"], &start["refused"]), (&Json::from(105), &Json::from(1)));
    assert_eq!(logged(&out, "end")[0]["images"], 80);
    let measured = logged(&out, "metrics");
    assert_eq!((&measured[0]["images"], &measured[1]["images"]), (&40.into(), &80.into()));
    assert_eq!(
        (&measured[1]["metric"], &measured[1]["drawn"]),
        (&"substitute-FID".into(), &8.into())
    );
    assert!(measured.iter().all(|line| line["fid"].as_f64().unwrap() > 0.0));
    assert!(Path::new(&out).join("best.safetensors").exists());
    assert!(Path::new(&out).join("pictures.cache").exists());
    let sheet = open(Path::new(&out).join("fakes-0000080.png")).pixels;
    assert_eq!((sheet.size().width, sheet.size().height), (64, 32));
    let drawn = folder.file("drawn.png");
    succeed(&["generate", "--model", &file, "--seed", "1-4", "--grid", "2x2", "-o", &drawn]);
    assert_eq!(open(&drawn).pixels.size().width, 16);
    // On from there.
    let more = [&SMALL[..], &["--images", "120", "--resume"]].concat();
    succeed(&words(&data, &out, &more));
    assert_eq!(logged(&out, "start")[1]["images"], 80);
    assert_eq!(logged(&out, "end")[1]["images"], 120);
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let folder = Folder::new();
    let (data, out) = (pictures(&folder, 100), folder.file("out"));
    let state = Path::new(&out).join("state.safetensors");
    let mut running = long_run(&data, &out, "0", || state.exists());
    // SIGKILL on Unix: nothing is tidied up.
    running.kill().unwrap();
    running.wait().unwrap();
    let more = [&SMALL[..], &["--images", "100000", "--minutes", "0.02", "--resume"]].concat();
    succeed(&words(&data, &out, &more));
    let starts = logged(&out, "start");
    let resumed = starts.last().unwrap()["images"].as_u64().unwrap();
    let ended = logged(&out, "end")[0]["images"].as_u64().unwrap();
    assert!(resumed >= 8 && ended > resumed, "{resumed} {ended}");
}

#[test]
fn a_file_called_stop_ends_a_run_with_its_state_written() {
    ends_when_told(|_, out| std::fs::write(Path::new(out).join("stop"), "").unwrap());
}

#[test]
#[cfg(unix)]
fn asked_by_the_system_a_run_ends_with_its_state_written() {
    ends_when_told(|running, _| {
        let pid = running.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    });
}

/// A run that would go on for minutes, saved every so many seconds, once `is_under_way`.
fn long_run(data: &str, out: &str, save_seconds: &str, is_under_way: impl Fn() -> bool) -> Child {
    let more = [&SMALL[..], &["--save-seconds", save_seconds, "--minutes", "5"]].concat();
    let running = Command::new(env!("CARGO_BIN_EXE_ganvas"))
        .args(words(data, out, &more))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !is_under_way() {
        assert!(began.elapsed() < Duration::from_secs(60), "the run came to nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

/// A run that would go on for minutes ends when it is told to, and has written its state.
fn ends_when_told(tell: impl FnOnce(&Child, &str)) {
    let folder = Folder::new();
    let (data, out) = (pictures(&folder, 100), folder.file("out"));
    let log = Path::new(&out).join("log.jsonl");
    let trains = || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"train\""));
    let mut running = long_run(&data, &out, "1000", trains);
    tell(&running, &out);
    assert!(running.wait().unwrap().success());
    let left = |name: &str| Path::new(&out).join(name).exists();
    assert!(!left("stop") && left("state.safetensors"));
    assert!(logged(&out, "end")[0]["images"].as_u64().unwrap() >= 8);
}

#[test]
fn a_generator_learns_on_from_few_pictures() {
    let folder = Folder::new();
    let (data, out) = (pictures(&folder, 100), folder.file("out"));
    let more = ["--from", "portrait-64", "--batch", "2", "--images", "4", "--device", "cpu"];
    let told = succeed(&words(&data, &out, &more));
    let face = folder.file("face.png");
    succeed(&[
        "generate",
        "--model",
        told.stdout.trim(),
        "--seed",
        "3",
        "--psi",
        "0.7",
        "-o",
        &face,
    ]);
    let before = folder.file("before.png");
    succeed(&["generate", "--model", "portrait-64", "--seed", "3", "--psi", "0.7", "-o", &before]);
    let (is, was) = (open(&face).pixels, open(&before).pixels);
    assert_eq!(is.size(), was.size());
    // Two steps with an average that follows slowly: nearly the same face, but not quite.
    let apart: f32 = (0..64 * 64)
        .map(|at| {
            let (a, b) = (is.pixel_f32(at % 64, at / 64), was.pixel_f32(at % 64, at / 64));
            (0..3).map(|channel| (a[channel] - b[channel]).abs()).sum::<f32>() / 3.0
        })
        .sum::<f32>()
        / 4096.0;
    assert!(apart > 0.0 && apart < 0.2, "{apart}");
}

#[test]
fn what_cannot_be_learnt_from_is_named() {
    let folder = Folder::new();
    let (data, out) = (pictures(&folder, 20), folder.file("out"));
    for (more, word) in [
        (vec!["--arch", "dcgan", "--side", "8"], "20 usable pictures"),
        (vec!["--side", "50"], "power of two"),
        (vec!["--loss", "guess"], "no loss"),
        (vec!["--arch", "dcgan", "--path-weight", "2"], "path lengths"),
        (vec!["--ada", "2"], "--ada"),
        (vec!["--from", "dcgan-digiface-64"], "does not learn on"),
    ] {
        let outcome = ganvas(&words(&data, &out, &more));
        assert_eq!(outcome.code, 2, "{more:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(word), "{more:?}: {}", outcome.stderr);
    }
    let outcome = ganvas(&words("/nowhere at all", &out, &[]));
    assert!(outcome.code == 2 && outcome.stderr.contains("nowhere"), "{}", outcome.stderr);
}
