//! A rectangle of `f32` pixels that layers are composited into.

use super::blend::{adjust, composite};
use crate::document::BlendMode;
use crate::geom::IRect;
use crate::pixels::{Depth, PixelBuf, Sample, Samples};

/// RGBA with straight alpha, row by row, over `rect` of the view.
pub(super) struct Surface {
    pub rect: IRect,
    pub pixels: Vec<[f32; 4]>,
}

/// How strongly a layer acts over a rectangle: its opacity, times its mask where it has one.
pub(super) struct Strength {
    pub opacity: f32,
    /// Mask values row by row over the rectangle at hand; `None` where the mask is full.
    pub mask: Option<PixelBuf>,
}

impl Strength {
    #[inline]
    fn at(&self, index: usize) -> f32 {
        match &self.mask {
            None => self.opacity,
            Some(mask) => self.opacity * mask.samples().get_f32(index),
        }
    }
}

impl Surface {
    pub fn transparent(rect: IRect) -> Self {
        Self { rect, pixels: vec![[0.0; 4]; rect.size().pixels() as usize] }
    }

    /// The part inside `rect`, which must lie within.
    pub fn cropped(self, rect: IRect) -> Self {
        if rect == self.rect {
            return self;
        }
        let mut pixels = Vec::with_capacity(rect.size().pixels() as usize);
        for y in rect.y0..rect.y1 {
            pixels.extend_from_slice(&self.pixels[self.span(rect, y)]);
        }
        Self { rect, pixels }
    }

    /// Composites `source`, which covers `rect`, as does the mask of `strength`.
    pub fn draw(&mut self, rect: IRect, source: &PixelBuf, strength: &Strength, mode: BlendMode) {
        match source.samples() {
            Samples::U8(samples) => self.draw_samples(rect, samples, strength, mode),
            Samples::U16(samples) => self.draw_samples(rect, samples, strength, mode),
        }
    }

    fn draw_samples<S: Sample>(
        &mut self,
        rect: IRect,
        samples: &[S],
        strength: &Strength,
        mode: BlendMode,
    ) {
        let width = rect.width() as usize;
        for (row, y) in (rect.y0..rect.y1).enumerate() {
            let span = self.span(rect, y);
            let source = samples[row * width * 4..][..width * 4].chunks_exact(4);
            for (x, (pixel, source)) in self.pixels[span].iter_mut().zip(source).enumerate() {
                let alpha = source[3].to_f32() * strength.at(row * width + x);
                let color = [source[0].to_f32(), source[1].to_f32(), source[2].to_f32(), alpha];
                *pixel = composite(mode, *pixel, color);
            }
        }
    }

    /// Composites a finished group over the same rectangle.
    pub fn draw_group(&mut self, group: &Self, strength: &Strength, mode: BlendMode) {
        for (index, (pixel, source)) in self.pixels.iter_mut().zip(&group.pixels).enumerate() {
            let [r, g, b, a] = *source;
            *pixel = composite(mode, *pixel, [r, g, b, a * strength.at(index)]);
        }
    }

    /// Maps every visible pixel's colour through `function`.
    pub fn map_colors(
        &mut self,
        function: impl Fn([f32; 3]) -> [f32; 3],
        strength: &Strength,
        mode: BlendMode,
    ) {
        for (index, pixel) in self.pixels.iter_mut().enumerate() {
            let amount = strength.at(index);
            if amount > 0.0 && pixel[3] > 0.0 {
                let [r, g, b] = function([pixel[0], pixel[1], pixel[2]]);
                *pixel = adjust(mode, *pixel, [r, g, b, pixel[3]], amount);
            }
        }
    }

    /// Mixes in a filtered copy of the same rectangle.
    pub fn mix(&mut self, filtered: &Self, strength: &Strength, mode: BlendMode) {
        for (index, (pixel, new)) in self.pixels.iter_mut().zip(&filtered.pixels).enumerate() {
            *pixel = adjust(mode, *pixel, *new, strength.at(index));
        }
    }

    /// Quantises once.
    pub fn to_buf(&self, depth: Depth) -> PixelBuf {
        fn quantise<S: Sample>(pixels: &[[f32; 4]]) -> Vec<S> {
            pixels.iter().flatten().map(|&value| S::from_f32(value)).collect()
        }
        let samples = match depth {
            Depth::U8 => Samples::U8(quantise(&self.pixels)),
            Depth::U16 => Samples::U16(quantise(&self.pixels)),
        };
        PixelBuf::from_samples(self.rect.size(), 4, samples)
            .unwrap_or_else(|| PixelBuf::new(self.rect.size(), 4, depth))
    }

    /// The pixels of `buf`, which covers `rect`.
    pub fn from_buf(rect: IRect, buf: &PixelBuf) -> Self {
        let mut surface = Self::transparent(rect);
        surface.draw(rect, buf, &Strength { opacity: 1.0, mask: None }, BlendMode::Normal);
        surface
    }

    /// Indices of the part of row `y` inside `rect`.
    fn span(&self, rect: IRect, y: i32) -> std::ops::Range<usize> {
        let start = (y - self.rect.y0) as usize * self.rect.width() as usize
            + (rect.x0 - self.rect.x0) as usize;
        start..start + rect.width() as usize
    }
}
