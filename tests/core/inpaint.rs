//! Exemplar-based fill: what must stay, what comes back, and what refuses.

use ganvas::geom::{IRect, Size};
use ganvas::inpaint::{Border, Fill, FillError, expand, fill, holes};
use ganvas::pixels::{Depth, PixelBuf};
use proptest::prelude::*;

const EXACT: Fill =
    Fill { dilate_px: 0, feather_px: 0.0, seed: 0, patch_px: 7, search_margin: 1.0 };

fn go(_: f32) -> bool {
    true
}

fn painted(
    size: Size,
    channels: usize,
    depth: Depth,
    at: impl Fn(u32, u32) -> [f32; 4],
) -> PixelBuf {
    let mut image = PixelBuf::new(size, channels, depth);
    for y in 0..size.height {
        for x in 0..size.width {
            image.set_pixel_f32(x, y, at(x, y));
        }
    }
    image
}

fn mask_of(size: Size, holes: &[IRect]) -> PixelBuf {
    painted(size, 1, Depth::U8, |x, y| {
        let is_in = holes.iter().any(|hole| hole.contains(x as i32, y as i32));
        [f32::from(u8::from(is_in)); 4]
    })
}

/// Smooth colour with a coarse weave and grain.
fn cloth(x: u32, y: u32) -> [f32; 4] {
    let weave = ((x / 3 + y / 5) % 4) as f32 / 16.0;
    let grain = ((x * 7919 + y * 104_729) % 31) as f32 / 310.0;
    [0.3 + weave, 0.4 + grain + x as f32 / 2000.0, 0.5 - weave + y as f32 / 1500.0, 1.0]
}

/// Peak signal-to-noise ratio over the colours of the pixels in `holes`.
fn psnr(a: &PixelBuf, b: &PixelBuf, holes: &[IRect]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for hole in holes {
        for y in hole.y0..hole.y1 {
            for x in hole.x0..hole.x1 {
                let (a, b) = (a.pixel_f32(x as u32, y as u32), b.pixel_f32(x as u32, y as u32));
                for channel in 0..3 {
                    sum += f64::from(a[channel] - b[channel]).powi(2);
                    count += 1.0;
                }
            }
        }
    }
    10.0 * (count / f64::max(sum, 1e-12)).log10()
}

fn assert_same_outside(before: &PixelBuf, after: &PixelBuf, is_outside: impl Fn(u32, u32) -> bool) {
    let channels = before.channels();
    for y in 0..before.size().height {
        for x in 0..before.size().width {
            let at = before.index(x, y);
            for sample in at..at + channels {
                let (was, is) = (before.samples().get(sample), after.samples().get(sample));
                assert!(was == is || !is_outside(x, y), "pixel {x},{y}: {was} became {is}");
            }
        }
    }
}

#[test]
fn nothing_outside_the_grown_mask_changes() {
    let size = Size::new(90, 70);
    let hole = IRect::new(30, 25, 52, 40);
    for (channels, depth) in [(4, Depth::U8), (4, Depth::U16), (1, Depth::U8), (1, Depth::U16)] {
        let mut image = painted(size, channels, depth, cloth);
        (35..45).for_each(|x| image.set_pixel_f32(x, 30, [0.0, 1.0, 0.0, 1.0]));
        let options = Fill { dilate_px: 2, feather_px: 3.0, ..EXACT };
        let out = fill(&image, &mask_of(size, &[hole]), &options, &mut go).unwrap();
        assert_eq!((out.size(), out.channels(), out.depth()), (size, channels, depth));
        assert_same_outside(&image, &out, |x, y| !hole.grow(5).contains(x as i32, y as i32));
        assert_ne!(out, image);
        // The corner of the square around the mask lies outside the disc it is grown by.
        assert_same_outside(&image, &out, |x, y| (x, y) == (25, 20));
    }
}

