//! Writing: what goes in comes out, profiles and metadata go along, nothing is left half-written.

use std::sync::Arc;

use ganvas::color::{WorkingProfile, display_p3_icc};
use ganvas::document::Metadata;
use ganvas::geom::Size;
use ganvas::io::{
    DecodeError, Format, Limits, MetadataPolicy, Notice, Opened, SaveError, SaveOptions, decode,
    encode_to_vec, save,
};
use ganvas::pixels::{Depth, PixelBuf};

use super::io_open::{opened, psnr};

fn reopened(
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    metadata: &Metadata,
    options: &SaveOptions,
) -> (Opened, Vec<Notice>) {
    let (bytes, notices) = encode_to_vec(pixels, profile, metadata, options).unwrap();
    let read: Result<Opened, DecodeError> = decode(&bytes, &Limits::default());
    (read.unwrap_or_else(|error| panic!("{}: {error}", options.format)), notices)
}

/// Every colour and alpha, in a size that fills no block evenly.
fn pattern(depth: Depth, alpha: bool, gray: bool) -> PixelBuf {
    let size = Size::new(37, 23);
    let mut buf = PixelBuf::new(size, 4, depth);
    for y in 0..size.height {
        for x in 0..size.width {
            let (u, v) = (x as f32 / 36.0, y as f32 / 22.0);
            let rgb = if gray { [u * v; 3] } else { [u, v, (u * 7.0).fract()] };
            let a = if alpha { (u + v) / 2.0 } else { 1.0 };
            buf.set_pixel_f32(x, y, [rgb[0], rgb[1], rgb[2], a]);
        }
    }
    buf
}

#[test]
fn lossless_formats_return_every_sample() {
    let srgb = WorkingProfile::srgb();
    for format in [Format::Png, Format::WebP, Format::Tiff, Format::Bmp] {
        for (alpha, gray) in [(false, false), (true, false), (false, true), (true, true)] {
            for depth in [Depth::U8, Depth::U16] {
                if depth == Depth::U16 && format.max_depth() == Depth::U8 {
                    continue;
                }
                let pixels = pattern(depth, alpha, gray);
                let options = SaveOptions::new(format);
                let (read, notices) = reopened(&pixels, &srgb, &Metadata::default(), &options);
                assert!(read.pixels == pixels, "{format} {depth:?} alpha {alpha} gray {gray}");
                assert!(notices.is_empty(), "{notices:?}");
            }
        }
    }
}

#[test]
fn depth_and_transparency_are_adapted_with_a_notice() {
    let srgb = WorkingProfile::srgb();
    let deep = pattern(Depth::U16, true, false);
    let (read, notices) =
        reopened(&deep, &srgb, &Metadata::default(), &SaveOptions::new(Format::Jpeg));
    let flattened = Notice::AlphaFlattened { format: Format::Jpeg };
    assert_eq!(notices, [Notice::DepthReduced { format: Format::Jpeg }, flattened]);
    // The most transparent corner is nearly white.
    assert!(read.pixels.pixel_f32(0, 0)[..3].iter().all(|value| *value > 0.9));

    let shallow = pattern(Depth::U8, false, false);
    let mut options = SaveOptions::new(Format::Png);
    options.depth = Some(Depth::U16);
    let (read, _) = reopened(&shallow, &srgb, &Metadata::default(), &options);
    assert_eq!(read.pixels.depth(), Depth::U16);
    assert!(read.pixels.to_depth(Depth::U8) == shallow);
    options.format = Format::WebP;
    let refused = encode_to_vec(&shallow, &srgb, &Metadata::default(), &options);
    assert!(matches!(refused, Err(SaveError::DepthTooLarge(Format::WebP))));
    options = SaveOptions { format: Format::Gif, ..SaveOptions::new(Format::Png) };
    let refused = encode_to_vec(&shallow, &srgb, &Metadata::default(), &options);
    assert!(matches!(refused, Err(SaveError::ReadOnlyFormat(Format::Gif))));
}

