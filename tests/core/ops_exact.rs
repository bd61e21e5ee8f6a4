//! Operations whose result is known pixel by pixel.

use ganvas::color::WorkingProfile;
use ganvas::geom::{IRect, Size};
use ganvas::ops::{self, OpContext};
use ganvas::params::Params;
use ganvas::pixels::{Depth, PixelBuf};

use crate::ops_generated::{Noise, picture};

fn run(name: &str, words: &[&str], src: &PixelBuf) -> PixelBuf {
    let op = ops::find(name).unwrap();
    let params = Params::parse(op.spec().params, words.iter().copied()).unwrap();
    ops::apply(op, &params, &OpContext::full_size(WorkingProfile::srgb()), src, None).unwrap()
}

/// Pictures of both depths and masks, at sizes around the block size of the moves.
fn sources() -> Vec<PixelBuf> {
    let mut noise = Noise(5);
    let mut all = Vec::new();
    for size in [Size::new(1, 1), Size::new(37, 65), Size::new(64, 32), Size::new(3, 70)] {
        for depth in [Depth::U8, Depth::U16] {
            all.push(picture(size, depth, 3));
            let mut mask = PixelBuf::new(size, 1, depth);
            for at in 0..mask.samples().len() {
                mask.samples_mut().set_f32(at, noise.next() as f32);
            }
            all.push(mask);
        }
    }
    all
}

fn pixel(buf: &PixelBuf, x: u32, y: u32) -> Vec<u16> {
    let at = buf.index(x, y);
    (at..at + buf.channels()).map(|at| buf.samples().get(at)).collect()
}

/// Compares with the definition: output pixel `(x, y)` is source pixel `from(x, y)`.
fn assert_moves(src: &PixelBuf, out: &PixelBuf, size: Size, from: impl Fn(u32, u32) -> (u32, u32)) {
    assert_eq!((out.size(), out.depth(), out.channels()), (size, src.depth(), src.channels()));
    for y in 0..size.height {
        for x in 0..size.width {
            let (from_x, from_y) = from(x, y);
            assert_eq!(pixel(out, x, y), pixel(src, from_x, from_y), "({x}, {y}) of {size}");
        }
    }
}

#[test]
fn flips_and_quarter_turns_move_whole_pixels() {
    for src in sources() {
        let Size { width: w, height: h } = src.size();
        let turned = Size::new(h, w);
        let same = src.size();
        assert_moves(&src, &run("flip", &["axis=horizontal"], &src), same, |x, y| (w - 1 - x, y));
        assert_moves(&src, &run("flip", &["axis=vertical"], &src), same, |x, y| (x, h - 1 - y));
        assert_moves(&src, &run("rotate90", &["turns=1"], &src), turned, |x, y| (y, h - 1 - x));
        assert_moves(&src, &run("rotate90", &["turns=2"], &src), same, |x, y| {
            (w - 1 - x, h - 1 - y)
        });
        assert_moves(&src, &run("rotate90", &["turns=3"], &src), turned, |x, y| (w - 1 - y, x));
        for (angle, turns) in [("angle=90", 1), ("angle=-180", 2), ("angle=-90", 3)] {
            let quarter = run("rotate90", &[&format!("turns={turns}")], &src);
            assert_eq!(run("rotate", &[angle], &src), quarter);
        }
    }
}

#[test]
fn crops_and_frames_keep_pixels() {
    for src in sources() {
        let Size { width: w, height: h } = src.size();
        let (x, y) = (w / 3, h / 4);
        let words = [
            format!("x={x}"),
            format!("y={y}"),
            format!("width={}", w - x),
            format!("height={}", h - y),
        ];
        let cut = run("crop", &words.each_ref().map(String::as_str), &src);
        assert_eq!(cut, src.crop(IRect::new(x as i32, y as i32, w as i32, h as i32)));

        for (anchor, dx, dy) in [
            ("top-left", 0, 0),
            ("top", 3, 0),
            ("top-right", 7, 0),
            ("left", 0, 4),
            ("center", 3, 4),
            ("right", 7, 4),
            ("bottom-left", 0, 8),
            ("bottom", 3, 8),
            ("bottom-right", 7, 8),
        ] {
            let grown = [
                format!("width={}", w + 7),
                format!("height={}", h + 8),
                format!("anchor={anchor}"),
            ];
            let framed = run("canvas_size", &grown.each_ref().map(String::as_str), &src);
            let inner = IRect::from_origin_size((dx, dy), src.size());
            assert_eq!(framed.crop(inner), src, "{anchor}");
            let outside: u64 = (0..framed.size().height)
                .flat_map(|y| (0..framed.size().width).map(move |x| (x, y)))
                .filter(|&(x, y)| !inner.contains(x as i32, y as i32))
                .map(|(x, y)| pixel(&framed, x, y).iter().map(|&v| u64::from(v)).sum::<u64>())
                .sum();
            assert_eq!(outside, 0, "{anchor}");
            let back = [format!("width={w}"), format!("height={h}"), format!("anchor={anchor}")];
            assert_eq!(run("canvas_size", &back.each_ref().map(String::as_str), &framed), src);
        }
    }
}

