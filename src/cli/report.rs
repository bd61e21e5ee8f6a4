//! Words for people: errors as one sentence with an exit code, output that survives a closed
//! pipe, and a progress bar where somebody is watching.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Why a subcommand ended early.
#[derive(Debug)]
pub enum Failure {
    /// The caller gave something that cannot be used: exit code 2.
    Input(String),
    /// The program could not do what was asked although the input was good: exit code 1.
    Failed(String),
}

impl Failure {
    pub fn input(sentence: impl fmt::Display) -> Self {
        Self::Input(sentence.to_string())
    }

    pub fn failed(sentence: impl fmt::Display) -> Self {
        Self::Failed(sentence.to_string())
    }
}

/// An error and its causes as one line, skipping causes already spelt out by their parent.
pub fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Turns the outcome of a subcommand into its exit code, and a failure into a line on stderr.
pub(super) fn exit_code(outcome: Result<Result<(), Failure>, Box<dyn Any + Send>>) -> ExitCode {
    let (code, text) = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(Failure::Input(text))) => (2, text),
        Ok(Err(Failure::Failed(text))) => (1, text),
        Err(_) => (1, "this is a defect in ganvas; the lines above say where".into()),
    };
    // Nobody is left to tell when stderr itself is closed.
    let _ = writeln!(io::stderr(), "ganvas: {}", text.replace(['\n', '\r'], " "));
    ExitCode::from(code)
}

/// Prints a line to stdout. A reader that went away (`| head`) is no failure.
pub fn print(text: impl fmt::Display) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as indented JSON to stdout.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(serde_json::to_string_pretty(value).map_err(Failure::failed)?)
}

/// Says something worth knowing on stderr that is no failure.
pub fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "ganvas: {text}");
}

/// Sends log lines to stderr; `GANVAS_LOG` chooses which, in the filter syntax of `tracing`.
pub(super) fn init_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("GANVAS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    // Fails only where a subscriber is set already, which then stays.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
}

/// A bar on stderr, drawn only when stderr is a terminal, wiped when dropped.
pub struct Progress {
    label: String,
    start: Instant,
    drawn: Option<Instant>,
    enabled: bool,
}

impl Progress {
    /// Shortest time between two drawings.
    const PERIOD: Duration = Duration::from_millis(80);

    pub fn new(label: impl Into<String>) -> Self {
        let enabled = io::stderr().is_terminal();
        Self { label: label.into(), start: Instant::now(), drawn: None, enabled }
    }

    /// Shows `done` of `total` steps and the seconds left at the pace so far.
    pub fn set(&mut self, done: u64, total: u64) {
        let due = self.drawn.is_none_or(|at| at.elapsed() >= Self::PERIOD);
        if !self.enabled || !due {
            return;
        }
        self.drawn = Some(Instant::now());
        let fraction = if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) };
        let line = bar_line(&self.label, fraction, self.start.elapsed());
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn bar_line(label: &str, fraction: f64, elapsed: Duration) -> String {
    const CELLS: usize = 28;
    let full = (fraction * CELLS as f64).round() as usize;
    let bar = "█".repeat(full) + &"░".repeat(CELLS - full);
    let left = if fraction > 0.0 {
        format!(", {:.0} s left", elapsed.as_secs_f64() * (1.0 - fraction) / fraction)
    } else {
        String::new()
    };
    format!("{label} {bar} {:3.0} %{left}", fraction * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_guesses_the_rest() {
        assert_eq!(bar_line("x", 0.0, Duration::ZERO).matches('█').count(), 0);
        let half = bar_line("x", 0.5, Duration::from_secs(10));
        assert_eq!(half.matches('█').count(), 14);
        assert!(half.ends_with(" 50 %, 10 s left"), "{half}");
        assert_eq!(bar_line("x", 1.0, Duration::from_secs(1)).matches('░').count(), 0);
    }

    #[test]
    fn a_sentence_names_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("no picture in it")]
        struct Cause;
        #[derive(Debug, thiserror::Error)]
        enum Outer {
            #[error("a.png: {0}")]
            Spelt(#[source] Cause),
            #[error("a.png")]
            Silent(#[source] Cause),
        }
        assert_eq!(sentence(&Outer::Spelt(Cause)), "a.png: no picture in it");
        assert_eq!(sentence(&Outer::Silent(Cause)), "a.png: no picture in it");
    }
}
