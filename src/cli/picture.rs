//! What the subcommands share that turn one picture into another on the inference thread: the
//! files, and the way from one to the other.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{self, Picture, unusable};
use super::moving::{DEFAULT_FPS, Moving, parse_fps};
use super::networks::{Ended, Worker};
use super::report::{self, Failure, Progress};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::document::Metadata;
use crate::geom::Size;
use crate::infer::models::ModelStore;
use crate::infer::protocol::{Output, Task};
use crate::io::{self, DigitalSource, Format, MetadataPolicy, Notice, SaveOptions};
use crate::pixels::{Depth, PixelBuf};

#[derive(clap::Args)]
pub(super) struct Files {
    /// The picture to read; an animation (GIF, APNG), or numbered ones: frame_####.png
    pub input: PathBuf,
    /// The picture to write; the extension chooses the format. Of several pictures all are
    /// written where it is a .gif, an .apng, of an APNG a .png, or has a number: out_####.png
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Pictures a second, where an animation is made of numbered ones
    #[arg(long, value_name = "N", default_value_t = DEFAULT_FPS, value_parser = parse_fps)]
    fps: f32,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    pub device: DeviceChoice,
    /// JPEG quality
    #[arg(long, value_name = "N", default_value_t = SaveOptions::DEFAULT_QUALITY,
          value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// What to do with EXIF, XMP and the colour profile: keep, no-gps or none
    #[arg(long, value_name = "keep|no-gps|none", default_value = "keep")]
    metadata: MetadataPolicy,
    /// Leave out the label that says that a network has drawn in the picture
    #[arg(long)]
    no_label: bool,
    /// Machine-readable summary
    #[arg(long)]
    pub json: bool,
}

/// What of an opened picture goes into the result beside pixels.
pub(super) struct Source {
    pub profile: WorkingProfile,
    metadata: Metadata,
    notices: Vec<Notice>,
    /// What is to be said of networks that drew in the result.
    pub label: Option<DigitalSource>,
}

impl Source {
    /// Of what is not as the picture is.
    fn bare(notices: Vec<Notice>) -> Self {
        let (profile, metadata) = (WorkingProfile::srgb(), Metadata::default());
        Self { profile, metadata, notices, label: None }
    }
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// A picture in which a network has drawn, which it says.
    Drawn,
    /// A picture that was changed without one.
    Changed,
    /// A mask: grey, and nothing of the picture's profile and metadata with it. Nor a label, as
    /// it is no picture that could deceive.
    Mask,
}

/// A mask as an opaque grey picture.
fn as_picture(mask: &PixelBuf) -> PixelBuf {
    let mut picture = PixelBuf::new(mask.size(), 4, mask.depth());
    for at in 0..mask.size().pixels() as usize {
        let value = mask.samples().get_f32(at);
        for (channel, value) in [value, value, value, 1.0].into_iter().enumerate() {
            picture.samples_mut().set_f32(at * 4 + channel, value);
        }
    }
    picture
}

/// The pixels and the rest.
pub(super) fn split(opened: Picture) -> (PixelBuf, Source) {
    let Picture { pixels, profile, metadata, notices, label } = opened;
    (pixels, Source { profile, metadata, notices, label })
}

impl Files {
    /// The picture, or the first of several, once it is sure that the result can be written.
    pub(super) fn open(&self) -> Result<(Picture, Option<Moving>), Failure> {
        if let Some(moving) = Moving::open(&self.input, &self.output, self.fps)? {
            return Ok((moving.first()?, Some(moving)));
        }
        self.check_target()?;
        Ok((input::open(&self.input)?, None))
    }

    /// Whether one picture can be written, before any work.
    pub(super) fn check_target(&self) -> Result<(), Failure> {
        io::check_target(&self.output).map(|_| ()).map_err(|error| unusable(&error))
    }

    fn options(&self, format: Format, label: Option<DigitalSource>) -> SaveOptions {
        let mut options = SaveOptions::new(format);
        options.quality = self.quality;
        options.metadata = self.metadata;
        options.label = label.filter(|_| !self.no_label);
        options
    }

