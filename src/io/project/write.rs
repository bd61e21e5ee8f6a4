//! From a document to a project file.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::record::{
    Content, FORMAT, ImageRecord, LayerRecord, MaskRecord, MetadataRecord, Record, VERSION,
};
use super::zip::Writer;
use super::{
    DOCUMENT_ENTRY, Fault, MAX_CODES_BYTES, MIME, MIME_ENTRY, ProjectError, check_tunings, codes,
    image,
};
use crate::document::{Document, Layer, LayerKind, Synthesis};
use crate::io::Format;
use crate::io::save::{SaveError, check_place, put_in_place};
use crate::pixels::TiledImage;

/// Writes `document` to `path`; either the whole project is there afterwards or what was there
/// before. `original` names the picture it was made of. `progress` is told the part that is done
/// (`0..=1`) and answers whether to go on.
pub fn save(
    path: &Path,
    document: &Document,
    original: Option<&Path>,
    progress: &mut dyn FnMut(f32) -> bool,
) -> Result<(), ProjectError> {
    check_place(path)?;
    put_in_place(path, |file| write(file, document, original, progress)).map_err(|fault| {
        let path = path.to_path_buf();
        match fault {
            Fault::Io(cause) => SaveError::Write { cause, path }.into(),
            Fault::Damaged(reason) | Fault::Refused(reason) => {
                ProjectError::Unsavable { path, reason }
            }
            Fault::Version(version) => ProjectError::Version { path, version },
            Fault::Cancelled => ProjectError::Cancelled,
        }
    })
}

fn write(
    file: &mut File,
    document: &Document,
    original: Option<&Path>,
    progress: &mut dyn FnMut(f32) -> bool,
) -> Result<(), Fault> {
    let mut images = 0;
    document.for_each_image(&mut |_| images += 1);
    let mut zip = Writer::new(BufWriter::new(file));
    zip.add(MIME_ENTRY, MIME.as_bytes())?;
    let (codes, codes_bytes, tunings) = (0, 0, Vec::new());
    let mut entries = Entries { zip, images, done: 0, codes, codes_bytes, tunings, progress };
    let record = entries.document(document, original)?;
    let json = serde_json::to_vec_pretty(&record)
        .map_err(|err| Fault::Damaged(format!("document.json: {err}")))?;
    // What could not be opened again is not saved.
    Record::parse(&json)?;
    let mut zip = entries.zip;
    zip.add(DOCUMENT_ENTRY, &json)?;
    zip.finish()
}

/// Writes entries and describes what they hold.
struct Entries<'a, W> {
    zip: Writer<W>,
    images: usize,
    done: usize,
    codes: usize,
    codes_bytes: u64,
    /// Each is stored once.
    tunings: Vec<Arc<[u8]>>,
    progress: &'a mut dyn FnMut(f32) -> bool,
}

