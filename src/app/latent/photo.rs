//! A face of the picture in front: its code, and its edit back in the picture.

use std::sync::Arc;

use super::Source;
use crate::app::draft::without;
use crate::app::state::TabId;
use crate::cli::report::sentence;
use crate::color::WorkingProfile;
use crate::commands::results::changed_only;
use crate::document::{Document, Generated, Layer, LayerId, LayerKind, Raster};
use crate::infer::protocol::Analysed;
use crate::nets::Planes;
use crate::pixels::{PixelBuf, TiledImage};
use crate::portrait::{ColorMatch, Paste, Patch, Transfer};

/// A generator that draws this much finer than the face in the photo replaces it; a coarser one
/// only passes on what an edit changes.
const REPLACES_FROM: f64 = 1.0;

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
}

impl Photo {
    pub fn new(Source { tab, profile, image }: Source, found: Analysed) -> Self {
        let side = found.reconstruction.width as f64;
        let residual = side < found.crop.side_px() * REPLACES_FROM;
        Self { tab, image, profile, found: Arc::new(found), residual }
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
        let (photo, profile, limit) = (&*self.image, &self.profile, None);
        let paste = Paste { photo, profile, crop, mask, limit, edited, transfer };
        let Patch { origin, pixels } = paste.run().map_err(|err| sentence(&err))?;
        let area = crate::geom::IRect::from_origin_size(origin, pixels.size());
        Ok((changed_only(&self.image.crop(area), &pixels), origin))
    }
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
            let raster = Raster { image: TiledImage::from_buf(&pixels), origin };
            let recipe = Arc::new(serde_json::Value::Null);
            let kind = LayerKind::Generated(Generated { raster, recipe });
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
