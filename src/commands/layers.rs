//! Layers: new, duplicate, group, merge, flatten.

use std::borrow::Cow;
use std::sync::Arc;

use super::{CommandError, Step, layer, unlocked};
use crate::compose;
use crate::document::{
    BlendMode, Canvas, Document, Edit, Layer, LayerId, LayerKind, LayerProps, Raster, Synthesis,
};
use crate::pixels::TiledImage;

/// Where a new layer goes that should lie right above `id`, or on top of everything.
pub fn above(document: &Document, id: Option<LayerId>) -> (Option<LayerId>, usize) {
    match id.and_then(|id| document.position(id)) {
        Some((parent, index)) => (parent, index + 1),
        None => (None, document.layers.len()),
    }
}

/// An empty raster layer over the canvas, above the active layer.
pub fn new_layer(document: &Document) -> Step {
    let image = TiledImage::empty(document.size, 4, document.depth);
    let name = format!("Layer {}", document.layer_count() + 1);
    insert(document, document.active, "New layer", Layer::raster(&name, image, (0, 0)))
}

pub fn duplicate(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let layer = layer(document, id)?;
    let copy = layer.duplicate(&format!("{} copy", layer.props.name));
    Ok(insert(document, Some(id), "Duplicate layer", copy))
}

pub fn delete(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    unlocked(document, id)?;
    Ok(Step::one("Delete layer", Edit::Remove(id)))
}

/// New visibility, opacity, name, lock or blend mode; `label` names what changed.
pub fn set_props(
    document: &Document,
    id: LayerId,
    label: &'static str,
    change: impl FnOnce(&mut LayerProps),
) -> Result<Step, CommandError> {
    let layer = layer(document, id)?;
    let mut props = layer.props.clone();
    change(&mut props);
    let edits = if props == layer.props { Vec::new() } else { vec![Edit::SetProps { id, props }] };
    Ok(Step::new(label, edits))
}

/// Moves a layer by `steps` places among its siblings, upwards when positive.
pub fn reorder(document: &Document, id: LayerId, steps: i32) -> Result<Step, CommandError> {
    let (parent, index) = document.position(id).ok_or(CommandError::NoLayer)?;
    let last = document.siblings(parent).map_or(0, <[_]>::len).saturating_sub(1);
    let target = (index as i64 + i64::from(steps)).clamp(0, last as i64) as usize;
    let edits =
        if target == index { Vec::new() } else { vec![Edit::Move { id, parent, index: target }] };
    Ok(Step::new(if steps > 0 { "Raise layer" } else { "Lower layer" }, edits))
}

/// Puts layers into a new group at the place of the topmost of them.
pub fn group(document: &Document, ids: &[LayerId]) -> Result<Step, CommandError> {
    // Bottom first, and no layer whose group comes along anyway.
    let mut order = Vec::new();
    document.walk(&mut |layer, _| {
        let inside = |id: &LayerId| {
            document
                .layer(*id)
                .and_then(|other| other.children())
                .is_some_and(|children| children.iter().any(|child| holds(child, layer.id)))
        };
        if ids.contains(&layer.id) && !ids.iter().any(inside) {
            order.push(layer.id);
        }
    });
    let top = *order.last().ok_or(CommandError::NoLayer)?;
    let (parent, index) = above(document, Some(top));
    let group = Layer::new("Group", LayerKind::Group(Vec::new()));
    let parent_of_members = Some(group.id);
    let mut edits = vec![Edit::Insert { layer: Arc::new(group), parent, index }];
    let moves = order.into_iter().enumerate();
    edits.extend(moves.map(|(index, id)| Edit::Move { id, parent: parent_of_members, index }));
    Ok(Step::new("Group layers", edits))
}

/// Dissolves a group; its opacity, mask and blend mode are given up.
pub fn ungroup(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let layer = unlocked(document, id)?;
    let children =
        layer.children().ok_or_else(|| CommandError::NotAGroup(layer.props.name.clone()))?;
    let (parent, first) = document.position(id).ok_or(CommandError::NoLayer)?;
    let moves = children.iter().enumerate();
    let mut edits: Vec<_> =
        moves.map(|(i, child)| Edit::Move { id: child.id, parent, index: first + i }).collect();
    edits.push(Edit::Remove(id));
    Ok(Step::new("Ungroup", edits))
}

