//! Several pictures instead of one: animations and numbered files, of which every subcommand that
//! changes a picture makes others of the kind that the output's name asks for.

use std::path::Path;
use std::time::Duration;

use super::input::{self, Picture, unusable};
use super::report::Failure;
use crate::color::{WorkingProfile, convert};
use crate::document::Metadata;
use crate::geom::Size;
use crate::io::animation::{self, About, Container, Frame, Reader};
use crate::io::film::{Film, add};
use crate::io::numbered::Numbered;
use crate::io::{self, Format, Limits, Notice, SaveError, SaveOptions};
use crate::pixels::PixelBuf;

/// Pictures a second of an animation that is made of numbered pictures.
pub(super) const DEFAULT_FPS: f32 = 25.0;

/// A rate of pictures.
pub(super) fn parse_fps(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(fps) if (0.01..=100.0).contains(&fps) => Ok(fps),
        _ => Err("must be 0.01 to 100 pictures a second".into()),
    }
}

/// What is read.
enum Source {
    Animation(Box<Reader>),
    Numbered(Numbered, Vec<u64>),
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        unusable(&error)
    }
}

fn save(
    file: &Path,
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    metadata: &Metadata,
    options: &SaveOptions,
) -> Result<Vec<Notice>, Failure> {
    let format = io::check_target(file)?;
    Ok(io::save(file, pixels, profile, metadata, &SaveOptions { format, ..*options })?)
}

/// Pictures that are changed one after the other.
pub(super) struct Moving {
    source: Source,
    target: Film,
    fps: f32,
    /// What is written says nothing of what was read: neither profile nor metadata.
    is_bare: bool,
}

/// The pictures of an animation, which are counted from 1 on, or numbered ones, to be looked at.
pub(super) type Pictures = Box<dyn Iterator<Item = Result<(u64, Picture), Failure>>>;

/// Those that `input` names, and how many they are; `None` where it is one picture.
pub(super) fn pictures(input: &Path) -> Result<Option<(u64, Pictures)>, Failure> {
    if let Some(pattern) = Numbered::parse(input) {
        let numbers = pattern.existing().map_err(|error| unusable(&error))?;
        let count = numbers.len() as u64;
        let read = move |number| Ok((number, input::open(&pattern.file(number))?));
        return Ok(Some((count, Box::new(numbers.into_iter().map(read)))));
    }
    if !input.is_file() || crate::io::project::is_project(input) {
        return Ok(None);
    }
    let reader = animation::open(input, &Limits::default()).map_err(|error| unusable(&error))?;
    let Some(reader) = reader.filter(|reader| reader.frames > 1) else { return Ok(None) };
    let (count, profile) = (u64::from(reader.frames), reader.first.profile.clone());
    let read = move |(number, frame): (u64, Result<Frame, _>)| {
        let Frame { pixels, .. } = frame.map_err(|error| unusable(&error))?;
        Ok((number, of_frame(pixels, &profile)))
    };
    Ok(Some((count, Box::new((1..).zip(reader).map(read)))))
}

/// A picture of an animation, whose metadata are the animation's.
fn of_frame(pixels: PixelBuf, profile: &WorkingProfile) -> Picture {
    Picture {
        pixels,
        profile: profile.clone(),
        metadata: Metadata::default(),
        notices: Vec::new(),
        label: None,
    }
}

/// What was written.
pub(super) struct Made {
    /// Of each picture.
    pub size: Size,
    pub frames: u32,
    pub notices: Vec<Notice>,
}