#[test]
fn sixteen_bits_stay_finer_than_eight() {
    let size = Size::new(64, 48);
    let hole = IRect::new(20, 15, 44, 33);
    let ramp = |x: u32, y: u32| [0.2 + x as f32 / 700.0, 0.3 + y as f32 / 900.0, 0.5, 1.0];
    let image = painted(size, 4, Depth::U16, ramp);
    let out = fill(&image, &mask_of(size, &[hole]), &EXACT, &mut go).unwrap();
    let at = |x, y| out.samples().get(out.index(x, y));
    let between = (hole.x0..hole.x1).filter(|&x| at(x as u32, 24) % 257 != 0).count();
    assert!(between > 12, "only {between} values need more than 8 bits");
    assert!(psnr(&image, &out, &[hole]) > 45.0, "{}", psnr(&image, &out, &[hole]));
}

#[test]
fn periodic_textures_come_back() {
    let size = Size::new(140, 110);
    let holes = [IRect::new(50, 40, 85, 68)];
    type Texture = fn(u32, u32) -> [f32; 4];
    let textures: [(&str, Texture); 4] = [
        ("stripes", |x, _| [if x % 8 < 4 { 0.9 } else { 0.1 }, 0.5, 0.3, 1.0]),
        ("oblique", |x, y| [if (x + 2 * y) % 14 < 6 { 0.8 } else { 0.2 }, 0.2, 0.6, 1.0]),
        ("checker", |x, y| [if (x / 6 + y / 6) % 2 == 0 { 1.0 } else { 0.0 }; 4].map(|v| v * 0.9)),
        ("bricks", |x, y| {
            let shift = if (y / 10) % 2 == 0 { 0 } else { 11 };
            let is_joint = y % 10 < 2 || (x + shift) % 22 < 2;
            if is_joint { [0.8, 0.8, 0.75, 1.0] } else { [0.6, 0.25, 0.2, 1.0] }
        }),
    ];
    for (name, texture) in textures {
        let opaque = |x, y| {
            let [r, g, b, _] = texture(x, y);
            [r, g, b, 1.0]
        };
        let image = painted(size, 4, Depth::U8, opaque);
        let mut damaged = image.clone();
        for y in 40..68 {
            (50..85).for_each(|x| damaged.set_pixel_f32(x, y, [1.0, 0.0, 1.0, 1.0]));
        }
        let out = fill(&damaged, &mask_of(size, &holes), &EXACT, &mut go).unwrap();
        let db = psnr(&image, &out, &holes);
        assert!(db > 35.0, "{name}: {db:.1} dB");
        assert!(psnr(&image, &damaged, &holes) < 10.0);
    }
}

#[test]
fn an_edge_goes_on_through_the_hole() {
    let size = Size::new(120, 90);
    let holes = [IRect::new(45, 30, 75, 60)];
    let edge = |x: u32, y: u32| if 2 * y > x { [0.8, 0.7, 0.2, 1.0] } else { [0.1, 0.2, 0.6, 1.0] };
    let image = painted(size, 4, Depth::U8, edge);
    let out = fill(&image, &mask_of(size, &holes), &EXACT, &mut go).unwrap();
    let db = psnr(&image, &out, &holes);
    assert!(db > 25.0, "{db:.1} dB");
}

#[test]
fn the_number_of_threads_changes_nothing_and_the_seed_does() {
    let size = Size::new(150, 120);
    let noise = |x: u32, y: u32| {
        let value = (x * 7919 + y * 104_729 + x * y * 31) % 251;
        [value as f32 / 251.0, ((value * 7) % 251) as f32 / 251.0, 0.4, 1.0]
    };
    let image = painted(size, 4, Depth::U8, noise);
    let mask = mask_of(size, &[IRect::new(40, 30, 90, 80), IRect::new(0, 100, 12, 120)]);
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fill(&image, &mask, &Fill { seed, ..EXACT }, &mut go).unwrap())
    };
    let one = with(1, 5);
    assert_eq!(one, with(2, 5));
    assert_eq!(one, with(7, 5));
    assert_ne!(one, with(1, 6));
}

