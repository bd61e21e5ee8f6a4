//! Contiguous pixel buffers.

use super::{Depth, Sample};
use crate::geom::{IRect, Size};

/// Interleaved samples of one depth.
#[derive(Clone, PartialEq, Eq)]
pub enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

impl Samples {
    pub fn zeroed(len: usize, depth: Depth) -> Self {
        match depth {
            Depth::U8 => Self::U8(vec![0; len]),
            Depth::U16 => Self::U16(vec![0; len]),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => samples.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub const fn depth(&self) -> Depth {
        match self {
            Self::U8(_) => Depth::U8,
            Self::U16(_) => Depth::U16,
        }
    }

    /// Native-endian bytes, for uploads.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::U8(samples) => samples,
            Self::U16(samples) => bytemuck::cast_slice(samples),
        }
    }

    #[inline]
    pub fn get_f32(&self, index: usize) -> f32 {
        match self {
            Self::U8(samples) => samples[index].to_f32(),
            Self::U16(samples) => samples[index].to_f32(),
        }
    }

    /// The raw sample value, `0..=depth.max()`.
    #[inline]
    pub fn get(&self, index: usize) -> u16 {
        match self {
            Self::U8(samples) => u16::from(samples[index]),
            Self::U16(samples) => samples[index],
        }
    }

    #[inline]
    pub fn set_f32(&mut self, index: usize, value: f32) {
        match self {
            Self::U8(samples) => samples[index] = u8::from_f32(value),
            Self::U16(samples) => samples[index] = u16::from_f32(value),
        }
    }

    pub(super) fn copy_span(&mut self, at: usize, from: &Self, from_at: usize, len: usize) {
        match (self, from) {
            (Self::U8(to), Self::U8(from)) => {
                to[at..at + len].copy_from_slice(&from[from_at..from_at + len]);
            }
            (Self::U16(to), Self::U16(from)) => {
                to[at..at + len].copy_from_slice(&from[from_at..from_at + len]);
            }
            _ => debug_assert!(false, "copy_span between two depths"),
        }
    }

    /// Keeps the first `len` samples and gives the memory of the others back.
    fn shrink(&mut self, len: usize) {
        match self {
            Self::U8(samples) => {
                samples.truncate(len);
                samples.shrink_to_fit();
            }
            Self::U16(samples) => {
                samples.truncate(len);
                samples.shrink_to_fit();
            }
        }
    }

    pub(super) fn fill_pixels(&mut self, start: usize, pixels: usize, value: &[u16]) {
        let len = pixels * value.len();
        match self {
            Self::U8(to) => {
                for pixel in to[start..start + len].chunks_exact_mut(value.len()) {
                    pixel.iter_mut().zip(value).for_each(|(to, from)| *to = *from as u8);
                }
            }
            Self::U16(to) => {
                for pixel in to[start..start + len].chunks_exact_mut(value.len()) {
                    pixel.copy_from_slice(value);
                }
            }
        }
    }
}

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} samples of {} bits", self.len(), self.depth().bits())
    }
}

/// A contiguous image, row by row without padding: RGBA with straight alpha, or one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PixelBuf {
    size: Size,
    channels: usize,
    samples: Samples,
}

impl PixelBuf {
    /// All samples zero: transparent black, or a black mask. `channels` is 1 or 4.
    pub fn new(size: Size, channels: usize, depth: Depth) -> Self {
        assert!(channels == 1 || channels == 4, "1 or 4 channels, not {channels}");
        let len = size.pixels() as usize * channels;
        Self { size, channels, samples: Samples::zeroed(len, depth) }
    }

    /// Every pixel set to `value`, given in raw samples of `depth`.
    pub fn filled(size: Size, channels: usize, depth: Depth, value: [u16; 4]) -> Self {
        let mut buf = Self::new(size, channels, depth);
        if value.iter().any(|&sample| sample != 0) {
            buf.samples.fill_pixels(0, size.pixels() as usize, &value[..channels]);
        }
        buf
    }

    /// `None` where the number of samples does not fit `size` and `channels`.
    pub fn from_samples(size: Size, channels: usize, samples: Samples) -> Option<Self> {
        let fits = (channels == 1 || channels == 4)
            && samples.len() as u64 == size.pixels() * channels as u64;
        fits.then_some(Self { size, channels, samples })
    }

    /// Keeps the first `rows` rows and gives the memory of the others back.
    pub(super) fn truncate_rows(&mut self, rows: u32) {
        self.size.height = self.size.height.min(rows);
        self.samples.shrink(self.size.pixels() as usize * self.channels);
    }

    pub const fn size(&self) -> Size {
        self.size
    }

    pub const fn channels(&self) -> usize {
        self.channels
    }

    pub const fn depth(&self) -> Depth {
        self.samples.depth()
    }

    pub const fn samples(&self) -> &Samples {
        &self.samples
    }

    pub const fn samples_mut(&mut self) -> &mut Samples {
        &mut self.samples
    }

