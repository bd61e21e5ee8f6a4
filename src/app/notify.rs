//! Notices: the one place of the window that turns results and errors into words.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// One notice.
#[derive(Clone, Debug)]
pub struct Notice {
    pub id: u64,
    pub level: Level,
    /// One sentence without a full stop.
    pub text: String,
    /// What only some want to read; can be copied.
    pub details: Option<String>,
    pub expanded: bool,
    shown: Instant,
}

impl Notice {
    /// How long it stays: long enough to read, errors until they are put away.
    fn lifetime(&self) -> Option<Duration> {
        match self.level {
            Level::Error => None,
            _ if self.expanded => None,
            _ => Some(Duration::from_millis(3000 + 60 * self.text.len() as u64)),
        }
    }
}

/// Notices on show at once; older ones make room.
const MAX_SHOWN: usize = 5;

/// The notices on show.
#[derive(Debug, Default)]
pub struct Notices {
    shown: Vec<Notice>,
    next: u64,
}

impl Notices {
    pub fn shown(&self) -> &[Notice] {
        &self.shown
    }

    pub fn info(&mut self, text: impl Into<String>) {
        self.push(Level::Info, text.into(), None);
    }

    pub fn warn(&mut self, text: impl Into<String>) {
        self.push(Level::Warning, text.into(), None);
    }

    pub fn error(&mut self, text: impl Into<String>, details: Option<String>) {
        self.push(Level::Error, text.into(), details);
    }

    /// What did not work and leaves everything as it was: it passes, the log keeps it.
    pub fn passing(&mut self, text: impl Into<String>, details: String) {
        self.push(Level::Warning, text.into(), Some(details));
    }

    fn push(&mut self, level: Level, text: String, details: Option<String>) {
        match level {
            Level::Info => tracing::info!("{text}"),
            Level::Warning => tracing::warn!(details, "{text}"),
            Level::Error => tracing::error!(details, "{text}"),
        }
        // The same fault again only renews what is there.
        self.shown.retain(|notice| notice.text != text);
        if self.shown.len() >= MAX_SHOWN {
            self.shown.remove(0);
        }
        let id = self.next;
        self.next += 1;
        let shown = Instant::now();
        self.shown.push(Notice { id, level, text, details, expanded: false, shown });
    }

    pub fn dismiss(&mut self, id: u64) {
        self.shown.retain(|notice| notice.id != id);
    }

    pub fn toggle_details(&mut self, id: u64) {
        if let Some(notice) = self.shown.iter_mut().find(|notice| notice.id == id) {
            notice.expanded = !notice.expanded;
        }
    }

    /// Puts away what has been shown long enough; answers when to look again.
    pub fn expire(&mut self) -> Option<Duration> {
        let left = |notice: &Notice| {
            notice.lifetime().map(|lifetime| lifetime.saturating_sub(notice.shown.elapsed()))
        };
        self.shown.retain(|notice| left(notice) != Some(Duration::ZERO));
        self.shown.iter().filter_map(left).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_everything_as_it_was_passes() {
        let mut notices = Notices::default();
        notices.passing("Import x.pth failed", "no such tensor".into());
        notices.error("Save failed", Some("the disk is full".into()));
        let lifetimes: Vec<_> = notices.shown().iter().map(Notice::lifetime).collect();
        assert!(lifetimes[0].is_some() && lifetimes[1].is_none());
        assert_eq!(notices.shown()[0].details.as_deref(), Some("no such tensor"));
        // While it is read it stays.
        let id = notices.shown()[0].id;
        notices.toggle_details(id);
        assert_eq!(notices.shown()[0].lifetime(), None);
    }
}
