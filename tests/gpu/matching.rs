//! Patches are matched on the adapter as on the processor.

use ganvas::geom::Size;
use ganvas::gpu::PatchMatcher;
use ganvas::inpaint::{Border, Fill, Match, Matcher, Round, expand, expand_with, fill, fill_with};
use ganvas::pixels::{Depth, PixelBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Random, gpu};

/// Counts what the adapter has done: a fallback would hide its errors.
struct Counting<'a>(&'a PatchMatcher, AtomicU32);

impl Matcher for Counting<'_> {
    fn run(&self, round: &Round<'_>, matches: &[Match]) -> Option<Vec<Match>> {
        let found = self.0.run(round, matches);
        assert!(found.is_some(), "the adapter gave up");
        self.1.fetch_add(1, Ordering::Relaxed);
        found
    }
}

/// Stripes, a slope and noise.
fn picture(size: Size, depth: Depth) -> PixelBuf {
    let (mut picture, mut random) = (PixelBuf::new(size, 4, depth), Random(7));
    for (y, x) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x))) {
        let noise = (random.next_u64() % 1000) as f32 / 8000.0;
        let stripe = if (x / 5 + y / 9) % 2 == 0 { 0.7 } else { 0.2 };
        let slope = x as f32 / size.width as f32;
        picture.set_pixel_f32(x, y, [stripe + noise, slope, 0.4 + noise, 1.0]);
    }
    picture
}

#[test]
fn a_fill_is_the_same_on_the_adapter() {
    let Some(context) = gpu() else { return };
    let matcher = PatchMatcher::new(context);
    let matcher = Counting(&matcher, AtomicU32::new(0));
    for (depth, patch_px, seed) in [(Depth::U8, 7, 0), (Depth::U16, 9, 5), (Depth::U8, 5, 1 << 40)]
    {
        let size = Size::new(97, 83);
        let image = picture(size, depth);
        let mut mask = PixelBuf::new(size, 1, Depth::U8);
        for (y, x) in (20..52).flat_map(|y| (30..70).map(move |x| (y, x))) {
            mask.set_pixel_f32(x, y, [1.0; 4]);
        }
        let options = Fill { patch_px, seed, ..Fill::default() };
        let here = fill(&image, &mask, &options, &mut |_| true).unwrap();
        let there = fill_with(&image, &mask, &options, Some(&matcher), &mut |_| true).unwrap();
        assert!(here == there && here != image, "{depth:?}, {patch_px}");
    }
    let border = Border { left: 14, bottom: 9, ..Border::default() };
    let image = picture(Size::new(60, 50), Depth::U8);
    let options = Fill::default();
    let here = expand(&image, border, &options, &mut |_| true).unwrap();
    assert_eq!(here, expand_with(&image, border, &options, Some(&matcher), &mut |_| true).unwrap());
    assert!(matcher.1.into_inner() > 10);
}
