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
        layer.mask = document.selection.clone().map(|image| LayerMask {
            image,
            origin: (0, 0),
            enabled: true,
        });
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
