//! Operations on the active layer, as an edit of its pixels or as an adjustment layer above it.

use std::sync::Arc;

use super::{CommandError, Step, geometry, layer, unlocked};
use crate::document::{Adjustment, Document, Edit, Layer, LayerId, LayerKind, LayerMask, Raster};
use crate::geom::IRect;
use crate::ops::{self, Engine, Kind, OpContext, OpError, Operation, Processor, required_input};
use crate::params::Params;
use crate::pixels::PixelBuf;

/// Runs an operation on a layer's own pixels, inside the selection; geometry runs on the whole
/// document. Outside the selection every byte stays.
pub fn apply(
    document: &Document,
    id: LayerId,
    op: &dyn Operation,
    params: &Params,
    engine: &dyn Engine,
) -> Result<Step, CommandError> {
    if op.spec().kind == Kind::Geometry {
        return geometry::transform(document, op, params, engine);
    }
    let layer = unlocked(document, id)?;
    let raster = raster(layer)?;
    let region = match document.selection {
        None => raster.bounds(),
        Some(_) => document.selection_bounds().intersect(raster.bounds()),
    };
    if region.is_empty() || op.is_identity(params) {
        return Ok(Step::new(op.spec().label, Vec::new()));
    }
    let (_, out) = compute(document, raster, region, op, params, engine)?;
    let mut raster = raster.clone();
    raster.image.write(&out, (region.x0 - raster.origin.0, region.y0 - raster.origin.1));
    Ok(Step::one(op.spec().label, Edit::SetRaster { id, raster, damage: region }))
}

/// What [`apply`] would make of a layer inside `region` (document pixels, within the layer's
/// extent): the pixels before and after. For previews.
pub fn preview(
    document: &Document,
    id: LayerId,
    region: IRect,
    op: &dyn Operation,
    params: &Params,
) -> Result<(PixelBuf, PixelBuf), CommandError> {
    let raster = raster(layer(document, id)?)?;
    compute(document, raster, region.intersect(raster.bounds()), op, params, &Processor)
}

/// Puts an operation as a layer above `above` (or on top of everything), masked by the selection,
/// which is thereby used up.
pub fn add_adjustment(
    document: &Document,
    above: Option<LayerId>,
    op: &dyn Operation,
    params: &Params,
) -> Result<Step, CommandError> {
    let spec = op.spec();
    if spec.kind == Kind::Geometry {
        return Err(CommandError::NoAdjustment(spec.name));
    }
    let adjustment =
        Adjustment { op: spec.name.into(), params: params.clone(), version: spec.version };
    let mut layer = Layer::new(spec.label, LayerKind::Adjustment(adjustment));
    let mut edits = Vec::new();
    if let Some(selection) = &document.selection {
        layer.mask = Some(LayerMask::over_canvas(selection.clone()));
        edits.push(Edit::SetSelection(None));
    }
    let (parent, index) = super::layers::above(document, above);
    edits.push(Edit::Insert { layer: Arc::new(layer), parent, index });
    Ok(Step::new(format!("Add {}", spec.label.to_lowercase()), edits))
}

fn raster(layer: &Layer) -> Result<&Raster, CommandError> {
    layer.raster_content().ok_or_else(|| CommandError::NoPixels(layer.props.name.clone()))
}

fn compute(
    document: &Document,
    raster: &Raster,
    region: IRect,
    op: &dyn Operation,
    params: &Params,
    engine: &dyn Engine,
) -> Result<(PixelBuf, PixelBuf), CommandError> {
    let context = OpContext::full_size(document.profile.clone());
    let local = region.translate(-raster.origin.0, -raster.origin.1);
    let needed = required_input(op.halo(params, &context), local, raster.image.size());
    let input = raster.image.read(needed);
    let inner = local.translate(-needed.x0, -needed.y0);
    let whole = inner == input.size().rect();
    let result = engine.apply(op, params, &context, &input, None)?;
    if result.size() != input.size() {
        let reason = "changed the size of its picture".to_owned();
        return Err(OpError::Invalid { op: op.spec().name, reason }.into());
    }
    let (before, mut after) =
        if whole { (input, result) } else { (input.crop(inner), result.crop(inner)) };
    if let Some(selection) = &document.selection {
        ops::blend_by_mask(&before, &mut after, &selection.read(region));
    }
    Ok((before, after))
}
