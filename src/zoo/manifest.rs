//! `model.toml`: what a person should know about one checkpoint.

use serde::{Deserialize, Serialize};

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Enlarges pictures.
    Upscale,
    /// Draws pictures from seeds.
    Generate,
    /// Fills what a mask covers: picture and mask in.
    Inpaint,
    /// Takes noise out; a second input, where there is one, is its standard deviation.
    Denoise,
    /// Lights dark pictures.
    Light,
    /// Restyles; the second input is a weight for each of its own styles.
    Style,
    /// Makes a style vector of a picture.
    StyleVector,
    /// Restyles; the second input is a style vector.
    StyleTransfer,
    /// Turns pictures of one kind into another.
    Translate,
    /// Gives colours to a lightness: L of L*a*b* in, a and b out.
    Colorize,
    /// Redraws a damaged face that is aligned.
    RestoreFace,
    /// Says what each pixel belongs to.
    Segment,
    /// Finds faces.
    FaceDetect,
    /// Finds the points of a face.
    FaceLandmarks,
    /// Finds 68 points of a face.
    FacePoints,
    /// Reads a face's expression.
    Expression,
    /// Guesses a face's age and gender.
    AgeGender,
    /// Activations that other tools compare.
    Features,
    /// Activations by which metrics compare pictures.
    Judge,
    /// Reads a face's code for a generator.
    Encode,
    /// Describes faces, so that a search for a code can keep to one.
    Identity,
}

impl Purpose {
    /// What a network of another purpose does not do, as the end of a sentence.
    pub const fn negated(self) -> &'static str {
        match self {
            Self::Upscale => "enlarges no pictures",
            Self::Generate => "draws no pictures from seeds",
            Self::Inpaint => "fills no holes",
            Self::Denoise => "takes out no noise",
            Self::Light => "lights no dark pictures",
            Self::Style | Self::StyleTransfer => "restyles no pictures",
            Self::StyleVector => "reads no style from a picture",
            Self::Translate => "translates no pictures",
            Self::Colorize => "gives pictures no colours",
            Self::RestoreFace => "restores no faces",
            Self::Segment => "selects nothing",
            Self::FaceDetect => "finds no faces",
            Self::FaceLandmarks => "finds no points of a face",
            Self::FacePoints => "finds no 68 points of a face",
            Self::Expression => "reads no expressions",
            Self::AgeGender => "guesses no age",
            Self::Features => "yields no features",
            Self::Judge => "compares no pictures",
            Self::Encode => "reads no codes",
            Self::Identity => "describes no faces",
        }
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Upscale => "upscale",
            Self::Generate => "generate",
            Self::Inpaint => "inpaint",
            Self::Denoise => "denoise",
            Self::Light => "light",
            Self::Style => "style",
            Self::StyleVector => "style vector",
            Self::StyleTransfer => "style transfer",
            Self::Translate => "translate",
            Self::Colorize => "colourising",
            Self::RestoreFace => "restoring faces",
            Self::Segment => "segment",
            Self::FaceDetect => "face detection",
            Self::FaceLandmarks => "face landmarks",
            Self::FacePoints => "68 points of a face",
            Self::Expression => "expression",
            Self::AgeGender => "age and gender",
            Self::Features => "features",
            Self::Judge => "metrics",
            Self::Encode => "codes of faces",
            Self::Identity => "likeness of faces",
        })
    }
}

/// One checkpoint: `models/<id>/model.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name of the folder.
    pub id: String,
    /// Name in the window.
    pub name: String,
    /// The architecture that detection finds in the file.
    pub architecture: String,
    pub purpose: Purpose,
    /// Result side over source side; 1 for generators.
    pub scale: u32,
    /// File beside the manifest.
    pub weights: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// SPDX expression, or words where none is known.
    pub licence: String,
    /// Where the weights come from and what was done to them.
    pub provenance: String,
    /// One line on what it suits, such as "made for drawings".
    #[serde(default)]
    pub suits: String,
    /// Restrictions that a user must hear of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// A file beside the manifest with an encoder into a generator's codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Beside>,
}

/// A file that belongs to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    pub file: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("{0}")]
    Syntax(String),
    #[error("its {field} '{value}' {fault}")]
    Field { field: &'static str, value: String, fault: &'static str },
}

impl Manifest {
    /// Reads a manifest that lies in the folder `folder`.
    pub fn parse(text: &str, folder: &str) -> Result<Self, ManifestError> {
        let manifest: Self =
            toml::from_str(text).map_err(|err| ManifestError::Syntax(err.message().to_owned()))?;
        let fault = |field, value: &str, fault| {
            Err(ManifestError::Field { field, value: value.to_owned(), fault })
        };
        if manifest.id != folder {
            return fault("id", &manifest.id, "is not the name of its folder");
        }
        if !is_valid_id(&manifest.id) {
            return fault("id", &manifest.id, "has other than letters, digits, - _ and .");
        }
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let own = ("weights", &manifest.weights, &manifest.sha256);
        let beside = manifest.encoder.as_ref().map(|of| ("encoder", &of.file, &of.sha256));
        for (field, file, sha256) in std::iter::once(own).chain(beside) {
            if file.is_empty() || file.contains(['/', '\\', ':']) || file.starts_with('.') {
                return fault(field, file, "is not a plain file name");
            }
            if sha256.len() != 64 || !sha256.bytes().all(hexadecimal) {
                return fault("sha256", sha256, "is not 64 hexadecimal digits");
            }
        }
        Ok(manifest)
    }

    pub fn to_toml(&self) -> Result<String, ManifestError> {
        toml::to_string(self).map_err(|err| ManifestError::Syntax(err.to_string()))
    }
}

/// Whether `id` can name a folder anywhere: no separators, no leading dot, at most 64 bytes.
pub(super) fn is_valid_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&id.len()) && !id.starts_with('.') && id.bytes().all(plain)
}
