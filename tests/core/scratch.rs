//! Scratches on real photographs: how many of them are found, how much else, and what becomes
//! of the picture when they are filled.

use std::path::Path;

use ganvas::geom::Size;
use ganvas::inpaint::{Fill, fill};
use ganvas::io::{Limits, open};
use ganvas::metrics::psnr_db;
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::segment::{DEFAULT_SENSITIVITY, scratches};

use crate::recorded::root;

fn photo(name: &str) -> PixelBuf {
    open(&Path::new(root()).join("assets/photos").join(name), &Limits::default()).unwrap().pixels
}

struct Random(u64);

impl Random {
    fn within(&mut self, low: f32, high: f32) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * ((self.0 >> 40) as f32 / (1u64 << 24) as f32)
    }
}

const fn luma([r, g, b, _]: [f32; 4]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// The photo with eight bent scratches, light and dark, of 1.2 to 3 pixels, and a mask of those
/// pixels that they change visibly.
fn scratched(photo: &PixelBuf, seed: u64) -> (PixelBuf, PixelBuf) {
    let size = photo.size();
    let (width, height) = (size.width as f32, size.height as f32);
    let mut random = Random(seed);
    let mut picture = photo.clone();
    for _ in 0..8 {
        let mut angle = random.within(0.0, std::f32::consts::PI);
        let length = random.within(0.2, 0.5) * width.min(height);
        let (mut x, mut y) =
            (random.within(0.15, 0.85) * width, random.within(0.15, 0.85) * height);
        let half = random.within(0.6, 1.5);
        let bend = random.within(-0.4, 0.4) / length;
        let tone = if random.within(0.0, 1.0) < 0.5 { 0.93 } else { 0.06 };
        let opacity = random.within(0.6, 0.95);
        (x, y) = (x - angle.cos() * length / 2.0, y - angle.sin() * length / 2.0);
        let mut cover = vec![0.0f32; size.pixels() as usize];
        for _ in 0..(2.0 * length) as u32 {
            (x, y) = (x + angle.cos() / 2.0, y + angle.sin() / 2.0);
            angle += bend / 2.0;
            for (dx, dy) in (-3..=3).flat_map(|dy| (-3..=3).map(move |dx| (dx, dy))) {
                let (px, py) = (x.round() + dx as f32, y.round() + dy as f32);
                if (0.0..width).contains(&px) && (0.0..height).contains(&py) {
                    let at = py as usize * size.width as usize + px as usize;
                    let share = (half + 0.5 - (px - x).hypot(py - y)).clamp(0.0, 1.0);
                    cover[at] = cover[at].max(share * opacity);
                }
            }
        }
        for (at, cover) in cover.into_iter().enumerate() {
            let (x, y) = (at as u32 % size.width, at as u32 / size.width);
            let from = picture.pixel_f32(x, y);
            let to = [0, 1, 2].map(|c| from[c] + (tone - from[c]) * cover);
            picture.set_pixel_f32(x, y, [to[0], to[1], to[2], from[3]]);
        }
    }
    let changed = |x, y| (luma(picture.pixel_f32(x, y)) - luma(photo.pixel_f32(x, y))).abs() > 0.12;
    let mask = mask_of(size, changed);
    (picture, mask)
}

fn mask_of(size: Size, is_in: impl Fn(u32, u32) -> bool) -> PixelBuf {
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
        mask.set_pixel_f32(x, y, [f32::from(u8::from(is_in(x, y))); 4]);
    }
    mask
}

fn is_in(mask: &PixelBuf, x: u32, y: u32) -> bool {
    mask.samples().get(mask.index(x, y)) > 0
}

/// Part of `mask` that lies within `reach` pixels of `other`.
fn part_near(mask: &PixelBuf, other: &PixelBuf, reach: i32) -> f64 {
    let size = mask.size();
    let (mut all, mut near) = (0u32, 0u32);
    for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
        if !is_in(mask, x, y) {
            continue;
        }
        all += 1;
        let mut around = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy)));
        near += u32::from(around.any(|(dx, dy)| {
            let (x, y) = (x as i32 + dx, y as i32 + dy);
            let inside = x >= 0 && y >= 0 && x < size.width as i32 && y < size.height as i32;
            inside && is_in(other, x as u32, y as u32)
        }));
    }
    f64::from(near) / f64::from(all.max(1))
}

