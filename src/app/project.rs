//! Saving a document with its layers: where to, and what comes after.

use std::path::{Path, PathBuf};

use super::files;
use super::jobs::Reporter;
use super::state::{Outcome, Tab, TabId};
use crate::cli::report::sentence;
use crate::document::Document;
use crate::io::project::{self, EXTENSION, is_project};

/// Where a document is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct SaveSettings {
    pub tab: TabId,
    pub path: PathBuf,
    /// What waits for it.
    pub then: Option<Closing>,
}

/// The document is to be closed once it is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// And the program with it, if nothing else holds it open.
    pub quit: bool,
}

impl SaveSettings {
    /// Into the project that the document came from or went to last; else beside its picture.
    pub fn propose(tab: &Tab) -> Self {
        let beside = tab.path.clone().or_else(|| {
            let folder = std::env::current_dir().ok()?;
            Some(folder.join(&tab.title))
        });
        let path = beside.unwrap_or_else(|| PathBuf::from(&tab.title)).with_extension(EXTENSION);
        Self { tab: tab.id, path, then: None }
    }

    /// The file with the extension that projects have.
    pub fn file(&self) -> PathBuf {
        if is_project(&self.path) {
            return self.path.clone();
        }
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{EXTENSION}"));
        name.into()
    }
}

impl Tab {
    /// The project file that the document is in.
    pub fn project(&self) -> Option<&Path> {
        self.path.as_deref().filter(|path| is_project(path))
    }
}

/// The work of saving; `made_of` names the picture that the project was made of.
pub fn save(
    document: Document,
    made_of: Option<PathBuf>,
    settings: SaveSettings,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        let settings = SaveSettings { path: settings.file(), ..settings };
        let mut progress = |done| {
            reporter.stage("Writing", Some(done));
            !reporter.is_cancelled()
        };
        project::save(&settings.path, &document, made_of.as_deref(), &mut progress)
            .map_err(|err| sentence(&err))?;
        Ok(Outcome::Saved { settings, revision: document.revision(), made_of })
    }
}

/// The work of asking where to save.
pub fn pick_target(
    settings: SaveSettings,
) -> impl FnOnce(&Reporter<Outcome>) -> Result<Outcome, String> {
    move |reporter| {
        let chosen = files::ask_target(
            reporter,
            "Save project",
            &settings.path,
            "Ganvas project",
            &[EXTENSION],
        )?;
        Ok(chosen.map_or(Outcome::Nothing, |path| {
            Outcome::PickedProject(SaveSettings { path, ..settings })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_gets_its_extension_behind_whatever_was_written() {
        let at = |path: &str| SaveSettings { tab: TabId(1), path: path.into(), then: None }.file();
        assert_eq!(at("a/photo.ganvas"), Path::new("a/photo.ganvas"));
        assert_eq!(at("a/photo.GANVAS"), Path::new("a/photo.GANVAS"));
        assert_eq!(at("a/v1.2"), Path::new("a/v1.2.ganvas"));
        assert_eq!(at("photo"), Path::new("photo.ganvas"));
    }
}