#[test]
fn resizing_to_the_same_size_keeps_every_bit() {
    for src in sources() {
        let Size { width, height } = src.size();
        let words = [format!("width={width}"), format!("height={height}")];
        assert_eq!(run("resize", &words.each_ref().map(String::as_str), &src), src);
    }
}

/// The result for one 16-bit colour, in `0..=1`.
fn colour(name: &str, words: &[&str], rgb: [f32; 3]) -> [f32; 3] {
    let mut src = PixelBuf::new(Size::new(1, 1), 4, Depth::U16);
    src.set_pixel_f32(0, 0, [rgb[0], rgb[1], rgb[2], 1.0]);
    let [r, g, b, _] = run(name, words, &src).pixel_f32(0, 0);
    [r, g, b]
}

fn assert_colour(name: &str, words: &[&str], rgb: [f32; 3], want: [f32; 3]) {
    let have = colour(name, words, rgb);
    for (have, want) in have.into_iter().zip(want) {
        assert!(
            (have - want).abs() < 4e-5,
            "{name} {words:?} of {rgb:?}: {have} instead of {want}"
        );
    }
}

#[test]
fn adjustments_have_their_published_definitions() {
    assert_colour("invert", &[], [0.0, 0.25, 1.0], [1.0, 0.75, 0.0]);
    assert_colour("gamma", &["value=2"], [0.25, 0.0, 1.0], [0.5, 0.0, 1.0]);
    assert_colour("gamma", &["value=0.5"], [0.5, 0.1, 1.0], [0.25, 0.01, 1.0]);
    assert_colour("levels", &["black=0.2", "white=0.7"], [0.1, 0.45, 0.8], [0.0, 0.5, 1.0]);
    assert_colour(
        "levels",
        &["gamma=2", "out_black=0.1", "out_white=0.9"],
        [0.0, 0.25, 1.0],
        [0.1, 0.5, 0.9],
    );
    // Crossed output points invert; crossed input points make a threshold.
    assert_colour("levels", &["out_black=1", "out_white=0"], [0.0, 0.3, 1.0], [1.0, 0.7, 0.0]);
    assert_colour("levels", &["black=0.5", "white=0.5"], [0.4, 0.6, 1.0], [0.0, 1.0, 1.0]);
    assert_colour("brightness_contrast", &["brightness=100"], [0.0, 0.5, 1.0], [0.5, 0.75, 1.0]);
    assert_colour("brightness_contrast", &["brightness=-100"], [0.0, 0.5, 1.0], [0.0, 0.25, 0.5]);
    assert_colour("brightness_contrast", &["contrast=-100"], [0.0, 0.5, 1.0], [0.5; 3]);
    assert_colour("brightness_contrast", &["contrast=100"], [0.4, 0.6, 1.0], [0.0, 1.0, 1.0]);
    // sRGB decodes 0.5 to 0.214041 and encodes twice as much light as 0.685847.
    assert_colour("exposure", &["ev=1"], [0.5, 0.0, 1.0], [0.685_847, 0.0, 1.0]);
}

#[test]
fn hue_turns_through_the_pure_colours() {
    let pure = [
        [1.0, 0.0, 0.0],
        [1.0, 1.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 1.0, 1.0],
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 1.0],
    ];
    for (index, rgb) in pure.into_iter().enumerate() {
        for sixth in -3i32..=3 {
            let want = pure[(index as i32 + sixth).rem_euclid(6) as usize];
            assert_colour("hue_saturation", &[&format!("hue={}", sixth * 60)], rgb, want);
        }
    }
    let colour = [0.8, 0.4, 0.2];
    assert_colour("hue_saturation", &["saturation=-100"], colour, [0.5; 3]);
    assert_colour("hue_saturation", &["saturation=-50"], colour, [0.65, 0.45, 0.35]);
    assert_colour("hue_saturation", &["saturation=50"], colour, [0.95, 0.35, 0.05]);
    assert_colour("hue_saturation", &["lightness=100"], colour, [1.0; 3]);
    assert_colour("hue_saturation", &["lightness=-50"], colour, [0.4, 0.2, 0.1]);
    assert_colour("hue_saturation", &["hue=77", "saturation=30"], [0.3; 3], [0.3; 3]);
}
