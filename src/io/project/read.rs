//! From a project file to a document.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::record::{Channels, Content, ImageRecord, LayerRecord, Record};
use super::zip::Archive;
use super::{
    DOCUMENT_ENTRY, Fault, MAX_CODES_BYTES, MIME, MIME_ENTRY, ProjectError, check_tunings, codes,
    image,
};
use crate::color::WorkingProfile;
use crate::document::{
    Adjustment, Canvas, Document, Generated, Layer, LayerId, LayerKind, LayerMask, Metadata,
    Raster, Synthesis,
};
use crate::io::guard::guarded;
use crate::latent::{MAX_CODE_FILE_BYTES, MAX_TUNING_FILE_BYTES, Tuning};
use crate::pixels::{Depth, TiledImage};

/// Largest `document.json`.
const MAX_DOCUMENT_BYTES: u64 = 32 << 20;
/// Largest profile or block of metadata.
const MAX_BLOB_BYTES: u64 = 64 << 20;
/// Largest PNG.
const MAX_IMAGE_BYTES: u64 = 2 << 30;

/// An opened project.
#[derive(Clone, Debug)]
pub struct Project {
    pub document: Document,
    /// The picture that it was made of, as it was called then; a hint.
    pub original: Option<PathBuf>,
    pub file_bytes: u64,
}

/// Opens a project file. Nothing in it is unpacked to disk, and nothing larger than the limits
/// of [`super::record`] is ever allocated.
pub fn open(path: &Path) -> Result<Project, ProjectError> {
    let result = guarded(|| read(path)).unwrap_or_else(|reason| Err(Fault::Damaged(reason)));
    result.map_err(|fault| {
        let path = path.to_path_buf();
        match fault {
            Fault::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                ProjectError::Damaged { path, reason: "it ends early".into() }
            }
            Fault::Io(source) => ProjectError::Read { path, source },
            Fault::Damaged(reason) => ProjectError::Damaged { path, reason },
            Fault::Refused(reason) => ProjectError::Refused { path, reason },
            Fault::Version(version) => ProjectError::Version { path, version },
            Fault::Cancelled => ProjectError::Cancelled,
        }
    })
}

fn read(path: &Path) -> Result<Project, Fault> {
    // Pipes and devices may have no end, and opening some of them waits: look first.
    let facts = std::fs::metadata(path)?;
    if !facts.is_file() {
        return Err(Fault::Refused("it is no regular file".into()));
    }
    let mut archive = Archive::open(BufReader::new(File::open(path)?))?;
    if archive.read(MIME_ENTRY, MIME.len() as u64).ok().as_deref() != Some(MIME.as_bytes()) {
        return Err(Fault::Damaged("it does not say that it is a project".into()));
    }
    let record = Record::parse(&archive.read(DOCUMENT_ENTRY, MAX_DOCUMENT_BYTES)?)?;
    let (depth, tunings) = (record.depth, BTreeMap::new());
    let document = Reader { archive, depth, codes_bytes: 0, tunings }.document(&record)?;
    let original = record.original.map(PathBuf::from);
    Ok(Project { document, original, file_bytes: facts.len() })
}

struct Reader<R> {
    archive: Archive<R>,
    depth: Depth,
    /// One entry may be named many times.
    codes_bytes: u64,
    tunings: BTreeMap<String, Arc<[u8]>>,
}

impl<R: Read + Seek> Reader<R> {
    fn document(&mut self, record: &Record) -> Result<Document, Fault> {
        let profile = match self.blob(record.profile.as_deref())? {
            None => WorkingProfile::srgb(),
            Some(icc) => WorkingProfile::from_icc(&icc)
                .map_err(|err| Fault::Damaged(format!("its profile: {err}")))?,
        };
        let layers = self.layers(&record.layers)?;
        let selection = record.selection.as_ref();
        let selection = selection.map(|image| self.image(image, Channels::Mask)).transpose()?;
        let active = match &record.active {
            None => None,
            Some(path) => Some(
                layer_at(&layers, path)
                    .ok_or_else(|| Fault::Damaged("its active layer does not exist".into()))?,
            ),
        };
        let metadata = Metadata {
            exif: self.blob(record.metadata.exif.as_deref())?,
            xmp: self.blob(record.metadata.xmp.as_deref())?,
            iptc: self.blob(record.metadata.iptc.as_deref())?,
            pixels_per_inch: record.metadata.pixels_per_inch,
        };
        let (size, depth) = (record.size, record.depth);
        let canvas = Canvas { size, depth, profile, layers, active, selection };
        Document::from_canvas(canvas, metadata).map_err(|err| Fault::Damaged(err.to_string()))
    }