/// Merges a layer with the one beneath it. The result keeps the lower one's name and blend mode;
/// its opacity and mask are worked into the pixels.
pub fn merge_down(document: &Document, id: LayerId) -> Result<Step, CommandError> {
    let upper = unlocked(document, id)?;
    let (parent, index) = document.position(id).ok_or(CommandError::NoLayer)?;
    let lower = index
        .checked_sub(1)
        .and_then(|below| document.siblings(parent)?.get(below))
        .ok_or_else(|| CommandError::NothingBeneath(upper.props.name.clone()))?;
    let lower = unlocked(document, lower.id)?;
    if matches!(lower.kind, LayerKind::Adjustment(_)) {
        return Err(CommandError::NoPixels(lower.props.name.clone()));
    }
    let mut bottom = (**lower).clone();
    bottom.props.blend = BlendMode::Normal;
    let mut merged = merge(document, &[Arc::new(bottom), upper.clone()]);
    merged.id = lower.id;
    merged.props.name = lower.props.name.clone();
    merged.props.blend = lower.props.blend;
    Ok(Step::new("Merge down", vec![Edit::Replace(Arc::new(merged)), Edit::Remove(id)]))
}

/// Merges all visible top layers into one; hidden ones stay, above it.
pub fn merge_visible(document: &Document) -> Result<Step, CommandError> {
    let (visible, hidden): (Vec<_>, Vec<_>) =
        document.layers.iter().cloned().partition(|layer| layer.props.visible);
    let name = visible.first().ok_or(CommandError::NoLayer)?.props.name.clone();
    let mut merged = merge(document, &visible);
    merged.props.name = name;
    Ok(replace_all(document, "Merge visible", merged, hidden))
}

/// Merges what is visible into one layer of the canvas's extent; hidden layers are given up.
pub fn flatten(document: &Document) -> Result<Step, CommandError> {
    let bottom = document.layers.first().ok_or(CommandError::NoLayer)?;
    let pixels = compose::flatten(document, document.size.rect());
    let raster = Raster::new(TiledImage::from_buf(&pixels), (0, 0));
    let raster = raster.by(Synthesis::of(&document.layers));
    let flat = Layer::new(&bottom.props.name, LayerKind::Raster(raster));
    Ok(replace_all(document, "Flatten", flat, Vec::new()))
}

/// One plain layer that shows what `layers` show, on the canvas and beyond.
fn merge(document: &Document, layers: &[Arc<Layer>]) -> Layer {
    let bounds = compose::content_bounds(layers).union(document.size.rect());
    let pixels = compose::render_layers(document, layers, bounds);
    let raster = Raster::new(TiledImage::from_buf(&pixels), bounds.origin());
    Layer::new("", LayerKind::Raster(raster.by(Synthesis::of(layers))))
}

fn replace_all(
    document: &Document,
    label: &'static str,
    bottom: Layer,
    rest: Vec<Arc<Layer>>,
) -> Step {
    let mut canvas = Canvas::of(document);
    canvas.active = Some(bottom.id);
    canvas.layers = std::iter::once(Arc::new(bottom)).chain(rest).collect();
    Step::one(label, Edit::SetCanvas(Box::new(canvas)))
}

/// Inserts a layer above `id` and activates it.
pub(super) fn insert(
    document: &Document,
    id: Option<LayerId>,
    label: impl Into<Cow<'static, str>>,
    layer: Layer,
) -> Step {
    let (parent, index) = above(document, id);
    Step::one(label, Edit::Insert { layer: Arc::new(layer), parent, index })
}

fn holds(layer: &Layer, id: LayerId) -> bool {
    layer.id == id || layer.children().is_some_and(|c| c.iter().any(|child| holds(child, id)))
}
