//! Before and after: how the canvas is divided, and where the original lies under the document.

use eframe::egui;
use egui::{Pos2, Rect};

use super::view::{View, Viewport};
use crate::document::Document;
use crate::geom::Point;

/// Space between the two pictures side by side, in points.
const GAP: f32 = 4.0;

/// How the picture is shown beside its original.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compare {
    pub on: bool,
    /// Side by side instead of a divider over one picture.
    pub side: bool,
    /// Where the divider stands, as part of the canvas's width.
    pub at: f32,
}

impl Default for Compare {
    fn default() -> Self {
        Self { on: false, side: false, at: 0.5 }
    }
}

/// A part of the canvas and the viewport whose picture it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pane {
    pub viewport: Viewport,
    pub clip: Rect,
}

/// The canvas in one or two parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Panes {
    pub now: Pane,
    pub before: Option<Pane>,
}

impl Panes {
    pub fn new(canvas: Viewport, compare: &Compare) -> Self {
        let rect = canvas.rect;
        let whole = Pane { viewport: canvas, clip: rect };
        if !compare.on {
            return Self { now: whole, before: None };
        }
        if compare.side {
            let middle = rect.center().x;
            let half = |rect| Pane { viewport: Viewport { rect, ..canvas }, clip: rect };
            let before = half(rect.with_max_x(middle - GAP / 2.0));
            return Self { now: half(rect.with_min_x(middle + GAP / 2.0)), before: Some(before) };
        }
        let x = rect.left() + rect.width() * compare.at;
        let before = Pane { clip: rect.with_max_x(x), ..whole };
        Self { now: Pane { clip: rect.with_min_x(x), ..whole }, before: Some(before) }
    }

    /// The part under `pos`.
    pub fn under(&self, pos: Pos2) -> &Pane {
        self.before.as_ref().filter(|before| before.clip.contains(pos)).unwrap_or(&self.now)
    }

    /// Whether what is under `pos` is the document, which tools may change.
    pub fn is_now(&self, pos: Pos2) -> bool {
        self.before.is_none_or(|before| !before.clip.contains(pos))
    }
}

/// The map from the original's pixels to the document's: scale, then shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    pub scale: f32,
    pub shift: (f32, f32),
}

impl Alignment {
    /// A layer that is still as large as it was tells where cropping has moved it; one of another
    /// size tells how the picture was scaled. Else middles and widths are matched.
    pub fn of(original: &Document, now: &Document) -> Self {
        let mut found = None;
        original.walk(&mut |layer, _| {
            let then = layer.raster_content();
            let today = now.layer(layer.id).and_then(|layer| layer.raster_content());
            if let (Some(then), Some(today), None) = (then, today, found) {
                found = Some((then.bounds(), today.bounds()));
            }
        });
        if let Some((then, today)) = found
            && then.size() == today.size()
        {
            let shift = ((today.x0 - then.x0) as f32, (today.y0 - then.y0) as f32);
            return Self { scale: 1.0, shift };
        }
        let wide = |document: &Document| document.size.width.max(1) as f32;
        let scale = wide(now) / wide(original);
        let height = |document: &Document| document.size.height as f32;
        Self { scale, shift: (0.0, (height(now) - height(original) * scale) / 2.0) }
    }

    /// The view of the original that lies under a view of the document.
    pub fn before(self, view: &View) -> View {
        let center = Point::new(
            (view.center.x - self.shift.0) / self.scale,
            (view.center.y - self.shift.1) / self.scale,
        );
        View { center, zoom: view.zoom * self.scale, ..*view }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::WorkingProfile;
    use crate::commands::geometry;
    use crate::document::Session;
    use crate::geom::{IRect, Size};
    use crate::pixels::{Depth, PixelBuf};
    use crate::{ops, params::Params};

    fn picture() -> Document {
        let pixels = PixelBuf::new(Size::new(400, 300), 4, Depth::U8);
        Document::from_pixels(&pixels, "photo", WorkingProfile::srgb(), Default::default())
    }

    #[test]
    fn the_original_lies_under_a_crop_and_a_resize() {
        let original = picture();
        let mut session = Session::new(original.clone(), 0);
        let step = geometry::crop(&original, IRect::new(30, 40, 330, 240), false).unwrap();
        session.perform("Crop", step.edits).unwrap();
        let alignment = Alignment::of(&original, session.document());
        assert_eq!(alignment, Alignment { scale: 1.0, shift: (-30.0, -40.0) });

        let op = ops::find("resize").unwrap();
        let words = ["width=800", "height=600", "filter=nearest"];
        let params = Params::parse(op.spec().params, words).unwrap();
        let step = geometry::transform(&original, op, &params, &ops::Processor).unwrap();
        let mut session = Session::new(original.clone(), 0);
        session.perform("Resize", step.edits).unwrap();
        let alignment = Alignment::of(&original, session.document());
        assert_eq!(alignment, Alignment { scale: 2.0, shift: (0.0, 0.0) });
        let view = View { center: Point::new(600.0, 100.0), zoom: 0.5, fitted: false };
        let before = alignment.before(&view);
        assert_eq!((before.center, before.zoom), (Point::new(300.0, 50.0), 1.0));
    }

    #[test]
    fn the_canvas_is_divided_at_the_divider_or_in_the_middle() {
        let rect = Rect::from_min_size(egui::pos2(10.0, 0.0), egui::vec2(200.0, 100.0));
        let canvas = Viewport { rect, pixels_per_point: 1.0 };
        let mut compare = Compare { on: true, side: false, at: 0.25 };
        let panes = Panes::new(canvas, &compare);
        assert!(!panes.is_now(egui::pos2(50.0, 50.0)) && panes.is_now(egui::pos2(70.0, 50.0)));
        assert_eq!(panes.now.viewport, canvas);
        compare.side = true;
        let panes = Panes::new(canvas, &compare);
        assert!(!panes.is_now(egui::pos2(100.0, 50.0)) && panes.is_now(egui::pos2(120.0, 50.0)));
        assert_eq!(panes.before.unwrap().viewport.rect.size(), panes.now.viewport.rect.size());
        compare.on = false;
        assert!(Panes::new(canvas, &compare).before.is_none());
    }
}