#[test]
fn jpeg_quality_trades_size_for_likeness() {
    let photo = opened("orientation-upright.png");
    let sizes: Vec<(usize, f64)> = [30, 75, 98]
        .into_iter()
        .map(|quality| {
            let options = SaveOptions { quality, ..SaveOptions::new(Format::Jpeg) };
            let metadata = Metadata::default();
            let bytes =
                encode_to_vec(&photo.pixels, &photo.profile, &metadata, &options).unwrap().0;
            let read = decode(&bytes, &Limits::default()).unwrap();
            (bytes.len(), psnr(&read.pixels, &photo.pixels))
        })
        .collect();
    assert!(sizes.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
    assert!(sizes[2].1 > 38.0, "{sizes:?}");
}

#[test]
fn profiles_and_packets_travel_in_every_format_that_can() {
    let profile = WorkingProfile::from_icc(&display_p3_icc()).unwrap();
    let exif = opened("exif-orientation6-gps.jpg").metadata.exif;
    let xmp: Arc<[u8]> = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".as_slice().into();
    let iptc = Some(b"\x1c\x02\x05\0\x05Title\x1c\x02\x5a\0\x04Bern".as_slice().into());
    let pixels_per_inch = Some((300.0, 150.0));
    let metadata = Metadata { exif, xmp: Some(xmp.clone()), iptc, pixels_per_inch };
    let pixels = pattern(Depth::U8, false, true);
    for format in [Format::Png, Format::Jpeg, Format::WebP, Format::Tiff] {
        let (read, notices) = reopened(&pixels, &profile, &metadata, &SaveOptions::new(format));
        // IPTC has a place in two of them, and the others say so.
        let holds_iptc = matches!(format, Format::Jpeg | Format::Tiff);
        let expected = if holds_iptc { metadata.iptc.clone() } else { None };
        assert_eq!(read.metadata.iptc, expected, "{format}");
        let lost = |notice: &Notice| matches!(notice, Notice::MetadataLost { what, .. } if *what == "IPTC data");
        assert!(notices.iter().all(lost) && notices.is_empty() == holds_iptc, "{notices:?}");
        assert_eq!(read.profile.icc, profile.icc, "{format}");
        assert_eq!(&*read.profile.name, "Display P3");
        assert_eq!(read.metadata.xmp.as_deref(), Some(&*xmp), "{format}");
        assert!(read.metadata.exif.is_some(), "{format}");
        if format != Format::WebP {
            let (x, y) = read.metadata.pixels_per_inch.unwrap();
            assert!((x - 300.0).abs() < 0.6 && (y - 150.0).abs() < 0.6, "{format}: {x} {y}");
        }
        let unplaced = SaveOptions { metadata: MetadataPolicy::NoGps, ..SaveOptions::new(format) };
        let (read, _) = reopened(&pixels, &profile, &metadata, &unplaced);
        let title: &[u8] = b"\x1c\x02\x05\0\x05Title";
        assert_eq!(read.metadata.iptc.as_deref(), holds_iptc.then_some(title), "{format}");
        let none = SaveOptions { metadata: MetadataPolicy::None, ..SaveOptions::new(format) };
        let (bare, notices) = reopened(&pixels, &profile, &metadata, &none);
        assert!(bare.profile.icc.is_none() && bare.metadata.exif.is_none(), "{format}");
        assert!(bare.metadata.xmp.is_none());
        assert!(notices.contains(&Notice::SavedAsSrgb { from: "Display P3".into() }));
    }
}

#[test]
fn a_profile_larger_than_a_segment_is_written_in_chunks() {
    let mut icc = display_p3_icc();
    // Bytes that no tag names are allowed behind the last one.
    icc.resize(200_000, 0);
    let len = (icc.len() as u32).to_be_bytes();
    icc[..4].copy_from_slice(&len);
    let profile = WorkingProfile::from_icc(&icc).unwrap();
    let pixels = pattern(Depth::U8, false, false);
    let (read, _) =
        reopened(&pixels, &profile, &Metadata::default(), &SaveOptions::new(Format::Jpeg));
    assert_eq!(read.profile.icc.as_deref(), Some(icc.as_slice()));
}

#[test]
fn a_failed_save_leaves_the_folder_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("there.png");
    std::fs::write(&target, b"old").unwrap();
    let pixels = pattern(Depth::U8, false, false);
    let (srgb, metadata) = (WorkingProfile::srgb(), Metadata::default());
    let bad = SaveOptions { quality: 0, ..SaveOptions::new(Format::Jpeg) };
    assert!(save(&target, &pixels, &srgb, &metadata, &bad).is_err());
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    let nowhere = folder.path().join("missing/out.png");
    let good = SaveOptions::new(Format::Png);
    let refused = save(&nowhere, &pixels, &srgb, &metadata, &good);
    assert!(matches!(refused, Err(SaveError::NoFolder(_))));
    let below_a_file = target.join("out.png");
    assert!(save(&below_a_file, &pixels, &srgb, &metadata, &good).is_err());
    assert!(save(&target, &pixels, &srgb, &metadata, &good).is_ok());
    assert!(std::fs::read(&target).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
