//! The installed models: those that come with the program and the user's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::is_valid_id;
use super::ncnn::detect_layers;
use super::{Detected, Manifest, ManifestError, UnknownNetwork, detect};
use crate::checkpoint::{Checkpoint, CheckpointError, Format};

/// Environment variable that names the folder of built-in models.
pub const MODELS_ENV: &str = "GANVAS_MODELS";
/// Name of the weights in a model's folder.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
const MANIFEST_FILE: &str = "model.toml";
/// Largest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error("there is no model '{id}'; installed: {installed}")]
    Unknown { id: String, installed: String },
    #[error("the manifest is damaged: {fault}: {}", path.display())]
    Manifest { path: PathBuf, fault: ManifestError },
    #[error("cannot read the model: {source}: {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot store the model: {source}: {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the weights do not match their manifest; reinstall the model: {}", path.display())]
    Checksum { path: PathBuf },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("{fault}: {}", path.display())]
    UnknownNetwork { path: PathBuf, fault: UnknownNetwork },
    #[error("there is already a model '{id}'; choose another id")]
    Exists { id: String },
    #[error("'{id}' is no id: up to 64 letters, digits, - _ and .")]
    NoId { id: String },
    #[error("the same file is already installed as '{id}'")]
    Installed { id: String },
    #[error("'{id}' came with the program and stays")]
    BuiltIn { id: String },
    #[error("cannot remove the model: {source}: {}", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("this system names no folder for the user's models")]
    NoUserFolder,
}

/// What is said of a model that is imported; what is not is found out or made up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// Else made of the name, or of the architecture where that is taken or says nothing.
    pub id: Option<&'a str>,
    /// Else the file's.
    pub name: Option<&'a str>,
    /// Else what the file states.
    pub licence: Option<&'a str>,
    /// Where it is from.
    pub provenance: Option<&'a str>,
}

/// Ids that many files would have.
const SAYS_NOTHING: [&str; 14] = [
    "best",
    "best-model",
    "checkpoint",
    "ckpt",
    "final",
    "generator",
    "last",
    "latest",
    "model",
    "net-g",
    "params",
    "pytorch-model",
    "state-dict",
    "weights",
];

/// One model of the library.
#[derive(Clone, Debug)]
pub struct Installed {
    pub manifest: Manifest,
    /// The checkpoint.
    pub weights: PathBuf,
    /// Whether it came with the program.
    pub built_in: bool,
}

/// The folders in which models lie, one folder a model.
#[derive(Clone, Debug)]
pub struct Library {
    built_in: Option<PathBuf>,
    user: Option<PathBuf>,
}

impl Library {
    /// The built-in models from [`MODELS_ENV`], from `models` beside the program or in its
    /// `share` folder, or from the source tree; the user's from the platform's data folder.
    pub fn discover() -> Self {
        let env = std::env::var_os(MODELS_ENV).map(PathBuf::from);
        let program = std::env::current_exe().ok();
        let beside = program.as_deref().and_then(Path::parent).map(|folder| folder.join("models"));
        let shared = program
            .as_deref()
            .and_then(|program| program.parent()?.parent())
            .map(|prefix| prefix.join("share/ganvas/models"));
        let source = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models"));
        let candidates = [env, beside, shared, source];
        let built_in = candidates.into_iter().flatten().find(|folder| folder.is_dir());
        let user = directories::ProjectDirs::from("", "", "ganvas")
            .map(|folders| folders.data_dir().join("models"));
        Self { built_in, user }
    }

    /// A library of these folders only.
    pub const fn of(built_in: Option<PathBuf>, user: Option<PathBuf>) -> Self {
        Self { built_in, user }
    }

    /// Every model, by id, and what is wrong with the folders that hold none. A user's model
    /// hides a built-in one of the same id.
    pub fn list(&self) -> (Vec<Installed>, Vec<LibraryError>) {
        let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
        for (folder, built_in) in [(&self.built_in, true), (&self.user, false)] {
            let Some(entries) = folder.as_deref().and_then(|folder| fs::read_dir(folder).ok())
            else {
                continue;
            };
            for entry in entries.flatten() {
                let folder = entry.path();
                if !folder.join(MANIFEST_FILE).is_file() {
                    continue;
                }
                match read_folder(&folder, built_in) {
                    Ok(model) => {
                        found.insert(model.manifest.id.clone(), model);
                    }
                    Err(fault) => faults.push(fault),
                }
            }
        }
        (found.into_values().collect(), faults)
    }

