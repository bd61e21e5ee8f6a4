//! `ganvas segment`: a mask of the subject, of faces or of a class.

use std::sync::Arc;
use std::time::Instant;

use super::filter::{choose_model, parse_share};
use super::input::{self, Picture};
use super::networks;
use super::picture::{self, Files};
use super::report::Failure;
use crate::commands::shapes::Shape;
use crate::faces::{Face, Wants};
use crate::infer::models::ModelStore;
use crate::infer::protocol::{Faces, Output, Select, Task};
use crate::infer::worker::capability_for;
use crate::pixels::{Depth, PixelBuf};
use crate::segment::{self, What};
use crate::zoo::Purpose;

/// Writes a mask of what a network finds: white belongs, black does not
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// subject, face, scratches (thin lines, found without a network), or a class of the network
    /// by name or number
    #[arg(long, value_name = "subject|face|scratches|CLASS", default_value = "subject")]
    what: String,
    /// With scratches: 0 takes the strongest lines only, 1 faint ones as well
    #[arg(long, value_name = "F", default_value_t = segment::DEFAULT_SENSITIVITY,
          value_parser = parse_share)]
    sensitivity: f32,
    /// An installed model, or a checkpoint file [default: the first that is installed]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    args.files.check_target()?;
    let opened = input::open(&args.files.input)?;
    if args.what == "scratches" {
        return scratches(args, opened);
    }
    let mut store = networks::store(args.files.device)?;
    if args.what == "face" {
        return faces(args, store, opened);
    }
    let model = choose_model(store.library(), args.model.as_deref(), Purpose::Segment)?;
    let capability =
        capability_for(&mut store, &model, Purpose::Segment).map_err(Failure::input)?;
    let classes = capability.channels_out as usize;
    let what = What::parse(&args.what, classes).ok_or_else(|| {
        Failure::input(format!("{model} knows no '{}'; it has {classes} classes", args.what))
    })?;
    networks::warn(store.library(), &model);
    let (image, mut source) = picture::split(opened);
    // A mask is no picture that could deceive.
    source.label = None;
    let (image, profile) = (Arc::new(image), source.profile.clone());
    let task = Task::Select(Select { image, profile, model, what });
    let output = networks::run(store, task, "Selecting")?;
    let mask = output.images.first();
    let mask = mask.ok_or_else(|| Failure::failed("the network made no mask"))?;
    args.files.save(&as_picture(mask), source, &output, &[])
}

/// A mask of thin lines, such as `ganvas remove` takes out.
fn scratches(args: &Args, opened: Picture) -> Result<(), Failure> {
    let started = Instant::now();
    let (image, mut source) = picture::split(opened);
    // A mask is no picture that could deceive.
    source.label = None;
    let mask = segment::scratches(&image, args.sensitivity);
    let seconds = started.elapsed().as_secs_f32();
    let output = Output { model: "thin lines".into(), seconds, ..Output::default() };
    args.files.save(&as_picture(&mask), source, &output, &[])
}

/// A mask of every face's outline.
fn faces(args: &Args, store: ModelStore, opened: Picture) -> Result<(), Failure> {
    let choose = |purpose| Ok((purpose, choose_model(store.library(), None, purpose)?));
    let needed = [Purpose::FaceDetect, Purpose::FaceLandmarks];
    let models = needed.into_iter().map(choose).collect::<Result<_, Failure>>()?;
    let (image, mut source) = picture::split(opened);
    // A mask is no picture that could deceive.
    source.label = None;
    let size = image.size();
    let task = Task::Faces(Faces {
        image: Arc::new(image),
        profile: source.profile.clone(),
        wants: Wants { landmarks: true, ..Wants::default() },
        models,
    });
    let output = networks::run(store, task, "Finding faces")?;
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    for outline in output.faces.iter().filter_map(Face::outline) {
        let drawn = Shape::Polygon(outline).rasterise(size.rect(), true);
        for at in 0..size.pixels() as usize {
            let value = mask.samples().get_f32(at).max(drawn.samples().get_f32(at));
            mask.samples_mut().set_f32(at, value);
        }
    }
    args.files.save(&as_picture(&mask), source, &output, &[])
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
