//! What a network, a fill or a file has made becomes part of the document.

use std::sync::Arc;

use super::layers::insert;
use super::{CommandError, Step, geometry, unlocked};
use crate::color::{WorkingProfile, convert};
use crate::document::{
    Canvas, Document, Edit, Generated, Layer, LayerId, LayerKind, LayerMask, Raster, Synthesis,
};
use crate::geom::{IRect, Size};
use crate::pixels::{Depth, PixelBuf, TiledImage};

/// A layer whose pixels were made, and by what.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    pub name: &'a str,
    /// RGBA in the document's profile.
    pub pixels: &'a PixelBuf,
    /// Document position of the top left pixel.
    pub origin: (i32, i32),
    pub opacity: f32,
    /// One channel over the canvas: where the layer shows; `None` shows all of it.
    pub mask: Option<&'a TiledImage>,
    /// What made it, for showing and doing it again.
    pub recipe: &'a Arc<serde_json::Value>,
    /// A file that the recipe needs.
    pub attachment: Option<Arc<[u8]>>,
    pub synthesis: Synthesis,
}

impl<'a> Made<'a> {
    /// Pixels at the top left of the canvas that show as they are, with no network's hand in them.
    pub const fn plain(pixels: &'a PixelBuf, recipe: &'a Arc<serde_json::Value>) -> Self {
        Self {
            name: "",
            pixels,
            origin: (0, 0),
            opacity: 1.0,
            mask: None,
            recipe,
            attachment: None,
            synthesis: Synthesis::None,
        }
    }

    /// What the layer holds, in a document's depth.
    pub fn kind(&self, depth: Depth) -> LayerKind {
        let image = TiledImage::from_buf(&self.pixels.to_depth(depth));
        let raster = Raster::new(image, self.origin).by(self.synthesis);
        let (recipe, attachment) = (Arc::clone(self.recipe), self.attachment.clone());
        LayerKind::Generated(Generated { raster, recipe, attachment })
    }

    /// A document of its own, with the profile and metadata of what it was made from.
    pub fn document(&self, from: &Document) -> Document {
        let layer = Layer::new(self.name, self.kind(self.pixels.depth()));
        Document::of_layer(layer, from.profile.clone(), (*from.metadata).clone())
    }
}

/// A new layer above the active one.
pub fn new_layer(document: &Document, made: &Made<'_>) -> Step {
    let mut layer = Layer::new(made.name, made.kind(document.depth));
    layer.props.opacity = made.opacity;
    layer.mask = made.mask.cloned().map(LayerMask::over_canvas);
    insert(document, document.active, made.name.to_owned(), layer)
}

/// Position of the top left pixel of a picture in the middle of the canvas.
pub fn centred(canvas: Size, own: Size) -> (i32, i32) {
    let middle = |canvas: u32, own: u32| ((i64::from(canvas) - i64::from(own)) / 2) as i32;
    (middle(canvas.width, own.width), middle(canvas.height, own.height))
}

/// A new layer of RGBA pixels in `profile` in the middle of the canvas, above the active layer,
/// in the document's depth and profile.
///
/// # Errors
/// No way between the profiles.
pub fn place(
    document: &Document,
    name: &str,
    label: &'static str,
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    kind: impl FnOnce(Raster) -> LayerKind,
) -> Result<Step, CommandError> {
    let origin = centred(document.size, pixels.size());
    let raster = raster(document, pixels, profile, origin)?;
    Ok(insert(document, document.active, label, Layer::new(name, kind(raster))))
}

/// Pixels in `profile` as a raster in the document's depth and profile.
///
/// # Errors
/// No way between the profiles.
pub fn raster(
    document: &Document,
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    origin: (i32, i32),
) -> Result<Raster, CommandError> {
    let mut pixels = pixels.to_depth(document.depth);
    convert::between(profile, &document.profile, &mut pixels)?;
    Ok(Raster::new(TiledImage::from_buf(&pixels), origin))
}

/// A layer with other content, in place of what it holds; mask, opacity and place stay.
///
/// # Errors
/// No such layer, or a locked one.
pub fn remade(
    document: &Document,
    id: LayerId,
    name: &str,
    kind: LayerKind,
) -> Result<Step, CommandError> {
    let mut layer = (**unlocked(document, id)?).clone();
    layer.kind = kind;
    layer.props.name = name.into();
    Ok(Step::one(name.to_owned(), Edit::Replace(Arc::new(layer))))
}

