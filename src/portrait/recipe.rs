//! What a layer remembers of a latent edit, so that its sliders still move years later.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CropTransform, PortraitError, SoftMask};
use crate::latent::{Code, EditStack};

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// An edit of a generator's picture. The model is known by the SHA-256 that the code carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub version: u32,
    /// Id or file of the generator, for people and for finding it again.
    pub model: String,
    /// Before any edit; what the inversion found, where a face of a photo is edited.
    pub code: Code,
    pub stack: EditStack,
    /// Where in the picture below the layer the face is; `None` for a picture of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where a face is in its photo, and how its edit comes back. The photo stays in its layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub crop: CropTransform,
    pub mask: SoftMask,
    /// Whether only the difference is transferred, or the generator's picture replaces the
    /// photo's.
    pub residual: bool,
    /// How near the generator comes to the photo, in dB.
    pub fidelity_db: f64,
}

/// As a layer keeps it, among the recipes of other tools.
#[derive(Serialize, Deserialize)]
struct OfLayer<T> {
    tool: String,
    edit: T,
}

impl Recipe {
    /// Name of the tool in the recipes of layers.
    pub const TOOL: &str = "Latent";

    /// As the JSON of a layer, `{"tool": "Latent", "edit": …}`.
    ///
    /// # Errors
    /// Only where the machine cannot hold it.
    pub fn to_json(&self) -> Result<Value, PortraitError> {
        serde_json::to_value(OfLayer { tool: Self::TOOL.into(), edit: self })
            .map_err(|err| PortraitError::Recipe(err.to_string()))
    }

    /// From the JSON of a layer; strict, and bounded by the sizes of its parts. `None` for the
    /// recipe of another tool.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(value: &Value) -> Result<Option<Self>, PortraitError> {
        if value.get("tool").and_then(Value::as_str) != Some(Self::TOOL) {
            return Ok(None);
        }
        // A later version may have other fields: name the version, not the field.
        match value["edit"].get("version").and_then(Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => {
                Err(PortraitError::Recipe(format!("version {version} is unknown")))
            }
            _ => OfLayer::deserialize(value)
                .map(|of_layer: OfLayer<Self>| Some(of_layer.edit))
                .map_err(|err| PortraitError::Recipe(err.to_string())),
        }
    }
}
