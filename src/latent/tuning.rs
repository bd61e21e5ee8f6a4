//! Weights of a generator that were changed a little for one picture (pivotal tuning, Roich et al.
//! 2021), and their files.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::LatentError;
use super::code::check_hash;
use crate::checkpoint::container;

/// Largest file of a tuning: StyleGAN2 at 1024 pixels has thirty million weights.
pub const MAX_FILE_BYTES: usize = 1 << 28;

/// Words for errors about files.
const WHAT: &str = "tuning of a generator";

/// What is added to weights of one model, in 16-bit floats: a change needs few digits, and they
/// cost the picture nothing that can be measured. Two are the same where their files are.
#[derive(Clone, Debug)]
pub struct Tuning {
    model: String,
    sha256: String,
    changes: BTreeMap<String, Vec<f32>>,
    file: Arc<[u8]>,
}

/// What a file says in its metadata.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    model_sha256: String,
}

impl Tuning {
    /// For the model whose weights file has the SHA-256 `model`; `changes` by official name, as
    /// long as the weights. They are rounded to what the file holds.
    ///
    /// # Errors
    /// Where a number is not finite.
    pub fn new(model: &str, changes: &BTreeMap<String, Vec<f32>>) -> Result<Self, LatentError> {
        let lists = changes.iter();
        let tensors: Vec<container::Tensor<'_>> =
            lists.map(|(name, list)| (name.clone(), vec![list.len()], list.as_slice())).collect();
        let about = About { model_sha256: model.to_owned() };
        Self::from_file(container::write_half(WHAT, &tensors, &about)?.into())
    }

    /// Reads its file, of at most [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_file(file: Arc<[u8]>) -> Result<Self, LatentError> {
        let contents = container::read_half::<About>(WHAT, &file, MAX_FILE_BYTES)?;
        let (About { model_sha256 }, lists) = contents.rest();
        check_hash(&model_sha256)?;
        let changes = lists.into_iter().map(|(name, (_, list))| (name, list)).collect();
        Ok(Self { model: model_sha256, sha256: sha256(&file), changes, file })
    }

    /// A safetensors file of one list for each weight; the metadata's `ganvas` is JSON with
    /// `model_sha256`.
    pub const fn file(&self) -> &Arc<[u8]> {
        &self.file
    }

    /// SHA-256 of the weights file that it belongs to, 64 hexadecimal digits.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Of its own file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The weights that change, by official name.
    pub fn changes(&self) -> &BTreeMap<String, Vec<f32>> {
        &self.changes
    }

    /// Adds to the weight `name` what it changes by; nothing to most.
    ///
    /// # Errors
    /// Where the weight has another length.
    pub fn add_to(&self, name: &str, weight: &mut [f32]) -> Result<(), LatentError> {
        if let Some(change) = self.changes.get(name) {
            super::check(name, change, weight.len())?;
            weight.iter_mut().zip(change).for_each(|(weight, change)| *weight += change);
        }
        Ok(())
    }
}

impl PartialEq for Tuning {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl Eq for Tuning {}

impl Hash for Tuning {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sha256.hash(state);
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
