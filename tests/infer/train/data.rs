//! Folders of pictures.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ganvas::color::WorkingProfile;
use ganvas::infer::framing::FaceFramer;
use ganvas::pixels::PixelBuf;
use ganvas::portrait::Template;
use ganvas::train::{Cache, Dataset, TrainError, middle};
use ganvas::zoo::Library;
use image::{Rgb, RgbImage};

fn picture(at: u32) -> RgbImage {
    RgbImage::from_fn(24 + at % 5, 20, |x, y| {
        Rgb([(at * 37 % 256) as u8, (x * 9) as u8, (y * 11 + at) as u8])
    })
}

/// A folder of `count` different pictures, some in a folder of their own.
pub fn folder_of(count: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    for at in 0..count {
        let inner = if at % 3 == 0 { "more/" } else { "" };
        picture(at).save(folder.path().join(format!("{inner}{at:03}.png"))).unwrap();
    }
    folder
}

fn open(folder: &Path, side: usize) -> Result<Dataset, TrainError> {
    Dataset::open(folder, side, &middle, 1, None, &|_, _| true)
}

#[test]
fn a_folder_is_read_and_what_is_left_out_is_told() {
    let folder = folder_of(110);
    picture(7).save(folder.path().join("a copy.png")).unwrap();
    std::fs::write(folder.path().join("broken.png"), b"no picture").unwrap();
    let data = open(folder.path(), 8).unwrap();
    assert_eq!((data.len(), data.learnt(), data.shape), (110, 105, [3, 8, 8]));
    let mut refused: Vec<_> = data.refused.iter().map(|r| r.path.file_name().unwrap()).collect();
    refused.sort();
    // Of two alike the first by name is kept.
    assert_eq!(refused, ["a copy.png", "broken.png"]);
    let (mut plain, mut mirrored) = (Vec::new(), Vec::new());
    data.read(3, false, &mut plain);
    data.read(3, true, &mut mirrored);
    assert_eq!(plain.len(), 192);
    assert!(plain.iter().all(|x| (-1.0..=1.0).contains(x)));
    let rows = plain.chunks(8).zip(mirrored.chunks(8));
    assert!(rows.clone().all(|(a, b)| a.iter().eq(b.iter().rev())) && plain != mirrored);
}

#[test]
fn too_few_pictures_are_refused() {
    let folder = folder_of(60);
    let error = open(folder.path(), 8).unwrap_err().to_string();
    assert!(error.contains("60 usable pictures"), "{error}");
    let error = open(&folder.path().join("nowhere"), 8).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
    let stopped =
        Dataset::open(folder.path(), 8, &middle, 1, None, &|done, _| done < 10).unwrap_err();
    assert!(matches!(stopped, TrainError::Stopped));
}

/// The astronaut moved about in front of a plain ground.
fn moved(at: u32) -> RgbImage {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let photo = image::open(root.join("tests/fixtures/photos/astronaut-256.png")).unwrap();
    let mut ground = RgbImage::from_pixel(340, 300, Rgb([90, 100, (at % 251) as u8]));
    image::imageops::overlay(&mut ground, &photo.to_rgb8(), (at * 7 % 84).into(), (at % 44).into());
    ground
}

#[test]
fn faces_are_learnt_where_the_template_has_them() {
    let folder = tempfile::tempdir().unwrap();
    for at in 0..102 {
        moved(at).save(folder.path().join(format!("{at:03}.png"))).unwrap();
    }
    picture(3).save(folder.path().join("no face.png")).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let library = Library::of(Some(shipped), None);
    let faces = FaceFramer::new(&library, Template::Portrait).unwrap();
    let framer = |picture: &_, profile: &_, side| faces.frame(picture, profile, side);
    let data = Dataset::open(folder.path(), 32, &framer, 1, None, &|_, _| true).unwrap();
    assert_eq!((data.len(), data.refused.len()), (102, 1));
    assert!(data.refused[0].reason.contains("no face"), "{}", data.refused[0].reason);
    let sample = |data: &Dataset, index| {
        let mut numbers = Vec::new();
        data.read(index, false, &mut numbers);
        numbers
    };
    let apart = |data: &Dataset| {
        let first = sample(data, 0);
        let rms = |index| {
            let other = sample(data, index);
            let squares = first.iter().zip(&other).map(|(a, b)| f64::from(a - b).powi(2));
            (squares.sum::<f64>() / first.len() as f64).sqrt()
        };
        let mut all: Vec<f64> = (1..data.len()).map(rms).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let unaligned = open(folder.path(), 32).unwrap();
    let (aligned, unaligned) = (apart(&data), apart(&unaligned));
    assert!(aligned < 0.1 && unaligned > 0.4, "{aligned} {unaligned}");
    let nowhere = Library::of(None, None);
    let missing = FaceFramer::new(&nowhere, Template::Portrait).err().unwrap();
    assert!(missing.contains("installed"), "{missing}");
}

#[test]
fn what_was_read_once_is_not_read_again() {
    let (folder, run) = (folder_of(104), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("broken.png"), b"no picture").unwrap();
    let path = run.path().join("pictures.cache");
    let open = |how: &str| -> (usize, Dataset) {
        let framed = AtomicUsize::new(0);
        let framer = |picture: &PixelBuf, profile: &WorkingProfile, side: u32| {
            framed.fetch_add(1, Ordering::Relaxed);
            if picture.size().width == 28 {
                Err("too wide".into())
            } else {
                middle(picture, profile, side)
            }
        };
        let cache = Some(Cache { path: &path, how });
        let data = Dataset::open(folder.path(), 8, &framer, 1, cache, &|_, _| true).unwrap();
        (framed.into_inner(), data)
    };
    let all = |data: &Dataset| -> Vec<f32> {
        let mut all = Vec::new();
        (0..data.len()).for_each(|index| data.read(index, false, &mut all));
        all
    };
    for at in 0..40 {
        picture(200 + at * 5).save(folder.path().join(format!("x{at}.png"))).unwrap();
    }
    let (framed, first) = open("one");
    assert_eq!((framed, first.not_kept.is_none()), (144, true));
    // The same samples and the same refusals; only the broken file is tried again.
    let (framed, second) = open("one");
    assert_eq!((framed, all(&second) == all(&first)), (0, true));
    assert_eq!(second.refused, first.refused);
    assert!(second.refused.iter().any(|refused| refused.reason == "too wide"));
    // A file that is another by now, one that is new, one that is gone.
    let changed = folder.path().join("001.png");
    picture(1001).save(&changed).unwrap();
    picture(1003).save(folder.path().join("new.png")).unwrap();
    std::fs::remove_file(folder.path().join("002.png")).unwrap();
    assert_eq!(open("one").0, 2);
    assert_eq!(open("one").0, 0);
    // Made in another way, damaged, not there.
    assert_eq!(open("two").0, 144);
    let bytes = std::fs::read(&path).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    assert_eq!(open("two").0, 144);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open("two").0, 144);
    // A place that cannot be written is told and nothing more.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(open("two").1.not_kept.is_some());
}