impl<W: std::io::Write> Entries<'_, W> {
    fn document(&mut self, document: &Document, original: Option<&Path>) -> Result<Record, Fault> {
        let metadata = &document.metadata;
        let selection = document.selection.as_ref();
        Ok(Record {
            format: FORMAT.into(),
            version: VERSION,
            size: document.size,
            depth: document.depth,
            profile: self.blob("profile.icc", document.profile.icc.as_deref())?,
            metadata: MetadataRecord {
                exif: self.blob("metadata/exif", metadata.exif.as_deref())?,
                xmp: self.blob("metadata/xmp", metadata.xmp.as_deref())?,
                iptc: self.blob("metadata/iptc", metadata.iptc.as_deref())?,
                pixels_per_inch: metadata.pixels_per_inch,
            },
            selection: match selection {
                Some(selection) => Some(self.image(selection, (0, 0), "selection.png")?),
                None => None,
            },
            active: document.active.and_then(|id| index_path(&document.layers, id)),
            original: original.map(|path| path.to_string_lossy().into_owned()),
            layers: self.layers(&document.layers)?,
        })
    }

    fn layers(&mut self, layers: &[Arc<Layer>]) -> Result<Vec<LayerRecord>, Fault> {
        layers.iter().map(|layer| self.layer(layer)).collect()
    }

    fn layer(&mut self, layer: &Layer) -> Result<LayerRecord, Fault> {
        let mask = match &layer.mask {
            Some(mask) => {
                let entry = format!("masks/{}.png", self.done);
                let image = self.image(&mask.image, mask.origin, &entry)?;
                Some(MaskRecord { enabled: mask.enabled, image })
            }
            None => None,
        };
        let content = match &layer.kind {
            LayerKind::Raster(raster) => {
                let entry = format!("layers/{}.png", self.done);
                Content::Raster(self.image(&raster.image, raster.origin, &entry)?)
            }
            LayerKind::Generated(generated) => {
                let entry = format!("layers/{}.png", self.done);
                let raster = &generated.raster;
                let image = self.image(&raster.image, raster.origin, &entry)?;
                let recipe = self.recipe(&generated.recipe)?;
                let (mut tuning, mut picture) = (None, None);
                match &generated.attachment {
                    Some(file) if Format::from_bytes(file) == Some(Format::Png) => {
                        let entry = format!("recipes/{}.png", self.done);
                        picture = self.blob(&entry, Some(file))?;
                    }
                    Some(file) => tuning = Some(self.tuning(file)?),
                    None => {}
                }
                Content::Generated { image, recipe, tuning, picture }
            }
            LayerKind::Adjustment(adjustment) => Content::Adjustment {
                op: adjustment.op.clone(),
                params: adjustment.params.clone(),
                version: adjustment.version,
            },
            LayerKind::Group(layers) => Content::Group(self.layers(layers)?),
        };
        // What shows no pixels has no source; a plain layer without a word has none either.
        let synthesis = match &layer.kind {
            LayerKind::Raster(raster) if raster.synthesis == Synthesis::None => None,
            _ => layer.raster_content().map(|raster| raster.synthesis),
        };
        let props = &layer.props;
        Ok(LayerRecord {
            name: props.name.to_string(),
            visible: props.visible,
            locked: props.locked,
            opacity: props.opacity,
            blend: props.blend,
            mask,
            content,
            synthesis,
        })
    }

    fn recipe(&mut self, recipe: &Json) -> Result<Json, Fault> {
        let mut recipe = recipe.clone();
        codes::take_out(&mut recipe, &mut |file| {
            self.codes_bytes += file.len() as u64;
            if self.codes_bytes > MAX_CODES_BYTES {
                let reason = format!("its latent codes have more than {MAX_CODES_BYTES} bytes");
                return Err(Fault::Refused(reason));
            }
            let entry = format!("codes/{}.safetensors", self.codes);
            self.codes += 1;
            self.zip.add(&entry, file)?;
            Ok(entry)
        })?;
        Ok(recipe)
    }

    fn tuning(&mut self, file: &Arc<[u8]>) -> Result<String, Fault> {
        let entry = |at: usize| format!("tunings/{at}.safetensors");
        let same = |have: &Arc<[u8]>| Arc::ptr_eq(have, file) || have == file;
        if let Some(at) = self.tunings.iter().position(same) {
            return Ok(entry(at));
        }
        let entry = entry(self.tunings.len());
        self.tunings.push(Arc::clone(file));
        check_tunings(self.tunings.iter())?;
        self.zip.add(&entry, file)?;
        Ok(entry)
    }

    fn image(
        &mut self,
        image: &TiledImage,
        origin: (i32, i32),
        entry: &str,
    ) -> Result<ImageRecord, Fault> {
        let (record, png) = image::store(image, origin, entry)?;
        if record.pixels.is_some() {
            self.zip.add(entry, &png)?;
        }
        self.done += 1;
        if !(self.progress)(self.done as f32 / self.images as f32) {
            return Err(Fault::Cancelled);
        }
        Ok(record)
    }

    fn blob(&mut self, entry: &str, bytes: Option<&[u8]>) -> Result<Option<String>, Fault> {
        let Some(bytes) = bytes else { return Ok(None) };
        self.zip.add(entry, bytes)?;
        Ok(Some(entry.into()))
    }
}

/// Where a layer stands, group by group.
fn index_path(layers: &[Arc<Layer>], id: crate::document::LayerId) -> Option<Vec<usize>> {
    layers.iter().enumerate().find_map(|(index, layer)| {
        if layer.id == id {
            return Some(vec![index]);
        }
        let mut path = index_path(layer.children()?, id)?;
        path.insert(0, index);
        Some(path)
    })
}