    /// The model `id`.
    pub fn find(&self, id: &str) -> Result<Installed, LibraryError> {
        if is_valid_id(id) {
            for (folder, built_in) in [(&self.user, false), (&self.built_in, true)] {
                let Some(folder) = folder.as_deref().map(|folder| folder.join(id)) else {
                    continue;
                };
                if folder.join(MANIFEST_FILE).is_file() {
                    return read_folder(&folder, built_in);
                }
            }
        }
        let ids: Vec<_> = self.list().0.into_iter().map(|model| model.manifest.id).collect();
        let installed = if ids.is_empty() { "none".into() } else { ids.join(", ") };
        Err(LibraryError::Unknown { id: id.into(), installed })
    }

    /// The model whose weights have this checksum, wherever a copy of them lies.
    pub fn find_by_checksum(&self, sha256: &str) -> Option<Installed> {
        self.list().0.into_iter().find(|model| model.manifest.sha256 == sha256)
    }

    /// Copies a checkpoint that is a known network into the user's folder, with a manifest.
    ///
    /// # Errors
    /// Where it is none, is installed already, or cannot be stored.
    pub fn import(&self, file: &Path) -> Result<Installed, LibraryError> {
        self.import_as(file, &Told::default())
    }

    /// [`Library::import`] with what a person says of it.
    ///
    /// # Errors
    /// As there, and where the id is taken.
    pub fn import_as(&self, file: &Path, told: &Told<'_>) -> Result<Installed, LibraryError> {
        let root = self.user.as_deref().ok_or(LibraryError::NoUserFolder)?;
        let (checkpoint, detected) = open_network(file)?;
        let sha256 = file_sha256(checkpoint.path())?;
        if let Some(installed) = self.find_by_checksum(&sha256) {
            return Err(LibraryError::Installed { id: installed.manifest.id });
        }
        let stem = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let architecture = detected.spec.architecture();
        let id = self.id_for(told, &stem, architecture)?;
        let is_telling = !SAYS_NOTHING.contains(&id_from(&stem).as_str());
        let name = told.name.map_or_else(|| if is_telling { stem } else { id.clone() }, Into::into);
        let capability = detected.spec.capability();
        let extension = match checkpoint.format() {
            Format::Safetensors => "safetensors",
            Format::PyTorch => "pth",
            Format::StyleganPickle => "pkl",
            Format::NumPy => "npy",
            Format::Ncnn => "bin",
        };
        let manifest = Manifest {
            id: id.clone(),
            name,
            architecture: architecture.into(),
            purpose: capability.purpose,
            scale: capability.scale,
            weights: format!("weights.{extension}"),
            sha256,
            licence: told.licence.or(checkpoint.stated_licence()).unwrap_or("unknown").into(),
            provenance: told.provenance.unwrap_or("imported by the user").into(),
            suits: String::new(),
            warning: None,
            encoder: None,
        };
        // Assembled beside and renamed, so that an interrupted import leaves no half a model.
        let folder = root.join(&id);
        let write = |source| LibraryError::Write { path: folder.clone(), source };
        fs::create_dir_all(root).map_err(write)?;
        let staging =
            tempfile::Builder::new().prefix(".import-").tempdir_in(root).map_err(write)?;
        let weights = staging.path().join(&manifest.weights);
        fs::copy(checkpoint.path(), &weights).map_err(write)?;
        if let Some(companion) = checkpoint.companion() {
            let extension = companion.extension().unwrap_or_default().to_owned();
            fs::copy(companion, weights.with_extension(extension)).map_err(write)?;
        }
        let text = manifest
            .to_toml()
            .map_err(|fault| LibraryError::Manifest { path: folder.clone(), fault })?;
        fs::write(staging.path().join(MANIFEST_FILE), text).map_err(write)?;
        fs::rename(staging.path(), &folder).map_err(write)?;
        // The folder has moved away from where it would be removed.
        let _moved = staging.keep();
        Ok(Installed { weights: folder.join(&manifest.weights), manifest, built_in: false })
    }

