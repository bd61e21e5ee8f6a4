//! Edits: the only way a document changes.

use std::sync::Arc;

use super::{
    Adjustment, Document, Layer, LayerId, LayerKind, LayerMask, LayerProps, Metadata, Raster,
};
use crate::color::WorkingProfile;
use crate::geom::{IRect, Size};
use crate::pixels::{Depth, TiledImage};

/// One change of a document. Carries results, so applying it twice gives the same document.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Puts a layer into a group (`None` = the top) at `index`, bottom first, and activates it.
    Insert {
        layer: Arc<Layer>,
        parent: Option<LayerId>,
        index: usize,
    },
    Remove(LayerId),
    /// Takes a layer out and puts it at `index` as counted after its removal.
    Move {
        id: LayerId,
        parent: Option<LayerId>,
        index: usize,
    },
    SetProps {
        id: LayerId,
        props: LayerProps,
    },
    /// New pixels of a raster or generated layer; `damage` is what changed, in document pixels.
    SetRaster {
        id: LayerId,
        raster: Raster,
        damage: IRect,
    },
    SetMask {
        id: LayerId,
        mask: Option<LayerMask>,
        damage: IRect,
    },
    SetAdjustment {
        id: LayerId,
        adjustment: Adjustment,
    },
    /// Replaces a whole layer, keeping its id and place.
    Replace(Arc<Layer>),
    SetSelection(Option<TiledImage>),
    /// A new canvas: crop, resize, rotation, flattening, conversion.
    SetCanvas(Box<Canvas>),
    SetMetadata(Arc<Metadata>),
}

/// Everything [`Edit::SetCanvas`] replaces.
#[derive(Clone, Debug)]
pub struct Canvas {
    pub size: Size,
    pub depth: Depth,
    pub profile: WorkingProfile,
    pub layers: Vec<Arc<Layer>>,
    pub active: Option<LayerId>,
    pub selection: Option<TiledImage>,
}

