//! The document: a cheap-to-clone value, changed only through [`Edit`]s.
//!
//! A [`Document`] is plain data over shared tiles, so history and job snapshots are clones.
//! [`Session`] owns the current document and its history; every change goes through a
//! transaction (`begin`, `edit`, then `commit` or `abort`). Knows no operation, tool or network:
//! an edit carries results.

mod edit;
mod history;
mod layer;
mod session;

pub use edit::{Canvas, Edit, EditError};
pub use history::{History, HistoryEntry};
pub use layer::{
    Adjustment, BlendMode, Generated, Layer, LayerId, LayerKind, LayerMask, LayerProps, Raster,
    Synthesis,
};
pub use session::{Session, SessionError};

use std::sync::Arc;

use crate::color::WorkingProfile;
use crate::geom::{IRect, Size};
use crate::pixels::{Depth, TiledImage};

/// What a file carried besides pixels, kept for the export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The EXIF block as a TIFF structure, orientation already applied and reset to 1.
    pub exif: Option<Arc<[u8]>>,
    /// The XMP packet.
    pub xmp: Option<Arc<[u8]>>,
    /// IPTC-IIM records: caption, keywords, rights.
    pub iptc: Option<Arc<[u8]>>,
    /// Horizontal and vertical pixels per inch.
    pub pixels_per_inch: Option<(f32, f32)>,
}

/// A picture: canvas, layers and selection. Cloning shares every tile.
#[derive(Clone, Debug)]
pub struct Document {
    /// Extent of the canvas in pixels.
    pub size: Size,
    /// Depth of every raster layer; masks and the selection have 8 bits.
    pub depth: Depth,
    /// The profile in which all layers are encoded.
    pub profile: WorkingProfile,
    pub metadata: Arc<Metadata>,
    /// Bottom layer first.
    pub layers: Vec<Arc<Layer>>,
    /// The layer that tools and menu commands act on.
    pub active: Option<LayerId>,
    /// One channel over the canvas, 255 = selected; `None` = nothing restricts.
    pub selection: Option<TiledImage>,
    revision: u64,
}

impl Document {
    /// An empty canvas without layers.
    pub fn new(size: Size, depth: Depth, profile: WorkingProfile) -> Self {
        Self {
            size,
            depth,
            profile,
            metadata: Arc::default(),
            layers: Vec::new(),
            active: None,
            selection: None,
            revision: 0,
        }
    }

    /// A document of one raster layer that fills the canvas. `pixels` is RGBA; a buffer that is
    /// handed over gives its memory back while it is cut into tiles.
    pub fn from_pixels(
        pixels: impl Into<TiledImage>,
        layer_name: &str,
        profile: WorkingProfile,
        metadata: Metadata,
    ) -> Self {
        Self::of_layer(Layer::raster(layer_name, pixels.into(), (0, 0)), profile, metadata)
    }

    /// A document of one layer, whose extent and depth are its own.
    pub fn of_layer(layer: Layer, profile: WorkingProfile, metadata: Metadata) -> Self {
        let image = layer.raster_content().map(|raster| &raster.image);
        let (size, depth) =
            image.map_or((Size::new(1, 1), Depth::U8), |image| (image.size(), image.depth()));
        let active = Some(layer.id);
        Self {
            metadata: Arc::new(metadata),
            layers: vec![Arc::new(layer)],
            active,
            ..Self::new(size, depth, profile)
        }
    }

    /// Names this content: two documents of one session with one revision are the same value.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The layer `id`, wherever it is nested.
    pub fn layer(&self, id: LayerId) -> Option<&Arc<Layer>> {
        find(&self.layers, id)
    }

    pub fn active_layer(&self) -> Option<&Arc<Layer>> {
        self.active.and_then(|id| self.layer(id))
    }

    /// Where `id` stands: its group (`None` at the top) and its index there, bottom first.
    pub fn position(&self, id: LayerId) -> Option<(Option<LayerId>, usize)> {
        position(&self.layers, None, id)
    }

