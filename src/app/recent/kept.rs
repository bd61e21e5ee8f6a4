//! Thumbnails kept from start to start, so that large pictures are not decoded each time.
//!
//! A file each, named by the picture's path, length and time of change: `GTHM`, the extent of the
//! picture and that of the thumbnail (32-bit numbers, little-endian), RGBA bytes in sRGB.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::{Preview, SIDE_PX};
use crate::geom::Size;

const MAGIC: &[u8; 4] = b"GTHM";
/// Thumbnails kept; the oldest go first.
const MOST: usize = 32;

/// The file in `folder` for the picture at `path` as it is now.
pub fn place(folder: &Path, path: &Path, facts: &fs::Metadata) -> PathBuf {
    let changed = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_encoded_bytes());
    hash.update(facts.len().to_le_bytes());
    hash.update(changed.to_le_bytes());
    let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    folder.join(name + ".thumbnail")
}

/// What was kept; `None` where there is none or it is damaged.
pub fn load(file: &Path) -> Option<Preview> {
    let most = 20 + 4 * u64::from(SIDE_PX).pow(2);
    let mut bytes = Vec::new();
    fs::File::open(file).ok()?.take(most + 1).read_to_end(&mut bytes).ok()?;
    let (head, pixels) = bytes.split_at_checked(20)?;
    if &head[..4] != MAGIC {
        return None;
    }
    let number =
        |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let size = [number(12) as usize, number(16) as usize];
    let is_whole = size[0].checked_mul(size[1])?.checked_mul(4)? == pixels.len();
    let pixels = Arc::new(pixels.to_vec());
    (is_whole && !pixels.is_empty()).then(|| Preview {
        pixels,
        size,
        picture: Size::new(number(4), number(8)),
    })
}

/// Keeps a thumbnail: written beside and renamed.
pub fn store(file: &Path, preview: &Preview) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(MAGIC)?;
    let Size { width, height } = preview.picture;
    let [columns, rows] = preview.size.map(|side| side as u32);
    for number in [width, height, columns, rows] {
        beside.write_all(&number.to_le_bytes())?;
    }
    beside.write_all(&preview.pixels)?;
    beside.persist(file).map_err(|err| err.error)?;
    forget_old(folder)
}

fn forget_old(folder: &Path) -> io::Result<()> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "thumbnail") {
            kept.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    kept.sort();
    for (_, old) in kept.iter().take(kept.len().saturating_sub(MOST)) {
        fs::remove_file(old)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview() -> Preview {
        let pixels = Arc::new((0..6 * 4 * 4).map(|at| at as u8).collect());
        Preview { pixels, size: [6, 4], picture: Size::new(6000, 4000) }
    }

    #[test]
    fn a_thumbnail_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/one.thumbnail");
        store(&file, &preview()).unwrap();
        let back = load(&file).unwrap();
        assert_eq!((back.size, back.picture), ([6, 4], Size::new(6000, 4000)));
        assert_eq!(back.pixels, preview().pixels);
    }

    #[test]
    fn a_damaged_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.thumbnail");
        assert!(load(&file).is_none());
        store(&file, &preview()).unwrap();
        let whole = fs::read(&file).unwrap();
        let mut huge = whole.clone();
        huge[12..20].fill(0xff);
        for damaged in [&whole[..whole.len() - 1], &whole[..10], &[], &huge, &whole[1..]] {
            fs::write(&file, damaged).unwrap();
            assert!(load(&file).is_none(), "{} bytes", damaged.len());
        }
    }

    #[test]
    fn the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other.txt");
        fs::write(&other, "stays").unwrap();
        for at in 0..MOST + 3 {
            store(&folder.path().join(format!("{at}.thumbnail")), &preview()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST + 1);
        assert!(
            other.exists()
                && load(&folder.path().join(format!("{}.thumbnail", MOST + 2))).is_some()
        );
    }

    #[test]
    fn a_changed_picture_has_another_place() {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("picture.png");
        fs::write(&picture, "one").unwrap();
        let of = || place(folder.path(), &picture, &fs::metadata(&picture).unwrap());
        let before = of();
        assert_eq!(before, of());
        fs::write(&picture, "another").unwrap();
        assert_ne!(before, of());
    }
}
