//! Baseline JPEG on all cores: strips of a picture encoded apart and joined by restart markers.
//!
//! At a restart marker (ITU-R T.81, E.1.4) the decoder's predictions start from nothing and the
//! data from a whole byte, as they do at the beginning of a scan. Strips of the same tables and as
//! many blocks as the restart interval are therefore one scan once markers stand between them.

use image::ExtendedColorType;
use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use rayon::prelude::*;

/// Side of a block; there is no chroma subsampling.
const BLOCK: u32 = 8;
/// Blocks in a strip, at least: at this number a marker costs less than a thousandth.
const MIN_BLOCKS: u32 = 16_384;
/// Most blocks that an interval can state.
const MAX_BLOCKS: u32 = u16::MAX as u32;

/// What all strips share.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub quality: u8,
    pub density: Option<PixelDensity>,
    /// `L8` or `Rgb8`.
    pub color: ExtendedColorType,
}

/// Encodes interleaved 8-bit samples.
pub(super) fn encode(
    samples: &[u8],
    width: u32,
    height: u32,
    settings: Settings,
) -> Result<Vec<u8>, String> {
    let across = width.div_ceil(BLOCK).max(1);
    // The same strips on any machine: the file does not depend on the number of cores.
    let rows = BLOCK * MIN_BLOCKS.div_ceil(across).min((MAX_BLOCKS / across).max(1));
    let row_bytes = samples.len() / height.max(1) as usize;
    if rows >= height || row_bytes == 0 {
        return strip(samples, width, height, settings);
    }
    let strips: Vec<Vec<u8>> = samples
        .par_chunks(row_bytes * rows as usize)
        .map(|samples| strip(samples, width, (samples.len() / row_bytes) as u32, settings))
        .collect::<Result<_, _>>()?;
    join(&strips, height, (across * (rows / BLOCK)) as u16)
        .ok_or_else(|| "the encoder's output is not understood".into())
}

fn strip(samples: &[u8], width: u32, height: u32, settings: Settings) -> Result<Vec<u8>, String> {
    let mut encoded = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut encoded, settings.quality);
    if let Some(density) = settings.density {
        encoder.set_pixel_density(density);
    }
    let done = encoder.encode(samples, width, height, settings.color);
    done.map_err(|error| error.to_string()).map(|()| encoded)
}

/// One file of all strips; `None` where a strip is no file as the encoder makes them.
fn join(strips: &[Vec<u8>], height: u32, interval: u16) -> Option<Vec<u8>> {
    let (first, _) = strips.split_first()?;
    let (frame, scan) = places(first)?;
    let mut file = Vec::with_capacity(strips.iter().map(Vec::len).sum());
    file.extend(&first[..scan]);
    // Behind marker, length and precision.
    file[frame + 5..frame + 7].copy_from_slice(&u16::try_from(height).ok()?.to_be_bytes());
    let [high, low] = interval.to_be_bytes();
    file.extend([0xff, 0xdd, 0, 4, high, low]);
    for (index, strip) in strips.iter().enumerate() {
        let (_, scan) = places(strip)?;
        let data = strip.get(scan..)?.strip_suffix(&[0xff, 0xd9])?;
        if index == 0 {
            file.extend(data);
        } else {
            let header = 2 + usize::from(u16::from_be_bytes([*data.get(2)?, *data.get(3)?]));
            file.extend([0xff, 0xd0 + ((index - 1) % 8) as u8]);
            file.extend(data.get(header..)?);
        }
    }
    file.extend([0xff, 0xd9]);
    Some(file)
}

/// Where the frame header and the scan header begin, markers included.
fn places(file: &[u8]) -> Option<(usize, usize)> {
    let (mut at, mut frame) = (2, None);
    loop {
        let head = file.get(at..at + 4).filter(|head| head[0] == 0xff)?;
        match head[1] {
            0xc0 => frame = Some(at),
            0xda => return Some((frame?, at)),
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([head[2], head[3]]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_the_same_picture_as_one_piece() {
        // Neither side fills whole blocks, and there are more strips than markers' numbers.
        let (width, height) = (2045, 5000);
        for (color, channels) in [(ExtendedColorType::Rgb8, 3), (ExtendedColorType::L8, 1)] {
            let samples: Vec<u8> = (0..width * height * channels)
                .map(|i| ((i / 7) ^ (i / (3 * width)) ^ (i % 251)) as u8)
                .collect();
            let settings = Settings { quality: 90, density: None, color };
            let joined = encode(&samples, width, height, settings).unwrap();
            let whole = strip(&samples, width, height, settings).unwrap();
            let markers = joined.windows(2).filter(|w| w[0] == 0xff && w[1] & 0xf8 == 0xd0).count();
            assert!(markers > 8, "{markers} markers");
            assert!(joined.len() < whole.len() + whole.len() / 500);
            let pixels = |file: &[u8]| image::load_from_memory(file).unwrap().into_bytes();
            assert!(pixels(&joined) == pixels(&whole), "{color:?} differs");
        }
    }

    #[test]
    fn a_small_picture_is_one_piece() {
        let settings = Settings { quality: 80, density: None, color: ExtendedColorType::L8 };
        let file = encode(&[7; 60], 10, 6, settings).unwrap();
        assert!(!file.windows(2).any(|pair| pair == [0xff, 0xdd]));
    }
}
