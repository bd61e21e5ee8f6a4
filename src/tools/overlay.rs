//! What a tool draws over the canvas, in document space. Line widths and handle sizes are the
//! window's.

use crate::geom::Point;

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A dashed line seen on any background, moving unless motion is reduced.
    Ants { points: Vec<Point>, closed: bool },
    /// A thin guide line.
    Line { from: Point, to: Point },
    /// A circle around a point, such as the brush's edge.
    Ring { center: Point, radius_px: f32 },
    /// A translucent stroke over what was painted.
    Marker { points: Vec<Point>, radius_px: f32 },
    /// Marks a point where a ring would be too small to see.
    Crosshair(Point),
    /// A square grip.
    Handle(Point),
    /// Darkens everything outside this box.
    Shade { min: Point, max: Point },
}

/// The corners of a box, clockwise from the top left.
pub fn corners(min: Point, max: Point) -> Vec<Point> {
    vec![min, Point::new(max.x, min.y), max, Point::new(min.x, max.y)]
}

/// The ellipse inside a box as a closed polygon.
pub fn ellipse(min: Point, max: Point) -> Vec<Point> {
    const POINTS: u32 = 96;
    let center = min.lerp(max, 0.5);
    let (rx, ry) = ((max.x - min.x) / 2.0, (max.y - min.y) / 2.0);
    (0..POINTS)
        .map(|i| {
            let (sin, cos) = (std::f32::consts::TAU * i as f32 / POINTS as f32).sin_cos();
            Point::new(center.x + rx * cos, center.y + ry * sin)
        })
        .collect()
}

/// Shape of the pointer over the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    #[default]
    Default,
    Crosshair,
    /// The overlay shows where the pointer is.
    Hidden,
    Move,
    Grab,
    Grabbing,
    ZoomIn,
    ZoomOut,
    Eyedropper,
    Forbidden,
    ResizeHorizontal,
    ResizeVertical,
    /// From top left to bottom right.
    ResizeFalling,
    /// From bottom left to top right.
    ResizeRising,
}
