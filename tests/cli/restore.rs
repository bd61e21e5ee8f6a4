//! `restore` with a checkpoint of GFP-GAN's shapes whose faces are grey.

use std::path::{Path, PathBuf};

use ganvas::nets::Gfpgan;
use ganvas::zoo::Spec;
use image::GenericImageView;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::run::{Folder, ganvas, open, succeed};

/// A file with all that the network needs, all of it zero.
fn checkpoint(folder: &Folder) -> String {
    let (unet, decoder) = (vec![2; 4], vec![4; 4]);
    let network = Gfpgan { unet, decoder, style: 3, own_styles: true, half: true };
    let shapes = Spec::Gfpgan(network).tensors();
    let bytes = |shape: &[usize]| vec![0u8; 4 * shape.iter().product::<usize>()];
    let stored: Vec<_> = shapes.iter().map(|(name, shape)| (name, shape, bytes(shape))).collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, (*shape).clone(), bytes).unwrap())
    });
    folder.write("gfpgan.safetensors", serialize(views, None).unwrap())
}

fn astronaut() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces/astronaut.jpg")
}

#[test]
fn the_face_of_a_photo_is_restored_and_the_rest_stays() {
    let folder = Folder::new();
    let (model, out) = (checkpoint(&folder), folder.file("out.png"));
    // 16 bits, as a scan has them.
    let photo = image::open(astronaut()).unwrap().to_rgb16();
    let input = folder.file("photo.png");
    photo.save(&input).unwrap();
    let told = succeed(&["restore", &input, "-o", &out, "--model", &model, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["width"], photo.width());
    let image::DynamicImage::ImageRgb16(after) = image::open(&out).unwrap() else {
        panic!("not 16 bits");
    };
    let differ = after.enumerate_pixels().filter(|(x, y, pixel)| photo.get_pixel(*x, *y) != *pixel);
    let (mut count, mut inside) = (0, true);
    for (x, y, _) in differ {
        count += 1;
        inside &= (130..320).contains(&x) && (20..240).contains(&y);
    }
    assert!(inside && count > 5000, "{count} pixels changed");
    // The middle of the face is the network's grey.
    assert!(after.get_pixel(224, 120).0.iter().all(|value| value.abs_diff(32_768) < 300));
    let still = folder.file("still.png");
    succeed(&["restore", &input, "-o", &still, "--model", &model, "--strength", "0"]);
    assert_eq!(open(&still).pixels, open(&input).pixels);
    // As a face that is aligned already: grey to the edges.
    let whole = folder.file("whole.png");
    succeed(&["restore", &input, "-o", &whole, "--model", &model, "--whole"]);
    let whole = image::open(&whole).unwrap();
    assert!(whole.get_pixel(3, 500).0[..3].iter().all(|value| value.abs_diff(128) < 2));
}

#[test]
fn without_a_face_or_a_model_it_is_bad_input() {
    let folder = Folder::new();
    let (model, out) = (checkpoint(&folder), folder.file("out.png"));
    let plain = folder.file("plain.png");
    image::RgbImage::from_pixel(80, 60, image::Rgb([90, 130, 60])).save(&plain).unwrap();
    let photo = astronaut().to_string_lossy().into_owned();
    for (words, want) in [
        (["restore", &plain, "-o", &out, "--model", &model], "no face was found"),
        (["restore", &photo, "-o", &out, "--model", "ffdnet-color"], "restores no faces"),
        (["restore", &photo, "-o", &out, "--strength", "2"], "from 0 to 1"),
    ] {
        let told = ganvas(&words);
        assert!(told.code == 2 && told.stderr.contains(want), "{words:?}: {}", told.stderr);
    }
    assert!(!Path::new(&out).exists());
}

#[test]
fn a_frame_without_a_face_stays_as_it_is() {
    let folder = Folder::new();
    let (model, from, to) =
        (checkpoint(&folder), folder.file("in_####.png"), folder.file("out_####.png"));
    let face = image::open(astronaut()).unwrap().crop_imm(120, 20, 200, 220).to_rgb8();
    let plain = image::RgbImage::from_pixel(200, 220, image::Rgb([90, 130, 60]));
    face.save(folder.file("in_0001.png")).unwrap();
    plain.save(folder.file("in_0002.png")).unwrap();
    let told = succeed(&["restore", &from, "-o", &to, "--model", &model]);
    assert!(told.stderr.contains("frames stayed as they are: no face"), "{}", told.stderr);
    let out = |name: &str| image::open(folder.file(name)).unwrap().to_rgb8();
    assert_eq!(out("out_0002.png"), plain);
    assert_ne!(out("out_0001.png"), face);
}
