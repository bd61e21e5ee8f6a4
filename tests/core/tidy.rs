//! The house rules that a text scan can hold.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|have| have == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        files.extend(files_below(&root().join(folder), "rs"));
    }
    files.push(root().join("build.rs"));
    assert!(files.len() > 40, "the walk found only {} files", files.len());
    files
}

/// The text without `//` comments and without the test module at the end.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    body.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Which top-level modules each may name. No arrow points upwards.
const ARROWS: &[(&str, &[&str])] = &[
    ("geom", &[]),
    ("params", &[]),
    ("device", &[]),
    ("color", &["geom", "pixels"]),
    ("pixels", &["geom"]),
    ("document", &["geom", "color", "params", "pixels"]),
    ("ops", &["geom", "color", "params", "pixels"]),
    ("recipe", &["geom", "color", "params", "pixels", "ops"]),
    ("compose", &["geom", "color", "params", "pixels", "document", "ops"]),
    ("commands", &["geom", "color", "params", "pixels", "document", "ops", "compose"]),
    ("tools", &["geom", "color", "params", "pixels", "document", "ops", "compose", "commands"]),
    ("checkpoint", &["geom"]),
    ("nets", &[]),
    ("zoo", &["params", "checkpoint", "nets"]),
    ("faces", &["geom", "pixels", "nets", "zoo"]),
    ("segment", &["geom", "pixels", "nets"]),
    (
        "gpu",
        &[
            "geom", "color", "params", "pixels", "device", "document", "ops", "compose", "inpaint",
            "infer",
        ],
    ),
    ("inpaint", &["geom", "color", "pixels", "ops"]),
    ("latent", &["checkpoint", "nets"]),
    (
        "infer",
        &[
            "geom",
            "color",
            "params",
            "pixels",
            "device",
            "ops",
            "inpaint",
            "latent",
            "metrics",
            "portrait",
            "faces",
            "segment",
            "checkpoint",
            "zoo",
            "nets",
            "gpu",
        ],
    ),
    (
        "train",
        &[
            "geom",
            "color",
            "pixels",
            "checkpoint",
            "nets",
            "zoo",
            "latent",
            "metrics",
            "portrait",
            "io",
        ],
    ),
    ("patterns", &["geom", "params", "pixels", "latent"]),
    // Moments and eigenvalues are latent's, activations come as planes of a network.
    ("metrics", &["geom", "pixels", "latent", "nets"]),
    (
        "portrait",
        &["geom", "color", "params", "pixels", "ops", "latent", "faces", "nets", "metrics"],
    ),
    ("io", &["geom", "color", "params", "pixels", "document", "ops", "latent"]),
];

/// Modules that stand above everything and may name anything but each other's callers.
const TOP: &[&str] = &["app", "cli", "lib", "main"];

fn crate_names(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(inner) => inner.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for item in list {
            let name: String =
                item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            names.insert(name);
        }
    }
    names
}

fn arrow_problems(module: &str, code: &str) -> Vec<String> {
    if TOP.contains(&module) {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("module '{module}' is missing from the table of arrows")];
    };
    crate_names(code)
        .into_iter()
        .filter(|name| name != module && !allowed.contains(&name.as_str()))
        .map(|name| format!("'{module}' names crate::{name}"))
        .collect()
}