#[test]
fn distant_holes_are_completed_as_if_alone() {
    let size = Size::new(1400, 160);
    let image = painted(size, 4, Depth::U8, cloth);
    let holes = [IRect::new(60, 60, 85, 90), IRect::new(1300, 50, 1330, 95)];
    let both = fill(&image, &mask_of(size, &holes), &EXACT, &mut go).unwrap();
    for hole in holes {
        let alone = fill(&image, &mask_of(size, &[hole]), &EXACT, &mut go).unwrap();
        assert_eq!(alone.crop(hole), both.crop(hole));
    }
}

#[test]
fn a_long_thin_hole_is_cut_and_leaves_no_trace() {
    let size = Size::new(2600, 700);
    let texture = |x: u32, y: u32| [if (x + y) % 12 < 6 { 0.7 } else { 0.3 }, 0.4, 0.5, 1.0];
    let image = painted(size, 4, Depth::U8, texture);
    let wire = |x: i32| 100 + x / 5;
    let mask = painted(size, 1, Depth::U8, |x, y| {
        [f32::from(u8::from((y as i32 - wire(x as i32)).abs() < 4)); 4]
    });
    let out = fill(&image, &mask, &EXACT, &mut go).unwrap();
    let columns: Vec<IRect> =
        (0..2600).map(|x| IRect::new(x, wire(x) - 3, x + 1, wire(x) + 4)).collect();
    let db = psnr(&image, &out, &columns);
    assert!(db > 35.0, "{db:.1} dB");
}

#[test]
fn holes_may_touch_every_border() {
    let size = Size::new(80, 64);
    let image = painted(size, 4, Depth::U8, cloth);
    let holes = [
        IRect::new(0, 0, 20, 16),
        IRect::new(60, 0, 80, 64),
        IRect::new(0, 50, 80, 64),
        IRect::new(0, 20, 9, 40),
        IRect::new(79, 63, 80, 64),
    ];
    for hole in holes {
        let out = fill(&image, &mask_of(size, &[hole]), &EXACT, &mut go).unwrap();
        assert_same_outside(&image, &out, |x, y| !hole.contains(x as i32, y as i32));
        let db = psnr(&image, &out, &[hole]);
        assert!(db > 18.0, "{hole:?}: {db:.1} dB");
    }
}

#[test]
fn a_hole_larger_than_its_surroundings_is_filled() {
    let size = Size::new(60, 60);
    for rim in [1, 2, 4, 9] {
        let hole = IRect::new(rim, rim, 60 - rim, 60 - rim);
        let image = painted(size, 4, Depth::U8, |_, _| [0.2, 0.6, 0.4, 1.0]);
        let mut damaged = image.clone();
        for y in hole.y0..hole.y1 {
            (hole.x0..hole.x1).for_each(|x| damaged.set_pixel_f32(x as u32, y as u32, [1.0; 4]));
        }
        let out = fill(&damaged, &mask_of(size, &[hole]), &EXACT, &mut go).unwrap();
        let db = psnr(&image, &out, &[hole]);
        assert!(db > 45.0, "rim {rim}: {db:.1} dB");
    }
}

#[test]
fn transparent_pixels_are_no_source() {
    let size = Size::new(100, 60);
    let hole = IRect::new(35, 20, 60, 40);
    // Red, but invisible, from column 60 on.
    let image = painted(size, 4, Depth::U8, |x, y| {
        if x >= 60 { [1.0, 0.0, 0.0, 0.0] } else { [0.1, 0.5 + (y % 4) as f32 / 10.0, 0.6, 1.0] }
    });
    let out = fill(&image, &mask_of(size, &[hole]), &EXACT, &mut go).unwrap();
    for y in 20..40 {
        for x in 35..60 {
            let [r, _, b, a] = out.pixel_f32(x, y);
            assert!(r < 0.15 && b > 0.55 && a > 0.99, "{x},{y}: {:?}", out.pixel_f32(x, y));
        }
    }
    assert_same_outside(&image, &out, |x, y| !hole.contains(x as i32, y as i32));
}

