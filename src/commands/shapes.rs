//! Drawing selection shapes as coverage masks.

use rayon::prelude::*;

use crate::geom::{IRect, Point, Size};
use crate::pixels::{Depth, PixelBuf, Samples};

/// An outline in document space.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Covers the pixels between its corners, which may be fractional.
    Rectangle { min: Point, max: Point },
    /// The ellipse inside a box.
    Ellipse { min: Point, max: Point },
    /// Closed by its first point; filled by the nonzero rule.
    Polygon(Vec<Point>),
}

/// Lines a pixel row is cut into for smooth edges; across a line coverage is exact, so that a
/// pixel's error is below 1/32 where an edge crosses it.
const SUBROWS: usize = 16;

impl Shape {
    /// Whole pixels the shape touches.
    pub fn bounds(&self) -> IRect {
        let (min, max) = match self {
            Self::Rectangle { min, max } | Self::Ellipse { min, max } => (*min, *max),
            Self::Polygon(points) => points.iter().fold(
                (Point::new(f32::MAX, f32::MAX), Point::new(f32::MIN, f32::MIN)),
                |(min, max), p| {
                    (
                        Point::new(min.x.min(p.x), min.y.min(p.y)),
                        Point::new(max.x.max(p.x), max.y.max(p.y)),
                    )
                },
            ),
        };
        let rect = IRect::new(
            min.x.floor() as i32,
            min.y.floor() as i32,
            max.x.ceil() as i32,
            max.y.ceil() as i32,
        );
        if rect.is_empty() { IRect::EMPTY } else { rect }
    }

    /// Coverage inside `rect`: one channel, 8 bits. Without `antialias` a pixel counts fully
    /// when its centre lies inside.
    pub fn rasterise(&self, rect: IRect, antialias: bool) -> PixelBuf {
        let Size { width, height } = rect.size();
        let mut coverage = vec![0u8; width as usize * height as usize];
        if coverage.is_empty() {
            return PixelBuf::new(rect.size(), 1, Depth::U8);
        }
        let subrows = if antialias { SUBROWS } else { 1 };
        let init = || (vec![0.0f32; width as usize], Vec::new(), Vec::new());
        coverage.par_chunks_mut(width as usize).enumerate().for_each_init(
            init,
            |(row, spans, crossings), (y, out)| {
                row.fill(0.0);
                for subrow in 0..subrows {
                    let line = rect.y0 as f32 + y as f32 + (subrow as f32 + 0.5) / subrows as f32;
                    spans.clear();
                    self.spans(line, spans, crossings);
                    for &(from, to) in spans.iter() {
                        add_span(row, from - rect.x0 as f32, to - rect.x0 as f32, antialias);
                    }
                }
                for (out, sum) in out.iter_mut().zip(row.iter()) {
                    *out = (sum / subrows as f32 * 255.0 + 0.5) as u8;
                }
            },
        );
        PixelBuf::from_samples(rect.size(), 1, Samples::U8(coverage))
            .unwrap_or_else(|| PixelBuf::new(rect.size(), 1, Depth::U8))
    }

    /// The parts of the horizontal line at `y` that lie inside, disjoint.
    fn spans(&self, y: f32, spans: &mut Vec<(f32, f32)>, crossings: &mut Vec<(f32, i32)>) {
        match self {
            Self::Rectangle { min, max } => {
                if y >= min.y && y < max.y && min.x < max.x {
                    spans.push((min.x, max.x));
                }
            }
            Self::Ellipse { min, max } => {
                let (cx, cy) = (f32::midpoint(min.x, max.x), f32::midpoint(min.y, max.y));
                let v = (y - cy) / ((max.y - min.y) / 2.0);
                if v.abs() < 1.0 {
                    let reach = (max.x - min.x) / 2.0 * (1.0 - v * v).sqrt();
                    spans.push((cx - reach, cx + reach));
                }
            }
            Self::Polygon(points) => {
                crossings.clear();
                let closed = points.iter().zip(points.iter().cycle().skip(1));
                for (a, b) in closed {
                    if (a.y <= y) != (b.y <= y) {
                        let t = (y - a.y) / (b.y - a.y);
                        crossings.push((a.x + (b.x - a.x) * t, if a.y < b.y { 1 } else { -1 }));
                    }
                }
                crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut winding = 0;
                let mut start = 0.0;
                for &(x, turn) in crossings.iter() {
                    if winding == 0 {
                        start = x;
                    }
                    winding += turn;
                    if winding == 0 && x > start {
                        spans.push((start, x));
                    }
                }
            }
        }
    }
}

/// Adds the coverage of `from..to` (in pixels of the row) to each pixel.
fn add_span(row: &mut [f32], from: f32, to: f32, antialias: bool) {
    let width = row.len() as f32;
    let (from, to) = (from.clamp(0.0, width), to.clamp(0.0, width));
    if !antialias {
        let (first, last) = ((from - 0.5).ceil().max(0.0) as usize, (to - 0.5).ceil() as usize);
        row[first..last].fill(1.0);
        return;
    }
    if to <= from {
        return;
    }
    let (first, last) = (from as usize, (to as usize).min(row.len() - 1));
    if first == last {
        row[first] += to - from;
        return;
    }
    row[first] += first as f32 + 1.0 - from;
    row[first + 1..last].iter_mut().for_each(|sum| *sum += 1.0);
    row[last] += to - last as f32;
}
