//! `document.json`: a document without its pixels, and what of it is acceptable.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Fault;
use crate::document::{BlendMode, LayerProps, Synthesis};
use crate::geom::{IRect, MAX_PIXELS, MAX_SIDE, Size};
use crate::ops::{self, Kind};
use crate::params::Params;
use crate::pixels::{Depth, TILE};

/// The layout written down here.
pub(super) const VERSION: u64 = 1;
pub(super) const FORMAT: &str = "ganvas-project";

/// Most layers, groups counted.
const MAX_LAYERS: usize = 4096;
/// Most groups inside one another.
const MAX_DEPTH: usize = 32;
/// Longest name of a layer in bytes.
const MAX_NAME: usize = 1024;
/// What all pixels together may take in memory.
const MAX_PIXEL_BYTES: u64 = 8 << 30;
/// Farthest place of a layer from the canvas, in pixels.
const MAX_PLACE: i32 = 1 << 28;

/// What every version says.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub format: String,
    pub version: u64,
    pub size: Size,
    pub depth: Depth,
    /// The entry with the ICC profile; none is sRGB.
    pub profile: Option<String>,
    pub metadata: MetadataRecord,
    pub selection: Option<ImageRecord>,
    /// Index at the top, then in each group; bottom first.
    pub active: Option<Vec<usize>>,
    /// The picture that it was made of, as a hint.
    pub original: Option<String>,
    /// Bottom first.
    pub layers: Vec<LayerRecord>,
}

/// Entries with what the document carries beside pixels.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MetadataRecord {
    pub exif: Option<String>,
    pub xmp: Option<String>,
    pub iptc: Option<String>,
    pub pixels_per_inch: Option<(f32, f32)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerRecord {
    pub name: String,
    pub visible: bool,
    pub locked: bool,
    pub opacity: f32,
    pub blend: BlendMode,
    pub mask: Option<MaskRecord>,
    pub content: Content,
    /// How far a network had a hand in the pixels. Older files say it of no layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthesis: Option<Synthesis>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Content {
    Raster(ImageRecord),
    Generated {
        image: ImageRecord,
        /// Latent codes in it stand as `{"$code": ENTRY}`.
        recipe: Json,
        /// The entry with what the generator was tuned by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tuning: Option<String>,
        /// The entry with a picture that the recipe needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture: Option<String>,
    },
    Adjustment {
        op: String,
        params: Params,
        version: u32,
    },
    Group(Vec<LayerRecord>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaskRecord {
    pub enabled: bool,
    pub image: ImageRecord,
}

/// A tiled image: an extent that shows `fill` but in one area.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageRecord {
    pub size: Size,
    /// Document position of its top left pixel.
    pub origin: (i32, i32),
    /// Raw samples.
    pub fill: [u16; 4],
    pub pixels: Option<PixelsRecord>,
}

/// A PNG with exactly the pixels of `area`, in image coordinates.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PixelsRecord {
    pub entry: String,
    pub area: IRect,
}

impl Record {
    /// Reads and checks `document.json`; the writer's own work goes through here too, so that
    /// what is saved can be opened.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Fault> {
        let damaged = |err: serde_json::Error| Fault::Damaged(format!("document.json: {err}"));
        let head: Head = serde_json::from_slice(json).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(Fault::Damaged("its document.json is of something else".into()));
        }
        if head.version != VERSION {
            return Err(Fault::Version(head.version));
        }
        let record: Self = serde_json::from_slice(json).map_err(damaged)?;
        record.check()?;
        Ok(record)
    }

    fn check(&self) -> Result<(), Fault> {
        if !self.size.is_acceptable() {
            return Err(Fault::Refused(format!("its canvas is {}", self.size)));
        }
        let mut tally = Tally { depth: self.depth, layers: 0, bytes: 0 };
        if let Some(selection) = &self.selection {
            if selection.size != self.size || selection.origin != (0, 0) {
                return Err(Fault::Damaged("its selection does not cover the canvas".into()));
            }
            tally.image(selection, Channels::Mask)?;
        }
        tally.layers(&self.layers, 0)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Channels {
    Mask,
    Rgba,
}

impl Channels {
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Mask => 1,
            Self::Rgba => 4,
        }
    }
}

/// Sums over a whole record.
struct Tally {
    depth: Depth,
    layers: usize,
    bytes: u64,
}