    /// A free id for a model of this file name and architecture, or the one that was told.
    fn id_for(
        &self,
        told: &Told<'_>,
        stem: &str,
        architecture: &str,
    ) -> Result<String, LibraryError> {
        let taken: BTreeSet<_> = self.list().0.into_iter().map(|model| model.manifest.id).collect();
        if let Some(id) = told.id {
            return match id {
                _ if !is_valid_id(id) => Err(LibraryError::NoId { id: id.into() }),
                _ if taken.contains(id) => Err(LibraryError::Exists { id: id.into() }),
                _ => Ok(id.into()),
            };
        }
        let named = id_from(told.name.unwrap_or(stem));
        if !SAYS_NOTHING.contains(&named.as_str()) && !taken.contains(&named) {
            return Ok(named);
        }
        let made = id_from(architecture);
        let free = (1..).map(|number| format!("{made}-{number}")).find(|id| !taken.contains(id));
        free.ok_or(LibraryError::Exists { id: named })
    }

    /// Removes a model of the user's with its files.
    ///
    /// # Errors
    /// Where there is none, it came with the program, or its files stay.
    pub fn remove(&self, id: &str) -> Result<(), LibraryError> {
        let Installed { weights, built_in, .. } = self.find(id)?;
        let (false, Some(root), Some(folder)) = (built_in, &self.user, weights.parent()) else {
            return Err(LibraryError::BuiltIn { id: id.into() });
        };
        let fail = |source| LibraryError::Remove { path: folder.to_path_buf(), source };
        // Moved away first: what stays of it, if anything, is no half a model.
        let away = tempfile::Builder::new().prefix(".remove-").tempdir_in(root).map_err(fail)?;
        fs::rename(folder, away.path().join("model")).map_err(fail)?;
        away.close().map_err(fail)
    }
}

/// Opens a checkpoint and finds out which network it is.
pub fn open_network(file: &Path) -> Result<(Checkpoint, Detected), LibraryError> {
    let checkpoint = Checkpoint::open(file)?;
    let detected = identify(&checkpoint)
        .map_err(|fault| LibraryError::UnknownNetwork { path: file.to_path_buf(), fault })?;
    Ok((checkpoint, detected))
}

/// Which network an open checkpoint is.
///
/// # Errors
/// What was tried and what the nearest lacks.
pub fn identify(checkpoint: &Checkpoint) -> Result<Detected, UnknownNetwork> {
    let mut detected = match checkpoint.layers() {
        [] => detect(&checkpoint.shapes())?,
        layers => detect_layers(layers, &checkpoint.shapes())?,
    };
    detected.spec.configure(checkpoint.metadata());
    Ok(detected)
}

impl Installed {
    /// Opens the weights after comparing them with the manifest's checksum.
    pub fn open(&self) -> Result<(Checkpoint, Detected), LibraryError> {
        if file_sha256(&self.weights)? != self.manifest.sha256 {
            return Err(LibraryError::Checksum { path: self.weights.clone() });
        }
        open_network(&self.weights)
    }

    /// The encoder that came with a generator, after comparing it with the manifest's checksum.
    ///
    /// # Errors
    /// [`LibraryError::Checksum`] where it is another file, or that it cannot be read.
    pub fn encoder(&self) -> Result<Option<PathBuf>, LibraryError> {
        let Some(beside) = &self.manifest.encoder else { return Ok(None) };
        let path = self.weights.with_file_name(&beside.file);
        if file_sha256(&path)? != beside.sha256 {
            return Err(LibraryError::Checksum { path });
        }
        Ok(Some(path))
    }
}

fn read_folder(folder: &Path, built_in: bool) -> Result<Installed, LibraryError> {
    let path = folder.join(MANIFEST_FILE);
    let name = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut text = String::new();
    File::open(&path)
        .and_then(|file| file.take(MAX_MANIFEST_BYTES).read_to_string(&mut text))
        .map_err(|source| LibraryError::Read { path: path.clone(), source })?;
    let manifest =
        Manifest::parse(&text, &name).map_err(|fault| LibraryError::Manifest { path, fault })?;
    Ok(Installed { weights: folder.join(&manifest.weights), manifest, built_in })
}

/// The SHA-256 of a file in lower-case hexadecimal.
///
/// # Errors
/// [`LibraryError::Read`] where the file cannot be read.
pub fn file_sha256(path: &Path) -> Result<String, LibraryError> {
    let read = |source| LibraryError::Read { path: path.to_path_buf(), source };
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(read)?;
    io::copy(&mut file, &mut hash).map_err(read)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// An id from a file name: lower case, other characters become dashes.
fn id_from(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let id: String = name.chars().take(48).map(plain).collect();
    let id = id.trim_matches('-').to_owned();
    if id.is_empty() { "model".into() } else { id }
}
