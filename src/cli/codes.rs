//! What the subcommands about latent codes share: the generator, its directions, code files.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::input::unusable;
use super::networks;
use super::report::Failure;
use crate::infer::directions;
use crate::infer::protocol::ModelRef;
use crate::io;
use crate::latent::{
    Code, DirectionSet, Edit, EditStack, MAX_CODE_FILE_BYTES, MAX_TUNING_FILE_BYTES, Tuning,
};
use crate::nets::LatentSpace;
use crate::zoo::{Library, Purpose, file_sha256, open_network};

/// Strongest edit, in units of a direction.
const MAX_STRENGTH: f32 = 50.0;
/// Names that a message lists.
const MAX_NAMES: usize = 24;

/// A generator, known without loading it.
pub(super) struct Target {
    pub model: ModelRef,
    pub weights: PathBuf,
    /// SHA-256 of the weights file.
    pub hash: String,
    pub space: LatentSpace,
}

impl Target {
    /// The generator that `name` means: an installed one, else a file.
    pub(super) fn named(library: &Library, name: &str) -> Result<Self, Failure> {
        let model = networks::model_ref(library, name)?;
        networks::warn(library, &model);
        Self::of(library, model)
    }

    /// The generator that `name` means, else the installed one that the code at `path` belongs to;
    /// tuned by the file beside it where the code says so.
    pub(super) fn of_code(
        library: &Library,
        name: Option<&str>,
        (path, code): (&Path, &Code),
    ) -> Result<Self, Failure> {
        let target = match (name, library.find_by_checksum(code.model())) {
            (Some(name), _) => Self::named(library, name)?,
            (None, Some(installed)) => Self::of(library, ModelRef::Id(installed.manifest.id))?,
            (None, None) => {
                let sentence = "no installed model is the one that the code belongs to; \
                                name its file with --model";
                return Err(Failure::input(sentence));
            }
        };
        if target.hash != code.model() {
            return Err(Failure::input(format!(
                "the code belongs to another model than {}",
                target.model
            )));
        }
        let Some(wanted) = code.tuning() else { return Ok(target) };
        let file = tuning_beside(path);
        let bad = |reason: String| Failure::input(format!("'{}': {reason}", file.display()));
        let bytes = read_bounded(&file, MAX_TUNING_FILE_BYTES, "a tuning").map_err(&bad)?;
        let tuning = Tuning::from_file(bytes.into()).map_err(|err| bad(err.to_string()))?;
        if (tuning.sha256(), tuning.model()) != (wanted, code.model()) {
            return Err(bad("it is not the tuning that the code was made with".into()));
        }
        let model = ModelRef::Tuned(Box::new(target.model), Arc::new(tuning));
        Ok(Self { model, ..target })
    }

    pub(super) fn of(library: &Library, model: ModelRef) -> Result<Self, Failure> {
        let (weights, hash) = match &model {
            ModelRef::Id(id) => {
                let installed = library.find(id).map_err(|error| unusable(&error))?;
                (installed.weights, installed.manifest.sha256)
            }
            ModelRef::File(path) => {
                let hash = file_sha256(path).map_err(|error| unusable(&error))?;
                (path.clone(), hash)
            }
            ModelRef::Tuned(base, _) => {
                let base = Self::of(library, (**base).clone())?;
                return Ok(Self { model, ..base });
            }
        };
        let (_, detected) = open_network(&weights).map_err(|error| unusable(&error))?;
        let Some(space) = detected.spec.space() else {
            let (architecture, lacks) = (detected.spec.architecture(), Purpose::Generate.negated());
            return Err(Failure::input(format!("{model} is a {architecture} and {lacks}")));
        };
        Ok(Self { model, weights, hash, space })
    }

    /// The directions in `file`, else those that came with the model.
    pub(super) fn directions(&self, file: Option<&Path>) -> Result<DirectionSet, Failure> {
        let set = match file {
            Some(file) => directions::read(file, &self.space, &self.hash).map(Some),
            None => directions::beside(&self.weights, &self.space, &self.hash),
        };
        set.map_err(Failure::input)?.ok_or_else(|| {
            let model = &self.model;
            Failure::input(format!(
                "{model} came without directions; 'ganvas directions find --model {model}' finds \
                 some, and --directions FILE names them"
            ))
        })
    }
}

