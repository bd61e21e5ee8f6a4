//! Folders of pictures.

use std::path::Path;

use ganvas::train::{Dataset, TrainError};
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
    Dataset::open(folder, side, 1, &|_, _| true)
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
    let stopped = Dataset::open(folder.path(), 8, 1, &|done, _| done < 10).unwrap_err();
    assert!(matches!(stopped, TrainError::Stopped));
}