#[test]
fn no_arrow_points_upwards() {
    let mut problems = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        for problem in arrow_problems(&module_of(&path), &code_of(&path)) {
            problems.push(format!("{}: {problem}", path.display()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    // The scan itself: an upward arrow in either spelling is seen.
    assert_eq!(arrow_problems("document", "use crate::ops::find;").len(), 1);
    assert_eq!(arrow_problems("ops", "use crate::{geom::Size, app};").len(), 1);
}

/// Words that only the named places may use.
const RESERVED: &[(&str, &[&str])] = &[
    ("wgpu::", &["src/gpu/", "src/infer/interop.rs"]),
    ("burn::", &["src/nets/", "src/infer/", "src/train/", "src/metrics/"]),
    ("egui::", &["src/app/"]),
    ("eframe::", &["src/app/"]),
    ("rfd::", &["src/app/"]),
];

/// Words that pure modules never use.
const IMPURE: &[&str] = &["std::thread", "thread::spawn", "Instant::now", "SystemTime", "std::fs"];
const PURE: &[&str] = &[
    "geom", "color", "params", "pixels", "device", "document", "ops", "recipe", "compose", "tools",
    "commands", "inpaint", "latent", "metrics", "portrait",
];

fn uses_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn engines_stay_in_their_rooms() {
    let mut problems = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let code = code_of(&path);
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        for (word, rooms) in RESERVED {
            if uses_word(&code, word) && !rooms.iter().any(|room| relative.starts_with(room)) {
                problems.push(format!("{relative} names {word}"));
            }
        }
        let pure = PURE.contains(&module_of(&path).as_str())
            || relative == "src/infer/protocol.rs"
            || relative == "src/infer/plan.rs";
        for word in IMPURE {
            if pure && uses_word(&code, word) {
                problems.push(format!("{relative} is pure and names {word}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(uses_word("let x = wgpu::Limits::default();", "wgpu::"));
    assert!(!uses_word("egui_wgpu::RenderState", "wgpu::"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut problems = Vec::new();
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > 500 {
            problems.push(format!("{} has {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            problems.push(format!("{} does not say what it is", path.display()));
        }
        // Spelt in halves, so that this file does not find itself.
        for word in [concat!("#[ig", "nore"), concat!("to", "do!("), concat!("unimple", "mented!(")]
        {
            if text.contains(word) {
                problems.push(format!("{} holds {word}", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A file under `tests/` that no target includes would never run.
#[test]
fn every_test_file_is_reached_by_the_test_command() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("cargo test --release --features ui-tests"));
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let targets = manifest["test"].as_array().unwrap();
    let mut reached = BTreeSet::new();
    for target in targets {
        let main = root().join(target["path"].as_str().unwrap()).canonicalize().unwrap();
        let folder = main.parent().unwrap().to_path_buf();
        let text = fs::read_to_string(&main).unwrap();
        let paths = text.split("#[path = \"").skip(1).filter_map(|rest| rest.split('"').next());
        reached.extend(paths.map(|path| folder.join(path).canonicalize().unwrap()));
        for file in files_below(&folder, "rs") {
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            let nested = file.parent() != Some(folder.as_path());
            if file == main || nested || text.contains(&format!("mod {stem};")) {
                reached.insert(file);
            }
        }
    }
    let all = files_below(&root().join("tests"), "rs");
    let all: BTreeSet<PathBuf> = all.into_iter().map(|f| f.canonicalize().unwrap()).collect();
    let lost: Vec<_> = all.difference(&reached).collect();
    assert!(lost.is_empty(), "never run: {lost:?}");
    assert!(all.len() >= 5);
}

#[test]
fn one_wgpu_in_the_lock_file() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let count = lock.lines().filter(|line| *line == "name = \"wgpu\"").count();
    assert_eq!(count, 1, "wgpu resolves to {count} versions");
}

/// Every shader of an operation has its Rust twin and the reverse.
#[test]
fn operations_and_shaders_pair_up() {
    let shaders: BTreeSet<String> = files_below(&root().join("shaders/ops"), "wgsl")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let operations: BTreeSet<String> =
        ganvas::ops::all().iter().map(|op| op.spec().name.to_owned()).collect();
    assert_eq!(shaders, operations);
    assert!(operations.len() >= 15, "only {} operations", operations.len());
}

/// Everything that would be committed, by the folders of the layout.
#[test]
fn the_repository_stays_under_its_size() {
    let folders =
        ["src", "assets", "shaders", "models", "tests", "benches", ".ci"].map(|f| root().join(f));
    let mut bytes = 0;
    let mut pending: Vec<PathBuf> = folders.into_iter().collect();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                bytes += fs::metadata(&path).unwrap().len();
            }
        }
    }
    assert!(bytes < 55 << 20, "{:.1} MiB", bytes as f64 / f64::from(1 << 20));
}
