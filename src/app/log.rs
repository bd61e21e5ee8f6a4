//! Log lines to stderr and a file; a panic leaves a crash log.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

/// A log file larger than this starts anew.
const MAX_LOG_BYTES: u64 = 4 << 20;

/// Sends log lines to stderr and to `ganvas.log` in `folder`. A logger that is set already stays.
pub fn init(folder: Option<&Path>) {
    let filter = EnvFilter::try_from_env("GANVAS_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,ganvas=info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let started = match folder.and_then(open_log) {
        Some(file) => {
            let both = std::io::stderr.and(Mutex::new(file));
            builder.with_writer(both).try_init().is_ok()
        }
        None => builder.with_writer(std::io::stderr).try_init().is_ok(),
    };
    if !started {
        tracing::debug!("the logger was set up before");
    }
}

fn open_log(folder: &Path) -> Option<std::fs::File> {
    std::fs::create_dir_all(folder).ok()?;
    let file = folder.join("ganvas.log");
    let grown = std::fs::metadata(&file).is_ok_and(|meta| meta.len() > MAX_LOG_BYTES);
    std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .append(!grown)
        .truncate(grown)
        .open(file)
        .ok()
}

/// Writes `crash.log` in `folder` on a panic, then does what was done before.
pub fn catch_panics(folder: Option<PathBuf>) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let trace = std::backtrace::Backtrace::force_capture();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!("panic on thread '{thread}': {info}");
        if let Some(folder) = &folder {
            let file = std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::File::create(folder.join("crash.log")));
            if let Ok(mut file) = file {
                // Nothing more can be done where the disk refuses.
                let _ = writeln!(
                    file,
                    "ganvas {}\nthread '{thread}'\n{info}\n\n{trace}",
                    env!("CARGO_PKG_VERSION")
                );
            }
        }
        before(info);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_leaves_a_crash_log() {
        let folder = tempfile::tempdir().unwrap();
        catch_panics(Some(folder.path().join("logs")));
        let leaves_a_log = || {
            let thread = std::thread::spawn(|| panic!("the brush is broken"));
            assert!(thread.join().is_err());
            let log = std::fs::read_to_string(folder.path().join("logs/crash.log")).unwrap();
            log.starts_with("ganvas ") && log.contains("the brush is broken")
        };
        // Panics that other tests make on purpose may come between.
        assert!((0..20).any(|_| leaves_a_log()));
        drop(std::panic::take_hook());
    }
}
