//! Crops: against the crops of the training data's own recipe, and where places are known.

use std::path::PathBuf;

use ganvas::checkpoint::Checkpoint;
use ganvas::color::WorkingProfile;
use ganvas::geom::{IRect, Size};
use ganvas::nets::Planes;
use ganvas::pixels::{Depth, PixelBuf, Samples};
use ganvas::portrait::{Anchors, CropTransform, FivePoints, Template, crop, fidelity_db};

use crate::recorded::root;

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

fn picture(name: &str) -> PixelBuf {
    let image = image::open(fixture(name)).unwrap().to_rgba8();
    let size = Size::new(image.width(), image.height());
    PixelBuf::from_samples(size, 4, Samples::U8(image.into_raw())).unwrap()
}

fn as_planes(picture: &PixelBuf) -> Planes {
    let side = picture.size().width as usize;
    super::planes(side, |channel, u, v| {
        let at = |unit: f32| (unit * side as f32) as u32;
        picture.pixel_f32(at(u), at(v))[channel]
    })
}

/// The points that the face mesh finds in the photo, moved by `offset`.
fn mesh(offset: [f32; 2]) -> Vec<[f32; 3]> {
    let file = Checkpoint::open(&fixture("faces/astronaut.safetensors")).unwrap();
    let mesh = file.read_f32("mesh").unwrap();
    mesh.chunks_exact(2).map(|p| [p[0] - offset[0], p[1] - offset[1], 0.0]).collect()
}

/// Decibels between our crop and the one that the training data's script makes.
fn near_recorded(photo: &PixelBuf, points: &[[f32; 3]], template: Template, name: &str) -> f64 {
    let anchors = Anchors::of_mesh(points).unwrap();
    let transform = CropTransform::align(&anchors, template).unwrap();
    let ours = crop(photo, &WorkingProfile::srgb(), &transform, 128).unwrap();
    let theirs = as_planes(&picture(&format!("portrait/{name}.png")));
    fidelity_db(&theirs, &ours, &[1.0; 128 * 128]).unwrap()
}

/// `make_faces128.py` (OpenCV and Pillow) on the same photo and points.
#[test]
fn crops_are_those_that_the_generators_learnt_from() {
    let photo = picture("faces/astronaut.jpg");
    let plain = near_recorded(&photo, &mesh([0.0; 2]), Template::Portrait, "astronaut-128");
    assert!(plain > 38.0, "{plain} dB");
    let head = near_recorded(&photo, &mesh([0.0; 2]), Template::Ffhq, "astronaut-ffhq-128");
    assert!(head > 38.0, "{head} dB");
    // Cut so that the crop reaches beyond two edges.
    let cut = photo.crop(IRect::new(198, 96, 512, 512));
    let padded = near_recorded(&cut, &mesh([198.0, 96.0]), Template::Portrait, "astronaut-cut-128");
    assert!(padded > 35.0, "{padded} dB");
    // The measure tells a crop that lies half a pixel aside.
    let aside = near_recorded(&photo, &mesh([0.5, 0.0]), Template::Portrait, "astronaut-128");
    assert!(aside < plain - 3.0, "{aside} dB");
}

#[test]
fn eyes_and_mouth_lie_where_the_template_says() {
    let anchors = Anchors::of_mesh(&mesh([0.0; 2])).unwrap();
    let places = |template: Template| {
        let map = CropTransform::align(&anchors, template).unwrap().unit_from_photo();
        [anchors.left_eye, anchors.right_eye, anchors.mouth].map(|[x, y]| map.apply(x, y))
    };
    // The mean of the training crops, with its spread.
    let [left, right, mouth] = places(Template::Portrait);
    for ((x, y), want) in
        [(left, (0.3047, 0.3152)), (right, (0.6951, 0.3154)), (mouth, (0.5001, 0.7168))]
    {
        assert!((x - want.0).abs() < 0.04 && (y - want.1).abs() < 0.05, "{x} {y} {want:?}");
    }
    let [left, right, mouth] = places(Template::Ffhq);
    assert!((left.0 + right.0 - 1.0).abs() < 0.02 && left.1 > 0.4 && mouth.1 < 0.75);
}

