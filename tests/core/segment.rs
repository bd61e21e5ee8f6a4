//! From a network's result to a selection that follows the picture's edges.

use std::sync::atomic::{AtomicUsize, Ordering};

use ganvas::geom::Size;
use ganvas::nets::Planes;
use ganvas::nets::cpu::Processor;
use ganvas::pixels::{Depth, PixelBuf, Samples};
use ganvas::segment::{What, probability, refine};
use ganvas::zoo::open_network;

use crate::recorded::{root, shipped};

/// Red left of `edge_px`, blue from there on.
fn two_halves(size: Size, edge_px: u32, depth: Depth) -> PixelBuf {
    let mut image = PixelBuf::new(size, 4, depth);
    for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
        let left = x < edge_px;
        let colour = if left { [0.8, 0.2, 0.1, 1.0] } else { [0.1, 0.3, 0.7, 1.0] };
        image.set_pixel_f32(x, y, colour);
    }
    image
}

/// A mask of 16 × 16 that is 1 in its first `columns` columns.
fn coarse(columns: usize) -> Planes {
    let data = (0..256).map(|at| f32::from(u8::from(at % 16 < columns))).collect();
    Planes { channels: 1, height: 16, width: 16, data }
}

#[test]
fn the_edge_moves_to_that_of_the_picture() {
    for (depth, edge_px) in [(Depth::U8, 203), (Depth::U16, 195)] {
        let image = two_halves(Size::new(400, 300), edge_px, depth);
        // The coarse edge lies at 200 pixels and is 25 wide.
        let mask = refine(&coarse(8), &image, &|| false).unwrap();
        assert_eq!((mask.size(), mask.channels(), mask.depth()), (image.size(), 1, Depth::U8));
        for y in [0, 150, 299] {
            let at = |x: u32| mask.samples().get(mask.index(x, y));
            assert!(at(edge_px - 3) > 235 && at(edge_px + 2) < 20, "{depth:?} row {y}");
            assert_eq!((at(0), at(399)), (255, 0));
        }
    }
}

#[test]
fn a_uniform_mask_stays_uniform_over_any_picture() {
    let image = two_halves(Size::new(97, 1), 41, Depth::U8);
    for (value, want) in [(0.0, 0), (1.0, 255)] {
        let mask = Planes { channels: 1, height: 3, width: 5, data: vec![value; 15] };
        let refined = refine(&mask, &image, &|| false).unwrap().into_samples();
        assert_eq!(refined, Samples::U8(vec![want; 97]));
    }
    assert!(
        refine(&coarse(8), &PixelBuf::new(Size::new(0, 7), 4, Depth::U8), &|| false)
            .unwrap()
            .samples()
            .is_empty()
    );
}

#[test]
fn a_stop_is_heard_before_the_next_row() {
    let image = two_halves(Size::new(60, 90), 25, Depth::U8);
    let asked = AtomicUsize::new(0);
    let stopped_at = |limit: usize| {
        asked.store(0, Ordering::SeqCst);
        let refined = refine(&coarse(8), &image, &|| asked.fetch_add(1, Ordering::SeqCst) >= limit);
        (refined.is_err(), asked.load(Ordering::SeqCst))
    };
    let (is_stopped, all) = stopped_at(usize::MAX);
    // The guide, the mask over it, the products, two means of four steps, the coefficients and
    // the picture: each row by row, or column by column.
    assert!(!is_stopped && all >= 90 + 10 * 60, "asked {all} times");
    for limit in (0..all).step_by(41) {
        let (is_stopped, asked) = stopped_at(limit);
        // No thread begins another row.
        assert!(is_stopped && asked <= limit + 1 + rayon::current_num_threads(), "{asked} {limit}");
    }
}

#[test]
fn classes_are_found_by_name_and_number() {
    assert_eq!(What::parse("Person", 21), Some(What::Class(15)));
    assert_eq!(What::parse("2", 3), Some(What::Class(2)));
    assert_eq!(What::parse("subject", 2), Some(What::Subject));
    assert_eq!((What::parse("3", 3), What::parse("person", 3)), (None, None));
    let logits =
        Planes { channels: 3, height: 1, width: 2, data: vec![0.0, 9.0, 0.0, 0.0, 2.0, 0.0] };
    let person = probability(&logits, What::Class(2)).unwrap();
    let expected = 2f32.exp() / (2.0 + 2f32.exp());
    assert!((person.data[0] - expected).abs() < 1e-6);
    let subject = probability(&logits, What::Subject).unwrap();
    assert!((subject.data[0] - (1.0 - 1.0 / (2.0 + 2f32.exp()))).abs() < 1e-6);
    assert!(subject.data[1] < 0.001 && probability(&logits, What::Class(3)).is_none());
    let one = coarse(3);
    assert_eq!(probability(&one, What::Subject).unwrap(), one);
    assert_eq!(probability(&one, What::Class(0)).unwrap().data[0], 0.0);
}

#[test]
fn the_person_in_a_photo_is_selected() {
    let photo = image::open(root().join("tests/fixtures/faces/astronaut.jpg")).unwrap();
    let small = photo.resize_exact(256, 256, image::imageops::FilterType::Triangle).to_rgb8();
    let channel = |channel: usize| small.pixels().map(move |p| f32::from(p[channel]) / 255.0);
    let input =
        Planes { channels: 3, height: 256, width: 256, data: (0..3).flat_map(channel).collect() };
    let (checkpoint, detected) = open_network(&shipped("mediapipe-selfie-segmentation")).unwrap();
    let mut source = |name: &str| checkpoint.read_f32(&detected.names[name]);
    let net = Processor::new(detected.spec.graph(), &mut source).unwrap();
    let result = net.run(&[input], &|| false).unwrap().remove(0);
    let size = Size::new(512, 512);
    let samples = Samples::U8(photo.to_rgba8().into_raw());
    let image = PixelBuf::from_samples(size, 4, samples).unwrap();
    let likely = probability(&result, What::Subject).unwrap();
    let mask = refine(&likely, &image, &|| false).unwrap();
    let at = |x: u32, y: u32| mask.samples().get(mask.index(x, y));
    // Face, suit and helmet; the flag, the wall and the model of the shuttle.
    for (x, y) in [(225, 130), (230, 60), (150, 300), (420, 420)] {
        assert!(at(x, y) > 250, "({x}, {y}) is {}", at(x, y));
    }
    for (x, y) in [(60, 80), (340, 60), (450, 200), (300, 20)] {
        assert!(at(x, y) < 5, "({x}, {y}) is {}", at(x, y));
    }
}
