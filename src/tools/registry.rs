//! Every tool, one line each, in shelf order.

use super::ToolSpec;

static ALL: &[&ToolSpec] = &[
    &super::move_layer::SPEC,
    &super::marquee::RECTANGLE,
    &super::marquee::ELLIPSE,
    &super::lasso::SPEC,
    &super::crop::SPEC,
    &super::eyedropper::SPEC,
    &super::paint::BRUSH,
    &super::paint::ERASER,
    &super::remove::SPEC,
    &super::hand::SPEC,
    &super::zoom::SPEC,
];

/// Every tool, in shelf order.
pub fn all() -> &'static [&'static ToolSpec] {
    ALL
}

/// The tool called `id`.
pub fn find(id: &str) -> Option<&'static ToolSpec> {
    ALL.iter().copied().find(|spec| spec.id == id)
}