impl Tally {
    fn layers(&mut self, layers: &[LayerRecord], nesting: usize) -> Result<(), Fault> {
        if nesting > MAX_DEPTH {
            let reason = format!("its groups lie more than {MAX_DEPTH} deep");
            return Err(Fault::Refused(reason));
        }
        self.layers += layers.len();
        if self.layers > MAX_LAYERS {
            return Err(Fault::Refused(format!("it has more than {MAX_LAYERS} layers")));
        }
        layers.iter().try_for_each(|layer| self.layer(layer, nesting))
    }

    fn layer(&mut self, layer: &LayerRecord, nesting: usize) -> Result<(), Fault> {
        if layer.name.len() > MAX_NAME {
            return Err(Fault::Refused(format!("a layer's name has {} bytes", layer.name.len())));
        }
        if !(0.0..=1.0).contains(&layer.opacity) {
            return Err(Fault::Damaged(format!("'{}' has a wrong opacity", layer.name)));
        }
        if let Some(mask) = &layer.mask {
            self.image(&mask.image, Channels::Mask)?;
        }
        match &layer.content {
            Content::Raster(image) | Content::Generated { image, .. } => {
                self.image(image, Channels::Rgba)
            }
            Content::Adjustment { op, params, version } => check_adjustment(op, params, *version),
            Content::Group(layers) => self.layers(layers, nesting + 1),
        }
    }

    fn image(&mut self, image: &ImageRecord, channels: Channels) -> Result<(), Fault> {
        let ImageRecord { size, origin, fill, pixels } = image;
        let place = -MAX_PLACE..=MAX_PLACE;
        if size.width > MAX_SIDE || size.height > MAX_SIDE || size.pixels() > MAX_PIXELS {
            return Err(Fault::Refused(format!("a layer of {size} pixels")));
        }
        if !place.contains(&origin.0) || !place.contains(&origin.1) {
            return Err(Fault::Refused(format!("a layer at {}, {}", origin.0, origin.1)));
        }
        let depth = if channels == Channels::Mask { Depth::U8 } else { self.depth };
        if fill.iter().any(|&sample| sample > depth.max()) {
            return Err(Fault::Damaged("a layer is filled with more than white".into()));
        }
        let Some(pixels) = pixels else { return Ok(()) };
        if pixels.area.is_empty() || pixels.area.intersect(size.rect()) != pixels.area {
            return Err(Fault::Damaged(format!("'{}' lies outside its layer", pixels.entry)));
        }
        self.bytes += tiles(pixels.area) * tile_bytes(channels, depth);
        if self.bytes > MAX_PIXEL_BYTES {
            let reason = format!("its pixels take more than {} GiB", MAX_PIXEL_BYTES >> 30);
            return Err(Fault::Refused(reason));
        }
        Ok(())
    }
}

/// Tiles that an area touches: each is in memory as a whole.
fn tiles(area: IRect) -> u64 {
    let along = |from: i32, to: i32| u64::from((to as u32).div_ceil(TILE) - from as u32 / TILE);
    along(area.x0, area.x1) * along(area.y0, area.y1)
}

const fn tile_bytes(channels: Channels, depth: Depth) -> u64 {
    (TILE * TILE) as u64 * (channels.count() * depth.bytes()) as u64
}

/// An operation that this program does not know is kept and shows nothing; one that it knows
/// must have values that it accepts.
fn check_adjustment(name: &str, params: &Params, version: u32) -> Result<(), Fault> {
    let Some(op) = ops::find(name) else { return Ok(()) };
    let spec = op.spec();
    if version > spec.version {
        return Err(Fault::Refused(format!("its '{name}' is of a newer version of this program")));
    }
    if spec.kind == Kind::Geometry {
        return Err(Fault::Damaged(format!("'{name}' is no adjustment")));
    }
    let values = params.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    match Params::from_values(spec.params, &values) {
        Ok(_) => Ok(()),
        Err(err) => Err(Fault::Damaged(format!("its '{name}': {err}"))),
    }
}

impl From<&LayerRecord> for LayerProps {
    fn from(record: &LayerRecord) -> Self {
        Self {
            name: record.name.as_str().into(),
            visible: record.visible,
            locked: record.locked,
            opacity: record.opacity,
            blend: record.blend,
        }
    }
}
