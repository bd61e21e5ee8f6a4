//! Preferences and recent files, kept as JSON in the platform's configuration folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::device::DeviceChoice;

/// Files remembered.
const MAX_RECENT: usize = 12;
/// Largest preferences file that is read.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Look {
    #[default]
    Dark,
    Light,
}

/// The grey around the picture, as CIE lightness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surround(pub u8);

impl Surround {
    pub const CHOICES: [Self; 4] = [Self(20), Self(33), Self(50), Self(75)];
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    pub look: Look,
    pub surround: Surround,
    /// Size of everything, 1 = the system's.
    pub ui_scale: f32,
    /// Whether the wheel scrolls instead of zooming.
    pub wheel_scrolls: bool,
    pub reduced_motion: bool,
    pub pixel_grid: bool,
    /// Megabytes that undo alone may keep.
    pub undo_budget_mb: u32,
    /// Used at the next start; the command line goes first.
    pub device: DeviceChoice,
    pub recent: Vec<PathBuf>,
}

impl Default for Prefs {
    fn default() -> Self {
        Self {
            look: Look::Dark,
            surround: Surround(20),
            ui_scale: 1.0,
            wheel_scrolls: false,
            reduced_motion: false,
            pixel_grid: true,
            undo_budget_mb: 1024,
            device: DeviceChoice::Auto,
            recent: Vec::new(),
        }
    }
}

impl Prefs {
    /// Reads `file`; what is missing or damaged becomes the default.
    pub fn load(file: &Path) -> Self {
        let small = std::fs::metadata(file).is_ok_and(|meta| meta.len() <= MAX_BYTES);
        let text = small.then(|| std::fs::read_to_string(file).ok()).flatten();
        let read = text.map(|text| serde_json::from_str::<Self>(&text));
        if let Some(Err(err)) = &read {
            tracing::warn!("preferences are damaged and start anew: {err}");
        }
        let mut prefs = read.and_then(Result::ok).unwrap_or_default();
        prefs.ui_scale =
            if prefs.ui_scale.is_finite() { prefs.ui_scale.clamp(0.75, 2.5) } else { 1.0 };
        prefs.undo_budget_mb = prefs.undo_budget_mb.clamp(64, 65_536);
        prefs.surround.0 = prefs.surround.0.min(100);
        prefs
    }

    /// Writes beside and renames, so that a crash leaves the old file.
    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut beside, self).map_err(std::io::Error::other)?;
        beside.persist(file).map_err(|err| err.error)?;
        Ok(())
    }

    /// Puts a file on top of the recent ones.
    pub fn remember(&mut self, file: &Path) {
        self.recent.retain(|known| known != file);
        self.recent.insert(0, file.to_path_buf());
        self.recent.truncate(MAX_RECENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_survive_and_damage_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/prefs.json");
        assert_eq!(Prefs::load(&file), Prefs::default());
        let mut prefs = Prefs { ui_scale: 1.5, ..Prefs::default() };
        prefs.remember(Path::new("a.png"));
        prefs.remember(Path::new("b.png"));
        prefs.remember(Path::new("a.png"));
        prefs.save(&file).unwrap();
        assert_eq!(Prefs::load(&file), prefs);
        assert_eq!(prefs.recent, [PathBuf::from("a.png"), PathBuf::from("b.png")]);
        std::fs::write(&file, "{\"ui_scale\": ").unwrap();
        assert_eq!(Prefs::load(&file), Prefs::default());
    }
}
