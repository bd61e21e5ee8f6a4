//! The code of a picture, and code files.

use serde::{Deserialize, Serialize};

use super::packed::Packed;
use super::{LatentError, check};
use crate::checkpoint::container;

/// Most rows of a code; StyleGAN2 at 1024 pixels has 18.
pub const MAX_ROWS: usize = 64;
/// Most numbers of a row.
pub const MAX_DIM: usize = 8192;
/// Most numbers of all noise maps; those of StyleGAN2 at 1024 pixels are a third of it.
pub const MAX_NOISE: usize = 4 << 20;
/// Largest code file.
pub const MAX_FILE_BYTES: usize = 20 << 20;

/// The fine structure that a generator adds to each layer beside the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Noise {
    /// The maps that the network learnt with.
    #[default]
    Const,
    /// Normal numbers of a seed.
    Random(u64),
    None,
}

/// What a generator draws a picture from. The model is part of it: for another one the numbers
/// mean nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Code {
    rows: usize,
    dim: usize,
    w: Vec<f32>,
    z: Option<Vec<f32>>,
    /// For networks that draw several classes of things.
    pub class: Option<u32>,
    model: String,
    pub noise: Noise,
    /// SHA-256 of the [`super::Tuning`] of the generator with which it draws its picture.
    tuning: Option<String>,
    /// The noise of each layer, where it was optimised along with the code.
    noise_maps: Option<Vec<Vec<f32>>>,
}

/// The serialised form: lengths follow from the numbers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    rows: usize,
    w: Packed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    z: Option<Packed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    noise_maps: Option<Vec<Packed>>,
    about: About,
}

/// What a code file says in its metadata.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    model_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<u32>,
    #[serde(default)]
    noise: Noise,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tuning_sha256: Option<String>,
}

/// Words for errors about files.
const WHAT: &str = "latent code";

impl Code {
    /// A code of `rows` rows (`1..=`[`MAX_ROWS`]) from `w`, which holds them one after the other,
    /// for the model whose weights file has the SHA-256 `model` (64 hexadecimal digits).
    ///
    /// For a network that maps its random numbers to nothing else (DCGAN), `w` is one row of
    /// what it is given.
    ///
    /// # Errors
    /// Where the numbers do not fill the rows, are not finite or are too many.
    pub fn new(rows: usize, w: Vec<f32>, model: &str) -> Result<Self, LatentError> {
        let dim = w.len() / rows.max(1);
        if !(1..=MAX_ROWS).contains(&rows) || !(1..=MAX_DIM).contains(&dim) {
            return Err(LatentError::Bounds { what: WHAT, rows, dim });
        }
        check(WHAT, &w, rows * dim)?;
        check_hash(model)?;
        let (model, noise) = (model.to_owned(), Noise::Const);
        let (z, class, tuning, noise_maps) = (None, None, None, None);
        Ok(Self { rows, dim, w, z, class, model, noise, tuning, noise_maps })
    }

    /// A code whose rows are all `row`: a point of W.
    ///
    /// # Errors
    /// As [`Code::new`].
    pub fn in_w(row: &[f32], rows: usize, model: &str) -> Result<Self, LatentError> {
        if !(1..=MAX_ROWS).contains(&rows) {
            return Err(LatentError::Bounds { what: WHAT, rows, dim: row.len() });
        }
        Self::new(rows, row.repeat(rows), model)
    }

    /// The same code that remembers the random numbers it was mapped from.
    ///
    /// # Errors
    /// Where they are not finite or too many.
    pub fn with_z(mut self, z: Vec<f32>) -> Result<Self, LatentError> {
        if z.is_empty() || z.len() > MAX_DIM {
            return Err(LatentError::Bounds { what: "z", rows: 1, dim: z.len() });
        }
        check("z", &z, z.len())?;
        self.z = Some(z);
        Ok(self)
    }

    /// The same code for the generator that was tuned by the file of this SHA-256.
    ///
    /// # Errors
    /// Where it is none.
    pub fn with_tuning(self, sha256: &str) -> Result<Self, LatentError> {
        check_hash(sha256)?;
        Ok(Self { tuning: Some(sha256.to_owned()), ..self })
    }

    /// The same code with noise of a kind, instead of maps of its own.
    pub fn with_noise(self, noise: Noise) -> Self {
        Self { noise, noise_maps: None, ..self }
    }

    /// The same code with a noise map of its own for each layer, which stands for [`Code::noise`].
    ///
    /// # Errors
    /// Where they are too many or not finite.
    pub fn with_noise_maps(self, maps: Vec<Vec<f32>>) -> Result<Self, LatentError> {
        let count: usize = maps.iter().map(Vec::len).sum();
        if maps.is_empty() || maps.len() > MAX_ROWS || count > MAX_NOISE {
            return Err(LatentError::Bounds { what: "noise", rows: maps.len(), dim: count });
        }
        maps.iter().try_for_each(|map| check("a noise map", map, map.len()))?;
        Ok(Self { noise_maps: Some(maps), ..self })
    }