#[test]
fn half_transparent_layers_keep_their_alpha() {
    let size = Size::new(64, 64);
    let hole = IRect::new(20, 20, 40, 40);
    let image = painted(size, 4, Depth::U16, |x, y| {
        let [r, g, b, _] = cloth(x, y);
        [r, g, b, 0.5]
    });
    let out = fill(&image, &mask_of(size, &[hole]), &EXACT, &mut go).unwrap();
    for place in [(25, 25), (39, 30)] {
        let [r, g, b, a] = out.pixel_f32(place.0, place.1);
        assert!((a - 0.5).abs() < 0.01, "alpha {a}");
        assert!(r > 0.25 && r < 0.6 && g > 0.3 && b > 0.2, "{r} {g} {b}");
    }
}

#[test]
fn empty_masks_return_the_picture_and_soft_ones_their_bright_half() {
    let size = Size::new(30, 20);
    let image = painted(size, 4, Depth::U8, cloth);
    let empty = PixelBuf::new(size, 1, Depth::U16);
    assert_eq!(fill(&image, &empty, &Fill::default(), &mut go).unwrap(), image);
    let soft = PixelBuf::filled(size, 1, Depth::U8, [127; 4]);
    assert_eq!(fill(&image, &soft, &EXACT, &mut go).unwrap(), image);
}

#[test]
fn what_cannot_be_filled_is_an_error() {
    let size = Size::new(24, 18);
    let image = painted(size, 4, Depth::U8, cloth);
    let white = PixelBuf::filled(size, 1, Depth::U8, [255; 4]);
    assert_eq!(fill(&image, &white, &EXACT, &mut go), Err(FillError::NothingLeft));
    let pixel = PixelBuf::new(Size::new(1, 1), 4, Depth::U8);
    let white_pixel = PixelBuf::filled(Size::new(1, 1), 1, Depth::U8, [255; 4]);
    assert_eq!(fill(&pixel, &white_pixel, &EXACT, &mut go), Err(FillError::NothingLeft));
    let black_pixel = PixelBuf::new(Size::new(1, 1), 1, Depth::U8);
    assert_eq!(fill(&pixel, &black_pixel, &EXACT, &mut go), Ok(pixel.clone()));
    let other = Size::new(24, 19);
    let wrong = PixelBuf::new(other, 1, Depth::U8);
    let expected = FillError::MaskSize { mask: other, image: size };
    assert_eq!(fill(&image, &wrong, &EXACT, &mut go), Err(expected));
    assert_eq!(fill(&image, &image, &EXACT, &mut go), Err(FillError::MaskChannels(4)));
    // Everything outside the hole is transparent.
    let hole = mask_of(size, &[IRect::new(5, 5, 9, 9)]);
    let clear = PixelBuf::new(size, 4, Depth::U8);
    assert_eq!(fill(&clear, &hole, &EXACT, &mut go), Err(FillError::NothingLeft));
    let border = Border { left: 40_000, right: 40_000, ..Border::default() };
    let refused = expand(&image, border, &EXACT, &mut go);
    assert_eq!(refused, Err(FillError::TooLarge { width: 80_024, height: 18 }));
}

