//! `ganvas faces`: find faces, and what networks make of them.

use std::path::PathBuf;
use std::sync::Arc;

use super::filter::choose_model;
use super::input::{self, Picture};
use super::moving::pictures;
use super::networks::{self, Worker};
use super::report::{self, Failure, Progress};
use crate::device::DeviceChoice;
use crate::faces::{Face, Wants};
use crate::infer::protocol::{Faces, ModelRef, Task};
use crate::zoo::{Library, Purpose};

/// Finds faces: boxes, points, expression, age and gender as networks guess them
#[derive(clap::Args)]
pub(super) struct Args {
    /// The picture to read; an animation (GIF, APNG), or numbered ones: frame_####.png
    input: PathBuf,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Machine-readable output, with all 468 points, and 68 where a model for them is installed
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let several = pictures(&args.input)?;
    let store = networks::store(args.device)?;
    let needed =
        [Purpose::FaceDetect, Purpose::FaceLandmarks, Purpose::Expression, Purpose::AgeGender];
    let mut models = finders(store.library(), &needed)?;
    let more = choose_model(store.library(), None, Purpose::FacePoints).ok();
    let points = more.is_some();
    models.extend(more.map(|model| (Purpose::FacePoints, model)));
    let (mut worker, mut bar) = (Worker::start(store)?, Progress::new("Finding faces"));
    let mut find = |picture: Picture, place| {
        let task = Task::Faces(Faces {
            image: Arc::new(picture.pixels),
            profile: picture.profile,
            wants: Wants { landmarks: true, points, expression: true, age_gender: true },
            models: models.clone(),
        });
        Ok::<_, Failure>(worker.run_part(task, &mut bar, place)?.done()?.faces)
    };
    let Some((count, pictures)) = several else {
        let faces = find(input::open(&args.input)?, [0, 1])?;
        return if args.json { report::print_json(&faces) } else { report::print(lines(&faces)) };
    };
    let mut found = Vec::new();
    for (at, picture) in (0..).zip(pictures) {
        let (frame, picture) = picture?;
        found.push(Frame { frame, faces: find(picture, [at, count])? });
    }
    if args.json {
        return report::print_json(&found);
    }
    let said = |Frame { frame, faces }: &Frame| format!("{frame}: {}", lines(faces));
    report::print(found.iter().map(said).collect::<Vec<_>>().join("\n"))
}

/// What one of several pictures holds.
#[derive(serde::Serialize)]
struct Frame {
    /// As the file's name has it; of an animation from 1 on.
    frame: u64,
    faces: Vec<Face>,
}

fn lines(faces: &[Face]) -> String {
    match faces {
        [] => "No face found".into(),
        faces => faces.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
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