    /// The same code with other numbers in W+; what it was mapped from is forgotten.
    ///
    /// # Errors
    /// Where they are not as many or not finite.
    pub fn with_w(&self, w: Vec<f32>) -> Result<Self, LatentError> {
        check(WHAT, &w, self.w.len())?;
        Ok(Self { w, z: None, ..self.clone() })
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers a row.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// `[rows, dim]`, row by row.
    pub fn w(&self) -> &[f32] {
        &self.w
    }

    /// The rows, the coarsest layer's first.
    pub fn each_row(&self) -> impl Iterator<Item = &[f32]> {
        self.w.chunks_exact(self.dim)
    }

    /// The random numbers it was mapped from, where known.
    pub fn z(&self) -> Option<&[f32]> {
        self.z.as_deref()
    }

    /// SHA-256 of the weights file, 64 hexadecimal digits.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// SHA-256 of the [`super::Tuning`] of the generator with which it draws its picture.
    pub fn tuning(&self) -> Option<&str> {
        self.tuning.as_deref()
    }

    /// The noise of each layer, row by row, where the code has its own.
    pub fn noise_maps(&self) -> Option<&[Vec<f32>]> {
        self.noise_maps.as_deref()
    }

    /// Whether both are codes of one network.
    pub fn fits(&self, other: &Self) -> bool {
        self.model == other.model && (self.rows, self.dim) == (other.rows, other.dim)
    }

    /// `mean + psi (w - mean)` in the first `cutoff` rows, all without: truncation (Karras et al.
    /// 2019). `mean` is one row, or one for each. Bit-identical at `psi` 1.
    ///
    /// # Errors
    /// Where `mean` is no row of this code.
    pub fn truncated(
        &self,
        mean: &[f32],
        psi: f32,
        cutoff: Option<usize>,
    ) -> Result<Self, LatentError> {
        let has_all = self.rows > 1 && mean.len() == self.w.len();
        check("the mean code", mean, if has_all { self.w.len() } else { self.dim })?;
        if psi == 1.0 {
            return Ok(self.clone());
        }
        let mut w = self.w.clone();
        let acts = cutoff.unwrap_or(self.rows).min(self.rows) * self.dim;
        for (value, mean) in w[..acts].iter_mut().zip(mean.iter().cycle()) {
            *value = mean + psi * (*value - mean);
        }
        self.with_w(w)
    }

    /// The code as a safetensors file: `w` `[rows, dim]`, `z` where known, `noise.0` and so on where
    /// it has maps of its own; the metadata's
    /// `ganvas` is JSON with `model_sha256`, `class`, `noise` and `tuning_sha256`.
    ///
    /// # Errors
    /// Only where the machine cannot hold it.
    pub fn to_file(&self) -> Result<Vec<u8>, LatentError> {
        let mut tensors = vec![("w".to_owned(), vec![self.rows, self.dim], self.w.as_slice())];
        if let Some(z) = &self.z {
            tensors.push(("z".to_owned(), vec![z.len()], z));
        }
        for (layer, map) in self.noise_maps.iter().flatten().enumerate() {
            tensors.push((noise_name(layer), vec![map.len()], map));
        }
        Ok(container::write(WHAT, &tensors, &self.about())?)
    }

    /// Reads a code file of at most [`MAX_FILE_BYTES`]. Strict: other tensors or types are errors.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_file(bytes: &[u8]) -> Result<Self, LatentError> {
        let mut contents = container::read::<About>(WHAT, bytes, MAX_FILE_BYTES)?;
        let (rows, _, w) = contents.matrix("w")?;
        let z = contents.vector("z")?.map(Packed);
        let mut maps = Vec::new();
        while let Some(map) = contents.vector(&noise_name(maps.len()))? {
            maps.push(Packed(map));
        }
        let noise_maps = (!maps.is_empty()).then_some(maps);
        Stored { rows, w: Packed(w), z, noise_maps, about: contents.finish()? }.try_into()
    }

    fn about(&self) -> About {
        About {
            model_sha256: self.model.clone(),
            class: self.class,
            noise: self.noise,
            tuning_sha256: self.tuning.clone(),
        }
    }
}

fn noise_name(layer: usize) -> String {
    format!("noise.{layer}")
}

/// Whether it is a SHA-256 as it is written here: 64 small hexadecimal digits.
pub(super) fn check_hash(hash: &str) -> Result<(), LatentError> {
    if hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    Err(LatentError::Hash(hash.chars().take(80).collect()))
}

impl From<Code> for Stored {
    fn from(code: Code) -> Self {
        let about = code.about();
        let noise_maps = code.noise_maps.map(|maps| maps.into_iter().map(Packed).collect());
        let (rows, w, z) = (code.rows, Packed(code.w), code.z.map(Packed));
        Self { rows, w, z, noise_maps, about }
    }
}

impl TryFrom<Stored> for Code {
    type Error = LatentError;

    fn try_from(stored: Stored) -> Result<Self, LatentError> {
        let About { model_sha256, class, noise, tuning_sha256 } = stored.about;
        let code = Self::new(stored.rows, stored.w.0, &model_sha256)?;
        let code = Self { class, noise, ..code };
        let code = match tuning_sha256 {
            Some(hash) => code.with_tuning(&hash)?,
            None => code,
        };
        let code = match stored.noise_maps {
            Some(maps) => code.with_noise_maps(maps.into_iter().map(|map| map.0).collect())?,
            None => code,
        };
        match stored.z {
            Some(Packed(z)) => code.with_z(z),
            None => Ok(code),
        }
    }
}
