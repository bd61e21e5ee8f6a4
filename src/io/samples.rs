//! Samples of one size that were made of many files, kept on disk, so that the files need not be
//! read again.
//!
//! A kept sample counts only while its file has the name, the size and the time it had. The file
//! of samples ends with its own SHA-256; one that is damaged, or of samples made in another way,
//! is as good as none.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::save::put_in_place;

const MAGIC: &[u8; 8] = b"GVSAMPL1";
/// Longest name of a file and longest refusal, in bytes.
const MAX_TEXT: usize = 4096;

/// What a file was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp {
    /// Its path below the folder, as the system has it.
    name: Vec<u8>,
    bytes: u64,
    /// Since 1970.
    modified: Duration,
}

impl FileStamp {
    /// `None` where the system does not tell, and for what is not below the folder.
    pub fn of(path: &Path, folder: &Path) -> Option<Self> {
        let name = path.strip_prefix(folder).ok()?.as_os_str().as_encoded_bytes().to_vec();
        let about = path.metadata().ok()?;
        let modified = about.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        (name.len() <= MAX_TEXT).then_some(Self { name, bytes: about.len(), modified })
    }
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sample {
    Bytes(Vec<u8>),
    /// Why nothing came of it.
    Refused(String),
}

/// By what files were.
pub type Samples = HashMap<FileStamp, Sample>;

/// The samples in a file that were made as `how` says, of `len` bytes each and `most` at most; of
/// none else, and of no damaged file. Takes no more memory than so many samples do.
pub fn read_samples(path: &Path, how: &str, len: usize, most: usize) -> Option<Samples> {
    let mut from = Hashed { inner: BufReader::new(File::open(path).ok()?), hash: Sha256::new() };
    let head: [u8; 8] = from.array()?;
    if head != *MAGIC || from.text()? != how.as_bytes() || from.number()? != len as u64 {
        return None;
    }
    let count = from.number()?;
    if count > most as u64 {
        return None;
    }
    let mut all = Samples::new();
    for _ in 0..count {
        let name = from.text()?;
        let (bytes, seconds) = (from.number()?, from.number()?);
        let nanos = u32::from_le_bytes(from.array()?);
        if nanos >= 1_000_000_000 {
            return None;
        }
        let stamp = FileStamp { name, bytes, modified: Duration::new(seconds, nanos) };
        let sample = match from.array::<1>()? {
            [0] => Sample::Bytes(from.bytes(len)?),
            [1] => Sample::Refused(String::from_utf8(from.text()?).ok()?),
            _ => return None,
        };
        all.insert(stamp, sample);
    }
    let (want, mut is) = (from.hash.finalize(), Vec::new());
    from.inner.take(want.len() as u64 + 1).read_to_end(&mut is).ok()?;
    (is == want.as_slice()).then_some(all)
}

/// Writes samples of `len` bytes each for [`read_samples`], beside the place of the file and then
/// moved there. Refusals that are too long are left out.
///
/// # Errors
/// Those of the disk, and of samples of another length.
pub fn write_samples<'a>(
    path: &Path,
    how: &str,
    len: usize,
    samples: impl Iterator<Item = (&'a FileStamp, &'a Sample)>,
) -> io::Result<()> {
    let is_kept = |(_, sample): &(&FileStamp, &Sample)| match sample {
        Sample::Bytes(_) => true,
        Sample::Refused(reason) => reason.len() <= MAX_TEXT,
    };
    let samples: Vec<_> = samples.filter(is_kept).collect();
    put_in_place(path, |file| {
        let mut to = Hashed { inner: BufWriter::new(file), hash: Sha256::new() };
        to.put(MAGIC)?;
        to.put_text(how.as_bytes())?;
        to.put(&(len as u64).to_le_bytes())?;
        to.put(&(samples.len() as u64).to_le_bytes())?;
        for (FileStamp { name, bytes, modified }, sample) in samples {
            to.put_text(name)?;
            to.put(&bytes.to_le_bytes())?;
            to.put(&modified.as_secs().to_le_bytes())?;
            to.put(&modified.subsec_nanos().to_le_bytes())?;
            match sample {
                Sample::Bytes(bytes) if bytes.len() == len => {
                    to.put(&[0])?;
                    to.put(bytes)?;
                }
                Sample::Bytes(_) => return Err(io::Error::other("a sample of another length")),
                Sample::Refused(reason) => {
                    to.put(&[1])?;
                    to.put_text(reason.as_bytes())?;
                }
            }
        }
        let hash = to.hash.finalize();
        to.inner.write_all(&hash)?;
        to.inner.flush()
    })
}

/// What goes through it is hashed.
struct Hashed<T> {
    inner: T,
    hash: Sha256,
}

impl<T: Read> Hashed<T> {
    fn fill(&mut self, to: &mut [u8]) -> Option<()> {
        self.inner.read_exact(to).ok()?;
        self.hash.update(to);
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut to = [0; N];
        self.fill(&mut to)?;
        Some(to)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut to = vec![0; len];
        self.fill(&mut to)?;
        Some(to)
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let len = u32::from_le_bytes(self.array()?) as usize;
        if len <= MAX_TEXT { self.bytes(len) } else { None }
    }
}

impl<T: Write> Hashed<T> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.inner.write_all(bytes)
    }

    fn put_text(&mut self, text: &[u8]) -> io::Result<()> {
        let len = u32::try_from(text.len()).map_err(io::Error::other)?;
        self.put(&len.to_le_bytes())?;
        self.put(text)
    }
}
