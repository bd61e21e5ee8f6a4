//! The outline of a face: the convex hull of its points.

use super::Face;
use crate::geom::Point;

impl Face {
    /// The outline, clockwise on the screen; `None` where the points were not asked for.
    pub fn outline(&self) -> Option<Vec<Point>> {
        let points = self.landmarks.as_ref()?;
        Some(hull(points.iter().map(|[x, y, _]| Point::new(*x, *y)).collect()))
    }
}

/// The convex hull by Andrew's monotone chain (1979).
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let turn = |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let chain = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..]
                && turn(a, b, point) <= 0.0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut around = chain(&mut points.iter().copied());
    around.extend(chain(&mut points.iter().rev().copied()));
    around
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_points_are_left_out() {
        let square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
        let inner = [(1.0, 1.0), (2.0, 3.0), (2.0, 0.0), (4.0, 2.0)];
        let points = square.iter().chain(&inner).map(|(x, y)| Point::new(*x, *y)).collect();
        let outline = hull(points);
        assert_eq!(outline.len(), 4, "{outline:?}");
        assert!(square.iter().all(|(x, y)| outline.contains(&Point::new(*x, *y))));
    }
}
