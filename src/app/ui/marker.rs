//! What was painted over, shown as one even tint: where strokes overlap it is no darker, and
//! nothing of it lies outside the picture.

use eframe::egui;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Painter, Pos2, Rect, pos2};

/// A stroke on the screen: round at its ends and turns.
pub struct Stroke {
    pub points: Vec<Pos2>,
    pub radius: f32,
}

/// A covered piece of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    row: usize,
    left: f32,
    right: f32,
}

/// Tints what the strokes cover within `clip`, row of pixels by row.
pub fn paint(painter: &Painter, strokes: &[Stroke], clip: Rect, color: Color32) {
    let step = 1.0 / painter.pixels_per_point();
    let mut mesh = Mesh::default();
    for Span { row, left, right } in spans(strokes, clip, step) {
        let top = clip.top() + row as f32 * step;
        let bottom = (top + step).min(clip.bottom());
        // Half a pixel to either side of an end runs out, but not over the picture's edge.
        let soft = (step / 2.0).min((right - left) / 2.0);
        let (from, to) = ((left - soft).max(clip.left()), (right + soft).min(clip.right()));
        let xs = [from, left + soft, right - soft, to];
        let colors = [Color32::TRANSPARENT, color, color, Color32::TRANSPARENT];
        let first = mesh.vertices.len() as u32;
        for (x, color) in xs.into_iter().zip(colors) {
            for y in [top, bottom] {
                mesh.vertices.push(Vertex { pos: pos2(x, y), uv: WHITE_UV, color });
            }
        }
        for at in [0, 2, 4] {
            mesh.add_triangle(first + at, first + at + 1, first + at + 2);
            mesh.add_triangle(first + at + 1, first + at + 2, first + at + 3);
        }
    }
    painter.add(mesh);
}

/// What the strokes cover of the middles of rows `step` apart, as pieces that do not meet.
fn spans(strokes: &[Stroke], clip: Rect, step: f32) -> Vec<Span> {
    if !clip.is_positive() {
        return Vec::new();
    }
    let count = (clip.height() / step).ceil() as usize;
    let mut rows: Vec<Vec<(f32, f32)>> = vec![Vec::new(); count];
    let middle = |row: usize| clip.top() + (row as f32 + 0.5) * step;
    for Stroke { points, radius } in strokes {
        // Steps that nobody sees cost as much as others.
        let least = (radius * 0.05).max(step);
        let mut path: Vec<Pos2> = Vec::new();
        for (at, point) in points.iter().enumerate() {
            let is_last = at + 1 == points.len();
            if is_last || path.last().is_none_or(|last| last.distance(*point) >= least) {
                path.push(*point);
            }
        }
        let single = path.first().map(|point| (*point, *point)).filter(|_| path.len() == 1);
        let pairs = path.windows(2).map(|pair| (pair[0], pair[1])).chain(single);
        for (a, b) in pairs {
            let row_of = |y: f32| ((y - clip.top()) / step).clamp(0.0, count as f32) as usize;
            let reach =
                row_of(a.y.min(b.y) - radius)..(row_of(a.y.max(b.y) + radius) + 1).min(count);
            for row in reach {
                let Some((left, right)) = across(a, b, *radius, middle(row)) else { continue };
                let (left, right) = (left.max(clip.left()), right.min(clip.right()));
                if left < right {
                    rows[row].push((left, right));
                }
            }
        }
    }
    let mut out = Vec::new();
    for (row, mut pieces) in rows.into_iter().enumerate() {
        pieces.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut open: Option<Span> = None;
        for (left, right) in pieces {
            match &mut open {
                Some(span) if left <= span.right + step => span.right = span.right.max(right),
                _ => out.extend(open.replace(Span { row, left, right })),
            }
        }
        out.extend(open);
    }
    out
}

/// From where to where a step from `a` to `b` covers the line at `y`.
fn across(a: Pos2, b: Pos2, radius: f32, y: f32) -> Option<(f32, f32)> {
    let mut reach: Option<(f32, f32)> = None;
    let mut add = |x: f32| {
        reach = Some(reach.map_or((x, x), |(from, to)| (from.min(x), to.max(x))));
    };
    for center in [a, b] {
        let rest = radius * radius - (y - center.y).powi(2);
        if rest >= 0.0 {
            add(center.x - rest.sqrt());
            add(center.x + rest.sqrt());
        }
    }
    let along = b - a;
    let length = along.length();
    if length > 0.0 {
        let beside = along.rot90() * (radius / length);
        for side in [beside, -beside] {
            let (from, to) = (a + side, b + side);
            let share = (y - from.y) / (to.y - from.y);
            if (0.0..=1.0).contains(&share) {
                add(from.x + (to.x - from.x) * share);
            }
        }
    }
    reach
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(path: &[Pos2], point: Pos2) -> f32 {
        let to_piece = |pair: &[Pos2]| {
            let along = pair[1] - pair[0];
            let share = ((point - pair[0]).dot(along) / along.length_sq()).clamp(0.0, 1.0);
            (pair[0] + along * share).distance(point)
        };
        path.windows(2).map(to_piece).fold(f32::INFINITY, f32::min)
    }

    #[test]
    fn a_sharp_turn_covers_what_lies_within_the_radius_and_nothing_twice() {
        // There and almost back again: where a thick line would have a spike.
        let points = vec![pos2(20.0, 50.0), pos2(80.0, 52.0), pos2(22.0, 58.0)];
        let clip = Rect::from_min_max(pos2(0.0, 0.0), pos2(90.0, 100.0));
        let strokes = [Stroke { points: points.clone(), radius: 15.0 }];
        let found = spans(&strokes, clip, 1.0);
        for y in 0..100 {
            let here: Vec<_> = found.iter().filter(|span| span.row == y).collect();
            assert!(here.windows(2).all(|pair| pair[0].right < pair[1].left), "{here:?}");
            for x in 0..100 {
                let middle = pos2(x as f32 + 0.5, y as f32 + 0.5);
                let covered = here.iter().any(|span| (span.left..span.right).contains(&middle.x));
                let away = distance(&points, middle);
                if middle.x > 90.0 || away > 15.8 {
                    assert!(!covered, "{middle:?} is {away} away");
                } else if away < 14.2 {
                    assert!(covered, "{middle:?} is {away} away");
                }
            }
        }
    }

    #[test]
    fn a_dot_is_round() {
        let strokes = [Stroke { points: vec![pos2(50.0, 50.0)], radius: 20.0 }];
        let clip = Rect::from_min_max(pos2(0.0, 0.0), pos2(100.0, 100.0));
        let area: f32 = spans(&strokes, clip, 0.5).iter().map(|s| (s.right - s.left) * 0.5).sum();
        assert!((area - std::f32::consts::PI * 400.0).abs() < 12.0, "{area}");
        assert!(spans(&strokes, clip.translate(egui::vec2(200.0, 0.0)), 0.5).is_empty());
    }
}
