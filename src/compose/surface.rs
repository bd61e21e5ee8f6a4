//! A rectangle of `f32` pixels that layers are composited into.

use super::blend::{adjust, composite};
use super::plan::Point;
use crate::document::BlendMode;
use crate::geom::IRect;
use crate::ops::{RgbSpan, SPAN};
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
    /// The strengths of `out.len()` pixels from the `start`th on.
    fn read(&self, start: usize, out: &mut [f32]) {
        let opacity = self.opacity;
        match self.mask.as_ref().map(PixelBuf::samples) {
            None => out.fill(opacity),
            Some(Samples::U8(mask)) => {
                out.iter_mut().zip(&mask[start..]).for_each(|(o, m)| *o = opacity * m.to_f32());
            }
            Some(Samples::U16(mask)) => {
                out.iter_mut().zip(&mask[start..]).for_each(|(o, m)| *o = opacity * m.to_f32());
            }
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
        let (samples, _) = samples.as_chunks::<4>();
        let mut amounts = vec![0.0; width];
        for (row, y) in (rect.y0..rect.y1).enumerate() {
            let span = self.span(rect, y);
            strength.read(row * width, &mut amounts);
            let source = samples[row * width..][..width].iter().zip(&amounts);
            let source = source.map(|(&[r, g, b, a], amount)| {
                [r.to_f32(), g.to_f32(), b.to_f32(), a.to_f32() * amount]
            });
            composite_row(&mut self.pixels[span], source, mode);
        }
    }

    /// Composites a finished group over the same rectangle.
    pub fn draw_group(&mut self, group: &Self, strength: &Strength, mode: BlendMode) {
        let mut amounts = [0.0; SPAN];
        let spans = self.pixels.chunks_mut(SPAN).zip(group.pixels.chunks(SPAN));
        for (index, (pixels, source)) in spans.enumerate() {
            strength.read(index * SPAN, &mut amounts[..pixels.len()]);
            let source = source.iter().zip(&amounts);
            let source = source.map(|(&[r, g, b, a], amount)| [r, g, b, a * amount]);
            composite_row(pixels, source, mode);
        }
    }

    /// Maps every visible pixel's colour through a pointwise adjustment.
    pub fn map_colors(&mut self, point: &Point, strength: &Strength, mode: BlendMode) {
        let mut amounts = [0.0; SPAN];
        let mut planes: RgbSpan = [[0.0; SPAN]; 3];
        for (index, pixels) in self.pixels.chunks_mut(SPAN).enumerate() {
            let amounts = &mut amounts[..pixels.len()];
            strength.read(index * SPAN, amounts);
            let acts = |(pixel, amount): (&[f32; 4], &f32)| pixel[3] > 0.0 && *amount > 0.0;
            if !pixels.iter().zip(amounts.iter()).any(acts) {
                continue;
            }
            for (i, pixel) in pixels.iter().enumerate() {
                planes.iter_mut().zip(pixel).for_each(|(plane, value)| plane[i] = *value);
            }
            point.map(&mut planes);
            for (i, (pixel, amount)) in pixels.iter_mut().zip(amounts).enumerate() {
                if pixel[3] > 0.0 {
                    let adjusted = [planes[0][i], planes[1][i], planes[2][i], pixel[3]];
                    *pixel = adjust(mode, *pixel, adjusted, *amount);
                }
            }
        }
    }

    /// Mixes in a filtered copy of the same rectangle.
    pub fn mix(&mut self, filtered: &Self, strength: &Strength, mode: BlendMode) {
        let mut amounts = [0.0; SPAN];
        let spans = self.pixels.chunks_mut(SPAN).zip(filtered.pixels.chunks(SPAN));
        for (index, (pixels, filtered)) in spans.enumerate() {
            strength.read(index * SPAN, &mut amounts[..pixels.len()]);
            for ((pixel, new), amount) in pixels.iter_mut().zip(filtered).zip(&amounts) {
                *pixel = adjust(mode, *pixel, *new, *amount);
            }
        }
    }

    /// Quantises once.
    pub fn to_buf(&self, depth: Depth) -> PixelBuf {
        fn quantise<S: Sample>(pixels: &[[f32; 4]]) -> Vec<S> {
            pixels.as_flattened().iter().map(|&value| S::from_f32(value)).collect()
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

/// Composites source pixels one by one. The common mode gets a loop of its own, in which the
/// choice of mode costs nothing.
fn composite_row(pixels: &mut [[f32; 4]], source: impl Iterator<Item = [f32; 4]>, mode: BlendMode) {
    let pairs = pixels.iter_mut().zip(source);
    if mode == BlendMode::Normal {
        pairs.for_each(|(pixel, source)| *pixel = composite(BlendMode::Normal, *pixel, source));
    } else {
        pairs.for_each(|(pixel, source)| *pixel = composite(mode, *pixel, source));
    }
}