impl Moving {
    /// The pictures that `input` names, to be written as `output` says; `None` where either is one
    /// picture.
    pub(super) fn open(input: &Path, output: &Path, fps: f32) -> Result<Option<Self>, Failure> {
        if let Some(pattern) = Numbered::parse(input) {
            let numbers = pattern.existing().map_err(|error| unusable(&error))?;
            let Some(target) = Film::of(output, false)? else {
                let name = output.display();
                let sentence =
                    format!("many pictures do not fit '{name}'; write to a .gif, an .apng");
                return Err(Failure::input(sentence + " or names such as out_####.png"));
            };
            return Ok(Some(Self {
                source: Source::Numbered(pattern, numbers),
                target,
                fps,
                is_bare: false,
            }));
        }
        // Only where the result could have frames the input is looked at twice.
        let Some(target) = Film::of(output, true)? else { return Ok(None) };
        if !input.is_file() || crate::io::project::is_project(input) {
            return Ok(None);
        }
        let Some(reader) =
            animation::open(input, &Limits::default()).map_err(|error| unusable(&error))?
        else {
            return match target {
                Film::Numbered(_) => {
                    let name = input.display();
                    Err(Failure::input(format!("'{name}' is one picture and needs no numbers")))
                }
                Film::Animation(..) => Ok(None),
            };
        };
        if reader.container == Container::Gif && Film::of(output, false)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { source: Source::Animation(Box::new(reader)), target, fps, is_bare: false }))
    }

    /// The same for what is not as the pictures are, such as masks.
    pub(super) fn bare(self) -> Self {
        Self { is_bare: true, ..self }
    }

    /// How many pictures there are.
    pub(super) fn count(&self) -> u64 {
        match &self.source {
            Source::Animation(reader) => u64::from(reader.frames),
            Source::Numbered(_, numbers) => numbers.len() as u64,
        }
    }

    /// The format of what is written.
    pub(super) fn format(&self) -> Format {
        self.target.format()
    }

    /// The first picture, with what is to be said of it.
    pub(super) fn first(&self) -> Result<Picture, Failure> {
        match &self.source {
            Source::Animation(reader) => {
                let opened = reader.first.clone();
                let notices = opened.notices.into_iter();
                let notices = notices.filter(|n| !matches!(n, Notice::FirstFrameOnly { .. }));
                Ok(Picture {
                    pixels: opened.pixels,
                    profile: opened.profile,
                    metadata: opened.metadata,
                    notices: notices.collect(),
                    label: None,
                })
            }
            Source::Numbered(pattern, numbers) => {
                input::open(&pattern.file(numbers.first().copied().unwrap_or(0)))
            }
        }
    }

    /// Changes every picture, which is given with its place and their number, and writes them.
    pub(super) fn run(
        self,
        options: &SaveOptions,
        mut change: impl FnMut(Picture, [u64; 2]) -> Result<PixelBuf, Failure>,
    ) -> Result<Made, Failure> {
        let first = self.first()?;
        let mut size = first.pixels.size();
        let kept = |profile: &WorkingProfile, metadata: &Metadata| match self.is_bare {
            true => (WorkingProfile::srgb(), Metadata::default()),
            false => (profile.clone(), metadata.clone()),
        };
        let Picture { profile: read_as, metadata, mut notices, .. } = first;
        let (profile, metadata) = kept(&read_as, &metadata);
        let mut changed = |picture: Picture, place: [u64; 2]| {
            let pixels = change(picture, place)?;
            size = pixels.size();
            Ok::<_, Failure>(pixels)
        };
        let (count, said) = match (self.source, &self.target) {
            (Source::Numbered(from, numbers), Film::Numbered(to)) => {
                // Each keeps its number and everything that it says of itself.
                let count = numbers.len() as u64;
                let mut said = Vec::new();
                for (at, number) in numbers.iter().enumerate() {
                    let picture = input::open(&from.file(*number))?;
                    let (profile, metadata) = kept(&picture.profile, &picture.metadata);
                    let pixels = changed(picture, [at as u64, count])?;
                    add(&mut said, save(&to.file(*number), &pixels, &profile, &metadata, options)?);
                }
                (count, said)
            }
            (Source::Numbered(from, numbers), target) => {
                let count = numbers.len() as u64;
                let frames = numbers.iter().enumerate().map(|(at, number)| {
                    let picture = input::open(&from.file(*number))?;
                    let (profile, _) = kept(&picture.profile, &picture.metadata);
                    let mut pixels = changed(picture, [at as u64, count])?;
                    // One file has one profile.
                    if !profile.is_srgb() {
                        convert::to_srgb(&profile, &mut pixels)
                            .map_err(|error| unusable(&error))?;
                    }
                    Ok::<_, Failure>(Frame {
                        pixels,
                        delay: Duration::from_secs_f32(1.0 / self.fps),
                    })
                });
                let about = About::endless(numbers.len() as u32, WorkingProfile::srgb());
                let about = About { metadata, ..about };
                (count, target.write(about, options, frames)?)
            }
            (Source::Animation(reader), target) => {
                let Reader { container, frames, plays, .. } = *reader;
                let about = About { container, frames, plays, profile, metadata };
                let count = u64::from(frames);
                let changed = reader.enumerate().map(|(at, frame)| {
                    let Frame { pixels, delay } = frame.map_err(|error| unusable(&error))?;
                    let picture = of_frame(pixels, &read_as);
                    Ok::<_, Failure>(Frame { pixels: changed(picture, [at as u64, count])?, delay })
                });
                (count, target.write(about, options, changed)?)
            }
        };
        add(&mut notices, said);
        Ok(Made { size, frames: count as u32, notices })
    }
}
