//! Checkpoint files: container → names, shapes, types and lazily read tensors.
//!
//! Safetensors with any plain number type, and int8 with a companion `X.scale` per first axis;
//! PyTorch `.pth`/`.pt` in the zip and the legacy layout; NVIDIA's StyleGAN `.pkl`; NumPy's
//! `.npy`; ncnn's `.param` and `.bin`. Nothing is ever executed. Names are canonicalised in one
//! place: training wrappers such as `params_ema` and the `module.` of data-parallel training are
//! gone, scales and spectral norms are folded into their tensors.

mod canonical;
pub mod container;
mod dtype;
mod file;
mod ncnn;
mod npy;
mod pytorch;
mod safetensors;
mod stylegan_pkl;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use dtype::Dtype;
pub use ncnn::{Layer, LayerKind};
use serde_json::Value as Json;

/// Largest file that is opened.
pub const MAX_FILE_BYTES: u64 = 8 << 30;
/// Most tensors in one file.
pub const MAX_TENSORS: usize = 65_536;
/// Most dimensions of one tensor.
pub const MAX_RANK: usize = 8;
/// Most elements of one tensor: 2 GiB as 32-bit floats.
pub const MAX_ELEMENTS: usize = 1 << 29;
/// Longest tensor name in bytes.
pub const MAX_NAME_BYTES: usize = 1024;
/// Views can declare more than the file holds; shared weights make a checkpoint somewhat larger
/// in memory than on disk, never many times.
const MAX_EXPANSION: u64 = 4;

/// Why a checkpoint cannot be read. Each says what is wrong in one sentence; the path comes
/// last.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("cannot read the checkpoint: {source}: {}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("not a checkpoint (no safetensors, PyTorch, NumPy, StyleGAN or ncnn file): {}", path.display())]
    UnknownFormat { path: PathBuf },
    #[error("the checkpoint is damaged: {reason}: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("the checkpoint is refused: {reason}: {}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error("the checkpoint has no tensor '{name}': {}", path.display())]
    Missing { path: PathBuf, name: String },
}

/// What is wrong inside a container, before the path is known.
#[derive(Debug)]
enum Fault {
    Damaged(String),
    Refused(String),
}

impl Fault {
    fn at(self, path: &Path) -> CheckpointError {
        let path = path.to_path_buf();
        match self {
            Self::Damaged(reason) => CheckpointError::Damaged { path, reason },
            Self::Refused(reason) => CheckpointError::Refused { path, reason },
        }
    }
}

/// The container a checkpoint came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Safetensors,
    PyTorch,
    /// The official `.pkl` of StyleGAN2-ADA and its kin.
    StyleganPickle,
    /// One array, called `array`.
    NumPy,
    /// A `.bin` and the `.param` beside it.
    Ncnn,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::PyTorch => "PyTorch",
            Self::StyleganPickle => "StyleGAN pickle",
            Self::NumPy => "NumPy",
            Self::Ncnn => "ncnn",
        })
    }
}

/// Which of the networks that a training run saves together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The averaged generator where there is one, else the raw one.
    Generator,
    Discriminator,
}

/// What a container's reader finds.
struct Contents {
    tensors: BTreeMap<String, RawTensor>,
    metadata: BTreeMap<String, Json>,
}

type ReadBytes = Box<dyn Fn() -> Result<Vec<u8>, Fault> + Send + Sync>;

/// A tensor as its container describes it; `read` yields its elements row by row.
struct RawTensor {
    shape: Vec<usize>,
    dtype: Dtype,
    read: ReadBytes,
}

