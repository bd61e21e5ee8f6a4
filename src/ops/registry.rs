//! Every operation, one line each, in menu order.

use super::Operation;

static ALL: &[&dyn Operation] = &[
    &super::crop::Crop,
    &super::rotate90::Rotate90,
    &super::rotate::Rotate,
    &super::flip::Flip,
    &super::resize::Resize,
    &super::canvas_size::CanvasSize,
    &super::brightness_contrast::BrightnessContrast,
    &super::exposure::Exposure,
    &super::hue_saturation::HueSaturation,
    &super::levels::Levels,
    &super::gamma::Gamma,
    &super::white_balance::WhiteBalance,
    &super::invert::Invert,
    &super::gaussian_blur::GaussianBlur,
    &super::unsharp_mask::UnsharpMask,
];

/// Every operation, in menu order.
pub fn all() -> &'static [&'static dyn Operation] {
    ALL
}

/// The operation called `name`.
pub fn find(name: &str) -> Option<&'static dyn Operation> {
    ALL.iter().copied().find(|op| op.spec().name == name)
}
