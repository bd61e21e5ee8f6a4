//! The adjustment being prepared: how it looks before it is done.

use std::sync::Arc;

use super::state::Draft;
use crate::document::{Adjustment, BlendMode, Document, Layer, LayerKind, LayerMask};

impl Draft {
    /// The draft as an adjustment layer that acts where the selection is.
    pub fn as_layer(&self, document: &Document) -> Layer {
        let spec = self.op.spec();
        let adjustment =
            Adjustment { op: spec.name.into(), params: self.params.clone(), version: spec.version };
        let mut layer = Layer::new(spec.label, LayerKind::Adjustment(adjustment));
        layer.mask = document.selection.clone().map(LayerMask::over_canvas);
        layer
    }
}

/// The document as it would look: the layer and the adjustment joined in an isolated group that
/// mixes like the layer did. `None` where there is nothing to show. Never becomes the document.
pub fn preview(document: &Document, draft: &Draft) -> Option<Document> {
    let layer = document.layer(draft.layer)?;
    if draft.op.is_identity(&draft.params) {
        return None;
    }
    let mut inner = (**layer).clone();
    let mut group = Layer::new(&layer.props.name, LayerKind::Group(Vec::new()));
    group.props = layer.props.clone();
    group.mask = inner.mask.take();
    inner.props.opacity = 1.0;
    inner.props.blend = BlendMode::Normal;
    inner.props.visible = true;
    group.kind = LayerKind::Group(vec![Arc::new(inner), Arc::new(draft.as_layer(document))]);
    let mut shown = document.clone();
    replace(&mut shown.layers, draft.layer, &Arc::new(group)).then_some(shown)
}

/// The document as it would look without a layer, wherever in its groups that lies.
pub fn without(document: &Document, id: crate::document::LayerId) -> Document {
    let mut shown = document.clone();
    if let Some(layer) = document.layer(id) {
        let mut hidden = (**layer).clone();
        hidden.props.visible = false;
        replace(&mut shown.layers, id, &Arc::new(hidden));
    }
    shown
}

fn replace(layers: &mut [Arc<Layer>], id: crate::document::LayerId, new: &Arc<Layer>) -> bool {
    layers.iter_mut().any(|slot| {
        if slot.id == id {
            *slot = Arc::clone(new);
            return true;
        }
        if slot.children().is_none() {
            return false;
        }
        match &mut Arc::make_mut(slot).kind {
            LayerKind::Group(children) => replace(children, id, new),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::WorkingProfile;
    use crate::compose;
    use crate::document::Metadata;
    use crate::geom::Size;
    use crate::pixels::{Depth, PixelBuf};

    #[test]
    fn a_layer_inside_a_group_is_left_out_too() {
        let pixels = PixelBuf::filled(Size::new(4, 4), 4, Depth::U8, [9, 8, 7, 255]);
        let profile = WorkingProfile::srgb();
        let mut document = Document::from_pixels(&pixels, "inner", profile, Metadata::default());
        let inner = document.layers.remove(0);
        let group = Layer::new("group", LayerKind::Group(vec![Arc::clone(&inner)]));
        document.layers.push(Arc::new(group));
        let shown = without(&document, inner.id);
        let alpha = |document: &Document| {
            compose::flatten(document, document.size.rect()).pixel_f32(1, 1)[3]
        };
        assert_eq!((alpha(&document), alpha(&shown)), (1.0, 0.0));
    }
}
