//! A face of the picture in front: its code, and its edit back in the picture.

use std::sync::Arc;

use super::{Frame, Source};
use crate::app::draft::without;
use crate::app::state::TabId;
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::commands::results::changed_only;
use crate::document::{Document, Generated, Layer, LayerId, LayerKind, Raster};
use crate::faces::Bounds;
use crate::geom::{Point, Size};
use crate::infer::protocol::Analysed;
use crate::nets::Planes;
use crate::pixels::{Depth, PixelBuf, TiledImage};
use crate::portrait::{ColorMatch, Paste, Patch, Transfer};

/// A generator that draws this much finer than the face in the photo replaces it; a coarser one
/// only passes on what an edit changes.
const REPLACES_FROM: f64 = 1.0;

/// Side of the small picture of a face, and how much of its surroundings it shows.
const FACE_PX: u32 = 96;
const FACE_MARGIN: f32 = 1.25;

/// What was found in a photo.
#[derive(Clone)]
pub struct Photo {
    pub tab: TabId,
    /// The picture over the canvas, RGBA in `profile`.
    pub image: Arc<PixelBuf>,
    pub profile: WorkingProfile,
    pub found: Arc<Analysed>,
    /// Whether only the difference that an edit makes is transferred.
    pub residual: bool,
    /// The faces of the picture, where there are several, and which of them it is.
    pub faces: Vec<Frame>,
    pub face: usize,
}

impl Photo {
    pub fn new(Source { tab, profile, image }: Source, found: Analysed) -> Self {
        let side = found.reconstruction.width as f64;
        let residual = side < found.crop.side_px() * REPLACES_FROM;
        let (x, y) = found.crop.photo_from_unit().apply(0.5, 0.5);
        let here = Point::new(x as f32, y as f32);
        let far = |at: &usize| found.faces[*at].centre().distance(here);
        let face = (0..found.faces.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0);
        let several = if found.faces.len() > 1 { &found.faces[..] } else { &[] };
        let faces = several.iter().map(|face| small(&image, *face)).collect();
        Self { tab, image, profile, found: Arc::new(found), residual, faces, face }
    }

    /// The part of the photo that `edited` changes, transparent where it stays: its pixels, and
    /// the position of the top left one.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn paste(&self, edited: &Planes) -> Result<(PixelBuf, (i32, i32)), String> {
        let Analysed { crop, mask, reconstruction, .. } = &*self.found;
        let transfer = if self.residual {
            Transfer::Residual(reconstruction)
        } else {
            Transfer::Replace(ColorMatch::NONE)
        };
        let (photo, profile, limit, strength) = (&*self.image, &self.profile, None, 1.0);
        let paste = Paste { photo, profile, crop, mask, limit, strength, edited, transfer };
        let Patch { origin, pixels } = paste.run().map_err(|err| sentence(&err))?;
        let area = crate::geom::IRect::from_origin_size(origin, pixels.size());
        Ok((changed_only(&self.image.crop(area), &pixels), origin))
    }
}

/// A small picture of a face.
fn small(image: &PixelBuf, face: Bounds) -> Frame {
    let side = face.width.max(face.height) * FACE_MARGIN;
    let middle = face.centre();
    let (x0, y0) = ((middle.x - side / 2.0) as i32, (middle.y - side / 2.0) as i32);
    let size = image.size();
    let mut out = PixelBuf::new(Size::new(FACE_PX, FACE_PX), 4, Depth::U8);
    for (y, x) in (0..FACE_PX).flat_map(|y| (0..FACE_PX).map(move |x| (y, x))) {
        let at = |i: u32, first: i32, end: u32| {
            let place = first + ((i as f32 + 0.5) * side / FACE_PX as f32) as i32;
            place.clamp(0, end as i32 - 1) as u32
        };
        out.set_pixel_f32(x, y, image.pixel_f32(at(x, x0, size.width), at(y, y0, size.height)));
    }
    Frame::of(&out)
}

/// What is asked of the thread that pastes for the canvas.
pub struct Preview {
    pub photo: Photo,
    pub edited: Arc<Planes>,
}

/// The layer that shows an edit before it is one.
pub struct Previewed {
    pub tab: TabId,
    pub layer: Result<Arc<Layer>, String>,
}

impl Preview {
    pub fn run(self) -> Previewed {
        let made = self.photo.paste(&self.edited).map(|(pixels, origin)| {
            let raster = Raster::new(TiledImage::from_buf(&pixels), origin);
            let recipe = Arc::new(serde_json::Value::Null);
            let kind = LayerKind::Generated(Generated { raster, recipe, attachment: None });
            Arc::new(Layer::new("Latent preview", kind))
        });
        Previewed { tab: self.photo.tab, layer: made }
    }
}

/// The document with a layer on top, in place of `hides`. Never becomes the document.
pub fn with_preview(document: &Document, layer: &Arc<Layer>, hides: Option<LayerId>) -> Document {
    let mut shown = hides.map_or_else(|| document.clone(), |id| without(document, id));
    shown.layers.push(Arc::clone(layer));
    shown
}
