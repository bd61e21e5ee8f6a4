//! Weights of a generator that were changed a little for one picture (pivotal tuning, Roich et al.
//! 2021), and their files.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use super::LatentError;
use crate::checkpoint::container;

/// Largest file of a tuning: StyleGAN2 at 1024 pixels has thirty million weights.
pub const MAX_FILE_BYTES: usize = 1 << 30;

/// Words for errors about files.
const WHAT: &str = "tuning of a generator";

/// What is added to weights of one model. Two are the same where their files are.
#[derive(Clone, Debug)]
pub struct Tuning {
    model: String,
    sha256: String,
    changes: BTreeMap<String, Vec<f32>>,
}

/// What a file says in its metadata.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    model_sha256: String,
}

impl Tuning {
    /// For the model whose weights file has the SHA-256 `model`; `changes` by official name, as
    /// long as the weights.
    ///
    /// # Errors
    /// Where a number is not finite.
    pub fn new(model: &str, changes: BTreeMap<String, Vec<f32>>) -> Result<Self, LatentError> {
        let mut tuning = Self { model: model.to_owned(), sha256: String::new(), changes };
        tuning.sha256 = sha256(&tuning.to_file()?);
        Ok(tuning)
    }

    /// As a safetensors file of one list for each weight.
    ///
    /// # Errors
    /// Where a number is not finite.
    pub fn to_file(&self) -> Result<Vec<u8>, LatentError> {
        let lists = self.changes.iter();
        let tensors: Vec<container::Tensor<'_>> =
            lists.map(|(name, list)| (name.clone(), vec![list.len()], list.as_slice())).collect();
        let about = About { model_sha256: self.model.clone() };
        Ok(container::write(WHAT, &tensors, &about)?)
    }

    /// Reads such a file of at most [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_file(bytes: &[u8]) -> Result<Self, LatentError> {
        let contents = container::read::<About>(WHAT, bytes, MAX_FILE_BYTES)?;
        let (About { model_sha256 }, lists) = contents.rest();
        let changes = lists.into_iter().map(|(name, (_, list))| (name, list)).collect();
        Ok(Self { model: model_sha256, sha256: sha256(bytes), changes })
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
