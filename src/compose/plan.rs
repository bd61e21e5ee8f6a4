//! A layer stack made ready for evaluation: hidden layers dropped, operations looked up.

use std::sync::Arc;

use crate::document::{Adjustment, Layer, LayerKind, Raster};
use crate::ops::{self, Kind, OpContext, Operation, PointKernel, RgbSpan};
use crate::params::Params;

/// From this many pixels on, a table of all 16-bit values is cheaper than the curve itself.
const TABLE_PAYS_PIXELS: u64 = 1 << 16;

pub(super) struct Node<'a> {
    pub layer: &'a Layer,
    pub content: Content<'a>,
}

pub(super) enum Content<'a> {
    Raster(&'a Raster),
    Group(Vec<Node<'a>>),
    Point(Point),
    /// An operation that looks `halo_px` view pixels around.
    Filter {
        op: &'static dyn Operation,
        params: &'a Params,
        halo_px: i32,
    },
}

/// A pointwise adjustment.
pub(super) enum Point {
    /// Per channel, the curve at each 16-bit value.
    Tables(Box<[Vec<f32>; 3]>),
    Kernel(PointKernel),
}

impl Point {
    /// Maps a span of pixels; encoded values, clamped to `0..=1`.
    pub fn map(&self, planes: &mut RgbSpan) {
        match self {
            Self::Tables(tables) => {
                for (plane, table) in planes.iter_mut().zip(&**tables) {
                    // A saturating cast: any value finds its place in the table.
                    let look_up = |value: f32| table[usize::from((value * 65_535.0 + 0.5) as u16)];
                    plane.iter_mut().for_each(|value| *value = look_up(*value));
                }
                return;
            }
            Self::Kernel(PointKernel::Curves(curve)) => {
                for (channel, plane) in planes.iter_mut().enumerate() {
                    plane.iter_mut().for_each(|value| *value = curve(channel, *value));
                }
            }
            Self::Kernel(PointKernel::Rgb(map)) => map.span(planes),
        }
        planes.as_flattened_mut().iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    }
}

/// Prepares `layers` (bottom first) for a view of about `pixels` pixels. An adjustment whose
/// operation this program does not know, or that changes nothing, is left out.
pub(super) fn prepare<'a>(
    layers: &'a [Arc<Layer>],
    context: &OpContext,
    pixels: u64,
) -> Vec<Node<'a>> {
    let node = |layer: &'a Arc<Layer>| {
        let content = match &layer.kind {
            LayerKind::Raster(raster) => Content::Raster(raster),
            LayerKind::Generated(generated) => Content::Raster(&generated.raster),
            LayerKind::Group(children) => Content::Group(prepare(children, context, pixels)),
            LayerKind::Adjustment(adjustment) => prepare_adjustment(adjustment, context, pixels)?,
        };
        Some(Node { layer, content })
    };
    layers.iter().filter(|layer| layer.shows()).filter_map(node).collect()
}

/// Halos of the whole stack added up: how far a result may depend on its surroundings.
pub(super) fn total_halo_px(nodes: &[Node]) -> i32 {
    nodes
        .iter()
        .map(|node| match &node.content {
            Content::Filter { halo_px, .. } => *halo_px,
            Content::Group(children) => total_halo_px(children),
            Content::Raster(_) | Content::Point(_) => 0,
        })
        .fold(0, i32::saturating_add)
}

fn prepare_adjustment<'a>(
    adjustment: &'a Adjustment,
    context: &OpContext,
    pixels: u64,
) -> Option<Content<'a>> {
    let op = ops::find(&adjustment.op)?;
    let params = &adjustment.params;
    if op.is_identity(params) {
        return None;
    }
    match op.spec().kind {
        Kind::Geometry => None,
        Kind::Neighborhood => {
            let halo_px = i32::try_from(op.halo(params, context)).unwrap_or(i32::MAX);
            Some(Content::Filter { op, params, halo_px })
        }
        Kind::Pointwise => Some(Content::Point(match op.point(params, context)? {
            PointKernel::Curves(curve) if pixels >= TABLE_PAYS_PIXELS => {
                let table = |channel| {
                    let value = |v| curve(channel, f32::from(v) / 65_535.0).clamp(0.0, 1.0);
                    (0..=u16::MAX).map(value).collect()
                };
                Point::Tables(Box::new(std::array::from_fn(table)))
            }
            kernel => Point::Kernel(kernel),
        })),
    }
}
