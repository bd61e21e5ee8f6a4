//! What a layer remembers of a portrait edit, so that its sliders still move years later.

use serde::{Deserialize, Serialize};

use super::{CropTransform, PortraitError, SoftMask};
use crate::latent::{Code, EditStack};

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// A portrait edit. The photo itself stays in its layer; the model is known by the SHA-256 that
/// the code carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub version: u32,
    /// Id or file of the generator, for people and for finding it again.
    pub model: String,
    /// What the inversion found, before any edit.
    pub code: Code,
    pub stack: EditStack,
    pub crop: CropTransform,
    pub mask: SoftMask,
    /// Whether only the difference is transferred, or the generator's picture replaces the
    /// photo's.
    pub residual: bool,
    /// How near the generator comes to the photo, in dB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity_db: Option<f64>,
}

impl Recipe {
    /// As the JSON of a layer.
    ///
    /// # Errors
    /// Only where the machine cannot hold it.
    pub fn to_json(&self) -> Result<serde_json::Value, PortraitError> {
        serde_json::to_value(self).map_err(|err| PortraitError::Recipe(err.to_string()))
    }

    /// From the JSON of a layer; strict, and bounded by the sizes of its parts.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, PortraitError> {
        // A later version may have other fields: name the version, not the field.
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => {
                Err(PortraitError::Recipe(format!("version {version} is unknown")))
            }
            _ => Self::deserialize(value).map_err(|err| PortraitError::Recipe(err.to_string())),
        }
    }
}
