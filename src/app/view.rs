//! Where the document is on the screen: pan, zoom and the maps between the two spaces.

use eframe::egui;
use egui::{Pos2, Rect, Vec2, pos2, vec2};

use crate::geom::{IRect, Point, Size};

/// Steps of the zoom commands: screen pixels a document pixel.
const LADDER: &[f32] = &[
    0.01,
    0.02,
    0.05,
    0.1,
    0.25,
    1.0 / 3.0,
    0.5,
    2.0 / 3.0,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    8.0,
    16.0,
    32.0,
];
const MIN_ZOOM: f32 = 0.005;
const MAX_ZOOM: f32 = 64.0;
/// Free space around a fitted picture, in points.
const FIT_MARGIN: f32 = 24.0;

/// The part of the window that shows the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// In points.
    pub rect: Rect,
    pub pixels_per_point: f32,
}

/// How one document is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Document point in the middle of the viewport.
    pub center: Point,
    /// Screen pixels (not points) a document pixel; 1 is 100 %.
    pub zoom: f32,
    /// Whether the view follows the viewport's size, showing everything.
    pub fitted: bool,
}

impl View {
    pub fn fit() -> Self {
        Self { center: Point::default(), zoom: 1.0, fitted: true }
    }

    /// Points a document pixel.
    pub fn scale(&self, viewport: &Viewport) -> f32 {
        self.zoom / viewport.pixels_per_point
    }

    /// Screen position of the document's origin, on a whole screen pixel so that pixels are
    /// crisp.
    pub fn origin(&self, viewport: &Viewport) -> Pos2 {
        let scale = self.scale(viewport);
        let free = viewport.rect.center() - vec2(self.center.x, self.center.y) * scale;
        let ppp = viewport.pixels_per_point;
        pos2((free.x * ppp).round() / ppp, (free.y * ppp).round() / ppp)
    }

    pub fn screen_from_doc(&self, viewport: &Viewport, point: Point) -> Pos2 {
        self.origin(viewport) + vec2(point.x, point.y) * self.scale(viewport)
    }

    pub fn doc_from_screen(&self, viewport: &Viewport, pos: Pos2) -> Point {
        let doc = (pos - self.origin(viewport)) / self.scale(viewport);
        Point::new(doc.x, doc.y)
    }

    /// The screen rectangle of a document rectangle.
    pub fn screen_rect(&self, viewport: &Viewport, rect: IRect) -> Rect {
        let corner =
            |x: i32, y: i32| self.screen_from_doc(viewport, Point::new(x as f32, y as f32));
        Rect::from_min_max(corner(rect.x0, rect.y0), corner(rect.x1, rect.y1))
    }

    /// The document pixels that show.
    pub fn visible(&self, viewport: &Viewport, size: Size) -> IRect {
        let min = self.doc_from_screen(viewport, viewport.rect.min);
        let max = self.doc_from_screen(viewport, viewport.rect.max);
        IRect::new(
            min.x.floor() as i32,
            min.y.floor() as i32,
            max.x.ceil() as i32,
            max.y.ceil() as i32,
        )
        .intersect(size.rect())
    }

    /// Shows the whole picture, never larger than 100 %.
    pub fn fit_to(&mut self, viewport: &Viewport, size: Size) {
        let room = (viewport.rect.size() - Vec2::splat(2.0 * FIT_MARGIN)).max(Vec2::splat(16.0));
        let room = room * viewport.pixels_per_point;
        let zoom = (room.x / size.width as f32).min(room.y / size.height as f32);
        self.zoom = zoom.min(1.0).clamp(MIN_ZOOM, MAX_ZOOM);
        self.center = Point::new(size.width as f32 / 2.0, size.height as f32 / 2.0);
        self.fitted = true;
    }

    /// Zooms, keeping the document point `about` where it is on the screen.
    pub fn zoom_about(&mut self, about: Point, factor: f32) {
        let zoom = (self.zoom * factor).clamp(MIN_ZOOM, MAX_ZOOM);
        let ratio = self.zoom / zoom;
        self.center = about.lerp(self.center, ratio);
        self.zoom = zoom;
        self.fitted = false;
    }

    /// Goes up (+) or down (−) the ladder.
    pub fn step_about(&mut self, about: Point, steps: i32) {
        for _ in 0..steps.unsigned_abs() {
            let next = if steps > 0 {
                LADDER.iter().copied().find(|zoom| *zoom > self.zoom * 1.01)
            } else {
                LADDER.iter().rev().copied().find(|zoom| *zoom < self.zoom * 0.99)
            };
            if let Some(next) = next {
                self.zoom_about(about, next / self.zoom);
            }
        }
    }

    /// Moves the view so that the document follows by `delta` points.
    pub fn pan(&mut self, viewport: &Viewport, delta: Vec2) {
        let scale = self.scale(viewport);
        self.center.x -= delta.x / scale;
        self.center.y -= delta.y / scale;
        self.fitted = false;
    }

    /// Keeps at least a corner of the picture in sight.
    pub fn keep_in_sight(&mut self, viewport: &Viewport, size: Size) {
        let half = viewport.rect.size() / self.scale(viewport) / 2.0;
        let clamp = |at: f32, half: f32, length: u32| {
            let slack = half * 0.8;
            at.clamp(-slack, length as f32 + slack)
        };
        self.center.x = clamp(self.center.x, half.x, size.width);
        self.center.y = clamp(self.center.y, half.y, size.height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewport() -> Viewport {
        Viewport {
            rect: Rect::from_min_size(pos2(40.0, 60.0), vec2(800.0, 600.0)),
            pixels_per_point: 2.0,
        }
    }

    #[test]
    fn the_point_under_the_cursor_stays_there() {
        let viewport = viewport();
        let mut view = View { center: Point::new(100.0, 50.0), zoom: 1.0, fitted: false };
        let about = Point::new(30.0, 80.0);
        let before = view.screen_from_doc(&viewport, about);
        view.zoom_about(about, 3.7);
        let after = view.screen_from_doc(&viewport, about);
        // Origins are rounded to half a point here.
        assert!((before - after).length() < 1.0, "{before:?} {after:?}");
    }

    #[test]
    fn the_ladder_goes_up_and_down() {
        let mut view = View { center: Point::default(), zoom: 0.6, fitted: false };
        view.step_about(Point::default(), 2);
        assert_eq!(view.zoom, 1.0);
        view.step_about(Point::default(), -1);
        assert!((view.zoom - 2.0 / 3.0).abs() < 1e-4);
        view.step_about(Point::default(), 99);
        assert_eq!(view.zoom, 32.0);
    }

    #[test]
    fn fitting_shows_everything() {
        let viewport = viewport();
        let size = Size::new(12_000, 9_000);
        let mut view = View::fit();
        view.fit_to(&viewport, size);
        assert_eq!(view.visible(&viewport, size), size.rect());
        assert!(viewport.rect.contains_rect(view.screen_rect(&viewport, size.rect())));
    }
}
