//! A picture file as a mask.

use rayon::prelude::*;

use crate::pixels::{PixelBuf, Sample, Samples};

/// Weights of encoded red, green and blue (ITU-R BT.601-7), in 1/65536; they sum to one, so that
/// grey stays what it is.
const LUMA_601: [u64; 3] = [19_595, 38_470, 7_471];

/// One channel of the same depth: the luminance of RGBA `pixels` as they are encoded, as an image
/// editor shows a colour picture in grey, laid on black where they are transparent.
pub fn luminance_mask(pixels: &PixelBuf) -> PixelBuf {
    let samples = match pixels.samples() {
        Samples::U8(samples) => Samples::U8(luminance(samples)),
        Samples::U16(samples) => Samples::U16(luminance(samples)),
    };
    PixelBuf::from_samples(pixels.size(), 1, samples)
        .unwrap_or_else(|| PixelBuf::new(pixels.size(), 1, pixels.depth()))
}

fn luminance<S: Sample>(samples: &[S]) -> Vec<S> {
    let max = u64::from(S::DEPTH.max());
    samples
        .par_chunks_exact(4)
        .map(|pixel| {
            let weighted: u64 =
                LUMA_601.iter().zip(pixel).map(|(w, v)| w * u64::from(v.to_u16())).sum();
            let luma = (weighted + 32_768) >> 16;
            S::from_u16(((luma * u64::from(pixel[3].to_u16()) + max / 2) / max) as u16)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;

    #[test]
    fn grey_is_itself_and_green_weighs_most() {
        let rgba = vec![77, 77, 77, 255, 0, 255, 0, 255, 255, 0, 0, 255, 255, 255, 255, 51];
        let buf = PixelBuf::from_samples(Size::new(4, 1), 4, Samples::U8(rgba)).unwrap();
        assert_eq!(luminance_mask(&buf).samples(), &Samples::U8(vec![77, 150, 76, 51]));
    }
}
