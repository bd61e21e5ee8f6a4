//! `ganvas faces`: find faces, and what networks make of them.

use std::path::PathBuf;
use std::sync::Arc;

use super::filter::choose_model;
use super::report::{self, Failure};
use super::{input, networks};
use crate::device::DeviceChoice;
use crate::faces::{Face, Wants};
use crate::infer::protocol::{Faces, ModelRef, Task};
use crate::zoo::{Library, Purpose};

/// Finds faces: boxes, points, expression, age and gender as networks guess them
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture to read
    input: PathBuf,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Machine-readable output, with all 468 points, and 68 where a model for them is installed
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let opened = input::open(&args.input)?;
    let store = networks::store(args.device)?;
    let needed =
        [Purpose::FaceDetect, Purpose::FaceLandmarks, Purpose::Expression, Purpose::AgeGender];
    let mut models = finders(store.library(), &needed)?;
    let more = choose_model(store.library(), None, Purpose::FacePoints).ok();
    let points = more.is_some();
    models.extend(more.map(|model| (Purpose::FacePoints, model)));
    let task = Task::Faces(Faces {
        image: Arc::new(opened.pixels),
        profile: opened.profile,
        wants: Wants { landmarks: true, points, expression: true, age_gender: true },
        models,
    });
    let output = networks::run(store, task, "Finding faces")?;
    if args.json {
        return report::print_json(&output.faces);
    }
    if output.faces.is_empty() {
        return report::print("No face found");
    }
    let lines: Vec<_> = output.faces.iter().map(line).collect();
    report::print(lines.join("\n"))
}

/// What a face is aligned by.
pub(super) const POINTS: [Purpose; 2] = [Purpose::FaceDetect, Purpose::FaceLandmarks];
/// What directions are learnt from.
pub(super) const AGE_AND_POINTS: [Purpose; 3] =
    [Purpose::FaceDetect, Purpose::FaceLandmarks, Purpose::AgeGender];

/// An installed network for each purpose.
pub(super) fn finders(
    library: &Library,
    purposes: &[Purpose],
) -> Result<Vec<(Purpose, ModelRef)>, Failure> {
    let choose = |purpose: &Purpose| Ok((*purpose, choose_model(library, None, *purpose)?));
    purposes.iter().map(choose).collect()
}

fn line(face: &Face) -> String {
    let b = face.bounds;
    let mut line = format!(
        "{:.0}×{:.0} at {:.0}, {:.0} ({:.0} % sure)",
        b.width,
        b.height,
        b.x,
        b.y,
        face.score * 100.0
    );
    if let Some(expression) = &face.expression {
        line += &format!(", {}", expression.strongest().0);
    }
    if let Some(age) = face.age {
        line += &format!(", about {age:.0} years by the network's guess");
    }
    line
}