#[test]
fn five_points_are_fitted_as_well_as_can_be() {
    // As published for 512 pixels, whose first has its centre at 0.
    let places = [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ];
    let known = CropTransform::new([300.0, 200.0], 150.0, 0.4).unwrap();
    let map = known.photo_from_unit();
    let moved = places.map(|[x, y]| {
        let (x, y) = map.apply((x + 0.5) / 512.0, (y + 0.5) / 512.0);
        [x, y]
    });
    let fitted = CropTransform::fit(&FivePoints(moved)).unwrap();
    for (x, y) in [(0.0, 0.0), (1.0, 0.3)] {
        let (have, want) = (fitted.photo_from_unit().apply(x, y), map.apply(x, y));
        assert!((have.0 - want.0).hypot(have.1 - want.1) < 1e-9, "{have:?} {want:?}");
    }
    // What cannot be met is shared out: no change of the square makes the sum of squares less.
    let mut bent = moved;
    bent[2][0] += 9.0;
    let error = |square: &CropTransform| -> f64 {
        let map = square.unit_from_photo();
        let away = bent.iter().zip(places).map(|([x, y], [to_x, to_y])| {
            let (x, y) = map.apply(*x, *y);
            (x - (to_x + 0.5) / 512.0).powi(2) + (y - (to_y + 0.5) / 512.0).powi(2)
        });
        away.sum()
    };
    let best = CropTransform::fit(&FivePoints(bent)).unwrap();
    let json = serde_json::to_value(best).unwrap();
    let number = |at: &str| json.pointer(at).unwrap().as_f64().unwrap();
    let numbers = ["/center_px/0", "/center_px/1", "/side_px", "/angle_rad"].map(number);
    for (index, step) in [0.5, 0.5, 0.5, 0.01].into_iter().enumerate() {
        for step in [step, -step] {
            let mut other = numbers;
            other[index] += step;
            let other = CropTransform::new([other[0], other[1]], other[2], other[3]).unwrap();
            assert!(error(&other) > error(&best), "{index}");
        }
    }
    assert!(CropTransform::fit(&FivePoints([[5.0; 2]; 5])).is_err());
    assert!(FivePoints::of_mesh(&[[0.0; 3]; 100]).is_none());
}

#[test]
fn a_turned_larger_face_has_the_same_place_in_its_crop() {
    let base = Anchors { left_eye: [80.0, 90.0], right_eye: [120.0, 92.0], mouth: [101.0, 135.0] };
    let (sin, cos) = 0.6f64.sin_cos();
    let moved =
        |[x, y]: [f64; 2]| [3.0 * (cos * x - sin * y) + 20.0, 3.0 * (sin * x + cos * y) - 7.0];
    let other = Anchors {
        left_eye: moved(base.left_eye),
        right_eye: moved(base.right_eye),
        mouth: moved(base.mouth),
    };
    for template in [Template::Portrait, Template::Ffhq] {
        let a = CropTransform::align(&base, template).unwrap();
        let b = CropTransform::align(&other, template).unwrap();
        assert!((b.side_px() / a.side_px() - 3.0).abs() < 1e-9);
        for (from, to) in [(base.left_eye, other.left_eye), (base.mouth, other.mouth)] {
            let have = a.unit_from_photo().apply(from[0], from[1]);
            let want = b.unit_from_photo().apply(to[0], to[1]);
            assert!((have.0 - want.0).abs() < 1e-9 && (have.1 - want.1).abs() < 1e-9);
        }
        let around = a.photo_from_unit().after(a.unit_from_photo());
        let (x, y) = around.apply(12.0, 34.0);
        assert!((x - 12.0).abs() < 1e-9 && (y - 34.0).abs() < 1e-9);
    }
}

#[test]
fn faces_and_crops_that_cannot_be_are_refused() {
    let spot = Anchors { left_eye: [5.0; 2], right_eye: [5.0; 2], mouth: [5.0; 2] };
    assert!(CropTransform::align(&spot, Template::Portrait).is_err());
    let wild = Anchors { mouth: [f64::NAN; 2], ..spot };
    assert!(CropTransform::align(&wild, Template::Portrait).is_err());
    assert!(Anchors::of_mesh(&[[0.0; 3]; 100]).is_none());
    assert!(CropTransform::new([0.0, f64::INFINITY], 100.0, 0.0).is_err());
    assert!(CropTransform::new([0.0; 2], 1e9, 0.0).is_err());
    let json = r#"{"center_px": [1, 2], "side_px": -3, "angle_rad": 0}"#;
    assert!(serde_json::from_str::<CropTransform>(json).is_err());
    let photo = super::photo(Size::new(40, 30), Depth::U8);
    let away = CropTransform::new([400.0, 400.0], 50.0, 0.0).unwrap();
    let srgb = WorkingProfile::srgb();
    assert!(crop(&photo, &srgb, &away, 64).is_err());
    let inside = CropTransform::new([20.0, 15.0], 20.0, 0.0).unwrap();
    assert!(crop(&photo, &srgb, &inside, 0).is_err());
    assert!(crop(&photo, &srgb, &inside, 99_999).is_err());
}

#[test]
fn a_large_photo_does_not_alias_and_depths_agree() {
    // Stripes of one pixel become grey, not a pattern.
    let size = Size::new(900, 900);
    let mut stripes = PixelBuf::filled(size, 4, Depth::U8, [255; 4]);
    for y in 0..900 {
        for x in (0..900).step_by(2) {
            stripes.set_pixel_f32(x, y, [0.0, 0.0, 0.0, 1.0]);
        }
    }
    let transform = CropTransform::new([450.0, 450.0], 760.0, 0.1).unwrap();
    let small = crop(&stripes, &WorkingProfile::srgb(), &transform, 32).unwrap();
    assert!(small.data.iter().all(|value| (value - 0.5).abs() < 0.02));
    let deep = super::photo(Size::new(300, 280), Depth::U16);
    let transform = CropTransform::new([150.0, 140.0], 180.0, -0.2).unwrap();
    let of = |photo: &PixelBuf| crop(photo, &WorkingProfile::srgb(), &transform, 48).unwrap();
    let (a, b) = (of(&deep), of(&deep.to_depth(Depth::U8)));
    assert!(a.data.iter().zip(&b.data).all(|(a, b)| (a - b).abs() < 0.004));
}