impl Canvas {
    /// The document's present canvas, to be changed and put back.
    pub fn of(document: &Document) -> Self {
        Self {
            size: document.size,
            depth: document.depth,
            profile: document.profile.clone(),
            layers: document.layers.clone(),
            active: document.active,
            selection: document.selection.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the layer no longer exists")]
    NoLayer,
    #[error("the target is not a group")]
    NotAGroup,
    #[error("a group cannot move into itself")]
    IntoItself,
    #[error("'{0}' is locked")]
    Locked(Arc<str>),
    #[error("'{0}' holds no pixels")]
    NotRaster(Arc<str>),
    #[error("'{0}' is no adjustment layer")]
    NotAdjustment(Arc<str>),
    #[error("the pixels do not fit the document: {0}")]
    Mismatch(&'static str),
    #[error("{0} is not an acceptable size")]
    BadSize(Size),
}

impl Document {
    /// A document of a whole canvas, such as a project file holds.
    pub fn from_canvas(canvas: Canvas, metadata: Metadata) -> Result<Self, EditError> {
        let mut document = Self::new(canvas.size, canvas.depth, canvas.profile.clone());
        document.metadata = Arc::new(metadata);
        document.set_canvas(canvas)?;
        Ok(document)
    }

    /// Applies an edit and answers what it damaged, in document pixels. On an error the document
    /// is unchanged. Only [`super::Session`] calls this.
    pub(super) fn apply(&mut self, edit: Edit, revision: u64) -> Result<IRect, EditError> {
        let damage = match edit {
            Edit::Insert { layer, parent, index } => self.insert(layer, parent, index)?,
            Edit::Remove(id) => self.remove(id)?,
            Edit::Move { id, parent, index } => self.shift(id, parent, index)?,
            Edit::SetProps { id, props } => {
                if !(0.0..=1.0).contains(&props.opacity) {
                    return Err(EditError::Mismatch("opacity outside 0 to 1"));
                }
                let all = self.size.rect();
                self.change(id, |layer| {
                    let damage =
                        if only_words_differ(&layer.props, &props) { IRect::EMPTY } else { all };
                    layer.props = props;
                    Ok(damage)
                })?
            }
            Edit::SetRaster { id, raster, damage } => self.set_raster(id, raster, damage)?,
            Edit::SetMask { id, mask, damage } => {
                if mask.as_ref().is_some_and(|mask| mask.image.channels() != 1) {
                    return Err(EditError::Mismatch("a mask has one channel"));
                }
                self.change(id, |layer| {
                    unlocked(layer)?;
                    layer.mask = mask;
                    Ok(damage)
                })?
            }
            Edit::SetAdjustment { id, adjustment } => {
                let all = self.size.rect();
                self.change(id, |layer| {
                    unlocked(layer)?;
                    match &mut layer.kind {
                        LayerKind::Adjustment(current) => *current = adjustment,
                        _ => return Err(EditError::NotAdjustment(layer.props.name.clone())),
                    }
                    Ok(all)
                })?
            }
            Edit::Replace(new) => {
                let all = self.size.rect();
                self.fits(&new)?;
                self.change(new.id, |layer| {
                    unlocked(layer)?;
                    *layer = (*new).clone();
                    Ok(all)
                })?
            }
            Edit::SetSelection(selection) => {
                let fits = |s: &TiledImage| s.size() == self.size && s.channels() == 1;
                if !selection.as_ref().is_none_or(fits) {
                    return Err(EditError::Mismatch("a selection covers the canvas"));
                }
                self.selection = selection;
                IRect::EMPTY
            }
            Edit::SetCanvas(canvas) => self.set_canvas(*canvas)?,
            Edit::SetMetadata(metadata) => {
                self.metadata = metadata;
                IRect::EMPTY
            }
        };
        self.revision = revision;
        debug_assert_eq!(self.check(), Ok(()));
        Ok(damage)
    }

    /// Makes `id` the active layer; no history, no revision.
    pub(super) fn set_active(&mut self, id: Option<LayerId>) {
        if id.is_none_or(|id| self.layer(id).is_some()) {
            self.active = id;
        }
    }

    fn insert(
        &mut self,
        layer: Arc<Layer>,
        parent: Option<LayerId>,
        index: usize,
    ) -> Result<IRect, EditError> {
        self.fits(&layer)?;
        if self.layer(layer.id).is_some() {
            return Err(EditError::Mismatch("the layer is already in the document"));
        }
        let id = layer.id;
        self.change_siblings(parent, |layers| {
            layers.insert(index.min(layers.len()), layer);
            Ok(())
        })?;
        self.active = Some(id);
        Ok(self.size.rect())
    }

    fn remove(&mut self, id: LayerId) -> Result<IRect, EditError> {
        let (parent, index) = self.position(id).ok_or(EditError::NoLayer)?;
        unlocked(self.layer(id).ok_or(EditError::NoLayer)?)?;
        self.change_siblings(parent, |layers| {
            layers.remove(index);
            Ok(())
        })?;
        if self.active.is_some_and(|active| self.layer(active).is_none()) {
            let siblings = self.siblings(parent).unwrap_or_default();
            let below = siblings.get(index.saturating_sub(1)).or_else(|| siblings.first());
            self.active = below.map(|layer| layer.id).or(parent);
        }
        Ok(self.size.rect())
    }

    fn shift(
        &mut self,
        id: LayerId,
        parent: Option<LayerId>,
        index: usize,
    ) -> Result<IRect, EditError> {
        let layer = self.layer(id).ok_or(EditError::NoLayer)?.clone();
        let (old_parent, old_index) = self.position(id).ok_or(EditError::NoLayer)?;
        if let Some(parent) = parent {
            if parent == id || layer.children().is_some_and(|c| super::find(c, parent).is_some()) {
                return Err(EditError::IntoItself);
            }
            if self.layer(parent).ok_or(EditError::NoLayer)?.children().is_none() {
                return Err(EditError::NotAGroup);
            }
        }
        self.change_siblings(old_parent, |layers| {
            layers.remove(old_index);
            Ok(())
        })?;
        self.change_siblings(parent, |layers| {
            layers.insert(index.min(layers.len()), layer);
            Ok(())
        })?;
        Ok(self.size.rect())
    }

    fn set_raster(
        &mut self,
        id: LayerId,
        raster: Raster,
        damage: IRect,
    ) -> Result<IRect, EditError> {
        self.raster_fits(&raster)?;
        self.change(id, |layer| {
            unlocked(layer)?;
            match &mut layer.kind {
                LayerKind::Raster(current) => *current = raster,
                LayerKind::Generated(generated) => generated.raster = raster,
                _ => return Err(EditError::NotRaster(layer.props.name.clone())),
            }
            Ok(damage)
        })
    }

    fn set_canvas(&mut self, canvas: Canvas) -> Result<IRect, EditError> {
        if !canvas.size.is_acceptable() {
            return Err(EditError::BadSize(canvas.size));
        }
        let mut next = Self { metadata: self.metadata.clone(), ..self.clone() };
        next.size = canvas.size;
        next.depth = canvas.depth;
        next.profile = canvas.profile;
        next.layers = canvas.layers;
        next.selection = canvas.selection;
        next.active = canvas.active.filter(|id| next.layer(*id).is_some());
        next.check().map_err(|_| EditError::Mismatch("the new canvas is inconsistent"))?;
        let damage = self.size.rect().union(next.size.rect());
        *self = next;
        Ok(damage)
    }

    fn raster_fits(&self, raster: &Raster) -> Result<(), EditError> {
        if raster.image.channels() != 4 {
            return Err(EditError::Mismatch("a raster layer is RGBA"));
        }
        if raster.image.depth() != self.depth {
            return Err(EditError::Mismatch("the depth differs"));
        }
        Ok(())
    }

    fn fits(&self, layer: &Layer) -> Result<(), EditError> {
        if let Some(raster) = layer.raster_content() {
            self.raster_fits(raster)?;
        }
        layer.children().unwrap_or_default().iter().try_for_each(|child| self.fits(child))
    }

    fn change(
        &mut self,
        id: LayerId,
        change: impl FnOnce(&mut Layer) -> Result<IRect, EditError>,
    ) -> Result<IRect, EditError> {
        let slot = find_mut(&mut self.layers, id).ok_or(EditError::NoLayer)?;
        let mut layer = (**slot).clone();
        let damage = change(&mut layer)?;
        *slot = Arc::new(layer);
        Ok(damage)
    }

    fn change_siblings(
        &mut self,
        parent: Option<LayerId>,
        change: impl FnOnce(&mut Vec<Arc<Layer>>) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let Some(parent) = parent else { return change(&mut self.layers) };
        let slot = find_mut(&mut self.layers, parent).ok_or(EditError::NoLayer)?;
        match &mut Arc::make_mut(slot).kind {
            LayerKind::Group(children) => change(children),
            _ => Err(EditError::NotAGroup),
        }
    }
}

/// Finds the slot of a layer, copying the groups on the way so that other documents keep theirs.
fn find_mut(layers: &mut [Arc<Layer>], id: LayerId) -> Option<&mut Arc<Layer>> {
    let index = layers.iter().position(|layer| {
        layer.id == id || layer.children().is_some_and(|c| super::find(c, id).is_some())
    })?;
    if layers[index].id == id {
        return Some(&mut layers[index]);
    }
    match &mut Arc::make_mut(&mut layers[index]).kind {
        LayerKind::Group(children) => find_mut(children, id),
        _ => None,
    }
}

fn unlocked(layer: &Layer) -> Result<(), EditError> {
    if layer.props.locked { Err(EditError::Locked(layer.props.name.clone())) } else { Ok(()) }
}

fn only_words_differ(a: &LayerProps, b: &LayerProps) -> bool {
    (a.visible, a.opacity, a.blend) == (b.visible, b.opacity, b.blend)
}
