//! Samples that are kept on disk: whole or not at all.

use std::path::Path;

use ganvas::io::samples::{FileStamp, Sample, Samples, read_samples, write_samples};

const HOW: &str = "side 2";
const LEN: usize = 12;

/// Three files, their stamps and what came of them.
fn samples(folder: &Path) -> Samples {
    let outcomes = [
        ("a.png", Sample::Bytes((0..12).collect())),
        ("b.png", Sample::Refused("no face was found".into())),
        ("c.png", Sample::Bytes(vec![255; LEN])),
    ];
    let stamped = outcomes.into_iter().map(|(name, sample)| {
        let path = folder.join(name);
        std::fs::write(&path, name).unwrap();
        (FileStamp::of(&path, folder).unwrap(), sample)
    });
    stamped.collect()
}

#[test]
fn what_is_kept_comes_back_and_stands_for_the_same_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let all = samples(folder.path());
    let path = folder.path().join("kept");
    write_samples(&path, HOW, LEN, all.iter()).unwrap();
    assert_eq!(read_samples(&path, HOW, LEN, 3).unwrap(), all);
    assert_eq!(read_samples(&path, "side 4", LEN, 3), None);
    assert_eq!(read_samples(&path, HOW, LEN + 1, 3), None);
    // More than there are files for.
    assert_eq!(read_samples(&path, HOW, LEN, 2), None);
    assert_eq!(read_samples(&folder.path().join("none"), HOW, LEN, 3), None);
    // A file that was written since is another.
    let changed = folder.path().join("a.png");
    let before = FileStamp::of(&changed, folder.path()).unwrap();
    std::fs::write(&changed, "longer than it was").unwrap();
    let after = FileStamp::of(&changed, folder.path()).unwrap();
    assert!(before != after && all.contains_key(&before) && !all.contains_key(&after));
    assert_eq!(FileStamp::of(&folder.path().join("gone"), folder.path()), None);
    // Nothing half-written is left beside it.
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.png", "b.png", "c.png", "kept"]);
    assert!(write_samples(&path, HOW, 5, all.iter()).is_err());
    assert_eq!(read_samples(&path, HOW, LEN, 3).unwrap(), all);
}

#[test]
fn a_damaged_file_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let all = samples(folder.path());
    let path = folder.path().join("kept");
    write_samples(&path, HOW, LEN, all.iter()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let reads = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read_samples(&path, HOW, LEN, usize::MAX)
    };
    for len in 0..whole.len() {
        assert_eq!(reads(&whole[..len]), None, "the first {len} bytes");
    }
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        assert_eq!(reads(&flipped), None, "byte {at}");
    }
    assert_eq!(reads(&[&whole[..], b"!"].concat()), None);
    // Counts and lengths beyond all memory are refused before anything is kept ready for them.
    for at in [8, 18, 26] {
        let mut huge = whole.clone();
        huge[at..at + 8].fill(0xFF);
        assert_eq!(reads(&huge), None);
    }
    assert_eq!(reads(&whole).unwrap(), all);
}