impl RawTensor {
    /// Checks the limits, so that nothing larger is ever allocated.
    fn new(name: &str, shape: Vec<usize>, dtype: Dtype, read: ReadBytes) -> Result<Self, Fault> {
        let elements = shape.iter().try_fold(1usize, |total, &side| total.checked_mul(side));
        if name.len() > MAX_NAME_BYTES {
            return Err(Fault::Refused(format!("a tensor name of {} bytes", name.len())));
        }
        if shape.len() > MAX_RANK {
            return Err(Fault::Refused(format!("tensor '{name}' has {} dimensions", shape.len())));
        }
        match elements {
            Some(elements) if elements <= MAX_ELEMENTS => Ok(Self { shape, dtype, read }),
            _ => Err(Fault::Refused(format!("tensor '{name}' is too large: {shape:?}"))),
        }
    }

    fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, Fault> {
        let bytes = (self.read)()?;
        if bytes.len() != self.elements() * self.dtype.bytes() {
            let (have, want) = (bytes.len(), self.elements() * self.dtype.bytes());
            return Err(Fault::Damaged(format!("'{name}' has {have} bytes instead of {want}")));
        }
        Ok(self.dtype.to_f32(&bytes))
    }
}

/// One tensor of an open checkpoint.
struct Entry {
    tensor: RawTensor,
    /// One factor for each index of the first axis.
    scale: Option<RawTensor>,
    /// The first singular vectors, one number a row and one a column: what is stored is to be
    /// divided by the product that they make of it (Miyato et al. 2018).
    spectral: Option<[RawTensor; 2]>,
}

/// What is known of a tensor without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    pub shape: Vec<usize>,
    /// As stored; int8 with a scale reads as floats.
    pub dtype: Dtype,
}

/// An open checkpoint. Tensors are read when asked for.
pub struct Checkpoint {
    path: PathBuf,
    format: Format,
    entries: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, Json>,
    layers: Vec<Layer>,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tensors of {}", self.entries.len(), self.path.display())
    }
}