/// A generated layer made again: pixels, recipe, opacity, and the mask where there is a new one.
/// Its place stays, and so does a name that a person gave it.
///
/// # Errors
/// No such layer, or a locked one.
pub fn made_anew(
    document: &Document,
    id: LayerId,
    made: &Made<'_>,
    was: &str,
) -> Result<Step, CommandError> {
    let mut layer = (**unlocked(document, id)?).clone();
    layer.kind = made.kind(document.depth);
    layer.props.opacity = made.opacity;
    if *layer.props.name == *was {
        layer.props.name = made.name.into();
    }
    if let Some(mask) = made.mask {
        layer.mask = Some(LayerMask::over_canvas(mask.clone()));
    }
    Ok(Step::one(made.name.to_owned(), Edit::Replace(Arc::new(layer))))
}

/// A layer above the active one.
pub fn inserted(document: &Document, label: &'static str, layer: Layer) -> Step {
    insert(document, document.active, label, layer)
}

/// The whole document replaced by one layer of another size.
pub fn whole(document: &Document, label: &'static str, made: &Made<'_>) -> Step {
    let layer = Layer::new(made.name, made.kind(document.depth));
    let mut canvas = Canvas::of(document);
    canvas.size = made.pixels.size();
    canvas.active = Some(layer.id);
    canvas.layers = vec![Arc::new(layer)];
    canvas.selection = None;
    Step::one(label, Edit::SetCanvas(Box::new(canvas)))
}

/// The canvas grown by `shift` at the top left and to the size of what was made, which continues the
/// picture: on a layer on top that leaves the middle open.
///
/// # Errors
/// A size beyond what pictures may have.
pub fn expanded(
    document: &Document,
    made: &Made<'_>,
    shift: (i32, i32),
) -> Result<Step, CommandError> {
    let label = "Expand";
    let mut step = geometry::canvas_size(document, made.pixels.size(), shift)?;
    let mut border = made.pixels.clone();
    border.blit(&PixelBuf::new(document.size, 4, border.depth()), shift);
    let made = Made { pixels: &border, ..made.clone() };
    let layer = Layer::new(label, made.kind(document.depth));
    let index = document.layers.len();
    step.edits.push(Edit::Insert { layer: Arc::new(layer), parent: None, index });
    Ok(Step::new(label, step.edits))
}

/// New pixels of a layer from `origin` on, made with `synthesis`; tiles that stay the same are
/// kept.
///
/// # Errors
/// No such layer, or one without pixels.
pub fn in_place(
    document: &Document,
    id: LayerId,
    label: &str,
    pixels: &PixelBuf,
    origin: (i32, i32),
    synthesis: Synthesis,
) -> Result<Step, CommandError> {
    let layer = document.layer(id).ok_or(CommandError::NoLayer)?;
    let raster =
        layer.raster_content().ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))?;
    let mut raster = raster.clone().by(synthesis);
    let at = (origin.0 - raster.origin.0, origin.1 - raster.origin.1);
    let before = raster.image.clone();
    raster.image.write(&pixels.to_depth(document.depth), at);
    let damage = before.changed_rect(&raster.image).translate(raster.origin.0, raster.origin.1);
    Ok(Step::one(label.to_owned(), Edit::SetRaster { id, raster, damage }))
}

/// The box around what a mask, one channel, shows at all.
pub fn extent(mask: &PixelBuf) -> IRect {
    let width = mask.size().width.max(1) as usize;
    let shown = (0..mask.samples().len()).filter(|at| mask.samples().get(*at) > 0);
    shown.fold(IRect::EMPTY, |area, at| {
        let (x, y) = ((at % width) as i32, (at / width) as i32);
        area.union(IRect::new(x, y, x + 1, y + 1))
    })
}

/// `after` where it differs from `before`, transparent elsewhere: both of one size, RGBA.
pub fn changed_only(before: &PixelBuf, after: &PixelBuf) -> PixelBuf {
    let mut out = PixelBuf::new(after.size(), 4, after.depth());
    let (from, old) = (after.samples(), before.samples());
    for pixel in 0..after.size().pixels() as usize {
        let at = pixel * 4;
        if (at..at + 4).any(|index| from.get(index) != old.get(index)) {
            (at..at + 4).for_each(|index| out.samples_mut().set_f32(index, from.get_f32(index)));
        }
    }
    out
}
