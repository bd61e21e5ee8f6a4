//! Animations, GIF and APNG, frame by frame: one frame at a time is in memory, whatever their
//! number.

mod apng;
mod gif;

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use super::guard::guarded;
use super::open::{DecodeError, OpenError, manage_colour, read_file, upright};
use super::save::{Prepared, check_place, prepare, put_in_place};
use super::{Format, Limits, Notice, Opened, SaveError, SaveOptions, decode};
use crate::color::WorkingProfile;
use crate::document::Metadata;
use crate::io::decoded::Raw;
use crate::pixels::PixelBuf;

/// Most frames of an animation.
pub const MAX_FRAMES: u32 = 10_000;
/// Most pixels of all frames together: twenty minutes of small pictures.
pub const MAX_TOTAL_PIXELS: u64 = 1 << 34;

/// What frames are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// 256 colours a frame, delays in hundredths of a second.
    Gif,
    /// As exact as PNG, of 8 or 16 bits.
    Apng,
}

impl Container {
    /// What a file name asks for; `.png` may be either a picture or an animation.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "gif" => Some(Self::Gif),
            "apng" => Some(Self::Apng),
            _ => None,
        }
    }

    /// The format that it is a kind of.
    pub const fn format(self) -> Format {
        match self {
            Self::Gif => Format::Gif,
            Self::Apng => Format::Png,
        }
    }
}

/// One picture of an animation.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// RGBA, all of the picture, whatever of it the file stores.
    pub pixels: PixelBuf,
    /// How long it is shown.
    pub delay: Duration,
}

/// Frames as their file stores them.
type Frames = Box<dyn Iterator<Item = Result<Frame, DecodeError>>>;

/// What a container's reader finds.
struct Contents {
    frames: Frames,
    /// How often it is shown; 0 for ever.
    plays: u32,
    icc: Option<Vec<u8>>,
}

/// An animation that is being read.
pub struct Reader {
    /// As [`super::open`] shows it: the first picture, with everything that goes along.
    pub first: Opened,
    pub container: Container,
    /// Number of frames that are read.
    pub frames: u32,
    /// How often it is shown; 0 for ever.
    pub plays: u32,
    /// The colour profile as stored.
    icc: Option<Vec<u8>>,
    left: Frames,
    read: u32,
}

/// Opens an animation; `None` where the file holds one picture.
///
/// # Errors
/// Those of [`super::open`], and where there are more frames or pixels than
/// [`MAX_FRAMES`] and [`MAX_TOTAL_PIXELS`] allow.
pub fn open(path: &Path, limits: &Limits) -> Result<Option<Reader>, OpenError> {
    let opened = read_file(path, limits).and_then(|bytes| from_bytes(bytes, limits));
    opened.map_err(|cause| OpenError { cause, path: path.into() })
}

/// [`open`] of bytes in memory.
///
/// # Errors
/// As there.
pub fn from_bytes(bytes: Vec<u8>, limits: &Limits) -> Result<Option<Reader>, DecodeError> {
    let first = decode(&bytes, limits)?;
    let (format, frames) = (first.source.format, first.source.frames);
    let container = match format {
        Format::Gif => Container::Gif,
        Format::Png => Container::Apng,
        _ => return Ok(None),
    };
    if frames <= 1 {
        return Ok(None);
    }
    let pixels = first.source.stored_size.pixels().saturating_mul(frames.into());
    if frames > MAX_FRAMES || pixels > MAX_TOTAL_PIXELS {
        let (most, mega) = (MAX_FRAMES, MAX_TOTAL_PIXELS >> 20);
        let size = first.source.stored_size;
        let reason = format!(
            "{frames} frames of {size}; at most {most} frames and {mega} Mi pixels are read"
        );
        return Err(DecodeError::Unsupported { format, reason });
    }
    let limits = *limits;
    let opened = guarded(move || match container {
        Container::Gif => gif::frames(bytes, &limits),
        Container::Apng => apng::frames(bytes, &limits),
    });
    let damaged = |reason| DecodeError::Damaged { format, reason };
    let Contents { frames: left, plays, icc } = opened.map_err(damaged)??;
    Ok(Some(Reader { first, container, frames, plays, icc, left, read: 0 }))
}

impl Reader {
    /// Brings a frame to what [`super::open`] makes of a picture: the same profile, upright.
    fn finish(&self, frame: Frame) -> Result<Frame, DecodeError> {
        let (source, profile) = (&self.first.source, &self.first.profile);
        let damaged = |reason| DecodeError::Damaged { format: source.format, reason };
        let missing = || damaged("pixels missing".into());
        let raw = Raw::Rgba(frame.pixels);
        let icc = self.icc.as_deref();
        let managed = manage_colour(raw, source.stored_size, source.model, icc, &mut Vec::new());
        let (pixels, own) = managed.ok_or_else(missing)?;
        debug_assert_eq!(own.name, profile.name);
        let pixels = upright(pixels, source.orientation).map_err(damaged)?;
        Ok(Frame { pixels, ..frame })
    }
}