impl Checkpoint {
    /// Opens a checkpoint and reads its table of contents; of a training run's networks the
    /// generator.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        Self::open_network(path, Network::Generator)
    }

    /// Opens one network of a checkpoint. Only a StyleGAN pickle says which network is which:
    /// every other container has one, and whose it is its tensors tell.
    pub fn open_network(path: &Path, network: Network) -> Result<Self, CheckpointError> {
        let io = |source| CheckpointError::Io { path: path.to_path_buf(), source };
        let mut file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            let source = std::io::Error::other("not a file");
            return Err(CheckpointError::Io { path: path.to_path_buf(), source });
        }
        if metadata.len() > MAX_FILE_BYTES {
            let reason =
                format!("{} GiB are more than a checkpoint may have", metadata.len() >> 30);
            return Err(Fault::Refused(reason).at(path));
        }
        let mut head = Vec::new();
        file.by_ref().take(512).read_to_end(&mut head).map_err(io)?;
        let (format, contents) = if safetensors::looks_like(&head) {
            (Format::Safetensors, safetensors::read(file, metadata.len()))
        } else if stylegan_pkl::looks_like(&head) {
            (Format::StyleganPickle, stylegan_pkl::read(file, metadata.len(), network))
        } else if npy::looks_like(&head) {
            (Format::NumPy, npy::read(file, metadata.len()))
        } else if pytorch::looks_like(&head) {
            (Format::PyTorch, pytorch::read(path, metadata.len()))
        } else {
            return Self::open_ncnn(path);
        };
        let Contents { tensors, metadata } = contents.map_err(|fault| fault.at(path))?;
        let entries = canonical::canonicalise(tensors).map_err(|fault| fault.at(path))?;
        Ok(Self { path: path.to_path_buf(), format, entries, metadata, layers: Vec::new() })
    }

    /// Either file of ncnn's pair. Nothing in the bytes tells what they are: the text beside does.
    fn open_ncnn(path: &Path) -> Result<Self, CheckpointError> {
        let Some((text, bytes)) = ncnn::pair(path) else {
            let path = path.to_path_buf();
            let is_text = path.extension().is_some_and(|have| have == ncnn::TEXT_EXTENSION);
            return Err(if is_text {
                let reason = "it is no ncnn text with a .bin of the same name beside it".into();
                CheckpointError::Refused { path, reason }
            } else {
                CheckpointError::UnknownFormat { path }
            });
        };
        let (Contents { tensors, metadata }, layers) =
            ncnn::read(&text, &bytes).map_err(|fault| fault.at(path))?;
        let entry = |(name, tensor)| (name, Entry::new(tensor));
        let entries = tensors.into_iter().map(entry).collect();
        Ok(Self { path: bytes, format: Format::Ncnn, entries, metadata, layers })
    }

    /// The layers of an ncnn network, in order; empty for other containers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The file beside [`Checkpoint::path`] that belongs to it: ncnn's `.param`.
    pub fn companion(&self) -> Option<PathBuf> {
        (self.format == Format::Ncnn).then(|| self.path.with_extension(ncnn::TEXT_EXTENSION))
    }

    /// What the file says of itself: the words of a safetensors header, the arguments that a
    /// StyleGAN network was constructed with (`z_dim`, `synthesis_kwargs.conv_clamp`); nothing
    /// for PyTorch files.
    pub const fn metadata(&self) -> &BTreeMap<String, Json> {
        &self.metadata
    }

    /// The licence that the file states in its header, if it does: an entry `license` or
    /// `licence`, alone or with a prefix such as `modelspec.license`.
    pub fn stated_licence(&self) -> Option<&str> {
        let states = |key: &str| {
            let leaf = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase();
            leaf == "license" || leaf == "licence"
        };
        let words = self.metadata.iter().filter(|(key, _)| states(key));
        words.filter_map(|(_, word)| word.as_str()).map(str::trim).find(|word| !word.is_empty())
    }

    /// The file that holds the weights.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub const fn format(&self) -> Format {
        self.format
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Name and description of each tensor, by name.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, TensorInfo)> {
        self.entries.iter().map(|(name, entry)| {
            let info = TensorInfo { shape: entry.tensor.shape.clone(), dtype: entry.tensor.dtype };
            (name.as_str(), info)
        })
    }

    /// Names and shapes: all that detection sees.
    pub fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let shape = |(name, entry): (&String, &Entry)| (name.clone(), entry.tensor.shape.clone());
        self.entries.iter().map(shape).collect()
    }

    /// Number of elements in all tensors.
    pub fn parameters(&self) -> u64 {
        self.entries.values().map(|entry| entry.tensor.elements() as u64).sum()
    }

    /// Reads one tensor, row by row, with its scale applied.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let entry = self.entries.get(name).ok_or_else(|| CheckpointError::Missing {
            path: self.path.clone(),
            name: name.into(),
        })?;
        entry.read_f32(name).map_err(|fault| fault.at(&self.path))
    }
}

impl Entry {
    const fn new(tensor: RawTensor) -> Self {
        Self { tensor, scale: None, spectral: None }
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, Fault> {
        let mut values = self.tensor.read_f32(name)?;
        if let Some(scale) = &self.scale {
            let scales = scale.read_f32(name)?;
            // Canonicalising made sure that there is one scale for each row.
            let row = values.len() / scales.len().max(1);
            for (row, scale) in values.chunks_mut(row.max(1)).zip(scales) {
                row.iter_mut().for_each(|value| *value *= scale);
            }
        }
        if let Some([u, v]) = &self.spectral {
            let (u, v) = (u.read_f32(name)?, v.read_f32(name)?);
            let product = |(row, u): (&[f32], &f32)| -> f64 {
                let along = row.iter().zip(&v).map(|(w, v)| f64::from(*w) * f64::from(*v));
                f64::from(*u) * along.sum::<f64>()
            };
            let norm: f64 = values.chunks(v.len().max(1)).zip(&u).map(product).sum();
            values.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Fault::Damaged(format!("'{name}' holds {} at {at}", values[at])));
        }
        Ok(values)
    }
}
