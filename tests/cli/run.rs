//! Running the binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use ganvas::io::{Limits, Opened};

pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `ganvas` with `args`.
pub fn ganvas<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Outcome {
    // Mesa's layer that chooses among adapters complains on standard error where no desktop
    // session runs; that is none of our sentences.
    let mut command = Command::new(env!("CARGO_BIN_EXE_ganvas"));
    let output = command.env("NODEVICE_SELECT", "1").args(args).output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `ganvas` and expects it to succeed.
pub fn succeed<S: AsRef<std::ffi::OsStr> + std::fmt::Debug>(args: &[S]) -> Outcome {
    let outcome = ganvas(args);
    assert_eq!(outcome.code, 0, "{args:?}: {}", outcome.stderr);
    outcome
}

pub fn photo(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let fixture = root.join("tests/fixtures/photos").join(name);
    let path = if fixture.exists() { fixture } else { root.join("assets/photos").join(name) };
    path.to_string_lossy().into_owned()
}

pub fn open(path: impl AsRef<Path>) -> Opened {
    ganvas::io::open(path.as_ref(), &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// An empty folder and the name of a file in it.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.file(name), bytes).unwrap();
        self.file(name)
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }
}