/// What is found of the scratches of three seeds (recall) and how much of the found is scratch,
/// to two pixels (precision).
fn quality(name: &str) -> (f64, f64) {
    let photo = photo(name);
    let (mut recall, mut precision) = (0.0, 0.0);
    for seed in [1, 2, 3] {
        let (picture, truth) = scratched(&photo, seed);
        let found = scratches(&picture, DEFAULT_SENSITIVITY);
        let (part, sound) = (part_near(&truth, &found, 0), part_near(&found, &truth, 2));
        println!("{name} {seed}: recall {part:.3}, precision {sound:.3}");
        (recall, precision) = (recall + part / 3.0, precision + sound / 3.0);
    }
    (recall, precision)
}

#[test]
fn most_scratches_of_a_photo_are_found_and_little_else() {
    let (recall, precision) = quality("chelsea.png");
    assert!(recall >= 0.8 && precision >= 0.7, "{recall:.3} {precision:.3}");
    // Wood grain, a rim and highlights are thin lines, too.
    let (recall, precision) = quality("coffee.png");
    assert!(recall >= 0.7 && precision >= 0.35, "{recall:.3} {precision:.3}");
}

#[test]
fn filled_scratches_leave_a_better_picture() {
    let whole = photo("chelsea.png");
    let (picture, truth) = scratched(&whole, 1);
    let found = scratches(&picture, DEFAULT_SENSITIVITY);
    let filled = fill(&picture, &found, &Fill::default(), &mut |_| true).unwrap();
    let (before, after) = (psnr_db(&picture, &whole, &truth), psnr_db(&filled, &whole, &truth));
    assert!(after > before + 6.0, "{before:.1} dB, then {after:.1} dB");
}

#[test]
fn pictures_without_lines_have_no_scratches() {
    // Noise, a slope and a hard edge; and none at all.
    let mut random = Random(7);
    let size = Size::new(200, 150);
    let mut picture = PixelBuf::new(size, 4, Depth::U16);
    for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
        let step = if x + y / 3 > 120 { 0.5 } else { 0.1 };
        let value = step + y as f32 / 600.0 + random.within(-0.05, 0.05);
        picture.set_pixel_f32(x, y, [value, value, value, 1.0]);
    }
    for sensitivity in [0.0, DEFAULT_SENSITIVITY, 1.0] {
        let mask = scratches(&picture, sensitivity);
        assert!(!(0..mask.samples().len()).any(|at| mask.samples().get(at) > 0), "{sensitivity}");
    }
    for (width, height) in [(0, 0), (1, 1), (300, 1), (2, 90)] {
        let mask = scratches(&PixelBuf::new(Size::new(width, height), 4, Depth::U8), 1.0);
        assert_eq!((mask.size(), mask.channels()), (Size::new(width, height), 1));
    }
}

#[test]
fn lines_of_every_direction_are_found_and_short_or_broad_ones_are_not() {
    let size = Size::new(240, 240);
    let line = |angle: f32, half: f32, length: f32, tone: f32| {
        let mut picture = PixelBuf::new(size, 4, Depth::U8);
        for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
            let (u, v) = (x as f32 - 120.0, y as f32 - 120.0);
            let along = u * angle.cos() + v * angle.sin();
            let aside = (v * angle.cos() - u * angle.sin()).abs();
            let share = (half + 0.5 - aside).clamp(0.0, 1.0);
            let share = if along.abs() < length / 2.0 { share } else { 0.0 };
            let value = 0.5 + (tone - 0.5) * share;
            picture.set_pixel_f32(x, y, [value, value, value, 1.0]);
        }
        let truth = mask_of(size, |x, y| (picture.pixel_f32(x, y)[0] - 0.5).abs() > 0.12);
        part_near(&truth, &scratches(&picture, DEFAULT_SENSITIVITY), 0)
    };
    for degrees in (0..180).step_by(9) {
        let angle = (degrees as f32).to_radians();
        for tone in [0.05, 0.95] {
            for half in [0.5, 1.5] {
                let found = line(angle, half, 150.0, tone);
                assert!(found > 0.85, "{degrees}°, {half}, {tone}: {found:.2}");
            }
            assert_eq!(line(angle, 0.7, 14.0, tone), 0.0, "{degrees}°: short");
            assert_eq!(line(angle, 7.0, 150.0, tone), 0.0, "{degrees}°: broad");
        }
    }
}