    /// The layers inside a group, or at the top.
    pub fn siblings(&self, parent: Option<LayerId>) -> Option<&[Arc<Layer>]> {
        match parent {
            None => Some(&self.layers),
            Some(id) => self.layer(id)?.children(),
        }
    }

    /// Calls `visit` for every layer with its nesting level, bottom first, groups before their
    /// children.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Arc<Layer>, usize)) {
        walk(&self.layers, 0, visit);
    }

    pub fn layer_count(&self) -> usize {
        let mut count = 0;
        self.walk(&mut |_, _| count += 1);
        count
    }

    /// The selected area's bounding rectangle in whole tiles' accuracy; the canvas when nothing
    /// is selected.
    pub fn selection_bounds(&self) -> IRect {
        let Some(selection) = &self.selection else { return self.size.rect() };
        if selection.fill()[0] != 0 {
            return self.size.rect();
        }
        selection
            .tiles_in(self.size.rect())
            .filter(|&(column, row)| selection.tile(column, row).is_some())
            .fold(IRect::EMPTY, |bounds, (column, row)| {
                bounds.union(selection.tile_rect(column, row))
            })
    }

    /// Checks what every edit must keep true; used by tests and debug builds.
    pub fn check(&self) -> Result<(), String> {
        let mut ids = std::collections::HashSet::new();
        let mut problems = Vec::new();
        self.walk(&mut |layer, _| {
            if !ids.insert(layer.id) {
                problems.push(format!("{:?} occurs twice", layer.id));
            }
            if let Some(raster) = layer.raster_content() {
                if raster.image.channels() != 4 {
                    problems.push(format!("'{}' is not RGBA", layer.props.name));
                }
                if raster.image.depth() != self.depth {
                    problems.push(format!("'{}' has another depth", layer.props.name));
                }
            }
            if layer.mask.as_ref().is_some_and(|mask| mask.image.channels() != 1) {
                problems.push(format!("the mask of '{}' has colour", layer.props.name));
            }
            if !(0.0..=1.0).contains(&layer.props.opacity) {
                problems.push(format!("'{}' has opacity outside 0..=1", layer.props.name));
            }
        });
        if self.selection.as_ref().is_some_and(|s| s.size() != self.size || s.channels() != 1) {
            problems.push("the selection does not fit the canvas".into());
        }
        if self.active.is_some_and(|id| !ids.contains(&id)) {
            problems.push("the active layer does not exist".into());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    /// Ids and sizes of all tiles reachable from this document.
    pub(crate) fn for_each_image<'a>(&'a self, visit: &mut impl FnMut(&'a TiledImage)) {
        self.walk(&mut |layer, _| {
            if let Some(raster) = layer.raster_content() {
                visit(&raster.image);
            }
            if let Some(mask) = &layer.mask {
                visit(&mask.image);
            }
        });
        if let Some(selection) = &self.selection {
            visit(selection);
        }
    }
}

fn find(layers: &[Arc<Layer>], id: LayerId) -> Option<&Arc<Layer>> {
    layers.iter().find_map(|layer| {
        if layer.id == id { Some(layer) } else { layer.children().and_then(|c| find(c, id)) }
    })
}

fn position(
    layers: &[Arc<Layer>],
    parent: Option<LayerId>,
    id: LayerId,
) -> Option<(Option<LayerId>, usize)> {
    if let Some(index) = layers.iter().position(|layer| layer.id == id) {
        return Some((parent, index));
    }
    layers
        .iter()
        .find_map(|layer| layer.children().and_then(|inner| position(inner, Some(layer.id), id)))
}

fn walk<'a>(layers: &'a [Arc<Layer>], level: usize, visit: &mut impl FnMut(&'a Arc<Layer>, usize)) {
    for layer in layers {
        visit(layer, level);
        if let Some(children) = layer.children() {
            walk(children, level + 1, visit);
        }
    }
}