    fn layers(&mut self, records: &[LayerRecord]) -> Result<Vec<Arc<Layer>>, Fault> {
        records.iter().map(|record| Ok(Arc::new(self.layer(record)?))).collect()
    }

    fn layer(&mut self, record: &LayerRecord) -> Result<Layer, Fault> {
        let synthesis = record.synthesis;
        let kind = match &record.content {
            Content::Raster(image) => {
                LayerKind::Raster(self.raster(image)?.by(synthesis.unwrap_or_default()))
            }
            Content::Generated { image, recipe, tuning, picture } => {
                let attachment = match tuning {
                    Some(entry) => Some(self.tuning(entry)?),
                    None => self.blob(picture.as_deref())?,
                };
                let synthesis = synthesis.unwrap_or_else(|| by_recipe(recipe));
                let raster = self.raster(image)?.by(synthesis);
                let recipe = Arc::new(self.recipe(recipe)?);
                LayerKind::Generated(Generated { raster, recipe, attachment })
            }
            Content::Adjustment { op, params, version } => LayerKind::Adjustment(Adjustment {
                op: op.clone(),
                params: params.clone(),
                version: *version,
            }),
            Content::Group(layers) => LayerKind::Group(self.layers(layers)?),
        };
        let mask = match &record.mask {
            None => None,
            Some(mask) => Some(LayerMask {
                image: self.image(&mask.image, Channels::Mask)?,
                origin: mask.image.origin,
                enabled: mask.enabled,
            }),
        };
        Ok(Layer { id: LayerId::fresh(), props: record.into(), mask, kind })
    }

    fn recipe(&mut self, recipe: &Json) -> Result<Json, Fault> {
        let mut recipe = recipe.clone();
        codes::put_back(&mut recipe, &mut |entry| {
            let file = self.archive.read(entry, MAX_CODE_FILE_BYTES as u64)?;
            self.codes_bytes += file.len() as u64;
            if self.codes_bytes > MAX_CODES_BYTES {
                let reason = format!("its latent codes have more than {MAX_CODES_BYTES} bytes");
                return Err(Fault::Refused(reason));
            }
            Ok(file)
        })?;
        Ok(recipe)
    }

    /// What a generator was tuned by; each is read once.
    fn tuning(&mut self, entry: &str) -> Result<Arc<[u8]>, Fault> {
        if let Some(file) = self.tunings.get(entry) {
            return Ok(Arc::clone(file));
        }
        let file: Arc<[u8]> = self.archive.read(entry, MAX_TUNING_FILE_BYTES as u64)?.into();
        Tuning::from_file(Arc::clone(&file))
            .map_err(|err| Fault::Damaged(format!("'{entry}': {err}")))?;
        self.tunings.insert(entry.to_owned(), Arc::clone(&file));
        check_tunings(self.tunings.values())?;
        Ok(file)
    }

    fn raster(&mut self, record: &ImageRecord) -> Result<Raster, Fault> {
        Ok(Raster::new(self.image(record, Channels::Rgba)?, record.origin))
    }

    fn image(&mut self, record: &ImageRecord, channels: Channels) -> Result<TiledImage, Fault> {
        let depth = if channels == Channels::Mask { Depth::U8 } else { self.depth };
        image::load(record, channels, depth, |entry| self.archive.read(entry, MAX_IMAGE_BYTES))
    }

    fn blob(&mut self, entry: Option<&str>) -> Result<Option<Arc<[u8]>>, Fault> {
        let Some(entry) = entry else { return Ok(None) };
        Ok(Some(self.archive.read(entry, MAX_BLOB_BYTES)?.into()))
    }
}

/// Of a generated layer in a file that does not say it: only patches of the picture itself and
/// patterns need no network.
fn by_recipe(recipe: &Json) -> Synthesis {
    let word = |key: &str| recipe.get(key).and_then(Json::as_str);
    match (word("model"), word("tool")) {
        (Some("patches"), _) | (_, Some("Pattern")) => Synthesis::None,
        _ => Synthesis::All,
    }
}

fn layer_at(layers: &[Arc<Layer>], path: &[usize]) -> Option<LayerId> {
    let (&index, rest) = path.split_first()?;
    let layer = layers.get(index)?;
    if rest.is_empty() { Some(layer.id) } else { layer_at(layer.children()?, rest) }
}