impl Iterator for Reader {
    type Item = Result<Frame, DecodeError>;

    /// Nothing follows an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.read >= self.frames {
            return None;
        }
        self.read += 1;
        let format = self.container.format();
        let left = &mut self.left;
        let next = guarded(move || left.next())
            .unwrap_or_else(|reason| Some(Err(DecodeError::Damaged { format, reason })));
        let frame = next
            .unwrap_or(Err(DecodeError::Truncated(format)))
            .and_then(|frame| self.finish(frame));
        if frame.is_err() {
            self.read = self.frames;
        }
        Some(frame)
    }
}

/// What is written beside the frames.
#[derive(Clone, Debug)]
pub struct About {
    pub container: Container,
    /// Exact number of frames that come.
    pub frames: u32,
    /// How often it is shown; 0 for ever.
    pub plays: u32,
    /// In which the frames are encoded.
    pub profile: WorkingProfile,
    pub metadata: Metadata,
}

impl About {
    /// So many frames over and over, without metadata.
    pub fn endless(frames: u32, profile: WorkingProfile) -> Self {
        let (container, metadata) = (Container::Apng, Metadata::default());
        Self { container, frames, plays: 0, profile, metadata }
    }
}

/// Either kind of error on the way to a file.
enum Fault<E> {
    Io(std::io::Error),
    Save(SaveError),
    Frame(E),
}

impl<E> From<std::io::Error> for Fault<E> {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Takes frames that are ready to be encoded.
trait Sink {
    fn push(&mut self, frame: &Frame) -> Result<(), String>;

    fn finish(self: Box<Self>) -> Result<(), String>;
}

/// Writes `frames`, which may be made while they are asked for, to `path`. Either the whole file
/// is there afterwards or what was there before. Of `options`, depth, metadata and label count.
///
/// # Errors
/// Where the file cannot be written or the frames are none, of several sizes, or not as many as
/// announced; and the first error among `frames`.
pub fn write<E: From<SaveError>>(
    path: &Path,
    about: &About,
    options: &SaveOptions,
    frames: impl Iterator<Item = Result<Frame, E>>,
) -> Result<Vec<Notice>, E> {
    let format = about.container.format();
    let options = SaveOptions { format, ..*options };
    let mut notices = Vec::new();
    check_place(path)?;
    let written = put_in_place(path, |file| {
        let mut out = BufWriter::new(file);
        encode(&mut out, about, &options, frames, &mut notices)?;
        out.flush().map_err(Fault::Io)
    });
    match written {
        Ok(()) => Ok(notices),
        Err(Fault::Io(cause)) => Err(SaveError::Write { cause, path: path.into() }.into()),
        Err(Fault::Save(error)) => Err(error.into()),
        Err(Fault::Frame(error)) => Err(error),
    }
}

fn encode<E>(
    mut out: impl Write,
    about: &About,
    options: &SaveOptions,
    mut frames: impl Iterator<Item = Result<Frame, E>>,
    notices: &mut Vec<Notice>,
) -> Result<(), Fault<E>> {
    let format = options.format;
    let broken = |reason: String| Fault::Save(SaveError::Encode { format, reason });
    let mut next = |at: u32| match frames.next() {
        Some(frame) => frame.map_err(Fault::Frame),
        None => Err(broken(format!("it ends after {at} of {} frames", about.frames))),
    };
    if !(1..=MAX_FRAMES).contains(&about.frames) {
        return Err(broken(format!("it has 1 to {MAX_FRAMES} frames, not {}", about.frames)));
    }
    let (first, icc, metadata) = ready(next(0)?, about, options, notices).map_err(Fault::Save)?;
    let mut sink: Box<dyn Sink + '_> = match about.container {
        Container::Gif => Box::new(gif::Writer::new(&mut out, about).map_err(broken)?),
        Container::Apng => {
            let picture = (&first.pixels, icc, &metadata);
            Box::new(apng::Writer::new(&mut out, about, picture, notices).map_err(broken)?)
        }
    };
    let size = first.pixels.size();
    sink.push(&first).map_err(broken)?;
    for at in 1..about.frames {
        // What is to be said of frames was said of the first.
        let frame = ready(next(at)?, about, options, &mut Vec::new());
        let (frame, ..) = frame.map_err(Fault::Save)?;
        let own = frame.pixels.size();
        if own != size {
            return Err(broken(format!("frame {at} is {own}, those before are {size}")));
        }
        sink.push(&frame).map_err(broken)?;
    }
    sink.finish().map_err(broken)
}

/// A frame as an encoder is given it, with the profile and the metadata of its file.
fn ready<'a>(
    frame: Frame,
    about: &'a About,
    options: &SaveOptions,
    notices: &mut Vec<Notice>,
) -> Result<(Frame, Option<&'a [u8]>, Metadata), SaveError> {
    let Frame { pixels, delay } = frame;
    let prepared = prepare(&pixels, &about.profile, &about.metadata, options, notices)?;
    let Prepared { pixels: shown, icc, metadata } = prepared;
    Ok((Frame { pixels: shown.into_owned(), delay }, icc, metadata))
}
