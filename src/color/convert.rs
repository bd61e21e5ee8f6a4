//! Whole pictures to sRGB through an ICC profile of any kind, relative colorimetric.

use moxcms::{ColorProfile, Layout, RenderingIntent, TransformExecutor, TransformOptions};
use rayon::prelude::*;

use super::icc::parse;
use super::{ProfileError, Transfer, WorkingProfile, inverse};
use crate::pixels::{PixelBuf, Samples};

/// Pixels a task converts at a time.
const CHUNK: usize = 65_536;

fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        allow_use_cicp_transfer: false,
        prefer_fixed_point: false,
        ..TransformOptions::default()
    }
}

fn damaged(error: moxcms::CmsError) -> ProfileError {
    ProfileError::Damaged(error.to_string())
}

/// Converts RGBA pixels from the RGB profile `icc` to sRGB; alpha stays.
pub fn rgb_to_srgb(icc: &[u8], pixels: &mut PixelBuf) -> Result<(), ProfileError> {
    let (source, srgb) = (parse(icc)?, ColorProfile::new_srgb());
    let layout = Layout::Rgba;
    match pixels.samples_mut() {
        Samples::U8(samples) => {
            let transform = source.create_transform_8bit(layout, &srgb, layout, options());
            in_chunks(&*transform.map_err(damaged)?, samples)
        }
        Samples::U16(samples) => {
            let transform = source.create_transform_16bit(layout, &srgb, layout, options());
            in_chunks(&*transform.map_err(damaged)?, samples)
        }
    }
}

fn in_chunks<T: Copy + Default + Send>(
    transform: &(dyn TransformExecutor<T> + Send + Sync),
    samples: &mut [T],
) -> Result<(), ProfileError> {
    samples.par_chunks_mut(CHUNK * 4).try_for_each(|chunk| {
        let source = chunk.to_vec();
        transform.transform(&source, chunk).map_err(damaged)
    })
}

/// Converts RGBA pixels whose three colours are one grey value in the grey profile `icc`.
pub fn gray_to_srgb(icc: &[u8], pixels: &mut PixelBuf) -> Result<(), ProfileError> {
    let (source, srgb) = (parse(icc)?, ColorProfile::new_srgb());
    let table = |values: Vec<u16>| {
        let transform = source
            .create_transform_16bit(Layout::Gray, &srgb, Layout::Rgb, options())
            .map_err(damaged)?;
        let mut rgb = vec![0; values.len() * 3];
        transform.transform(&values, &mut rgb).map_err(damaged)?;
        Ok::<_, ProfileError>(rgb.chunks_exact(3).map(|pixel| pixel[1]).collect::<Vec<u16>>())
    };
    match pixels.samples_mut() {
        Samples::U8(samples) => {
            let table = table((0..=255).map(|value| value * 257).collect())?;
            let table: Vec<u8> =
                table.iter().map(|&value| ((u32::from(value) + 128) / 257) as u8).collect();
            look_up(samples, |value| table[value as usize]);
        }
        Samples::U16(samples) => {
            let table = table((0..=65_535).collect())?;
            look_up(samples, |value| table[value as usize]);
        }
    }
    Ok(())
}

fn look_up<T: Copy + Send>(samples: &mut [T], curve: impl Fn(T) -> T + Sync) {
    samples.par_chunks_mut(CHUNK * 4).for_each(|chunk| {
        for pixel in chunk.chunks_exact_mut(4) {
            let value = curve(pixel[0]);
            pixel[..3].fill(value);
        }
    });
}

/// Converts interleaved CMYK (0 = no ink) to opaque sRGB pixels, four bytes each: through the
/// CMYK profile `icc`, or as plain complement times black where there is none.
pub fn cmyk_to_srgb(icc: Option<&[u8]>, cmyk: &mut [u8]) -> Result<(), ProfileError> {
    let Some(icc) = icc else {
        cmyk.par_chunks_mut(CHUNK * 4).for_each(|chunk| {
            for pixel in chunk.chunks_exact_mut(4) {
                let paper = u32::from(255 - pixel[3]);
                for ink in &mut pixel[..3] {
                    *ink = ((u32::from(255 - *ink) * paper + 127) / 255) as u8;
                }
                pixel[3] = 255;
            }
        });
        return Ok(());
    };
    let (source, srgb) = (parse(icc)?, ColorProfile::new_srgb());
    let transform = source
        .create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, options())
        .map_err(damaged)?;
    cmyk.par_chunks_mut(CHUNK * 4).try_for_each(|chunk| {
        let mut rgb = vec![0; chunk.len() / 4 * 3];
        transform.transform(chunk, &mut rgb).map_err(damaged)?;
        for (to, from) in chunk.chunks_exact_mut(4).zip(rgb.chunks_exact(3)) {
            to[..3].copy_from_slice(from);
            to[3] = 255;
        }
        Ok(())
    })
}

/// Converts RGBA pixels encoded in `profile` to sRGB; alpha stays.
pub fn to_srgb(profile: &WorkingProfile, pixels: &mut PixelBuf) -> Result<(), ProfileError> {
    match &profile.icc {
        _ if profile.is_srgb() => Ok(()),
        Some(icc) => rgb_to_srgb(icc, pixels),
        None => {
            for_each_pixel(pixels, |rgb| profile.to_srgb(rgb));
            Ok(())
        }
    }
}

