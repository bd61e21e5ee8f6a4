//! Hostile files: truncated, damaged, lying about their size. Errors, never panics, and quickly.

use std::time::{Duration, Instant};

use ganvas::color::{WorkingProfile, display_p3_icc};
use ganvas::document::Metadata;
use ganvas::geom::Size;
use ganvas::io::{DecodeError, Format, Limits, SaveOptions, decode, encode_to_vec};
use ganvas::pixels::{Depth, PixelBuf};

use super::io_exif::crc32;
use super::io_open::{opened, photo};

/// Small files of every format, with all metadata they can carry.
fn samples() -> Vec<(Format, Vec<u8>)> {
    let profile = WorkingProfile::from_icc(&display_p3_icc()).unwrap();
    let metadata = Metadata {
        exif: opened("exif-orientation6-gps.jpg").metadata.exif,
        xmp: Some(b"<x:xmpmeta/>".as_slice().into()),
        iptc: Some(b"\x1c\x02\x05\0\x05Title".as_slice().into()),
        pixels_per_inch: Some((72.0, 72.0)),
    };
    let mut pixels = PixelBuf::new(Size::new(13, 9), 4, Depth::U8);
    for y in 0..9 {
        for x in 0..13 {
            let (u, v) = (x as f32 / 12.0, y as f32 / 8.0);
            pixels.set_pixel_f32(x, y, [u, v, u * v, 1.0 - u * v / 2.0]);
        }
    }
    let mut files: Vec<_> = Format::WRITABLE
        .into_iter()
        .map(|format| {
            let options = SaveOptions::new(format);
            (format, encode_to_vec(&pixels, &profile, &metadata, &options).unwrap().0)
        })
        .collect();
    let deep = pixels.to_depth(Depth::U16);
    let options = SaveOptions::new(Format::Tiff);
    files.push((Format::Tiff, encode_to_vec(&deep, &profile, &metadata, &options).unwrap().0));
    files.push((Format::Jpeg, std::fs::read(photo("orientation-6.jpg")).unwrap()));
    // One colour in one frame of 2×2.
    let gif = b"GIF89a\x02\0\x02\0\x80\0\0\x10\x20\x30\xff\xff\xff,\0\0\0\0\x02\0\x02\0\0\x02\x02\x84\x51\0;";
    files.push((Format::Gif, gif.to_vec()));
    for (format, bytes) in &files {
        decode(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{format}: {error}"));
    }
    files
}

#[test]
fn no_prefix_of_a_file_panics() {
    for (format, bytes) in samples() {
        for len in 0..bytes.len() {
            let outcome = decode(&bytes[..len], &Limits::default());
            // These two have an end mark, and a file without it is refused.
            if matches!(format, Format::Png | Format::Jpeg) {
                assert!(outcome.is_err(), "{format}: {len} of {} bytes", bytes.len());
            }
        }
        let half = decode(&bytes[..bytes.len() / 2], &Limits::default());
        assert!(half.is_err(), "half a {format} was accepted");
    }
}

#[test]
fn no_damaged_file_panics() {
    let small = Limits { max_pixels: 1 << 22, ..Limits::default() };
    let mut seed = 0x1234_5678_u32;
    let mut next = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 7
    };
    let mut refused = 0;
    for (_, bytes) in samples() {
        for _ in 0..250 {
            let mut damaged = bytes.clone();
            for _ in 0..=next() % 4 {
                let at = next() as usize % damaged.len();
                damaged[at] ^= 1 << (next() % 8);
            }
            match decode(&damaged, &small) {
                Ok(picture) => assert!(!picture.pixels.size().is_empty()),
                Err(_) => refused += 1,
            }
        }
    }
    // PNG's checksums alone refuse most of theirs.
    assert!(refused > 250, "{refused}");
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut ihdr = b"IHDR".to_vec();
    ihdr.extend(width.to_be_bytes());
    ihdr.extend(height.to_be_bytes());
    ihdr.extend([8, 6, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&ihdr);
    png.extend(crc32(&ihdr).to_be_bytes());
    let idat = b"IDAT\x78\x9c\x03\0\0\0\0\x01";
    png.extend(8_u32.to_be_bytes());
    png.extend(idat);
    png.extend(crc32(idat).to_be_bytes());
    png.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
    png
}

#[test]
fn bombs_are_refused_before_they_are_decoded() {
    let start = Instant::now();
    let too_large = |bytes: &[u8]| {
        let outcome = decode(bytes, &Limits::default()).unwrap_err();
        matches!(outcome, DecodeError::TooLarge { .. } | DecodeError::TooMuchMemory { .. })
    };
    assert!(too_large(&png_of(60_000, 60_000)));
    assert!(too_large(&png_of(2_000_000_000, 1)));
    assert!(too_large(&png_of(65_535, 12_000)));
    // Within the limits, but no eight bytes unfold to 400 MB.
    let unfolding = decode(&png_of(10_000, 10_000), &Limits::default());
    assert!(matches!(unfolding, Err(DecodeError::Truncated(Format::Png))));

    let mut jpeg = std::fs::read(photo("orientation-1.jpg")).unwrap();
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert!(too_large(&jpeg));
    let mut gif = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0".to_vec();
    gif.extend(b"\xff\xff\xff\xff\0\x02\x02\x84\x51\0;");
    assert!(too_large(&gif));
    let mut bmp = samples().into_iter().find(|(format, _)| *format == Format::Bmp).unwrap().1;
    bmp[18..22].copy_from_slice(&60_000_i32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000_i32.to_le_bytes());
    assert!(too_large(&bmp));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());

    // The limits themselves: what is too much for one is fine for another.
    let photo = std::fs::read(photo("rgb16.png")).unwrap();
    assert!(decode(&photo, &Limits::default()).is_ok());
    let short = Limits { max_side: 239, ..Limits::default() };
    assert!(matches!(decode(&photo, &short), Err(DecodeError::TooLarge { .. })));
    let lean = Limits { max_bytes: 240 * 160 * 8 - 1, ..Limits::default() };
    assert!(matches!(decode(&photo, &lean), Err(DecodeError::TooMuchMemory { .. })));
}