#[test]
fn a_stop_is_heard_at_every_question() {
    let size = Size::new(160, 120);
    let image = painted(size, 4, Depth::U8, cloth);
    let mask = mask_of(size, &[IRect::new(50, 40, 90, 75)]);
    let mut fractions = Vec::new();
    let mut record = |fraction| {
        fractions.push(fraction);
        true
    };
    fill(&image, &mask, &EXACT, &mut record).unwrap();
    assert!(fractions.len() > 50, "asked {} times only", fractions.len());
    assert!(fractions.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(fractions.iter().all(|fraction| (0.0..=1.0).contains(fraction)));
    assert_eq!(fractions.last(), Some(&1.0));
    for stop_at in (1..fractions.len()).step_by(17) {
        let mut asked = 0;
        let mut watch = |_| {
            asked += 1;
            asked < stop_at
        };
        assert_eq!(fill(&image, &mask, &EXACT, &mut watch), Err(FillError::Stopped));
        assert_eq!(asked, stop_at);
    }
}

#[test]
fn growing_a_mask_far_stops_between_portions() {
    let mask = PixelBuf::filled(Size::new(700, 500), 1, Depth::U8, [255; 4]);
    let grown = |stop_at: usize| {
        let mut asked = 0;
        let mut watch = |_| {
            asked += 1;
            asked < stop_at
        };
        let found = holes(&mask, 400, 0.0, &mut watch).map(|holes| holes.len());
        (found, asked)
    };
    let (found, all) = grown(usize::MAX);
    // 280 million distances, some 17 million at a time.
    assert!(found == Ok(1) && all > 16, "asked {all} times");
    for stop_at in 1..=all {
        assert_eq!(grown(stop_at), (Err(FillError::Stopped), stop_at));
    }
}

#[test]
fn expanding_keeps_the_picture_and_continues_it() {
    let size = Size::new(90, 70);
    let border = Border { left: 12, top: 7, right: 20, bottom: 9 };
    let stripes = |x: u32, _: u32| [if x % 10 < 5 { 0.8 } else { 0.3 }, 0.5, 0.2, 1.0];
    for (channels, depth) in [(4, Depth::U8), (1, Depth::U16)] {
        let image = painted(size, channels, depth, stripes);
        let out = expand(&image, border, &EXACT, &mut go).unwrap();
        assert_eq!(out.size(), Size::new(122, 86));
        assert_eq!(out.crop(IRect::from_origin_size((12, 7), size)), image);
        // The stripes go on; ten less twelve is the phase of the new left column.
        let wanted = painted(out.size(), channels, depth, |x, y| stripes(x + 8, y));
        let added = [IRect::new(0, 0, 12, 86), IRect::new(102, 0, 122, 86)];
        let db = psnr(&wanted, &out, &added);
        assert!(db > 25.0, "{db:.1} dB");
        let unchanged = expand(&image, Border::default(), &EXACT, &mut go).unwrap();
        assert_eq!(unchanged, image);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_mask_either_fills_or_says_why_not(
        width in 1u32..70,
        height in 1u32..50,
        holes in proptest::collection::vec((0i32..70, 0i32..50, 1i32..40, 1i32..30), 0..5),
        dilate_px in 0u32..4,
        feather_px in 0.0f32..4.0,
        patch_px in 0u32..20,
        seed: u64,
    ) {
        let size = Size::new(width, height);
        let image = painted(size, 4, Depth::U8, cloth);
        let holes: Vec<IRect> =
            holes.into_iter().map(|(x, y, w, h)| IRect::new(x, y, x + w, y + h)).collect();
        let mask = mask_of(size, &holes);
        let options = Fill { dilate_px, feather_px, seed, patch_px, search_margin: 0.5 };
        match fill(&image, &mask, &options, &mut go) {
            Ok(out) => {
                let reach = (dilate_px as f32 + feather_px).ceil() as i32;
                assert_same_outside(&image, &out, |x, y| {
                    // Holes beyond the picture do not count.
                    !holes.iter().any(|hole| {
                        let seen = hole.intersect(size.rect());
                        !seen.is_empty() && seen.grow(reach).contains(x as i32, y as i32)
                    })
                });
                prop_assert!(!out.has_transparency());
            }
            Err(error) => prop_assert_eq!(error, FillError::NothingLeft),
        }
    }
}
