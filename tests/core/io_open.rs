//! Opening real files: orientation, colour models, depth, profiles.

use std::path::PathBuf;

use ganvas::color::WorkingProfile;
use ganvas::geom::Size;
use ganvas::io::{ColorModel, Format, Limits, Notice, Opened, open};
use ganvas::pixels::{Depth, PixelBuf};

pub fn photo(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let fixture = root.join("tests/fixtures/photos").join(name);
    if fixture.exists() { fixture } else { root.join("assets/photos").join(name) }
}

pub fn opened(name: &str) -> Opened {
    open(&photo(name), &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Peak signal-to-noise ratio of the three colours in dB, of values after `convert`.
pub fn psnr_with(a: &PixelBuf, b: &PixelBuf, convert: impl Fn([f32; 3]) -> [f32; 3]) -> f64 {
    assert_eq!(a.size(), b.size());
    let Size { width, height } = a.size();
    let mut sum = 0.0;
    for y in 0..height {
        for x in 0..width {
            let ([r, g, blue, _], want) = (a.pixel_f32(x, y), b.pixel_f32(x, y));
            let have = convert([r, g, blue]);
            for channel in 0..3 {
                let quantised = (have[channel].clamp(0.0, 1.0) * 255.0).round() / 255.0;
                sum += f64::from(quantised - want[channel]).powi(2);
            }
        }
    }
    -10.0 * (sum / (3.0 * f64::from(width) * f64::from(height))).max(1e-12).log10()
}

pub fn psnr(a: &PixelBuf, b: &PixelBuf) -> f64 {
    psnr_with(a, b, |rgb| rgb)
}

#[test]
fn every_orientation_comes_out_upright() {
    let upright = opened("orientation-upright.png").pixels;
    for orientation in 1..=8 {
        let picture = opened(&format!("orientation-{orientation}.jpg"));
        assert_eq!(picture.source.orientation, orientation);
        let quality = psnr(&picture.pixels, &upright);
        assert!(quality > 30.0, "orientation {orientation}: {quality:.1} dB");
    }
    // The measure tells pictures apart: one turned by half is far off.
    let mut turned = upright.clone();
    let Size { width, height } = upright.size();
    for y in 0..height {
        for x in 0..width {
            turned.set_pixel_f32(x, y, upright.pixel_f32(width - 1 - x, height - 1 - y));
        }
    }
    assert!(psnr(&turned, &upright) < 20.0);
}

#[test]
fn wide_gamut_colours_become_the_reference_in_srgb() {
    let reference = opened("icc-reference-srgb.png").pixels;
    for (name, profile) in
        [("icc-display-p3.png", "Display P3"), ("icc-adobe-rgb.png", "Adobe RGB")]
    {
        let picture = opened(name);
        assert_eq!(&*picture.profile.name, profile);
        assert!(picture.notices.is_empty(), "{:?}", picture.notices);
        assert!(picture.profile.icc.is_some());
        let managed = psnr_with(&picture.pixels, &reference, |rgb| picture.profile.to_srgb(rgb));
        assert!(managed >= 45.0, "{name}: {managed:.1} dB");
        let ignored = psnr(&picture.pixels, &reference);
        assert!(ignored < 32.0, "{name} without its profile: {ignored:.1} dB");
    }
    for name in ["icc-display-p3.jpg", "icc-adobe-rgb.jpg"] {
        let picture = opened(name);
        let managed = psnr_with(&picture.pixels, &reference, |rgb| picture.profile.to_srgb(rgb));
        assert!(managed >= 35.0, "{name}: {managed:.1} dB");
    }
}

/// The mean of each 2×2 block.
fn halved(picture: &PixelBuf) -> PixelBuf {
    let size = Size::new(picture.size().width / 2, picture.size().height / 2);
    let mut half = PixelBuf::new(size, 4, Depth::U8);
    for y in 0..size.height {
        for x in 0..size.width {
            let block = [(0, 0), (1, 0), (0, 1), (1, 1)]
                .map(|(dx, dy)| picture.pixel_f32(2 * x + dx, 2 * y + dy));
            half.set_pixel_f32(
                x,
                y,
                std::array::from_fn(|c| block.iter().map(|pixel| pixel[c]).sum::<f32>() / 4.0),
            );
        }
    }
    half
}

#[test]
fn inverted_inks_show_the_photo_they_were_made_from() {
    let picture = opened("cmyk.jpg");
    assert_eq!(picture.source.model, ColorModel::Cmyk);
    assert!(matches!(picture.notices[..], [Notice::ConvertedToSrgb { .. }]));
    assert_eq!(picture.profile, WorkingProfile::srgb());
    let photo = halved(&opened("coffee.png").pixels);
    assert!(psnr(&picture.pixels, &photo) > 35.0);
    assert!(psnr_with(&picture.pixels, &photo, |rgb| rgb.map(|v| 1.0 - v)) < 10.0);
}

#[test]
fn each_kind_of_file_is_known_for_what_it_is() {
    use ColorModel::{Gray, GrayAlpha, Palette, Rgb, Rgba};
    let kinds = [
        ("gray-alpha.png", Format::Png, GrayAlpha, 8, 1, true),
        ("gray16.png", Format::Png, Gray, 16, 1, false),
        ("palette.png", Format::Png, Palette, 8, 1, false),
        ("rgba.png", Format::Png, Rgba, 8, 1, true),
        ("rgb16.png", Format::Png, Rgb, 16, 1, false),
        ("progressive.jpg", Format::Jpeg, Rgb, 8, 1, false),
        ("tiff-lzw.tif", Format::Tiff, Rgb, 8, 1, false),
        ("animated.webp", Format::WebP, Rgba, 8, 6, false),
        ("animated.gif", Format::Gif, Palette, 8, 6, false),
    ];
    for (name, format, model, bits, frames, transparent) in kinds {
        let picture = opened(name);
        let source = &picture.source;
        assert_eq!((source.format, source.model), (format, model), "{name}");
        assert_eq!((source.bits, source.frames), (bits, frames), "{name}");
        assert_eq!(picture.pixels.depth().bits(), bits, "{name}");
        assert_eq!(picture.pixels.has_transparency(), transparent, "{name}");
        let noticed = picture.notices.contains(&Notice::FirstFrameOnly { frames });
        assert_eq!(noticed, frames > 1, "{name}: {:?}", picture.notices);
    }
}

#[test]
fn first_frames_and_progressive_scans_show_the_photo() {
    let photo = opened("chelsea.png").pixels;
    assert!(psnr(&opened("progressive.jpg").pixels, &photo) > 36.0);
    let small = opened("tiff-lzw.tif").pixels;
    for name in ["palette.png", "animated.webp", "animated.gif"] {
        let quality = psnr(&opened(name).pixels, &small);
        assert!(quality > 28.0, "{name}: {quality:.1} dB");
    }
}

#[test]
fn sixteen_bits_stay_sixteen() {
    let ramp = opened("gray16.png").pixels;
    let values: Vec<u16> = (0..240).map(|x| ramp.samples().get(ramp.index(x, 5))).collect();
    assert_eq!((values[0], values[1], values[239]), (0, 274, 65_535));
    assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
    // Of 8 bits made 16, every value would be a multiple of 257.
    assert!(values.iter().filter(|value| **value % 257 != 0).count() > 200);
    assert_eq!(ramp.samples().get(ramp.index(3, 0) + 3), 65_535);
}

#[test]
fn errors_name_the_file_and_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let jpeg = std::fs::read(photo("progressive.jpg")).unwrap();
    let cases = [
        (file("empty.png", b""), "the file is empty"),
        (file("text.png", b"hello, this is text"), "no PNG, JPEG, WebP, TIFF, BMP or GIF"),
        (file("half.jpg", &jpeg[..jpeg.len() / 2]), "JPEG data ends early"),
        (folder.path().join("missing.png"), "No such file"),
        (folder.path().to_path_buf(), "it is a folder"),
    ];
    for (path, cause) in cases {
        let error = open(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(cause), "{error}");
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
fn indexed_and_grey_tiffs_are_what_their_pngs_are() {
    for (name, model, bits) in [
        ("palette", ColorModel::Palette, 8),
        ("palette4", ColorModel::Palette, 4),
        ("gray-alpha", ColorModel::GrayAlpha, 8),
    ] {
        let (tiff, png) = (opened(&format!("{name}.tif")), opened(&format!("{name}.png")));
        assert!(tiff.pixels == png.pixels, "{name}: the pixels differ");
        assert_eq!((tiff.source.format, tiff.source.model), (Format::Tiff, model), "{name}");
        assert_eq!(tiff.source.bits, bits, "{name}");
        assert!(tiff.profile.is_srgb() && png.profile.is_srgb(), "{name}");
    }
}

/// A JPEG with further segments behind its start.
fn with_segments(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let file = std::fs::read(photo("progressive.jpg")).unwrap();
    let mut out = file[..2].to_vec();
    for (marker, body) in segments {
        out.extend([0xff, *marker]);
        out.extend((body.len() as u16 + 2).to_be_bytes());
        out.extend(*body);
    }
    out.extend(&file[2..]);
    out
}

#[test]
fn what_a_jpeg_holds_beyond_its_picture_is_kept_or_said() {
    let lost = |segments: &[(u8, &[u8])]| -> Vec<&'static str> {
        let opened = ganvas::io::decode(&with_segments(segments), &Limits::default()).unwrap();
        let what = |notice: &Notice| match notice {
            Notice::MetadataLost { what, .. } => Some(*what),
            _ => None,
        };
        opened.notices.iter().filter_map(what).collect()
    };
    assert!(lost(&[]).is_empty());
    // Namespace, the packet's digest in letters, its whole length, this part's place, the part.
    let mut more = b"http://ns.adobe.com/xmp/extension/\0".to_vec();
    more.extend([b'0'; 32]);
    more.extend([0, 0, 0, 4, 0, 0, 0, 0]);
    more.extend(b"<x/>");
    assert_eq!(lost(&[(0xe1, &more)]), ["the extended part of the XMP packet"]);
    let iso = b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0";
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x xmlns:h='http://ns.adobe.com/hdr-gain-map/1.0/'/>";
    for segment in [(0xe2, &iso[..]), (0xe1, &xmp[..])] {
        assert_eq!(lost(&[segment]), ["the gain map for HDR screens"]);
    }
    let title = b"\x1c\x02\x05\0\x05Title";
    let mut resources = b"Photoshop 3.0\08BIM\x03\xed\0\0\0\0\0\x02ab8BIM\x04\x04\0\0".to_vec();
    resources.extend((title.len() as u32).to_be_bytes());
    resources.extend(title);
    resources.push(0);
    let segments = [(0xed, &resources[..])];
    let opened = ganvas::io::decode(&with_segments(&segments), &Limits::default()).unwrap();
    assert_eq!(opened.metadata.iptc.as_deref(), Some(&title[..]));
    assert!(lost(&segments).is_empty());
}