/// `NAME=STRENGTH`, several with commas between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings(Vec<(String, f32)>);

impl FromStr for Settings {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let setting = |part: &str| {
            let (name, strength) = part.rsplit_once('=')?;
            let strength: f32 = strength.trim().parse().ok()?;
            (strength.abs() <= MAX_STRENGTH).then(|| (name.trim().to_owned(), strength))
        };
        let settings = text.split(',').map(setting).collect::<Option<Vec<_>>>();
        settings.map(Self).ok_or_else(|| {
            format!("'{text}' is not NAME=STRENGTH[,…] with strengths of at most {MAX_STRENGTH}")
        })
    }
}

impl Settings {
    /// The edits of a code that these are, by the directions of `set`.
    pub(super) fn stack(
        &self,
        set: &DirectionSet,
        independent: bool,
    ) -> Result<EditStack, Failure> {
        let mut stack = EditStack { independent, ..EditStack::default() };
        for (name, strength) in &self.0 {
            let mut all = set.directions().iter();
            let Some(direction) = all.find(|d| d.name().eq_ignore_ascii_case(name)) else {
                let names = set.directions().iter().map(|direction| direction.name());
                let names: Vec<&str> = names.take(MAX_NAMES).collect();
                let names = names.join(", ");
                return Err(Failure::input(format!(
                    "there is no direction '{name}' among {names}"
                )));
            };
            stack.edits.push(Edit::new(direction.clone(), *strength));
        }
        Ok(stack)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.0.iter().map(|(name, strength)| (name.as_str(), *strength))
    }
}

/// Reads a code file.
pub(super) fn read(path: &Path) -> Result<Code, Failure> {
    let bad = |reason: String| Failure::input(format!("'{}': {reason}", path.display()));
    let bytes = read_bounded(path, MAX_CODE_FILE_BYTES, "a latent code").map_err(bad)?;
    Code::from_file(&bytes).map_err(|err| bad(err.to_string()))
}

fn read_bounded(path: &Path, most: usize, what: &str) -> Result<Vec<u8>, String> {
    let len = fs::metadata(path).map_err(|err| err.to_string())?.len();
    if len > most as u64 {
        return Err(format!("it is too large for {what}"));
    }
    fs::read(path).map_err(|err| err.to_string())
}

/// Where the tuning lies that a code was made with.
fn tuning_beside(code: &Path) -> PathBuf {
    code.with_extension("tuning.safetensors")
}

/// Writes a code file, and beside it the tuning of the generator where `model` has one.
pub(super) fn write_code(path: &Path, code: &Code, model: &ModelRef) -> Result<(), Failure> {
    if let ModelRef::Tuned(_, tuning) = model {
        write(&tuning_beside(path), tuning.file())?;
    }
    write(path, &code.to_file().map_err(Failure::failed)?)
}

/// Whether a file of codes or directions can be written there, before any work.
pub(super) fn check_target(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let bad = |reason: &str| Failure::input(format!("'{}' {reason}", path.display()));
    if path.extension().is_none_or(|extension| extension != "safetensors") {
        return Err(bad("must end in .safetensors"));
    }
    if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(bad("cannot be written: there is no such folder"));
    }
    Ok(())
}

/// Writes a file of codes or directions, whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    io::write_whole(path, bytes)
        .map_err(|err| Failure::input(format!("'{}' cannot be written: {err}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_names_and_strengths() {
        let settings: Settings = "smile=1.5,SeFa 2=-3".parse().unwrap();
        assert_eq!(settings.iter().collect::<Vec<_>>(), [("smile", 1.5), ("SeFa 2", -3.0)]);
        for bad in ["", "smile", "smile=", "smile=x", "smile=1,", "smile=NaN", "smile=99"] {
            assert!(bad.parse::<Settings>().is_err(), "{bad}");
        }
    }
}