    /// Runs the task that `task` makes of the picture, or of each, which is given with its place,
    /// and writes its first result with the picture's metadata; `facts` go into the summary as
    /// well.
    pub(super) fn run(
        &self,
        store: ModelStore,
        opened: (Picture, Option<Moving>),
        task: impl Fn(Arc<PixelBuf>, WorkingProfile, u64) -> Result<Task, Failure>,
        written: Written,
        label: &str,
        facts: &[(&str, Value)],
    ) -> Result<(), Failure> {
        let (mut worker, mut bar) = (Worker::start(store)?, Progress::new(label));
        self.change(opened, written, facts, |pixels, profile, place| {
            worker.run_part(task(pixels, profile, place[0])?, &mut bar, place)
        })
    }

    /// Writes what `change` makes of the picture, or of each, which is given with its place and
    /// their number; `facts` go into the summary as well.
    pub(super) fn change(
        &self,
        (opened, moving): (Picture, Option<Moving>),
        written: Written,
        facts: &[(&str, Value)],
        mut change: impl FnMut(Arc<PixelBuf>, WorkingProfile, [u64; 2]) -> Result<Ended, Failure>,
    ) -> Result<(), Failure> {
        let drawn =
            (written == Written::Drawn).then_some(DigitalSource::CompositeWithTrainedAlgorithm);
        let is_mask = written == Written::Mask;
        let none = || Failure::failed("the network made no picture");
        let Some(moving) = moving else {
            let (image, mut source) = split(opened);
            let output = change(Arc::new(image), source.profile.clone(), [0, 1])?.done()?;
            let picture = output.images.first().ok_or_else(none)?;
            if is_mask {
                let bare = Source::bare(source.notices);
                return self.save(&as_picture(picture), bare, &output, facts);
            }
            source.label = drawn.or(source.label);
            return self.save(picture, source, &output, facts);
        };
        let options = self.options(Format::Png, drawn);
        let mut total = Output::default();
        let mut refused = None;
        let moving = if is_mask { moving.bare() } else { moving };
        let made = moving.run(&options, |picture, place| {
            let pixels = Arc::new(picture.pixels);
            match change(Arc::clone(&pixels), picture.profile, place)? {
                Ended::Done(output) => {
                    let Output { images, model, seconds, .. } = *output;
                    total.seconds += seconds;
                    total.model = model;
                    let made = images.into_iter().next().ok_or_else(none)?;
                    Ok(if is_mask { as_picture(&made) } else { made })
                }
                Ended::Refused(reason) => {
                    refused = Some(reason);
                    Ok(match is_mask {
                        true => as_picture(&PixelBuf::new(pixels.size(), 1, Depth::U8)),
                        false => Arc::unwrap_or_clone(pixels),
                    })
                }
            }
        })?;
        if let Some(reason) = refused {
            let stay = if is_mask { "masks stayed black" } else { "frames stayed as they are" };
            report::note(format!("{stay}: {reason}"));
        }
        let facts = [&[("frames", json!(made.frames))], facts].concat();
        self.say(made.size, &made.notices, &total, &facts)
    }

    /// Writes `picture`, made of `source`, and says so; `facts` go into the summary as well.
    pub(super) fn save(
        &self,
        picture: &PixelBuf,
        source: Source,
        output: &Output,
        facts: &[(&str, Value)],
    ) -> Result<(), Failure> {
        let format = io::check_target(&self.output).map_err(|error| unusable(&error))?;
        let Source { profile, metadata, mut notices, label } = source;
        let options = self.options(format, label);
        let saved = io::save(&self.output, picture, &profile, &metadata, &options);
        notices.extend(saved.map_err(|error| unusable(&error))?);
        self.say(picture.size(), &notices, output, facts)
    }

    /// Says what was written: a picture, or several of one size.
    fn say(
        &self,
        size: Size,
        notices: &[Notice],
        output: &Output,
        facts: &[(&str, Value)],
    ) -> Result<(), Failure> {
        for notice in notices {
            report::note(format!("{}: {notice}", self.input.display()));
        }
        if self.json {
            let mut summary = json!({
                "output": self.output.to_string_lossy(),
                "model": output.model,
                "width": size.width,
                "height": size.height,
                "seconds": output.seconds,
                "notices": notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
            });
            facts.iter().for_each(|(name, value)| summary[*name] = value.clone());
            return report::print_json(&summary);
        }
        let (file, model) = (self.output.display(), &output.model);
        report::print(format!("{file}: {size}, {model}, {:.1} s", output.seconds))
    }
}
