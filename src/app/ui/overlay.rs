//! What lies over the picture: the selection's ants, the tool's shapes, hints.

use eframe::egui;
use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Ui, Vec2};

use super::marker;
use crate::app::state::{Model, Tab};
use crate::app::theme;
use crate::app::view::Viewport;
use crate::geom::Point;
use crate::tools;

/// Length of a dash and of a gap, in points.
const DASH: f32 = 4.0;
/// Points a second at which the ants walk.
const PACE: f32 = 12.0;
/// Corners of an outline that are still drawn; beyond it the ants would cost more than the
/// picture.
const MAX_CORNERS: usize = 20_000;
/// Side of a grip, in points.
const GRIP: f32 = 8.0;

pub fn overlay_ui(ui: &Ui, painter: &Painter, model: &Model, tab: &Tab, viewport: &Viewport) {
    let phase = if model.prefs.reduced_motion {
        0.0
    } else {
        (ui.input(|input| input.time) as f32 * PACE).rem_euclid(2.0 * DASH)
    };
    let place = |point: Point| tab.view.screen_from_doc(viewport, point);
    let mut moving = false;
    if let Some(selection) = tab.document().selection.as_ref().filter(|_| model.extras)
        && let Some(outline) = model.observer.outline(selection)
        && outline.iter().map(Vec::len).sum::<usize>() <= MAX_CORNERS
        && model.tool.turn().is_none()
    {
        for loop_ in outline.iter() {
            let points: Vec<_> = loop_.iter().map(|point| place(*point)).collect();
            ants(painter, points, true, phase);
        }
        moving = true;
    }
    if let Some(context) = model.tool_context(tab) {
        let palette = theme::palette(ui);
        let shapes = model.tool.overlay(&context);
        marked_ui(painter, &shapes, &place, viewport, tab);
        for shape in shapes {
            moving |= matches!(shape, tools::Shape::Ants { .. });
            tool_shape(painter, &shape, &place, viewport, tab, phase, palette.accent);
        }
    }
    if moving && !model.prefs.reduced_motion {
        // A slow walk needs no full frame rate.
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(120));
    }
}

/// A small label at the top of a part of the canvas: fill and text colour.
pub fn banner(ui: &Ui, area: Rect, text: &str, (fill, color): (Color32, Color32)) {
    let painter = ui.painter_at(area);
    let font = egui::TextStyle::Body.resolve(ui.style());
    let galley = painter.layout_no_wrap(text.to_owned(), font, color);
    let size = galley.size() + Vec2::new(16.0, 6.0);
    let center = egui::pos2(area.center().x, area.top() + 12.0 + size.y / 2.0);
    let rect = Rect::from_center_size(center, size);
    painter.rect_filled(rect, 4.0, fill);
    painter.galley(rect.center() - galley.size() / 2.0, galley, color);
}

/// White dashes on black: seen on any picture.
fn ants(painter: &Painter, mut points: Vec<Pos2>, closed: bool, phase: f32) {
    if closed && let Some(first) = points.first().copied() {
        points.push(first);
    }
    let black = Stroke::new(1.0, Color32::from_black_alpha(200));
    let white = Stroke::new(1.0, Color32::WHITE);
    painter.extend(Shape::dashed_line_with_offset(&points, white, &[DASH], &[DASH], phase));
    let other = (phase + DASH).rem_euclid(2.0 * DASH);
    painter.extend(Shape::dashed_line_with_offset(&points, black, &[DASH], &[DASH], other));
}

/// Tints what was painted over.
fn marked_ui(
    painter: &Painter,
    shapes: &[tools::Shape],
    place: &impl Fn(Point) -> Pos2,
    viewport: &Viewport,
    tab: &Tab,
) {
    let strokes = shapes.iter().filter_map(|shape| match shape {
        tools::Shape::Marker { points, radius_px } => {
            let points = points.iter().map(|point| place(*point)).collect();
            Some(marker::Stroke { points, radius: radius_px * tab.view.scale(viewport) })
        }
        _ => None,
    });
    let strokes: Vec<_> = strokes.collect();
    if !strokes.is_empty() {
        let canvas = tab.view.screen_rect(viewport, tab.document().size.rect());
        let clip = canvas.intersect(painter.clip_rect());
        let color = Color32::from_rgba_unmultiplied(230, 60, 60, 110);
        marker::paint(painter, &strokes, clip, color);
    }
}

fn tool_shape(
    painter: &Painter,
    shape: &tools::Shape,
    place: &impl Fn(Point) -> Pos2,
    viewport: &Viewport,
    tab: &Tab,
    phase: f32,
    accent: Color32,
) {
    let outer = Stroke::new(2.5, Color32::from_black_alpha(120));
    let inner = Stroke::new(1.0, Color32::from_white_alpha(230));
    match shape {
        tools::Shape::Ants { points, closed } => {
            ants(painter, points.iter().map(|point| place(*point)).collect(), *closed, phase);
        }
        tools::Shape::Line { from, to } => {
            let ends = [place(*from), place(*to)];
            painter.line_segment(ends, Stroke::new(2.0, Color32::from_black_alpha(60)));
            painter.line_segment(ends, Stroke::new(1.0, Color32::from_white_alpha(150)));
        }
        tools::Shape::Ring { center, radius_px } => {
            let radius = radius_px * tab.view.scale(viewport);
            painter.circle_stroke(place(*center), radius, outer);
            painter.circle_stroke(place(*center), radius, inner);
        }
        // All of them are one tint.
        tools::Shape::Marker { .. } => {}
        tools::Shape::Crosshair(at) => {
            let at = place(*at);
            for stroke in [outer, inner] {
                painter.line_segment([at - Vec2::X * 6.0, at + Vec2::X * 6.0], stroke);
                painter.line_segment([at - Vec2::Y * 6.0, at + Vec2::Y * 6.0], stroke);
            }
        }
        tools::Shape::Handle(at) => {
            let rect = Rect::from_center_size(place(*at), Vec2::splat(GRIP));
            painter.rect_filled(rect.expand(1.0), 2.0, Color32::from_black_alpha(150));
            painter.rect_filled(rect, 1.0, Color32::WHITE);
            painter.rect_filled(rect.shrink(2.0), 1.0, accent);
        }
        tools::Shape::Shade { min, max } => {
            shade(painter, viewport.rect, Rect::from_min_max(place(*min), place(*max)));
        }
    }
}

/// Darkens `area` outside `hole`.
fn shade(painter: &Painter, area: Rect, hole: Rect) {
    let hole = hole.intersect(area);
    let dark = Color32::from_black_alpha(140);
    let parts = [
        Rect::from_x_y_ranges(area.x_range(), area.top()..=hole.top()),
        Rect::from_x_y_ranges(area.x_range(), hole.bottom()..=area.bottom()),
        Rect::from_x_y_ranges(area.left()..=hole.left(), hole.y_range()),
        Rect::from_x_y_ranges(hole.right()..=area.right(), hole.y_range()),
    ];
    for part in parts {
        painter.rect_filled(part, 0.0, dark);
    }
}