/// Converts RGBA pixels encoded in `from` to the encoding of `to`; what lies outside is clipped,
/// alpha stays.
pub fn between(
    from: &WorkingProfile,
    to: &WorkingProfile,
    pixels: &mut PixelBuf,
) -> Result<(), ProfileError> {
    let same = from.transfer == to.transfer && from.to_linear_srgb == to.to_linear_srgb;
    if same || (from.is_srgb() && to.is_srgb()) {
        return Ok(());
    }
    if to.is_srgb() {
        return to_srgb(from, pixels);
    }
    let back = inverse(to.to_linear_srgb).ok_or(ProfileError::Unsupported)?;
    for_each_pixel(pixels, |rgb| {
        let linear = from.to_srgb(rgb).map(|value| Transfer::SRGB.decode(value));
        back.map(|row| row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2])
            .map(|value| to.transfer.encode(value))
    });
    Ok(())
}

fn for_each_pixel(pixels: &mut PixelBuf, convert: impl Fn([f32; 3]) -> [f32; 3] + Sync) {
    use crate::pixels::Sample;
    fn run<S: Sample>(samples: &mut [S], convert: impl Fn([f32; 3]) -> [f32; 3] + Sync) {
        samples.par_chunks_mut(CHUNK * 4).for_each(|chunk| {
            for pixel in chunk.chunks_exact_mut(4) {
                let rgb = convert([pixel[0].to_f32(), pixel[1].to_f32(), pixel[2].to_f32()]);
                for (to, value) in pixel.iter_mut().zip(rgb) {
                    *to = S::from_f32(value.clamp(0.0, 1.0));
                }
            }
        });
    }
    match pixels.samples_mut() {
        Samples::U8(samples) => run(samples, convert),
        Samples::U16(samples) => run(samples, convert),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::pixels::Depth;

    fn colours(depth: Depth) -> PixelBuf {
        let mut buf = PixelBuf::new(Size::new(64, 4), 4, depth);
        for x in 0..64 {
            let v = x as f32 / 63.0;
            buf.set_pixel_f32(x, 0, [v, v, v, 1.0]);
            buf.set_pixel_f32(x, 1, [v, 0.4, 0.5, 0.3]);
            buf.set_pixel_f32(x, 2, [0.6, v, 0.5, 1.0]);
            buf.set_pixel_f32(x, 3, [0.5, 0.45, v, 0.0]);
        }
        buf
    }

    #[test]
    fn the_fast_path_agrees_with_the_formula() {
        let p3 = WorkingProfile::display_p3();
        for (depth, tolerance) in [(Depth::U8, 1.01 / 255.0), (Depth::U16, 4e-4)] {
            let (mut fast, mut exact) = (colours(depth), colours(depth));
            to_srgb(&p3, &mut fast).unwrap();
            to_srgb(&WorkingProfile { icc: None, ..p3.clone() }, &mut exact).unwrap();
            assert_ne!(fast, colours(depth));
            for y in 0..4 {
                for x in 0..64 {
                    let (a, b) = (fast.pixel_f32(x, y), exact.pixel_f32(x, y));
                    for channel in 0..4 {
                        let error = (a[channel] - b[channel]).abs();
                        assert!(error <= tolerance, "{depth:?} {x},{y}: {a:?} {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn colours_come_back_from_another_profile() {
        let (srgb, p3) = (WorkingProfile::srgb(), WorkingProfile::display_p3());
        for (depth, tolerance) in [(Depth::U8, 2.01 / 255.0), (Depth::U16, 1e-3)] {
            let mut buf = colours(depth);
            between(&srgb, &srgb, &mut buf).unwrap();
            assert_eq!(buf, colours(depth));
            between(&srgb, &p3, &mut buf).unwrap();
            // A pure sRGB red is less than full in the wider gamut, grey is grey.
            let red = buf.pixel_f32(0, 2);
            assert!(red[0] < 0.6 && buf.pixel_f32(32, 0)[0] - buf.pixel_f32(32, 0)[1] < 0.01);
            between(&p3, &srgb, &mut buf).unwrap();
            for (x, y) in (0..64).flat_map(|x| (0..4).map(move |y| (x, y))) {
                let (have, want) = (buf.pixel_f32(x, y), colours(depth).pixel_f32(x, y));
                let error = (0..4).map(|i| (have[i] - want[i]).abs()).fold(0.0, f32::max);
                assert!(error <= tolerance, "{depth:?} {x},{y}: {have:?} {want:?}");
            }
        }
    }

    #[test]
    fn a_grey_gamma_becomes_the_curve_of_srgb() {
        let icc = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        for depth in [Depth::U8, Depth::U16] {
            let mut buf = PixelBuf::new(Size::new(1, 1), 4, depth);
            buf.set_pixel_f32(0, 0, [0.1, 0.1, 0.1, 1.0]);
            gray_to_srgb(&icc, &mut buf).unwrap();
            let expected = super::super::Transfer::SRGB.encode(0.1_f32.powf(2.2));
            let have = buf.pixel_f32(0, 0)[0];
            assert!((have - expected).abs() < 0.004, "{depth:?}: {have} is not {expected}");
        }
    }

    #[test]
    fn ink_without_a_profile_is_plain_complement() {
        let mut cmyk = vec![0, 255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 51, 0, 0, 102];
        cmyk_to_srgb(None, &mut cmyk).unwrap();
        let expected = [255, 0, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255, 122, 153, 153, 255];
        assert_eq!(cmyk, expected);
    }
}
