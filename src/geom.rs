//! Integer and floating geometry shared by every layer of the program.
//!
//! Spaces are part of the names: `screen_from_doc` maps document pixels to screen points.

use serde::{Deserialize, Serialize};

/// Largest width or height, in pixels, that the editor accepts.
pub const MAX_SIDE: u32 = 65_535;
/// Largest number of pixels in one image that the editor accepts (about 1.07 gigapixels).
pub const MAX_PIXELS: u64 = 1 << 30;

/// Extent in whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Whether the extent is non-empty and inside [`MAX_SIDE`] and [`MAX_PIXELS`].
    pub const fn is_acceptable(self) -> bool {
        !self.is_empty()
            && self.width <= MAX_SIDE
            && self.height <= MAX_SIDE
            && self.pixels() <= MAX_PIXELS
    }

    pub const fn rect(self) -> IRect {
        IRect::new(0, 0, self.width as i32, self.height as i32)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// Half-open rectangle in whole pixels: `x0 <= x < x1`, `y0 <= y < y1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IRect {
    pub x0: i32,
    pub y0: i32,
    pub x1: i32,
    pub y1: i32,
}

impl IRect {
    pub const EMPTY: Self = Self::new(0, 0, 0, 0);

    pub const fn new(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    pub const fn from_origin_size(origin: (i32, i32), size: Size) -> Self {
        Self::new(
            origin.0,
            origin.1,
            origin.0.saturating_add(size.width as i32),
            origin.1.saturating_add(size.height as i32),
        )
    }

    pub const fn is_empty(self) -> bool {
        self.x1 <= self.x0 || self.y1 <= self.y0
    }

    pub const fn width(self) -> u32 {
        if self.x1 > self.x0 { (self.x1 as i64 - self.x0 as i64) as u32 } else { 0 }
    }

    pub const fn height(self) -> u32 {
        if self.y1 > self.y0 { (self.y1 as i64 - self.y0 as i64) as u32 } else { 0 }
    }

    pub const fn size(self) -> Size {
        Size::new(self.width(), self.height())
    }

    pub const fn origin(self) -> (i32, i32) {
        (self.x0, self.y0)
    }

    /// The common part; [`IRect::EMPTY`] when there is none.
    pub fn intersect(self, other: Self) -> Self {
        let common = Self::new(
            self.x0.max(other.x0),
            self.y0.max(other.y0),
            self.x1.min(other.x1),
            self.y1.min(other.y1),
        );
        if common.is_empty() { Self::EMPTY } else { common }
    }

    /// The smallest rectangle holding both; an empty operand is neutral.
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self::new(
            self.x0.min(other.x0),
            self.y0.min(other.y0),
            self.x1.max(other.x1),
            self.y1.max(other.y1),
        )
    }

    /// Grown by `amount` pixels on every side; an empty rectangle stays empty.
    pub fn grow(self, amount: i32) -> Self {
        if self.is_empty() {
            return Self::EMPTY;
        }
        Self::new(
            self.x0.saturating_sub(amount),
            self.y0.saturating_sub(amount),
            self.x1.saturating_add(amount),
            self.y1.saturating_add(amount),
        )
    }

    pub fn translate(self, dx: i32, dy: i32) -> Self {
        Self::new(
            self.x0.saturating_add(dx),
            self.y0.saturating_add(dy),
            self.x1.saturating_add(dx),
            self.y1.saturating_add(dy),
        )
    }

    pub const fn contains(self, x: i32, y: i32) -> bool {
        x >= self.x0 && x < self.x1 && y >= self.y0 && y < self.y1
    }

    pub fn contains_rect(self, other: Self) -> bool {
        other.is_empty()
            || (other.x0 >= self.x0
                && other.y0 >= self.y0
                && other.x1 <= self.x1
                && other.y1 <= self.y1)
    }
}

/// Position in continuous pixels; the centre of pixel `(0, 0)` is `(0.5, 0.5)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

impl Point {
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    pub fn lerp(self, other: Self, t: f32) -> Self {
        Self::new(self.x + (other.x - self.x) * t, self.y + (other.y - self.y) * t)
    }
}

/// Affine map `(x, y) -> (a x + b y + c, d x + e y + f)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    pub a: f64,
    pub b: f64,
    pub c: f64,
    pub d: f64,
    pub e: f64,
    pub f: f64,
}

impl Affine {
    pub const IDENTITY: Self = Self { a: 1.0, b: 0.0, c: 0.0, d: 0.0, e: 1.0, f: 0.0 };

    pub const fn translation(dx: f64, dy: f64) -> Self {
        Self { a: 1.0, b: 0.0, c: dx, d: 0.0, e: 1.0, f: dy }
    }

    pub const fn scale(sx: f64, sy: f64) -> Self {
        Self { a: sx, b: 0.0, c: 0.0, d: 0.0, e: sy, f: 0.0 }
    }

    /// Clockwise rotation on a screen whose y axis points down.
    pub fn rotation(angle_rad: f64) -> Self {
        let (sin, cos) = angle_rad.sin_cos();
        Self { a: cos, b: -sin, c: 0.0, d: sin, e: cos, f: 0.0 }
    }

    /// `self` after `first`.
    pub fn after(self, first: Self) -> Self {
        Self {
            a: self.a * first.a + self.b * first.d,
            b: self.a * first.b + self.b * first.e,
            c: self.a * first.c + self.b * first.f + self.c,
            d: self.d * first.a + self.e * first.d,
            e: self.d * first.b + self.e * first.e,
            f: self.d * first.c + self.e * first.f + self.f,
        }
    }

    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        (self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f)
    }

    /// The inverse map, or `None` where the determinant vanishes.
    pub fn inverse(self) -> Option<Self> {
        let det = self.a * self.e - self.b * self.d;
        if !det.is_finite() || det.abs() < 1e-12 {
            return None;
        }
        let (a, b, d, e) = (self.e / det, -self.b / det, -self.d / det, self.a / det);
        Some(Self { a, b, c: -(a * self.c + b * self.f), d, e, f: -(d * self.c + e * self.f) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_intersect_and_unite() {
        let a = IRect::new(0, 0, 10, 10);
        let b = IRect::new(5, 6, 20, 8);
        assert_eq!(a.intersect(b), IRect::new(5, 6, 10, 8));
        assert_eq!(a.union(b), IRect::new(0, 0, 20, 10));
        assert!(a.intersect(IRect::new(10, 0, 12, 4)).is_empty());
        assert_eq!(a.union(IRect::EMPTY), a);
        assert!(IRect::EMPTY.grow(4).is_empty());
    }

    #[test]
    fn an_affine_map_and_its_inverse_cancel() {
        let map = Affine::translation(3.0, -4.0)
            .after(Affine::rotation(0.7))
            .after(Affine::scale(2.0, 3.0));
        let back = map.inverse().map(|inverse| inverse.after(map).apply(5.0, 7.0));
        let (x, y) = back.unwrap_or_default();
        assert!((x - 5.0).abs() < 1e-9 && (y - 7.0).abs() < 1e-9);
        assert!(Affine::scale(0.0, 1.0).inverse().is_none());
    }
}
