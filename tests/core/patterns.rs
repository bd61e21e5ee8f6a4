//! Pictures without a model.

use ganvas::geom::Size;
use ganvas::params::Params;
use ganvas::patterns;
use ganvas::pixels::{Depth, PixelBuf};

const BLACK_WHITE: [[f32; 3]; 2] = [[0.0; 3], [1.0; 3]];

fn draw(name: &str, words: &[&str], size: Size, seed: u64) -> PixelBuf {
    let pattern = patterns::find(name).unwrap();
    let params = Params::parse(pattern.params, words.iter().copied()).unwrap();
    pattern.draw(&params, size, Depth::U16, seed, BLACK_WHITE)
}

#[test]
fn a_seed_names_a_picture_and_another_one_another() {
    let size = Size::new(40, 30);
    assert!(patterns::all().len() >= 7);
    for pattern in patterns::all() {
        let first = draw(pattern.name, &[], size, 1);
        assert_eq!(first, draw(pattern.name, &[], size, 1), "{}", pattern.name);
        let is_random = ["noise", "clouds", "plasma"].contains(&pattern.name);
        assert_eq!(first != draw(pattern.name, &[], size, 2), is_random, "{}", pattern.name);
        // Never one flat colour, always opaque.
        let pixels = (0..40).flat_map(|x| (0..30).map(move |y| (x, y)));
        let mut values: Vec<f32> = pixels.map(|(x, y)| first.pixel_f32(x, y)[0]).collect();
        values.sort_by(f32::total_cmp);
        let small = ["checker", "stripes"].contains(&pattern.name);
        assert!(values[1199] - values[0] > 0.02 || small, "{} is flat", pattern.name);
        assert_eq!(first.pixel_f32(3, 3)[3], 1.0);
    }
}

#[test]
fn gradients_run_from_end_to_end() {
    let across = draw("gradient", &["angle=0"], Size::new(100, 10), 0);
    assert!((across.pixel_f32(0, 5)[0] - 0.005).abs() < 1e-3);
    assert!((across.pixel_f32(99, 5)[0] - 0.995).abs() < 1e-3);
    assert_eq!(across.pixel_f32(40, 0), across.pixel_f32(40, 9));
    let down = draw("gradient", &["angle=90"], Size::new(10, 100), 0);
    assert!(down.pixel_f32(5, 99)[0] > 0.99 && down.pixel_f32(5, 0)[0] < 0.01);
    let radial = draw("radial", &[], Size::new(101, 101), 0);
    assert!(radial.pixel_f32(50, 50)[0] < 0.01 && radial.pixel_f32(0, 0)[0] > 0.98);
}

#[test]
fn regular_patterns_keep_their_measure() {
    let checker = draw("checker", &["scale=8"], Size::new(32, 32), 0);
    assert_eq!(checker.pixel_f32(0, 0)[0], 0.0);
    assert_eq!(checker.pixel_f32(8, 0)[0], 1.0);
    assert_eq!(checker.pixel_f32(8, 8)[0], 0.0);
    let stripes = draw("stripes", &["scale=8"], Size::new(64, 8), 0);
    assert_eq!(stripes.pixel_f32(4, 3)[0], 0.0);
    assert_eq!(stripes.pixel_f32(12, 3)[0], 1.0);
    assert_eq!(stripes.pixel_f32(20, 3)[0], 0.0);
    assert_eq!(stripes.pixel_f32(12, 0), stripes.pixel_f32(12, 7));
}
