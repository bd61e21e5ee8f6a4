//! Pictures to learn from.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::TrainError;
use super::randomness::{Purpose, Randomness};
use crate::color::{WorkingProfile, convert};
use crate::geom::{IRect, Size};
use crate::io::samples::{FileStamp, Sample, Samples, read_samples, write_samples};
use crate::io::{self, Limits};
use crate::pixels::{Depth, PixelBuf};

/// Fewer teach a generator nothing but themselves.
pub const MIN_PICTURES: usize = 100;
/// One picture of so many is kept from the networks.
const HELD_OUT: usize = 20;
/// Depth of folders in folders.
const MAX_DEPTH: usize = 8;

/// A file that is not learnt from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub path: PathBuf,
    /// What is wrong with it, or which file it is a copy of.
    pub reason: String,
}

/// Samples of one size as the networks see them.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// `[channels, side, side]` of a sample.
    pub shape: [usize; 3],
    /// Samples one after the other: colours as bytes, 0 for -1 and 255 for 1.
    bytes: Vec<u8>,
    /// Samples one after the other where they are no pictures.
    numbers: Vec<f32>,
    /// Samples that are learnt from; those after them are held out.
    learnt: usize,
    pub refused: Vec<Refused>,
    /// Why the samples could not be kept for the next time.
    pub not_kept: Option<String>,
}

/// Where samples are kept for the next time.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'a> {
    pub path: &'a Path,
    /// Says of the side and the framer what another run must share with this one.
    pub how: &'a str,
}

