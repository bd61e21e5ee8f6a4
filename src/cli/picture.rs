//! What the subcommands share that turn one picture into another on the inference thread: the
//! files, and the way from one to the other.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{Picture, unusable};
use super::networks;
use super::report::{self, Failure};
use crate::color::WorkingProfile;
use crate::device::DeviceChoice;
use crate::document::Metadata;
use crate::infer::models::ModelStore;
use crate::infer::protocol::{Output, Task};
use crate::io::{self, DigitalSource, MetadataPolicy, Notice, SaveOptions};
use crate::pixels::PixelBuf;

#[derive(clap::Args)]
pub(super) struct Files {
    /// The picture to read
    pub input: PathBuf,
    /// The picture to write; the extension chooses the format
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
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

/// The pixels and the rest.
pub(super) fn split(opened: Picture) -> (PixelBuf, Source) {
    let Picture { pixels, profile, metadata, notices, label } = opened;
    (pixels, Source { profile, metadata, notices, label })
}

impl Files {
    /// Whether the result can be written, before any work.
    pub(super) fn check_target(&self) -> Result<(), Failure> {
        io::check_target(&self.output).map(|_| ()).map_err(|error| unusable(&error))
    }

    /// Runs the task that `task` makes of the picture and writes its first result with the
    /// picture's metadata.
    pub(super) fn run(
        &self,
        store: ModelStore,
        opened: Picture,
        task: impl FnOnce(Arc<PixelBuf>, WorkingProfile) -> Task,
        label: &str,
    ) -> Result<(), Failure> {
        let (image, mut source) = split(opened);
        let task = task(Arc::new(image), source.profile.clone());
        if task.model().is_some() {
            source.label = Some(DigitalSource::CompositeWithTrainedAlgorithm);
        }
        let output = networks::run(store, task, label)?;
        let picture = output.images.first();
        let picture = picture.ok_or_else(|| Failure::failed("the network made no picture"))?;
        self.save(picture, source, &output, &[])
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
        let mut options = SaveOptions::new(format);
        options.quality = self.quality;
        options.metadata = self.metadata;
        let Source { profile, metadata, mut notices, label } = source;
        options.label = label.filter(|_| !self.no_label);
        let saved = io::save(&self.output, picture, &profile, &metadata, &options);
        notices.extend(saved.map_err(|error| unusable(&error))?);
        for notice in &notices {
            report::note(format!("{}: {notice}", self.input.display()));
        }
        let size = picture.size();
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
