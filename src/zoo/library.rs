//! The installed models: those that come with the program and the user's own.

use std::collections::BTreeMap;
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
    #[error("there is already a model '{id}'; rename the file to import it beside")]
    Exists { id: String },
    #[error("this system names no folder for the user's models")]
    NoUserFolder,
}

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

    /// Copies a checkpoint that is a known network into the user's folder, with a manifest. The
    /// id is made of the file's name.
    pub fn import(&self, file: &Path) -> Result<Installed, LibraryError> {
        let name = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        self.import_as(file, &name, "imported by the user")
    }

    /// [`Library::import`] by another name than the file's, and with a word on where it is from.
    ///
    /// # Errors
    /// As there.
    pub fn import_as(
        &self,
        file: &Path,
        name: &str,
        provenance: &str,
    ) -> Result<Installed, LibraryError> {
        let root = self.user.as_deref().ok_or(LibraryError::NoUserFolder)?;
        let (checkpoint, detected) = open_network(file)?;
        let id = id_from(name);
        if self.list().0.iter().any(|model| model.manifest.id == id) {
            return Err(LibraryError::Exists { id });
        }
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
            name: name.into(),
            architecture: detected.spec.architecture().into(),
            purpose: capability.purpose,
            scale: capability.scale,
            weights: format!("weights.{extension}"),
            sha256: file_sha256(checkpoint.path())?,
            licence: checkpoint.stated_licence().unwrap_or("unknown").into(),
            provenance: provenance.into(),
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
