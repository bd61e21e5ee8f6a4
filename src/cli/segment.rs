//! `ganvas segment`: a mask of the subject, of faces or of a class.

use std::time::Instant;

use super::faces::{POINTS, finders};
use super::filter::parse_share;
use super::library::model_ref;
use super::networks::{self, Ended, Worker};
use super::picture::{Files, Written};
use super::report::{Failure, Progress, sentence};
use crate::commands::shapes::Shape;
use crate::faces::{Face, Wants};
use crate::geom::Size;
use crate::infer::protocol::{Faces, ModelRef, Output, Select, Task};
use crate::infer::worker::capability_for;
use crate::pixels::{Depth, PixelBuf};
use crate::segment::{self, VOC_CLASSES, What};
use crate::zoo::{Library, Purpose, Spec, open_network};

/// Writes a mask of what a network finds: white belongs, black does not
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// subject, face, scratches (thin lines, found without a network), person, or another class of
    /// an installed network by name, or by number
    #[arg(long, value_name = "subject|face|scratches|CLASS", default_value = "subject")]
    what: String,
    /// With scratches: 0 takes the strongest lines only, 1 faint ones as well
    #[arg(long, value_name = "F", default_value_t = segment::DEFAULT_SENSITIVITY,
          value_parser = parse_share)]
    sensitivity: f32,
    /// An installed model, or a checkpoint file [default: the first that is installed and
    /// knows it]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match args.what.as_str() {
        "scratches" => scratches(args),
        "face" => faces(args),
        _ => class(args),
    }
}

/// A mask of what a network that knows classes finds.
fn class(args: &Args) -> Result<(), Failure> {
    let files = &args.files;
    let opened = files.open()?;
    let mut store = networks::store(files.device)?;
    let (model, what) = choose(args, store.library())?;
    capability_for(&mut store, &model, Purpose::Segment).map_err(Failure::input)?;
    networks::warn(store.library(), &model);
    let task =
        |image, profile, _| Ok(Task::Select(Select { image, profile, model: model.clone(), what }));
    files.run(store, opened, task, Written::Mask, "Selecting", &[])
}

/// A network that segments, and what it knows.
struct Known {
    model: ModelRef,
    /// Results, one where it tells one thing from the rest.
    classes: usize,
    /// Names that are not subject, in their order; none where the file tells none.
    names: &'static [&'static str],
}

impl Known {
    fn of(model: ModelRef, spec: &Spec) -> Option<Self> {
        let capability = spec.capability();
        let classes = capability.channels_out as usize;
        let names: &[&str] = match spec {
            Spec::SelfieSegmentation(_) => &["background", "person"],
            _ if classes == VOC_CLASSES.len() => &VOC_CLASSES,
            _ => &[],
        };
        (capability.purpose == Purpose::Segment).then_some(Self { model, classes, names })
    }

    /// What a person's word means to it.
    fn what(&self, word: &str) -> Option<What> {
        let word = word.trim().to_lowercase();
        let place = self.names.iter().position(|name| *name == word);
        place.map(What::Class).or_else(|| What::parse(&word, self.classes.max(2)))
    }
}

impl std::fmt::Display for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.names {
            [] => write!(f, "0 to {} ({})", self.classes.max(2) - 1, self.model),
            names => write!(f, "{} ({})", names.join(", "), self.model),
        }
    }
}

/// The model that was asked for, else the first that knows what is looked for.
fn choose(args: &Args, library: &Library) -> Result<(ModelRef, What), Failure> {
    let refuse = |error: &dyn std::error::Error| Failure::input(sentence(error));
    let mut known = Vec::new();
    if let Some(name) = &args.model {
        let model = model_ref(library, name)?;
        let file = match &model {
            ModelRef::File(file) => file.clone(),
            _ => library.find(name).map_err(|error| refuse(&error))?.weights,
        };
        let (_, detected) = open_network(&file).map_err(|error| refuse(&error))?;
        let not = format!(
            "{model} is a {} and {}",
            detected.spec.architecture(),
            Purpose::Segment.negated()
        );
        known.push(Known::of(model, &detected.spec).ok_or_else(|| Failure::input(not))?);
    } else {
        for installed in library.list().0 {
            // One that cannot be read is named when it is used.
            if installed.manifest.purpose == Purpose::Segment
                && let Ok((_, detected)) = open_network(&installed.weights)
            {
                known.extend(Known::of(ModelRef::Id(installed.manifest.id), &detected.spec));
            }
        }
    }
    if known.is_empty() {
        let sentence = format!(
            "no model for {} is installed; 'ganvas models import FILE' adds one",
            Purpose::Segment
        );
        return Err(Failure::input(sentence));
    }
    let found = known.iter().find_map(|known| Some((known.model.clone(), known.what(&args.what)?)));
    found.ok_or_else(|| {
        let all: Vec<_> = known.iter().map(ToString::to_string).collect();
        let sentence = format!(
            "no model that was looked at knows '{}'; known are subject, face, scratches, and {}",
            args.what,
            all.join("; ")
        );
        Failure::input(sentence)
    })
}

/// A mask of thin lines, such as `ganvas remove` takes out.
fn scratches(args: &Args) -> Result<(), Failure> {
    args.files.change(args.files.open()?, Written::Mask, &[], |image, _, _| {
        let started = Instant::now();
        let images = vec![segment::scratches(&image, args.sensitivity)];
        let seconds = started.elapsed().as_secs_f32();
        let model = "thin lines".into();
        Ok(Ended::Done(Box::new(Output { images, model, seconds, ..Output::default() })))
    })
}

/// A mask of every face's outline.
fn faces(args: &Args) -> Result<(), Failure> {
    let files = &args.files;
    let opened = files.open()?;
    let store = networks::store(files.device)?;
    let models = finders(store.library(), &POINTS)?;
    let (mut worker, mut bar) = (Worker::start(store)?, Progress::new("Finding faces"));
    files.change(opened, Written::Mask, &[], |image, profile, place| {
        let size = image.size();
        let wants = Wants { landmarks: true, ..Wants::default() };
        let task = Task::Faces(Faces { image, profile, wants, models: models.clone() });
        let ended = worker.run_part(task, &mut bar, place)?;
        Ok(match ended {
            Ended::Done(output) if output.faces.is_empty() => {
                Ended::Refused("no face was found in the picture".into())
            }
            Ended::Done(mut output) => {
                output.images = vec![outlines(&output.faces, size)];
                Ended::Done(output)
            }
            refused => refused,
        })
    })
}

fn outlines(faces: &[Face], size: Size) -> PixelBuf {
    let mut mask = PixelBuf::new(size, 1, Depth::U8);
    for outline in faces.iter().filter_map(Face::outline) {
        let drawn = Shape::Polygon(outline).rasterise(size.rect(), true);
        for at in 0..size.pixels() as usize {
            let value = mask.samples().get_f32(at).max(drawn.samples().get_f32(at));
            mask.samples_mut().set_f32(at, value);
        }
    }
    mask
}