impl Dataset {
    /// What `framer` takes out of every picture below a folder, at `side` pixels. Files that are
    /// no pictures, broken ones, copies and those that hold nothing for the framer are left out
    /// and told. What `cache` knows of a file that is as it was is not read again. `watch` is given
    /// the files that are done and all there are, and answers whether to go on.
    ///
    /// # Errors
    /// A folder that cannot be read, or with fewer than [`MIN_PICTURES`] usable pictures.
    pub fn open(
        folder: &Path,
        side: usize,
        framer: &Framer<'_>,
        seed: u64,
        cache: Option<Cache<'_>>,
        watch: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Self, TrainError> {
        let mut files = Vec::new();
        list(folder, 0, &mut files)?;
        files.sort();
        let (total, done) = (files.len(), AtomicUsize::new(0));
        let shape = [3, side, side];
        let len: usize = shape.iter().product();
        let mut known = match cache {
            Some(cache) => read_samples(cache.path, cache.how, len, total).unwrap_or_default(),
            None => Samples::new(),
        };
        let with_known = |path: PathBuf| {
            let stamp = cache.and_then(|_| FileStamp::of(&path, folder));
            let kept = stamp.as_ref().and_then(|stamp| known.remove(stamp));
            (path, stamp, kept)
        };
        let files: Vec<_> = files.into_iter().map(with_known).collect();
        // What is known of files that are gone or others by now is not kept.
        let is_other = !known.is_empty();
        let added = AtomicUsize::new(0);
        let read = |(path, stamp, kept): (PathBuf, Option<FileStamp>, Option<Sample>)| {
            if !watch(done.fetch_add(1, Ordering::Relaxed), total) {
                return Err(TrainError::Stopped);
            }
            let sample = match kept {
                Some(sample) => Ok(sample),
                None => {
                    let sample = sample(&path, side, framer);
                    added.fetch_add(usize::from(sample.is_ok()), Ordering::Relaxed);
                    sample
                }
            };
            let hash = match &sample {
                Ok(Sample::Bytes(bytes)) => Some(<[u8; 32]>::from(Sha256::digest(bytes))),
                _ => None,
            };
            Ok(ReadFile { path, stamp, sample, hash })
        };
        let read: Result<Vec<ReadFile>, TrainError> = files.into_par_iter().map(read).collect();
        let read = read?;
        let mut not_kept = None;
        if let Some(Cache { path, how }) = cache
            && (is_other || added.into_inner() > 0)
        {
            let written = write_samples(path, how, len, read.iter().filter_map(ReadFile::kept));
            not_kept = written.err().map(|err| err.to_string());
        }
        let (mut bytes, mut refused, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        let mut count = 0;
        for ReadFile { path, sample, hash, .. } in read {
            match sample {
                Ok(Sample::Bytes(pixels)) if hash.is_none_or(|hash| seen.insert(hash)) => {
                    bytes.extend(pixels);
                    count += 1;
                }
                Ok(Sample::Bytes(_)) => {
                    refused.push(Refused { path, reason: "a copy of another picture".into() });
                }
                Ok(Sample::Refused(reason)) | Err(reason) => refused.push(Refused { path, reason }),
            }
        }
        if count < MIN_PICTURES {
            return Err(TrainError::TooFew { path: folder.display().to_string(), count });
        }
        let learnt = count - count / HELD_OUT;
        let mut all = Self { shape, bytes, numbers: Vec::new(), learnt, refused, not_kept };
        all.shuffle(Randomness(seed));
        Ok(all)
    }

    /// Points in the plane, or anything else with a number a channel.
    pub fn of_numbers(shape: [usize; 3], numbers: Vec<f32>) -> Self {
        let learnt = numbers.len() / shape.iter().product::<usize>().max(1);
        Self { shape, bytes: Vec::new(), numbers, learnt, refused: Vec::new(), not_kept: None }
    }

    /// So that what is held out is a fair sample of folders in order.
    fn shuffle(&mut self, randomness: Randomness) {
        let (len, count) = (self.sample_len(), self.len());
        let order = randomness.uniform(Purpose::Order, u64::MAX).shuffled(count);
        let sample = |from: usize| &self.bytes[from * len..(from + 1) * len];
        self.bytes = order.into_iter().flat_map(sample).copied().collect();
    }

    pub fn sample_len(&self) -> usize {
        self.shape.iter().product::<usize>().max(1)
    }

    /// Samples, those that are held out too.
    pub fn len(&self) -> usize {
        self.bytes.len().max(self.numbers.len()) / self.sample_len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples that are learnt from.
    pub const fn learnt(&self) -> usize {
        self.learnt
    }

    /// Adds sample `index` to `out`, colours in `-1..=1`, mirrored left to right if so wanted.
    pub fn read(&self, index: usize, is_mirrored: bool, out: &mut Vec<f32>) {
        let (len, width) = (self.sample_len(), self.shape[2].max(1));
        let of_byte = |byte: &u8| f32::from(*byte) / 127.5 - 1.0;
        if self.bytes.is_empty() {
            out.extend_from_slice(&self.numbers[index * len..(index + 1) * len]);
            return;
        }
        for row in self.bytes[index * len..(index + 1) * len].chunks_exact(width) {
            if is_mirrored {
                out.extend(row.iter().rev().map(of_byte));
            } else {
                out.extend(row.iter().map(of_byte));
            }
        }
    }
}

/// A file, what it was and what came of it: an error where that may be another the next time.
struct ReadFile {
    path: PathBuf,
    stamp: Option<FileStamp>,
    sample: Result<Sample, String>,
    /// Of the sample: what tells it from others.
    hash: Option<[u8; 32]>,
}

impl ReadFile {
    /// What is kept of it.
    fn kept(&self) -> Option<(&FileStamp, &Sample)> {
        Some((self.stamp.as_ref()?, self.sample.as_ref().ok()?))
    }
}

/// The files below a folder.
fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), TrainError> {
    let bad = |err: std::io::Error| TrainError::Folder {
        path: folder.display().to_string(),
        reason: err.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(bad)? {
        let entry = entry.map_err(bad)?;
        let kind = entry.file_type().map_err(bad)?;
        if kind.is_dir() && depth < MAX_DEPTH {
            list(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Takes a sample out of a picture, RGBA encoded in a profile: `side` × `side` RGBA bytes of sRGB.
/// A sentence where the picture has none.
pub type Framer<'a> =
    dyn Fn(&PixelBuf, &WorkingProfile, u32) -> Result<Vec<u8>, String> + Sync + 'a;

/// The [`Framer`] of the largest square in the middle.
///
/// # Errors
/// Where the colours cannot be converted.
pub fn middle(picture: &PixelBuf, profile: &WorkingProfile, side: u32) -> Result<Vec<u8>, String> {
    let Size { width, height } = picture.size();
    let least = width.min(height);
    let corner = (((width - least) / 2) as i32, ((height - least) / 2) as i32);
    let square = IRect::from_origin_size(corner, Size::new(least, least));
    let mut pixels = picture.crop(square).to_depth(Depth::U8);
    convert::to_srgb(profile, &mut pixels).map_err(|err| err.to_string())?;
    shrunk(&pixels, side).map_err(|err| err.to_string())
}

/// A square picture at another side, without aliasing: RGBA bytes.
fn shrunk(square: &PixelBuf, side: u32) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let (size, bytes) = (square.size(), square.samples().as_bytes());
    let from = ImageRef::new(size.width, size.height, bytes, PixelType::U8x4)?;
    let mut to = Image::new(side, side, PixelType::U8x4);
    let how = ResizeAlg::Convolution(FilterType::Lanczos3);
    Resizer::new().resize(&from, &mut to, &ResizeOptions::new().resize_alg(how))?;
    Ok(to.into_vec())
}

/// What comes of the picture in a file.
fn sample(path: &Path, side: usize, framer: &Framer<'_>) -> Result<Sample, String> {
    let opened = io::open(path, &Limits::default()).map_err(|err| err.cause.to_string())?;
    let small = match framer(&opened.pixels, &opened.profile, side as u32) {
        Ok(small) => small,
        Err(reason) => return Ok(Sample::Refused(reason)),
    };
    // Planes one after the other; what is transparent counts as black.
    let plane = |channel: usize| {
        let value = move |pixel: &[u8]| u32::from(pixel[channel]) * u32::from(pixel[3]) / 255;
        small.chunks_exact(4).map(move |pixel| value(pixel) as u8)
    };
    Ok(Sample::Bytes((0..3).flat_map(plane).collect()))
}