    pub fn into_samples(self) -> Samples {
        self.samples
    }

    #[inline]
    pub fn index(&self, x: u32, y: u32) -> usize {
        (y as usize * self.size.width as usize + x as usize) * self.channels
    }

    /// All four channels as `0..=1`; a mask answers its value in every colour with alpha 1.
    pub fn pixel_f32(&self, x: u32, y: u32) -> [f32; 4] {
        let at = self.index(x, y);
        if self.channels == 4 {
            std::array::from_fn(|channel| self.samples.get_f32(at + channel))
        } else {
            let value = self.samples.get_f32(at);
            [value, value, value, 1.0]
        }
    }

    pub fn set_pixel_f32(&mut self, x: u32, y: u32, value: [f32; 4]) {
        let at = self.index(x, y);
        for (channel, value) in value.into_iter().take(self.channels).enumerate() {
            self.samples.set_f32(at + channel, value);
        }
    }

    /// Whether any pixel has less than full alpha; a mask has none.
    pub fn has_transparency(&self) -> bool {
        if self.channels != 4 {
            return false;
        }
        match &self.samples {
            Samples::U8(samples) => samples.iter().skip(3).step_by(4).any(|&alpha| alpha != 255),
            Samples::U16(samples) => {
                samples.iter().skip(3).step_by(4).any(|&alpha| alpha != 65_535)
            }
        }
    }

    /// Whether red, green and blue are one in every pixel of a picture; a mask is grey.
    pub fn is_gray(&self) -> bool {
        fn run<S: Copy + PartialEq>(samples: &[S]) -> bool {
            samples.chunks_exact(4).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
        }
        self.channels != 4
            || match &self.samples {
                Samples::U8(samples) => run(samples),
                Samples::U16(samples) => run(samples),
            }
    }

    /// Takes the mean of red, green and blue for all three.
    pub fn make_gray(&mut self) {
        if self.channels != 4 {
            return;
        }
        let rounded = |[r, g, b]: [u32; 3]| (r + g + b + 1) / 3;
        match &mut self.samples {
            Samples::U8(samples) => samples.chunks_exact_mut(4).for_each(|pixel| {
                let mean = rounded([pixel[0], pixel[1], pixel[2]].map(u32::from));
                pixel[..3].fill(mean as u8);
            }),
            Samples::U16(samples) => samples.chunks_exact_mut(4).for_each(|pixel| {
                let mean = rounded([pixel[0], pixel[1], pixel[2]].map(u32::from));
                pixel[..3].fill(mean as u16);
            }),
        }
    }

    /// The part inside `rect`, which must lie within the image.
    pub fn crop(&self, rect: IRect) -> Self {
        assert!(self.size.rect().contains_rect(rect), "crop outside the image");
        let mut out = Self::new(rect.size(), self.channels, self.depth());
        out.blit(self, (-rect.x0, -rect.y0));
        out
    }

    /// Copies `source` with its top left corner at `at`, clipped. Same channels and depth.
    pub fn blit(&mut self, source: &Self, at: (i32, i32)) {
        assert_eq!(self.channels, source.channels, "blit between channel counts");
        let target = IRect::from_origin_size(at, source.size).intersect(self.size.rect());
        let len = target.width() as usize * self.channels;
        for y in target.y0..target.y1 {
            let to = self.index(target.x0 as u32, y as u32);
            let from = source.index((target.x0 - at.0) as u32, (y - at.1) as u32);
            self.samples.copy_span(to, &source.samples, from, len);
        }
    }

    /// The same picture at another depth: ×257 up, rounded down, so that 8 → 16 → 8 is exact.
    pub fn to_depth(&self, depth: Depth) -> Self {
        let samples = match (&self.samples, depth) {
            (Samples::U8(from), Depth::U16) => {
                Samples::U16(from.iter().map(|&sample| u16::from(sample) * 257).collect())
            }
            (Samples::U16(from), Depth::U8) => {
                Samples::U8(from.iter().map(|&v| ((u32::from(v) + 128) / 257) as u8).collect())
            }
            _ => self.samples.clone(),
        };
        Self { size: self.size, channels: self.channels, samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_survive_sixteen() {
        let samples = Samples::U8((0..=255).collect());
        let buf = PixelBuf::from_samples(Size::new(64, 1), 4, samples).map(|buf| {
            assert_eq!(buf.to_depth(Depth::U16).to_depth(Depth::U8), buf);
            buf
        });
        assert!(buf.is_some());
    }

    #[test]
    fn a_crop_holds_the_pixels_of_its_place() {
        let mut buf = PixelBuf::new(Size::new(5, 4), 1, Depth::U16);
        buf.set_pixel_f32(3, 2, [1.0; 4]);
        let part = buf.crop(IRect::new(2, 1, 5, 4));
        assert_eq!(part.samples().get(part.index(1, 1)), 65_535);
    }
}
